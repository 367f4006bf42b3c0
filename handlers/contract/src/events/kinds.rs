//! Every kind of event that Lifeboat tells, with its data: one table, from which the types, the schemas and AsyncAPI come.
//! It never holds a token, a key or a signed address, and nothing that is not bounded.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::bounded::{ArmId, Line, List, Name, Shape};

/// Machines named in an event, at most: what a person reads; the count says how many there are.
pub const MACHINES_MAX: usize = 20;
/// Reasons named in an event, at most: more conditions than a declaration has.
pub const REASONS_MAX: usize = 32;

/// What a kind is, for schemas and documents.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// What stands between the prefix and the version in its type: `point.created`.
    pub word: &'static str,
    /// What it tells, one line a sentence.
    pub says: &'static [&'static str],
    /// Its data.
    pub fields: fn() -> Vec<Field>,
}

/// A field of an event's data.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name in JSON.
    pub name: String,
    /// What it says.
    pub says: String,
    /// Whether it is in every event.
    pub required: bool,
    /// Its schema.
    pub schema: Value,
}

fn field<T: Shape>(name: &str, says: &[&str]) -> Field {
    let says: Vec<&str> = says.iter().map(|line| line.trim()).collect();
    Field { name: camel(name), says: says.join(" "), required: T::REQUIRED, schema: T::schema() }
}

fn camel(name: &str) -> String {
    let mut parts = name.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let (head, tail) = part.split_at(part.len().min(1));
        text + &head.to_ascii_uppercase() + tail
    })
}

macro_rules! kinds {
    ($($(#[doc = $says:literal])+ $kind:ident = $word:literal {
        $($(#[doc = $field_says:literal])+ $field:ident: $shape:ty,)+
    })+) => {
        $(
            $(#[doc = $says])+
            #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
            #[serde(rename_all = "camelCase")]
            pub struct $kind {
                $($(#[doc = $field_says])+ #[serde(skip_serializing_if = "Shape::is_absent")] pub $field: $shape,)+
            }
        )+

        /// What happened.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Happening {
            $($(#[doc = $says])+ $kind($kind),)+
        }

        /// Every kind.
        pub const KINDS: &[Kind] = &[
            $(Kind { word: $word, says: &[$($says),+], fields: || vec![
                $(field::<$shape>(stringify!($field), &[$($field_says),+]),)+
            ] },)+
        ];

        impl Happening {
            /// What stands between the prefix and the version in its type.
            pub fn word(&self) -> &'static str {
                match self { $(Self::$kind(_) => $word,)+ }
            }

            /// Its data as JSON.
            pub fn to_json(&self) -> Value {
                let value = match self { $(Self::$kind(told) => serde_json::to_value(told),)+ };
                // Texts, numbers and lists of them: there is nothing in them that JSON cannot say.
                value.unwrap_or_else(|_| Value::Object(Map::new()))
            }
        }

        $(impl From<$kind> for Happening {
            fn from(told: $kind) -> Self {
                Self::$kind(told)
            }
        })+
    };
}

kinds! {
    /// A recovery point that Lifeboat made succeeded: one can restore from it.
    PointCreated = "point.created" {
        /// ARM id of the machine.
        machine: ArmId,
        /// Name of the point.
        point: Name,
        /// The policy that it was made for; missing where the decision is not read any more.
        policy: Option<Name>,
        /// Consistency as really reached, in Azure's word.
        consistency: Option<Name>,
    }
    /// A recovery point that Lifeboat tried to make failed; it stays as evidence, and the next attempt has its own name.
    PointFailed = "point.failed" {
        /// ARM id of the machine.
        machine: ArmId,
        /// Name of the point.
        point: Name,
        /// The policy that it was made for; missing where the decision is not read any more.
        policy: Option<Name>,
    }
    /// A recovery point expired, and Azure says that it is gone.
    PointExpired = "point.expired" {
        /// ARM id of the machine.
        machine: ArmId,
        /// Name of the point.
        point: Name,
        /// The policy whose rules let it go; missing where the decision is not read any more.
        policy: Option<Name>,
    }
    /// Azure accepted that a machine is protected in a vault; its first backup follows.
    ProtectionEnabled = "protection.enabled" {
        /// ARM id of the machine.
        machine: ArmId,
        /// The policy that asks for it; missing where the decision is not read any more.
        policy: Option<Name>,
        /// What was done: the vault and the vault policy by name.
        what: Line,
    }
    /// The newest conforming point of machines is older than their policy's `rpo`. Told when the breach begins.
    RpoBreached = "rpo.breached" {
        /// The policy.
        policy: Name,
        /// Since when.
        since: Timestamp,
        /// Some of the machines, by ARM id.
        machines: List<ArmId, MACHINES_MAX>,
        /// How many there are.
        machines_total: u64,
    }
    /// An alarm opened: one for each cause and policy.
    AlarmRaised = "alarm.raised" {
        /// The cause, in the word of logs and metrics.
        cause: Name,
        /// The policy; missing where the cause is not about one.
        policy: Option<Name>,
        /// What it is about.
        what: Line,
        /// Since when it is open.
        since: Timestamp,
        /// Some of the machines, by ARM id.
        machines: List<ArmId, MACHINES_MAX>,
        /// How many there are.
        machines_total: u64,
    }
    /// An alarm closed by itself: its cause is over.
    AlarmClosed = "alarm.closed" {
        /// The cause, in the word of logs and metrics.
        cause: Name,
        /// The policy; missing where the cause is not about one.
        policy: Option<Name>,
        /// Since when it was open.
        since: Timestamp,
        /// When its cause was over.
        closed_at: Timestamp,
        /// How often it was raised meanwhile.
        count: u64,
    }
    /// The first source of evidence says that the region of a recovery plan is in trouble: an incident opened.
    RegionSuspected = "region.suspected" {
        /// The recovery plan.
        recovery_plan: Name,
        /// The region.
        region: Name,
        /// The incident.
        incident: Name,
        /// Since when, by the evidence.
        since: Timestamp,
        /// The evidence, a line for each source.
        evidence: List<Line, REASONS_MAX>,
    }
    /// Enough independent evidence for the whole window: the region counts as lost for the recovery plan.
    RegionConfirmed = "region.confirmed" {
        /// The recovery plan.
        recovery_plan: Name,
        /// The region.
        region: Name,
        /// The incident.
        incident: Name,
        /// Since when, by the evidence.
        since: Timestamp,
        /// The evidence, a line for each source.
        evidence: List<Line, REASONS_MAX>,
        /// What a failover now would lose, in seconds; missing while it is not known.
        data_loss_seconds: Option<u64>,
    }
    /// The region answers again by good readings.
    RegionRecovered = "region.recovered" {
        /// The recovery plan.
        recovery_plan: Name,
        /// The region.
        region: Name,
        /// The incident.
        incident: Name,
    }
    /// A person is asked to approve a failover, of exactly what the digest names.
    ApprovalAsked = "approval.asked" {
        /// The recovery plan.
        recovery_plan: Name,
        /// The incident.
        incident: Name,
        /// What is to be approved: the digest that an approval names.
        digest: Name,
        /// The question.
        question: Line,
        /// How many people must approve.
        approvals: u64,
        /// After this an approval is refused.
        until: Timestamp,
        /// What would be lost, in seconds; missing while it is not known.
        data_loss_seconds: Option<u64>,
        /// How long it would take, in seconds; missing while it is not known.
        takes_seconds: Option<u64>,
    }
    /// A failover began.
    FailoverStarted = "failover.started" {
        /// The recovery plan.
        recovery_plan: Name,
        /// The saga.
        saga: Name,
        /// The incident; missing where a person ordered it without one.
        incident: Option<Name>,
        /// Who declared: `rules`, `approval` or `person`; missing where the order does not say.
        by: Option<Name>,
        /// What was approved.
        digest: Option<Name>,
    }
    /// A step of a failover came to another state, or something about it was asked or answered.
    FailoverStep = "failover.step" {
        /// The recovery plan.
        recovery_plan: Name,
        /// The saga.
        saga: Name,
        /// The step, by its name in the step table.
        step: Name,
        /// What it came to: `done`, `undoing`, `undone`, `asked`, `reminded`, `answered`, `withdrawn`, `orderRefused`,
        /// `goesOn` though the region came back, `warned` by Azure beside success, or `ended`.
        state: Name,
        /// ARM id of the machine that it is about; missing where it is about all.
        machine: Option<ArmId>,
        /// More in words.
        detail: Option<Line>,
    }
    /// The workload serves from the other region, verified from outside where the recovery plan says how.
    FailoverCompleted = "failover.completed" {
        /// The recovery plan.
        recovery_plan: Name,
        /// The saga.
        saga: Name,
        /// From the order to serving, in seconds.
        rto_seconds: u64,
        /// What was lost, in seconds; missing where it is not known.
        data_loss_seconds: Option<u64>,
    }
    /// A failover stopped: it was undone, or it waits for a person.
    FailoverFailed = "failover.failed" {
        /// The recovery plan.
        recovery_plan: Name,
        /// The saga.
        saga: Name,
        /// The step at which it stopped.
        step: Name,
        /// Why.
        reason: Line,
        /// What a person is asked; missing where it was undone.
        question: Option<Line>,
    }
    /// A failover was not begun: conditions are not met.
    FailoverRefused = "failover.refused" {
        /// The recovery plan.
        recovery_plan: Name,
        /// The incident; missing where there is none.
        incident: Option<Name>,
        /// Each condition that is not met.
        unmet: List<Line, REASONS_MAX>,
    }
    /// A command was refused; it is not tried again.
    CommandRefused = "command.refused" {
        /// The command's id.
        command: Name,
        /// What was ordered: `StartFailover`, …
        ordered: Name,
        /// The field at fault; missing where it is not about one.
        field: Option<Name>,
        /// Why.
        reason: Line,
        /// Object id of the person or application; missing where nobody was verified.
        by: Option<Name>,
    }
    /// A command was carried out.
    CommandDone = "command.done" {
        /// The command's id.
        command: Name,
        /// What was ordered: `Hold`, …
        ordered: Name,
        /// What came of it.
        outcome: Line,
        /// Whether only the plan was asked for.
        dryrun: bool,
        /// Object id of the person or application; missing where nobody was verified.
        by: Option<Name>,
    }
}
