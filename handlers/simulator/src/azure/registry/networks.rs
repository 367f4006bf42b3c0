//! What the network provider answers of virtual networks and public addresses.
//! It never answers anything itself.

use super::super::charges::Spend;
use super::super::{networks, public_addresses};
use super::{Route, Service, route};

static NETWORKS: Service = Service { kind: "virtualNetworks", versions: &["2022-01-01", "2024-03-01"] };

static ADDRESSES: Service = Service { kind: "publicIPAddresses", versions: &["2024-07-01", "2022-01-01"] };

const READ_ADDRESS: &str = "Microsoft.Network/publicIPAddresses/read";

/// The routes.
pub(super) static ROUTES: &[Route] = &[
    route(
        "GET",
        "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/virtualNetworks/{}",
        "Microsoft.Network/virtualNetworks/read",
        &NETWORKS,
        Spend::Nothing,
        networks::get,
        "network-get",
    ),
    route(
        "GET",
        "/subscriptions/{}/providers/Microsoft.Network/publicIPAddresses",
        READ_ADDRESS,
        &ADDRESSES,
        Spend::Nothing,
        public_addresses::list,
        "address-list",
    ),
    route(
        "GET",
        "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/publicIPAddresses/{}",
        READ_ADDRESS,
        &ADDRESSES,
        Spend::Nothing,
        public_addresses::get,
        "address-get",
    ),
];
