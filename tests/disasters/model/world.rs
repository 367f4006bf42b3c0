//! What is true at a moment of the history, as far as the promises need it: plans, regions, machines, endpoints, points, sagas.
//! It never judges, and `changes` alone moves it on.

use std::collections::BTreeMap;

use super::approvals::Arrived;
use super::bounds::LATEST_MOMENT_SECONDS;
use super::calm::Calm;
use super::history::{Call, Condition, Member, Plan, Power, RegionState, Time, Told, Weighed};
use super::saga::Saga;
use super::sources::Sources;

/// A region; one that was never told of is up.
#[derive(Clone, Copy)]
pub struct Region {
    pub state: RegionState,
    /// Since when ARM answers for it without a break.
    pub answers_since: Option<Time>,
    /// When it last stopped answering.
    pub answered_until: Option<Time>,
    pub up_until: Option<Time>,
}

/// A machine.
#[derive(Clone, Copy, Default)]
pub struct Machine {
    pub power: Option<Power>,
    pub since: Time,
    /// When its stop was last accepted, and whether a person started it since.
    pub stop_accepted: Option<Time>,
    pub started_by_person: bool,
}

/// An endpoint of a profile.
#[derive(Clone, Copy)]
pub struct Endpoint {
    pub enabled: bool,
    pub online: bool,
    pub since: Time,
    /// When it was last online, if it is not now.
    pub online_until: Option<Time>,
    /// Whether the last change of it that was accepted is a person's.
    pub by_person: bool,
}

/// A point that a saga may rest on.
#[derive(Clone)]
pub struct Point {
    pub machine: String,
    pub disks: Vec<String>,
    pub begun: Time,
    pub restorable: bool,
}

/// A point that is due by the policies.
#[derive(Clone)]
pub struct Due {
    pub machine: String,
    pub region: String,
    /// Sweeps that ended and left it though nothing barred them.
    pub left: u32,
}

/// What a person was shown.
#[derive(Clone)]
pub struct Shown {
    pub at: Time,
    pub digest: String,
    pub incident: Option<String>,
    pub unmet: Vec<Condition>,
}

/// A plan and what became of it.
pub struct PlanWorld {
    pub plan: Plan,
    pub standing_approval: bool,
    pub ready: bool,
    /// When it last was ready, if it is not now.
    pub ready_until: Option<Time>,
    pub sources: Sources,
    /// The open incident and when it was opened.
    pub incident: Option<(String, Time)>,
    pub closed: Vec<(String, Time)>,
    pub sagas: Vec<Saga>,
    pub shown: Vec<Shown>,
    pub recorded: Option<(Time, Vec<Weighed>)>,
    /// When the last decision was told or recorded in the open incident, and whether one of it was to confirm.
    pub decided: Option<Time>,
    pub confirmed: bool,
    pub newest: BTreeMap<String, Time>,
}

impl PlanWorld {
    pub fn new(plan: Plan) -> Self {
        PlanWorld {
            plan,
            standing_approval: false,
            ready: true,
            ready_until: None,
            sources: Sources::default(),
            incident: None,
            closed: Vec::new(),
            sagas: Vec::new(),
            shown: Vec::new(),
            recorded: None,
            decided: None,
            confirmed: false,
            newest: BTreeMap::new(),
        }
    }

    pub fn unfinished(&self) -> Option<&Saga> {
        self.sagas.iter().find(|saga| saga.is_unfinished())
    }

    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.plan.groups.iter().flat_map(|group| &group.members)
    }

    pub fn has_item(&self, item: &str) -> bool {
        self.members().any(|member| member.item.eq_ignore_ascii_case(item))
    }

    pub fn has_machine(&self, machine: &str) -> bool {
        self.members().any(|one| one.old.eq_ignore_ascii_case(machine) || one.new.eq_ignore_ascii_case(machine))
    }

    pub fn has_old(&self, machine: &str) -> bool {
        self.members().any(|member| member.old.eq_ignore_ascii_case(machine))
    }

    /// Whether a request is one of this plan's failover; a point is when it is of an old machine.
    pub fn concerns(&self, call: &Call) -> bool {
        match call {
            Call::Deallocate { machine } | Call::Start { machine } => self.has_machine(machine),
            Call::Failover { item }
            | Call::ChangePoint { item, .. }
            | Call::Commit { item }
            | Call::ProtectOtherWay { item } => self.has_item(item),
            Call::Endpoint { profile, .. } => self.plan.traffic.iter().any(|t| t.profile.eq_ignore_ascii_case(profile)),
            Call::MakePoint { machine, .. } => self.has_old(machine),
            Call::DeletePoint { .. } | Call::Protect { .. } | Call::Other { .. } => false,
        }
    }
}

/// All of it.
#[derive(Default)]
pub struct World {
    pub plans: BTreeMap<String, PlanWorld>,
    pub regions: BTreeMap<String, Region>,
    pub machines: BTreeMap<String, Machine>,
    pub endpoints: BTreeMap<(String, String), Endpoint>,
    pub points: BTreeMap<String, Point>,
    /// Points that are due, by their ids.
    pub due: BTreeMap<String, Due>,
    /// Orders by the moment when they first arrived.
    pub orders: Vec<Arrived>,
    pub health_read: Option<Time>,
    /// Since when it is read without a gap.
    pub read_since: Time,
    pub changes_stopped: Option<Time>,
    /// When changes were last allowed again: what a saga owes runs anew from then.
    pub changes_resumed: Time,
    pub calm: Calm,
    /// Events out by their ids.
    pub told: BTreeMap<String, Told>,
}

impl World {
    pub fn region(&self, name: &str) -> Region {
        let up = Region { state: RegionState::Up, answers_since: Some(0), answered_until: None, up_until: None };
        self.regions.get(&name.to_lowercase()).copied().unwrap_or(up)
    }

    /// A machine; an old one that was never told of runs, which is for the caller to know.
    pub fn machine(&self, id: &str) -> Machine {
        self.machines.get(&id.to_lowercase()).copied().unwrap_or_default()
    }

    pub fn endpoint(&self, profile: &str, endpoint: &str) -> Option<&Endpoint> {
        self.endpoints.get(&(profile.to_lowercase(), endpoint.to_lowercase()))
    }

    pub fn saga(&self, id: &str) -> Option<(&PlanWorld, &Saga)> {
        self.plans.values().find_map(|plan| Some((plan, plan.sagas.iter().find(|saga| saga.id == id)?)))
    }

    pub fn saga_mut(&mut self, id: &str) -> Option<&mut Saga> {
        self.plans.values_mut().find_map(|plan| plan.sagas.iter_mut().find(|saga| saga.id == id))
    }

    /// What the clock alone changes: it was so before this second.
    pub fn look(&mut self, at: Time) {
        for plan in self.plans.values_mut() {
            plan.sources.look(&plan.plan, at, at - 1);
        }
    }

    /// What was heard in this second changes.
    pub fn heard(&mut self, at: Time) {
        for plan in self.plans.values_mut() {
            plan.sources.look(&plan.plan, at, at);
        }
    }
}

/// Whether something that was so until then may still be rested on.
pub fn just_before(until: Option<Time>, at: Time) -> bool {
    until.is_some_and(|until| at - until <= LATEST_MOMENT_SECONDS)
}
