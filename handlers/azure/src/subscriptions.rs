//! Subscriptions (Microsoft.Resources 2022-12-01, `subscriptions.json`).
//!
//! It never changes one.

use crate::{
    arm::ArmClient,
    error::Error,
    json,
    operations::{Harm, Operation, SUBSCRIPTIONS},
};
use serde_json::Value;

/// Reading one subscription.
pub const GET: Operation = Operation {
    action: "Microsoft.Resources/subscriptions/read",
    method: "GET",
    path: "/subscriptions/{subscriptionId}",
    api_version: SUBSCRIPTIONS.0,
    document: SUBSCRIPTIONS.1,
    harm: Harm::Nothing,
    evidence: &["subscription-get"],
};

/// Listing the subscriptions that the caller sees.
pub const LIST: Operation =
    Operation { path: "/subscriptions", evidence: &["subscription-list", "arm-next-link"], ..GET };

/// Listing the regions that a subscription may use.
pub const LOCATIONS: Operation = Operation {
    action: "Microsoft.Resources/subscriptions/locations/read",
    path: "/subscriptions/{subscriptionId}/locations",
    evidence: &["subscription-locations"],
    ..GET
};

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

/// A region, as one subscription sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Its name: `westeurope`.
    pub name: String,
    /// Its name for people, by which Service Health calls it: `West Europe`.
    pub display_name: String,
    /// Whether machines can be there; a logical region is a geography.
    pub physical: bool,
    /// The geography that it is in.
    pub geography: Option<String>,
    /// The region that Azure pairs it with; some have none.
    pub paired: Vec<String>,
    /// Its zones, as this subscription numbers them.
    pub zones: Vec<Zone>,
}

/// A zone of a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Its number in this subscription.
    pub logical: String,
    /// Its name in every subscription: `westeurope-az1`.
    pub physical: String,
}

impl Subscription {
    /// Whether its answers about what is missing may be believed.
    pub fn is_enabled(&self) -> bool {
        self.state == SubscriptionState::Enabled
    }
}

/// One subscription (`Subscriptions_Get`). A repeat is safe.
pub async fn get(arm: &ArmClient, subscription: &str) -> Result<Subscription, Error> {
    let value = arm.get(&GET, &[subscription], &[]).await?;
    read(&value).ok_or_else(|| Error::malformed(GET.action, "a subscription without its id"))
}

/// All subscriptions that the caller sees (`Subscriptions_List`). A repeat is safe.
pub async fn list(arm: &ArmClient) -> Result<Vec<Subscription>, Error> {
    arm.list(&LIST, &[], &[], read).await
}

/// The regions that a subscription may use, with their pairs and zones (`Subscriptions_ListLocations`). A repeat is safe.
pub async fn locations(arm: &ArmClient, subscription: &str) -> Result<Vec<Region>, Error> {
    arm.list(&LOCATIONS, &[subscription], &[], read_region).await
}

/// What a subscription's JSON says; none without its id.
pub(crate) fn read(value: &Value) -> Option<Subscription> {
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

/// What a region's JSON says; none without its name.
pub(crate) fn read_region(value: &Value) -> Option<Region> {
    let zone = |zone: &Value| {
        Some(Zone { logical: json::string(zone, "/logicalZone")?, physical: json::string(zone, "/physicalZone")? })
    };
    let pair = |pair: &Value| json::text(pair, "/name").map(json::region);
    Some(Region {
        name: json::region(json::text(value, "/name")?),
        display_name: json::string(value, "/displayName").unwrap_or_default(),
        physical: json::text(value, "/metadata/regionType").is_some_and(|kind| kind.eq_ignore_ascii_case("Physical")),
        geography: json::string(value, "/metadata/geography"),
        paired: json::list(value, "/metadata/pairedRegion").iter().filter_map(pair).collect(),
        zones: json::list(value, "/availabilityZoneMappings").iter().filter_map(zone).collect(),
    })
}
