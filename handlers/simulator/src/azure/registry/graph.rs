//! What Resource Graph answers.
//! It never answers anything itself.

use super::super::charges::Spend;
use super::super::graph;
use super::{Route, Service, route};

pub(super) static GRAPH: Service = Service { kind: "resources", versions: &["2024-04-01", "2021-03-01"] };

/// The routes.
pub(super) static ROUTES: &[Route] = &[route(
    "POST",
    "/providers/Microsoft.ResourceGraph/resources",
    "Microsoft.ResourceGraph/resources/read",
    &GRAPH,
    Spend::Nothing,
    graph::resources,
    "graph-paging",
)];
