//! Alarms: one record per cause and policy, with a count, open until the cause is over.
//! It never decides what is alarming, and where the store does not take the record the log and the metric still have it.
//!
//! ```text
//! none ─ raise ─► open ─ raise ─► open, counted      settle ─► closed: kept, and opened again by the next raise
//! ```

use std::fmt;

use jiff::Timestamp;
use lifeboat_azure::blobs::Store;
use lifeboat_planning::id::hash;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::outbox::{Outbox, Tells, of_alarm};
use crate::swap::{self, Change, SwapError};

/// The version of [`Alarm`] that this release writes.
pub const VERSION: u32 = 1;
/// Where the records lie.
pub const FOLDER: &str = "alarms/";
/// Machines named in an alarm, at most: what a person reads; the count says how many there are.
pub const MACHINES_MAX: usize = 20;
/// Alarms read for one answer, at most: a cause each for some hundred policies.
pub const SHOWN_MAX: usize = 500;

/// What can be alarming. The words are those of logs, metrics and records: a release never changes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Cause {
    /// There is no estate record, or the store does not answer for it.
    StoreMissing,
    /// A record of the store cannot be read.
    StoreUnreadable,
    /// The store, or what was made, is another estate's.
    ForeignEstate,
    /// A bundle of policies cannot be read.
    PolicyUnreadable,
    /// Several policies of the same highest priority match machines.
    EqualPriorities,
    /// The newest conforming point of machines is older than the policy asks.
    RpoBreached,
    /// All attempts to make a point failed.
    AttemptsUsedUp,
    /// A backup job failed.
    BackupJobFailed,
    /// No sweep was completed for a while.
    SweepOverdue,
    /// Azure refuses to delete a point that is due.
    DeleteRefused,
    /// A limit was reached, and a person must close its breaker.
    BreakerOpen,
    /// Azure's clock and ours differ: nothing is deleted.
    ClockSkew,
    /// The vault that a policy names is not there, or not usable.
    NoVault,
    /// Somebody stopped, deleted or moved protection, or gave it another vault policy.
    ProtectionChanged,
    /// A right is missing, or a subscription cannot be seen.
    NotPermitted,
    /// Machines that no policy of this kind can protect.
    Unsupported,
    /// The audit refused a plan: a bug.
    AuditRefused,
    /// Events lie untold: the topic does not take them.
    EventsUntold,
    /// The region of a recovery plan is suspected to be lost, or is; open until the incident is closed.
    RegionSuspected,
    /// What tells of a region's health could not be read.
    SignalUnreadable,
    /// A recovery plan cannot be executed; the policy is the recovery plan.
    RecoveryNotReady,
}

/// One alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alarm {
    /// Version of the record.
    pub version: u32,
    /// The cause.
    pub cause: Cause,
    /// The policy; none where the cause is not about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Since when it is open, or was when it was open last.
    pub since: Timestamp,
    /// When it was raised last.
    pub last: Timestamp,
    /// How often it was raised since then.
    pub count: u64,
    /// When the cause was over; none while the alarm is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<Timestamp>,
    /// What it is about, in one line.
    pub what: String,
    /// Machines that it is about, by ARM id; not all where there are many.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub machines: Vec<String>,
    /// How many machines it is about, as of the last raise.
    #[serde(default)]
    pub machines_total: u64,
    /// What its last openings and closings told other systems: in the same write. A release that does not know the field reads the rest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outbox: Vec<Value>,
}

/// What is raised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raised<'a> {
    /// The cause.
    pub cause: Cause,
    /// The policy.
    pub policy: Option<&'a str>,
    /// What it is about, in one line.
    pub what: String,
    /// The machines.
    pub machines: Machines<'a>,
}

/// The machines of an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machines<'a> {
    /// Those that this raise is about, beside those of the raises before.
    Also(&'a [String]),
    /// All of them: those of the raises before are no longer meant.
    All(&'a [String]),
    /// All of them, counted by a sweep that does not keep all their names.
    Tallied(&'a Tally),
}

/// Machines counted, some of them named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    /// How many.
    pub total: u64,
    /// The first of them by ARM id, at most [`MACHINES_MAX`].
    pub machines: Vec<String>,
}

impl Tally {
    /// Counts a machine.
    pub fn count(&mut self, machine: &str) {
        self.total += 1;
        if self.machines.len() < MACHINES_MAX {
            self.machines.push(machine.to_owned());
        }
    }

    /// Counts what another has counted.
    pub fn add(&mut self, other: Tally) {
        self.total += other.total;
        let room = MACHINES_MAX.saturating_sub(self.machines.len());
        self.machines.extend(other.machines.into_iter().take(room));
    }
}

/// Raises an alarm: one error line and one count of the metric, whatever the store does, and the record where it does. A record that
/// was not written is written by the next raise.
pub async fn raise(outbox: &Outbox, raised: &Raised<'_>, now: Timestamp) {
    say(raised);
    let name = blob_name(raised.cause, raised.policy);
    let changed = outbox.swap(&name, VERSION, now, |known: Option<Alarm>| {
        let after = raised.on(known.clone(), now);
        let told = of_alarm(known.as_ref(), &after);
        (Change::Write(after, ()), told)
    });
    if let Err(error) = changed.await {
        tracing::warn!(error = %error, cause = %raised.cause, "the alarm could not be recorded");
    }
}

/// Raises an alarm that is not open: whoever was stopped before it could raise it has left it so. Nothing is said of one that is.
pub async fn raise_where_closed(outbox: &Outbox, raised: &Raised<'_>, now: Timestamp) {
    let is_open = match swap::read::<Alarm>(outbox.store(), &blob_name(raised.cause, raised.policy), VERSION).await {
        Ok(known) => known.is_some_and(|known| known.is_open()),
        Err(error) => {
            tracing::warn!(error = %error, cause = %raised.cause, "whether the alarm is open could not be read");
            return;
        }
    };
    if !is_open {
        raise(outbox, raised, now).await;
    }
}

/// The error line and the count of an alarm alone: where the store is not ours, or not there.
pub fn say(raised: &Raised<'_>) {
    let policy = raised.policy.unwrap_or_default();
    tracing::error!(alarm = raised.cause.word(), policy, machines = raised.machines.total(), "{}", raised.what);
}

/// Closes an alarm whose cause is over; nothing where it is not open.
pub async fn settle(outbox: &Outbox, cause: Cause, policy: Option<&str>, now: Timestamp) -> Result<(), SwapError> {
    let closed = |open: Alarm| Alarm { settled_at: Some(now), ..open };
    change(outbox, (cause, policy), now, |open| Some(closed(open))).await
}

/// Changes an alarm that is open, or leaves it.
async fn change(
    outbox: &Outbox,
    (cause, policy): (Cause, Option<&str>),
    now: Timestamp,
    change: impl Fn(Alarm) -> Option<Alarm>,
) -> Result<(), SwapError> {
    let name = blob_name(cause, policy);
    let changed = outbox.swap(&name, VERSION, now, |known: Option<Alarm>| {
        let open = known.filter(Alarm::is_open);
        match open.clone().and_then(&change) {
            Some(after) => {
                let told = of_alarm(open.as_ref(), &after);
                (Change::Write(after, ()), told)
            }
            None => (Change::Leave(()), Vec::new()),
        }
    });
    changed.await
}

/// Takes a machine out of an open alarm, because its cause is over for it; the alarm closes with its last one. A machine that is not
/// named, because there are too many, stays counted.
pub async fn clear(
    outbox: &Outbox,
    cause: Cause,
    policy: Option<&str>,
    machine: &str,
    now: Timestamp,
) -> Result<(), SwapError> {
    let is_named = |open: &Alarm| open.machines.iter().any(|id| id.eq_ignore_ascii_case(machine));
    change(outbox, (cause, policy), now, |open| is_named(&open).then(|| open.without(machine, now))).await
}

/// The open alarms, oldest first.
pub async fn open(store: &Store) -> Result<Vec<Alarm>, SwapError> {
    let mut open = Vec::new();
    for name in store.list(FOLDER).await?.iter().take(SHOWN_MAX) {
        let read: Option<Alarm> = swap::read(store, name, VERSION).await?;
        open.extend(read.filter(Alarm::is_open));
    }
    open.sort_by(|one, other| (one.since, one.cause, &one.policy).cmp(&(other.since, other.cause, &other.policy)));
    Ok(open)
}

/// The blob of an alarm. A policy's name may hold what a blob's may not, and is hashed.
pub fn blob_name(cause: Cause, policy: Option<&str>) -> String {
    match policy {
        None => format!("{FOLDER}{}.json", cause.word()),
        Some(policy) => format!("{FOLDER}{}-{}.json", cause.word(), hash(&[policy])),
    }
}

impl Raised<'_> {
    /// The record after this raise.
    fn on(&self, known: Option<Alarm>, now: Timestamp) -> Alarm {
        let outbox = known.as_ref().map(|known| known.outbox.clone()).unwrap_or_default();
        let before = known.filter(Alarm::is_open);
        let (mut machines, total) = match (&before, self.machines) {
            (Some(before), Machines::Also(_)) => (before.machines.clone(), before.machines_total),
            _ => (Vec::new(), 0),
        };
        let new: Vec<&String> = self.machines.list().iter().filter(|id| !machines.contains(id)).collect();
        let machines_total = match self.machines {
            Machines::Tallied(tally) => tally.total,
            Machines::Also(_) | Machines::All(_) => total + new.len() as u64,
        };
        let room = MACHINES_MAX.saturating_sub(machines.len());
        machines.extend(new.into_iter().take(room).cloned());
        Alarm {
            version: VERSION,
            cause: self.cause,
            policy: self.policy.map(str::to_owned),
            since: before.as_ref().map_or(now, |before| before.since),
            // Two instances' clocks differ; the record never goes back.
            last: before.as_ref().map_or(now, |before| before.last.max(now)),
            count: before.as_ref().map_or(1, |before| before.count.saturating_add(1)),
            settled_at: None,
            what: self.what.clone(),
            machines,
            machines_total,
            outbox,
        }
    }
}

impl Machines<'_> {
    fn list(&self) -> &[String] {
        match self {
            Self::Also(list) | Self::All(list) => list,
            Self::Tallied(tally) => &tally.machines,
        }
    }

    fn total(&self) -> u64 {
        match self {
            Self::Also(list) | Self::All(list) => list.len() as u64,
            Self::Tallied(tally) => tally.total,
        }
    }
}

impl Tells for Alarm {
    fn outbox(&mut self) -> &mut Vec<Value> {
        &mut self.outbox
    }
}

impl Alarm {
    fn without(mut self, machine: &str, now: Timestamp) -> Self {
        self.machines.retain(|id| !id.eq_ignore_ascii_case(machine));
        self.machines_total = self.machines_total.saturating_sub(1);
        if self.machines_total == 0 {
            self.settled_at = Some(now);
        }
        self
    }

    /// True until the cause is over.
    pub fn is_open(&self) -> bool {
        self.settled_at.is_none()
    }
}

impl Cause {
    /// The word of logs, metrics and records.
    pub fn word(self) -> &'static str {
        match self {
            Self::StoreMissing => "storeMissing",
            Self::StoreUnreadable => "storeUnreadable",
            Self::ForeignEstate => "foreignEstate",
            Self::PolicyUnreadable => "policyUnreadable",
            Self::EqualPriorities => "equalPriorities",
            Self::RpoBreached => "rpoBreached",
            Self::AttemptsUsedUp => "attemptsUsedUp",
            Self::BackupJobFailed => "backupJobFailed",
            Self::SweepOverdue => "sweepOverdue",
            Self::DeleteRefused => "deleteRefused",
            Self::BreakerOpen => "breakerOpen",
            Self::ClockSkew => "clockSkew",
            Self::NoVault => "noVault",
            Self::ProtectionChanged => "protectionChanged",
            Self::NotPermitted => "notPermitted",
            Self::Unsupported => "unsupported",
            Self::AuditRefused => "auditRefused",
            Self::EventsUntold => "eventsUntold",
            Self::RegionSuspected => "regionSuspected",
            Self::SignalUnreadable => "signalUnreadable",
            Self::RecoveryNotReady => "recoveryNotReady",
        }
    }

    /// What a person does about it.
    pub fn advice(self) -> &'static str {
        match self {
            Self::StoreMissing | Self::StoreUnreadable => {
                "nothing is changed until `lifeboat init` (a new store) or `lifeboat init --adopt` (a lost one)"
            }
            Self::ForeignEstate => {
                "the store may be another estate's: put the right one back, or `lifeboat init --adopt`"
            }
            Self::PolicyUnreadable => "push policies that can be read (`lifeboat policies push`)",
            Self::EqualPriorities => {
                "give one of the policies another priority: their machines are left alone until then"
            }
            Self::RpoBreached => "see the machines' decisions in the ledger",
            Self::AttemptsUsedUp => "see in Azure why the points failed; an update of the machine begins anew",
            Self::BackupJobFailed => "see the job's errors in the vault",
            Self::SweepOverdue => "see the errors of PolicySweep in the log",
            Self::DeleteRefused => "see what refuses it: a lock, a hold, a right",
            Self::BreakerOpen => "see what would be done, then close the breaker",
            Self::ClockSkew => "nothing is deleted until the clocks agree",
            Self::NoVault => "make the vault, or name another one in the policy",
            Self::ProtectionChanged => "see who changed the protection; it is left as it is",
            Self::NotPermitted => "give back the right that the log names",
            Self::Unsupported => {
                "see the support matrix; exclude the machines, or protect them by another kind of point"
            }
            Self::AuditRefused => "report this: the plan was not performed",
            Self::EventsUntold => "see what the topic says: a right, its address, a limit; nothing else waits for it",
            Self::RegionSuspected => "see the evidence (`lifeboat region`), and decide whether to fail over",
            Self::SignalUnreadable => {
                "see what arrived, in signals/unread-*.json of the store: a sender may have changed what it sends"
            }
            Self::RecoveryNotReady => {
                "see all reasons (`lifeboat recovery show`): until then no failover by rules begins"
            }
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests;
