//! How machines fare, service health events, and both in Resource Graph.

use serde_json::{Value, json};

use super::calls::{Caller, SUBSCRIPTION, seconds};
use crate::azure::{ARM_AUDIENCE, Availability, AvailabilityState, MachineSeed, RegionTrouble, ServiceEvent};

const VERSION: &str = "api-version=2025-05-01";

async fn ask(caller: &Caller, scope: &str, rest: &str) -> Value {
    let sign = if rest.contains('?') { '&' } else { '?' };
    let path = format!("{scope}/providers/Microsoft.ResourceHealth/{rest}{sign}{VERSION}");
    let told = caller.send("GET", &path, None).await;
    assert_eq!(told.status, 200, "{path}: {told:?}");
    told.body
}

async fn query(caller: &Caller, query: &str) -> Vec<Value> {
    let path = "/providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01";
    let told = caller.send("POST", path, Some(json!({ "query": query }))).await;
    assert_eq!(told.status, 200, "{query}: {told:?}");
    told.body["data"].as_array().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn a_machine_is_available_until_it_is_said_not_to_be_and_remembers() {
    let (caller, machine) = Caller::with_machine(|seed| seed);
    let arm = caller.world.arm();
    let first = ask(&caller, &machine, "availabilityStatuses/current").await;
    assert_eq!(first["properties"]["availabilityState"], "Available");
    assert_eq!(first["name"], "current");
    assert!(first["properties"]["recentlyResolved"].is_null());
    seconds(60).await;
    assert!(arm.set_availability(&machine.to_uppercase(), Availability::platform_fault()));
    // Health is told outside the region: that is what it is for.
    arm.set_region("westeurope", Some(RegionTrouble::Down));
    let down = ask(&caller, &machine, "availabilityStatuses/current?$expand=recommendedactions").await;
    let expected = json!({
        "availabilityState": "Unavailable", "title": "Unavailable", "reasonType": "Unplanned",
        "context": "Platform Initiated", "category": "Unplanned", "healthEventCause": "PlatformInitiated",
        "healthEventCategory": "Unplanned", "healthEventType": "Downtime", "reasonChronicity": "Persistent",
        "occuredTime": "2026-11-23T12:01:00Z", "rootCauseAttributionTime": "2026-11-23T12:01:00Z",
        "reportedTime": "2026-11-23T12:01:00Z",
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&down["properties"][name], value, "{name}");
    }
    assert_eq!(down["properties"]["recommendedActions"].as_array().unwrap().len(), 1);
    seconds(60).await;
    assert!(arm.set_availability(&machine, Availability::new(AvailabilityState::Available)));
    let up = ask(&caller, &machine, "availabilityStatuses/current").await;
    assert_eq!(up["properties"]["recentlyResolved"]["resolvedTime"], "2026-11-23T12:02:00Z");
    let history = ask(&caller, &machine, "availabilityStatuses").await;
    let states: Vec<&Value> =
        history["value"].as_array().unwrap().iter().map(|one| &one["properties"]["availabilityState"]).collect();
    assert_eq!(states, ["Available", "Unavailable", "Available"]);
    assert!(!arm.set_availability("/none", Availability::stopped_by_user()));
}

#[tokio::test(start_paused = true)]
async fn statuses_are_listed_by_subscription_and_group() {
    let (caller, machine) = Caller::with_machine(|seed| seed);
    caller.world.add_machine(&MachineSeed::new(SUBSCRIPTION, "other", "db", "northeurope"));
    caller.world.arm().set_availability(&machine, Availability::stopped_by_user());
    let count = |body: &Value| body["value"].as_array().unwrap().len();
    let all = ask(&caller, &format!("/subscriptions/{SUBSCRIPTION}"), "availabilityStatuses").await;
    assert_eq!(count(&all), 2);
    let group = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/shop");
    let own = ask(&caller, &group, "availabilityStatuses").await;
    assert_eq!(count(&own), 1);
    assert_eq!(own["value"][0]["properties"]["context"], "Customer Initiated");
    let path = format!("{machine}/providers/Microsoft.ResourceHealth/availabilityStatuses/current?{VERSION}");
    let missing = caller.send("GET", &path.replace("web-1", "web-9"), None).await;
    assert_eq!((missing.status, missing.code()), (404, "ResourceNotFound"));
    let collection = caller.collection("c", &machine).await;
    let path = format!("{collection}/providers/Microsoft.ResourceHealth/availabilityStatuses/current?{VERSION}");
    assert_eq!(caller.send("GET", &path, None).await.code(), "UnsupportedResourceType");
}

#[tokio::test(start_paused = true)]
async fn an_event_is_raised_told_more_of_and_over_region_by_region() {
    let (caller, machine) = Caller::with_machine(|seed| seed);
    let (arm, subscription) = (caller.world.arm(), format!("/subscriptions/{SUBSCRIPTION}"));
    let mut event = ServiceEvent::outage("BC_1-FXZ", "westeurope");
    event.impacts[0].regions.push("northeurope".to_owned());
    arm.raise_service_event(event);
    seconds(60).await;
    assert!(arm.update_service_event("bc_1-fxz", "We found it.", None));
    let seen = ask(&caller, &subscription, "events/BC_1-FXZ").await;
    assert_eq!(
        (&seen["name"], &seen["type"]),
        (&json!("BC_1-FXZ"), &json!("/providers/Microsoft.ResourceHealth/events"))
    );
    let region = &seen["properties"]["impact"][0]["impactedRegions"][0];
    assert_eq!((&region["impactedRegion"], &region["status"]), (&json!("West Europe"), &json!("Active")));
    assert_eq!(region["impactedSubscriptions"], json!([SUBSCRIPTION]));
    assert_eq!(region["updates"][0]["summary"], "We found it.", "the latest first");
    assert!(seen["properties"].get("isSynthetic").is_none(), "the interface has no such property");
    assert!(arm.resolve_service_event("BC_1-FXZ", "West is well.", &["westeurope"]));
    let half = ask(&caller, &subscription, "events/BC_1-FXZ").await;
    let statuses = |body: &Value| {
        let regions = body["properties"]["impact"][0]["impactedRegions"].as_array().unwrap();
        regions.iter().map(|region| region["status"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        (statuses(&half), &half["properties"]["status"]),
        (vec!["Resolved".into(), "Active".into()], &json!("Active"))
    );
    assert!(arm.resolve_service_event("BC_1-FXZ", "All is well.", &[]));
    let over = ask(&caller, &subscription, "events/BC_1-FXZ").await;
    assert_eq!(over["properties"]["status"], "Resolved");
    assert_eq!(over["properties"]["impactMitigationTime"], "2026-11-23T12:01:00Z");
    let touched = ask(&caller, &subscription, "events/BC_1-FXZ/impactedResources").await;
    assert_eq!(touched["value"][0]["properties"]["targetResourceId"], json!(machine));
    let name = touched["value"][0]["name"].as_str().unwrap();
    assert_eq!(
        ask(&caller, &subscription, &format!("events/BC_1-FXZ/impactedResources/{name}")).await,
        touched["value"][0]
    );
    assert!(!arm.resolve_service_event("none", "", &[]));
}

#[tokio::test(start_paused = true)]
async fn events_are_listed_since_a_time_and_by_filter() {
    let mut caller = Caller::new();
    let (arm, subscription) = (caller.world.arm().clone(), format!("/subscriptions/{SUBSCRIPTION}"));
    arm.raise_service_event(ServiceEvent::outage("OLD", "westeurope"));
    let elsewhere =
        ServiceEvent { subscriptions: vec!["other".to_owned()], ..ServiceEvent::outage("THEIRS", "westus") };
    arm.raise_service_event(elsewhere);
    caller.world.jump(jiff::SignedDuration::from_hours(100));
    caller.token = caller.world.token(&caller.object_id, ARM_AUDIENCE);
    arm.raise_service_event(ServiceEvent::outage("NEW", "northeurope"));
    let cases = [
        ("events", vec!["NEW"]),
        ("events?queryStartTime=11/23/2026", vec!["NEW", "OLD"]),
        ("events?queryStartTime=11%2F24%2F2026", vec!["NEW"]),
        ("events?queryStartTime=2026-11-23T12:00:00Z", vec!["NEW", "OLD"]),
        ("events?queryStartTime=1/1/2026&$filter=region%20eq%20'West%20Europe'", vec!["OLD"]),
        ("events?$filter=service%20eq%20'Virtual%20Machines'%20and%20properties/status%20eq%20'Resolved'", vec![]),
        ("events?$filter=service%20eq%20'SQL'%20or%20eventType%20eq%20'ServiceIssue'", vec!["NEW"]),
    ];
    for (rest, expected) in cases {
        let told = ask(&caller, &subscription, rest).await;
        let names: Vec<&str> =
            told["value"].as_array().unwrap().iter().map(|event| event["name"].as_str().unwrap()).collect();
        assert_eq!(names, expected, "{rest}");
    }
    for rest in ["events?queryStartTime=soon", "events?$filter=level%20eq%20'x'"] {
        let path = format!("{subscription}/providers/Microsoft.ResourceHealth/{rest}&{VERSION}");
        assert_eq!(caller.send("GET", &path, None).await.status, 400, "{rest}");
    }
    let path = format!("{subscription}/providers/Microsoft.ResourceHealth/events/THEIRS?{VERSION}");
    assert_eq!(caller.send("GET", &path, None).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn resource_graph_lists_health_after_its_lag() {
    let (caller, machine) = Caller::with_machine(|seed| seed);
    let arm = caller.world.arm();
    let statuses = "HealthResources | where type =~ 'microsoft.resourcehealth/availabilitystatuses' | project id = \
                    tolower(tostring(properties.targetResourceId)), state = tostring(properties.availabilityState)";
    let expected = |state: &str| vec![json!({ "id": machine.to_lowercase(), "state": state })];
    seconds(11).await;
    assert_eq!(query(&caller, statuses).await, expected("Available"), "also when nothing was said");
    arm.set_availability(&machine, Availability::platform_fault());
    arm.raise_service_event(ServiceEvent::outage("E1", "westeurope"));
    let events = "ServiceHealthResources | where type =~ 'Microsoft.ResourceHealth/events' | where properties.EventType == \
                  'ServiceIssue' and properties.Status == 'Active' | project name";
    assert_eq!((query(&caller, statuses).await, query(&caller, events).await.len()), (expected("Available"), 0));
    seconds(11).await;
    assert_eq!(query(&caller, statuses).await, expected("Unavailable"));
    assert_eq!(query(&caller, events).await, [json!({ "name": "E1" })]);
    let down = "Resources | where type =~ 'microsoft.compute/virtualmachines' | extend k = tolower(id) | join kind=inner \
                (HealthResources | where properties.availabilityState == 'Unavailable' | project k = \
                tolower(tostring(properties.targetResourceId))) on k | summarize count() by location";
    assert_eq!(query(&caller, down).await, [json!({ "location": "westeurope", "count_": 1 })]);
    arm.delete_machine(&machine).unwrap();
    seconds(60).await;
    assert_eq!(query(&caller, statuses).await, Vec::<Value>::new());
}
