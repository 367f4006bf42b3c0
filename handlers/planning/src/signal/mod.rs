//! Signals: single pieces of evidence about a region's health, as their senders told them.
//! It never decides that a region is lost, and never takes silence for an answer.
//!
//! ```text
//! origin         class     told by
//! serviceHealth  reported  Service Health alerts, Resource Health's events
//! resourceHealth reported  availability statuses, HealthResources events, Resource Health alerts
//! probe          measured  our own requests
//! metricAlert    measured  metric and log rules
//! ```
//!
//! A *thread* is what a sender tells about again and again: one incident in one region and service, one machine, one rule on one
//! resource, one probe. [`Signals`] keeps of each thread the latest word.

mod set;
#[cfg(test)]
mod tests;

use alloc::string::String;
use core::fmt;
use jiff::{SignedDuration, Timestamp};

pub use set::{
    FORGOTTEN_AFTER, KeptThread, PROBE_FAILURES_MIN, Remembered, SINCE_BELIEVED, STALE_AFTER, Signals, THREADS_MAX,
    Taken, Thread,
};

/// Who ultimately says it, whatever door it came by. Sources are counted by this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// Azure's own incidents.
    ServiceHealth,
    /// Azure's word on single machines; counts as a share of the fleet.
    ResourceHealth,
    /// Our own requests.
    Probe,
    /// A metric or a log rule. One evaluator runs both, so that both together are one source.
    MetricAlert,
}

/// How it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Azure says so.
    Reported,
    /// It was measured.
    Measured,
}

impl Origin {
    /// All of them, in the order they are shown.
    pub const ALL: [Self; 4] = [Self::ServiceHealth, Self::ResourceHealth, Self::Probe, Self::MetricAlert];

    /// Reported or measured.
    pub const fn class(self) -> Class {
        match self {
            Self::ServiceHealth | Self::ResourceHealth => Class::Reported,
            Self::Probe | Self::MetricAlert => Class::Measured,
        }
    }

    /// The word that recovery plans have for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::ServiceHealth => "serviceHealth",
            Self::ResourceHealth => "resourceHealth",
            Self::Probe => "probe",
            Self::MetricAlert => "metricAlert",
        }
    }

    /// How long a word of it stands without being said again; after that it is silence, which is neither good nor bad.
    ///
    /// *Assumed*, `signal-silence`: no sender promises how often it speaks.
    pub const fn stands_for(self) -> SignedDuration {
        match self {
            // Azure updates an incident about once an hour; one update may be missed.
            Self::ServiceHealth => SignedDuration::from_hours(2),
            // Statuses are read every minute; an event alone is told once.
            Self::ResourceHealth => SignedDuration::from_mins(30),
            // A probe asks every minute; a few answers may be missing.
            Self::Probe => SignedDuration::from_mins(5),
            // A rule that fired says nothing more until it is resolved.
            Self::MetricAlert => SignedDuration::from_hours(2),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reported => "reported",
            Self::Measured => "measured",
        })
    }
}

/// What is told about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum About {
    /// The region, or a service in it, by the sender's own name of the matter: a tracking id, an alert's id, a probe's name.
    Region {
        /// That name.
        matter: String,
        /// The service, where the sender tells services apart; of an alert what a recovery plan names it by, in lower case; else empty.
        service: String,
    },
    /// One machine, by its ARM id in lower case: counts only as part of its region's fleet.
    Machine(String),
}

/// What is told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It fails, and not by anybody's wish.
    Failing,
    /// It is well, in so many words.
    Well,
    /// A machine does not serve; who is to blame is not told.
    Unavailable,
    /// The platform is to blame for something at a machine; whether it serves is not told.
    PlatformFault,
    /// A machine does not serve because its user or a plan wants it so: neither evidence nor recovery, whatever was said of it before.
    Excused,
}

impl State {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Failing => "failing",
            Self::Well => "well",
            Self::Unavailable => "unavailable",
            Self::PlatformFault => "platformFault",
            Self::Excused => "excused",
        }
    }
}

/// How it came to us, which says whether hearing it twice means anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// A message with its sender's id: the same id is the same message.
    Message(String),
    /// We asked, and this was the answer: it holds as of now.
    Reading,
}

/// One piece of evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    /// Who says it.
    pub origin: Origin,
    /// The region, as Azure names it: `westeurope`.
    pub region: String,
    /// About what.
    pub about: About,
    /// What.
    pub state: State,
    /// Since when it is so, by the sender's word.
    pub since: Option<Timestamp>,
    /// When the sender said it; the moment of arrival where it does not say.
    pub said_at: Timestamp,
    /// How it came.
    pub told: Told,
}
