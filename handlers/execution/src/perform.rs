//! Performs effects: one exhaustive match, one call an arm. No choices are made here.
//! It never fails: what went wrong is an outcome that names the effect it answers.

use std::time::Duration;

use lifeboat_azure::resource_groups;
use lifeboat_azure::restore_points::{self, NewCollection, NewPoint};
use lifeboat_azure::{Error, ErrorKind, Latest};
use lifeboat_planning::effect::{Consistency, Effect, PointEffect};

use crate::ledger::OutcomeResult;
use crate::lifeboat::Lifeboat;

/// The tag that says which deployment made something.
pub const OWNER_TAG: &str = "lifeboat-owner";
/// The tag that says under which estate record something was made.
pub const ESTATE_TAG: &str = "lifeboat-estate";
/// The tag with the hash of the machine's `vmId`.
pub const MACHINE_TAG: &str = "lifeboat-machine";
/// Azure's own words in an outcome, at most: enough for a code and its sentence.
const DETAIL_CHARS_MAX: usize = 400;

/// What became of an effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Key of the effect that this answers.
    pub effect: String,
    /// What became of it.
    pub result: OutcomeResult,
    /// Azure's own words.
    pub detail: String,
    /// Not before then again, by Azure's word.
    pub retry_after: Option<Duration>,
}

impl Outcome {
    /// The outcome of an effect that was not tried, because one before it did not get through.
    pub fn not_sent(effect: &Effect) -> Self {
        Self { effect: effect.key(), result: OutcomeResult::NotSent, detail: String::new(), retry_after: None }
    }
}

/// Performs one effect, if it can be sent before its latest moment.
pub async fn perform(lifeboat: &Lifeboat, effect: &Effect, latest: Latest) -> Outcome {
    let done = match effect {
        Effect::Point(point) => perform_point(lifeboat, point, latest).await,
    };
    outcome(effect, done)
}

async fn perform_point(lifeboat: &Lifeboat, effect: &PointEffect, latest: Latest) -> Result<(), Error> {
    let arm = &lifeboat.arm;
    match effect {
        PointEffect::EnsureGroup { subscription, group, location } => {
            let tags = [(OWNER_TAG, lifeboat.settings.deployment.as_str())];
            resource_groups::create(arm, subscription, group, location, &tags, latest).await.map(drop)
        }
        PointEffect::EnsureCollection { place, location, machine, owner, estate, vm_hash } => {
            let tags = [(OWNER_TAG, owner.as_str()), (ESTATE_TAG, estate.as_str()), (MACHINE_TAG, vm_hash.as_str())];
            let new = NewCollection { location, source: machine, tags: &tags };
            restore_points::create_collection(arm, &place.subscription, &place.group, &place.collection, &new, latest)
                .await
                .map(drop)
        }
        PointEffect::CreateRestorePoint { place, point, consistency } => {
            let new = NewPoint { crash_consistent: matches!(consistency, Consistency::Crash(_)), exclude_disks: &[] };
            restore_points::create(arm, &place.subscription, &place.group, &place.collection, point, &new, latest)
                .await
                .map(drop)
        }
    }
}

fn outcome(effect: &Effect, done: Result<(), Error>) -> Outcome {
    let Err(error) = done else {
        return Outcome { effect: effect.key(), result: OutcomeResult::Done, detail: String::new(), retry_after: None };
    };
    let result = match &error.kind {
        ErrorKind::AlreadyExists => OutcomeResult::AlreadyThere,
        ErrorKind::TooLate => OutcomeResult::NotSent,
        ErrorKind::Forbidden | ErrorKind::Unauthorized => OutcomeResult::NotPermitted,
        _ if error.maybe_done() => OutcomeResult::Unanswered,
        _ if error.is_not_yet() => OutcomeResult::NotYet,
        _ => OutcomeResult::Refused,
    };
    let chain = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
    let detail: String =
        chain.map(ToString::to_string).collect::<Vec<_>>().join(": ").chars().take(DETAIL_CHARS_MAX).collect();
    Outcome { effect: effect.key(), result, detail, retry_after: error.retry_after() }
}
