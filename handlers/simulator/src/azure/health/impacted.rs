//! The resources that a service health event touches in a subscription.
//! It never tells one subscription of another's.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::call::{Answer, Call};
use super::super::errors::{ArmError, not_found};
use super::super::ids::{ResourceId, guid_of, key};
use super::super::paging;
use super::super::state::State;
use super::events::event_of;
use super::filter::Filter;

/// `GET …/events/{tracking id}/impactedResources`.
pub(crate) fn impacted_resources(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let filter = call.query("$filter").map(|filter| Filter::parse(filter, &["targetRegion"])).transpose()?;
    let wanted = |row: &Value| {
        let region = row["properties"]["targetRegion"].as_str().unwrap_or_default();
        filter.as_ref().is_none_or(|filter| filter.holds(|_, value| value.eq_ignore_ascii_case(region)))
    };
    let rows = touched(state, call)?.into_iter().filter(|(_, row)| wanted(row));
    Ok(paging::listing(call, rows, state.page_size))
}

/// `GET …/impactedResources/{name}`.
pub(crate) fn impacted_resource(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let name = call.param(2).to_ascii_lowercase();
    let missing = || not_found(&name);
    let found = touched(state, call)?.remove(&name);
    Ok(Answer::new(200, found.ok_or_else(missing)?))
}

/// What an event touches in a subscription, by name.
fn touched(state: &State, call: &Call) -> Result<BTreeMap<String, Value>, ArmError> {
    let told = event_of(state, call)?;
    let (event, subscription, regions) = (&told.event, call.param(0), told.event.regions());
    let ids: Vec<String> = if event.impacted_resources.is_empty() {
        let machines =
            state.machines.values().filter(|machine| regions.contains(&machine.location.to_ascii_lowercase()));
        machines.map(|machine| machine.id()).collect()
    } else {
        event.impacted_resources.clone()
    };
    let row = |id: String| {
        let parsed = ResourceId::parse(&id).filter(|id| id.subscription.eq_ignore_ascii_case(subscription))?;
        let name = guid_of(state.seed, &event.tracking_id, &key(&id));
        let kind = if parsed.kind().eq_ignore_ascii_case("Microsoft.Compute/virtualMachines") {
            "Microsoft.Compute/VirtualMachines".to_owned()
        } else {
            parsed.kind()
        };
        let body = json!({
            "id": format!("/subscriptions/{subscription}/providers/Microsoft.ResourceHealth/events/{}/impactedResources/{name}",
                event.tracking_id),
            "name": name,
            "type": "Microsoft.ResourceHealth/events/impactedResources",
            "properties": {
                "targetResourceType": kind,
                "targetRegion": state.region_of(&id).unwrap_or_default(),
                "targetResourceId": id,
            },
        });
        Some((name, body))
    };
    Ok(ids.into_iter().filter_map(row).collect())
}
