//! The history of a seed as the model is told it: what is true in Azure, by what the simulator holds, and what the seed itself does.
//! What passes the door is in `asks`, what the product writes and tells in `said`. It never asks the product what it did.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use jiff::Timestamp;
use lifeboat_planning::saga::failover::Member;
use lifeboat_simulator::azure::blobs::Blobs;
use lifeboat_simulator::azure::{Arm, EventTopic, RegionTrouble};
use lifeboat_simulator::clock::Clock;
use lifeboat_tests::azure::Azure;
use lifeboat_tests::failing_over::{ENDPOINTS, OTHER, PLAN, lock};
use lifeboat_tests::rig::LOCATION;

pub use crate::asks::Asks;
use crate::cases::{Place, Stage};
use crate::model::history::{Event, Evidence, History, Job, Monitor, Order, Origin, Plan, Power, RegionState, What};
use crate::points::Dues;
use crate::shape::Shape;

/// So long reads are not answered, where that was ordered: a look ends then, and a poll comes in it.
const STALL_SECS: i64 = 100;
/// Points come every five minutes; so often they are looked for.
const POINTS_SECS: i64 = 60;

/// The history in the making. Clones are the same one.
#[derive(Clone)]
pub struct Record(Arc<Kept>);

/// What it looks at, and what it has seen.
pub struct Kept {
    pub(crate) clock: Clock,
    pub(crate) arm: Arm,
    pub(crate) topic: EventTopic,
    pub(crate) blobs: Blobs,
    pub(crate) plan: Plan,
    pub(crate) profile: String,
    /// The machine of each endpoint, old and new.
    fronts: (String, String),
    /// Of each member its old and its new machine, in lower case.
    machines: Vec<(String, String)>,
    seen: Mutex<Seen>,
}

/// What has been seen so far.
#[derive(Default)]
pub struct Seen {
    events: Vec<Event>,
    regions: BTreeMap<&'static str, RegionState>,
    powers: BTreeMap<String, Power>,
    endpoints: BTreeMap<String, (bool, Monitor)>,
    items: BTreeMap<String, String>,
    newest: BTreeMap<String, Timestamp>,
    /// Points by their ids in lower case, with the machine and whether they ended.
    pub(crate) points: BTreeMap<String, (String, bool)>,
    /// Failovers whose job was ordered to fail, by item, and when it does.
    pub(crate) failing: BTreeMap<String, Timestamp>,
    /// Items that are being protected the other way.
    pub(crate) turning: BTreeSet<String>,
    /// The next failover that is accepted fails so many seconds later.
    pub(crate) fails_next: Option<i64>,
    /// Where ARM does not answer reads, and until when from the first one on.
    pub(crate) stall: Option<(Place, Option<Timestamp>)>,
    /// The old side answers nobody, whatever runs.
    silent: bool,
    /// How many answers were read, which gives each an id of its own.
    pub(crate) readings: u64,
    pub(crate) said: crate::said::Said,
    /// Where the recovery plan stands, and how the world does.
    pub place: Option<Place>,
    /// How the world stands.
    pub stage: Stage,
    /// Places that were come to, by stage.
    pub came: BTreeMap<(Place, Stage), usize>,
    /// When items were last looked at, and whether something of Site Recovery's is under way.
    looked_at: Option<Timestamp>,
    pub(crate) moves: bool,
    /// Whether all changes are stopped, by the record of the switch.
    pub(crate) stopped: bool,
    /// Points that are due, and what sweeps made of them.
    pub dues: Dues,
}

impl Record {
    /// Nothing has happened.
    pub fn new(
        clock: &Clock,
        azure: &Azure,
        blobs: &Blobs,
        shape: &Shape,
        (profile, members): (&str, &[Member]),
    ) -> Self {
        let disks = |old: &str| vec![disk_of(old)];
        let plan = shape.plan(profile, members, disks);
        let first_of_last = members.len() - shape.groups.last().map_or(0, |group| group.machines);
        let front = &members[first_of_last];
        let machines = members.iter().map(|one| (one.old.to_lowercase(), one.target.to_lowercase())).collect();
        Self(Arc::new(Kept {
            clock: clock.clone(),
            arm: azure.arm.clone(),
            topic: azure.topic.clone(),
            blobs: blobs.clone(),
            plan,
            profile: profile.to_owned(),
            fronts: (front.old.to_lowercase(), front.target.to_lowercase()),
            machines,
            seen: Mutex::new(Seen::default()),
        }))
    }

    /// What it looks at.
    pub fn kept(&self) -> &Kept {
        &self.0
    }

    /// What was seen.
    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        lock(&self.0.seen)
    }

    /// Writes something down.
    pub fn tell(&self, what: What) {
        let at = self.0.clock.now();
        self.seen().tell(at, what);
    }

    /// The plan, and how all stands at the beginning.
    pub fn begin(&self) {
        self.tell(What::Plan(self.0.plan.clone()));
        self.observe();
    }

    /// A named person's standing approval stands.
    pub fn standing_approval(&self) {
        self.tell(What::StandingApproval { plan: PLAN.to_owned(), stands: true });
    }

    /// The history, ended.
    pub fn finish(&self) -> History {
        self.observe();
        self.tell(What::End);
        History { events: self.seen().events.clone() }
    }

    /// A region is in trouble from now on, or out of it.
    pub fn region(&self, region: &'static str, trouble: Option<RegionTrouble>) {
        self.observe();
        let state = match &trouble {
            None => RegionState::Up,
            Some(RegionTrouble::Down) => RegionState::Down,
            Some(RegionTrouble::Slow { .. }) => RegionState::Slow,
            Some(RegionTrouble::Throttled { .. }) => RegionState::Throttled,
        };
        self.0.arm.set_region(region, trouble);
        if self.seen().regions.insert(region, state).unwrap_or(RegionState::Up) != state {
            self.tell(What::Region { region: region.to_owned(), state });
        }
        self.observe();
    }

    /// The world stands so from now on.
    pub fn stage(&self, stage: Stage) {
        let mut seen = self.seen();
        seen.stage = stage;
    }

    /// The old side answers nobody from now on, or does again, whatever runs.
    pub fn silence(&self, silent: bool) {
        self.seen().silent = silent;
    }

    /// Whether the workload answers whoever asks from outside: the endpoint that is served leads to a machine that runs, and if it is the
    /// old one, the old side is not silent.
    pub fn is_served(&self) -> bool {
        self.observe();
        let Some(served) = self.0.arm.served(&self.0.profile) else { return false };
        let is_old = served.name == ENDPOINTS.0;
        let machine = if is_old { &self.0.fronts.0 } else { &self.0.fronts.1 };
        let seen = self.seen();
        !(is_old && seen.silent) && seen.powers.get(machine) == Some(&Power::Running)
    }

    /// Whether what is read now is not answered, because the plan stands where that was ordered.
    pub fn is_stalled(&self) -> bool {
        let now = self.0.clock.now();
        let mut seen = self.seen();
        let Some((place, until)) = seen.stall.filter(|(place, _)| seen.place == Some(*place)) else { return false };
        match until {
            Some(until) if now >= until => {
                seen.stall = None;
                seen.tell(now, What::Fault { name: "reads".to_owned(), on: false });
                false
            }
            Some(_) => true,
            None => {
                let until = Timestamp::from_second(now.as_second() + STALL_SECS).expect("a time");
                seen.stall = Some((place, Some(until)));
                seen.tell(now, What::Fault { name: "reads".to_owned(), on: true });
                true
            }
        }
    }

    /// A probe of our own was answered, or not: it speaks for the side that is served.
    pub fn probed(&self, serves: bool) {
        let at = self.0.clock.now();
        let mut seen = self.seen();
        let old_enabled = seen.endpoints.get(ENDPOINTS.0).is_some_and(|(enabled, _)| *enabled);
        let region = if old_enabled { LOCATION } else { OTHER };
        let id = seen.next_reading("probe");
        let (since, said) = (at.as_second(), at.as_second());
        let evidence = Evidence {
            origin: Origin::Probe,
            region: region.to_owned(),
            stream: format!("{PLAN}/probe"),
            id,
            bad: !serves,
            since,
            said,
            marks: Vec::new(),
            fleet: None,
        };
        seen.tell(at, What::Evidence(evidence));
    }

    /// An order reaches a door.
    pub fn order(&self, order: Order) {
        self.tell(What::Order(order));
    }

    /// A sweep of expiry that began then ended; `open` says whether an incident was open when it began.
    pub fn swept(&self, began: Timestamp, open: bool) {
        let mut seen = self.seen();
        if seen.said.is_open() == open {
            seen.dues.swept(open);
        }
        seen.tell(self.0.clock.now(), What::Swept { began: began.as_second() });
    }

    /// The machines that the members are to be.
    pub fn targets(&self) -> Vec<String> {
        self.0.machines.iter().map(|(_, new)| new.clone()).collect()
    }

    /// A controller was killed.
    pub fn killed(&self, controller: &str) {
        self.tell(What::Killed { controller: controller.to_owned() });
    }

    /// Looks at Azure, and tells what is otherwise than it was.
    pub fn observe(&self) {
        let now = self.0.clock.now();
        let (machines, profiles) = (self.0.arm.machines(), self.0.arm.profiles());
        let mut seen = self.seen();
        let is_minute = seen.looked_at.is_none_or(|at| now.duration_since(at).as_secs() >= POINTS_SECS);
        let replicas = if is_minute || seen.moves { self.0.arm.replicas() } else { Vec::new() };
        if is_minute {
            seen.looked_at = Some(now);
        }
        seen.machines(&self.0, &machines, now);
        seen.endpoints_of(&self.0, &profiles, now);
        for item in &replicas {
            seen.item(item, now);
        }
        let due: Vec<String> =
            seen.failing.iter().filter(|(_, at)| **at <= now).map(|(item, _)| item.clone()).collect();
        for item in due {
            seen.failing.remove(&item);
            seen.tell(now, What::JobEnded { item, job: Job::Failover, ok: false });
        }
        seen.points_ended(&self.0, now);
    }
}

/// The one disk of a machine, by a name of our own: a point holds all disks of its machine or is none that counts.
pub fn disk_of(machine: &str) -> String {
    format!("{}/disks/all", machine.to_lowercase())
}

impl Seen {
    /// Writes something down.
    pub fn tell(&mut self, at: Timestamp, what: What) {
        self.events.push(Event { at: at.as_second(), what });
    }

    /// How a machine of the plan fares.
    pub fn power(&self, machine: &str) -> Option<Power> {
        self.powers.get(machine).copied()
    }

    /// Failovers that were begun, those that went through, and those that were undone.
    pub fn failovers(&self) -> [usize; 3] {
        let count = |is: &dyn Fn(&What) -> bool| self.events.iter().filter(|event| is(&event.what)).count();
        [
            count(&|what| matches!(what, What::Begun { .. })),
            count(&|what| matches!(what, What::Ended { undone: false, .. })),
            count(&|what| matches!(what, What::Ended { undone: true, .. })),
        ]
    }

    /// The next id of something that was read.
    pub fn next_reading(&mut self, of: &str) -> String {
        self.readings += 1;
        format!("{of}-{}", self.readings)
    }

    /// The recovery plan stands there now.
    pub fn is_at(&mut self, place: Place) {
        if self.place != Some(place) {
            self.place = Some(place);
            *self.came.entry((place, self.stage)).or_default() += 1;
        }
    }

    fn machines(&mut self, kept: &Kept, machines: &[serde_json::Value], now: Timestamp) {
        let mut there: BTreeMap<String, Power> = BTreeMap::new();
        for machine in machines {
            let text = |name: &str| machine[name].as_str().unwrap_or_default();
            let down = self
                .regions
                .iter()
                .any(|(region, state)| *state == RegionState::Down && region.eq_ignore_ascii_case(text("location")));
            let power = match (text("powerState"), text("provisioningState")) {
                ("deallocated", _) => Power::Deallocated,
                ("running", made) if made != "Creating" && !down => Power::Running,
                _ => Power::Dead,
            };
            there.insert(text("id").to_lowercase(), power);
        }
        let known: BTreeSet<&String> = kept.machines.iter().flat_map(|(old, new)| [old, new]).collect();
        for machine in known {
            let before = self.powers.get(machine).copied();
            let is = there.get(machine).copied().or(before.map(|_| Power::Gone));
            if let Some(power) = is.filter(|power| before != Some(*power)) {
                self.powers.insert(machine.clone(), power);
                self.tell(now, What::Machine { machine: machine.clone(), power });
            }
        }
    }

    fn endpoints_of(&mut self, kept: &Kept, profiles: &[serde_json::Value], now: Timestamp) {
        let all =
            profiles.iter().flat_map(|profile| profile["properties"]["endpoints"].as_array().into_iter().flatten());
        for endpoint in all {
            let name = endpoint["name"].as_str().unwrap_or_default().to_owned();
            let enabled = endpoint["properties"]["endpointStatus"] == "Enabled";
            let online = endpoint["properties"]["endpointMonitorStatus"] == "Online";
            let is = (enabled, if online { Monitor::Online } else { Monitor::NotOnline });
            if self.endpoints.insert(name.clone(), is) != Some(is) {
                let (profile, (enabled, monitor)) = (kept.profile.clone(), is);
                self.tell(now, What::Endpoint { profile, endpoint: name, enabled, monitor });
            }
        }
    }

    fn item(&mut self, item: &lifeboat_simulator::azure::ReplicaView, now: Timestamp) {
        let name = item.id.rsplit('/').next().unwrap_or_default().to_lowercase();
        let before = self.items.insert(name.clone(), item.state.clone()).unwrap_or_default();
        if before != item.state && !before.is_empty() {
            let job = match item.state.as_str() {
                "UnplannedFailoverCommitPendingStatesBegin" => Some(Job::Failover),
                "UnplannedFailoverCommitted" => Some(Job::Commit),
                _ if before == "UnplannedFailoverCommitted" => Some(Job::ProtectOtherWay),
                _ => None,
            };
            if let Some(job) = job {
                self.moves = false;
                self.tell(now, What::JobEnded { item: name.clone(), job, ok: true });
            }
        }
        if !item.busy && self.turning.remove(&name) && before == item.state {
            self.tell(now, What::JobEnded { item: name.clone(), job: Job::ProtectOtherWay, ok: false });
        }
        if let Some(point) = item.points.first().filter(|_| item.target.is_none())
            && self.newest.insert(name.clone(), *point) != Some(*point)
        {
            self.tell(now, What::NewestPoint { item: name, time: point.as_second() });
        }
    }

    fn points_ended(&mut self, kept: &Kept, now: Timestamp) {
        let open: BTreeSet<String> =
            self.points.values().filter(|(_, ended)| !ended).map(|(machine, _)| machine.clone()).collect();
        for machine in open {
            for point in kept.arm.points_of(&machine) {
                let id = point.id.to_lowercase();
                let Some(known) = self.points.get_mut(&id).filter(|known| !known.1) else { continue };
                if point.state != "Creating" {
                    known.1 = true;
                    self.tell(now, What::PointEnded { point: id, ok: point.state == "Succeeded" });
                }
            }
        }
    }
}
