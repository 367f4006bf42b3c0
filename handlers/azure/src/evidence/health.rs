//! What is believed about Resource Health.
//!
//! It never decides anything.

use super::{Entry, Grade::Documented, entry};

/// The entries.
pub(super) const ENTRIES: &[Entry] = &[
    entry(
        "health-status",
        Documented,
        "`availabilityState`, `reasonType`, `occuredTime` (sic); the id begins with the resource's",
        "ResourceHealth.json",
    ),
    entry(
        "health-events",
        Documented,
        "`eventType`, `status` per event and per region; the time of mitigation can be set while it is active",
        "ResourceHealth.json, its examples",
    ),
    entry(
        "health-since",
        Documented,
        "`queryStartTime` is a day, `7/24/2020`, and goes by `lastUpdateTime`",
        "ResourceHealth.json",
    ),
];
