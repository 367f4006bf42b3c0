//! Probes: what stands behind a target, and what an endpoint's probes have found out so far.
//! It never counts a probe twice, and never lets one be made at another time than the interval says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::super::machines::{Machine, Provisioning};
use super::super::power::Power;
use super::Monitor;

/// What stands behind a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// It answers, or does not.
    Is(bool),
    /// It answers while the machine of this key runs and its region is not down.
    Machine(String),
}

/// What is known of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    Checking,
    Online,
    Degraded,
}

/// The probes of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Probed {
    since: Timestamp,
    /// Probes whose outcome is known.
    done: i64,
    failures: i64,
    pub(super) finding: Finding,
}

impl Target {
    pub(super) fn answers(&self, machines: &BTreeMap<String, Arc<Machine>>, lost: &BTreeSet<String>) -> bool {
        match self {
            Self::Is(answers) => *answers,
            Self::Machine(machine) => machines.get(machine).is_some_and(|machine| {
                machine.power == Power::Running
                    && machine.provisioning != Provisioning::Creating
                    && !lost.contains(&machine.location.to_ascii_lowercase())
            }),
        }
    }
}

impl Finding {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Checking => "CheckingEndpoint",
            Self::Online => "Online",
            Self::Degraded => "Degraded",
        }
    }
}

impl Probed {
    /// Probing begins. *Assumed* (`tm-sim-first-probe`): the first probe is made an interval later, and a new endpoint is
    /// called degraded by the same number of bad ones as one that was good.
    pub(super) fn begin(since: Timestamp) -> Self {
        Self { since, done: 0, failures: 0, finding: Finding::Checking }
    }

    /// Takes in the probes until now, which all found the same. A bad one is known when it has waited long enough.
    pub(super) fn up_to(&mut self, now: Timestamp, answers: bool, monitor: &Monitor) {
        let waited = if answers { 0 } else { monitor.timeout_seconds };
        let passed = now.duration_since(self.since) - SignedDuration::from_secs(waited);
        let known = passed.as_secs() / monitor.interval_seconds.max(1);
        let fresh = known - self.done;
        if fresh < 0 {
            // The clock was put back: probes are made from here on.
            self.done = known;
        }
        if fresh <= 0 {
            return;
        }
        self.done = known;
        if answers {
            (self.failures, self.finding) = (0, Finding::Online);
            return;
        }
        self.failures = self.failures.saturating_add(fresh);
        if self.failures > monitor.tolerated {
            self.finding = Finding::Degraded;
        }
    }
}
