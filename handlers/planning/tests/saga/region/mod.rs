//! Two regions, machines that are replicated from one to the other, and traffic profiles: as little of Azure as a failover touches.
//! It knows nothing of the saga's steps: it judges requests by what must never happen.

mod requests;
mod shown;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use lifeboat_planning::saga::failover::{
    Back, BackFacts, Change, Facts, Failover, FailoverOrder, JobKind, Known, Look, PointChoice, Power, SavedFacts,
    TargetFacts,
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
    /// When it was last shown that the old region answers, of each member whose protection is to be turned round.
    shown_answering: BTreeMap<String, Timestamp>,
    serves: bool,
    next_job_fails: bool,
    asked: BTreeMap<u32, Ask>,
    words: Vec<Ask>,
    broken: Option<String>,
    changes: Vec<String>,
    in_vain: usize,
    stalled: SignedDuration,
    another: bool,
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
            shown_answering: BTreeMap::new(),
            serves: true,
            next_job_fails: false,
            asked: BTreeMap::new(),
            words: Vec::new(),
            broken: None,
            changes: Vec::new(),
            in_vain: 0,
            stalled: SignedDuration::ZERO,
            another: false,
        }
    }

    /// The old region answers nothing.
    pub fn lost(mut self) -> Self {
        self.old_region_answers = false;
        self
    }

    /// A person has chosen another recovery point by the time that it serves.
    pub fn with_another_point(mut self) -> Self {
        self.another = true;
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

    /// Somebody starts an old machine.
    pub fn started_by_hand(&mut self, member: &str) {
        self.machines.get_mut(member).expect("a member").power = Power::Running;
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

    /// What protecting a member the other way needs, as far as the old region tells it.
    fn needs(&self, name: &str) -> BackFacts {
        let back = Back {
            container: "/container".into(),
            policy: "/policy".into(),
            group: "/group".into(),
            cache: "/cache".into(),
            disks: vec![format!("/disks/{}", name.replace(' ', "-"))],
        };
        let old_side = if self.old_region_answers { Known::Is(()) } else { Known::Unknown };
        let still = match old_side {
            Known::Is(()) => Known::Is(self.machines[name].gone || self.machines[name].power == Power::Deallocated),
            _ => Known::Unknown,
        };
        BackFacts { old_side, still, back: Known::Is(back) }
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
}

impl World for Regions {
    type Book = Failover;

    fn book(&self) -> Failover {
        let mut book = Failover::new(self.order.clone());
        book.memory.another = self.another;
        book.memory.another_at.extend(self.another.then(|| "group web: before 1 word".to_owned()));
        book
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
                networks: Known::Is(true),
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
                let still = Known::Is(self.machines[&it.name].power == Power::Deallocated);
                self.old_region_answers.then_some(Facts::Saved(saved, still))
            }
            Look::CanProtect(it) => Some(Facts::Back(self.needs(&it.name))),
            Look::ProtectedBack(it) => {
                if self.old_region_answers {
                    self.shown_answering.insert(it.name.clone(), now);
                }
                match self.member(&it.name, now) {
                    Facts::Member(member) => Some(Facts::Turning(member, self.needs(&it.name))),
                    other => Some(other),
                }
            }
            Look::Ready(it)
            | Look::Newest(it)
            | Look::FailedOver(it)
            | Look::Running(it)
            | Look::PointChanged(it)
            | Look::Committed(it) => Some(self.member(&it.name, now)),
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
