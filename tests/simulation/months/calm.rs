//! The end of a seed: everything is mended, time runs until everything due is done, and then nothing changes any more.
//! It never judges what the reference model judges.

use jiff::{SignedDuration, Timestamp};
use lifeboat_tests::rig::QUEUE;
use lifeboat_tests::tap::Service;

use super::play::Play;
use super::policies::Rhythm;

/// Two days and more without expiry are over by then: one after a store was adopted, one of waiting after an attempt that failed.
const CALM_DAYS: i64 = 3;

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
        self.sweep(slot, 20).await;
        self.rest_of(slot).await;
        for _ in 0..CALM_DAYS {
            // A day later, in the middle between two slots where there are several a day.
            self.rig.skip_to(self.rig.clock.now() + SignedDuration::from_hours(23)).await;
            slot = self.next_slot();
            if self.rhythm == Rhythm::Daily && slot < self.rig.clock.now() + SignedDuration::from_hours(2) {
                self.sweep(slot, 65).await;
            }
            self.expire().await;
            self.close_breakers(false);
        }
        self.last_look().await;
        from
    }

    /// Planning again changes nothing.
    async fn last_look(&mut self) {
        let quiet = self.rhythm != Rhythm::Hourly;
        self.expire().await;
        let before = self.record.writes;
        self.expire().await;
        if quiet && self.record.writes > before {
            let calls = self.rig.wire.calls();
            let writes = calls.iter().filter(|call| call.service == Service::Arm && call.writes());
            let last = writes.last().map_or(String::new(), |call| format!("{} {}", call.method, call.path));
            self.wrongs.push(format!("in the calm, with all done, a pair of sweeps changed something: {last}"));
        }
    }

    /// What must hold of the ledgers, the queue, and deletions.
    pub fn check(&mut self) {
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
        let counts = self.rig.bus.counts(QUEUE);
        if counts.dead > 0 {
            self.wrongs.push(format!("{} dead letters", counts.dead));
        }
    }
}
