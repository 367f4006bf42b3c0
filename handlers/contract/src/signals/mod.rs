//! Reads what tells of a region's health, at each of its doors, into signals.
//! It never decides anything and never loses anything: each message becomes signals, or a reason why it does not count, or stays
//! as it came with a reason why it could not be read.
//!
//! ```text
//! RegionAlert          an Azure Monitor alert, common schema       alert, service_health, resource_health, rule_alert
//! RegionHealthChanged  HealthResources events of Event Grid        health_event
//! HealthPoll           answers of Microsoft.ResourceHealth         health_poll
//! probe                a result of our own                         probe
//! ```

mod alert;
mod fields;
mod health_event;
mod health_poll;
mod known;
mod probe;
mod reason;
mod resource_health;
mod rule_alert;
mod service_health;

use jiff::Timestamp;
use lifeboat_planning::signal::Signal;
use serde_json::Value;
use std::fmt;

pub use known::Known;
pub use probe::{ProbeKind, ProbeOutcome, ProbeResult};
pub use reason::{NotCounted, RawBecause};
pub use service_health::SERVICES;

/// Where a payload arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Door {
    /// The webhook of an action group.
    RegionAlert,
    /// The topic of HealthResources.
    RegionHealthChanged,
    /// Our own reading of Resource Health.
    HealthPoll,
    /// Our own probes.
    Probe,
}

/// What became of a payload.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// What counts, or ends what counted.
    pub signals: Vec<Signal>,
    /// What was understood and does not count.
    pub uncounted: Vec<Uncounted>,
    /// What could not be understood.
    pub raw: Vec<Raw>,
    /// Resource Health answered whole: events and statuses, to their last page.
    pub whole: bool,
    /// Machines that the payload names with their region: ARM id in lower case, region.
    pub machines: Vec<(String, String)>,
}

/// What was understood and does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uncounted {
    /// What it is about, by its sender's name.
    pub about: String,
    /// Why.
    pub why: NotCounted,
}

/// What could not be understood, as it came.
#[derive(Clone, Debug, PartialEq)]
pub struct Raw {
    /// Why.
    pub why: RawBecause,
    /// The payload.
    pub body: Value,
}

/// Reads a payload that arrived at a door at `at`.
pub fn read(door: Door, body: &Value, known: &Known, at: Timestamp) -> Reading {
    match door {
        Door::RegionAlert => alert::read(body, known, at),
        Door::RegionHealthChanged => health_event::read(body, known, at),
        Door::HealthPoll => health_poll::read(body, known, at),
        Door::Probe => probe::read(body, known, at),
    }
}

impl Door {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::RegionAlert, Self::RegionHealthChanged, Self::HealthPoll, Self::Probe];

    /// Its name in a history.
    pub const fn word(self) -> &'static str {
        match self {
            Self::RegionAlert => "RegionAlert",
            Self::RegionHealthChanged => "RegionHealthChanged",
            Self::HealthPoll => "HealthPoll",
            Self::Probe => "probe",
        }
    }

    /// The door of that name.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|door| door.word() == word)
    }
}

impl fmt::Display for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Reading {
    /// A payload that is not understood.
    fn raw(why: RawBecause, body: &Value) -> Self {
        Self { raw: vec![Raw { why, body: body.clone() }], ..Self::default() }
    }

    /// A payload that does not count.
    fn uncounted(about: &str, why: NotCounted) -> Self {
        Self { uncounted: vec![Uncounted { about: about.to_owned(), why }], ..Self::default() }
    }

    fn add(&mut self, other: Self) {
        self.signals.extend(other.signals);
        self.uncounted.extend(other.uncounted);
        self.raw.extend(other.raw);
        self.machines.extend(other.machines);
    }
}
