//! Health as Resource Graph lists it: one row for each machine.
//! It never tells more than the status itself.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::graph::{Listed, Table};
use super::super::ids::stamp_z;
use super::super::machines::Machine;
use super::{Availability, AvailabilityState, Status, context};

/// A machine's latest status as Resource Graph lists it.
#[derive(Debug)]
pub(super) struct StatusRow {
    pub(super) machine: Arc<Machine>,
    pub(super) status: Status,
    pub(super) before: AvailabilityState,
}

impl Listed for StatusRow {
    fn table(&self) -> Table {
        Table::HealthResources
    }

    fn row(&self) -> Value {
        status_row(&self.machine, &self.status, self.before)
    }
}

/// The row that a machine has from the start, made of the machine's own. *Assumed* (`health-graph-row`): the columns besides
/// those that the event of a change has, which are documented.
pub(crate) fn first_row(machine: &Value) -> Value {
    let availability = Availability::new(AvailabilityState::Available);
    json!({
        "id": format!("{}/providers/Microsoft.ResourceHealth/availabilityStatuses/current", machine["id"].as_str().unwrap_or("")),
        "name": "current",
        "type": "microsoft.resourcehealth/availabilitystatuses",
        "location": machine["location"],
        "resourceGroup": machine["resourceGroup"],
        "subscriptionId": machine["subscriptionId"],
        "properties": {
            "targetResourceId": machine["id"],
            "targetResourceType": "Microsoft.Compute/virtualMachines",
            "occurredTime": machine["properties"]["timeCreated"],
            "availabilityState": availability.state,
            "previousAvailabilityState": availability.state,
            "title": availability.state,
            "summary": availability.summary(),
            "reasonType": "",
            "context": "",
            "category": null,
        },
    })
}

fn status_row(machine: &Machine, status: &Status, before: AvailabilityState) -> Value {
    let (told, target) = (&status.availability, machine.id());
    json!({
        "id": format!("{target}/providers/Microsoft.ResourceHealth/availabilityStatuses/current"),
        "name": "current",
        "type": "microsoft.resourcehealth/availabilitystatuses",
        "location": machine.location,
        "resourceGroup": machine.group.to_ascii_lowercase(),
        "subscriptionId": machine.subscription,
        "properties": {
            "targetResourceId": target,
            "targetResourceType": "Microsoft.Compute/virtualMachines",
            "occurredTime": stamp_z(status.since),
            "availabilityState": told.state,
            "previousAvailabilityState": before,
            "title": told.state,
            "summary": told.summary(),
            "reasonType": told.reason_type.as_deref().unwrap_or(""),
            "context": told.cause.map_or("", context),
            "category": told.category.map_or(Value::Null, |category| json!(category)),
        },
    })
}
