//! What happens to the world in a seed: an outage in stages, one that is none, evidence that comes twice, late or never, a region that
//! comes back at some place of the failover and is lost again. It never asks the product anything but where the plan stands.

use jiff::Timestamp;
use lifeboat_simulator::azure::{Availability, AvailabilityState, EventType, RegionTrouble, ServiceEvent};
use lifeboat_tests::azure::Azure;
use lifeboat_tests::rig::LOCATION;

use crate::alerts::{self, Incident, OUTAGE};
use crate::cases::{Place, Stage};
use crate::play::{Play, after};

/// A region that is ill answers so much later.
const SLOW_MS: u64 = 4_000;
/// Or is asked to come again so much later.
const RETRY_AFTER_SECS: u32 = 20;
/// What came late is taken back so much later.
const TAKEN_BACK_SECS: i64 = 300;
/// A machine is made so long after the beginning.
const MACHINE_SECS: i64 = 400;
/// From one word of Service Health to the next, where it repeats itself.
const REPEAT_SECS: i64 = 60;
/// A message that comes late comes so much later: it is stale then.
const LATE_SECS: i64 = 2_700;

/// What happens to the old region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outage {
    /// Nothing.
    None,
    /// It is lost.
    Lost,
    /// It answers late.
    Slow,
    /// It refuses.
    Throttled,
}

/// What is said although nothing is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lie {
    /// Azure tries out its alerts.
    TestAlert,
    /// The same by another mark.
    Synthetic,
    /// Maintenance was announced.
    Maintenance,
    /// What was, is told of.
    Rca,
    /// Another region is in trouble.
    OtherRegion,
    /// One source alone.
    OneReported,
    /// One source alone, measured.
    OneMeasured,
    /// One machine of the fleet.
    OneMachine,
    /// One machine of the fleet, by a metric rule: one source at most.
    OneMachineMeasured,
    /// People stopped all machines.
    StoppedByUser,
    /// Two sources, taken back within minutes.
    SoonResolved,
    /// Two sources for as long as it takes, and nothing is wrong.
    TwoSources,
}

/// Those that are drawn; a measured one of one machine is drawn in the place of the reported one.
pub const LIES: [Lie; 11] = [
    Lie::TestAlert,
    Lie::Synthetic,
    Lie::Maintenance,
    Lie::Rca,
    Lie::OtherRegion,
    Lie::OneReported,
    Lie::OneMeasured,
    Lie::OneMachine,
    Lie::StoppedByUser,
    Lie::SoonResolved,
    Lie::TwoSources,
];

/// What happens in a seed.
#[derive(Clone, Debug)]
pub struct Script {
    /// The outage.
    pub outage: Outage,
    /// What is said beside it, or instead.
    pub lie: Option<Lie>,
    /// Seconds from the outage until Resource Health, Service Health and the metric rule know of it; never where there is none.
    pub known: (Option<i64>, Option<i64>, Option<i64>),
    /// Where the region is back.
    pub back_at: Option<Place>,
    /// Seconds until those who said that it is lost say that it is back.
    pub taken_back: i64,
    /// Where it is lost again.
    pub again_at: Option<Place>,
    /// Whether messages come twice, and late.
    pub twice: bool,
    /// Whether a message comes late that was overtaken.
    pub late: bool,
    /// Whether machines are told of by events.
    pub by_events: bool,
    /// Service Health says the same again and again.
    pub repeats: bool,
}

/// Something that is to happen.
#[derive(Clone, Debug)]
enum Act {
    Begin,
    Fleet(bool),
    Service(bool),
    Metric(bool),
    Stale,
    Repeat,
    Machine,
    Lie(Lie),
    EndLie(Lie),
}

/// A script under way.
pub struct Scene {
    /// What happens.
    pub script: Script,
    acts: Vec<(Timestamp, Act)>,
    since: Timestamp,
    is_back: bool,
    is_again: bool,
    /// Machines of which Resource Health says that they are stopped.
    stopped: Vec<String>,
    /// Whether nothing more happens by itself.
    pub began: bool,
}

impl Scene {
    /// It begins so many seconds from now.
    pub fn new(script: Script, play: &Play, in_seconds: i64) -> Self {
        let at = after(play.world.clock.now(), in_seconds);
        let mut acts = vec![(at, Act::Begin)];
        if script.outage != Outage::None {
            let (fleet, service, metric) = script.known;
            let of = |known: Option<i64>, act: Act| known.map(|seconds| (after(at, seconds), act));
            acts.extend(of(fleet, Act::Fleet(true)));
            acts.extend(of(service, Act::Service(true)));
            acts.extend(of(metric, Act::Metric(true)));
        }
        if script.late {
            acts.push((after(at, LATE_SECS), Act::Stale));
        }
        if play.world.shape.keeps {
            acts.push((after(at, MACHINE_SECS), Act::Machine));
        }
        if script.repeats {
            acts.push((after(at, 60), Act::Repeat));
        }
        if let Some(lie) = script.lie {
            acts.push((after(at, 60), Act::Lie(lie)));
        }
        Self { script, acts, since: at, is_back: false, is_again: false, stopped: Vec::new(), began: false }
    }

    /// Whether nothing more is to happen by the clock.
    pub fn is_over(&self) -> bool {
        self.acts.iter().all(|(_, act)| matches!(act, Act::Repeat))
    }

    /// Whether the region is lost or ill now.
    pub fn is_out(&self) -> bool {
        self.began && self.script.outage != Outage::None && (!self.is_back || self.is_again)
    }

    /// What is due happens, and what waits for the plan to come to a place.
    pub fn look(&mut self, play: &mut Play) {
        let now = play.world.clock.now();
        let (due, left) = std::mem::take(&mut self.acts).into_iter().partition(|(at, _)| *at <= now);
        self.acts = left;
        for (_, act) in due as Vec<(Timestamp, Act)> {
            play.say(|| format!("{act:?}"));
            self.act(play, &act, now);
            play.poll_soon();
        }
        if !self.stopped.is_empty() && !self.is_out() {
            // What was stopped and runs again is well again.
            let stopped = std::mem::take(&mut self.stopped);
            self.stopped = fleet(play, &stopped, false);
        }
        let place = play.place();
        if self.is_out() && !self.is_back && self.script.back_at.is_some_and(|at| place == at) {
            self.back(play, now);
        } else if self.is_back && !self.is_again && self.script.again_at.is_some_and(|at| place == at) {
            self.is_again = true;
            // Once: what is back after that stays.
            self.script.again_at = None;
            self.trouble(play, Stage::LostAgain);
            let (fleet, ..) = self.script.known;
            self.acts.extend(fleet.map(|seconds| (after(now, seconds), Act::Fleet(true))));
        }
    }

    /// The region is back.
    pub fn back(&mut self, play: &mut Play, now: Timestamp) {
        play.say(|| "the region is back".to_owned());
        (self.is_back, self.is_again) = (true, false);
        let record = &play.world.record;
        record.stage(Stage::Back);
        record.region(LOCATION, None);
        play.poll_soon();
        let at = after(now, self.script.taken_back);
        let (fleet, service, metric) = self.script.known;
        self.acts.retain(|(_, act)| !matches!(act, Act::Fleet(true) | Act::Service(true) | Act::Metric(true)));
        self.acts.extend(fleet.map(|_| (at, Act::Fleet(false))));
        self.acts.extend(service.map(|_| (at, Act::Service(false))));
        self.acts.extend(metric.map(|_| (at, Act::Metric(false))));
    }

    fn trouble(&self, play: &Play, lost: Stage) {
        let (stage, trouble) = match self.script.outage {
            Outage::None => return,
            Outage::Lost => (lost, RegionTrouble::Down),
            Outage::Slow => (Stage::Ill, RegionTrouble::Slow { milliseconds: SLOW_MS }),
            Outage::Throttled => (Stage::Ill, RegionTrouble::Throttled { retry_after_seconds: RETRY_AFTER_SECS }),
        };
        let record = &play.world.record;
        record.stage(stage);
        record.region(LOCATION, Some(trouble));
        // What is ill does not serve.
        record.silence(self.script.outage != Outage::Lost);
    }

    fn act(&mut self, play: &mut Play, act: &Act, now: Timestamp) {
        let world = play.world.clone();
        match act {
            Act::Begin => {
                self.began = true;
                self.since = now;
                self.trouble(play, Stage::Lost);
            }
            Act::Fleet(down) => {
                self.stopped = fleet(play, &world.machines, *down);
                if self.script.by_events {
                    let arrival = alerts::machines(&world.machines, *down, world.machines.len(), now);
                    self.deliver(play, arrival);
                }
                if !down {
                    world.record.silence(false);
                }
            }
            Act::Service(true) => {
                world.azure.arm.raise_service_event(ServiceEvent::outage(OUTAGE, LOCATION));
                self.deliver(play, Incident::outage(self.since, now).arrival());
            }
            Act::Service(false) => {
                world.azure.arm.resolve_service_event(OUTAGE, "It is over.", &[]);
                let resolved = Incident { stage: "Resolved", ..Incident::outage(self.since, now) };
                self.deliver(play, resolved.arrival());
                world.record.silence(false);
            }
            Act::Metric(fired) => self.metric(play, &world.machines, *fired, now),
            Act::Stale => {
                let said = after(now, -LATE_SECS);
                play.deliver(Incident::outage(said, said).arrival());
                if !self.is_out() {
                    self.acts.push((after(now, TAKEN_BACK_SECS), Act::Service(false)));
                }
            }
            Act::Machine => {
                // Where a policy protects what is new, it waits for the end of an incident.
                let made = world.azure.arm.create_machine(&Azure::seed("new-1"));
                play.say(|| format!("{made:?}"));
            }
            Act::Repeat => {
                if self.is_out() {
                    self.deliver(play, Incident::outage(self.since, now).arrival());
                    self.acts.push((after(now, REPEAT_SECS), Act::Repeat));
                }
            }
            Act::Lie(lie) => self.lie(play, *lie, now),
            Act::EndLie(lie) => self.end_lie(play, *lie, now),
        }
    }

    fn deliver(&self, play: &mut Play, arrival: alerts::Arrival) {
        if self.script.twice {
            play.deliver(arrival.clone());
        }
        play.deliver(arrival);
    }

    fn metric(&self, play: &mut Play, machines: &[String], fired: bool, now: Timestamp) {
        alerts::metric(machines, fired, play.world.machines.len(), now)
            .into_iter()
            .for_each(|arrival| self.deliver(play, arrival));
    }

    fn lie(&mut self, play: &mut Play, lie: Lie, now: Timestamp) {
        let world = play.world.clone();
        let (arm, record) = (&world.azure.arm, &world.record);
        if self.script.outage == Outage::None {
            record.stage(Stage::Lie);
        }
        let incident = Incident { id: format!("LIE-{lie:?}"), ..Incident::outage(now, now) };
        let raised = ServiceEvent::outage(&incident.id, LOCATION);
        let ends = match lie {
            Lie::SoonResolved => Some(180),
            Lie::TestAlert | Lie::Synthetic | Lie::Maintenance | Lie::Rca | Lie::OtherRegion => None,
            Lie::TwoSources => Some(2_400),
            _ => Some(900),
        };
        self.acts.extend(ends.map(|seconds| (after(now, seconds), Act::EndLie(lie))));
        let alert = |incident: Incident, play: &mut Play, scene: &Self| scene.deliver(play, incident.arrival());
        match lie {
            Lie::TestAlert => {
                arm.raise_service_event(ServiceEvent::outage("TEST-42", LOCATION));
                alert(Incident { id: "TEST-42".to_owned(), ..incident }, play, self);
            }
            Lie::Synthetic => alert(Incident { synthetic: true, ..incident }, play, self),
            Lie::Maintenance => {
                arm.raise_service_event(ServiceEvent { event_type: EventType::PlannedMaintenance, ..raised });
                alert(Incident { kind: "Maintenance", ..incident }, play, self);
            }
            Lie::Rca => {
                arm.raise_service_event(ServiceEvent { event_type: EventType::RCA, ..raised });
                alert(Incident { stage: "RCA", ..incident }, play, self);
            }
            Lie::OtherRegion => {
                arm.raise_service_event(ServiceEvent::outage(&incident.id, "uksouth"));
                alert(Incident { region: "UK South", ..incident }, play, self);
            }
            Lie::OneReported => {
                arm.raise_service_event(raised);
                alert(incident, play, self);
            }
            Lie::OneMeasured => record.silence(true),
            Lie::OneMachine => drop(fleet(play, &world.machines[..1], true)),
            Lie::OneMachineMeasured => self.metric(play, &world.machines[..1], true, now),
            Lie::StoppedByUser => {
                for machine in &world.machines {
                    arm.set_availability(machine, Availability::stopped_by_user());
                }
            }
            Lie::SoonResolved | Lie::TwoSources => {
                arm.raise_service_event(raised);
                alert(incident, play, self);
                record.silence(true);
            }
        }
    }

    fn end_lie(&mut self, play: &mut Play, lie: Lie, now: Timestamp) {
        let world = play.world.clone();
        let id = format!("LIE-{lie:?}");
        world.record.silence(false);
        match lie {
            Lie::OneReported | Lie::SoonResolved | Lie::TwoSources => {
                world.azure.arm.resolve_service_event(&id, "It is over.", &[]);
                self.deliver(play, Incident { id, stage: "Resolved", ..Incident::outage(now, now) }.arrival());
            }
            Lie::OneMachineMeasured => self.metric(play, &world.machines[..1], false, now),
            Lie::OneMachine | Lie::StoppedByUser => self.stopped = fleet(play, &world.machines, false),
            _ => {}
        }
    }
}

/// Resource Health says of machines that the platform has lost them, or that they are there; of those that people or a failover have
/// stopped, that they are stopped; those.
fn fleet(play: &Play, machines: &[String], down: bool) -> Vec<String> {
    let arm = &play.world.azure.arm;
    let stopped: Vec<String> = arm
        .machines()
        .iter()
        .filter(|one| one["powerState"] == "deallocated")
        .filter_map(|one| one["id"].as_str().map(str::to_lowercase))
        .collect();
    for machine in machines {
        let availability = if stopped.contains(&machine.to_lowercase()) {
            Availability::stopped_by_user()
        } else if down {
            Availability::platform_fault()
        } else {
            Availability::new(AvailabilityState::Available)
        };
        arm.set_availability(machine, availability);
    }
    machines.iter().filter(|machine| stopped.contains(&machine.to_lowercase())).cloned().collect()
}
