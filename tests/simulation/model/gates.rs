//! What forbids changes, and since when: for the whole estate, or in one subscription only.
//! It never judges. What is demanded of a machine is asked for that machine, since a subscription that is lost excuses no other.

use std::collections::BTreeMap;

use super::calendar::DAY;
use super::history::Time;
use super::scope::DECISION_AGE;
use super::world::{Machine, Point, World};

/// A switch of the world, and since when it stands.
#[derive(Default)]
pub struct Gate {
    since: Option<Time>,
    ended: Option<Time>,
}

impl Gate {
    pub fn turn(&mut self, on: bool, at: Time) {
        if on {
            self.since = self.since.or(Some(at));
        } else if self.since.take().is_some() {
            self.ended = Some(at);
        }
    }

    /// Whether it has been on for longer than `grace` seconds.
    pub fn stands(&self, at: Time, grace: i64) -> bool {
        self.since.is_some_and(|since| at > since + grace)
    }

    /// Whether it was off all the time after this moment.
    pub fn off_since(&self, at: Time) -> bool {
        self.since.is_none() && self.ended.is_none_or(|ended| ended <= at)
    }
}

/// What forbids changes: whichever machine they are of, but for the permission, which is each subscription's own.
#[derive(Default)]
pub struct Gates {
    pub stopped: Gate,
    pub store_lost: Gate,
    /// By the subscription's id in lower case; one that was never lost is not in it.
    pub permission_lost: BTreeMap<String, Gate>,
    pub clocks_apart: Gate,
    /// The last `StoreBack`.
    pub store_back: Option<Time>,
}

impl Machine {
    /// The subscription that it lived in then; before the history shows it, the first one, because its older points are there.
    pub fn subscription_at(&self, at: Time) -> Option<&str> {
        let then = self.subscriptions.iter().rfind(|(since, _)| *since <= at);
        then.or(self.subscriptions.first()).map(|(_, subscription)| subscription.as_str())
    }
}

impl World {
    /// The subscription of a point: its machine's when it was begun, because a machine that moves leaves its points (design §7). None
    /// if the history never shows the machine.
    pub fn subscription_of(&self, point: &Point) -> Option<&str> {
        self.machines.get(&point.vm_id)?.subscription_at(point.begun)
    }

    /// Whether the permission of this subscription was lost for longer than `grace` seconds; where none is known, that of all.
    pub fn is_permission_lost(&self, subscription: Option<&str>, at: Time, grace: i64) -> bool {
        match subscription {
            Some(subscription) => {
                self.gates.permission_lost.get(subscription).is_some_and(|gate| gate.stands(at, grace))
            }
            None => self.are_all_permissions_lost(at, grace),
        }
    }

    /// Whether the permission was lost in each subscription that has machines, or had some when a decision of now can have been made.
    pub fn are_all_permissions_lost(&self, at: Time, grace: i64) -> bool {
        let living = self.machines.values().filter(|machine| !machine.gone_at(at - DECISION_AGE));
        let mut lived_in = living.filter_map(|machine| machine.subscription_at(at)).peekable();
        // Without a machine there is no subscription that could be meant, and a doubt is no wrong.
        lived_in.peek().is_some() && lived_in.all(|subscription| self.is_permission_lost(Some(subscription), at, grace))
    }

    /// Whether all that concerns this machine could be read and changed since then, its points in subscriptions that it left included.
    pub fn is_permitted_since(&self, vm_id: &str, at: Time) -> bool {
        let gates = &self.gates.permission_lost;
        match self.machines.get(vm_id).filter(|machine| machine.gone.is_none()) {
            Some(machine) => machine
                .subscriptions
                .iter()
                .filter_map(|(_, subscription)| gates.get(subscription))
                .all(|gate| gate.off_since(at)),
            // A machine is gone only when it is in no other place either (design §7): it may have moved to any that cannot be read.
            None => gates.values().all(|gate| gate.off_since(at)),
        }
    }

    /// Whether nothing forbade deletions of this machine's points since then, and the store was known a day before.
    pub fn is_calm_since(&self, vm_id: &str, at: Time) -> bool {
        let gates = [&self.gates.stopped, &self.gates.store_lost, &self.gates.clocks_apart];
        gates.iter().all(|gate| gate.off_since(at))
            && self.gates.store_back.is_none_or(|back| back + DAY <= at)
            && self.is_permitted_since(vm_id, at)
    }
}
