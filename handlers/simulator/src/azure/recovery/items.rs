//! Replicated machines: what they are, how their initial replication goes, and while which times they were replicated.
//! It never makes a point: points follow from the times in which the machine ran and its region was there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::super::ids::key;
use super::super::machines::{Machine, Os};
use super::super::power::Power;
use super::super::state::{State, Step};
use super::RecoveryStep;

/// From the end of the enabling until each stage, in milliseconds: of a machine that is new in Site Recovery, and of one that
/// goes back over its old disks. *Assumed* (`sr-sim-initial`): recorded are the stages and their order, and their times within
/// some minutes.
const STAGES_MS: [(Stage, u32, u32); 4] = [
    (Stage::Reporting, 240_000, 60_000),
    // The recorded first replication was over before it told how far it was.
    (Stage::Counting, 0, 300_000),
    (Stage::Copied, 480_000, 2_400_000),
    (Stage::Protected, 1_080_000, 2_790_000),
];

/// How far initial replication is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    Begun,
    /// The machine has told that it replicates.
    Reporting,
    /// It tells how far it is.
    Counting,
    /// It waits for its first point.
    Copied,
    Protected,
}

/// Where a replicated machine is in its life.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Phase {
    Replicating(Stage),
    /// It runs in the other region, and the point can still be changed.
    FailedOver(Failover),
    /// It runs in the other region for good.
    Committed(Failover),
}

/// What a failover came to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Failover {
    /// When it was asked for.
    pub(super) asked: Timestamp,
    /// The point's name.
    pub(super) point: String,
}

/// A disk that is replicated.
#[derive(Clone, Debug)]
pub(super) struct ReplicaDisk {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) size_gib: u32,
    pub(super) sku: String,
    pub(super) is_os: bool,
    pub(super) staging: Value,
    pub(super) group: String,
    /// The disk of the old machine that it goes back over.
    pub(super) original: Option<String>,
}

/// An operation that an item waits for.
#[derive(Clone, Debug)]
pub(super) struct Running {
    pub(super) operation: String,
    pub(super) scenario: &'static str,
    pub(super) started: Timestamp,
}

/// How often points are made and how long they are kept, in minutes: what the policy says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    pub(super) crash: i64,
    /// Nothing: no application-consistent ones.
    pub(super) application: i64,
    /// Nothing: only the latest one.
    pub(super) kept: i64,
}

/// A replicated machine: Site Recovery's protected item.
#[derive(Clone, Debug)]
pub(crate) struct Replica {
    /// Its id.
    pub(super) id: String,
    pub(super) fabric: String,
    pub(super) recovery_fabric: String,
    pub(super) recovery_container: String,
    /// The machine that is replicated.
    pub(super) machine: String,
    pub(super) machine_name: String,
    pub(super) os: Os,
    pub(super) size: String,
    pub(super) tags: Value,
    pub(super) nic: Option<String>,
    pub(super) disks: Vec<ReplicaDisk>,
    /// Numbers of the machine's disks that are not replicated.
    pub(super) left_out: Vec<usize>,
    pub(super) policy: String,
    pub(super) pace: Pace,
    /// The group in which the machine will run.
    pub(super) recovery_group: String,
    pub(super) recovery_network: Option<String>,
    pub(super) zone: Option<String>,
    /// The group of machines that somebody put it into.
    pub(super) multi_vm_group: Option<String>,
    /// Regions now, and when it was first enabled.
    pub(super) locations: (String, String),
    pub(super) first_locations: (String, String),
    /// Whether it goes back over an old machine's disks.
    pub(super) reversed: bool,
    pub(super) phase: Phase,
    /// Counts its lives, so that what was planned in an earlier one is not taken for its own.
    pub(super) turn: u64,
    pub(super) began: Timestamp,
    pub(super) heard: Timestamp,
    pub(super) protected_since: Option<Timestamp>,
    /// Times in which points were made.
    pub(super) alive: Vec<(Timestamp, Timestamp)>,
    pub(super) open: bool,
    pub(super) advanced: Timestamp,
    /// Whether somebody ordered replication to stall.
    pub(super) stalled: bool,
    pub(super) running: Option<Running>,
    /// The machine that a failover made.
    pub(super) target: Option<String>,
}

impl Replica {
    /// What begins to replicate now.
    pub(super) fn begin(&mut self, now: Timestamp) {
        self.phase = Phase::Replicating(Stage::Begun);
        (self.began, self.heard, self.advanced) = (now, now, now);
        (self.protected_since, self.open, self.running, self.target) = (None, false, None, None);
        self.alive.clear();
        self.turn += 1;
    }

    /// Protected since that time, and alive until now.
    pub(super) fn protect(&mut self, since: Timestamp, now: Timestamp) {
        self.phase = Phase::Replicating(Stage::Protected);
        (self.protected_since, self.advanced, self.open) = (Some(since), now, true);
        self.alive = vec![(since, now)];
    }

    /// Makes what was replicated so much older, its points too.
    pub(super) fn age(&mut self, by: SignedDuration) {
        let older = |at: &mut Timestamp| *at = at.checked_sub(by).unwrap_or(*at);
        self.alive.iter_mut().for_each(|(from, to)| {
            older(from);
            older(to);
        });
        self.protected_since.iter_mut().chain([&mut self.began, &mut self.heard]).for_each(older);
    }

    /// Whether its latest state can be failed over to.
    pub(super) fn is_protected(&self) -> bool {
        self.phase == Phase::Replicating(Stage::Protected)
    }

    /// Lets replication go on until now. *Assumed* (`sr-sim-stall`): a machine that does not run, or whose region is lost,
    /// makes no points, and goes on making them when it is back.
    pub(super) fn advance(
        &mut self,
        now: Timestamp,
        machines: &BTreeMap<String, Arc<Machine>>,
        lost: &BTreeSet<String>,
    ) {
        let runs = machines.get(&key(&self.machine)).is_some_and(|machine| machine.power == Power::Running);
        let alive = runs && !self.stalled && !lost.contains(&self.locations.0);
        if alive && matches!(self.phase, Phase::Replicating(_)) {
            self.heard = now;
        }
        if self.is_protected() {
            match self.alive.last_mut() {
                Some(last) if alive && self.open => last.1 = now,
                _ if alive => self.alive.push((self.advanced, now)),
                _ => {}
            }
            self.open = alive;
        }
        self.advanced = now;
    }

    /// How far the copy is, in hundredths, where it tells.
    pub(super) fn percent(&self, now: Timestamp) -> Option<i64> {
        let Phase::Replicating(stage @ (Stage::Counting | Stage::Copied)) = self.phase else { return None };
        let whole = STAGES_MS[2].2.max(1);
        let passed = now.duration_since(self.began).as_millis() * 100 / i128::from(whole);
        (self.reversed || stage == Stage::Counting).then(|| i64::try_from(passed).unwrap_or(99).clamp(1, 99))
    }
}

/// An item is there, and begins to replicate.
pub(super) fn enabled(state: &mut State, at: String, item: Replica, now: Timestamp) {
    let mut item = item;
    item.begin(now);
    let (turn, reversed) = (item.turn, item.reversed);
    state.recovery.items.insert(at.clone(), item);
    for (stage, first, back) in STAGES_MS {
        let milliseconds = if reversed { back } else { first };
        if milliseconds > 0 {
            let step = RecoveryStep::ItemReaches { item: at.clone(), turn, stage };
            state.after(now, milliseconds, Step::Recovery(step));
        }
    }
}

/// An item comes to its next stage. One whose machine or region is away waits, and is looked at again a minute later.
pub(super) fn reaches(state: &mut State, at: &str, turn: u64, stage: Stage, now: Timestamp) {
    let Some(item) = state.recovery.items.get_mut(at).filter(|item| item.turn == turn) else { return };
    let Phase::Replicating(before) = item.phase else { return };
    if before >= stage {
        return;
    }
    if item.heard < now {
        let again = now.checked_add(SignedDuration::from_mins(1)).unwrap_or(Timestamp::MAX);
        state.later(again, Step::Recovery(RecoveryStep::ItemReaches { item: at.to_owned(), turn, stage }));
        return;
    }
    if stage == Stage::Protected {
        item.protect(now, now);
    } else {
        item.phase = Phase::Replicating(stage);
    }
}
