//! Tests of the model itself: for each wrong a small history that must be judged wrong, beside one that is healthy.
//! They never run the product: a model that calls everything right would be found here.

mod crowds;
mod days;
mod deleting;
mod ends;
mod keeper;
mod making;
mod subscriptions;

use super::calendar::{DAY, Date, HOUR, day_number};
use super::history::{Entry, Event, Hand, Keep, Kind, Policy, Schedule, Slot, Time, What, Wrong, Zone};
use super::judge;

/// Monday, 2026-01-05T00:00:00Z, when each story begins.
const T0: Time = 1_767_571_200;

fn at(year: i64, month: i64, day: i64, hour: i64, minute: i64) -> Time {
    day_number(Date { year, month, day }) * DAY + hour * HOUR + minute * 60
}

fn schedule(minute: u8, hours: &[u8], zone: Zone) -> Schedule {
    Schedule { minute, hours: hours.to_vec(), weekdays: Vec::new(), zone }
}

/// Crash-consistent restore points at 02:00 UTC, of which three days stay.
fn daily() -> Entry {
    Entry {
        name: "daily".to_owned(),
        kind: Kind::RestorePoint,
        crash: true,
        schedule: Some(schedule(0, &[2], Zone::Utc)),
        on_create_within: Some(DAY),
        keep: Some(Keep { daily: Some(3), ..Keep::default() }),
    }
}

fn policy() -> Policy {
    Policy {
        name: "production".to_owned(),
        enforce: true,
        priority: 100,
        env: "prod".to_owned(),
        vault: None,
        entries: vec![daily()],
        expire_per_day: 10,
        expire_percent_per_day: 10,
        new_protections_per_day: 5,
    }
}

fn with_entry(change: impl FnOnce(&mut Entry)) -> Policy {
    let mut policy = policy();
    change(&mut policy.entries[0]);
    policy
}

/// A history in the making.
struct Story {
    events: Vec<Event>,
    now: Time,
}

impl Story {
    /// A policy, and a machine `vm` that it matches, a year old.
    fn of(policy: Policy) -> Self {
        let mut story = Story { events: Vec::new(), now: T0 };
        story.push(What::Policies(vec![policy]));
        story.machine("vm", "prod", T0 - 365 * DAY);
        story
    }

    /// The same with five older points of its entry, `old-1` of 01-01 to `old-5` of 01-05, of which the rules release the first two.
    fn with_points(policy: Policy) -> Self {
        let mut story = Self::of(policy);
        for day in 1..=5 {
            story.past(&format!("old-{day}"), "vm", T0 - 5 * DAY + day * DAY + 2 * HOUR - DAY);
        }
        story
    }

    fn push(&mut self, what: What) {
        self.events.push(Event { at: self.now, what });
    }

    fn after(&mut self, seconds: i64) -> &mut Self {
        self.now += seconds;
        self
    }

    /// A machine of the first subscription.
    fn machine(&mut self, vm_id: &str, env: &str, created: Time) {
        self.machine_in("s1", vm_id, env, created);
    }

    fn machine_in(&mut self, subscription: &str, vm_id: &str, env: &str, created: Time) {
        let (subscription, name, env) = (subscription.to_owned(), vm_id.to_owned(), env.to_owned());
        let vm_id = name.clone();
        self.push(What::Machine { vm_id, subscription, name, env, created, disks: 1, agent: true });
    }

    /// The permission of a subscription is lost, or there again.
    fn permission_lost(&mut self, subscription: &str, lost: bool) {
        self.push(What::PermissionLost { subscription: subscription.to_owned(), lost });
    }

    fn past(&mut self, point: &str, vm_id: &str, slot: Time) {
        let (point, vm_id) = (point.to_owned(), vm_id.to_owned());
        self.push(What::Past { point, vm_id, entry: "daily".to_owned(), slot: Slot::At(slot), created: slot + 60 });
    }

    fn begin(&mut self, point: &str, vm_id: &str, slot: Slot) {
        let (point, vm_id, entry) = (point.to_owned(), vm_id.to_owned(), "daily".to_owned());
        self.push(What::Begun { point, vm_id, by: Hand::Lifeboat, ours: true, entry, slot, attempt: 1 });
    }

    fn succeed(&mut self, point: &str) {
        self.push(What::Succeeded { point: point.to_owned(), crash: true });
    }

    fn fail(&mut self, point: &str) {
        self.push(What::Failed { point: point.to_owned() });
    }

    /// A point of a slot that is over within a minute.
    fn make(&mut self, point: &str, vm_id: &str, slot: Slot) {
        self.begin(point, vm_id, slot);
        self.after(46).succeed(point);
    }

    fn delete(&mut self, point: &str) {
        self.push(What::DeleteSent { point: point.to_owned(), by: Hand::Lifeboat, accepted: true });
        self.after(5).push(What::PointGone { point: point.to_owned() });
    }

    fn lose(&mut self, point: &str) {
        self.push(What::PointGone { point: point.to_owned() });
    }

    fn protect(&mut self, vm_id: &str, by: Hand) {
        self.push(What::Protected { vm_id: vm_id.to_owned(), vault: "vault".to_owned(), by });
    }

    fn sweep(&mut self) {
        self.push(What::Swept { expiry: true });
    }

    /// What is wrong of what was done; nothing is demanded, since there is no calm.
    fn done(&self) -> Vec<Wrong> {
        judge(&self.events, self.now)
    }

    /// What is wrong if it has been calm for so many hours.
    fn calm(&self, hours: i64) -> Vec<Wrong> {
        judge(&self.events, self.now - hours * HOUR)
    }
}

#[track_caller]
fn assert_healthy(wrongs: &[Wrong]) {
    assert!(wrongs.is_empty(), "{wrongs:#?}");
}

/// Exactly one wrong, saying this.
#[track_caller]
fn assert_wrong(wrongs: &[Wrong], says: &str) {
    assert!(matches!(wrongs, [one] if one.contains(says)), "not one wrong that says \"{says}\": {wrongs:#?}");
}
