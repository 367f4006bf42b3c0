//! How much of a span of time was calm: no fault stood and no kill was just before. Promises of time run on calm seconds only.
//! It never excuses a wrong deed: safety has no pauses.

use std::collections::BTreeSet;

use super::bounds::AFTER_KILL_SECONDS;
use super::history::Time;

/// The faults of the history so far.
#[derive(Default)]
pub struct Calm {
    on: BTreeSet<String>,
    /// Spans with faults, in order, none touching another; the last one is open while faults stand.
    faulty: Vec<(Time, Time)>,
}

impl Calm {
    pub fn fault(&mut self, name: &str, on: bool, at: Time) {
        if on {
            if self.on.insert(name.to_owned()) {
                self.add(at, Time::MAX);
            }
        } else if self.on.remove(name)
            && self.on.is_empty()
            && let Some(last) = self.faulty.last_mut()
        {
            last.1 = at;
        }
    }

    pub fn kill(&mut self, at: Time) {
        self.add(at, at + AFTER_KILL_SECONDS);
    }

    fn add(&mut self, from: Time, to: Time) {
        match self.faulty.last_mut() {
            Some(last) if last.1 >= from => last.1 = last.1.max(to),
            _ => self.faulty.push((from, to)),
        }
    }

    /// The seconds between two moments that were not calm.
    pub fn troubled(&self, from: Time, to: Time) -> i64 {
        (to - from).max(0) - self.between(from, to)
    }

    /// Whether no fault stood from one moment to another, which may be the same.
    pub fn throughout(&self, from: Time, to: Time) -> bool {
        !self.faulty.iter().any(|span| span.0 <= to && from < span.1)
    }

    /// The calm seconds between two moments.
    pub fn between(&self, from: Time, to: Time) -> i64 {
        let lost = |span: &(Time, Time)| (span.1.min(to) - span.0.max(from)).max(0);
        (to - from).max(0) - self.faulty.iter().map(lost).sum::<i64>()
    }
}
