//! Messages on the queue `sagas`: one asks for one look at a region's evidence, or for one step of one recovery plan's saga.
//! A message id never holds the clock of a try: it names the work, so that only true duplicates are dropped as duplicates.
//!
//! ```text
//! Evaluate   region, minute        one for a region and a minute of evidence, however many thousand pieces that minute brings
//! Step       recovery plan, look   look 1, 2, 3, … of one recovery plan's saga
//! ```

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use crate::work::{BODY_BYTES_MAX, FieldFault, MESSAGE_ID_CHARS_MAX};

/// The name of the queue.
pub const QUEUE: &str = "sagas";
/// The newest version of the message, and the one that is written.
pub const VERSION: u32 = 1;
/// The longest name of a region: Azure's longest has some twenty letters.
pub const REGION_CHARS_MAX: usize = 64;
/// The longest name of a recovery plan: the same bound as a document's name, with room for later releases.
pub const RECOVERY_PLAN_CHARS_MAX: usize = 256;
/// Seconds of the span whose evidence is evaluated together.
pub const MINUTE_SECS: i64 = 60;

/// An order to look at evidence, or to go on with a saga.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SagasMessage {
    /// The version of this form.
    pub version: u32,
    /// What is asked for.
    pub ask: Ask,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Ask {
    /// Evaluate what stands of a region, for every recovery plan that names it.
    Evaluate {
        /// The region, as Azure names it: `westeurope`.
        region: String,
        /// The minute in which evidence was given in, in minutes since 1970-01-01T00:00Z.
        minute: i64,
    },
    /// One more step of a recovery plan's saga.
    Step {
        /// The recovery plan.
        recovery_plan: String,
        /// Which look at the saga this is, from 1.
        look: u64,
    },
}

/// Why a message was not understood. None becomes understood by repeating it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SagasError {
    /// Longer than any message of ours. A repeat gives the same.
    #[error("the message has {bytes} bytes, more than the {BODY_BYTES_MAX} that are read")]
    TooLarge {
        /// Its length.
        bytes: usize,
    },
    /// Not JSON, or not of this form. A repeat gives the same.
    #[error("the message is not a message of the queue {QUEUE}: {reason}")]
    NotUnderstood {
        /// What the JSON reader said, with line and column.
        reason: String,
    },
    /// Of a version that this release does not read. A newer release may.
    #[error("the message has version {version}; this release reads version {VERSION}")]
    UnknownVersion {
        /// Its version.
        version: u64,
    },
    /// A field holds what no message of ours holds. A repeat gives the same.
    #[error("the message's field {field} {fault}")]
    BadField {
        /// The field's path.
        field: &'static str,
        /// What is wrong with it.
        fault: FieldFault,
    },
}

impl SagasMessage {
    /// The message that asks for the evaluation of a region's evidence, given in at `at`.
    pub fn evaluate(region: impl Into<String>, at: Timestamp) -> Self {
        Self::of(Ask::Evaluate { region: region.into(), minute: at.as_second().div_euclid(MINUTE_SECS) })
    }

    /// The message for the first look at a recovery plan's saga.
    pub fn step(recovery_plan: impl Into<String>) -> Self {
        Self::of(Ask::Step { recovery_plan: recovery_plan.into(), look: 1 })
    }

    fn of(ask: Ask) -> Self {
        Self { version: VERSION, ask }
    }

    /// The message for the next look at the same saga, or for the region's next minute; it has an id of its own.
    pub fn next(&self) -> Self {
        Self::of(match &self.ask {
            Ask::Evaluate { region, minute } => {
                Ask::Evaluate { region: region.clone(), minute: minute.saturating_add(1) }
            }
            Ask::Step { recovery_plan, look } => {
                Ask::Step { recovery_plan: recovery_plan.clone(), look: look.saturating_add(1) }
            }
        })
    }

    /// When the minute of an evaluation is over: seen then, one message stands for all that its minute brought. None of a step.
    pub fn minute_ends_at(&self) -> Option<Timestamp> {
        match self.ask {
            Ask::Evaluate { minute, .. } => {
                Timestamp::from_second(minute.checked_add(1)?.checked_mul(MINUTE_SECS)?).ok()
            }
            Ask::Step { .. } => None,
        }
    }

    /// The id under which Service Bus drops duplicates: a hash of kind and work.
    ///
    /// Each part is preceded by its length, so that no two pieces of work read as one text. A region counts without regard to
    /// case, because Azure spells it in several ways; the name of a recovery plan has no capitals.
    pub fn message_id(&self) -> String {
        let (kind, name, number) = match &self.ask {
            Ask::Evaluate { region, minute } => ("evaluate", region.to_lowercase(), minute.to_string()),
            Ask::Step { recovery_plan, look } => ("step", recovery_plan.clone(), look.to_string()),
        };
        let mut sha = Sha256::new();
        for part in [QUEUE, kind, &name, &number] {
            sha.update((part.len() as u64).to_be_bytes());
            sha.update(part.as_bytes());
        }
        sha.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The message as bytes, after the same checks that reading makes.
    pub fn encode(&self) -> Result<Vec<u8>, SagasError> {
        self.check()?;
        serde_json::to_vec(self).map_err(not_understood)
    }

    /// Reads a message. Unknown fields are passed over, so that a later release may add some.
    pub fn decode(body: &[u8]) -> Result<Self, SagasError> {
        if body.len() > BODY_BYTES_MAX {
            return Err(SagasError::TooLarge { bytes: body.len() });
        }
        // The version first: a message of another version may differ in every other field.
        let Versioned { version } = serde_json::from_slice(body).map_err(not_understood)?;
        if version != u64::from(VERSION) {
            return Err(SagasError::UnknownVersion { version });
        }
        let message: Self = serde_json::from_slice(body).map_err(not_understood)?;
        message.check()?;
        Ok(message)
    }

    fn check(&self) -> Result<(), SagasError> {
        if self.version != VERSION {
            return Err(SagasError::UnknownVersion { version: u64::from(self.version) });
        }
        match &self.ask {
            Ask::Evaluate { region, .. } => text("ask.region", region, REGION_CHARS_MAX),
            Ask::Step { look: 0, .. } => Err(SagasError::BadField { field: "ask.look", fault: FieldFault::Zero }),
            Ask::Step { recovery_plan, .. } => text("ask.recoveryPlan", recovery_plan, RECOVERY_PLAN_CHARS_MAX),
        }
    }
}

#[derive(Deserialize)]
struct Versioned {
    version: u64,
}

fn text(field: &'static str, value: &str, max: usize) -> Result<(), SagasError> {
    let fault = match value.chars().count() {
        0 => FieldFault::Empty,
        chars if chars > max => FieldFault::TooLong(max),
        _ => return Ok(()),
    };
    Err(SagasError::BadField { field, fault })
}

fn not_understood(error: serde_json::Error) -> SagasError {
    SagasError::NotUnderstood { reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const GOLDEN: &str = include_str!("../golden/sagas-message.v1.json");

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn samples() -> Vec<SagasMessage> {
        let evaluate = SagasMessage::evaluate("westeurope", at("2026-11-22T02:00:59Z"));
        let step = SagasMessage::step("shop");
        vec![evaluate, step.clone(), step.next().next()]
    }

    #[test]
    fn what_the_first_release_wrote_is_read_and_written_as_then() {
        let golden: Vec<serde_json::Value> = serde_json::from_str(GOLDEN).unwrap();
        let samples = samples();
        assert_eq!(golden.len(), samples.len());
        for (golden, sample) in golden.iter().zip(samples) {
            let body = serde_json::to_vec(&golden["body"]).unwrap();
            assert_eq!(SagasMessage::decode(&body).unwrap(), sample);
            let written: serde_json::Value = serde_json::from_slice(&sample.encode().unwrap()).unwrap();
            assert_eq!(written, golden["body"]);
            assert_eq!(golden["messageId"], sample.message_id(), "duplicates must be known across releases");
        }
    }

    #[test]
    fn evidence_of_one_region_and_minute_is_evaluated_once_and_that_of_the_next_again() {
        let first = SagasMessage::evaluate("westeurope", at("2026-11-22T02:00:00Z"));
        let last = SagasMessage::evaluate("WestEurope", at("2026-11-22T02:00:59.999Z"));
        assert_eq!(first.message_id(), last.message_id());
        assert_eq!(first.minute_ends_at(), Some(at("2026-11-22T02:01:00Z")));
        let later = SagasMessage::evaluate("westeurope", at("2026-11-22T02:01:00Z"));
        assert_eq!(later, first.next());
        assert_ne!(later.message_id(), first.message_id());
        let elsewhere = SagasMessage::evaluate("northeurope", at("2026-11-22T02:00:00Z"));
        assert_ne!(elsewhere.message_id(), first.message_id());
        assert_eq!(SagasMessage::step("shop").minute_ends_at(), None);
    }

    #[test]
    fn every_piece_of_work_has_an_id_of_its_own() {
        let mut ids = BTreeSet::new();
        let firsts = [samples().remove(0), SagasMessage::step("shop"), SagasMessage::step("westeurope")];
        for first in firsts {
            let mut message = first;
            for _ in 0..50 {
                assert!(message.message_id().len() <= MESSAGE_ID_CHARS_MAX);
                ids.insert(message.message_id());
                message = message.next();
            }
        }
        assert_eq!(ids.len(), 150);
    }

    #[test]
    fn a_message_that_is_not_ours_is_refused_with_its_reason() {
        let check = |body: &str, expected: &str| {
            let said = SagasMessage::decode(body.as_bytes()).unwrap_err().to_string();
            assert!(said.contains(expected), "{body}: {said}");
        };
        check("", "not a message of the queue sagas: EOF");
        check("{}", "missing field `version`");
        check(r#"{"version":2,"anything":1}"#, "version 2; this release reads version 1");
        check(r#"{"version":1,"ask":{"kind":"dream"}}"#, "unknown variant `dream`");
        check(r#"{"version":1,"ask":{"kind":"evaluate","region":"westeurope"}}"#, "missing field `minute`");
        check(r#"{"version":1,"ask":{"kind":"evaluate","region":"","minute":1}}"#, "ask.region is empty");
        check(r#"{"version":1,"ask":{"kind":"step","recoveryPlan":"","look":1}}"#, "ask.recoveryPlan is empty");
        check(r#"{"version":1,"ask":{"kind":"step","recoveryPlan":"shop","look":0}}"#, "ask.look is 0");
        check(&" ".repeat(BODY_BYTES_MAX + 1), "more than the");
        let long = SagasMessage::step("x".repeat(RECOVERY_PLAN_CHARS_MAX + 1));
        assert!(long.encode().unwrap_err().to_string().contains("longer than 256"));
    }

    #[test]
    fn fields_of_a_later_release_are_passed_over() {
        let body = r#"{"version":1,"ask":{"kind":"step","recoveryPlan":"shop","look":1,"hurry":true},"from":"a"}"#;
        assert_eq!(SagasMessage::decode(body.as_bytes()).unwrap(), SagasMessage::step("shop"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused_never_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            let _ = SagasMessage::decode(&bytes);
        }

        #[test]
        fn what_is_written_reads_back(name in ".{1,60}", minute: i64, look in 1u64.., evaluates: bool) {
            let ask = if evaluates {
                Ask::Evaluate { region: name, minute }
            } else {
                Ask::Step { recovery_plan: name, look }
            };
            let message = SagasMessage { version: VERSION, ask };
            prop_assert_eq!(SagasMessage::decode(&message.encode().unwrap()).unwrap(), message.clone());
            prop_assert!(message.message_id() == message.clone().message_id() && message.minute_ends_at() == message.minute_ends_at());
        }
    }
}
