//! Every operation is made by a call: its method, its path and its pinned version are those that its entry says.
//!
//! It never opens a socket.

use crate::{
    ArmClient, ResourceId, backup_jobs, disks, failover, graph, health, locks, machines, networks, operations,
    permissions, protectable_items, protected_items, protection, protection_status, public_addresses, recordings,
    replicated_items, replication, replication_jobs, resource_groups, restore_points,
    scripted::{Reply, Scripted},
    skus, snapshots, subscriptions, tags, target_sizes, traffic_manager,
    transport::Latest,
    usages, vault_operations, vault_points, vault_policies, vaults,
};
use serde_json::json;
use std::{collections::BTreeSet, sync::Arc, time::Duration};

const COMPUTE: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute";

fn id(rest: &str) -> ResourceId {
    format!("{COMPUTE}/{rest}").parse().unwrap()
}

fn latest() -> Latest {
    Latest::after(Duration::from_secs(10))
}

/// A client that is answered by a body that every reader takes, or by an empty page.
fn client(pages: usize, resources: usize) -> (ArmClient, Arc<Scripted>) {
    let resource = json!({
        "id": id("virtualMachines/m").as_str(), "location": "l", "subscriptionId": "s", "status": "Succeeded",
        "protectionStatus": "Protected", "properties": { "vmId": "v" },
    });
    let page = Reply::json(200, &json!({ "value": [], "data": [] }));
    let replies = vec![page; pages].into_iter().chain(vec![Reply::json(200, &resource); resources]);
    let scripted = Scripted::new(replies);
    (ArmClient::new("https://management.azure.com".parse().unwrap(), &scripted.access()).unwrap(), scripted)
}

fn vault() -> ResourceId {
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/v".parse().unwrap()
}

fn replica() -> ResourceId {
    let container = vault().child("replicationFabrics", "f").unwrap().child("replicationProtectionContainers", "c");
    container.unwrap().child("replicationProtectedItems", "i").unwrap()
}

fn profile() -> ResourceId {
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/trafficManagerProfiles/p".parse().unwrap()
}

fn address() -> ResourceId {
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/publicIPAddresses/a".parse().unwrap()
}

fn network() -> ResourceId {
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/n".parse().unwrap()
}

async fn list_replication(arm: &ArmClient) {
    replication::list_fabrics(arm, &vault()).await.unwrap();
    replication::list_containers(arm, &vault()).await.unwrap();
    replication::list_mappings(arm, &vault()).await.unwrap();
    replication::list_points(arm, &replica()).await.unwrap();
    target_sizes::list(arm, &replica()).await.unwrap();
    replicated_items::list(arm, &vault()).await.unwrap();
    replication_jobs::list(arm, &vault()).await.unwrap();
    traffic_manager::list(arm, "s").await.unwrap();
    public_addresses::list(arm, "s").await.unwrap();
}

async fn fail_over(arm: &ArmClient) {
    let (item, point) = (replica(), replica().child("recoveryPoints", "p").unwrap());
    replicated_items::get(arm, &item).await.unwrap();
    replication_jobs::get(arm, &vault(), &"o".parse().unwrap()).await.unwrap();
    failover::fail_over(arm, &item, Some(&point), latest()).await.unwrap();
    failover::change_point(arm, &item, &point, latest()).await.unwrap();
    failover::commit(arm, &item, latest()).await.unwrap();
    let (policy, group) = (vault().child("replicationPolicies", "p").unwrap(), ResourceId::of_group("s", "g").unwrap());
    let way = failover::OtherWay { item: &item, policy: &policy, group: &group, disks: &[] };
    failover::protect_other_way(arm, &way, latest()).await.unwrap();
    let endpoint = profile().child("externalEndpoints", "e").unwrap();
    traffic_manager::get(arm, &profile()).await.unwrap();
    traffic_manager::get_endpoint(arm, &endpoint).await.unwrap();
    traffic_manager::set_endpoint(arm, &endpoint, true, latest()).await.unwrap();
}

async fn list_all(arm: &ArmClient) {
    subscriptions::list(arm).await.unwrap();
    subscriptions::locations(arm, "s").await.unwrap();
    resource_groups::list(arm, "s").await.unwrap();
    locks::list_at_resource(arm, &id("restorePointCollections/c/restorePoints/p")).await.unwrap();
    locks::list_at_group(arm, "s", "g").await.unwrap();
    locks::list_at_subscription(arm, "s").await.unwrap();
    permissions::list_for_group(arm, "s", "g").await.unwrap();
    permissions::list_for_resource(arm, &id("virtualMachines/m")).await.unwrap();
    machines::list_in_group(arm, "s", "g").await.unwrap();
    machines::list(arm, "s").await.unwrap();
    usages::list(arm, "s", "West Europe").await.unwrap();
    skus::list(arm, "s", "West Europe").await.unwrap();
    disks::list_in_group(arm, "s", "g").await.unwrap();
    disks::list(arm, "s").await.unwrap();
    snapshots::list_in_group(arm, "s", "g").await.unwrap();
    snapshots::list(arm, "s").await.unwrap();
    restore_points::list_collections(arm, "s").await.unwrap();
    vaults::list(arm, "s").await.unwrap();
    vaults::list_usages(arm, &vault()).await.unwrap();
    vault_policies::list(arm, &vault()).await.unwrap();
    protectable_items::list(arm, &vault()).await.unwrap();
    protected_items::list(arm, &vault()).await.unwrap();
    backup_jobs::list(arm, &vault(), &backup_jobs::JobFilter::default()).await.unwrap();
    vault_points::list(arm, &vault(), &id("virtualMachines/m"), None).await.unwrap();
    health::list_statuses(arm, "s").await.unwrap();
    health::list_events(arm, "s", jiff::Timestamp::UNIX_EPOCH).await.unwrap();
    graph::all_machines(arm, &["s".to_owned()]).await.unwrap();
}

async fn read_all(arm: &ArmClient) {
    subscriptions::get(arm, "s").await.unwrap();
    resource_groups::get(arm, "s", "g").await.unwrap();
    networks::get(arm, &network()).await.unwrap();
    public_addresses::get(arm, &address()).await.unwrap();
    let machine = machines::get(arm, &id("virtualMachines/m")).await.unwrap();
    machines::instance_view(arm, &machine.id).await.unwrap();
    machines::set_tags(arm, &machine, &machine.tags, latest()).await.unwrap();
    disks::get(arm, &id("disks/d")).await.unwrap();
    snapshots::get(arm, "s", "g", "n").await.unwrap();
    restore_points::get_collection(arm, "s", "g", "c").await.unwrap();
    restore_points::get(arm, "s", "g", "c", "p").await.unwrap();
    health::current(arm, &machine.id).await.unwrap();
    tags::get(arm, &id("restorePointCollections/c")).await.unwrap();
    vaults::get(arm, &vault()).await.unwrap();
    vault_policies::get(arm, &vault(), "p").await.unwrap();
    let operation = "o".parse().unwrap();
    protectable_items::refresh_state(arm, &vault(), &operation).await.unwrap();
    protection_status::get(arm, &machine.id, "West Europe").await.unwrap();
    protection_status::pre_check(arm, &machine.id, "West Europe", &vault()).await.unwrap();
    protected_items::get(arm, &vault(), &machine.id).await.unwrap();
    vault_operations::get(arm, &vault(), &operation).await.unwrap();
    backup_jobs::get(arm, &vault(), "j").await.unwrap();
}

async fn change_all(arm: &ArmClient) {
    resource_groups::create(arm, "s", "g", "l", &[], latest()).await.unwrap();
    let machine = id("virtualMachines/m");
    machines::deallocate(arm, &machine, latest()).await.unwrap();
    machines::start(arm, &machine, latest()).await.unwrap();
    machines::power_off(arm, &machine, latest()).await.unwrap();
    let new = snapshots::NewSnapshot { location: "l", disk: &id("disks/d"), tags: &[("a", "b")] };
    snapshots::create(arm, "s", "g", "n", &new, latest()).await.unwrap();
    snapshots::delete(arm, &id("snapshots/n"), latest()).await.unwrap();
    let new = restore_points::NewCollection { location: "l", source: machine.as_str(), tags: &[] };
    restore_points::create_collection(arm, "s", "g", "c", &new, latest()).await.unwrap();
    let new = restore_points::NewPoint { crash_consistent: true, exclude_disks: &[id("disks/d")] };
    restore_points::create(arm, "s", "g", "c", "p", &new, latest()).await.unwrap();
    restore_points::delete(arm, &id("restorePointCollections/c/restorePoints/p"), latest()).await.unwrap();
    let hold = [("hold".to_owned(), "p".to_owned())].into();
    tags::merge(arm, &id("restorePointCollections/c"), &hold, latest()).await.unwrap();
    protectable_items::begin_refresh(arm, &vault(), latest()).await.unwrap();
    let policy = vault().child("backupPolicies", "p").unwrap();
    protection::begin_enable(arm, &vault(), &machine, &policy, latest()).await.unwrap();
    let keep_until = jiff::Timestamp::UNIX_EPOCH;
    protection::begin_backup(arm, &vault(), &machine, keep_until, latest()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn every_operation_is_made_by_a_call_as_its_entry_says() {
    let (arm, lists) = client(36, 0);
    list_all(&arm).await;
    list_replication(&arm).await;
    let (arm, others) = client(0, 43);
    read_all(&arm).await;
    change_all(&arm).await;
    fail_over(&arm).await;
    let mut made = BTreeSet::new();
    for asked in lists.asked().iter().chain(&others.asked()) {
        let fits = operations::ALL.iter().filter(|operation| {
            let version = format!("api-version={}", operation.api_version);
            operation.method == asked.method
                && recordings::fits(operation.path, asked.url.path())
                && asked.url.query().is_some_and(|query| query.ends_with(&version))
        });
        let fits: Vec<_> = fits.map(|operation| (operation.method, operation.path)).collect();
        assert!(!fits.is_empty(), "{} {} is no operation of the list", asked.method, asked.url);
        made.extend(fits);
    }
    let unmade: Vec<_> = operations::ALL
        .iter()
        .filter(|operation| !made.contains(&(operation.method, operation.path)))
        .map(|operation| operation.action)
        .collect();
    assert_eq!(unmade, [""; 0]);
}

#[tokio::test(start_paused = true)]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
async fn a_snapshots_request_is_the_recorded_one() {
    let Some(recorded) = super::data::tape("snapshot_incremental.jsonl").into_iter().find(|line| {
        line.method == "PUT"
            && line.request.pointer("/properties/creationData/createOption") == Some(&json!("Copy"))
            && line.path.contains("/snapshots/")
    }) else {
        return;
    };
    let (arm, scripted) = client(0, 1);
    let disk = recorded.request["properties"]["creationData"]["sourceResourceId"].as_str().unwrap().parse().unwrap();
    let target: ResourceId = recorded.bare_path().parse().unwrap();
    let location = recorded.request["location"].as_str().unwrap();
    let new = snapshots::NewSnapshot { location, disk: &disk, tags: &[] };
    let (subscription, group) = (target.subscription(), target.resource_group());
    snapshots::create(&arm, subscription, group, target.name(), &new, latest()).await.unwrap();
    let asked = &scripted.asked()[0];
    assert_eq!((asked.url.path(), asked.json()), (recorded.bare_path(), recorded.request.clone()));
}
