//! How each event of the history moves the world on.
//! It never judges: `mod` has each event judged before the world takes it in.

use std::collections::BTreeMap;

use super::approvals;
use super::bounds::FRESH_READ_SECONDS_MAX;
use super::history::{Call, Event, Hand, Monitor, RegionState, Time, Told, What};
use super::keeping;
use super::saga::Saga;
use super::sources::Reading;
use super::world::{Due, Endpoint, Machine, PlanWorld, Point, Region, Shown, World};

impl World {
    /// The world as it is after this event.
    pub fn apply(&mut self, event: &Event) {
        let at = event.at;
        match &event.what {
            What::Region { region, state } => self.apply_region(region, *state, at),
            What::Fault { name, on } => self.calm.fault(name, *on, at),
            What::Killed { .. } => self.calm.kill(at),
            What::HealthRead => {
                if self.health_read.is_none_or(|read| at - read > FRESH_READ_SECONDS_MAX) {
                    self.read_since = at;
                }
                self.health_read = Some(at);
            }
            What::Machine { machine, power } => {
                self.machine_mut(machine).power = Some(*power);
                self.machine_mut(machine).since = at;
                self.progress_of_machine(machine, at);
            }
            What::Endpoint { profile, endpoint, enabled, monitor } => {
                self.apply_endpoint(profile, endpoint, *enabled, *monitor, at);
            }
            What::PointEnded { point, ok } => {
                if let Some(point) = self.points.get_mut(point) {
                    point.restorable = *ok;
                }
            }
            What::Accepted { by, call } => self.apply_call(by, call, at),
            What::Order(order) => approvals::arrive(self, order, at),
            What::Told { id, told } => {
                if self.told.insert(id.clone(), told.clone()).is_none() {
                    self.apply_told(told, at);
                }
            }
            What::ChangesStopped { stopped } => {
                self.changes_stopped = stopped.then_some(self.changes_stopped.unwrap_or(at));
                self.changes_resumed = at;
                approvals::switched(self, *stopped);
            }
            What::PointDue { point, machine, region } => {
                let (machine, region) = (machine.clone(), region.clone());
                self.due.insert(point.clone(), Due { machine, region, left: 0 });
            }
            What::Swept { began } => keeping::swept(self, *began, at),
            What::JobEnded { item, job, ok } => {
                for saga in self.unfinished_of_item(item) {
                    saga.see_job(item, *job, *ok, at);
                }
            }
            What::Saved { saga, epoch, controller } => {
                if let Some(saga) = self.saga_mut(saga) {
                    if *epoch > saga.epoch {
                        (saga.epoch, saga.epoch_since) = (*epoch, at);
                    }
                    saga.epochs.insert(controller.clone(), *epoch);
                }
            }
            What::Ended { saga, undone } => {
                if let Some(saga) = self.saga_mut(saga) {
                    (saga.ended, saga.undone) = (saga.ended.or(Some(at)), *undone);
                }
            }
            _ => self.apply_plan(&event.what, at),
        }
        self.heard(at);
    }

    fn apply_plan(&mut self, what: &What, at: Time) {
        match what {
            What::Plan(plan) => match self.plans.get_mut(&plan.name) {
                Some(known) => known.plan = plan.clone(),
                None => _ = self.plans.insert(plan.name.clone(), PlanWorld::new(plan.clone())),
            },
            What::StandingApproval { plan, stands } => self.of(plan, |plan| plan.standing_approval = *stands),
            What::Ready { plan, ready } => self.of(plan, |plan| {
                plan.ready_until = if *ready { None } else { plan.ready_until.or(Some(at)) };
                plan.ready = *ready;
            }),
            What::Evidence(evidence) => {
                for plan in self.plans.values_mut() {
                    plan.sources.hear(&plan.plan, evidence, at);
                }
            }
            What::NewestPoint { item, time } => {
                for plan in self.plans.values_mut().filter(|plan| plan.has_item(item)) {
                    plan.newest.insert(item.to_lowercase(), *time);
                }
            }
            What::Shown { plan, incident, digest, unmet } => self.of(plan, |plan| {
                let (digest, incident, unmet) = (digest.clone(), incident.clone(), unmet.clone());
                plan.shown.push(Shown { at, digest, incident, unmet });
            }),
            What::Recorded { plan, conditions } => {
                self.of(plan, |plan| {
                    plan.recorded = Some((at, conditions.clone()));
                    plan.decided = Some(at);
                });
            }
            What::Begun { plan, saga, incident, by_rules } => self.begin(plan, saga, incident, *by_rules, at),
            _ => {}
        }
    }

    fn of(&mut self, plan: &str, how: impl FnOnce(&mut PlanWorld)) {
        if let Some(plan) = self.plans.get_mut(plan) {
            how(plan);
        }
    }

    fn begin(&mut self, plan: &str, saga: &str, incident: &str, by_rules: bool, at: Time) {
        let counted = approvals::counted_for_start(self, plan, at);
        let (passes, old_may_go) = (approvals::passed_by_all(&counted), approvals::say_old_may_go(&counted));
        let used = approvals::waiting(self, plan, at);
        if !by_rules {
            // One that waited beside those that count is used up too: no other saga begins by it.
            self.orders.iter_mut().filter(|one| used.contains(&one.order.id)).for_each(|one| one.used = true);
        }
        self.of(plan, |plan| {
            plan.sagas.push(Saga {
                id: saga.to_owned(),
                incident: incident.to_owned(),
                by_rules,
                begun: at,
                ended: None,
                undone: false,
                epoch: 0,
                epoch_since: at,
                epochs: BTreeMap::new(),
                moves: BTreeMap::new(),
                passes: if by_rules { Default::default() } else { passes },
                old_may_go: !by_rules && old_may_go,
                had_evidence: plan.sources.stands(at, Reading::May),
                questions: Vec::new(),
                commit_ordered: false,
                aborted: None,
                stopped: Default::default(),
                told_started: false,
                told_end: false,
                progress: at,
            });
        });
    }

    fn machine_mut(&mut self, id: &str) -> &mut Machine {
        self.machines.entry(id.to_lowercase()).or_default()
    }

    fn unfinished_of_item<'a>(&'a mut self, item: &'a str) -> impl Iterator<Item = &'a mut Saga> {
        let plans = self.plans.values_mut().filter(move |plan| plan.has_item(item));
        plans.flat_map(|plan| plan.sagas.iter_mut().filter(|saga| saga.is_unfinished()))
    }

    fn progress_of_machine(&mut self, machine: &str, at: Time) {
        for plan in self.plans.values_mut().filter(|plan| plan.has_machine(machine)) {
            plan.sagas.iter_mut().filter(|saga| saga.is_unfinished()).for_each(|saga| saga.progress = at);
        }
    }

    fn apply_region(&mut self, name: &str, state: RegionState, at: Time) {
        let before = self.region(name);
        let answers = matches!(state, RegionState::Up | RegionState::Slow);
        let region = Region {
            state,
            answers_since: if answers { before.answers_since.or(Some(at)) } else { None },
            answered_until: if before.answers_since.is_some() && !answers { Some(at) } else { before.answered_until },
            up_until: if before.state == RegionState::Up { Some(at) } else { before.up_until },
        };
        self.regions.insert(name.to_lowercase(), region);
        // What the target suffers is a fault that a saga into it may wait for.
        if self.plans.values().any(|plan| plan.plan.to.eq_ignore_ascii_case(name)) {
            self.calm.fault(&format!("region {name}"), state != RegionState::Up, at);
        }
    }

    fn apply_endpoint(&mut self, profile: &str, endpoint: &str, enabled: bool, monitor: Monitor, at: Time) {
        let before = self.endpoint(profile, endpoint).copied();
        let online = enabled && monitor == Monitor::Online;
        let was_online = before.is_some_and(|before| before.online);
        let endpoint_now = Endpoint {
            enabled,
            online,
            since: at,
            online_until: if was_online && !online { Some(at) } else { before.and_then(|before| before.online_until) },
            by_person: before.is_some_and(|before| before.by_person),
        };
        self.endpoints.insert((profile.to_lowercase(), endpoint.to_lowercase()), endpoint_now);
    }

    fn apply_call(&mut self, by: &Hand, call: &Call, at: Time) {
        match call {
            Call::Deallocate { machine } => {
                let machine = self.machine_mut(machine);
                (machine.stop_accepted, machine.started_by_person) = (Some(at), false);
            }
            Call::Start { machine } => self.machine_mut(machine).started_by_person = *by == Hand::Person,
            Call::Endpoint { profile, endpoint, .. } => {
                let key = (profile.to_lowercase(), endpoint.to_lowercase());
                if let Some(endpoint) = self.endpoints.get_mut(&key) {
                    endpoint.by_person = *by == Hand::Person;
                }
            }
            Call::MakePoint { point, machine, disks, .. } => {
                let (machine, disks) = (machine.to_lowercase(), disks.iter().map(|disk| disk.to_lowercase()).collect());
                self.points.insert(point.clone(), Point { machine, disks, begun: at, restorable: false });
            }
            Call::DeletePoint { point, .. } => _ = self.due.remove(point),
            _ => {}
        }
        for plan in self.plans.values_mut().filter(|plan| plan.concerns(call)) {
            plan.sagas.iter_mut().filter(|saga| saga.is_unfinished()).for_each(|saga| saga.see_call(call, at));
        }
    }

    fn apply_told(&mut self, told: &Told, at: Time) {
        match told {
            Told::Suspected { plan, incident } => self.of(plan, |plan| {
                plan.incident = Some((incident.clone(), at));
                (plan.decided, plan.confirmed) = (None, false);
            }),
            Told::Confirmed { plan, .. } | Told::AwaitingApproval { plan, .. } => {
                self.of(plan, |plan| plan.confirmed = true)
            }
            Told::Refused { plan, .. } => self.of(plan, |plan| plan.decided = Some(at)),
            Told::Closed { plan, incident } => self.of(plan, |plan| {
                plan.closed.push((incident.clone(), at));
                plan.incident = plan.incident.take().filter(|(open, _)| open != incident);
            }),
            Told::Asked { saga, question, about } => {
                if let Some(saga) = self.saga_mut(saga) {
                    saga.ask(question, *about, at);
                }
            }
            Told::OrderRefused { order } => approvals::refuse(self, order),
            Told::OrderDone { order } => approvals::done(self, order),
            Told::Started { saga } | Told::Step { saga, .. } | Told::Completed { saga } | Told::Failed { saga } => {
                if let Some(saga) = self.saga_mut(saga) {
                    saga.progress = at;
                    saga.told_started |= matches!(told, Told::Started { .. });
                    saga.told_end |= matches!(told, Told::Completed { .. } | Told::Failed { .. });
                }
            }
        }
    }
}
