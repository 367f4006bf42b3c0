//! What Lifeboat tells other systems: CloudEvents 1.0 on an Event Grid topic, each with a stable id.
//! It never sends anything; an event's id never holds the clock: it names the work, so that one told twice is one.
//!
//! ```text
//! type     io.lifeboat.<word>.v1          a changed meaning gets another version, a new field does not
//! id       hash of type, subject and occurrence
//! source   /lifeboat/<deployment>/<estate>, put in when it is sent
//! subject  what it is about: an ARM id, policies/<name>, alarms/<cause>, recoveryPlans/<name>, commands/<id>
//! ```

mod asyncapi;
mod bounded;
mod examples;
mod kinds;
mod schemas;

use jiff::Timestamp;
use lifeboat_planning::id::hex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub use asyncapi::{FILE as ASYNCAPI_FILE, document as asyncapi};
pub use bounded::{ArmId, Line, List, Name, Shape, Text};
pub use examples::examples;
pub use kinds::{
    AlarmClosed, AlarmRaised, ApprovalAsked, CommandDone, CommandRefused, FailoverCompleted, FailoverFailed,
    FailoverRefused, FailoverStarted, FailoverStep, Field, Happening, KINDS, Kind, MACHINES_MAX, PointCreated,
    PointExpired, PointFailed, ProtectionEnabled, REASONS_MAX, RegionConfirmed, RegionRecovered, RegionSuspected,
    RpoBreached,
};
pub use schemas::{file as schema_file, schema};

/// The version of CloudEvents.
pub const SPEC_VERSION: &str = "1.0";
/// How every type begins.
pub const TYPE_PREFIX: &str = "io.lifeboat.";
/// How every type of this release ends.
pub const TYPE_VERSION: &str = ".v1";
/// The largest event, in bytes of JSON: twice what all machines and reasons at their longest take, far below Event Grid's 1 MB.
pub const EVENT_BYTES_MAX: usize = 96 * 1024;

/// An event, before it has its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Names the work.
    pub id: String,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub happening: Happening,
}

impl Kind {
    /// The type of its events.
    pub fn event_type(&self) -> String {
        event_type(self.word)
    }
}

fn event_type(word: &str) -> String {
    format!("{TYPE_PREFIX}{word}{TYPE_VERSION}")
}

/// Where events of a deployment come from.
pub fn source(deployment: &str, estate: &str) -> String {
    format!("/lifeboat/{deployment}/{estate}")
}

impl Event {
    /// An event. `occurrence` tells it from others of its type about the same thing: the point's name, the number of the alarm's
    /// opening, the saga's step and attempt. It must be what is stored with the work, never a time that is read now: whoever is
    /// stopped and does the work again gives the same id.
    pub fn new(happening: impl Into<Happening>, occurrence: &str, at: Timestamp) -> Self {
        let happening = happening.into();
        let id = id(happening.word(), &happening.subject(), occurrence);
        Self { id, at, happening }
    }

    /// Its type.
    pub fn event_type(&self) -> String {
        event_type(self.happening.word())
    }

    /// The event as it is kept until it is told: all of a CloudEvent but its source, which the estate record has.
    pub fn to_json(&self) -> Value {
        json!({
            "specversion": SPEC_VERSION,
            "id": self.id,
            "type": self.event_type(),
            "subject": self.happening.subject(),
            "time": self.at,
            "datacontenttype": "application/json",
            "data": self.happening.to_json(),
        })
    }
}

/// A kept event as it is sent.
pub fn with_source(mut kept: Value, source: &str) -> Value {
    if let Some(event) = kept.as_object_mut() {
        event.insert("source".to_owned(), json!(source));
    }
    kept
}

/// Ids in Azure are compared without regard to case, so the subject is too.
fn id(word: &str, subject: &str, occurrence: &str) -> String {
    let mut hash = Sha256::new();
    for part in [&event_type(word), &subject.to_lowercase(), occurrence] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex(&hash.finalize())
}

impl Happening {
    /// What it is about.
    pub fn subject(&self) -> String {
        let plan = |name: &Name| format!("recoveryPlans/{}", name.as_str());
        let alarm = |cause: &Name, policy: &Option<Name>| match policy {
            Some(policy) => format!("alarms/{}/{}", cause.as_str(), policy.as_str()),
            None => format!("alarms/{}", cause.as_str()),
        };
        match self {
            Self::PointCreated(PointCreated { machine, .. })
            | Self::PointFailed(PointFailed { machine, .. })
            | Self::PointExpired(PointExpired { machine, .. })
            | Self::ProtectionEnabled(ProtectionEnabled { machine, .. }) => machine.as_str().to_owned(),
            Self::RpoBreached(told) => format!("policies/{}", told.policy.as_str()),
            Self::AlarmRaised(told) => alarm(&told.cause, &told.policy),
            Self::AlarmClosed(told) => alarm(&told.cause, &told.policy),
            Self::RegionSuspected(told) => plan(&told.recovery_plan),
            Self::RegionConfirmed(told) => plan(&told.recovery_plan),
            Self::RegionRecovered(told) => plan(&told.recovery_plan),
            Self::ApprovalAsked(told) => plan(&told.recovery_plan),
            Self::FailoverStarted(told) => plan(&told.recovery_plan),
            Self::FailoverStep(told) => plan(&told.recovery_plan),
            Self::FailoverCompleted(told) => plan(&told.recovery_plan),
            Self::FailoverFailed(told) => plan(&told.recovery_plan),
            Self::FailoverRefused(told) => plan(&told.recovery_plan),
            Self::CommandRefused(told) => format!("commands/{}", told.command.as_str()),
            Self::CommandDone(told) => format!("commands/{}", told.command.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn created(machine: &str, point: &str) -> PointCreated {
        PointCreated {
            machine: ArmId::new(machine),
            point: Name::new(point),
            policy: None,
            consistency: Some(Name::new("CrashConsistent")),
        }
    }

    #[test]
    fn an_id_names_the_work_and_not_the_clock() {
        let at = |second| Timestamp::from_second(second).expect("a time");
        let one = Event::new(created("/subscriptions/S/vm/A", "p"), "p", at(1));
        let again = Event::new(created("/subscriptions/s/vm/a", "p"), "p", at(99));
        assert_eq!(one.id, again.id);
        assert_ne!(one.id, Event::new(created("/subscriptions/S/vm/A", "q"), "q", at(1)).id);
        assert_ne!(id("a", "b", "c"), id("a", "bc", ""));
        assert_eq!(one.id.len(), 64);
    }

    #[test]
    fn a_kept_event_is_a_cloud_event_once_it_has_its_source() {
        let event = Event::new(created("/subscriptions/s/vm/a", "p"), "p", Timestamp::UNIX_EPOCH);
        let sent = with_source(event.to_json(), &source("lb-weu", "e5"));
        assert_eq!(sent["source"], "/lifeboat/lb-weu/e5");
        assert_eq!(sent["type"], "io.lifeboat.point.created.v1");
        assert!(sent["data"].get("policy").is_none());
    }
}
