//! Months of a small estate kept by the simplest keeper that could be right, and by keepers with one flaw each.
//! The right one must be judged healthy through both changes of the clocks, the year's end and week 53; no flaw may stay unseen.

use std::collections::BTreeMap;

use super::super::calendar::{date_of, monday_of, wall, written};
use super::super::keep::{Verdict, keep_verdicts};
use super::super::next_slot;
use super::*;

/// What a keeper does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    None,
    /// `within` counts from the clock.
    WithinFromClock,
    /// Weeks are told by the calendar's year and the number of the ISO week.
    CalendarYearWithIsoWeek,
    /// Periods are those of UTC.
    PeriodsOfUtc,
    /// The limit is one of each sweep.
    LimitPerSweep,
    /// The breaker closes itself after a day.
    BreakerCloses,
    /// Holds are not looked at.
    HoldIgnored,
    /// Points of a gone machine go by the rules at once.
    GoneAtOnce,
    /// Of a gone machine all points go in the end.
    GoneWhole,
    /// After an outage every slot is made up.
    AllMadeUp,
    /// After an outage no slot is made up, and the last ones stay missing.
    NoneMadeUp,
    /// Nothing ever goes.
    NothingGoes,
}

struct Made {
    id: String,
    begun: Time,
    held: bool,
}

/// The keeper's whole memory.
struct Keeper {
    flaw: Flaw,
    story: Story,
    policy: Policy,
    /// By machine and entry, oldest first.
    points: BTreeMap<(String, usize), Vec<Made>>,
    next: BTreeMap<(String, usize), Time>,
    gone: BTreeMap<String, Time>,
    deleted: Vec<Time>,
    made: Vec<Time>,
    open_since: Option<Time>,
    /// While it lasts, nothing is made.
    outage: bool,
}

const MACHINES: [&str; 3] = ["vm", "vm-2", "vm-3"];

/// From 2026-10-01: over 25 October, ISO week 53 and 28 March 2027.
const HALF_A_YEAR: i64 = 190;

fn kept_policy() -> Policy {
    let all_hours: Vec<u8> = (0..24).collect();
    let hourly = Keep { hourly: Some(30), daily: Some(9), weekly: Some(11), within: Some(3 * DAY), ..Keep::default() };
    let daily = Keep { last: Some(2), daily: Some(5), monthly: Some(4), yearly: Some(1), ..Keep::default() };
    Policy {
        entries: vec![
            Entry {
                name: "hourly".to_owned(),
                schedule: Some(schedule(30, &all_hours, Zone::Berlin)),
                keep: Some(hourly),
                ..super::daily()
            },
            Entry { schedule: Some(schedule(30, &[2], Zone::Berlin)), keep: Some(daily), ..super::daily() },
        ],
        expire_per_day: 10,
        expire_percent_per_day: 1,
        ..policy()
    }
}

impl Keeper {
    fn new(flaw: Flaw) -> Self {
        let start = at(2026, 10, 1, 0, 0);
        let mut story = Story { events: Vec::new(), now: start };
        story.push(What::Policies(vec![kept_policy()]));
        let mut next = BTreeMap::new();
        for vm_id in MACHINES {
            story.machine(vm_id, "prod", start - 365 * DAY);
            for (index, entry) in kept_policy().entries.iter().enumerate() {
                next.insert((vm_id.to_owned(), index), next_slot(entry, start).unwrap());
            }
        }
        let (points, gone, policy) = (BTreeMap::new(), BTreeMap::new(), kept_policy());
        let (deleted, made) = (Vec::new(), Vec::new());
        Keeper { flaw, story, policy, points, next, gone, deleted, made, open_since: None, outage: false }
    }

    /// One hour: what is due is made, then a sweep deletes.
    fn hour(&mut self, begins: Time) {
        for vm_id in MACHINES {
            if self.gone.contains_key(vm_id) {
                continue;
            }
            for index in 0..self.policy.entries.len() {
                self.story.now = self.story.now.max(begins + 35 * 60);
                self.make_due(vm_id, index);
            }
        }
        self.story.now = self.story.now.max(begins + 50 * 60);
        // Every third hour is enough, and the test is quicker.
        if begins / HOUR % 3 == 0 {
            self.sweep();
        }
    }

    fn make_due(&mut self, vm_id: &str, index: usize) {
        let key = (vm_id.to_owned(), index);
        let entry = self.policy.entries[index].clone();
        let mut due = Vec::new();
        while self.next[&key] <= self.story.now {
            due.push(self.next[&key]);
            if self.outage && self.flaw != Flaw::NoneMadeUp {
                return;
            }
            self.next.insert(key.clone(), next_slot(&entry, self.next[&key]).unwrap());
        }
        if self.outage {
            return;
        }
        let newest = due.len().saturating_sub(1);
        for slot in due.split_off(if self.flaw == Flaw::AllMadeUp { 0 } else { newest }) {
            let id = format!("{vm_id}/{}/{}", entry.name, written(slot));
            let (point, name) = (id.clone(), entry.name.clone());
            let (vm_id, slot) = (vm_id.to_owned(), Slot::At(slot));
            let begun = self.story.now;
            self.story.push(What::Begun {
                point,
                vm_id,
                by: Hand::Lifeboat,
                ours: true,
                entry: name,
                slot,
                attempt: 1,
            });
            self.story.after(13).succeed(&id);
            self.made.push(begun);
            self.points.entry(key.clone()).or_default().push(Made { id, begun, held: false });
        }
    }

    fn sweep(&mut self) {
        let mut keys: Vec<(String, usize)> = self.points.keys().cloned().collect();
        if self.flaw == Flaw::NothingGoes {
            keys.clear();
        }
        let mut left_of_sweep = 10;
        for key in keys {
            for id in self.due(&key) {
                let now = self.story.now;
                let in_a_day = |times: &[Time]| times.iter().rev().take_while(|time| **time > now - DAY).count();
                let turnover = in_a_day(&self.made).max(1);
                let deleted = in_a_day(&self.deleted);
                if self.flaw == Flaw::BreakerCloses && self.open_since.is_some_and(|since| since + DAY < now) {
                    self.open_since = None;
                }
                let beyond = if self.open_since.is_some() { 0 } else { 10 };
                let allowed = deleted < turnover + beyond || (self.flaw == Flaw::LimitPerSweep && left_of_sweep > 0);
                if !allowed {
                    self.open_since = self.open_since.or(Some(now));
                    break;
                }
                left_of_sweep -= 1;
                self.points.get_mut(&key).unwrap().retain(|point| point.id != id);
                self.story.delete(&id);
                self.deleted.push(now);
            }
        }
        self.story.sweep();
    }

    /// What may go of a machine and entry, oldest first.
    fn due(&self, key: &(String, usize)) -> Vec<String> {
        let points = &self.points[key];
        let now = self.story.now;
        let stay: Vec<bool> = match self.gone.get(&key.0) {
            Some(since) if self.flaw != Flaw::GoneAtOnce => {
                let over = *since + 14 * DAY <= now;
                let newest = if self.flaw == Flaw::GoneWhole { points.len() } else { points.len() - 1 };
                (0..points.len()).map(|index| !over || index >= newest).collect()
            }
            _ => self.kept(&self.policy.entries[key.1], points),
        };
        let goes = |(point, stays): (&Made, bool)| {
            let blocked = point.held && self.flaw != Flaw::HoldIgnored;
            (!stays && !blocked).then(|| point.id.clone())
        };
        points.iter().zip(stay).filter_map(goes).collect()
    }

    fn kept(&self, entry: &Entry, points: &[Made]) -> Vec<bool> {
        let mut entry = entry.clone();
        let times: Vec<(Time, bool)> = points.iter().map(|point| (point.begun, true)).collect();
        let keep = entry.keep.as_mut().unwrap();
        let mut also = vec![false; points.len()];
        if self.flaw == Flaw::WithinFromClock && keep.within.is_some() {
            let within = keep.within.take().unwrap();
            also = times.iter().map(|(begun, _)| self.story.now - begun < within).collect();
        }
        if self.flaw == Flaw::CalendarYearWithIsoWeek && keep.weekly.is_some() {
            let weeks = usize::try_from(keep.weekly.take().unwrap()).unwrap();
            let label = |begun: Time| {
                let day = wall(Zone::Berlin, begun).div_euclid(DAY);
                (date_of(day).year, monday_of(day))
            };
            let mut seen = Vec::new();
            for (index, (begun, _)) in times.iter().enumerate().rev() {
                if seen.len() < weeks && !seen.contains(&label(*begun)) {
                    seen.push(label(*begun));
                    also[index] = true;
                }
            }
        }
        if self.flaw == Flaw::PeriodsOfUtc {
            entry.schedule.as_mut().unwrap().zone = Zone::Utc;
        }
        let verdicts = keep_verdicts(&entry, &times);
        verdicts.iter().zip(also).map(|(verdict, also)| also || matches!(verdict, Verdict::Kept(_))).collect()
    }

    fn tighten(&mut self) {
        self.policy.entries[0].keep = Some(Keep { daily: Some(2), weekly: Some(2), ..Keep::default() });
        self.story.push(What::Policies(vec![self.policy.clone()]));
    }
}

/// So many days, and what is wrong of them; the last hours are calm.
fn kept_for(days: i64, flaw: Flaw) -> (usize, Vec<Wrong>) {
    let mut keeper = Keeper::new(flaw);
    let start = keeper.story.now;
    for hour in 0..days * 24 {
        keeper.story.now = keeper.story.now.max(start + hour * HOUR);
        match hour {
            // A person holds a point that the rules would release within days.
            480 => {
                let newest = keeper.points.get_mut(&("vm-3".to_owned(), 0)).unwrap().last_mut().unwrap();
                newest.held = true;
                let point = newest.id.clone();
                keeper.story.push(What::Held { point, held: true });
            }
            1200 => {
                keeper.gone.insert("vm-2".to_owned(), keeper.story.now);
                keeper.story.push(What::MachineGone { vm_id: "vm-2".to_owned() });
            }
            1300 => keeper.tighten(),
            1800 => {
                keeper.open_since = None;
                keeper.story.push(What::BreakerClosed { policy: "production".to_owned() });
            }
            _ => {}
        }
        // Nothing is made for ten days, and again for the days before the calm.
        keeper.outage = (1000..1240).contains(&hour) || (days * 24 - 60..days * 24 - 13).contains(&hour);
        keeper.hour(start + hour * HOUR);
    }
    (keeper.story.events.len(), keeper.story.calm(12))
}

#[test]
fn half_a_year_of_the_right_keeper_is_healthy() {
    let (events, wrongs) = kept_for(HALF_A_YEAR, Flaw::None);
    assert!(events > 25_000, "{events}");
    assert_healthy(&wrongs);
}

#[test]
fn no_flaw_of_a_keeper_stays_unseen() {
    // Each with the days in which it must show.
    let cases = [
        (Flaw::WithinFromClock, 53, "keep rules held it: within"),
        (Flaw::CalendarYearWithIsoWeek, 100, "keep rules held it: weekly"),
        (Flaw::PeriodsOfUtc, 20, "keep rules held it: daily"),
        (Flaw::LimitPerSweep, 58, "the limits allow"),
        (Flaw::BreakerCloses, 62, "the breaker had opened"),
        (Flaw::HoldIgnored, 58, "a person held it"),
        (Flaw::GoneAtOnce, 64, "gone for less than 14 days"),
        (Flaw::GoneWhole, 80, "leaves 0 restorable"),
        (Flaw::AllMadeUp, 54, "only the newest is made up"),
        (Flaw::NoneMadeUp, 20, "no point for slot"),
        (Flaw::NothingGoes, 20, "nothing went in 24 hours"),
    ];
    for (flaw, days, says) in cases {
        let (_, wrongs) = kept_for(days, flaw);
        assert!(wrongs.iter().any(|wrong| wrong.contains(says)), "{flaw:?}: {:#?}", &wrongs[..wrongs.len().min(5)]);
    }
}
