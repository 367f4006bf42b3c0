//! Traffic Manager: endpoints and their probes on virtual time, who is served, and a change that is acknowledged and not done.

use serde_json::{Value, json};

use super::calls::{Caller, SUBSCRIPTION, Told, seconds};
use crate::azure::{EndpointSeed, ProfileSeed, ServedEndpoint, TargetState};

const VERSION: &str = "api-version=2022-04-01";

/// A caller with a profile of two endpoints, the second of which is disabled.
fn stage() -> (Caller, String) {
    let caller = Caller::new();
    let endpoint =
        |name: &str, enabled| EndpointSeed { name: name.to_owned(), target: format!("{name}.example.net"), enabled };
    let seed = ProfileSeed {
        subscription: SUBSCRIPTION.to_owned(),
        group: "edge".to_owned(),
        name: "shop".to_owned(),
        location: "northeurope".to_owned(),
        endpoints: vec![endpoint("west", true), endpoint("north", false)],
        interval_seconds: 30,
        ttl_seconds: 30,
    };
    let profile = caller.world.arm().add_profile(&seed).unwrap();
    (caller, profile)
}

async fn send(caller: &Caller, method: &str, path: &str, body: Option<Value>) -> Told {
    caller.send(method, &format!("{path}?{VERSION}"), body).await
}

async fn status(caller: &Caller, profile: &str, endpoint: &str) -> Value {
    let told = send(caller, "GET", &format!("{profile}/ExternalEndpoints/{endpoint}"), None).await;
    told.body["properties"]["endpointMonitorStatus"].clone()
}

async fn turn(caller: &Caller, profile: &str, endpoint: &str, word: &str) -> Told {
    let body = json!({ "properties": { "endpointStatus": word } });
    send(caller, "PATCH", &format!("{profile}/externalEndpoints/{endpoint}"), Some(body)).await
}

fn served(caller: &Caller, profile: &str) -> Option<String> {
    caller.world.arm().served(profile).map(|ServedEndpoint { name, .. }| name)
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_is_checked_then_online_and_degraded_after_one_failure_more_than_tolerated() {
    let (caller, profile) = stage();
    assert_eq!(status(&caller, &profile, "west").await, "Online");
    assert_eq!(status(&caller, &profile, "north").await, "Disabled");
    let told = turn(&caller, &profile, "north", "Enabled").await;
    assert_eq!((told.status, &told.body["properties"]["endpointMonitorStatus"]), (200, &json!("CheckingEndpoint")));
    seconds(29).await;
    assert_eq!(status(&caller, &profile, "north").await, "CheckingEndpoint");
    seconds(1).await;
    assert_eq!(status(&caller, &profile, "north").await, "Online");
    caller.world.arm().set_target("north.example.net", &TargetState::Silent);
    seconds(3 * 30 + 10).await;
    assert_eq!(status(&caller, &profile, "north").await, "Online", "three failures are tolerated");
    seconds(30).await;
    assert_eq!(status(&caller, &profile, "north").await, "Degraded");
    caller.world.arm().set_target("north.example.net", &TargetState::Answers);
    seconds(30).await;
    assert_eq!(status(&caller, &profile, "north").await, "Online", "one good probe is enough");
}

#[tokio::test(start_paused = true)]
async fn the_lowest_priority_that_is_not_degraded_is_served_and_all_when_all_are() {
    let (caller, profile) = stage();
    assert_eq!(served(&caller, &profile).as_deref(), Some("west"));
    turn(&caller, &profile, "north", "Enabled").await;
    seconds(30).await;
    caller.world.arm().set_target("west.example.net", &TargetState::Silent);
    seconds(200).await;
    assert_eq!(served(&caller, &profile).as_deref(), Some("north"));
    let whole = send(&caller, "GET", &profile, None).await.body;
    assert_eq!(whole["properties"]["monitorConfig"]["profileMonitorStatus"], "Degraded");
    caller.world.arm().set_target("north.example.net", &TargetState::Silent);
    seconds(200).await;
    assert_eq!(served(&caller, &profile).as_deref(), Some("west"), "all are bad, so all are served");
    turn(&caller, &profile, "west", "Disabled").await;
    turn(&caller, &profile, "north", "Disabled").await;
    assert_eq!(served(&caller, &profile), None);
    let whole = send(&caller, "GET", &profile, None).await.body;
    assert_eq!(whole["properties"]["monitorConfig"]["profileMonitorStatus"], "Inactive");
}

#[tokio::test(start_paused = true)]
async fn a_target_that_is_a_machine_answers_while_the_machine_runs() {
    let (caller, profile) = stage();
    let seed = crate::azure::MachineSeed::new(SUBSCRIPTION, "Shop", "web-1", "westeurope");
    let machine = caller.world.add_machine(&seed);
    caller.world.arm().set_target("west.example.net", &TargetState::Machine(machine.clone()));
    seconds(60).await;
    assert_eq!(status(&caller, &profile, "west").await, "Online");
    caller.send("POST", &format!("{machine}/deallocate?api-version=2025-04-01"), None).await;
    seconds(200).await;
    assert_eq!(status(&caller, &profile, "west").await, "Degraded");
    caller.send("POST", &format!("{machine}/start?api-version=2025-04-01"), None).await;
    seconds(120).await;
    assert_eq!(status(&caller, &profile, "west").await, "Online");
    caller.world.arm().set_region("westeurope", Some(crate::azure::RegionTrouble::Down));
    seconds(200).await;
    assert_eq!(status(&caller, &profile, "west").await, "Degraded", "its region is down");
}

#[tokio::test(start_paused = true)]
async fn a_change_can_be_acknowledged_and_not_done() {
    let (caller, profile) = stage();
    caller.world.arm().lie_about("Microsoft.Network/trafficManagerProfiles/*/write", "/north");
    let told = turn(&caller, &profile, "north", "Enabled").await;
    assert_eq!((told.status, &told.body["properties"]["endpointStatus"]), (200, &json!("Enabled")));
    assert_eq!(status(&caller, &profile, "north").await, "Disabled");
    turn(&caller, &profile, "north", "Enabled").await;
    assert_eq!(status(&caller, &profile, "north").await, "CheckingEndpoint", "it lies once");
}

#[tokio::test(start_paused = true)]
async fn what_is_always_served_is_not_monitored_and_a_disabled_profile_leads_nowhere() {
    let (caller, profile) = stage();
    let body = json!({ "properties": { "alwaysServe": "Enabled" } });
    send(&caller, "PATCH", &format!("{profile}/externalEndpoints/west"), Some(body)).await;
    assert_eq!(status(&caller, &profile, "west").await, "Unmonitored");
    let body = json!({ "properties": { "profileStatus": "Disabled" } });
    let told = send(&caller, "PATCH", &profile, Some(body)).await;
    assert_eq!(told.body["properties"]["monitorConfig"]["profileMonitorStatus"], "Disabled");
    assert_eq!(status(&caller, &profile, "west").await, "Inactive");
    assert_eq!(served(&caller, &profile), None);
}

#[tokio::test(start_paused = true)]
async fn two_endpoints_of_one_priority_and_two_profiles_of_one_name_are_refused() {
    let (caller, profile) = stage();
    let body = json!({ "properties": { "priority": 1 } });
    let told = send(&caller, "PATCH", &format!("{profile}/externalEndpoints/north"), Some(body)).await;
    assert_eq!(told.status, 400);
    let other = profile.replace("/shop", "/other");
    let body = json!({ "location": "global", "properties": { "dnsConfig": { "relativeName": "SHOP", "ttl": 30 } } });
    assert_eq!(send(&caller, "PUT", &other, Some(body)).await.status, 400);
    let name = "/providers/Microsoft.Network/checkTrafficManagerNameAvailability";
    let body = json!({ "name": "shop", "type": "microsoft.network/trafficmanagerprofiles" });
    assert_eq!(send(&caller, "POST", name, Some(body)).await.body["nameAvailable"], false);
    assert_eq!(send(&caller, "DELETE", &profile, None).await.status, 200);
    assert_eq!(send(&caller, "DELETE", &profile, None).await.status, 204);
    assert_eq!(send(&caller, "GET", &profile, None).await.code(), "ResourceNotFound");
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_put_back_goes_on_probing_from_there() {
    let (caller, profile) = stage();
    caller.world.jump(jiff::SignedDuration::from_hours(-1));
    caller.world.arm().set_target("west.example.net", &TargetState::Silent);
    assert!(!caller.world.arm().answers("west.example.net"));
    assert!(caller.world.arm().answers("north.example.net"), "what is not named answers");
    assert_eq!(status(&caller, &profile, "west").await, "Online");
    seconds(4 * 30 + 10).await;
    assert_eq!(status(&caller, &profile, "west").await, "Degraded");
}
