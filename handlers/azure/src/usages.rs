//! What a subscription has used of Compute's quotas in a region (Microsoft.Compute 2025-04-01, `ComputeRP.json`).
//!
//! It never says that there is free capacity: no call does.

use crate::{
    arm::ArmClient,
    error::Error,
    json,
    operations::{COMPUTE, Harm, Operation},
};
use serde_json::Value;

/// Listing what is used.
pub const LIST: Operation = Operation {
    action: "Microsoft.Compute/locations/usages/read",
    method: "GET",
    path: "/subscriptions/{subscriptionId}/providers/Microsoft.Compute/locations/{location}/usages",
    api_version: COMPUTE.0,
    document: COMPUTE.1,
    harm: Harm::Nothing,
    evidence: &["usage-list", "arm-next-link"],
};

/// A quota and what is used of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// For example `cores` or the family of a size; empty where Azure does not say.
    pub name: String,
    /// Used.
    pub current: i64,
    /// Allowed.
    pub limit: i64,
    /// For example `Count`.
    pub unit: Option<String>,
}

impl Usage {
    /// What may still be used; never below nothing.
    pub fn left(&self) -> i64 {
        self.limit.saturating_sub(self.current).max(0)
    }
}

/// The quotas of a region (`Usage_List`). A repeat is safe.
pub async fn list(arm: &ArmClient, subscription: &str, location: &str) -> Result<Vec<Usage>, Error> {
    arm.list(&LIST, &[subscription, &json::region(location)], &[], read).await
}

/// What an entry's JSON says; none without both numbers.
pub(crate) fn read(value: &Value) -> Option<Usage> {
    Some(Usage {
        name: json::string(value, "/name/value").unwrap_or_default(),
        current: json::number(value, "/currentValue")?,
        limit: json::number(value, "/limit")?,
        unit: json::string(value, "/unit"),
    })
}
