//! Subscriptions (Microsoft.Resources 2022-12-01, `subscriptions.json`).
//!
//! It never changes one.

use crate::{
    arm::ArmClient,
    error::Error,
    json,
    operations::{Operation, SUBSCRIPTIONS},
};
use serde_json::Value;

/// Reading one subscription.
pub const GET: Operation = Operation {
    action: "Microsoft.Resources/subscriptions/read",
    method: "GET",
    path: "/subscriptions/{subscriptionId}",
    api_version: SUBSCRIPTIONS.0,
    document: SUBSCRIPTIONS.1,
};

/// Listing the subscriptions that the caller sees.
pub const LIST: Operation = Operation { path: "/subscriptions", ..GET };

/// A subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Its id, a GUID.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Whether it may be used.
    pub state: SubscriptionState,
    /// The Entra tenant that it trusts.
    pub tenant_id: Option<String>,
}

/// Whether a subscription may be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubscriptionState {
    /// It may.
    Enabled,
    /// Something is unpaid; it still may.
    Warned,
    /// Something is unpaid for longer.
    PastDue,
    /// Only reading and deleting.
    Disabled,
    /// Gone.
    Deleted,
    /// A state that the document does not list, or none.
    Other(String),
}

impl Subscription {
    /// Whether its answers about what is missing may be believed.
    pub fn is_enabled(&self) -> bool {
        self.state == SubscriptionState::Enabled
    }
}

/// One subscription. A repeat is safe.
pub async fn get(arm: &ArmClient, subscription: &str) -> Result<Subscription, Error> {
    let value = arm.get(&GET, &[subscription], &[]).await?;
    read(&value).ok_or_else(|| Error::malformed(GET.action, "a subscription without its id"))
}

/// All subscriptions that the caller sees. A repeat is safe.
pub async fn list(arm: &ArmClient) -> Result<Vec<Subscription>, Error> {
    let entries = arm.list(&LIST, &[]).await?;
    let read = |value| read(value).ok_or_else(|| Error::malformed(LIST.action, "a subscription without its id"));
    entries.iter().map(read).collect()
}

fn read(value: &Value) -> Option<Subscription> {
    Some(Subscription {
        id: json::string(value, "/subscriptionId")?,
        name: json::string(value, "/displayName").unwrap_or_default(),
        state: match json::text(value, "/state").unwrap_or_default() {
            "Enabled" => SubscriptionState::Enabled,
            "Warned" => SubscriptionState::Warned,
            "PastDue" => SubscriptionState::PastDue,
            "Disabled" => SubscriptionState::Disabled,
            "Deleted" => SubscriptionState::Deleted,
            other => SubscriptionState::Other(other.to_owned()),
        },
        tenant_id: json::string(value, "/tenantId"),
    })
}
