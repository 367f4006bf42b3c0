//! The one place where it is told what came of an order. It never tells a token, and never says a refusal again as a failure.

use jiff::Timestamp;
use lifeboat_contract::events::{CommandDone, CommandRefused, Event, Line, Name};

use super::refusal::Refusal;
use super::who::Author;
use super::{Told, Verdict};

/// An order was carried out, or would be.
pub(super) fn done(told: &Told, by: &Author) {
    let (id, command) = (told.id.as_deref().unwrap_or_default(), told.command.unwrap_or_default());
    let what = told.lines.join("; ");
    match told.verdict {
        Verdict::Done => tracing::info!(id, command, by = by.record(), what, "an order was carried out"),
        Verdict::WouldDo => tracing::info!(id, command, by = by.record(), what, "an order was tried: nothing was done"),
        Verdict::Before | Verdict::Later | Verdict::Refused(_) => {
            tracing::info!(id, command, what, "an order came again")
        }
    }
}

/// An order could not be asked about, and comes again.
pub(super) fn later(told: &Told) {
    let (id, command) = (told.id.as_deref().unwrap_or_default(), told.command.unwrap_or_default());
    tracing::warn!(
        id,
        command,
        why = told.lines.join("; "),
        "an order could not be taken care of: it comes again by itself"
    );
}

/// An order was refused.
pub(super) fn refused(told: &Told, why: &Refusal) {
    let (id, command) = (told.id.as_deref().unwrap_or_default(), told.command.unwrap_or_default());
    tracing::warn!(id, command, field = why.field(), %why, "an order was refused");
}

/// An order came that was carried out before.
pub(super) fn again(told: &Told) {
    let (id, command) = (told.id.as_deref().unwrap_or_default(), told.command.unwrap_or_default());
    tracing::info!(id, command, "an order came again: it was taken before, and nothing is done");
}

/// The event of an order that was carried out, or tried. A try has an id of its own: the order may come in earnest under the same.
pub(super) fn event_of_done(
    id: &str,
    ordered: &str,
    lines: &[String],
    dryrun: bool,
    by: &Author,
    at: Timestamp,
) -> Event {
    let done = CommandDone {
        command: Name::new(id),
        ordered: Name::new(ordered),
        outcome: Line::new(lines.join("; ")),
        dryrun,
        by: named(by),
    };
    Event::new(done, if dryrun { "dryrun" } else { "" }, at)
}

/// The event of an order that was refused.
pub(super) fn event_of_refused(id: &str, ordered: &str, why: &Refusal, by: Option<&Author>, at: Timestamp) -> Event {
    let refused = CommandRefused {
        command: Name::new(id),
        ordered: Name::new(ordered),
        field: why.field().map(Name::new),
        reason: Line::new(why.to_string()),
        by: by.and_then(named),
    };
    Event::new(refused, "", at)
}

fn named(by: &Author) -> Option<Name> {
    match by {
        Author::Named { object_id, .. } => Some(Name::new(object_id)),
        Author::Holder(_) => None,
    }
}
