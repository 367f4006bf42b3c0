//! What the network provider answers of virtual networks.
//! It never answers anything itself.

use super::super::charges::Spend;
use super::super::networks;
use super::{Route, Service, route};

static NETWORKS: Service = Service { kind: "virtualNetworks", versions: &["2022-01-01", "2024-03-01"] };

/// The routes.
pub(super) static ROUTES: &[Route] = &[route(
    "GET",
    "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/virtualNetworks/{}",
    "Microsoft.Network/virtualNetworks/read",
    &NETWORKS,
    Spend::Nothing,
    networks::get,
    "network-get",
)];
