//! What is due of a machine that a look has just then is tried once more in the same sweep: slots of every hour and hourly sweeps would else
//! meet each time. It never shortens a look's lease.

use std::time::Duration;

use jiff::SignedDuration;
use lifeboat_planning::id::hash;
use lifeboat_simulator::azure::CollectionSeed;
use lifeboat_tests::azure::Azure;
use lifeboat_tests::instance::Instance;
use lifeboat_tests::{Rig, past};

use crate::run;

/// As long as a look's lease.
const LEASE_SECS: u32 = 60;

/// A machine of old with three points, of which one is due, and its lease held for so long from the moment that the sweep begins; the points
/// left when the sweep is over.
async fn swept_beside_a_look(takes: Duration) -> usize {
    let rig = Rig::without_host(1);
    past::old_estate(&rig);
    rig.write_policy(&(lifeboat_tests::policy::document("enforce", "24h") + "      keep: { last: 2 }\n"));
    let mut rig = rig;
    rig.host_on().await;
    let mut seed = Azure::seed("web-1");
    seed.created_at = rig.epoch.checked_sub(SignedDuration::from_hours(90 * 24)).ok();
    rig.azure.arm.add_machine(&seed);
    let machine = rig.azure.machine("web-1").expect("a machine");
    let ago: Vec<SignedDuration> = [3, 2, 1].map(|days| SignedDuration::from_hours(24 * days)).into();
    let collection: CollectionSeed = past::seed(&rig, &machine, &ago);
    rig.azure.arm.add_collection(&collection).expect("a collection");
    rig.run(Duration::from_secs(5 * 60)).await;
    let instance = Instance::beside(&rig);
    let store = instance.store();
    let name = format!("leases/{}", hash(&[&machine.id.to_lowercase()]));
    let lease = store.lease(&name, LEASE_SECS).await.expect("no look has it");
    let look = async {
        tokio::time::sleep(takes).await;
        store.release(&lease).await.expect("it is still held");
    };
    let ((), ()) = tokio::join!(rig.expire(), look);
    // Azure takes a while to delete what it was asked to.
    rig.run(Duration::from_secs(60)).await;
    rig.azure.points("web-1").len()
}

#[test]
fn what_is_due_goes_in_the_same_sweep_when_the_look_is_over() {
    assert_eq!(run(swept_beside_a_look(Duration::from_secs(15))), 2);
}

#[test]
fn a_look_that_takes_longer_is_left_alone_until_the_next_sweep() {
    assert_eq!(run(swept_beside_a_look(Duration::from_secs(50))), 3);
}
