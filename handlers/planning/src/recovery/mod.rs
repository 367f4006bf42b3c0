//! Recovery plans as decided on: what a document asks for when a region is lost, as types that cannot be wrong.
//! It never reads a document, which `contract` does, and never declares anything lost or moves anything.
//!
//! How the recovery point is chosen is no part of a recovery plan: the latest, unless the order to fail over names another.

mod canonical;
pub mod readiness;

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use jiff::SignedDuration;

use crate::policy::{Location, Match};
use crate::signal::Origin;

/// The fewest origins of evidence that any declaration rests on: never one alone, whatever a document says.
pub const ORIGINS_MIN: u32 = 2;

/// A recovery plan: which machines come up in the other region, in which order, and who says when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveryPlan {
    /// The document's `metadata.name`.
    pub name: String,
    /// The region that may be lost.
    pub from: Location,
    /// The region in which the machines come up; another than `from`.
    pub to: Location,
    /// How what the machines hold gets there.
    pub replication: Replication,
    /// In this order; at least one.
    pub groups: Vec<Group>,
    /// What is moved after all groups run, in this order.
    pub traffic: Vec<Traffic>,
    /// When the region counts as lost, and by whose word.
    pub declaration: Declaration,
}

/// How what the machines hold gets to the other region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replication {
    /// Site Recovery, from Azure to Azure.
    SiteRecovery,
}

/// Machines that fail over together: its members in parallel, after all groups before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Unique in its recovery plan.
    pub name: String,
    /// The machines in `from` that belong to it. No condition of it changes with time by itself.
    pub members: Match,
    /// Done before its members fail over, in this order.
    pub before: Vec<Action>,
    /// Done after its members run, in this order.
    pub after: Vec<Action>,
}

/// Something that is done before or after a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// So much time passes.
    Wait(SignedDuration),
    /// A person answers this question.
    Approve(String),
}

/// Traffic that is moved from one endpoint of a profile to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// The name of a Traffic Manager profile.
    pub profile: String,
    /// The name of its endpoint for the lost region.
    pub from: String,
    /// The name of its endpoint for the other region; another than `from`.
    pub to: String,
    /// What shows that it was moved.
    pub verify: Verify,
}

/// An answer from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verify {
    /// What is asked: `http` or `https`, without credentials. Whether it is public its text alone cannot say: names are resolved.
    pub url: String,
    /// How long after the traffic was moved it must have answered.
    pub within: SignedDuration,
}

/// When the region counts as lost, and by whose word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    /// Who declares.
    pub by: By,
    /// How many persons approve an order to fail over: 1, or 2 besides the one who orders.
    pub approvals: u8,
    /// What must be seen, and for how long.
    pub evidence: Evidence,
    /// How long after a failover, or after the region recovered, no other begins.
    pub cooldown: SignedDuration,
    /// What rules may do when the old machines cannot be stopped.
    pub fence: Fence,
    /// The newest usable point may be so much older than the moment the source stopped serving.
    pub max_data_loss: SignedDuration,
}

/// Who declares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    /// A person: evidence is only shown.
    Person,
    /// A person, who is asked once the evidence suffices.
    #[default]
    Approval,
    /// The rules, with nobody asked. At least one origin is reported by Azure and one is measured.
    Rules,
}

/// What must be seen of a region, and for how long, before it counts as lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Origins reported by Azure that count.
    pub reported: BTreeSet<Reported>,
    /// Origins that we measure ourselves that count.
    pub measured: BTreeSet<Measured>,
    /// Alert rules, and resources that they watch, that speak for the region, in lower case. Alerts carry no dependable region: of all
    /// others only those on machines of the estate count.
    pub alerts: BTreeSet<String>,
    /// How many of these origins must say so; from [`ORIGINS_MIN`] to as many as are listed.
    pub at_least: u32,
    /// The document's `for`: the window over which all of it must hold without a gap.
    pub window: SignedDuration,
}

/// An origin of evidence that Azure reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reported {
    /// Service Health: incidents of a region, by alert or polled.
    ServiceHealth,
    /// Resource Health, as a share of the machines.
    ResourceHealth,
}

/// An origin of evidence that does not pass through what Azure says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measured {
    /// Our own probes.
    Probe,
    /// Metric and log rules.
    MetricAlert,
}

/// What rules may do when the old machines cannot be stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fence {
    /// Nothing: a person is asked.
    #[default]
    Required,
    /// They go on; the old machines are stopped as soon as the old region answers.
    BestEffort,
}

impl By {
    /// The document's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Approval => "approval",
            Self::Rules => "rules",
        }
    }
}

impl Reported {
    /// The document's word.
    pub fn name(self) -> &'static str {
        self.origin().word()
    }

    /// The same among all origins.
    pub fn origin(self) -> Origin {
        match self {
            Self::ServiceHealth => Origin::ServiceHealth,
            Self::ResourceHealth => Origin::ResourceHealth,
        }
    }
}

impl Measured {
    /// The document's word.
    pub fn name(self) -> &'static str {
        self.origin().word()
    }

    /// The same among all origins.
    pub fn origin(self) -> Origin {
        match self {
            Self::Probe => Origin::Probe,
            Self::MetricAlert => Origin::MetricAlert,
        }
    }
}

impl Fence {
    /// The document's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::BestEffort => "bestEffort",
        }
    }
}

impl Evidence {
    /// How many origins are listed.
    pub fn origins(&self) -> usize {
        self.reported.len() + self.measured.len()
    }

    /// True when this origin is listed: what others say does not count for the recovery plan.
    pub fn counts(&self, origin: Origin) -> bool {
        let reported = self.reported.iter().map(|listed| listed.origin());
        reported.chain(self.measured.iter().map(|listed| listed.origin())).any(|listed| listed == origin)
    }
}
