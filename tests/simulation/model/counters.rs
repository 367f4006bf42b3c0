//! The rolling 24-hour counters of each policy: deletions beyond turnover, the breaker that opens there, and protections begun.
//! It never punishes a doubt: each bound is the one that no right implementation can pass, and what may have been used up is asked for apart.

use std::collections::{BTreeMap, VecDeque};
use std::mem::take;

use super::calendar::{DAY, HOUR, written};
use super::history::{Event, Hand, Policy, Time, What, Wrong};
use super::rounds::sweeps_of_round;
use super::scope::{DECISION_AGE, InForce};
use super::verdicts::{is_surely_due, surely_due_of};
use super::world::World;

/// What is counted is reserved before it is done, so two that are a day apart in the store may be done this much closer, in seconds.
const RESERVED_EARLIER: i64 = 600;

/// Reservations that may be lost to kills between the counter and the request, of which the history shows nothing.
const RESERVED_UNSEEN: usize = 3;

/// One policy's.
#[derive(Default)]
struct Tally {
    /// Accepted deletions that turnover covered when they were made.
    turnover: VecDeque<Time>,
    /// Accepted deletions beyond it.
    beyond: VecDeque<Time>,
    /// All of the last day that were asked for since a person last closed the breaker, refused ones included: they may have been reserved.
    asked: VecDeque<Time>,
    /// All that were ever asked for: closing a breaker gives no day's allowance back.
    asked_ever: Vec<Time>,
    protections: VecDeque<Time>,
    /// More was due when the limit had been reached: the breaker is open by any reading.
    open: bool,
    /// The limit may have been reached by some reading since a person last closed the breaker.
    may_be_open: bool,
    /// The fewest protections that were left in some day: where none were, their breaker may be open.
    protections_spare: Option<usize>,
}

/// All policies'.
#[derive(Default)]
pub struct Counters {
    tallies: BTreeMap<String, Tally>,
}

/// What the counters surely let go.
pub enum Allowed {
    /// All that is due.
    All,
    /// Not all, but some, and nothing was asked for in that time and the 24 hours before.
    SomeAndNoneWent,
    /// A breaker may be open, or may have opened on the way.
    Unknown,
}

/// What a policy has and did, counted both ways.
struct Stock {
    made_at_most: usize,
    made_at_least: usize,
    standing_at_most: usize,
    restorable: usize,
}

impl Counters {
    /// Takes note of what this event uses up, with the world as it was before it.
    pub fn see(&mut self, world: &World, event: &Event, wrongs: &mut Vec<Wrong>) {
        match &event.what {
            What::DeleteSent { point, by: Hand::Lifeboat, accepted } => {
                let Some(point) = world.point(point).filter(|point| point.leaving.is_none()) else { return };
                let Some(owner) = point.owner.clone() else { return };
                let tally = self.tallies.entry(owner.clone()).or_default();
                tally.asked.push_back(event.at);
                tally.asked_ever.push(event.at);
                if *accepted && let Some(wrong) = tally.delete(world, &owner, event.at) {
                    wrongs.push(format!("{}: point {} of policy {owner}: {wrong}", written(event.at), point.id));
                }
                tally.note_limit(world, &owner, event.at);
            }
            What::Protected { vm_id, vault, by: Hand::Lifeboat } => self.protect(world, event.at, vm_id, vault, wrongs),
            What::BreakerClosed { policy } => {
                let tally = self.tallies.entry(policy.clone()).or_default();
                let (protections, asked_ever) = (take(&mut tally.protections), take(&mut tally.asked_ever));
                *tally = Tally { protections, asked_ever, ..Tally::default() };
            }
            What::Swept { expiry: true } => {
                for (owner, tally) in &mut self.tallies {
                    tally.note_limit(world, owner, event.at);
                    tally.note_open(world, owner, event.at);
                }
            }
            _ => {}
        }
    }

    fn protect(&mut self, world: &World, at: Time, vm_id: &str, vault: &str, wrongs: &mut Vec<Wrong>) {
        let Some(machine) = world.machines.get(vm_id) else { return };
        // The same PUT once more is the same protection.
        if machine.vault.as_deref() == Some(vault) {
            return;
        }
        let policies = world.readings(vm_id, std::iter::empty(), at).into_iter().filter_map(|then| {
            match world.in_force_at(machine, then) {
                InForce::One(policy) => Some(policy),
                InForce::Nothing | InForce::EqualPriorities => None,
            }
        });
        let Some(policy) = policies.max_by_key(|policy| policy.new_protections_per_day) else { return };
        let allowed = usize::try_from(policy.new_protections_per_day).expect("a count fits");
        let tally = self.tallies.entry(policy.name.clone()).or_default();
        drop_before(&mut tally.protections, at - DAY + RESERVED_EARLIER);
        tally.protections.push_back(at);
        let begun = tally.protections.len();
        let spare = allowed.saturating_sub(begun);
        tally.protections_spare = Some(tally.protections_spare.map_or(spare, |least| least.min(spare)));
        if begun > allowed {
            wrongs.push(format!(
                "{}: machine {vm_id}: {begun} protections begun in 24 hours for policy {}, which allows {allowed}",
                written(at),
                policy.name
            ));
        }
    }

    /// What the counters surely let go, of so many, at every moment from `from` to `at`.
    ///
    /// `swept` is when the last sweep began: what was made after it, or just before, can have been in no count of its.
    pub fn allow(&self, world: &World, policy: &str, due: usize, (from, swept, at): (Time, Time, Time)) -> Allowed {
        let none = Tally::default();
        let tally = self.tallies.get(policy).unwrap_or(&none);
        let (asked, allowed) = if from < at {
            let asked = tally.asked_ever.iter().filter(|time| **time > from - DAY).count();
            (asked, allowed_at_least(world, policy, from).min(allowed_at_least(world, policy, at)))
        } else {
            let known = allowed_by_what_stood(world, policy, at, swept - DECISION_AGE);
            (since(&tally.asked, at - DAY), allowed_at_least(world, policy, at).min(known))
        };
        if tally.may_be_open {
            Allowed::Unknown
        } else if due + asked <= allowed {
            Allowed::All
        } else if asked == 0 {
            Allowed::SomeAndNoneWent
        } else {
            Allowed::Unknown
        }
    }

    /// Whether the counter of protections can have stopped some, if so many more were reserved than the history shows.
    pub fn protections_used_up(&self, policy: &Policy, unseen: usize) -> bool {
        let allowed = usize::try_from(policy.new_protections_per_day).expect("a count fits");
        let spare = self.tallies.get(&policy.name).and_then(|tally| tally.protections_spare);
        spare.unwrap_or(allowed) <= unseen
    }
}

impl Tally {
    /// Counts one accepted deletion, as turnover where that is possible at all.
    fn delete(&mut self, world: &World, policy: &str, at: Time) -> Option<String> {
        let from = at - DAY + RESERVED_EARLIER;
        drop_before(&mut self.turnover, from);
        drop_before(&mut self.beyond, from);
        let stock = stock(world, policy, at, at);
        if self.turnover.len() < stock.made_at_most.max(1) {
            self.turnover.push_back(at);
            return None;
        }
        self.beyond.push_back(at);
        let limit = beyond_at_most(world, policy, at, &stock);
        if self.beyond.len() > limit {
            return Some(format!(
                "deletion {} of 24 hours beyond a turnover of {}; the limits allow {limit}",
                self.beyond.len(),
                self.turnover.len()
            ));
        }
        let words = "deleted beyond turnover although the breaker had opened and no person had closed it";
        self.open.then(|| words.to_owned())
    }

    fn note_limit(&mut self, world: &World, policy: &str, at: Time) {
        let asked = since(&self.asked, at - DAY);
        drop_before(&mut self.asked, at - DAY);
        // Most hours nothing near a limit was asked for, and then the stock need not be counted.
        let least = limits(world, policy, at).map(|policy| policy.expire_per_day).min().unwrap_or(0);
        if asked > 0 && asked + RESERVED_UNSEEN > usize::try_from(least).expect("a count fits") {
            self.may_be_open |= asked + RESERVED_UNSEEN >= allowed_at_least(world, policy, at);
        }
    }

    /// A sweep ended with the limit reached, and something was due that a sweep must have seen by then, an hour ago or a round of them: of a
    /// machine that could be read.
    fn note_open(&mut self, world: &World, policy: &str, at: Time) {
        drop_before(&mut self.beyond, at - DAY);
        drop_before(&mut self.turnover, at - DAY);
        if self.open || self.beyond.is_empty() {
            return;
        }
        let stock = stock(world, policy, at, at);
        if self.turnover.len() < stock.made_at_most.max(1)
            || self.beyond.len() < beyond_at_most(world, policy, at, &stock)
        {
            return;
        }
        let round = sweeps_of_round(world);
        let before = world.expiry_sweeps.len().checked_sub(1 + round).map(|index| world.expiry_sweeps[index]);
        let Some(seen_from) = (if round == 1 { Some(at - HOUR) } else { before }) else { return };
        self.open = surely_due_of(world, policy, seen_from).any(|(key, point)| {
            world.is_calm_since(&key.0, at - DAY)
                && point.is_free_since(at - DAY)
                && is_surely_due(world, point, key, at)
        });
    }
}

fn drop_before(times: &mut VecDeque<Time>, from: Time) {
    while times.front().is_some_and(|time| *time <= from) {
        times.pop_front();
    }
}

fn since(times: &VecDeque<Time>, from: Time) -> usize {
    times.iter().filter(|time| **time > from).count()
}

/// The policy of this name in the bundles that a decision of now may rest on.
fn limits<'a>(world: &'a World, policy: &str, at: Time) -> impl Iterator<Item = &'a Policy> {
    [at, at - DECISION_AGE]
        .into_iter()
        .filter_map(|then| world.bundle_at(then))
        .flat_map(|bundle| &bundle.policies)
        .filter(move |known| known.name == policy)
}

/// The larger of the two limits; the share is of all that stood in the day, rounded up.
fn beyond_at_most(world: &World, policy: &str, at: Time, stock: &Stock) -> usize {
    let of = |policy: &Policy| {
        let share = stock.standing_at_most * usize::try_from(policy.expire_percent_per_day).expect("a count fits");
        share.div_ceil(100).max(usize::try_from(policy.expire_per_day).expect("a count fits"))
    };
    limits(world, policy, at).map(of).max().unwrap_or(0)
}

/// Turnover and the larger limit by the narrowest reading; the share is of what is restorable and can be read now, rounded down.
fn allowed_at_least(world: &World, policy: &str, at: Time) -> usize {
    allowed_by_what_stood(world, policy, at, at)
}

/// The same where only points count that were begun by `seen`.
fn allowed_by_what_stood(world: &World, policy: &str, at: Time, seen: Time) -> usize {
    let stock = stock(world, policy, at, seen);
    let of = |policy: &Policy| {
        let share = stock.restorable * usize::try_from(policy.expire_percent_per_day).expect("a count fits") / 100;
        share.max(usize::try_from(policy.expire_per_day).expect("a count fits"))
    };
    stock.made_at_least.max(1) + limits(world, policy, at).map(of).min().unwrap_or(0)
}

fn stock(world: &World, policy: &str, at: Time, seen: Time) -> Stock {
    let mut stock = Stock { made_at_most: 0, made_at_least: 0, standing_at_most: 0, restorable: 0 };
    for (key, points) in world.keys.iter().filter(|(key, _)| key.1 == policy) {
        // The counters are of all subscriptions, but what cannot be read may be missing in what a share or a turnover is taken of.
        let read = world.is_permitted_since(&key.0, at - DECISION_AGE);
        for point in points.iter().map(|index| &world.points[*index]) {
            stock.made_at_most += usize::from(point.begun > at - DAY - DECISION_AGE);
            let made = point.begun > at - DAY + DECISION_AGE && point.begun <= seen && point.succeeded.is_some();
            stock.made_at_least += usize::from(read && made);
            stock.standing_at_most += usize::from(point.gone.is_none_or(|gone| gone > at - DAY));
            stock.restorable += usize::from(read && point.restorable_at(at));
        }
    }
    stock
}
