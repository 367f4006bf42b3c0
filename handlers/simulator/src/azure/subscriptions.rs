//! Subscriptions, their locations, and resource groups.
//! It never takes anything from a subscription that is not enabled: that is refused before it comes here.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::access::allows;
use super::call::{Answer, Call};
use super::errors::{ArmError, group_not_found};
use super::event_grid::{Outcome, Verb};
use super::graph::{Listed, Table};
use super::ids::{group_id, key};
use super::machines::tags_of;
use super::regions::REGIONS;
use super::state::State;

/// A subscription's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SubscriptionState {
    /// All works.
    Enabled,
    /// Payment is due; all works.
    Warned,
    /// Payment is late; all works (*assumed*).
    PastDue,
    /// Reads only.
    Disabled,
    /// Reads only, until it is gone (*assumed*).
    Deleted,
}

/// A subscription.
#[derive(Clone, Debug)]
pub(crate) struct Subscription {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) tenant: String,
    pub(crate) state: SubscriptionState,
}

/// A resource group.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) subscription: String,
    pub(crate) name: String,
    pub(crate) location: String,
    pub(crate) tags: BTreeMap<String, String>,
}

impl Subscription {
    /// Whether writes are refused.
    pub(crate) fn is_read_only(&self) -> bool {
        matches!(self.state, SubscriptionState::Disabled | SubscriptionState::Deleted)
    }

    fn json(&self) -> Value {
        json!({
            "id": format!("/subscriptions/{}", self.id),
            "authorizationSource": "RoleBased",
            "managedByTenants": [],
            "subscriptionId": self.id,
            "tenantId": self.tenant,
            "displayName": self.name,
            "state": self.state,
            "subscriptionPolicies": {
                "locationPlacementId": "Public_2014-09-01",
                "quotaId": "PayAsYouGo_2014-09-01",
                "spendingLimit": "Off",
            },
        })
    }
}

impl Group {
    pub(crate) fn id(&self) -> String {
        group_id(&self.subscription, &self.name)
    }

    fn json(&self) -> Value {
        let mut body = json!({
            "id": self.id(),
            "name": self.name,
            "type": "Microsoft.Resources/resourceGroups",
            "location": self.location,
            "properties": { "provisioningState": "Succeeded" },
        });
        if !self.tags.is_empty() {
            body["tags"] = json!(self.tags);
        }
        body
    }
}

impl Listed for Subscription {
    fn table(&self) -> Table {
        Table::ResourceContainers
    }

    fn row(&self) -> Value {
        json!({
            "id": format!("/subscriptions/{}", self.id),
            "name": self.name,
            "type": "microsoft.resources/subscriptions",
            "tenantId": self.tenant,
            "subscriptionId": self.id,
            "location": "",
            "resourceGroup": "",
            "tags": {},
            "properties": { "state": self.state },
        })
    }
}

impl Listed for Group {
    fn table(&self) -> Table {
        Table::ResourceContainers
    }

    fn row(&self) -> Value {
        json!({
            "id": self.id(),
            "name": self.name,
            "type": "microsoft.resources/subscriptions/resourcegroups",
            "subscriptionId": self.subscription,
            "location": self.location,
            "resourceGroup": self.name.to_ascii_lowercase(),
            "tags": self.tags,
            "properties": { "provisioningState": "Succeeded" },
        })
    }
}

impl State {
    /// Makes sure that a group exists, without an event.
    pub(crate) fn ensure_group(&mut self, subscription: &str, name: &str, location: &str, now: jiff::Timestamp) {
        let key = key(&group_id(subscription, name));
        if !self.groups.contains_key(&key) {
            let group = Arc::new(Group {
                subscription: subscription.to_owned(),
                name: name.to_owned(),
                location: location.to_owned(),
                tags: BTreeMap::new(),
            });
            self.list(&group.id(), Some(group.clone()), now);
            self.groups.insert(key, group);
        }
    }
}

/// `GET /subscriptions`: those in which the caller may read anything.
pub(crate) fn list(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let action = "Microsoft.Resources/subscriptions/read";
    let visible =
        |one: &&Arc<Subscription>| allows(&call.principal.grants, action, &format!("/subscriptions/{}", one.id));
    let value: Vec<Value> = state.subscriptions.values().filter(visible).map(|one| one.json()).collect();
    // The document requires the link; without a next page it is empty (*assumed*: no listing of subscriptions is recorded).
    Ok(Answer::new(200, json!({ "value": value, "nextLink": "" })))
}

/// `GET /subscriptions/{id}`. That it exists is known by now.
pub(crate) fn get(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let found = state.subscriptions.get(&call.param(0).to_ascii_lowercase());
    let missing = || super::errors::subscription_not_found(call.param(0));
    Ok(Answer::new(200, found.ok_or_else(missing)?.json()))
}

/// `GET /subscriptions/{id}/locations`.
pub(crate) fn locations(_state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let value: Vec<Value> = REGIONS.iter().map(|region| region.json(call.param(0))).collect();
    Ok(Answer::new(200, json!({ "value": value })))
}

/// `GET /subscriptions/{id}/resourcegroups`.
pub(crate) fn list_groups(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let own = |group: &&Arc<Group>| group.subscription.eq_ignore_ascii_case(call.param(0));
    let value: Vec<Value> = state.groups.values().filter(own).map(|group| group.json()).collect();
    Ok(Answer::new(200, json!({ "value": value })))
}

/// `GET /subscriptions/{id}/resourcegroups/{name}`.
pub(crate) fn get_group(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let found = state.groups.get(&key(&group_id(call.param(0), call.param(1))));
    Ok(Answer::new(200, found.ok_or_else(|| group_not_found(call.param(1)))?.json()))
}

/// `PUT /subscriptions/{id}/resourcegroups/{name}`: synchronous.
pub(crate) fn put_group(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let body = call.object()?;
    // *Assumed*: codes and wordings of both refusals.
    let location = body["location"].as_str().map(|place| place.replace(' ', "").to_ascii_lowercase());
    let missing =
        || ArmError::gateway(400, "LocationRequired", "The location property is required for this definition.");
    let location = location.filter(|place| !place.is_empty()).ok_or_else(missing)?;
    let key = key(&group_id(call.param(0), call.param(1)));
    let before = state.groups.get(&key).cloned();
    if let Some(before) = before.as_ref().filter(|before| before.location != location) {
        let message = format!(
            "Invalid resource group location '{location}'. The Resource group already exists in location '{}'.",
            before.location
        );
        return Err(ArmError::gateway(409, "InvalidResourceGroupLocation", message));
    }
    let name = before.as_ref().map_or(call.param(1), |before| &before.name).to_owned();
    let group = Arc::new(Group { subscription: call.param(0).to_owned(), name, location, tags: tags_of(body)? });
    state.list(&group.id(), Some(group.clone()), call.now);
    state.groups.insert(key, group.clone());
    state.raise(Verb::Write, Outcome::Success, &group.id(), &call.cause(before.is_some()), call.now);
    Ok(Answer::new(if before.is_some() { 200 } else { 201 }, group.json()))
}
