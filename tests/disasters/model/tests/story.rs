//! A history in the making: a plan of two groups, the loss of its region, and a failover that is healthy to the last event.
//! It never decides what is wrong: each test changes one thing and says what that breaks.

use super::super::history::{
    About, By, Call, Condition, Event, Evidence, Group, Hand, History, Job, Member, Monitor, Order, OrderKind, Origin,
    Plan, Power, RegionState, Time, Told, Traffic, Weighed, What,
};
use super::super::judge;
use super::super::wrong::Wrong;

/// When each story begins.
pub const T0: Time = 1_767_571_200;
pub const MINUTE: i64 = 60;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;

const CONDITIONS: [Condition; 10] = [
    Condition::Evidence,
    Condition::ReportedAndMeasured,
    Condition::FreshRead,
    Condition::TargetHealthy,
    Condition::Ready,
    Condition::NoCooldown,
    Condition::DataLoss,
    Condition::Fence,
    Condition::StandingApproval,
    Condition::MembersAllow,
];

fn member(name: &str) -> Member {
    Member {
        item: name.to_owned(),
        old: format!("/weu/{name}"),
        new: format!("/neu/{name}"),
        disks: vec![format!("/weu/{name}-os"), format!("/weu/{name}-data")],
    }
}

fn group(name: &str, members: &[&str]) -> Group {
    let members = members.iter().map(|name| member(name)).collect();
    Group { name: name.to_owned(), members, approve: false, wait: 0 }
}

/// By rules, best effort, one database and two web servers behind one profile.
pub fn plan() -> Plan {
    Plan {
        name: "shop".to_owned(),
        from: "westeurope".to_owned(),
        to: "northeurope".to_owned(),
        groups: vec![group("data", &["db"]), group("web", &["web-1", "web-2"])],
        traffic: vec![Traffic { profile: "tm-shop".to_owned(), from: "weu".to_owned(), to: "neu".to_owned() }],
        by: By::Rules,
        approvals: 1,
        origins: vec![Origin::ServiceHealth, Origin::ResourceHealth, Origin::Probe, Origin::MetricAlert],
        at_least: 2,
        window: 10 * MINUTE,
        cooldown: 6 * HOUR,
        fence_required: false,
        max_data_loss: 15 * MINUTE,
    }
}

/// The same by approval.
pub fn asking() -> Plan {
    Plan { by: By::Approval, ..plan() }
}

pub fn names() -> [&'static str; 3] {
    ["db", "web-1", "web-2"]
}

pub struct Story {
    pub events: Vec<Event>,
    pub now: Time,
    pub saga: String,
    pub controller: String,
    told: usize,
    unmet: Vec<Condition>,
}

impl Story {
    /// All is well: old machines run and serve, the standing approval stands.
    pub fn of(plan: Plan) -> Self {
        let mut story = Story {
            events: Vec::new(),
            now: T0,
            saga: "saga-1".to_owned(),
            controller: "A".to_owned(),
            told: 0,
            unmet: Vec::new(),
        };
        story.push(What::Plan(plan));
        story.push(What::StandingApproval { plan: "shop".to_owned(), stands: true });
        for name in names() {
            story.power(&format!("/weu/{name}"), Power::Running);
            story.push(What::NewestPoint { item: name.to_owned(), time: T0 });
        }
        story.endpoint("weu", true, Monitor::Online);
        story.endpoint("neu", false, Monitor::NotOnline);
        story
    }

    pub fn push(&mut self, what: What) {
        self.events.push(Event { at: self.now, what });
    }

    pub fn after(&mut self, seconds: i64) -> &mut Self {
        self.now += seconds;
        self
    }

    pub fn tell(&mut self, told: Told) {
        self.told += 1;
        self.push(What::Told { id: format!("event-{}", self.told), told });
    }

    pub fn power(&mut self, machine: &str, power: Power) {
        self.push(What::Machine { machine: machine.to_owned(), power });
    }

    pub fn endpoint(&mut self, endpoint: &str, enabled: bool, monitor: Monitor) {
        let (profile, endpoint) = ("tm-shop".to_owned(), endpoint.to_owned());
        self.push(What::Endpoint { profile, endpoint, enabled, monitor });
    }

    pub fn region(&mut self, region: &str, state: RegionState) {
        self.push(What::Region { region: region.to_owned(), state });
    }

    pub fn call(&mut self, call: Call) {
        let by = Hand::Controller(self.controller.clone());
        self.push(What::Accepted { by, call });
    }

    pub fn evidence(&self, origin: Origin, bad: bool) -> Evidence {
        let (region, stream) = ("westeurope".to_owned(), format!("{origin:?}"));
        let id = format!("{origin:?}-{}", self.now);
        let fleet = (origin == Origin::ResourceHealth).then_some((3, 3));
        let since = if bad { T0 } else { self.now };
        Evidence { origin, region, stream, id, bad, since, said: self.now, marks: Vec::new(), fleet }
    }

    pub fn hear(&mut self, origin: Origin, bad: bool) {
        let evidence = self.evidence(origin, bad);
        self.push(What::Evidence(evidence));
    }

    /// Probes speak each minute, so many minutes.
    pub fn probe(&mut self, minutes: i64) {
        for _ in 0..minutes {
            self.hear(Origin::Probe, true);
            self.push(What::HealthRead);
            self.after(MINUTE);
        }
    }

    /// The region is down; it is reported, and suspected within the minute.
    pub fn region_lost(&mut self) {
        self.after(MINUTE).region("westeurope", RegionState::Down);
        for name in names() {
            self.power(&format!("/weu/{name}"), Power::Dead);
        }
        self.hear(Origin::ServiceHealth, true);
        self.suspect();
    }

    pub fn suspect(&mut self) {
        self.after(30).tell(Told::Suspected { plan: "shop".to_owned(), incident: "i-1".to_owned() });
    }

    /// The probes agree for the whole window.
    pub fn confirm(&mut self) {
        self.probe(11);
        self.record(&[]);
        self.tell(Told::Confirmed { plan: "shop".to_owned(), incident: "i-1".to_owned() });
    }

    /// The decision of a declaration, with these conditions unmet.
    pub fn record(&mut self, unmet: &[Condition]) {
        self.unmet = unmet.to_vec();
        let weighed = |condition| Weighed { condition, met: !unmet.contains(&condition), value: "seen".to_owned() };
        let conditions = CONDITIONS.map(weighed).to_vec();
        self.push(What::Recorded { plan: "shop".to_owned(), conditions });
    }

    /// The conditions are read again and the saga begins.
    pub fn begin(&mut self, by_rules: bool) {
        if !by_rules {
            self.record(&self.unmet.clone());
        }
        self.begin_without_reading(by_rules);
    }

    pub fn begin_without_reading(&mut self, by_rules: bool) {
        let (plan, saga, incident) = ("shop".to_owned(), self.saga.clone(), "i-1".to_owned());
        self.push(What::Begun { plan, saga, incident, by_rules });
        self.save(1);
        let saga = self.saga.clone();
        self.after(5).tell(Told::Started { saga });
    }

    pub fn save(&mut self, epoch: u64) {
        self.push(What::Saved { saga: self.saga.clone(), epoch, controller: self.controller.clone() });
    }

    /// Confirmed and begun by rules, the fence impossible.
    pub fn reach_start(&mut self) {
        self.confirm();
        self.begin(true);
        self.after(2 * MINUTE);
    }

    /// Confirmed, and a person is shown what is missing.
    pub fn reach_approval(&mut self, unmet: &[Condition]) {
        self.confirm();
        self.record(unmet);
        self.tell(Told::AwaitingApproval { plan: "shop".to_owned(), incident: "i-1".to_owned() });
        self.show("digest-1", unmet);
    }

    pub fn show(&mut self, digest: &str, unmet: &[Condition]) {
        let (plan, incident) = ("shop".to_owned(), Some("i-1".to_owned()));
        self.push(What::Shown { plan, incident, digest: digest.to_owned(), unmet: unmet.to_vec() });
    }

    /// A good order of somebody who may give it, about the digest that was shown.
    pub fn order(&self, id: &str, kind: OrderKind, by: &str) -> Order {
        Order {
            id: id.to_owned(),
            kind,
            plan: "shop".to_owned(),
            saga: None,
            question: None,
            approves: None,
            another_point: None,
            by: by.to_owned(),
            token: true,
            role: true,
            digest: "digest-1".to_owned(),
            passes: vec![Condition::Fence],
            old_may_go: false,
            dry_run: false,
            expires: None,
        }
    }

    pub fn send(&mut self, id: &str, kind: OrderKind, by: &str) {
        let order = self.order(id, kind, by);
        self.push(What::Order(order));
    }

    /// An answer to a question of the saga.
    pub fn answer(&mut self, question: &str, kind: OrderKind) {
        let mut order = self.order(&format!("answer-{question}"), kind, "person-1");
        order.question = Some(question.to_owned());
        self.push(What::Order(order));
    }

    pub fn ask(&mut self, question: &str, about: About) {
        self.tell(Told::Asked { saga: self.saga.clone(), question: question.to_owned(), about });
    }

    pub fn fail_over(&mut self, name: &str) {
        self.call(Call::Failover { item: name.to_owned() });
    }

    /// The failover succeeded and the new machine runs.
    pub fn arrive(&mut self, name: &str) {
        self.push(What::JobEnded { item: name.to_owned(), job: Job::Failover, ok: true });
        self.power(&format!("/neu/{name}"), Power::Running);
    }

    pub fn move_groups(&mut self) {
        self.fail_over("db");
        self.after(3 * MINUTE).arrive("db");
        self.after(MINUTE).fail_over("web-1");
        self.fail_over("web-2");
        self.after(3 * MINUTE).arrive("web-1");
        self.arrive("web-2");
    }

    pub fn set_endpoint(&mut self, endpoint: &str, enabled: bool) {
        let (profile, endpoint) = ("tm-shop".to_owned(), endpoint.to_owned());
        self.call(Call::Endpoint { profile, endpoint, enabled });
    }

    pub fn enable_target(&mut self) {
        self.after(10).set_endpoint("neu", true);
        self.endpoint("neu", true, Monitor::NotOnline);
        self.after(MINUTE).endpoint("neu", true, Monitor::Online);
    }

    pub fn disable_old(&mut self) {
        self.after(10).set_endpoint("weu", false);
        self.endpoint("weu", false, Monitor::NotOnline);
    }

    /// All groups, then traffic, and the question of commit.
    pub fn reach_commit(&mut self) {
        self.move_groups();
        self.enable_target();
        self.disable_old();
        self.after(10).ask("q-commit", About::Commit);
    }

    pub fn commit(&mut self) {
        for name in names() {
            self.call(Call::Commit { item: name.to_owned() });
        }
        self.after(8);
        for name in names() {
            self.push(What::JobEnded { item: name.to_owned(), job: Job::Commit, ok: true });
        }
    }

    /// Commit is ordered an hour later and done.
    pub fn reach_committed(&mut self) {
        self.after(HOUR).send("commit", OrderKind::CommitFailover, "person-1");
        self.after(30).commit();
    }

    /// The old region answers again, and its machines start by themselves.
    pub fn old_side_back(&mut self) {
        self.region("westeurope", RegionState::Up);
        for name in names() {
            self.power(&format!("/weu/{name}"), Power::Running);
        }
    }

    pub fn stop_old(&mut self) {
        for name in names() {
            self.call(Call::Deallocate { machine: format!("/weu/{name}") });
        }
        self.after(20);
        for name in names() {
            self.power(&format!("/weu/{name}"), Power::Deallocated);
        }
    }

    pub fn save_old(&mut self) {
        for name in names() {
            let (point, machine) = (format!("saved-{name}"), format!("/weu/{name}"));
            let disks = vec![format!("{machine}-os"), format!("{machine}-data")];
            let region = "westeurope".to_owned();
            self.call(Call::MakePoint { point: point.clone(), machine, region, disks });
            self.after(13).push(What::PointEnded { point, ok: true });
        }
    }

    pub fn protect_other_way(&mut self) {
        for name in names() {
            self.call(Call::ProtectOtherWay { item: name.to_owned() });
        }
        self.after(10 * MINUTE);
        for name in names() {
            self.power(&format!("/weu/{name}"), Power::Gone);
            self.push(What::JobEnded { item: name.to_owned(), job: Job::ProtectOtherWay, ok: true });
        }
    }

    /// Committed, the old region back, its disks saved, the question answered and the other way protected.
    pub fn reach_end(&mut self) {
        self.reach_committed();
        self.after(HOUR).old_side_back();
        self.after(MINUTE).stop_old();
        self.after(MINUTE).save_old();
        self.after(10).ask("q-old", About::ProtectOtherWay);
        self.after(HOUR).answer("q-old", OrderKind::Approve);
        self.after(30).protect_other_way();
        self.end_saga(false);
    }

    pub fn end_saga(&mut self, undone: bool) {
        let saga = self.saga.clone();
        self.after(HOUR).push(What::Ended { saga: saga.clone(), undone });
        self.after(5).tell(if undone { Told::Failed { saga } } else { Told::Completed { saga } });
    }

    /// What is wrong when it is over a minute later.
    pub fn ended(mut self) -> Vec<Wrong> {
        self.after(MINUTE).push(What::End);
        judge(&History { events: self.events })
    }
}
