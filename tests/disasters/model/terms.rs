//! The things that a history speaks of: recovery plans, evidence, and how regions, machines and endpoints are.
//! It never says what happened: `history` does.

use super::history::Time;

/// A recovery plan as the simulation means it: the model judges by this, the product reads what is rendered from it.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// `metadata.name`.
    pub name: String,
    pub from: String,
    pub to: String,
    /// `spec.groups`, in order.
    pub groups: Vec<Group>,
    /// `spec.traffic`.
    pub traffic: Vec<Traffic>,
    /// `spec.declaration.by`.
    pub by: By,
    /// `spec.declaration.approvals`: 1 or 2.
    pub approvals: usize,
    /// `spec.declaration.evidence`, where `reported` and `measured` are one list: an origin says itself which it is.
    pub origins: Vec<Origin>,
    /// `spec.declaration.evidence.atLeast`.
    pub at_least: usize,
    /// `spec.declaration.evidence.for`, in seconds.
    pub window: i64,
    /// `spec.declaration.cooldown`, in seconds.
    pub cooldown: i64,
    /// `spec.declaration.fence`: whether it is `required`, else `bestEffort`.
    pub fence_required: bool,
    /// `spec.declaration.maxDataLoss`, in seconds.
    pub max_data_loss: i64,
}

/// Members that fail over together.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    pub name: String,
    pub members: Vec<Member>,
    /// Whether an action `approve` stands before its members, or after the group that comes before it.
    pub approve: bool,
    /// The sum of the `wait` actions before its members and after those of the group before it, in seconds.
    pub wait: i64,
}

/// One machine, told on both sides by its ARM ids; upper and lower case are one.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The name of the replicated item, which stays the same under both fabrics.
    pub item: String,
    /// The machine in `from`.
    pub old: String,
    /// The machine in `to` that failover makes.
    pub new: String,
    /// The ids of the old machine's disks.
    pub disks: Vec<String>,
}

/// One Traffic Manager profile that the plan moves.
#[derive(Clone, Debug, PartialEq)]
pub struct Traffic {
    pub profile: String,
    pub from: String,
    pub to: String,
}

/// Who declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Person,
    Approval,
    Rules,
}

/// Where evidence comes from, whichever door it came through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    ServiceHealth,
    ResourceHealth,
    Probe,
    MetricAlert,
    /// Backup failures and whatever else is no evidence of a region's health: never counts.
    Other,
}

/// Why a message counts for nothing, as it says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A tracking id `TEST-…`.
    Test,
    /// `IsSynthetic`.
    Synthetic,
    UserInitiated,
    Maintenance,
    Rca,
    /// Of any other class than an incident: informational, security, action required, billing.
    OtherClass,
    /// A metric, log or Resource Health alert whose rule and target are neither named by the plan nor known in the estate.
    Unknown,
}

/// One message of evidence, as it reached the handler: through an alert, an event, or the answer to a poll or a probe of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    pub origin: Origin,
    /// The region by its name, as in the plan; as it was written if it is no region's (`Global`).
    pub region: String,
    /// What speaks: the tracking id, the alert rule, the probe's name; `fleet` for Resource Health.
    pub stream: String,
    /// The sender's own id of this message (`communicationId`, event id, alert id and condition): the same twice is one message.
    pub id: String,
    /// Whether it says that something is wrong; false for resolved, available, a good answer.
    pub bad: bool,
    /// Since when, as it says.
    pub since: Time,
    /// When the sender says that it said it.
    pub said: Time,
    pub marks: Vec<Mark>,
    /// Only of Resource Health: how many machines of the region its messages so far call unavailable by the platform, and of how many.
    pub fleet: Option<(u32, u32)>,
}

/// How a region is. What Lifeboat can know of it comes as evidence and as ARM's answers only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegionState {
    /// ARM answers for its resources.
    Up,
    /// ARM does not answer for them.
    Down,
    /// ARM answers late.
    Slow,
    /// ARM answers 429.
    Throttled,
}

/// How a machine really is, whatever an acknowledgement said of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// It runs, and the instance view would say so.
    Running,
    /// It does not run although nobody deallocated it: its region is down, or it is still starting.
    Dead,
    Deallocated,
    Gone,
}

/// `endpointMonitorStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Monitor {
    Online,
    /// Checking, degraded, disabled, inactive, stopped, unmonitored.
    NotOnline,
}
