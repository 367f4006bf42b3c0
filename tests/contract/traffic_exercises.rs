//! Speaks every operation of the client's registry once against the simulator, so that the gate is whole when it runs alone.
//! It never judges an answer: that the call is made is what counts here. An operation without an exercise is told by its name.

use std::sync::Arc;
use std::time::Duration;

use azure_core::http::{HttpClient, Url};
use futures::future::{BoxFuture, FutureExt as _};
use lifeboat_azure::access::Random;
use lifeboat_azure::long_running::Acted;
use lifeboat_azure::operations::{self, Operation};
use lifeboat_azure::restore_points::{NewCollection, NewPoint};
use lifeboat_azure::snapshots::NewSnapshot;
use lifeboat_azure::{
    Access, ArmClient, ErrorKind, Latest, ResourceId, disks, graph, health, locks, machines, permissions,
    resource_groups, restore_points, skus, snapshots, subscriptions, tags, usages,
};
use lifeboat_simulator::azure::{DiskSeed, Grant, VaultSeed};
use lifeboat_simulator::bus::QueueOptions;
use lifeboat_simulator::clock::Clock;
use lifeboat_tests::azure::Azure;
use lifeboat_tests::identity::Identity;
use lifeboat_tests::rig::{EPOCH, GROUP, LOCATION, QUEUE, SUBSCRIPTION};

#[path = "traffic_exercises_backup.rs"]
mod backup;
#[path = "traffic_exercises_recovery.rs"]
mod recovery;

/// Operations that are spoken and not exercised yet, with the reason. Empty is how it must be.
const NOT_YET: &[(&Operation, &str)] = &[];
/// Operations that the client itself refuses to send as long as what they rest on is assumed. Their exercise shows the refusal.
pub const REFUSED: &[&Operation] = &[];
/// How long an effect of an exercise may take until it is sent.
const LATEST: Duration = Duration::from_secs(3600);
/// Longer than any operation of the simulator runs.
const WHOLE_OPERATION: Duration = Duration::from_secs(600);
const MACHINE: &str = "web1";
const COLLECTION: &str = "lifeboat-web1";
const POINT: &str = "20261122T0200Z";
const SNAPSHOT: &str = "web1-20261122";

/// What an exercise calls with.
#[derive(Clone)]
pub struct Bench {
    azure: Arc<Azure>,
    arm: ArmClient,
}

type Result = lifeboat_azure::Result<()>;
type Exercise = fn(Bench) -> BoxFuture<'static, Result>;

/// Each operation and a call that speaks it, in an order in which each finds what it needs.
const EXERCISES: &[(&Operation, Exercise)] = &[
    (&subscriptions::GET, |on| async move { subscriptions::get(&on.arm, SUBSCRIPTION).await.map(drop) }.boxed()),
    (&subscriptions::LIST, |on| async move { subscriptions::list(&on.arm).await.map(drop) }.boxed()),
    (&resource_groups::GET, |on| {
        async move { resource_groups::get(&on.arm, SUBSCRIPTION, GROUP).await.map(drop) }.boxed()
    }),
    (&resource_groups::CREATE, |on| create_group(on).boxed()),
    (&machines::GET, |on| async move { machines::get(&on.arm, &machine()).await.map(drop) }.boxed()),
    (&subscriptions::LOCATIONS, |on| {
        async move { subscriptions::locations(&on.arm, SUBSCRIPTION).await.map(drop) }.boxed()
    }),
    (&resource_groups::LIST, |on| async move { resource_groups::list(&on.arm, SUBSCRIPTION).await.map(drop) }.boxed()),
    (&locks::LIST_AT_RESOURCE, |on| {
        async move { locks::list_at_resource(&on.arm, &machine()).await.map(drop) }.boxed()
    }),
    (&locks::LIST_AT_GROUP, |on| {
        async move { locks::list_at_group(&on.arm, SUBSCRIPTION, GROUP).await.map(drop) }.boxed()
    }),
    (&locks::LIST_AT_SUBSCRIPTION, |on| {
        async move { locks::list_at_subscription(&on.arm, SUBSCRIPTION).await.map(drop) }.boxed()
    }),
    (&permissions::LIST_FOR_GROUP, |on| {
        async move { permissions::list_for_group(&on.arm, SUBSCRIPTION, GROUP).await.map(drop) }.boxed()
    }),
    (&machines::LIST_IN_GROUP, |on| {
        async move { machines::list_in_group(&on.arm, SUBSCRIPTION, GROUP).await.map(drop) }.boxed()
    }),
    (&machines::LIST, |on| async move { machines::list(&on.arm, SUBSCRIPTION).await.map(drop) }.boxed()),
    (&machines::INSTANCE_VIEW, |on| {
        async move { machines::instance_view(&on.arm, &machine()).await.map(drop) }.boxed()
    }),
    (&machines::SET_TAGS, |on| set_tags(on).boxed()),
    (&machines::POWER_OFF, |on| act(on, Act::PowerOff).boxed()),
    (&machines::DEALLOCATE, |on| act(on, Act::Deallocate).boxed()),
    (&machines::START, |on| act(on, Act::Start).boxed()),
    (&usages::LIST, |on| async move { usages::list(&on.arm, SUBSCRIPTION, LOCATION).await.map(drop) }.boxed()),
    (&skus::LIST, |on| async move { skus::list(&on.arm, SUBSCRIPTION, LOCATION).await.map(drop) }.boxed()),
    (&disks::GET, |on| async move { disks::get(&on.arm, &disk(&on).await?).await.map(drop) }.boxed()),
    (&disks::LIST_IN_GROUP, |on| {
        async move { disks::list_in_group(&on.arm, SUBSCRIPTION, GROUP).await.map(drop) }.boxed()
    }),
    (&disks::LIST, |on| async move { disks::list(&on.arm, SUBSCRIPTION).await.map(drop) }.boxed()),
    (&snapshots::CREATE, |on| create_snapshot(on).boxed()),
    (&snapshots::GET, |on| {
        async move { snapshots::get(&on.arm, SUBSCRIPTION, GROUP, SNAPSHOT).await.map(drop) }.boxed()
    }),
    (&snapshots::LIST_IN_GROUP, |on| {
        async move { snapshots::list_in_group(&on.arm, SUBSCRIPTION, GROUP).await.map(drop) }.boxed()
    }),
    (&snapshots::LIST, |on| async move { snapshots::list(&on.arm, SUBSCRIPTION).await.map(drop) }.boxed()),
    (&snapshots::DELETE, |on| delete_snapshot(on).boxed()),
    (&health::CURRENT, |on| async move { health::current(&on.arm, &machine()).await.map(drop) }.boxed()),
    (&health::LIST_STATUSES, |on| async move { health::list_statuses(&on.arm, SUBSCRIPTION).await.map(drop) }.boxed()),
    (&health::LIST_EVENTS, |on| {
        let since = EPOCH.parse().expect("a time");
        async move { health::list_events(&on.arm, SUBSCRIPTION, since).await.map(drop) }.boxed()
    }),
    (&restore_points::CREATE_COLLECTION, |on| create_collection(on).boxed()),
    (&restore_points::CREATE, |on| create_points(on).boxed()),
    (&restore_points::GET, |on| get_points(on).boxed()),
    (&permissions::LIST_FOR_RESOURCE, |on| permissions_for(on).boxed()),
    (&restore_points::GET_COLLECTION, |on| get_collection(on).boxed()),
    (&restore_points::LIST_COLLECTIONS, |on| {
        async move { restore_points::list_collections(&on.arm, SUBSCRIPTION).await.map(drop) }.boxed()
    }),
    (&tags::UPDATE, |on| hold(on).boxed()),
    (&tags::GET, |on| async move { tags::get(&on.arm, &collection()).await.map(drop) }.boxed()),
    (&restore_points::DELETE, |on| delete_point(on).boxed()),
    (&graph::QUERY, |on| query(on).boxed()),
];

/// Speaks everything; panics with the names of what cannot be spoken.
pub async fn all() {
    let missing: Vec<String> = operations::ALL
        .iter()
        .filter(|operation| !exercises().any(|(known, _)| known == *operation))
        .filter(|operation| !NOT_YET.iter().any(|(known, _)| known == *operation))
        .map(|operation| format!("{} {} {}", operation.action, operation.method, operation.path))
        .collect();
    assert!(missing.is_empty(), "spoken and not exercised here:\n{}", missing.join("\n"));
    for (operation, reason) in NOT_YET {
        println!("not exercised: {} {}: {reason}", operation.method, operation.path);
    }
    let bench = bench();
    for (operation, exercise) in exercises() {
        let done = exercise(bench.clone()).await;
        done.unwrap_or_else(|error| panic!("{} {}: {error:?}", operation.method, operation.path));
    }
    refusals(bench).await;
}

fn exercises() -> impl Iterator<Item = &'static (&'static Operation, Exercise)> {
    EXERCISES.iter().chain(backup::EXERCISES).chain(recovery::EXERCISES)
}

/// An Azure of its own, with a machine, and an identity that may do everything.
fn bench() -> Bench {
    let clock = Clock::starting_at(EPOCH.parse().expect("a time"));
    let azure = Azure::exercised(&clock, 1);
    azure.identity.change_grants(&azure.principal.object_id, |grants| *grants = vec![Grant::owner()]);
    let mut seed = Azure::seed(MACHINE);
    seed.disks = vec![DiskSeed { name: "data".to_owned(), size_gib: 32 }];
    azure.arm.add_machine(&seed);
    azure.arm.add_vault(&VaultSeed::new(SUBSCRIPTION, GROUP, backup::VAULT, LOCATION));
    let (blobs, bus) = azure.store_and_queue(QueueOptions::new(QUEUE));
    let transport: Arc<dyn HttpClient> = azure.transport(&blobs, &bus);
    let credential = Identity::new(Arc::clone(&transport), azure.identity_header());
    let access = Access::new(transport, credential, Arc::new(move || clock.now()), Random::seeded(1));
    let endpoint = Url::parse("https://management.azure.com").expect("a URL");
    let arm = ArmClient::new(endpoint, &access).expect("an endpoint");
    Bench { azure: Arc::new(azure), arm }
}

fn machine() -> ResourceId {
    Azure::id(MACHINE).parse().expect("an id")
}

fn collection() -> ResourceId {
    let kind = "Microsoft.Compute/restorePointCollections";
    ResourceId::of_resource(SUBSCRIPTION, GROUP, kind, COLLECTION).expect("an id")
}

fn latest() -> Latest {
    Latest::after(LATEST)
}

enum Act {
    PowerOff,
    Deallocate,
    Start,
}

/// Acts on the machine and waits for the end.
async fn act(on: Bench, act: Act) -> Result {
    let acted = match act {
        Act::PowerOff => machines::power_off(&on.arm, &machine(), latest()).await?,
        Act::Deallocate => machines::deallocate(&on.arm, &machine(), latest()).await?,
        Act::Start => machines::start(&on.arm, &machine(), latest()).await?,
    };
    ended(&on, acted).await
}

async fn ended(on: &Bench, acted: Acted) -> Result {
    if let Acted::Begun(Some(operation)) = acted {
        on.arm.wait(&operation, WHOLE_OPERATION).await?;
    }
    Ok(())
}

async fn set_tags(on: Bench) -> Result {
    let before = machines::get(&on.arm, &machine()).await?;
    let tags = [("env".to_owned(), "prod".to_owned()), ("seen".to_owned(), "yes".to_owned())].into();
    machines::set_tags(&on.arm, &before, &tags, latest()).await.map(drop)
}

/// The machine's first disk.
async fn disk(on: &Bench) -> lifeboat_azure::Result<ResourceId> {
    let disks = machines::get(&on.arm, &machine()).await?.disks;
    Ok(disks.into_iter().find_map(|disk| disk.id).expect("a managed disk"))
}

async fn create_snapshot(on: Bench) -> Result {
    let disk = disk(&on).await?;
    let new = NewSnapshot { location: LOCATION, disk: &disk, tags: &[("owner", "lifeboat")] };
    let made = snapshots::create(&on.arm, SUBSCRIPTION, GROUP, SNAPSHOT, &new, latest()).await?;
    if let Some(operation) = made.operation {
        on.arm.wait(&operation, WHOLE_OPERATION).await?;
    }
    Ok(())
}

async fn delete_snapshot(on: Bench) -> Result {
    let made = snapshots::get(&on.arm, SUBSCRIPTION, GROUP, SNAPSHOT).await?;
    let acted = snapshots::delete(&on.arm, &made.id, latest()).await?;
    ended(&on, acted).await
}

/// Adds a tag to the collection, takes it away and adds it again.
async fn hold(on: Bench) -> Result {
    let hold = [(format!("lifeboat-hold-{POINT}"), "audit".to_owned())].into();
    tags::merge(&on.arm, &collection(), &hold, latest()).await?;
    tags::remove(&on.arm, &collection(), &hold, latest()).await?;
    tags::merge(&on.arm, &collection(), &hold, latest()).await.map(drop)
}

async fn delete_point(on: Bench) -> Result {
    let made = restore_points::get(&on.arm, SUBSCRIPTION, GROUP, COLLECTION, POINT).await?;
    let acted = restore_points::delete(&on.arm, &made.id, latest()).await?;
    ended(&on, acted).await
}

async fn create_group(on: Bench) -> Result {
    for tags in [&[][..], &[("owner", "lifeboat")]] {
        resource_groups::create(&on.arm, SUBSCRIPTION, "rg-points", LOCATION, tags, latest()).await?;
    }
    Ok(())
}

async fn create_collection(on: Bench) -> Result {
    let source = Azure::id(MACHINE);
    for tags in [&[][..], &[("owner", "lifeboat")]] {
        let new = NewCollection { location: LOCATION, source: &source, tags };
        restore_points::create_collection(&on.arm, SUBSCRIPTION, GROUP, COLLECTION, &new, latest()).await?;
    }
    Ok(())
}

/// As consistent as the machine gives, and polled to its end; then a crash-consistent one without a data disk.
async fn create_points(on: Bench) -> Result {
    let excluded =
        machines::get(&on.arm, &machine()).await?.disks.into_iter().filter_map(|disk| disk.id).skip(1).collect();
    let new = [
        (POINT, NewPoint::default()),
        ("20261122T0300Z", NewPoint { crash_consistent: true, exclude_disks: &[] }),
        ("20261122T0400Z", NewPoint { crash_consistent: true, exclude_disks: &Vec::leak(excluded)[..] }),
    ];
    for (name, new) in new {
        let made = restore_points::create(&on.arm, SUBSCRIPTION, GROUP, COLLECTION, name, &new, latest()).await?;
        if let Some(operation) = made.operation {
            on.arm.operation_state(&operation).await?;
            on.arm.wait(&operation, WHOLE_OPERATION).await?;
        }
    }
    Ok(())
}

async fn get_points(on: Bench) -> Result {
    restore_points::get(&on.arm, SUBSCRIPTION, GROUP, COLLECTION, POINT).await.map(drop)
}

/// Of a resource with a parent and of one without.
async fn permissions_for(on: Bench) -> Result {
    let point = restore_points::get(&on.arm, SUBSCRIPTION, GROUP, COLLECTION, POINT).await?.id;
    permissions::list_for_resource(&on.arm, &point).await?;
    permissions::list_for_resource(&on.arm, &machine()).await.map(drop)
}

async fn get_collection(on: Bench) -> Result {
    restore_points::get_collection(&on.arm, SUBSCRIPTION, GROUP, COLLECTION).await.map(drop)
}

async fn query(on: Bench) -> Result {
    let scope = [SUBSCRIPTION.to_owned()];
    graph::all_machines(&on.arm, &scope).await?;
    graph::machines(&on.arm, &scope, Some(EPOCH.parse().expect("a time"))).all().await?;
    graph::items(&on.arm, &scope).all().await?;
    graph::collections_tagged(&on.arm, &scope, "owner", "lifeboat").await.map(drop)
}

/// The refusals that a client meets every day: each has a body that a document describes.
async fn refusals(on: Bench) {
    let mut elsewhere = Azure::seed("missing");
    let missing: ResourceId = elsewhere.id().parse().expect("an id");
    let kind = |found: lifeboat_azure::Result<machines::Machine>| found.map_err(|error| error.kind).err();
    assert_eq!(kind(machines::get(&on.arm, &missing).await), Some(ErrorKind::NotFound));
    elsewhere.group = "rg-missing".to_owned();
    let missing: ResourceId = elsewhere.id().parse().expect("an id");
    assert_eq!(kind(machines::get(&on.arm, &missing).await), Some(ErrorKind::NotFound));
    on.azure.take_right("Microsoft.Compute/virtualMachines/read");
    assert_eq!(kind(machines::get(&on.arm, &machine()).await), Some(ErrorKind::Forbidden));
}
