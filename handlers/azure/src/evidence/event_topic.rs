//! What is believed about Event Grid's custom topics, to which events are published.
//!
//! It never decides anything.

use super::{
    Entry,
    Grade::{Assumed, Documented},
    entry,
};

/// The entries.
pub(super) const ENTRIES: &[Entry] = &[
    entry(
        "topic-publish",
        Documented,
        "`POST /api/events?api-version=2018-01-01` with a JSON array of CloudEvents answers 200 without a body",
        "EventGrid.json 2018-01-01, PublishCloudEventEvents",
    ),
    entry(
        "topic-content-type",
        Documented,
        "CloudEvents in a batch are `application/cloudevents-batch+json; charset=utf-8`",
        "EventGrid.json 2018-01-01; CloudEvents, HTTP binding",
    ),
    entry(
        "topic-size",
        Documented,
        "a request takes 1 MB, and so does an event",
        "Learn, Event Grid quotas and limits",
    ),
    entry(
        "topic-batch-whole",
        Assumed,
        "a batch is accepted or refused whole",
        "safe both ways: ids are stable, and what was refused is sent again in smaller batches",
    ),
    entry(
        "topic-scope",
        Assumed,
        "tokens for `https://eventgrid.azure.net/.default`",
        "Microsoft's libraries; a wrong one is refused, and the events stay in the store",
    ),
    entry(
        "topic-right",
        Assumed,
        "publishing needs the data action `Microsoft.EventGrid/events/send/action`, as in the role EventGrid Data Sender",
        "the table of built-in roles; without it 403, and the events stay in the store",
    ),
    entry(
        "topic-refusals",
        Assumed,
        "401, 403, 413, 429 and 503 come with `{error:{code,message}}`",
        "as ARM's; only the status is gone by, but for `Retry-After`",
    ),
];
