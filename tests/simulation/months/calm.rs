//! The end of a seed: everything is mended, time runs until everything due is done, and then nothing changes any more.
//! It never judges what the reference model judges.

use jiff::{SignedDuration, Timestamp};
use lifeboat_execution::ledger::Entry;
use lifeboat_simulator::host::Outcome;
use lifeboat_tests::rig::QUEUE;

use super::calls::changes;
use super::play::Play;
use super::policies::Rhythm;
use super::troubles::SKEW_SECS;

/// Two days and more without expiry are over by then: one after a store was adopted, one of waiting after an attempt that failed.
const CALM_DAYS: i64 = 2;
/// As many more as limits may take to let all go that is due.
const CALM_DAYS_MAX: i64 = 14;
/// Hours that are skipped of a calm day.
const HOURS_BETWEEN: u32 = 21;
/// Of a crowded estate each hour of a calm day is played, so that each collection has its turn in it.
const HOURS_CROWDED: u32 = 24;
/// Days without a change after which a crowded estate is calm: a day for each collection to have its turn, and before it a day in which
/// nothing was counted against the limits, so that these hold nothing back in the other.
const STILL_DAYS: usize = 2;
/// Hours after a slot by which everything is done that the limits let pass.
const LAST_LOOKS_MAX: u32 = 4;

impl Play {
    /// Plays to the calm end; from when on it is calm.
    pub async fn calm(&mut self) -> Timestamp {
        self.lock(false);
        self.resume();
        self.close_breakers(false);
        self.push();
        self.rig.host_on().await;
        let from = self.rig.clock.now();
        let mut slot = self.next_slot();
        self.skip(slot - SignedDuration::from_mins(5)).await;
        self.rest_of(slot).await;
        let (mut left, mut still) = (None, 0);
        for day in 0..CALM_DAYS_MAX {
            let writes = self.record.writes;
            // A day later, in the middle between two slots where there are several a day.
            if self.crowded {
                self.hours(HOURS_CROWDED).await;
            } else {
                self.rig.skip_to(self.rig.clock.now() + SignedDuration::from_hours(HOURS_BETWEEN.into())).await;
            }
            slot = self.next_slot();
            if self.rhythm == Rhythm::Daily && slot < self.rig.clock.now() + SignedDuration::from_hours(3) {
                self.sweep(slot, 65).await;
            }
            self.close_breakers(false);
            self.expire().await;
            self.next_sweep().await;
            if day + 1 >= CALM_DAYS {
                left = self.last_look().await;
            }
            still = if self.record.writes == writes { still + 1 } else { 0 };
            if day + 1 >= CALM_DAYS && left.is_none() && (!self.crowded || still >= STILL_DAYS) {
                break;
            }
        }
        if let Some(last) = left {
            self.wrongs.push(format!("in a long calm a pair of sweeps still changed something: {last}"));
        }
        from
    }

    /// Planning again changes nothing; what it did change. What the limits held up goes an hour later: so it is asked more than once.
    async fn last_look(&mut self) -> Option<String> {
        let mut last = None;
        for _ in 0..LAST_LOOKS_MAX {
            let (writes, calls) = (self.record.writes, self.rig.wire.count());
            let slot = self.next_slot();
            self.expire().await;
            self.next_sweep().await;
            let disturbed = slot < self.rig.clock.now();
            if disturbed || self.record.writes == writes {
                return None;
            }
            let calls = self.rig.wire.calls_from(calls);
            last = calls.iter().rfind(|call| changes(call)).map(|call| format!("{} {}", call.method, call.path));
        }
        last
    }

    /// What must hold of the ledgers, the queue, and deletions; and of the sweeps since it is calm.
    pub fn check(&mut self, calm_from: Timestamp) {
        self.unfinished_sweeps(calm_from);
        match self.rig.read_ledgers() {
            Err(fault) => self.wrongs.push(fault),
            Ok(ledgers) => {
                for ledger in ledgers {
                    if !ledger.unanswered().is_empty() {
                        let open = ledger.unanswered();
                        self.wrongs.push(format!("{}: effects without an outcome: {open:?}", ledger.name));
                    }
                    if !ledger.sealed {
                        self.wrongs.push(format!("{}: its head is behind", ledger.name));
                    }
                }
            }
        }
        self.undecided();
        let counts = self.rig.bus.counts(QUEUE);
        if counts.dead > 0 {
            self.wrongs.push(format!("{} dead letters", counts.dead));
        }
    }

    /// Sweeps that failed though nothing was wrong any more: the model is told only of those that ran to their end.
    fn unfinished_sweeps(&mut self, calm_from: Timestamp) {
        for one in self.rig.invocations() {
            let failed = one.outcome == Some(Outcome::Failed);
            if one.function.ends_with("Sweep") && one.began >= calm_from && failed {
                let (began, after) = (one.began, one.duration);
                self.wrongs.push(format!("{began}: {} failed in a calm, after {after:?}", one.function));
            }
        }
    }

    /// Points whose deletion was sent before anybody had written down that it was decided.
    fn undecided(&mut self) {
        let Ok(ledgers) = self.rig.read_ledgers() else { return };
        let mut decided: Vec<(Timestamp, String)> = Vec::new();
        for body in ledgers.iter().flat_map(|ledger| &ledger.bodies) {
            if let Entry::Decision(decision) = &body.entry {
                decided.extend(decision.effects.iter().map(|effect| (body.at, effect.what.clone())));
            }
        }
        let since = self.wiped_at.unwrap_or(Timestamp::MIN);
        let deletes = self.rig.wire.calls().into_iter().filter(|call| call.method == "DELETE" && call.at >= since);
        for call in deletes.filter(|call| changes(call) && call.status.is_some()) {
            let name = call.path.rsplit('/').next().unwrap_or_default().to_owned();
            let until = call.at + SignedDuration::from_secs(SKEW_SECS);
            if !decided.iter().any(|(at, what)| *at <= until && what.contains(&name)) {
                self.wrongs.push(format!("{}: {name} was deleted, and nobody had written down why", call.at));
            }
        }
    }
}
