//! The estate that `lifeboat local` shows: a dozen machines in two subscriptions and two regions, there since long.
//! Some have restore points of a tool that was there before: foreign to Lifeboat, which reports them and never touches them.
//! It never holds a machine that Lifeboat is to protect: those are created by the tour.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use lifeboat_simulator::azure::{
    CollectionSeed, DiskSeed, EndpointSeed, MachineSeed, Os, PointSeed, ProfileSeed, PublicAddressSeed, ReplicaSeed,
    VaultSeed,
};

/// The subscription of what customers use.
pub const SHOP: &str = "6c1f0a52-3a5e-4b57-9f0c-1d2b7a9e4c10";
/// The subscription of what the company uses itself.
pub const OFFICE: &str = "b81d6f3c-7e0a-4d8e-a5b2-90c4e1f7d233";
/// Where most of it runs.
pub const WEST: &str = "westeurope";
/// Where the rest runs.
pub const NORTH: &str = "northeurope";

/// The file server whose points the tour shows.
pub const FILE_SERVER: &str = "files-01";
/// Its identity: machines begin with a scheduled point at a place in the hour after its moment that follows from their identity, and
/// with this one the place is in the fourth minute.
const FILE_SERVER_VM_ID: &str = "f11e5000-0000-4000-8000-000000000010";
/// The domain controller that no vault protects.
pub const UNPROTECTED: &str = "dc-02";
/// The vault that is to protect it.
pub const VAULT: &str = "rsv-office-neu";

/// The machines of the shop that Site Recovery replicates, in the order in which they are to come up.
pub const REPLICATED: [&str; 2] = ["sql-01", "web-01"];
/// The one of them that customers reach.
pub const FRONT: &str = "web-01";
/// The group of the shop.
pub const SHOP_GROUP: &str = "rg-shop";
/// The group in the other region in which it comes up.
pub const RECOVERY_GROUP: &str = "rg-shop-neu";
/// The vault that replicates.
const RECOVERY_VAULT: &str = "rsv-shop-neu";
/// The shop's profile of Traffic Manager.
const PROFILE: &str = "tm-shop";
/// Its endpoints: in the region where it runs, and in the other one.
pub const ENDPOINTS: (&str, &str) = ("weu", "neu");
/// How old the newest recovery points are when all of it begins, in minutes: between two of those that come every five.
const NEWEST_MINS: i64 = 3;

/// A machine: subscription, group, name, region, system, tag `env`, another tag, its age in days.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    Os,
    &'static str,
    Option<(&'static str, &'static str)>,
    i64,
);

const ROWS: [Row; 12] = [
    (SHOP, "rg-shop", "web-01", WEST, Os::Linux, "prod", None, 412),
    (SHOP, "rg-shop", "web-02", WEST, Os::Linux, "prod", None, 412),
    (SHOP, "rg-shop", "web-03", NORTH, Os::Linux, "prod", None, 160),
    (SHOP, "rg-shop", "sql-01", WEST, Os::Windows, "prod", Some(("tier", "data")), 398),
    (SHOP, "rg-shop", "sql-02", NORTH, Os::Windows, "prod", Some(("tier", "data")), 160),
    (SHOP, "rg-shop-test", "web-t1", WEST, Os::Linux, "test", None, 75),
    (SHOP, "rg-build", "agent-01", WEST, Os::Linux, "prod", Some(("lifeboat", "skip")), 33),
    (OFFICE, "rg-office", "dc-01", WEST, Os::Windows, "prod", None, 903),
    (OFFICE, "rg-office", "dc-02", NORTH, Os::Windows, "prod", None, 903),
    (OFFICE, "rg-office", "files-01", NORTH, Os::Windows, "prod", None, 640),
    (OFFICE, "rg-office", "print-01", NORTH, Os::Windows, "office", None, 640),
    (OFFICE, "rg-lab", "gpu-01", WEST, Os::Linux, "lab", None, 12),
];

/// The estate as it stands at this moment.
pub fn machines(now: Timestamp) -> Vec<MachineSeed> {
    ROWS.iter()
        .map(|&(subscription, group, name, location, os, env, tag, days)| {
            let tags = [("env", env)].into_iter().chain(tag);
            MachineSeed {
                tags: tags.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
                created_at: now.checked_sub(SignedDuration::from_hours(24 * days)).ok(),
                vm_id: (name == FILE_SERVER).then(|| FILE_SERVER_VM_ID.to_owned()),
                ..machine(subscription, group, name, location, os)
            }
        })
        .collect()
}

/// The vaults.
pub fn vaults() -> Vec<VaultSeed> {
    vec![VaultSeed::new(OFFICE, "rg-backup", VAULT, NORTH), VaultSeed::new(SHOP, RECOVERY_GROUP, RECOVERY_VAULT, NORTH)]
}

/// The machines that are replicated to the other region, for a day.
pub fn replicas(now: Timestamp) -> Vec<ReplicaSeed> {
    let vault = format!(
        "/subscriptions/{SHOP}/resourceGroups/{RECOVERY_GROUP}/providers/Microsoft.RecoveryServices/vaults/{RECOVERY_VAULT}"
    );
    let replica = |name: &&str| ReplicaSeed {
        machine: machine_id(SHOP_GROUP, name),
        vault: vault.clone(),
        recovery_location: NORTH.to_owned(),
        recovery_group: RECOVERY_GROUP.to_owned(),
        since: now.checked_sub(SignedDuration::from_mins(24 * 60 + NEWEST_MINS)).ok(),
        without_disks: Vec::new(),
        multi_vm_group: None,
    };
    REPLICATED.iter().map(replica).collect()
}

/// The shop's profile: an endpoint for each side, of which the other one is off.
pub fn profile() -> ProfileSeed {
    let (here, there) = ENDPOINTS;
    let endpoint = |name: &str, enabled| EndpointSeed { name: name.to_owned(), target: target_of(name), enabled };
    ProfileSeed {
        subscription: SHOP.to_owned(),
        group: RECOVERY_GROUP.to_owned(),
        name: PROFILE.to_owned(),
        location: NORTH.to_owned(),
        endpoints: vec![endpoint(here, true), endpoint(there, false)],
        interval_seconds: 10,
        ttl_seconds: 30,
    }
}

/// The public addresses that the endpoints lead to: in each region its own, of which the machine that runs holds one.
pub fn addresses() -> [PublicAddressSeed; 2] {
    let (here, there) = ENDPOINTS;
    let card = format!("Microsoft.Network/networkInterfaces/{FRONT}VMNic/ipConfigurations/ipconfig{FRONT}");
    let holder = format!("/subscriptions/{SHOP}/resourceGroups/{SHOP_GROUP}/providers/{card}");
    let address = |(group, endpoint, location): (&str, &str, &str), ip: &str, holder| PublicAddressSeed {
        subscription: SHOP.to_owned(),
        group: group.to_owned(),
        name: format!("pip-shop-{endpoint}"),
        location: location.to_owned(),
        ip: ip.to_owned(),
        label: Some(format!("shop-{endpoint}")),
        holder,
    };
    [
        address((SHOP_GROUP, here, WEST), "203.0.113.10", Some(holder)),
        address((RECOVERY_GROUP, there, NORTH), "203.0.113.20", None),
    ]
}

/// What stands behind each endpoint's address: the machine that customers reach on that side.
pub fn targets() -> [(String, String); 2] {
    let (here, there) = ENDPOINTS;
    [(target_of(here), machine_id(SHOP_GROUP, FRONT)), (target_of(there), machine_id(RECOVERY_GROUP, FRONT))]
}

/// The storage account that Site Recovery is to use as cache when the shop is protected the other way.
pub fn replication_cache() -> String {
    format!(
        "/subscriptions/{SHOP}/resourceGroups/{RECOVERY_GROUP}/providers/Microsoft.Storage/storageAccounts/cacheneu"
    )
}

/// The ARM id of a machine of the shop.
pub fn machine_id(group: &str, name: &str) -> String {
    format!("/subscriptions/{SHOP}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{name}")
}

/// The name of the public address of an endpoint's side.
fn target_of(endpoint: &str) -> String {
    let own = addresses().into_iter().find(|address| address.name.ends_with(endpoint));
    own.and_then(|address| address.fqdn()).unwrap_or_default()
}

/// Machines of this age, in days, have points of the tool that was there before.
const HAD_POINTS_FROM_DAYS: i64 = 300;
/// How many nights that tool kept.
const NIGHTS: i64 = 3;

/// The points that were made before Lifeboat came: the last nights of the oldest machines in production.
pub fn history(now: Timestamp) -> Vec<CollectionSeed> {
    let old = ROWS.iter().filter(|row| row.5 == "prod" && row.7 >= HAD_POINTS_FROM_DAYS);
    let night = |ago: i64| now.checked_sub(SignedDuration::from_hours(24 * ago)).ok();
    old.map(|&(subscription, group, name, location, os, ..)| CollectionSeed {
        machine: machine(subscription, group, name, location, os).id(),
        group: format!("rg-nightly-{location}"),
        name: format!("nightly-{name}"),
        tags: BTreeMap::from([("made-by".to_owned(), "nightly".to_owned())]),
        points: (1..=NIGHTS)
            .filter_map(|ago| Some(PointSeed { name: format!("night-{ago}"), made: night(ago)? }))
            .collect(),
    })
    .collect()
}

/// A machine that the tour creates: covered by the policy.
pub fn new_machine(name: &str, location: &str, os: Os) -> MachineSeed {
    machine(SHOP, "rg-shop", name, location, os)
}

fn machine(subscription: &str, group: &str, name: &str, location: &str, os: Os) -> MachineSeed {
    MachineSeed {
        subscription: subscription.to_owned(),
        group: group.to_owned(),
        name: name.to_owned(),
        location: location.to_owned(),
        os,
        size: "Standard_D4s_v5".to_owned(),
        tags: BTreeMap::from([("env".to_owned(), "prod".to_owned())]),
        disks: vec![DiskSeed { name: format!("{name}-data"), size_gib: 256 }],
        agent_ready: true,
        managed_by: None,
        created_at: None,
        vm_id: None,
        identities: Vec::new(),
        extensions: Vec::new(),
    }
}
