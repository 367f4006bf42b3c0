//! What is believed about Service Bus.
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
        "bus-scheduled",
        Documented,
        "`ScheduledEnqueueTimeUtc` is written as `Sun, 06 Nov 1994 08:49:37 GMT`",
        "Learn, message headers and properties",
    ),
    entry(
        "bus-duplicates",
        Documented,
        "a message with an id that was seen within the window is accepted and dropped",
        "Learn, duplicate detection",
    ),
    entry(
        "bus-properties",
        Assumed,
        "a header of ours becomes a property; unquoted text is read as text",
        "Learn's examples show both forms",
    ),
    entry("bus-scope", Assumed, "tokens for `https://servicebus.azure.net/.default`", "Microsoft's libraries"),
    entry("bus-diagnostic-id", Assumed, "`Diagnostic-Id` carries the trace of a message", "Microsoft's libraries"),
];
