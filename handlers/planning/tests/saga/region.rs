//! Two regions, machines that are replicated from one to the other, and traffic profiles: as little of Azure as a failover touches.
//! It knows nothing of the saga's steps: it judges requests by what must never happen.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use lifeboat_planning::saga::failover::{
    Back, BackFacts, Change, EndpointFacts, Facts, Failover, FailoverEffect, FailoverOrder, Fence, ItemFacts, JobFacts,
    JobKind, JobState, Known, Look, MachineFacts, MemberFacts, Monitor, PointChoice, PointFacts, Power, ProfileFacts,
    SavedFacts, TargetFacts, TrafficEffect,
};
use lifeboat_planning::saga::{Ask, Choice, Notice, Outcome};

use crate::harness::World;

/// How long things take: less than recorded, because more looks of the same kind only multiply the points at which a saga is killed.
const STOP_SECS: i64 = 10;
const FAILOVER_SECS: i64 = 40;
const COMMIT_SECS: i64 = 8;
const SAVE_SECS: i64 = 10;
const SWITCH_SECS: i64 = 100;
const REPLICATION_SECS: i64 = 200;
const ONLINE_SECS: i64 = 10;

/// One member.
#[derive(Clone, Debug)]
struct Machine {
    power: Power,
    power_at: Timestamp,
    gone: bool,
    new: Option<Timestamp>,
    failovers: u32,
    jobs: Vec<(JobKind, Timestamp, Timestamp, Option<String>)>,
    saved_at: Option<Timestamp>,
    committed: bool,
    turned_round: Option<Timestamp>,
}

/// The world.
#[derive(Clone, Debug)]
pub struct Regions {
    order: FailoverOrder,
    old_region_answers: bool,
    /// When it answers again by itself.
    answers_from: Option<Timestamp>,
    /// It answered again after it was lost, and nothing was sent there since.
    back: bool,
    machines: BTreeMap<String, Machine>,
    /// Profile and endpoint: enabled, online from then on.
    endpoints: BTreeMap<(String, String), (bool, Timestamp)>,
    /// What was last shown of each endpoint: whether it was online.
    shown_online: BTreeMap<(String, String), bool>,
    serves: bool,
    next_job_fails: bool,
    asked: BTreeMap<u32, Ask>,
    words: Vec<Ask>,
    broken: Option<String>,
    changes: Vec<String>,
    in_vain: usize,
    stalled: SignedDuration,
}

fn secs(secs: i64) -> SignedDuration {
    SignedDuration::from_secs(secs)
}

impl Regions {
    /// All is well but that the region shall be left; it answers.
    pub fn new(order: FailoverOrder) -> Self {
        let start = order.ordered_at;
        let machine = Machine {
            power: Power::Running,
            power_at: start,
            gone: false,
            new: None,
            failovers: 0,
            jobs: Vec::new(),
            saved_at: None,
            committed: false,
            turned_round: None,
        };
        let members = order.groups.iter().flat_map(|group| &group.members);
        let machines = members.map(|member| (member.name.clone(), machine.clone())).collect();
        let endpoints = order.traffic.iter().flat_map(|it| {
            [
                ((it.profile.clone(), it.from.clone()), (true, start)),
                ((it.profile.clone(), it.to.clone()), (false, start)),
            ]
        });
        let endpoints = endpoints.collect();
        Self {
            order,
            old_region_answers: true,
            answers_from: None,
            back: false,
            machines,
            endpoints,
            shown_online: BTreeMap::new(),
            serves: true,
            next_job_fails: false,
            asked: BTreeMap::new(),
            words: Vec::new(),
            broken: None,
            changes: Vec::new(),
            in_vain: 0,
            stalled: SignedDuration::ZERO,
        }
    }

    /// The old region answers nothing.
    pub fn lost(mut self) -> Self {
        self.old_region_answers = false;
        self
    }

    /// It answers nothing for so long from now on.
    pub fn lost_for(mut self, time: SignedDuration) -> Self {
        self.answers_from = Some(self.order.ordered_at + time);
        self.lost()
    }

    /// A machine that somebody had stopped before.
    pub fn stopped_before(mut self, member: &str) -> Self {
        self.machines.get_mut(member).expect("a member").power = Power::Deallocated;
        self
    }

    /// What was changed, in order, as text.
    pub fn changes(&self) -> &[String] {
        &self.changes
    }

    /// The region answers again.
    pub fn answers_again(&mut self) {
        (self.old_region_answers, self.back) = (true, self.failed_over());
    }

    /// How often the old side was asked while it did not answer.
    pub fn asked_in_vain(&self) -> usize {
        self.in_vain
    }

    /// The newest points hold a moment so much earlier than they did.
    pub fn replication_stalls(&mut self, by: SignedDuration) {
        self.stalled = by;
    }

    fn never(&mut self, what: &str) {
        self.broken.get_or_insert_with(|| what.to_owned());
    }

    fn member_of(&self, id: &str) -> String {
        let members = self.order.groups.iter().flat_map(|group| &group.members);
        members.into_iter().find(|it| it.old == id || it.item == id).expect("a member").name.clone()
    }

    fn settle(&mut self, now: Timestamp) {
        if self.answers_from.is_some_and(|at| now >= at) {
            (self.answers_from, self.old_region_answers) = (None, true);
            self.back = self.failed_over();
        }
        for machine in self.machines.values_mut() {
            if now >= machine.power_at {
                machine.power = match machine.power {
                    Power::Deallocating => Power::Deallocated,
                    Power::Starting => Power::Running,
                    other => other,
                };
            }
            for (kind, _, end, failed) in machine.jobs.clone() {
                if end > now || failed.is_some() {
                    continue;
                }
                match kind {
                    JobKind::Failover if machine.new.is_none() => machine.new = Some(end - secs(5)),
                    JobKind::Commit => machine.committed = true,
                    JobKind::ProtectBack if machine.turned_round.is_none() => {
                        machine.turned_round = Some(end);
                        machine.gone = true;
                    }
                    _ => {}
                }
            }
        }
    }

    fn job(&mut self, name: &str, kind: JobKind, now: Timestamp, takes: i64) -> Outcome {
        let failed = core::mem::take(&mut self.next_job_fails).then(|| "150097".to_owned());
        let machine = self.machines.get_mut(name).expect("a member");
        if machine.jobs.iter().any(|(_, _, end, _)| *end > now) {
            return Outcome::Refused("JobInProgress".into());
        }
        machine.jobs.push((kind, now, now + secs(takes), failed));
        Outcome::Accepted
    }

    /// The first thing sent to the old side once it is back, while a machine of it may run, is a stop.
    fn sent_to_the_old_side(&mut self, is_stop: bool) {
        let runs = self.machines.values().any(|it| !it.gone && it.power != Power::Deallocated);
        if core::mem::take(&mut self.back) && runs && !is_stop && self.failed_over() {
            self.never("the first request to the old side was no stop");
        }
    }

    fn failed_over(&self) -> bool {
        self.machines.values().any(|it| it.new.is_some())
    }

    fn fail_over(&mut self, name: &str, now: Timestamp) -> Outcome {
        let unfenced = self.machines.values().any(|it| !it.gone && it.power != Power::Deallocated);
        let accepted = self.order.fence == Fence::ImpossibleAccepted || self.words.contains(&Ask::FenceImpossible);
        if unfenced && !accepted {
            self.never("failed over without a fence");
        }
        let machine = &self.machines[name];
        let may_be = |(kind, _, end, failed): &(JobKind, Timestamp, Timestamp, Option<String>)| {
            *kind == JobKind::Failover && (*end > now || failed.is_none())
        };
        if machine.jobs.iter().any(may_be) || machine.new.is_some() {
            self.never("a member was failed over twice");
            return Outcome::Refused("OperationNotAllowed".into());
        }
        self.machines.get_mut(name).expect("a member").failovers += 1;
        self.job(name, JobKind::Failover, now, FAILOVER_SECS)
    }

    fn protect_back(&mut self, name: &str, now: Timestamp) -> Outcome {
        let answered = self.order.protect_back.is_some() || self.words.contains(&Ask::ProtectBack);
        let machine = &self.machines[name];
        if machine.saved_at.is_none_or(|at| at > now) || machine.power != Power::Deallocated {
            self.never("protected the other way before the old disks were saved");
        }
        if !answered {
            self.never("protected the other way without a person's word");
        }
        if !self.machines[name].committed || self.machines[name].turned_round.is_some() {
            return Outcome::Refused("OperationNotAllowed".into());
        }
        self.job(name, JobKind::ProtectBack, now, SWITCH_SECS)
    }

    fn machine(&mut self, effect: &FailoverEffect, now: Timestamp) -> Outcome {
        let old_side = !matches!(
            effect,
            FailoverEffect::FailOver { .. } | FailoverEffect::ChangePoint { .. } | FailoverEffect::Commit { .. }
        );
        if old_side && !self.old_region_answers {
            return Outcome::NoAnswer;
        }
        if old_side {
            self.sent_to_the_old_side(matches!(effect, FailoverEffect::StopOld { .. }));
        }
        match effect {
            FailoverEffect::StopOld { machine } => {
                let machine = self.machines.get_mut(&self.member_of(machine)).expect("a member");
                if !matches!(machine.power, Power::Deallocated | Power::Deallocating) {
                    (machine.power, machine.power_at) = (Power::Deallocating, now + secs(STOP_SECS));
                }
                Outcome::Accepted
            }
            FailoverEffect::StartOld { machine } => {
                let begun = |(kind, _, end, failed): &(JobKind, Timestamp, Timestamp, Option<String>)| {
                    *kind == JobKind::Failover && (*end > now || failed.is_none())
                };
                if self.machines.values().any(|it| it.jobs.iter().any(begun)) {
                    self.never("an old machine was started after a failover was accepted");
                }
                let machine = self.machines.get_mut(&self.member_of(machine)).expect("a member");
                if machine.power != Power::Running {
                    (machine.power, machine.power_at) = (Power::Starting, now + secs(STOP_SECS));
                }
                Outcome::Accepted
            }
            FailoverEffect::FailOver { item, .. } => self.fail_over(&self.member_of(item), now),
            FailoverEffect::ChangePoint { item, .. } => {
                self.job(&self.member_of(item), JobKind::ChangePoint, now, FAILOVER_SECS)
            }
            FailoverEffect::Commit { item } => {
                if !self.words.contains(&Ask::Commit) {
                    self.never("committed without a person's word");
                }
                self.job(&self.member_of(item), JobKind::Commit, now, COMMIT_SECS)
            }
            FailoverEffect::SaveDisks { machine, .. } => {
                let machine = self.machines.get_mut(&self.member_of(machine)).expect("a member");
                machine.saved_at = machine.saved_at.or(Some(now + secs(SAVE_SECS)));
                Outcome::Accepted
            }
            FailoverEffect::ProtectBack { item, .. } => self.protect_back(&self.member_of(item), now),
        }
    }

    fn online(&self, profile: &str, endpoint: &str, now: Timestamp) -> bool {
        self.endpoints.get(&(profile.to_owned(), endpoint.to_owned())).is_some_and(|(on, at)| *on && now >= *at)
    }

    fn traffic(&mut self, effect: &TrafficEffect, now: Timestamp) -> Outcome {
        match effect {
            TrafficEffect::Enable { profile, endpoint } => {
                let it = self.endpoints.get_mut(&(profile.clone(), endpoint.clone())).expect("an endpoint");
                if !it.0 {
                    *it = (true, now + secs(ONLINE_SECS));
                }
            }
            TrafficEffect::Disable { profile, endpoint, keeps, online } => {
                let kept = (profile.clone(), keeps.clone());
                if *online && self.shown_online.get(&kept) != Some(&true) {
                    self.never("the old endpoint was disabled before the target was seen online");
                }
                // Whoever performs it reads again first.
                let enabled = self.endpoints.get(&kept).is_some_and(|(on, _)| *on);
                if !enabled || *online && !self.online(profile, keeps, now) {
                    return Outcome::NotNow(secs(15));
                }
                self.endpoints.insert((profile.clone(), endpoint.clone()), (false, now));
                if !self.endpoints.iter().any(|((of, _), (on, _))| of == profile && *on) {
                    self.never("the last enabled endpoint was disabled");
                }
            }
        }
        Outcome::Accepted
    }

    fn old(&self, name: &str) -> Option<Facts> {
        let it = &self.machines[name];
        let machine = MachineFacts {
            id: format!("/old/{name}"),
            vm_id: format!("old-{name}"),
            location: self.order.from.clone(),
            created_at: Timestamp::UNIX_EPOCH,
            power: it.power,
            provisioned: true,
        };
        self.old_region_answers.then_some(Facts::Old(if it.gone { Known::Absent } else { Known::Is(machine) }))
    }

    fn member(&self, name: &str, now: Timestamp) -> Facts {
        let it = &self.machines[name];
        let (on_primary, state) = match (it.new, it.turned_round) {
            (_, Some(at)) if now >= at + secs(REPLICATION_SECS) => (true, "Protected"),
            (_, Some(_)) => (true, "InitialReplicationInProgress"),
            (Some(_), None) => (false, "FailedOverInSomeWords"),
            (None, None) => (true, "Protected"),
        };
        let item = ItemFacts {
            state: state.into(),
            on_primary,
            allows_failover: state == "Protected",
            healthy: true,
            errors: Vec::new(),
            in_multi_vm_group: false,
            turned_round: it.turned_round.is_some(),
        };
        let target = it.new.map_or(Known::Absent, |created_at| {
            Known::Is(MachineFacts {
                id: format!("/new/{name}"),
                vm_id: format!("new-{name}"),
                location: self.order.to.clone(),
                created_at,
                power: Power::Running,
                provisioned: true,
            })
        });
        let points = (0..4).map(|ago| PointFacts {
            id: format!("point-{ago}"),
            time: self.order.stopped_serving_at - secs(60 + 300 * ago) - self.stalled,
            application: ago == 2,
        });
        let jobs = it.jobs.iter().map(|(kind, began_at, end, failed)| {
            let state = match failed {
                _ if *end > now => JobState::Running,
                Some(code) => JobState::Failed(code.clone()),
                None => JobState::Succeeded,
            };
            JobFacts { kind: *kind, state, began_at: *began_at }
        });
        Facts::Member(MemberFacts {
            item: Known::Is(item),
            target,
            alike: Vec::new(),
            points: points.collect(),
            jobs: jobs.collect(),
        })
    }

    fn profile(&mut self, profile: &str, now: Timestamp) -> Facts {
        for (key, (on, at)) in self.endpoints.iter().filter(|((of, _), _)| of == profile) {
            self.shown_online.insert(key.clone(), *on && now >= *at);
        }
        let endpoints = self.endpoints.iter().filter(|((of, _), _)| of == profile).map(|((_, name), (on, at))| {
            let monitor = match (on, now >= *at) {
                (false, _) => Monitor::Other,
                (true, true) => Monitor::Online,
                (true, false) => Monitor::Checking,
            };
            EndpointFacts { name: name.clone(), enabled: *on, monitor, unmonitored: false }
        });
        Facts::Profile(Known::Is(ProfileFacts { enabled: true, endpoints: endpoints.collect() }))
    }
}

impl World for Regions {
    type Book = Failover;

    fn book(&self) -> Failover {
        Failover::new(self.order.clone())
    }

    fn see(&mut self, look: &Look, now: Timestamp) -> Option<Facts> {
        self.settle(now);
        if !self.old_region_answers && matches!(look, Look::Stopped(_) | Look::Started(_) | Look::Saved(..)) {
            self.in_vain += 1;
        }
        match look {
            Look::Stopped(it) | Look::Started(it) => self.old(&it.name),
            Look::TargetUsable => Some(Facts::Target(TargetFacts {
                vault: Known::Is(()),
                groups: Known::Is(()),
                networks: Known::Is(()),
                quota_has_room: Known::Is(true),
            })),
            Look::ProfileUsable(it)
            | Look::Enabled(it)
            | Look::EnabledUndone(it)
            | Look::Disabled(it)
            | Look::DisabledUndone(it) => Some(self.profile(&it.profile, now)),
            Look::Answers(_) => Some(Facts::Answer(self.serves)),
            Look::Saved(it, _) => {
                let saved = self.machines[&it.name].saved_at;
                let saved =
                    saved.map_or(Known::Absent, |at| Known::Is(SavedFacts { restorable: now >= at, failed: None }));
                self.old_region_answers.then_some(Facts::Saved(saved))
            }
            Look::CanProtect(it) => {
                let back = Back {
                    container: "/container".into(),
                    policy: "/policy".into(),
                    group: "/group".into(),
                    cache: "/cache".into(),
                    disks: vec![format!("/disks/{}", it.name.replace(' ', "-"))],
                };
                let old_side = if self.old_region_answers { Known::Is(()) } else { Known::Unknown };
                Some(Facts::Back(BackFacts { old_side, back: Known::Is(back) }))
            }
            Look::Ready(it)
            | Look::Newest(it)
            | Look::FailedOver(it)
            | Look::Running(it)
            | Look::PointChanged(it)
            | Look::Committed(it)
            | Look::ProtectedBack(it) => Some(self.member(&it.name, now)),
        }
    }

    fn send(&mut self, change: &Change, now: Timestamp) -> Outcome {
        self.settle(now);
        self.changes.push(change.to_string());
        match change {
            Change::Failover(effect) => self.machine(effect, now),
            Change::Traffic(effect) => self.traffic(effect, now),
        }
    }

    fn hear(&mut self, notice: &Notice) {
        match notice {
            Notice::Asked(question) => {
                self.asked.insert(question.number, question.ask);
            }
            Notice::Answered { question, choice: Choice::GoOn, .. } => self.words.extend(self.asked.get(question)),
            _ => {}
        }
    }

    fn happens(&mut self, dice: u64, now: Timestamp) {
        self.settle(now);
        match dice % 8 {
            0..=2 => self.old_region_answers = false,
            3 if !self.old_region_answers => {
                self.old_region_answers = true;
                self.back = self.failed_over();
            }
            4 => self.next_job_fails = true,
            5 => self.serves = !self.serves,
            6 => {
                for it in self.endpoints.values_mut().filter(|it| it.0) {
                    it.1 = now + secs(ONLINE_SECS * 4);
                }
            }
            _ => {}
        }
    }

    fn heal(&mut self, now: Timestamp) {
        self.back = !self.old_region_answers && self.failed_over();
        (self.old_region_answers, self.serves, self.next_job_fails) = (true, true, false);
        self.settle(now);
    }

    fn pick(&self, dice: u64) -> PointChoice {
        match dice % 4 {
            0 => PointChoice::LatestProcessed,
            1 => PointChoice::ApplicationConsistent,
            2 => PointChoice::At(self.order.stopped_serving_at - secs(700)),
            _ => PointChoice::Latest,
        }
    }

    fn state(&self) -> String {
        let mut lines = Vec::new();
        for (name, it) in &self.machines {
            let flags = [it.gone, it.new.is_some(), it.saved_at.is_some(), it.committed, it.turned_round.is_some()];
            lines.push(format!("{name}: {:?} {flags:?}", it.power));
        }
        lines.extend(self.endpoints.iter().map(|((of, name), (on, _))| format!("{of} {name}: {on}")));
        lines.join("\n")
    }

    fn broken(&self) -> Option<String> {
        self.broken.clone()
    }
}
