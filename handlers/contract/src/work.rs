//! Messages on the queue `reconcile`: one asks for one look at one machine.
//! A message id never holds the clock: it names the work, so that only true duplicates are dropped as duplicates.
//!
//! ```text
//! first message    attempt 1  look 1
//! look again       attempt 1  look 2, 3, …     the same piece of work, later
//! new attempt      attempt 2  look 1           under a new name of the point
//! ```

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The name of the queue.
pub const QUEUE: &str = "reconcile";
/// The newest version of the message, and the one that is written.
pub const VERSION: u32 = 1;
/// Service Bus takes message ids of at most 128 characters; a hash in hexadecimal has 64.
pub const MESSAGE_ID_CHARS_MAX: usize = 128;
/// The longest body read: a message has a few hundred bytes, and the standard tier of Service Bus takes 256 KiB.
pub const BODY_BYTES_MAX: usize = 256 * 1024;
/// The longest machine id, by the same rule; ARM ids of a machine stay far below it.
pub const MACHINE_CHARS_MAX: usize = crate::event_grid::TEXT_CHARS_MAX;
/// The longest text inside a cause: whatever is read from an event can be written into a message.
pub const CAUSE_CHARS_MAX: usize = crate::event_grid::TEXT_CHARS_MAX;

/// An order to bring one machine to its policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReconcileMessage {
    /// The version of this form.
    pub version: u32,
    /// The machine's ARM id, as it was spelled by who asked.
    pub machine: String,
    /// Why.
    pub cause: Cause,
    /// Which attempt at the work this belongs to, from 1.
    pub attempt: u32,
    /// Which look of that attempt this is, from 1.
    pub look: u32,
    /// Times that this look was put off because a budget of Azure's was spent; not part of the work, only of its turn.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub turn: u32,
    /// What of Azure's budgets is reserved for this look already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserved: Option<Reserved>,
}

/// Why a machine is looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Cause {
    /// An event said that it was written.
    Written {
        /// The event's own id.
        event_id: String,
    },
    /// An event said that it was deleted.
    Deleted {
        /// The event's own id.
        event_id: String,
    },
    /// A sweep found that something is due.
    Swept {
        /// The sweep's number.
        sweep: u64,
    },
    /// A person or another system asked.
    Asked {
        /// The id of what they sent: the idempotency key.
        request_id: String,
    },
}

/// A share of one of Azure's budgets, reserved for the moment at which a message is to be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Reserved {
    /// The reads of one look.
    Look,
    /// The reads of one look, and one restore point.
    Point,
}

fn is_zero(turn: &u32) -> bool {
    *turn == 0
}

/// Why a message was not understood. None becomes understood by repeating it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkError {
    /// Longer than any message of ours. A repeat gives the same.
    #[error("the message has {bytes} bytes, more than the {BODY_BYTES_MAX} that are read")]
    TooLarge {
        /// Its length.
        bytes: usize,
    },
    /// Not JSON, or not of this form. A repeat gives the same.
    #[error("the message is not a reconcile message: {reason}")]
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

/// What is wrong with a field of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldFault {
    /// There is nothing in it.
    #[error("is empty")]
    Empty,
    /// It is longer than allowed.
    #[error("is longer than {0} characters")]
    TooLong(usize),
    /// It counts from 1.
    #[error("is 0, but counts from 1")]
    Zero,
    /// It is not an ARM id.
    #[error("is not an ARM id: it does not begin with /subscriptions/")]
    NotArmId,
}

impl ReconcileMessage {
    /// The first message of a piece of work.
    pub fn new(machine: impl Into<String>, cause: Cause) -> Self {
        Self { version: VERSION, machine: machine.into(), cause, attempt: 1, look: 1, turn: 0, reserved: None }
    }

    /// The message for the next look at the same attempt; it has an id of its own.
    pub fn next_look(&self) -> Self {
        Self { look: self.look.saturating_add(1), turn: 0, reserved: None, ..self.clone() }
    }

    /// The message for a new attempt; its looks count from 1 again.
    pub fn next_attempt(&self) -> Self {
        Self { attempt: self.attempt.saturating_add(1), look: 1, turn: 0, reserved: None, ..self.clone() }
    }

    /// The same look in its next turn, for which a share of a budget is reserved.
    pub fn next_turn(&self, reserved: Reserved) -> Self {
        Self { turn: self.turn.saturating_add(1), reserved: Some(reserved), ..self.clone() }
    }

    /// The id under which Service Bus drops duplicates: a hash of kind, machine, cause, attempt and look.
    ///
    /// Each part is preceded by its length, so that no two pieces of work read as one text. The machine counts without
    /// regard to case, because Azure spells one id in several ways.
    pub fn message_id(&self) -> String {
        let (kind, cause) = match &self.cause {
            Cause::Written { event_id } => ("written", event_id.clone()),
            Cause::Deleted { event_id } => ("deleted", event_id.clone()),
            Cause::Swept { sweep } => ("swept", sweep.to_string()),
            Cause::Asked { request_id } => ("asked", request_id.clone()),
        };
        let mut sha = Sha256::new();
        let machine = self.machine.to_lowercase();
        for part in [QUEUE, &machine, kind, &cause, &self.attempt.to_string(), &self.look.to_string()] {
            sha.update((part.len() as u64).to_be_bytes());
            sha.update(part.as_bytes());
        }
        // A look that was put off is the same look in another turn: it must not be dropped as a duplicate of the first.
        if self.turn > 0 {
            sha.update(self.turn.to_be_bytes());
        }
        sha.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The message as bytes, after the same checks that reading makes.
    pub fn encode(&self) -> Result<Vec<u8>, WorkError> {
        self.check()?;
        serde_json::to_vec(self).map_err(not_understood)
    }

    /// Reads a message. Unknown fields are passed over, so that a later release may add some.
    pub fn decode(body: &[u8]) -> Result<Self, WorkError> {
        if body.len() > BODY_BYTES_MAX {
            return Err(WorkError::TooLarge { bytes: body.len() });
        }
        // The version first: a message of another version may differ in every other field.
        let Versioned { version } = serde_json::from_slice(body).map_err(not_understood)?;
        if version != u64::from(VERSION) {
            return Err(WorkError::UnknownVersion { version });
        }
        let message: Self = serde_json::from_slice(body).map_err(not_understood)?;
        message.check()?;
        Ok(message)
    }

    fn check(&self) -> Result<(), WorkError> {
        let bad = |field, fault| Err(WorkError::BadField { field, fault });
        text("machine", &self.machine, MACHINE_CHARS_MAX)?;
        if !self.machine.to_ascii_lowercase().starts_with("/subscriptions/") {
            return bad("machine", FieldFault::NotArmId);
        }
        match &self.cause {
            Cause::Written { event_id } | Cause::Deleted { event_id } => {
                text("cause.eventId", event_id, CAUSE_CHARS_MAX)?;
            }
            Cause::Asked { request_id } => text("cause.requestId", request_id, CAUSE_CHARS_MAX)?,
            Cause::Swept { .. } => {}
        }
        match (self.attempt, self.look) {
            _ if self.version != VERSION => Err(WorkError::UnknownVersion { version: u64::from(self.version) }),
            (0, _) => bad("attempt", FieldFault::Zero),
            (_, 0) => bad("look", FieldFault::Zero),
            _ => Ok(()),
        }
    }
}

#[derive(Deserialize)]
struct Versioned {
    version: u64,
}

fn text(field: &'static str, value: &str, max: usize) -> Result<(), WorkError> {
    if value.is_empty() {
        return Err(WorkError::BadField { field, fault: FieldFault::Empty });
    }
    if value.chars().count() > max {
        return Err(WorkError::BadField { field, fault: FieldFault::TooLong(max) });
    }
    Ok(())
}

fn not_understood(error: serde_json::Error) -> WorkError {
    WorkError::NotUnderstood { reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const GOLDEN: &str = include_str!("../golden/reconcile-message.v1.json");
    const VM: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-app/providers/Microsoft.Compute/virtualMachines/vm-1";

    fn samples() -> Vec<ReconcileMessage> {
        let written =
            ReconcileMessage::new(VM, Cause::Written { event_id: "4db48cba-50a2-455a-93b4-de41a3b5b701".into() });
        let swept = ReconcileMessage::new(VM, Cause::Swept { sweep: 42 }).next_attempt().next_look().next_look();
        let asked = ReconcileMessage::new(VM, Cause::Asked { request_id: "r-1".into() }).next_look();
        let deleted =
            ReconcileMessage::new(VM, Cause::Deleted { event_id: "2c9d3d63-0c0a-4c2e-9d57-6b3f0f1f7a04".into() });
        vec![written, swept, asked, deleted]
    }

    #[test]
    fn what_the_first_release_wrote_is_read_and_written_as_then() {
        let golden: Vec<serde_json::Value> = serde_json::from_str(GOLDEN).unwrap();
        let samples = samples();
        assert_eq!(golden.len(), samples.len());
        for (golden, sample) in golden.iter().zip(samples) {
            let body = serde_json::to_vec(&golden["body"]).unwrap();
            assert_eq!(ReconcileMessage::decode(&body).unwrap(), sample);
            let written: serde_json::Value = serde_json::from_slice(&sample.encode().unwrap()).unwrap();
            assert_eq!(written, golden["body"]);
            assert_eq!(golden["messageId"], sample.message_id(), "duplicates must be known across releases");
        }
    }

    #[test]
    fn every_piece_of_work_has_an_id_of_its_own_and_keeps_it() {
        let mut ids = BTreeSet::new();
        let mut count = 0;
        for first in samples() {
            let mut message = first;
            for step in 0..50 {
                assert_eq!(message.message_id(), message.clone().message_id());
                assert!(message.message_id().len() <= MESSAGE_ID_CHARS_MAX);
                ids.insert(message.message_id());
                count += 1;
                message = match step % 7 {
                    6 => message.next_attempt(),
                    2 => message.next_turn(Reserved::Point),
                    _ => message.next_look(),
                };
            }
        }
        assert_eq!(ids.len(), count);
        let spelled = |machine: String| ReconcileMessage::new(machine, Cause::Swept { sweep: 1 }).message_id();
        assert_eq!(spelled(VM.to_uppercase()), spelled(VM.to_lowercase()));
    }

    #[test]
    fn a_message_that_is_not_ours_is_refused_with_its_reason() {
        let check = |body: &str, expected: &str| {
            let said = ReconcileMessage::decode(body.as_bytes()).unwrap_err().to_string();
            assert!(said.contains(expected), "{body}: {said}");
        };
        check("", "not a reconcile message: EOF");
        check("[]", "not a reconcile message");
        check("{}", "missing field `version`");
        check(r#"{"version":2,"anything":1}"#, "version 2; this release reads version 1");
        check(
            r#"{"version":1,"machine":"/subscriptions/a","cause":{"kind":"swept"},"attempt":1,"look":1}"#,
            "missing field `sweep`",
        );
        check(
            r#"{"version":1,"machine":"/subscriptions/a","cause":{"kind":"dreamt"},"attempt":1,"look":1}"#,
            "unknown variant `dreamt`",
        );
        check(
            r#"{"version":1,"machine":"vm","cause":{"kind":"swept","sweep":1},"attempt":1,"look":1}"#,
            "field machine is not an ARM id",
        );
        check(
            r#"{"version":1,"machine":"","cause":{"kind":"swept","sweep":1},"attempt":1,"look":1}"#,
            "field machine is empty",
        );
        check(
            r#"{"version":1,"machine":"/subscriptions/a","cause":{"kind":"swept","sweep":1},"attempt":1,"look":0}"#,
            "field look is 0",
        );
        check(
            r#"{"version":1,"machine":"/subscriptions/a","cause":{"kind":"written","eventId":""},"attempt":1,"look":1}"#,
            "cause.eventId is empty",
        );
        check(&" ".repeat(BODY_BYTES_MAX + 1), "more than the");
        let long = ReconcileMessage::new(
            format!("/subscriptions/{}", "x".repeat(MACHINE_CHARS_MAX)),
            Cause::Swept { sweep: 1 },
        );
        assert!(long.encode().unwrap_err().to_string().contains("longer than 1024"));
        assert!(ReconcileMessage::decode(&[0xff, 0xfe]).is_err());
    }

    #[test]
    fn fields_of_a_later_release_are_passed_over() {
        let body = r#"{"version":1,"machine":"/subscriptions/a","cause":{"kind":"swept","sweep":1,"page":2},"attempt":1,"look":1,"hurry":true}"#;
        assert!(ReconcileMessage::decode(body.as_bytes()).is_ok());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused_never_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            let _ = ReconcileMessage::decode(&bytes);
        }

        #[test]
        fn what_is_written_reads_back(rest in ".{0,80}", id in ".{1,80}", sweep: u64, attempt in 1u32.., look in 1u32.., pick in 0..4) {
            let cause = match pick {
                0 => Cause::Written { event_id: id },
                1 => Cause::Swept { sweep },
                2 => Cause::Deleted { event_id: id },
                _ => Cause::Asked { request_id: id },
            };
            let message = ReconcileMessage { attempt, look, ..ReconcileMessage::new(format!("/subscriptions/{rest}"), cause) };
            prop_assert_eq!(ReconcileMessage::decode(&message.encode().unwrap()).unwrap(), message);
        }
    }
}
