//! The words in which a disaster is told to the reference model: what was true in Azure, what arrived, what Azure accepted, what was told.
//! It never imports the product or the simulator: times are seconds, and names are ids as Azure and the sender write them.

pub use super::terms::{By, Evidence, Group, Mark, Member, Monitor, Origin, Plan, Power, RegionState, Traffic};

/// Seconds since 1970-01-01T00:00:00Z.
pub type Time = i64;

/// All that was, in time order; what happened in one second stands in the order in which it happened.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    pub events: Vec<Event>,
}

/// Something that was, at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When: for a request the moment when Azure accepted it, for a message the moment when it reached a door of the handler.
    pub at: Time,
    pub what: What,
}

/// Whose hand sent a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hand {
    /// A handler process, by a name of its own; one that starts again after a kill may keep it.
    Controller(String),
    /// Somebody else.
    Person,
}

/// A request that changes something.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    Deallocate {
        machine: String,
    },
    Start {
        machine: String,
    },
    /// `unplannedFailover`.
    Failover {
        item: String,
    },
    /// `applyRecoveryPoint`, with the point that it names; none for the latest.
    ChangePoint {
        item: String,
        point: Option<String>,
    },
    /// `failoverCommit`.
    Commit {
        item: String,
    },
    /// `switchprotection`.
    ProtectOtherWay {
        item: String,
    },
    /// PATCH or PUT of an endpoint's `endpointStatus`.
    Endpoint {
        profile: String,
        endpoint: String,
        enabled: bool,
    },
    /// A restore point of a machine, or a snapshot of one of its disks, by the id of the point; `disks` are those it holds.
    MakePoint {
        point: String,
        machine: String,
        region: String,
        disks: Vec<String>,
    },
    /// The deletion of a point of a machine.
    DeletePoint {
        point: String,
        machine: String,
        region: String,
    },
    /// Protection or replication of a machine enabled or repaired, or a vault backup of it begun.
    Protect {
        machine: String,
        region: String,
    },
    /// Any other change: only the switch speaks of it.
    Other {
        path: String,
    },
}

/// An operation of Site Recovery on an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    Failover,
    Commit,
    ProtectOtherWay,
}

/// What design §8 wants to be so before a declaration, each recorded with its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// Enough sources, for the whole window.
    Evidence,
    /// One reported and one measured among them; asked for by rules only.
    ReportedAndMeasured,
    /// Resource Health was read just before.
    FreshRead,
    TargetHealthy,
    Ready,
    NoCooldown,
    DataLoss,
    /// The old machines can be stopped.
    Fence,
    /// A named person's standing approval of the assumed entries; asked for by rules only.
    StandingApproval,
    /// Each member allows failover: never passed.
    MembersAllow,
}

/// A condition as a decision recorded it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weighed {
    pub condition: Condition,
    pub met: bool,
    /// The value, in words or numbers; empty if none was recorded.
    pub value: String,
}

/// What a person orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderKind {
    StartFailover,
    Approve,
    Reject,
    Abort,
    CommitFailover,
    /// Stops all changes: from any holder of the right to send, whatever its token and role.
    StopChanges,
    ResumeChanges,
}

/// Which recovery point a person picks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// All that reached the target.
    Latest,
    /// The newest one that is processed already.
    LatestProcessed,
}

/// A command as it reaches a door, each time it does.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// The idempotency key: the same twice is one order.
    pub id: String,
    pub kind: OrderKind,
    pub plan: String,
    /// The saga that it names, if it names one.
    pub saga: Option<String>,
    /// The question that an `Approve` (yes) or `Reject` (no) answers; none if it is about the declaration.
    pub question: Option<String>,
    /// The order that an `Approve` or `Reject` is about, by its id, if it is about one.
    pub approves: Option<String>,
    /// The recovery point that an `Approve` picks, if it answers that another one be taken.
    pub another_point: Option<Pick>,
    /// The object id in the token.
    pub by: String,
    /// Whether the token is good for this very order: signature, issuer, audience, times, bound to the id.
    pub token: bool,
    /// Whether it carries the app role.
    pub role: bool,
    /// The digest that it names; empty if none.
    pub digest: String,
    /// The conditions that it passes by name; one that is about an order passes what that order names.
    pub passes: Vec<Condition>,
    /// Whether it contains the answer that the old machines may go when the other way is protected.
    pub old_may_go: bool,
    pub dry_run: bool,
    /// `expirytime`, if it has one.
    pub expires: Option<Time>,
}

/// What a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// An action `approve` of the group by its number, the first is 0.
    Group(usize),
    /// The region recovered before anything was failed over: go on?
    Recovered,
    /// The fence turned out to be impossible after it was approved: go on without?
    Fence,
    Commit,
    /// The old machines go when the other way is protected.
    ProtectOtherWay,
    /// A step failed or cannot be judged: what now?
    Failure,
}

/// An event out, as the topic accepted it.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    Suspected {
        plan: String,
        incident: String,
    },
    Confirmed {
        plan: String,
        incident: String,
    },
    AwaitingApproval {
        plan: String,
        incident: String,
    },
    /// A declaration that was not made because conditions are missing.
    Refused {
        plan: String,
        incident: String,
    },
    Closed {
        plan: String,
        incident: String,
    },
    Started {
        saga: String,
    },
    Step {
        saga: String,
        step: String,
    },
    /// A question, or the same question again as a reminder.
    Asked {
        saga: String,
        question: String,
        about: About,
    },
    Completed {
        saga: String,
    },
    Failed {
        saga: String,
    },
    OrderRefused {
        order: String,
    },
    /// It was carried out, and its sender is told so.
    OrderDone {
        order: String,
    },
}

/// What was.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// This plan is in force from here on.
    Plan(Plan),
    /// A named person's standing approval stands for the plan, or is void.
    StandingApproval {
        plan: String,
        stands: bool,
    },
    /// A region is so from here on; before the first of these it is up.
    Region {
        region: String,
        state: RegionState,
    },
    /// A fault by a name of its own begins or ends: of the store, the bus, the topic, the directory, a paused controller, ARM outside of the
    /// plan's `from`. Promises of time do not run meanwhile.
    Fault {
        name: String,
        on: bool,
    },
    Killed {
        controller: String,
    },
    Evidence(Evidence),
    /// ARM answered a read of Resource Health (events or availability statuses) well.
    HealthRead,
    /// Whether the plan is ready, by the rules of `runbooks.md`, asked of the world; before the first of these it is.
    Ready {
        plan: String,
        ready: bool,
    },
    /// The newest usable point of a member is now of this time.
    NewestPoint {
        item: String,
        time: Time,
    },
    /// A machine, old or new, is so from here on.
    Machine {
        machine: String,
        power: Power,
    },
    /// An operation of Site Recovery ended. A failed failover is one that left the item `Protected` with no machine under the target's id.
    JobEnded {
        item: String,
        job: Job,
        ok: bool,
    },
    /// An endpoint is really so from here on.
    Endpoint {
        profile: String,
        endpoint: String,
        enabled: bool,
        monitor: Monitor,
    },
    /// The making of a point ended: succeeded and whole, or failed.
    PointEnded {
        point: String,
        ok: bool,
    },
    /// Azure accepted a request; one that it refused, or that never reached it, is not told.
    Accepted {
        by: Hand,
        call: Call,
    },
    Order(Order),
    /// The topic accepted an event by this id.
    Told {
        id: String,
        told: Told,
    },
    /// A person can see this digest from here on: in a question, an event, a dry run's answer, on the page. `unmet` is what it says is missing.
    Shown {
        plan: String,
        incident: Option<String>,
        digest: String,
        unmet: Vec<Condition>,
    },
    /// A decision on the declaration was recorded, with its conditions.
    Recorded {
        plan: String,
        conditions: Vec<Weighed>,
    },
    /// The record of a new saga was written.
    Begun {
        plan: String,
        saga: String,
        incident: String,
        by_rules: bool,
    },
    /// The record of a saga was written with this epoch by this controller, the first time beside `Begun`.
    Saved {
        saga: String,
        epoch: u64,
        controller: String,
    },
    /// The record of a saga says that it is over: gone through, or undone.
    Ended {
        saga: String,
        undone: bool,
    },
    /// The switch that stops all changes was turned, or taken back: it was written down, whether or not that was heard.
    ChangesStopped {
        stopped: bool,
    },
    /// By the policies a point may go from here on, but for what incidents, sagas and the switch bar.
    PointDue {
        point: String,
        machine: String,
        region: String,
    },
    /// A sweep of expiry that began at this moment ended well.
    Swept {
        began: Time,
    },
    /// Nothing more: the last of all.
    End,
}
