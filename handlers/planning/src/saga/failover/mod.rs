//! The saga that moves a workload of Azure machines to the other region, by Site Recovery (A2A) and Traffic Manager.
//! It never fails back and never runs a drill: those are sagas of their own. What each step may rest on is in `judge`.
//!
//! ```text
//! failing over: preflight ─► fence ─► newest points (both once more where people were waited for) ─► per group: before, fail over, running, after
//!               ─► enable the target ─► disable the old endpoint ─► verify the answer ─► a person's word ─► commit
//!                                         ▲ another point ◄──────────────────────────────┘
//! beside it, from the first accepted failover on:
//! the old side: stop the old machines ─► save their disks ─► (after commit) a person's word ─► protect the other way
//! ```
//! Any failure before the first accepted `unplannedFailover` starts the old machines again that this saga stopped. From there on nothing is
//! undone: a failure asks. The second point of no return is commit, the third the protection the other way, which deletes the old machines.

mod actions;
mod effect;
mod jobs;
mod judge;
mod memory;
mod point;
mod seen;
mod table;
mod unmet;

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use jiff::{SignedDuration, Timestamp};

use super::Saga;
use super::event::{Effect, Way, What};
use super::table::{Lane, Runbook, Seen, Sent};
use super::words::Begun;

pub use effect::{Change, FailoverEffect, Look, TrafficEffect};
pub use memory::{Back, Memory, OfMember};
pub use point::{PointChoice, PointFacts, choose};
pub use seen::{
    BackFacts, EndpointFacts, Facts, ItemFacts, JobFacts, JobKind, JobState, Known, MachineFacts, MemberFacts, Monitor,
    Power, ProfileFacts, SavedFacts, TargetFacts,
};
pub use table::{
    COMMIT, FENCE_SECS_MAX, MEMBERS_AT_ONCE, OLD_SIDE_LOOK_SECS, OLD_SIDE_SILENT_SECS, OLD_SIDE_STOPPED, PROTECT_BACK,
    VERIFY,
};
pub use unmet::{ItemUnmet, ProfileUnmet, TargetPart, TargetUnmet, endpoints, item_unmet, target_unmet};

/// What a person, or the rules, ordered, with all that was read when it was.
#[derive(Clone, Debug, PartialEq)]
pub struct FailoverOrder {
    /// The saga's id: derived from recovery plan and incident.
    pub id: String,
    /// The recovery plan.
    pub plan: String,
    /// The region that is lost.
    pub from: String,
    /// The region that takes over.
    pub to: String,
    /// When it was ordered.
    pub ordered_at: Timestamp,
    /// The groups, in order.
    pub groups: Vec<Group>,
    /// The endpoints that move.
    pub traffic: Vec<Arc<Traffic>>,
    /// Which recovery point is taken.
    pub point: PointChoice,
    /// What holds when the old machines cannot be stopped.
    pub fence: Fence,
    /// When the source stopped serving: data loss is counted from here, not from now.
    pub stopped_serving_at: Timestamp,
    /// The largest loss that was approved.
    pub loss_max: SignedDuration,
    /// Unmet conditions that the order names and passes.
    pub passed: Vec<Unmet>,
    /// Who has answered with the order that the old machines may be deleted, once their disks are saved.
    pub protect_back: Option<String>,
}

/// Members that are failed over together.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Its name, unique in the recovery plan.
    pub name: String,
    /// What comes before it.
    pub before: Vec<Action>,
    /// Its members.
    pub members: Vec<Arc<Member>>,
    /// What comes after all of them run.
    pub after: Vec<Action>,
}

/// What comes before or after a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Wait so long.
    Wait(SignedDuration),
    /// Ask a person this.
    Approve(String),
}

/// One machine that is failed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// What it is called here, unique in the recovery plan.
    pub name: String,
    /// ARM id of its replicated item.
    pub item: String,
    /// ARM id of the old machine.
    pub old: String,
    /// The old machine's `vmId`.
    pub old_vm_id: String,
    /// ARM ids of the networks that the old machine is in; none where that was not told.
    pub old_networks: Vec<String>,
    /// ARM id that the new machine will have.
    pub target: String,
    /// What the old machine has and the new one will not, in words: identities and extensions.
    pub not_carried: Vec<String>,
}

/// An endpoint that takes over from another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// ARM id of the profile.
    pub profile: String,
    /// The endpoint of the old side.
    pub from: String,
    /// The endpoint of the target side.
    pub to: String,
    /// What is asked from outside afterwards, and how long it may take to answer.
    pub verify: Option<(String, SignedDuration)>,
}

/// What holds when the old machines cannot be stopped because the region does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fence {
    /// A person is asked.
    Required,
    /// The order names it: the saga goes on.
    ImpossibleAccepted,
}

/// A condition that an order can name and pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmet {
    /// Replication is not in good health, or the failover has known errors.
    Health,
    /// More would be lost than the largest loss, or how much is not known.
    Loss,
}

/// The saga's order, and what it has learned.
#[derive(Clone, Debug, PartialEq)]
pub struct Failover {
    /// The order: it does not change.
    pub order: Arc<FailoverOrder>,
    /// What was learned.
    pub memory: Memory,
}

impl Failover {
    /// A failover as ordered.
    pub fn new(order: FailoverOrder) -> Self {
        Self { order: Arc::new(order), memory: Memory::default() }
    }

    /// All members, in the order of their groups.
    pub fn members(&self) -> impl Iterator<Item = &Arc<Member>> {
        self.order.groups.iter().flat_map(|group| &group.members)
    }

    /// Members that were not left out by a person.
    pub(crate) fn taken(&self) -> impl Iterator<Item = &Arc<Member>> {
        self.members().filter(|member| !self.memory.of(&member.name).left_out)
    }
}

/// True when Azure deletes this old machine because the saga has it protected the other way: its end is expected, and no alarm.
pub fn expects_deletion(saga: &Saga<Failover>, machine: &str) -> bool {
    let member = saga.runbook.members().find(|member| member.old.eq_ignore_ascii_case(machine));
    let step = saga.progress.steps.get(&(Way::Forward, String::from(PROTECT_BACK)));
    let task = member.zip(step).and_then(|(member, step)| step.tasks.get(&member.name));
    task.is_some_and(|task| task.begun != Begun::No)
}

/// [`crate::saga::steps`] of a failover, compiled once, here.
pub fn steps(
    saga: Saga<Failover>,
    epoch: u64,
    events: Vec<What<Failover>>,
    now: Timestamp,
) -> (Saga<Failover>, Vec<Effect<Failover>>) {
    super::steps(saga, epoch, events, now)
}

impl Runbook for Failover {
    type Look = Look;
    type Change = Change;
    type Facts = Facts;
    type Pick = PointChoice;

    const NAME: &'static str = "failover";
    const VERSION: u32 = 1;

    fn lanes(&self) -> Vec<Lane<Self>> {
        table::lanes(self)
    }

    fn judge(&mut self, look: &Look, sent: Sent, facts: &Facts, now: Timestamp) -> Seen {
        judge::judge(self, look, sent, facts, now)
    }

    fn pick(&mut self, pick: &PointChoice, step: &str, tasks: &[String]) -> bool {
        // After a failover the latest state is none of the points that Azure changes to: one must be named.
        if *pick == PointChoice::Latest && (tasks.is_empty() || step.ends_with(table::ANOTHER_POINT)) {
            return false;
        }
        let all: Vec<String> = match (tasks, actions::failed_over_before(self, step)) {
            // Asked about all of it: every member that was failed over gets another point.
            ([], None) => {
                self.memory.another = true;
                self.taken().map(|member| member.name.clone()).collect()
            }
            // Asked on the way: those that were failed over by then.
            ([], Some(members)) if members.is_empty() => return false,
            ([], Some(members)) => {
                self.memory.another_at.insert(String::from(step));
                members
            }
            (some, _) => some.to_vec(),
        };
        for name in all {
            let of = self.memory.of_mut(&name);
            (of.choice, of.point) = (Some(*pick), None);
        }
        true
    }

    fn heard(&mut self) {
        self.memory.waited = true;
    }

    fn gave_up(&mut self, look: &Look) {
        match look {
            Look::FailedOver(member) => self.memory.of_mut(&member.name).left_out = true,
            Look::Stopped(_) => self.memory.without_fence = true,
            _ => {}
        }
    }

    fn memory(&self) -> Vec<String> {
        self.memory.lines()
    }

    fn remember(&mut self, line: &str) -> bool {
        self.memory.learn(line).is_some()
    }
}
