//! Reads Event Grid events of machines being written or deleted, in Event Grid's own schema and as CloudEvents 1.0.
//! It never keeps nor repeats who caused an event (`claims`, `authorization`, addresses), and never takes an event for a fact:
//! what it gives is a hint to read the machine again.
//!
//! Sent by the system topic of a subscription or a resource group. Of an event only these fields are looked at:
//!
//! ```text
//! Event Grid schema   id  eventType  eventTime  topic   data.{operationName, resourceUri, status, httpRequest.method}
//! CloudEvents 1.0     id  type       time       source  the same
//! ```

use std::fmt;

use jiff::Timestamp;
use serde_json::{Map, Value};

/// The type of the events that tell of a write.
pub const WRITE_SUCCESS: &str = "Microsoft.Resources.ResourceWriteSuccess";
/// The type of the events that tell of a delete.
pub const DELETE_SUCCESS: &str = "Microsoft.Resources.ResourceDeleteSuccess";
/// The operation that creates or updates a machine; Azure compares such names without regard to case.
pub const VM_WRITE: &str = "Microsoft.Compute/virtualMachines/write";
/// The operation that deletes a machine.
pub const VM_DELETE: &str = "Microsoft.Compute/virtualMachines/delete";
/// The longest text kept of an event: ARM ids stay below it, and whatever is longer is none of ours.
pub const TEXT_CHARS_MAX: usize = 1_024;

/// What an event is to tell of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It was created or updated, which of both is not known from the event.
    Written,
    /// It was deleted.
    Deleted,
}

impl Told {
    fn kind(self) -> &'static str {
        match self {
            Self::Written => WRITE_SUCCESS,
            Self::Deleted => DELETE_SUCCESS,
        }
    }

    fn operation(self) -> &'static str {
        match self {
            Self::Written => VM_WRITE,
            Self::Deleted => VM_DELETE,
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Written => "write",
            Self::Deleted => "delete",
        })
    }
}

/// Something was done to a machine, as an event tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineHint {
    /// The event's own id: the same when it is delivered again.
    pub event_id: String,
    /// The machine's ARM id, as the event spells it.
    pub resource: String,
    /// The operation's name, as the event spells it.
    pub operation_name: String,
    /// When the event says that it happened; `None` where it does not say so in a form that is read.
    pub at: Option<Timestamp>,
    /// The request's method where the event has one: a weak hint, `PUT` both creates and updates.
    pub http_method: Option<String>,
}

/// Why an event asks for nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Ignored {
    /// It is not a JSON object with a type: nothing that Event Grid sends.
    #[error("it is not an event: it has no {0}")]
    NotAnEvent(&'static str),
    /// Event Grid asks whether we want its events; the host has answered that already.
    #[error("it validates the subscription")]
    SubscriptionValidation,
    /// A resource was deleted.
    #[error("it tells of a delete")]
    Deleted,
    /// A resource was written.
    #[error("it tells of a write")]
    Written,
    /// Something was done to a resource that is neither a write nor a delete, as a start or a power-off.
    #[error("it tells of an action")]
    Action,
    /// A write, delete or action that failed or was cancelled.
    #[error("it tells of something that did not succeed")]
    NotSucceeded,
    /// A machine's or a region's health.
    #[error("it tells of health")]
    Health,
    /// Azure announces maintenance.
    #[error("it tells of maintenance")]
    Maintenance,
    /// A resource notification without an operation; what was done comes as an event of its own.
    #[error("it is a resource notification, beside which what was done is told too")]
    ResourceNotification,
    /// A template deployment was written or deleted; what it deployed is told by events of its own.
    #[error("it tells of a deployment")]
    Deployment,
    /// It was done to something else, as a disk or a machine's extension.
    #[error("it tells of another operation than the {0} of a machine")]
    OtherOperation(Told),
    /// Another type of event.
    #[error("it is of another type")]
    OtherType,
    /// The write or delete of a machine without an id that names one.
    #[error("it tells of the {0} of a machine, but its resourceUri names none")]
    NoMachine(Told),
}

/// Takes one event apart, which is to tell this. Nothing else of it is kept.
pub fn read_event(event: &Value, told: Told) -> Result<MachineHint, Ignored> {
    let event = event.as_object().ok_or(Ignored::NotAnEvent("fields"))?;
    // CloudEvents say `type` and `time` where Event Grid's schema says `eventType` and `eventTime`; nothing else differs here.
    let kind = text(event, "eventType").or_else(|| text(event, "type")).ok_or(Ignored::NotAnEvent("type"))?;
    check_type(kind, told)?;
    let empty = Map::new();
    let data = event.get("data").and_then(Value::as_object).unwrap_or(&empty);
    let operation = text(data, "operationName").unwrap_or_default();
    if !operation.eq_ignore_ascii_case(told.operation()) {
        let deployment = operation.to_ascii_lowercase().starts_with("microsoft.resources/deployments/");
        return Err(if deployment { Ignored::Deployment } else { Ignored::OtherOperation(told) });
    }
    // `status` is always Succeeded on this type; one that says otherwise is not believed.
    if text(data, "status").is_some_and(|status| !status.eq_ignore_ascii_case("Succeeded")) {
        return Err(Ignored::NotSucceeded);
    }
    // The subject repeats the id; it stands in where `resourceUri` is missing.
    let resource = [text(data, "resourceUri"), text(event, "subject")].into_iter().flatten().find(|id| is_machine(id));
    let resource = resource.ok_or(Ignored::NoMachine(told))?;
    Ok(MachineHint {
        event_id: text(event, "id").ok_or(Ignored::NotAnEvent("id"))?.to_string(),
        resource: resource.to_string(),
        operation_name: operation.to_string(),
        at: text(event, "eventTime").or_else(|| text(event, "time")).and_then(|at| at.parse().ok()),
        // `httpRequest` may be absent, empty, or not an object at all.
        http_method: data
            .get("httpRequest")
            .and_then(Value::as_object)
            .and_then(|r| text(r, "method"))
            .map(str::to_string),
    })
}

/// The events of one delivery: Event Grid sends an array of one, the host hands over one object; both are read.
pub fn events_of(delivery: &Value) -> &[Value] {
    match delivery {
        Value::Array(events) => events,
        one => std::slice::from_ref(one),
    }
}

fn check_type(kind: &str, told: Told) -> Result<(), Ignored> {
    let kind = kind.to_ascii_lowercase();
    let is = |prefix: &str| kind.starts_with(prefix);
    if kind == told.kind().to_ascii_lowercase() {
        return Ok(());
    }
    Err(if is("microsoft.eventgrid.subscription") {
        Ignored::SubscriptionValidation
    } else if is("microsoft.resources.resourcedeletesuccess") {
        Ignored::Deleted
    } else if is("microsoft.resources.resourcewritesuccess") {
        Ignored::Written
    } else if told == Told::Written && is("microsoft.resourcenotifications.resources.deleted") {
        Ignored::Deleted
    } else if is("microsoft.resources.resourceactionsuccess") {
        Ignored::Action
    } else if is("microsoft.resources.resource") && (kind.ends_with("failure") || kind.ends_with("cancel")) {
        Ignored::NotSucceeded
    } else if is("microsoft.resourcenotifications.healthresources.") {
        Ignored::Health
    } else if is("microsoft.resourcenotifications.maintenanceresources.") {
        Ignored::Maintenance
    } else if is("microsoft.resourcenotifications.") {
        Ignored::ResourceNotification
    } else {
        Ignored::OtherType
    })
}

/// True for `/subscriptions/{s}/resourceGroups/{g}/providers/Microsoft.Compute/virtualMachines/{name}` and nothing below it.
fn is_machine(id: &str) -> bool {
    let parts: Vec<&str> = id.split('/').collect();
    let expected =
        ["", "subscriptions", "*", "resourcegroups", "*", "providers", "microsoft.compute", "virtualmachines", "*"];
    parts.len() == expected.len()
        && parts.iter().zip(expected).all(|(part, expected)| match expected {
            "*" => !part.trim().is_empty(),
            fixed => part.eq_ignore_ascii_case(fixed),
        })
}

fn text<'a>(object: &'a Map<String, Value>, field: &str) -> Option<&'a str> {
    let text = object.get(field)?.as_str()?;
    (!text.is_empty() && text.chars().count() <= TEXT_CHARS_MAX).then_some(text)
}
