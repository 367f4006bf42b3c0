//! Every Resource Manager operation that is spoken, with the right it needs and the document that it follows.
//!
//! It never sends anything. What is not listed here is not called: a call needs an [`Operation`].

use crate::{graph, machines, resource_groups, restore_points, subscriptions};

/// One operation. Its entry stands beside the call that makes it.
#[derive(Debug, PartialEq, Eq)]
pub struct Operation {
    /// The RBAC action it needs, which is also its name in errors and traces.
    pub action: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// The path as its document writes it.
    pub path: &'static str,
    /// The pinned api-version.
    pub api_version: &'static str,
    /// The document, in Microsoft's repository of specifications.
    pub document: &'static str,
}

/// The pinned version of the Compute provider, and its document.
pub const COMPUTE: (&str, &str) = (
    "2025-04-01",
    "specification/compute/resource-manager/Microsoft.Compute/ComputeRP/stable/2025-04-01/ComputeRP.json",
);
/// The pinned version of Resource Graph, and its document.
pub const RESOURCE_GRAPH: (&str, &str) = (
    "2024-04-01",
    "specification/resourcegraph/resource-manager/Microsoft.ResourceGraph/stable/2024-04-01/resourcegraph.json",
);
/// The pinned version of resource groups, and its document.
pub const RESOURCES: (&str, &str) =
    ("2025-04-01", "specification/resources/resource-manager/Microsoft.Resources/stable/2025-04-01/resources.json");
/// The pinned version of subscriptions, and its document.
pub const SUBSCRIPTIONS: (&str, &str) =
    ("2022-12-01", "specification/resources/resource-manager/Microsoft.Resources/stable/2022-12-01/subscriptions.json");

/// All of them.
pub const ALL: &[&Operation] = &[
    &subscriptions::GET,
    &subscriptions::LIST,
    &resource_groups::GET,
    &resource_groups::CREATE,
    &machines::GET,
    &restore_points::CREATE_COLLECTION,
    &restore_points::GET_COLLECTION,
    &restore_points::LIST_COLLECTIONS,
    &restore_points::CREATE,
    &restore_points::GET,
    &graph::QUERY,
];
