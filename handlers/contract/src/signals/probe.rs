//! The result of a probe of ours: what was asked, of which region, and what came of it.
//! It never says more than that one request did: how many failures make a source is decided elsewhere.
//!
//! ```json
//! {"probe": "shop-front", "region": "westeurope", "kind": "http", "outcome": "failed", "reason": "no answer within 5 s"}
//! ```

use jiff::Timestamp;
use lifeboat_planning::signal::{About, Origin, Signal, State, Told};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::reason::{NotCounted, RawBecause};
use super::{Known, Reading};

/// The result of one request. The form is strict, because it is ours.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ProbeResult {
    /// The probe's name.
    pub probe: String,
    /// The region whose side was asked.
    pub region: String,
    /// How it was asked.
    pub kind: ProbeKind,
    /// What came of it.
    pub outcome: ProbeOutcome,
    /// When it was asked; the moment of arrival where it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// In words, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How long it took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u64>,
}

/// How a probe asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ProbeKind {
    /// A request and its answer.
    Http,
    /// A connection.
    Tcp,
}

/// What came of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ProbeOutcome {
    /// It was answered as expected.
    Ok,
    /// It was not.
    Failed,
    /// It could not be sent, by a fault on our side: that says nothing of the other.
    NotSent,
}

/// Reads a result.
pub(super) fn read(body: &Value, known: &Known, at: Timestamp) -> Reading {
    let Ok(result) = ProbeResult::deserialize(body) else { return Reading::raw(RawBecause::NotAProbe, body) };
    if result.probe.trim().is_empty() {
        return Reading::raw(RawBecause::NoId, body);
    }
    let state = match result.outcome {
        ProbeOutcome::Ok => State::Well,
        ProbeOutcome::Failed => State::Failing,
        ProbeOutcome::NotSent => return Reading::uncounted(&result.probe, NotCounted::ProbeNotSent),
    };
    let Some(region) = known.region(&result.region) else {
        return Reading::uncounted(&result.probe, NotCounted::UnknownRegion);
    };
    let said_at = result.at.unwrap_or(at).min(at);
    let signal = Signal {
        origin: Origin::Probe,
        region: region.to_owned(),
        about: About::Region { matter: result.probe, service: String::new() },
        state,
        since: Some(said_at),
        said_at,
        told: Told::Reading,
    };
    Reading { signals: vec![signal], ..Reading::default() }
}
