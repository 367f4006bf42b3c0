//! The record of a recovery plan's readiness: `readiness/<plan>.json`.
//! It never loses a saved copy to a look that could not read all of it, nor newest points to one that could not read them.
//!
//! ```text
//! a look ─┬─ state, reasons, notes        always those of the newest look
//!         ├─ saved copy                   only of a look that read everything; else the one before stays, with its age
//!         └─ newest points                member by member, where they were read; else those before stay, with theirs
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use lifeboat_azure::blobs::Store;
use lifeboat_planning::declaration::Readiness;
use lifeboat_planning::recovery::RecoveryPlan;
use lifeboat_planning::recovery::readiness::{Judged, Reason, SavedGroup, SavedPath, State, newest_usable};
use lifeboat_planning::saga::failover::PointFacts;
use serde::{Deserialize, Serialize};

use crate::saga::order::MemberRecord;
use crate::swap::{self, SwapError};

/// The version of [`Record`] that this release writes.
pub const VERSION: u32 = 1;
/// Where the records lie.
pub const FOLDER: &str = "readiness/";
/// Reasons that a record has, at most: some of each member of a large recovery plan.
pub const REASONS_MAX: usize = 1_000;
/// Notes that a record has, at most: two of each member, and some of the whole.
pub const NOTES_MAX: usize = 1_100;
/// Points of a member that are kept, at most: the newest, and the newest application-consistent one.
pub const POINTS_KEPT_MAX: usize = 10;

/// What is kept of a recovery plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Version of the record.
    pub version: u32,
    /// The recovery plan.
    pub recovery_plan: String,
    /// The region that may be lost.
    pub from: String,
    /// The region that takes over.
    pub to: String,
    /// The digest of the recovery plan that was looked at.
    pub digest: String,
    /// When it was looked at last.
    pub looked_at: Timestamp,
    /// What that look came to.
    #[serde(with = "StateWord")]
    pub state: State,
    /// What keeps it from being ready.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<ReasonTold>,
    /// What is told besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// When it was ready last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_at: Option<Timestamp>,
    /// The saved copy of what the path needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved: Option<SavedCopy>,
    /// The newest points, by member.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub newest: BTreeMap<String, NewestPoints>,
}

/// A reason, as it is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReasonTold {
    /// The member that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// In words.
    pub text: String,
}

/// What the path needs, as it was when all of it was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SavedCopy {
    /// When.
    pub at: Timestamp,
    /// The digest of the recovery plan that it is of.
    pub digest: String,
    /// The groups, in order.
    pub groups: Vec<GroupCopy>,
    /// How the containers are mapped.
    pub mappings: Vec<MappingCopy>,
    /// ARM ids of the profiles, by their names in lower case.
    pub profiles: BTreeMap<String, String>,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupCopy {
    /// Its name.
    pub name: String,
    /// Its members.
    pub members: Vec<MemberCopy>,
}

/// A member, with what describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MemberCopy {
    /// What an order has of it.
    #[serde(flatten)]
    pub of: MemberRecord,
    /// What describes the machine.
    pub machine: MachineCopy,
    /// What the item says of the machine to be, and of replication.
    pub replica: ReplicaCopy,
}

/// What describes a machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MachineCopy {
    /// Its size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<String>,
    /// Its tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Its zones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zones: Vec<String>,
    /// `TrustedLaunch`, `ConfidentialVM`, or none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_type: Option<String>,
    /// Its disks: the OS disk first.
    pub disks: Vec<DiskCopy>,
}

/// A disk of a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiskCopy {
    /// Its name.
    pub name: String,
    /// Its ARM id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Where it is attached; none for the OS disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lun: Option<u32>,
    /// For example `Premium_LRS`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<String>,
    /// It is replicated.
    pub replicated: bool,
}

/// What an item says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplicaCopy {
    /// The container of the other region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_container: Option<String>,
    /// Its policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The size of the machine to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<String>,
    /// Its network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// How old the newest point was, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rpo_seconds: Option<i64>,
    /// When that was reckoned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rpo_at: Option<Timestamp>,
    /// What the agents of the disks still held, in KiB: lost where the machine stops before it is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending_kib: Option<u64>,
}

/// How a container is mapped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MappingCopy {
    /// Its ARM id.
    pub id: String,
    /// The container that it leads to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// `Paired`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}

/// The newest points of a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewestPoints {
    /// ARM id of the item that they are of.
    pub item: String,
    /// When they were read.
    pub read_at: Timestamp,
    /// The points, newest first.
    pub points: Vec<PointCopy>,
}

/// A recovery point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PointCopy {
    /// Its ARM id.
    pub id: String,
    /// The moment that it holds.
    pub time: Timestamp,
    /// It is application-consistent.
    pub application: bool,
}

/// The words of records: those of [`State::word`].
#[derive(Serialize, Deserialize)]
#[serde(remote = "State", rename_all = "camelCase")]
enum StateWord {
    Ready,
    Silent,
    NotReady,
    MemberRefuses,
}

/// What one look leaves.
#[derive(Clone, Debug, PartialEq)]
pub struct Left {
    /// The recovery plan.
    pub recovery_plan: String,
    /// Its regions: what may be lost, what takes over.
    pub regions: (String, String),
    /// Its digest.
    pub digest: String,
    /// When it was looked at.
    pub at: Timestamp,
    /// What that came to.
    pub judged: Judged,
    /// The copy, where all of it was read.
    pub copy: Option<SavedCopy>,
    /// The points of members that were read.
    pub newest: BTreeMap<String, NewestPoints>,
}

/// The blob of a recovery plan's readiness.
pub fn blob_name(plan: &str) -> String {
    format!("{FOLDER}{plan}.json")
}

/// What is kept of a recovery plan; none before the first look at it.
pub async fn read(store: &Store, plan: &str) -> Result<Option<Record>, SwapError> {
    swap::read(store, &blob_name(plan), VERSION).await
}

/// What is kept of a recovery plan as it is now; none where the last look was at another one of its name.
pub async fn of_plan(store: &Store, plan: &RecoveryPlan) -> Result<Option<Record>, SwapError> {
    Ok(read(store, &plan.name).await?.filter(|record| record.digest == plan.digest()))
}

impl Record {
    /// The record after a look, over the one before.
    pub fn after(before: Option<Self>, left: &Left) -> Self {
        let same_plan = before.as_ref().is_some_and(|before| before.digest == left.digest);
        let (ready_at, saved, mut newest) =
            before.map(|before| (before.ready_at, before.saved, before.newest)).unwrap_or_default();
        let saved = left.copy.clone().or(saved);
        newest.extend(left.newest.clone());
        // Points of who is a member no more are nobody's.
        let is_member = |name: &String| saved.as_ref().is_some_and(|saved| saved.member(name).is_some());
        newest.retain(|name, _| left.newest.contains_key(name) || is_member(name));
        let ready = left.judged.state == State::Ready;
        let told =
            |reason: &Reason| ReasonTold { member: reason.member().map(str::to_owned), text: reason.to_string() };
        Self {
            version: VERSION,
            recovery_plan: left.recovery_plan.clone(),
            from: left.regions.0.clone(),
            to: left.regions.1.clone(),
            digest: left.digest.clone(),
            looked_at: left.at,
            state: left.judged.state,
            reasons: left.judged.reasons.iter().take(REASONS_MAX).map(told).collect(),
            notes: left.judged.notes.iter().take(NOTES_MAX).map(ToString::to_string).collect(),
            // Of a recovery plan that was changed since nobody has seen that it was ready.
            ready_at: if ready { Some(left.at) } else { ready_at.filter(|_| same_plan) },
            saved,
            newest,
        }
    }

    /// What a declaration rests on.
    pub fn readiness(&self) -> Readiness {
        self.state.readiness(self.looked_at, self.ready_at)
    }

    /// The newest usable point of the workload: the oldest of its members' newest ones. None where a member has none.
    pub fn point_at(&self) -> Option<Timestamp> {
        let saved = self.saved.as_ref().filter(|saved| saved.digest == self.digest)?;
        let members = saved.groups.iter().flat_map(|group| &group.members);
        newest_usable(members.map(|it| self.newest_of(it)))
    }

    /// The newest point of a member.
    pub fn newest_of(&self, it: &MemberCopy) -> Option<Timestamp> {
        let own = self.newest.get(&it.of.name).filter(|own| own.item.eq_ignore_ascii_case(&it.of.item))?;
        own.points.iter().map(|point| point.time).max()
    }

    /// What an order is made of.
    pub fn path(&self) -> Option<SavedPath> {
        let saved = self.saved.as_ref()?;
        let groups = saved.groups.iter().map(|group| SavedGroup {
            name: group.name.clone(),
            members: group.members.iter().map(|it| Arc::new(it.of.member())).collect(),
        });
        let (digest, profiles) = (saved.digest.clone(), saved.profiles.clone());
        Some(SavedPath { digest, groups: groups.collect(), profiles })
    }
}

impl SavedCopy {
    /// A member by its name.
    pub fn member(&self, name: &str) -> Option<&MemberCopy> {
        self.groups.iter().flat_map(|group| &group.members).find(|it| it.of.name == name)
    }
}

impl NewestPoints {
    /// Of what was read: the newest, and the newest application-consistent one.
    pub fn of(item: &str, points: &[PointFacts], now: Timestamp) -> Self {
        let copy =
            |point: &PointFacts| PointCopy { id: point.id.clone(), time: point.time, application: point.application };
        let mut sorted: Vec<&PointFacts> = points.iter().collect();
        sorted.sort_by_key(|point| std::cmp::Reverse(point.time));
        let consistent = sorted
            .iter()
            .skip(POINTS_KEPT_MAX)
            .find(|point| point.application)
            .filter(|_| !sorted.iter().take(POINTS_KEPT_MAX).any(|point| point.application));
        let kept = sorted.iter().take(POINTS_KEPT_MAX).chain(consistent);
        Self { item: item.to_owned(), read_at: now, points: kept.map(|point| copy(point)).collect() }
    }
}

#[cfg(test)]
mod tests;
