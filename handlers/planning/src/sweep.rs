//! Decides what a sweep does for machines that were created lately: which need a look, and since when every creation is known.
//! It never concludes from absence: a machine that Resource Graph does not show yet stays within the window.
//!
//! `known_since` is the moment up to which every creation is dealt with. A sweep moves it to its own start, but never past a
//! creation that still lacks its point: an outage of ours makes a point late, not missing.

use alloc::string::String;
use alloc::vec::Vec;
use jiff::{SignedDuration, Timestamp};

use crate::creation::WINDOW_MIN;
use crate::facts::{CollectionSeen, Owner, PointState};
use crate::id::PointName;
use crate::points::ATTEMPTS_MAX;
use crate::policy::OnCreate;

/// How long a creation without a point is looked for. One that cannot have a point (an ephemeral disk, a right that nobody
/// gives) has been alarmed for a week by then, and would else keep the window open, and growing, for ever.
pub const OPEN_MAX: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What was observed longer ago than this counts no more: a sweep that goes on where another ended concludes nothing from it and
/// begins anew. Long enough for the parts of a sweep that is killed or held up by Azure's budgets again and again, and as old as
/// what a look may have said of a machine.
pub const OBSERVED_MAX: SignedDuration = SignedDuration::from_hours(1);

/// A new machine, as the sweep sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// ARM id.
    pub id: String,
    /// `vmId`.
    pub vm_id: String,
    /// When it was created.
    pub created_at: Timestamp,
}

/// Where a candidate's point stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It has its point.
    Protected,
    /// All attempts failed: alarmed, a person's turn.
    UsedUp,
    /// A point is being made, or is not there, or nothing could be learned: queue a look.
    Open,
}

/// True while something may be concluded from what was observed then. A time as far ahead of ours is from a clock that is wrong.
pub fn still_counts(observed_at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(observed_at).abs() <= OBSERVED_MAX
}

/// Since when the sweep has to look for creations.
pub fn window_start(known_since: Timestamp, on_create: OnCreate) -> Timestamp {
    known_since.checked_sub(on_create.within.max(WINDOW_MIN)).unwrap_or(Timestamp::MIN)
}

/// Where a candidate stands, by what Azure says of its collection.
///
/// A collection of that name which is not ours stands for nothing: the look at its machine says so.
pub fn standing(policy: &str, entry: &str, candidate: &Candidate, seen: &CollectionSeen, owner: &Owner) -> Standing {
    let CollectionSeen::Present(collection) = seen else { return Standing::Open };
    if !owner.has_made(collection) {
        return Standing::Open;
    }
    let wanted = PointName::on_create(policy, entry, &candidate.vm_id, 1);
    let names = || collection.points.iter().filter_map(|point| Some((PointName::parse(&point.name)?, point.state)));
    // A point of a slot is as good: the one on creation may have been made, and have expired since.
    let protected = |(name, state): (PointName, PointState)| state == PointState::Succeeded && name.same_entry(&wanted);
    let ours: Vec<_> =
        names().filter(|(name, _)| name.same_slot(&wanted)).map(|(name, state)| (name.attempt, state)).collect();
    if names().any(protected) {
        Standing::Protected
    } else if ours.iter().any(|(attempt, state)| *attempt >= ATTEMPTS_MAX && *state == PointState::Failed) {
        Standing::UsedUp
    } else {
        Standing::Open
    }
}

/// True when an open creation of that time still holds back a sweep that began at `started_at`.
pub fn holds_back(started_at: Timestamp, created_at: Timestamp) -> bool {
    created_at > started_at.checked_sub(OPEN_MAX).unwrap_or(Timestamp::MIN)
}

/// Since when every creation is known after a completed sweep: its start, or just before the oldest creation still open.
pub fn known_since_after(started_at: Timestamp, known_since: Timestamp, open: &[Candidate]) -> Timestamp {
    let holding = open.iter().map(|candidate| candidate.created_at).filter(|at| holds_back(started_at, *at));
    let oldest_open = holding.min();
    let held_back = oldest_open.and_then(|at| at.checked_sub(SignedDuration::from_secs(1)).ok());
    // Never back behind what was known: a machine older than the window is not ours to find.
    held_back.map_or(started_at, |at| at.min(started_at)).max(known_since)
}
