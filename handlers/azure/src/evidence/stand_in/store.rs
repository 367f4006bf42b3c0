//! Beliefs about Azure that only tests rest on: what stand-ins for the store, events and identities answer.
//!
//! No call of this crate rests on one of these alone.

use super::super::{Entry, Grade::Assumed, entry};

pub(super) const ENTRIES: &[Entry] = &[
    entry(
        "blob-if-match-free",
        Assumed,
        "`If-Match: *` on a free name is unmet",
        "RFC 9110 has it; the client never sends it",
    ),
    entry(
        "blob-lease-foreign",
        Assumed,
        "a write under a foreign lease id is 412 also where the lease is broken or has expired",
        "libraries and emulator answer so, a table of the reference says 409; the client takes either for a conflict",
    ),
    entry("blob-empty-block", Assumed, "an empty block is refused", "no source; the client never appends nothing"),
    entry(
        "blob-order",
        Assumed,
        "conditions are checked before the lease",
        "the emulator does; the client takes either for a conflict",
    ),
    entry(
        "blob-body-limit",
        Assumed,
        "a body over 100 MiB is refused",
        "documented for Append Block; the client never sends that much",
    ),
    entry(
        "eventgrid-structured",
        Assumed,
        "a CloudEvent is delivered alone, in structured mode",
        "the host's recordings take both; the receiver takes an object and an array",
    ),
    entry(
        "eventgrid-latency",
        Assumed,
        "half a second from an event to its first delivery",
        "no source gives a figure; nothing rests on it",
    ),
    entry(
        "identity-refusals",
        Assumed,
        "statuses and texts of the identity endpoint's refusals",
        "no source; the client tells by whether it got a token",
    ),
];
