//! What would be lost: from the newest usable point to the moment the source stopped serving.
//! It never measures from now, which only says how long we waited.

use jiff::{SignedDuration, Timestamp};

use super::sources::{Source, Standing};
use crate::recovery::Evidence;
use crate::signal::Origin;

/// An estimate of the loss, with what it rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// When the source stopped serving; `None` where nothing says so.
    pub stopped_at: Option<Timestamp>,
    /// Who says so.
    pub by: StoppedBy,
    /// The newest usable point; `None` where none is known.
    pub point_at: Option<Timestamp>,
}

/// Who says when the source stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoppedBy {
    /// The earliest of the evidence.
    Evidence(Origin),
    /// Nothing but the last good answer to a probe.
    LastGoodProbe,
}

impl Loss {
    /// The estimate. `None` where one of its ends is not known.
    pub fn span(&self) -> Option<SignedDuration> {
        let span = self.stopped_at?.duration_since(self.point_at?);
        // A point after that moment holds all that was served before it.
        Some(span.max(SignedDuration::ZERO))
    }
}

/// The estimate by the sources that count and fail.
pub fn loss(
    sources: &[Source],
    rules: &Evidence,
    good_probe_at: Option<Timestamp>,
    point_at: Option<Timestamp>,
) -> Loss {
    let earliest = sources
        .iter()
        .filter(|source| source.standing == Standing::Failing && rules.counts(source.origin))
        .filter_map(|source| Some((source.since?, source.origin)))
        .min();
    match earliest {
        Some((since, origin)) => Loss { stopped_at: Some(since), by: StoppedBy::Evidence(origin), point_at },
        None => Loss { stopped_at: good_probe_at, by: StoppedBy::LastGoodProbe, point_at },
    }
}
