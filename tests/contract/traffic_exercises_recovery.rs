//! Speaks every operation on Site Recovery and Traffic Manager once, in an order in which each finds what it needs: a machine is
//! failed over, its point changed, the failover committed, the other way protected; and an endpoint is turned off and on.
//! It never judges an answer, as its parent does not.

use std::time::Duration;

use futures::future::FutureExt as _;
use lifeboat_azure::failover::{self, Ordered, OtherWay, OtherWayDisk};
use lifeboat_azure::operations::Operation;
use lifeboat_azure::replicated_items::{self, ReplicatedItem};
use lifeboat_azure::{
    ResourceId, machines, networks, public_addresses, replication, replication_jobs, target_sizes, traffic_manager,
};
use lifeboat_simulator::azure::{EndpointSeed, ProfileSeed, PublicAddressSeed, ReplicaSeed, VaultSeed};
use lifeboat_tests::azure::Azure;
use lifeboat_tests::rig::{GROUP, SUBSCRIPTION};

use super::{Bench, Exercise, Result, latest};

/// The machine that is failed over.
const MACHINE: &str = "web9";
/// The vault, in the other region.
const VAULT: &str = "rsv-other-1";
/// The other region.
const OTHER: &str = "northeurope";
/// The group in the other region.
const OTHER_GROUP: &str = "rg-other";
/// Longer than any operation of Site Recovery runs here.
const WHOLE_ORDER: Duration = Duration::from_secs(900);
/// How often what goes on by itself is asked for, and how many times.
const LOOK: (Duration, usize) = (Duration::from_secs(300), 12);

/// Each operation and a call that speaks it.
pub const EXERCISES: &[(&Operation, Exercise)] = &[
    (&replication::LIST_FABRICS, |on| list_fabrics(on).boxed()),
    (&replication::LIST_CONTAINERS, |on| {
        async move { replication::list_containers(&on.arm, &vault()).await.map(drop) }.boxed()
    }),
    (&replication::LIST_MAPPINGS, |on| {
        async move { replication::list_mappings(&on.arm, &vault()).await.map(drop) }.boxed()
    }),
    (&replicated_items::LIST, |on| async move { item(&on).await.map(drop) }.boxed()),
    (&replicated_items::GET, |on| async move { look(&on).await.map(drop) }.boxed()),
    (&replication::LIST_POINTS, |on| async move { points(&on).await.map(drop) }.boxed()),
    (&target_sizes::LIST, |on| {
        async move { target_sizes::list(&on.arm, &item(&on).await?.id).await.map(drop) }.boxed()
    }),
    (&networks::GET, |on| read_network(on).boxed()),
    (&public_addresses::LIST, |on| list_addresses(on).boxed()),
    (&public_addresses::GET, |on| read_address(on).boxed()),
    (&failover::FAIL_OVER, |on| fail_over(on).boxed()),
    (&failover::CHANGE_POINT, |on| change_point(on).boxed()),
    (&failover::COMMIT, |on| commit(on).boxed()),
    (&failover::PROTECT_OTHER_WAY, |on| protect_other_way(on).boxed()),
    (&replication_jobs::LIST, |on| async move { replication_jobs::list(&on.arm, &vault()).await.map(drop) }.boxed()),
    // Each order asks for its job.
    (&replication_jobs::GET, |on| async move { replication_jobs::list(&on.arm, &vault()).await.map(drop) }.boxed()),
    (&traffic_manager::LIST, |on| list_profiles(on).boxed()),
    (&traffic_manager::GET, |on| async move { traffic_manager::get(&on.arm, &profile(&on)).await.map(drop) }.boxed()),
    (&traffic_manager::GET_ENDPOINT, |on| {
        async move { traffic_manager::get_endpoint(&on.arm, &endpoint(&on)).await.map(drop) }.boxed()
    }),
    (&traffic_manager::SET_ENDPOINT, |on| turn(on).boxed()),
];

fn vault() -> ResourceId {
    ResourceId::of_resource(SUBSCRIPTION, OTHER_GROUP, "Microsoft.RecoveryServices/vaults", VAULT).expect("an id")
}

/// Puts the machine, the vault and the item there, and lists.
async fn list_fabrics(on: Bench) -> Result {
    let arm = &on.azure.arm;
    arm.add_machine(&Azure::seed(MACHINE));
    arm.add_vault(&VaultSeed::new(SUBSCRIPTION, OTHER_GROUP, VAULT, OTHER));
    let seed = ReplicaSeed {
        machine: Azure::id(MACHINE),
        vault: vault().as_str().to_owned(),
        recovery_location: OTHER.to_owned(),
        recovery_group: OTHER_GROUP.to_owned(),
        since: None,
        without_disks: Vec::new(),
        multi_vm_group: None,
    };
    arm.add_replica(&seed).expect("an item");
    replication::list_fabrics(&on.arm, &vault()).await.map(drop)
}

async fn item(on: &Bench) -> lifeboat_azure::Result<ReplicatedItem> {
    let items = replicated_items::list(&on.arm, &vault()).await?;
    Ok(items.into_iter().next().expect("an item"))
}

async fn look(on: &Bench) -> lifeboat_azure::Result<ReplicatedItem> {
    let id = item(on).await?.id;
    replicated_items::get(&on.arm, &id).await
}

async fn points(on: &Bench) -> lifeboat_azure::Result<Vec<ResourceId>> {
    let found = replication::list_points(&on.arm, &item(on).await?.id).await?;
    Ok(found.into_iter().map(|point| point.id).collect())
}

/// Reads the network that the machine will be in.
async fn read_network(on: Bench) -> Result {
    let network = item(&on).await?.details.recovery_network.expect("a network");
    networks::get(&on.arm, &network).await.map(drop)
}

/// A public address with a name and one that something holds; put there when they are asked for first.
fn address(on: &Bench) -> ResourceId {
    let seed = |name: &str, label: Option<&str>| PublicAddressSeed {
        subscription: SUBSCRIPTION.to_owned(),
        group: OTHER_GROUP.to_owned(),
        name: name.to_owned(),
        location: OTHER.to_owned(),
        ip: "203.0.113.7".to_owned(),
        label: label.map(str::to_owned),
        holder: label.is_none().then(|| {
            let nic = "Microsoft.Network/networkInterfaces/nic/ipConfigurations/ipconfig";
            format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/{OTHER_GROUP}/providers/{nic}")
        }),
    };
    on.azure.arm.add_public_address(&seed("pip-held", None));
    on.azure.arm.add_public_address(&seed("pip-front", Some("front"))).parse().expect("an id")
}

async fn list_addresses(on: Bench) -> Result {
    address(&on);
    public_addresses::list(&on.arm, SUBSCRIPTION).await.map(drop)
}

async fn read_address(on: Bench) -> Result {
    public_addresses::get(&on.arm, &address(&on)).await.map(drop)
}

async fn fail_over(on: Bench) -> Result {
    let (id, point) = (item(&on).await?.id, points(&on).await?.remove(0));
    let ordered = failover::fail_over(&on.arm, &id, Some(&point), latest()).await?;
    follow(&on, ordered).await
}

async fn change_point(on: Bench) -> Result {
    let (id, point) = (item(&on).await?.id, points(&on).await?.remove(1));
    let ordered = failover::change_point(&on.arm, &id, &point, latest()).await?;
    follow(&on, ordered).await
}

async fn commit(on: Bench) -> Result {
    let ordered = failover::commit(&on.arm, &item(&on).await?.id, latest()).await?;
    follow(&on, ordered).await
}

/// Protects the other way, and looks until that is done.
async fn protect_other_way(on: Bench) -> Result {
    let item = look(&on).await?;
    let machine = machines::get(&on.arm, &item.target().expect("a machine to be")).await?;
    let group = ResourceId::of_group(SUBSCRIPTION, GROUP).expect("an id");
    let kind = "Microsoft.Storage/storageAccounts";
    let cache = ResourceId::of_resource(SUBSCRIPTION, OTHER_GROUP, kind, "cache").expect("an id");
    let disks = machine.disks.into_iter().filter_map(|disk| disk.id);
    let disks: Vec<OtherWayDisk> =
        disks.map(|disk| OtherWayDisk { disk, cache: cache.clone(), group: group.clone() }).collect();
    let policy = item.policy.expect("a policy");
    let way = OtherWay { item: &item.id, policy: &policy, group: &group, disks: &disks };
    let ordered = failover::protect_other_way(&on.arm, &way, latest()).await?;
    follow(&on, ordered).await?;
    for _ in 0..LOOK.1 {
        look(&on).await?;
        tokio::time::sleep(LOOK.0).await;
    }
    Ok(())
}

/// Asks for the order's job, and for the item, at once and after its end.
async fn follow(on: &Bench, ordered: Ordered) -> Result {
    if let Ordered::Begun(Some(job)) = ordered {
        replication_jobs::get(&on.arm, &vault(), &job).await?;
        look(on).await?;
        tokio::time::sleep(WHOLE_ORDER).await;
        replication_jobs::get(&on.arm, &vault(), &job).await?;
        look(on).await?;
    }
    Ok(())
}

async fn list_profiles(on: Bench) -> Result {
    profile(&on);
    traffic_manager::list(&on.arm, SUBSCRIPTION).await.map(drop)
}

/// The profile; put there when it is asked for first.
fn profile(on: &Bench) -> ResourceId {
    let endpoint =
        |name: &str, enabled| EndpointSeed { name: name.to_owned(), target: format!("{name}.example.net"), enabled };
    let seed = ProfileSeed {
        subscription: SUBSCRIPTION.to_owned(),
        group: OTHER_GROUP.to_owned(),
        name: "front".to_owned(),
        location: OTHER.to_owned(),
        endpoints: vec![endpoint("here", true), endpoint("there", false)],
        interval_seconds: 30,
        ttl_seconds: 30,
    };
    let name = (SUBSCRIPTION, OTHER_GROUP, "Microsoft.Network/trafficManagerProfiles", "front");
    // A second time its name is taken, by itself.
    let _ = on.azure.arm.add_profile(&seed);
    ResourceId::of_resource(name.0, name.1, name.2, name.3).expect("an id")
}

fn endpoint(on: &Bench) -> ResourceId {
    profile(on).child("externalEndpoints", "there").expect("an id")
}

/// Turns the endpoint on, looks until it is online, and turns it off.
async fn turn(on: Bench) -> Result {
    traffic_manager::set_endpoint(&on.arm, &endpoint(&on), true, latest()).await?;
    tokio::time::sleep(Duration::from_secs(60)).await;
    traffic_manager::get(&on.arm, &profile(&on)).await?;
    traffic_manager::set_endpoint(&on.arm, &endpoint(&on), false, latest()).await.map(drop)
}
