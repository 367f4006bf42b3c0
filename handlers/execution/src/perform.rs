//! Performs effects: one exhaustive match, one call an arm. No choices are made here.
//! It never fails: what went wrong is an outcome that names the effect it answers.

use std::time::Duration;

use lifeboat_azure::restore_points::{self, NewCollection, NewPoint};
use lifeboat_azure::snapshots::{self, NewSnapshot};
use lifeboat_azure::{Error, ErrorKind, Latest, ResourceId};
use lifeboat_azure::{protectable_items, protection, resource_groups};
use lifeboat_planning::effect::{Consistency, Effect, PointEffect, ProtectionEffect};

use crate::ledger::OutcomeResult;
use crate::lifeboat::Lifeboat;

/// The tag that says which deployment made something.
pub const OWNER_TAG: &str = "lifeboat-owner";
/// The tag that says under which estate record something was made.
pub const ESTATE_TAG: &str = "lifeboat-estate";
/// The tag with the hash of the machine's `vmId`.
pub const MACHINE_TAG: &str = "lifeboat-machine";
/// The tag that says that a snapshot is held; with a dash and a point's name after it, the tag of a collection that says that the
/// point is.
pub const HOLD_TAG: &str = "lifeboat-hold";
/// The tag with the machine's key.
pub const KEY_TAG: &str = "lifeboat-key";
/// The tag with the policy's name.
pub const POLICY_TAG: &str = "lifeboat-policy";
/// The tag with the entry's name.
pub const ENTRY_TAG: &str = "lifeboat-entry";
/// The tag that says what a snapshot stands for.
pub const SLOT_TAG: &str = "lifeboat-slot";
/// The tag that says of how many disks a snapshot's set is.
pub const SET_TAG: &str = "lifeboat-set-of";
/// The type of restore point collections.
const COLLECTIONS: &str = "Microsoft.Compute/restorePointCollections";
/// The type of snapshots.
const SNAPSHOTS: &str = "Microsoft.Compute/snapshots";
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
        Effect::Protection(protection) => perform_protection(lifeboat, protection, latest).await,
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
        PointEffect::CreateRestorePoint { place, point, consistency, excluded } => {
            let excluded = ids(excluded)?;
            let crash_consistent = matches!(consistency, Consistency::Crash(_));
            let new = NewPoint { crash_consistent, exclude_disks: &excluded };
            restore_points::create(arm, &place.subscription, &place.group, &place.collection, point, &new, latest)
                .await
                .map(drop)
        }
        PointEffect::CreateSnapshot { subscription, group, snapshot, location, disk, tags } => {
            let disk = id(disk)?;
            let of_disks = tags.of_disks.to_string();
            let tags = [
                (OWNER_TAG, tags.owner.as_str()),
                (ESTATE_TAG, &tags.estate),
                (MACHINE_TAG, &tags.machine),
                (KEY_TAG, &tags.key),
                (POLICY_TAG, &tags.policy),
                (ENTRY_TAG, &tags.entry),
                (SLOT_TAG, &tags.slot),
                (SET_TAG, &of_disks),
            ];
            let new = NewSnapshot { location, disk: &disk, tags: &tags };
            snapshots::create(arm, subscription, group, snapshot, &new, latest).await.map(drop)
        }
        PointEffect::ExpireRestorePoint { place, point } => {
            let name = point.to_string();
            let parent = ResourceId::of_resource(&place.subscription, &place.group, COLLECTIONS, &place.collection);
            let id = parent.and_then(|parent| parent.child("restorePoints", &name));
            restore_points::delete(arm, &id.map_err(|error| Error::no_resource("an effect", error))?, latest)
                .await
                .map(drop)
        }
        PointEffect::ExpireSnapshot { subscription, group, snapshot } => {
            let id = ResourceId::of_resource(subscription, group, SNAPSHOTS, &snapshot.to_string());
            snapshots::delete(arm, &id.map_err(|error| Error::no_resource("an effect", error))?, latest).await.map(drop)
        }
    }
}

async fn perform_protection(lifeboat: &Lifeboat, effect: &ProtectionEffect, latest: Latest) -> Result<(), Error> {
    let arm = &lifeboat.arm;
    match effect {
        ProtectionEffect::Discover { vault } => {
            protectable_items::begin_refresh(arm, &id(vault)?, latest).await.map(drop)
        }
        ProtectionEffect::Enable { vault, machine, vault_policy } => {
            protection::begin_enable(arm, &id(vault)?, &id(machine)?, &id(vault_policy)?, latest).await.map(drop)
        }
        ProtectionEffect::BackUp { vault, machine, keep_until } => {
            protection::begin_backup(arm, &id(vault)?, &id(machine)?, *keep_until, latest).await.map(drop)
        }
    }
}

/// An ARM id that a plan names. Plans take them from what Azure said.
fn id(text: &str) -> Result<ResourceId, Error> {
    text.parse().map_err(|error| Error::no_resource("an effect", error))
}

fn ids(texts: &[String]) -> Result<Vec<ResourceId>, Error> {
    texts.iter().map(|text| id(text)).collect()
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
