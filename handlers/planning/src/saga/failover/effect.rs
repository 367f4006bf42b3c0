//! What a failover reads and changes, as data, in two families: `Failover` and `Traffic`.
//! It never performs anything. Each change says by what it is harmless when it is sent late.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;

use super::memory::Back;
use super::{Member, Traffic};

/// A change of a failover.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Something about machines and their replication.
    Failover(FailoverEffect),
    /// Something about who gets requests.
    Traffic(TrafficEffect),
}

/// Changes about machines and their replication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FailoverEffect {
    /// Deallocate an old machine. Harmless when late: it names a state, and the transport drops it once its check is too old, so that it
    /// cannot follow a start that came after it.
    StopOld {
        /// ARM id of the machine.
        machine: String,
    },
    /// Start an old machine again that this saga stopped. Harmless when late: it names a state, and it is dropped like the stop.
    StartOld {
        /// ARM id of the machine.
        machine: String,
    },
    /// Fail a member over (`unplannedFailover`, `sourceSiteOperations: NotRequired`). Harmless when late: Azure requires a replicated item
    /// that allows it, and one that is failed over, or whose failover runs, does not (*Assumed*: `failover-once`).
    FailOver {
        /// ARM id of the replicated item.
        item: String,
        /// The recovery point; none for the latest, which Site Recovery processes first.
        point: Option<String>,
    },
    /// Take another recovery point (`applyRecoveryPoint`). Harmless when late: Azure allows it between failover and commit alone
    /// (*Assumed*: `failover-point-not-after-commit`), and the same point twice is the same machine.
    ChangePoint {
        /// ARM id of the replicated item.
        item: String,
        /// The recovery point; none for the latest.
        point: Option<String>,
    },
    /// Commit a failover, which deletes the other recovery points. Harmless when late: Azure requires a failover that is not committed
    /// (*Assumed*: `failover-commit-once`), and nobody takes another point after a person ordered it.
    Commit {
        /// ARM id of the replicated item.
        item: String,
    },
    /// Make a restorable point of all disks of a stopped old machine. Harmless when late: its name is derived, and it only adds. Of a
    /// stopped machine no recording shows one (*Assumed*: `failover-old-disks`): only one that is restorable counts.
    SaveDisks {
        /// ARM id of the machine.
        machine: String,
        /// Name of the point.
        point: String,
    },
    /// Protect the other way (`switchprotection`), which turns off and deletes the old machine. Harmless when late: it goes to the container
    /// that holds the item now, where the item is no more once it was done (*Assumed*: `failover-switch-once`).
    ProtectBack {
        /// ARM id of the replicated item.
        item: String,
        /// What is said with it: none only in a runbook that is shown before it was read, and never in what is sent.
        back: Option<Back>,
    },
}

/// Changes about who gets requests. Traffic Manager has no conditional write: each is sent in the invocation that read the profile, under
/// the lease, and is harmless when late by the transport's latest moment (*Assumed*: `traffic-late`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrafficEffect {
    /// Enable an endpoint.
    Enable {
        /// ARM id of the profile.
        profile: String,
        /// The endpoint.
        endpoint: String,
    },
    /// Disable an endpoint, while another one is as said: the profile is read again right before, and if it is not so, nothing is sent
    /// (an outcome of *not now*). So none is disabled that is the last one.
    Disable {
        /// ARM id of the profile.
        profile: String,
        /// The endpoint.
        endpoint: String,
        /// The endpoint that must be enabled in that read.
        keeps: String,
        /// Whether it must be online too.
        online: bool,
    },
}

/// What a failover looks at, and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// Whether a member is ready: its item, points, and that no machine has the target's id.
    Ready(Arc<Member>),
    /// Whether the target's vault, group, network and quota are there.
    TargetUsable,
    /// Whether a profile is as it must be.
    ProfileUsable(Arc<Traffic>),
    /// Whether an old machine is deallocated.
    Stopped(Arc<Member>),
    /// Whether an old machine that was stopped runs again.
    Started(Arc<Member>),
    /// The newest points of a member, after the fence.
    Newest(Arc<Member>),
    /// Whether a member is failed over.
    FailedOver(Arc<Member>),
    /// Whether a member's new machine runs.
    Running(Arc<Member>),
    /// Whether the target's endpoint is enabled and online.
    Enabled(Arc<Traffic>),
    /// Whether it is disabled again.
    EnabledUndone(Arc<Traffic>),
    /// Whether the old endpoint is disabled.
    Disabled(Arc<Traffic>),
    /// Whether it is enabled again.
    DisabledUndone(Arc<Traffic>),
    /// Whether the workload answers from outside.
    Answers(Arc<Traffic>),
    /// Whether another recovery point was taken.
    PointChanged(Arc<Member>),
    /// Whether a failover is committed.
    Committed(Arc<Member>),
    /// Whether the point of an old machine's disks is restorable.
    Saved(Arc<Member>, String),
    /// What protecting the other way needs.
    CanProtect(Arc<Member>),
    /// Whether a member is protected the other way.
    ProtectedBack(Arc<Member>),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failover(effect) => effect.fmt(f),
            Self::Traffic(effect) => effect.fmt(f),
        }
    }
}

impl fmt::Display for FailoverEffect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let latest = |point: &Option<String>| point.as_deref().map_or("the latest", last).to_owned();
        match self {
            Self::StopOld { machine } => write!(f, "deallocate the old machine {}", last(machine)),
            Self::StartOld { machine } => write!(f, "start the old machine {} again, if it ran before", last(machine)),
            Self::FailOver { item, point } => {
                write!(f, "fail over {} with recovery point {}", last(item), latest(point))
            }
            Self::ChangePoint { item, point } => {
                write!(f, "take another recovery point for {}: {}", last(item), latest(point))
            }
            Self::Commit { item } => {
                write!(f, "commit the failover of {}, which deletes its other recovery points", last(item))
            }
            Self::SaveDisks { machine, point } => {
                write!(f, "make restorable point {point} of all disks of the old machine {}", last(machine))
            }
            Self::ProtectBack { item, .. } => {
                write!(f, "protect {} the other way, which deletes its old machine", last(item))
            }
        }
    }
}

impl fmt::Display for TrafficEffect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Enable { profile, endpoint } => write!(f, "enable endpoint {endpoint} of {}", last(profile)),
            Self::Disable { profile, endpoint, keeps, online } => {
                let so = if *online { "enabled and online" } else { "enabled" };
                write!(f, "disable endpoint {endpoint} of {}, while {keeps} is {so}", last(profile))
            }
        }
    }
}

impl fmt::Display for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready(it) => write!(f, "{} is ready, and no machine has the target's id", it.name),
            Self::TargetUsable => f.write_str("the target's vault, group, network and quota are there"),
            Self::ProfileUsable(it) => write!(f, "profile {} is enabled and has both endpoints", last(&it.profile)),
            Self::Stopped(it) => write!(f, "the old machine of {} is deallocated", it.name),
            Self::Started(it) => write!(f, "the old machine of {} runs, if it ran before", it.name),
            Self::Newest(it) => write!(f, "the newest point of {} loses no more than was approved", it.name),
            Self::FailedOver(it) => write!(f, "the failover of {} succeeded and its new machine is there", it.name),
            Self::Running(it) => write!(f, "the new machine of {} runs", it.name),
            Self::Enabled(it) => write!(f, "endpoint {} is enabled and online", it.to),
            Self::EnabledUndone(it) => write!(f, "endpoint {} is disabled again", it.to),
            Self::Disabled(it) => write!(f, "endpoint {} is disabled", it.from),
            Self::DisabledUndone(it) => write!(f, "endpoint {} is enabled again", it.from),
            Self::Answers(it) => {
                write!(f, "{} answers from outside", it.verify.as_ref().map_or("the workload", |(url, _)| url))
            }
            Self::PointChanged(it) => write!(f, "{} has the other recovery point", it.name),
            Self::Committed(it) => write!(f, "the failover of {} is committed", it.name),
            Self::Saved(it, point) => write!(f, "point {point} of the old machine of {} is restorable", it.name),
            Self::CanProtect(it) => write!(f, "all that protecting {} the other way needs is there", it.name),
            Self::ProtectedBack(it) => write!(f, "{} is protected the other way", it.name),
        }
    }
}

/// The last part of an ARM id: the name.
fn last(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}
