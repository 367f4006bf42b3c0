//! Subscriptions and their locations.
//! It never takes anything from a subscription that is not enabled: that is refused before it comes here.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::access::allows;
use super::call::{Answer, Call};
use super::errors::ArmError;
use super::graph::{Listed, Table};
use super::paging;
use super::regions::REGIONS;
use super::state::State;

/// A subscription's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SubscriptionState {
    /// All works.
    Enabled,
    /// Payment is due; all works.
    Warned,
    /// Payment is late; all works (*assumed*, `subscription-states`).
    PastDue,
    /// Reads only.
    Disabled,
    /// Reads only, until it is gone (*assumed*, `subscription-states`).
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

/// `GET /subscriptions`: those in which the caller may read anything.
pub(crate) fn list(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let action = "Microsoft.Resources/subscriptions/read";
    let visible = |one: &Subscription| allows(&call.principal.grants, action, &format!("/subscriptions/{}", one.id));
    let all = state.subscriptions.iter().filter(|(_, one)| visible(one));
    let mut answer = paging::listing(call, all.map(|(key, one)| (key.clone(), one.json())), state.page_size);
    // The document requires the link also where there is no further page; how an end is then told is *assumed*
    // (`subscription-next-link`): by an empty text.
    if let Some(body) = answer.body.as_mut().filter(|body| body["nextLink"].is_null()) {
        body["nextLink"] = json!("");
    }
    Ok(answer)
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
