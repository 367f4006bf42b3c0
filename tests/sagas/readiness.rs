//! Looks at readiness over the simulated Azure: what makes a recovery plan ready, what keeps it from that, what stays saved while its
//! region is silent, and that an order is made of it.

use std::time::Duration;

use lifeboat_azure::failover;
use lifeboat_execution::alarms::{self, Alarm, Cause};
use lifeboat_execution::declaration;
use lifeboat_execution::readiness::record::{self, Record};
use lifeboat_planning::recovery::readiness::State;
use lifeboat_planning::saga::{Ask, Choice};
use lifeboat_simulator::azure::{ArmFault, ArmFaultEffect, DiskSeed, ReplicaSeed};
use lifeboat_tests::azure::Azure;
use lifeboat_tests::failing_over::{ENDPOINTS, OTHER, OTHER_GROUP, PLAN, Stage};
use lifeboat_tests::rig::CONTAINER;

const HOUR: Duration = Duration::from_secs(3_600);
const HALF_HOUR: Duration = Duration::from_secs(1_800);
/// What all reads of the region that may be lost may take for one recovery plan, and a second for all else, which answers at once.
const BOUND: Duration = Duration::from_secs(21);

fn told(record: &Record) -> Vec<&str> {
    record.reasons.iter().map(|reason| reason.text.as_str()).collect()
}

/// A stage whose recovery plan is in force and was looked at.
async fn looked_at(seed: u64) -> Stage {
    let stage = Stage::new(seed);
    stage.in_force();
    assert_eq!(stage.look_at_readiness().await, ["shop: ready"]);
    stage
}

/// What the declaration found of a condition.
async fn condition(stage: &Stage, name: &str) -> (bool, String) {
    declaration::evaluate_all(&stage.process(), "test").await.expect("it is evaluated");
    let bytes = stage.blobs.bytes(CONTAINER, &declaration::record::blob_name(PLAN)).expect("a declaration");
    let kept: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
    let all = kept["last"]["conditions"].as_array().cloned().unwrap_or_default();
    let found = all.into_iter().find(|one| one["name"] == name).expect("the condition");
    (found["met"] == true, found["value"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_recovery_plan_that_is_ready_is_saved_whole_and_nothing_was_changed_in_azure() {
    let stage = looked_at(41).await;
    let record = stage.readiness();
    assert_eq!((record.state, told(&record)), (State::Ready, vec![]));
    let leads = "endpoint neu of profile tm-shop leads to neu.example.net, which is no public address in scope: nothing tells \
                 where that is";
    let held = ["db-1", "db-2", "web-1"].map(|name| {
        format!("{name}: its agent still holds 1.25 MiB, which is lost where the old machine stops before it is sent")
    });
    let known = ["whether the target region has free capacity, no call of Azure tells".to_owned(), leads.to_owned()];
    assert_eq!(record.notes, [&known[..], &held].concat());
    let saved = record.saved.as_ref().expect("a copy");
    assert_eq!((saved.at, record.ready_at), (record.looked_at, Some(record.looked_at)));
    let disks: Vec<usize> =
        saved.groups.iter().flat_map(|group| &group.members).map(|it| it.machine.disks.len()).collect();
    assert!(disks.len() == 3 && disks.iter().all(|count| *count > 0), "{disks:?}");
    assert_eq!(saved.mappings.len(), 2, "there and back");
    let point = record.point_at().expect("a usable point");
    assert!(stage.clock.now().duration_since(point).as_secs() <= 300, "{point}");
    let writes: Vec<String> =
        stage.azure.arm.requests().into_iter().filter(|it| it.method != "GET").map(|it| it.path).collect();
    assert_eq!(writes, ["/providers/Microsoft.ResourceGraph/resources"], "it only asks");
}

#[tokio::test(start_paused = true)]
async fn a_saga_is_begun_with_the_order_that_is_made_of_what_was_saved() {
    let stage = looked_at(42).await;
    assert_eq!(stage.order_of_what_was_saved().await, stage.order(), "as one that is made by hand");
    stage.lose(true);
    stage.begin(stage.order_of_what_was_saved().await).await;
    stage.until_asked(Ask::FenceImpossible, HOUR).await;
    stage.answer(Ask::FenceImpossible, Choice::GoOn, None).await;
    stage.until_asked(Ask::Commit, HOUR).await;
    assert_eq!(stage.running(OTHER).len(), 3, "{}", stage.story());
    assert_eq!(stage.enabled(), [ENDPOINTS.1]);
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_is_not_replicated_keeps_a_recovery_plan_from_being_ready() {
    let stage = looked_at(43).await;
    let before = stage.readiness();
    // A member that came since, of which one disk was left out.
    let mut seed = Azure::seed("db-3");
    seed.disks.push(DiskSeed { name: "db-3-data".to_owned(), size_gib: 64 });
    let replica = ReplicaSeed {
        machine: stage.azure.arm.add_machine(&seed),
        vault: stage.vault.clone(),
        recovery_location: OTHER.to_owned(),
        recovery_group: OTHER_GROUP.to_owned(),
        since: None,
        without_disks: vec!["db-3-data".to_owned()],
        multi_vm_group: None,
    };
    stage.azure.arm.add_replica(&replica).expect("an item");
    let said = stage.look_at_readiness().await;
    assert_eq!(said, ["shop: not ready: db-3: disk db-3-data is not replicated"]);
    let record = stage.readiness();
    assert_eq!((record.state, record.reasons[0].member.as_deref()), (State::NotReady, Some("db-3")));
    assert_eq!(record.ready_at, before.ready_at, "it was then, and is not now");
    // What is there is saved all the same: who orders a failover may pass what is not met.
    let copy = record.saved.as_ref().and_then(|saved| saved.member("db-3")).expect("it is saved");
    let replicated: Vec<(&str, bool)> =
        copy.machine.disks.iter().map(|disk| (disk.name.as_str(), disk.replicated)).collect();
    assert!(replicated.contains(&("db-3-data", false)), "{replicated:?}");
    let (met, value) = condition(&stage, "ready").await;
    assert!(!met && value.starts_with("not ready, looked at"), "{value}");
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_nothing_replicates_refuses_and_no_order_passes_that() {
    let stage = looked_at(44).await;
    let before = stage.readiness().saved;
    stage.azure.arm.add_machine(&Azure::seed("db-4"));
    stage.look_at_readiness().await;
    let record = stage.readiness();
    assert_eq!(
        (record.state, told(&record)),
        (State::MemberRefuses, vec!["db-4 is not replicated by any vault in scope"])
    );
    assert_eq!(record.saved, before, "without it the path is not whole, and the copy before stays");
    let (met, value) = condition(&stage, "ready").await;
    assert!(!met && value.starts_with("a member does not allow failover"), "{value}");
}

#[tokio::test(start_paused = true)]
async fn replication_that_stalls_is_told_by_the_age_of_the_newest_point() {
    let stage = looked_at(45).await;
    let stalled = stage.members().next().expect("a member").clone();
    assert!(stage.azure.arm.stall_replication(&stalled.item, true));
    tokio::time::sleep(HALF_HOUR).await;
    stage.look_at_readiness().await;
    let record = stage.readiness();
    let reasons = told(&record);
    assert_eq!((record.state, reasons.len()), (State::NotReady, 1), "{reasons:?}");
    assert!(reasons[0].starts_with("db-1: its newest point is") && reasons[0].ends_with("at most 900 s may be lost"));
    // The workload is lost back to the point of the member that lags, and the declaration reckons with that.
    let lag = stage.clock.now().duration_since(record.point_at().expect("a point"));
    assert!(lag.as_secs() >= 1_800, "{lag:?}");
    assert!(stage.azure.arm.stall_replication(&stalled.item, false));
    tokio::time::sleep(HALF_HOUR).await;
    assert_eq!(stage.look_at_readiness().await, ["shop: ready"]);
    let (met, value) = condition(&stage, "ready").await;
    assert!(met && value.starts_with("ready, looked at"), "{value}");
}

#[tokio::test(start_paused = true)]
async fn a_region_that_is_down_costs_its_bound_and_neither_the_copy_nor_that_it_was_ready() {
    let stage = looked_at(46).await;
    let before = stage.readiness();
    tokio::time::sleep(HALF_HOUR).await;
    stage.lose(true);
    let began = tokio::time::Instant::now();
    let said = stage.look_at_readiness().await;
    let took = began.elapsed();
    println!("{took:?}, all of it the lost region's silence");
    assert!(took <= BOUND, "{took:?}");
    assert!(
        said[0].starts_with("shop: as it was when it was ready last, because its region is silent: nobody answers"),
        "{said:?}"
    );
    let record = stage.readiness();
    assert_eq!((record.state, &record.saved, record.ready_at), (State::Silent, &before.saved, before.ready_at));
    assert!(record.looked_at > before.looked_at);
    // The vault outlasts the region: points that were made until then are known.
    assert!(record.point_at() > before.point_at(), "{:?} {:?}", record.point_at(), before.point_at());
    let (met, value) = condition(&stage, "ready").await;
    assert!(met, "{value}");
    // It is never ready for longer than its last look was good for, however often the silence is heard.
    for _ in 0..2 {
        tokio::time::sleep(HALF_HOUR).await;
        stage.look_at_readiness().await;
    }
    assert_eq!(stage.readiness().saved, before.saved);
    let (met, value) = condition(&stage, "ready").await;
    assert!(!met, "{value}");
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_read_is_never_ready_and_spoils_no_copy() {
    // No document of Site Recovery's has an answer for what is broken, so that these are not held against them.
    let stage = Stage::unwatched(47);
    stage.in_force();
    assert_eq!(stage.look_at_readiness().await, ["shop: ready"]);
    let before = stage.readiness();
    for (path, part) in [
        ("replicationProtectedItems", "its replicated item could not be read"),
        ("/recoveryPoints", "its recovery points could not be read"),
        ("/targetComputeSizes", "which sizes Site Recovery offers for it could not be read"),
        ("replicationProtectionContainerMappings", "how its container is mapped could not be read"),
        ("trafficmanagerprofiles", "profile tm-shop could not be read"),
        ("ResourceGraph", "which machines are members could not be read"),
        ("/usages", "quota and sizes of the target region could not be read"),
        ("Microsoft.Authorization/locks", "which locks stand in subscription"),
        ("Microsoft.Authorization/permissions", "what is allowed in group rg-north could not be read"),
        (
            "/resourcegroups/rg-north/providers/Microsoft.Compute/virtualMachines/",
            "the id of the machine to be could not be read",
        ),
    ] {
        stage.azure.arm.fault(ArmFault::new(ArmFaultEffect::InternalServerError).on_path(path).always());
        stage.look_at_readiness().await;
        let record = stage.readiness();
        assert_eq!(record.state, State::NotReady, "{path}");
        assert!(told(&record).iter().any(|text| text.contains(part)), "{path}: {:?}", told(&record));
        assert_eq!(record.ready_at, before.ready_at, "{path}");
        assert!(record.saved.is_some() && record.point_at().is_some(), "{path}");
        stage.azure.arm.clear_faults();
    }
}

#[tokio::test(start_paused = true)]
async fn a_right_that_a_step_needs_and_the_identity_lacks_is_named() {
    let stage = looked_at(48).await;
    stage.azure.take_right(failover::COMMIT.action);
    stage.look_at_readiness().await;
    let record = stage.readiness();
    assert_eq!(
        (record.state, told(&record)),
        (State::NotReady, vec![&*format!("{} is not allowed in group rg-north", failover::COMMIT.action)])
    );
    let open = async || {
        let bytes = stage.blobs.bytes(CONTAINER, &alarms::blob_name(Cause::RecoveryNotReady, Some(PLAN)));
        bytes.is_some_and(|bytes| serde_json::from_slice::<Alarm>(&bytes).expect("an alarm").is_open())
    };
    assert!(!open().await, "one look may be wrong");
    stage.look_at_readiness().await;
    assert!(open().await, "two are not");
    stage.azure.give_rights_back();
    stage.look_at_readiness().await;
    assert!(!open().await, "it closes itself");
}

#[tokio::test(start_paused = true)]
async fn two_sweeps_at_once_are_kept_apart_and_one_of_another_region_looks_at_nothing() {
    let stage = looked_at(49).await;
    let lease = stage.process().store.lease("leases/readiness-sweep", 60).await.expect("a lease");
    assert_eq!(stage.look_at_readiness().await, ["another sweep of readiness is at work"]);
    stage.process().store.release(&lease).await.expect("released");
    let record = record::read(&stage.process().store, PLAN).await.expect("read").expect("a record");
    let mut elsewhere = stage.process();
    elsewhere.settings.owned_regions.retain(|region| region != OTHER);
    let sweep = lifeboat_execution::ReadinessSweep { past_due: false, last: None };
    let answer = elsewhere.handle(lifeboat_execution::Event::ReadinessSweep(sweep)).await.expect("done");
    let lifeboat_execution::Answer::Done(report) = answer else { panic!("{answer:?}") };
    assert_eq!(report.lines, ["shop: not looked at, because northeurope is another deployment's"]);
    assert_eq!(stage.readiness(), record);
}

/// The timer of the poll fires; when the declaration was last evaluated, and where it stands.
async fn poll(stage: &Stage) -> serde_json::Value {
    let poll = lifeboat_execution::HealthPoll { past_due: false, last: None };
    stage.process().handle(lifeboat_execution::Event::HealthPoll(poll)).await.expect("polled");
    let bytes = stage.blobs.bytes(CONTAINER, &declaration::record::blob_name(PLAN)).expect("a declaration");
    serde_json::from_slice(&bytes).expect("JSON")
}

#[tokio::test(start_paused = true)]
async fn while_its_region_is_suspected_the_newest_points_are_read_anew_and_nothing_else() {
    let stage = looked_at(56).await;
    let before = stage.readiness();
    tokio::time::advance(Duration::from_secs(20 * 60)).await;
    let mut declared = poll(&stage).await;
    assert_eq!((declared["phase"].as_str(), stage.readiness()), (Some("Normal"), before.clone()), "not in quiet times");
    // Its region is suspected.
    declared["phase"] = "Suspected".into();
    declared["incident"] = serde_json::json!({ "openedAt": stage.clock.now(), "senders": [] });
    let name = declaration::record::blob_name(PLAN);
    let bytes = serde_json::to_vec(&declared).expect("JSON");
    stage.process().store.put(&name, bytes.into(), lifeboat_azure::blobs::Condition::Any).await.expect("written");
    let asked = stage.clock.now();
    let mut declared = poll(&stage).await;
    let after = stage.readiness();
    assert!(after.newest.values().all(|own| own.read_at >= asked), "{:?}", after.newest);
    let age = stage.clock.now().duration_since(after.point_at().expect("a usable point"));
    assert!(age.as_mins() <= 6, "what would be lost is told by points as they are: {age:#}");
    assert_eq!(Record { newest: before.newest.clone(), ..after.clone() }, before, "all else is the sweep's");
    // Whoever wrote down that it is suspected raised no alarm: it was stopped before it could.
    assert!(is_alarmed(&stage), "the next one does");
    let calls = stage.wire.count();
    tokio::time::advance(Duration::from_secs(60)).await;
    poll(&stage).await;
    assert_eq!(stage.readiness(), after, "a minute later they are fresh: {} calls", stage.wire.count() - calls);
    // The same of its end.
    (declared["phase"], declared["incident"]) = ("Normal".into(), serde_json::Value::Null);
    let bytes = serde_json::to_vec(&declared).expect("JSON");
    stage.process().store.put(&name, bytes.into(), lifeboat_azure::blobs::Condition::Any).await.expect("written");
    for said in stage.blobs.names(CONTAINER).iter().filter(|name| name.starts_with("signals/")) {
        stage.blobs.remove(CONTAINER, said);
    }
    declaration::evaluate_all(&stage.process(), "test").await.expect("it is evaluated");
    assert!(!is_alarmed(&stage), "it is closed by the next one");
}

/// Whether the alarm about the region is open.
fn is_alarmed(stage: &Stage) -> bool {
    let alarm = stage.blobs.bytes(CONTAINER, &alarms::blob_name(Cause::RegionSuspected, Some(PLAN)));
    let alarm: Option<Alarm> = alarm.map(|bytes| serde_json::from_slice(&bytes).expect("an alarm"));
    alarm.is_some_and(|alarm| alarm.is_open())
}
