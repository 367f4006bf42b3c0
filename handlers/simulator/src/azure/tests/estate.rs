//! Resource groups and their ends, usages and sizes.

use serde_json::{Value, json};

use super::calls::{Caller, SUBSCRIPTION, seconds};
use crate::azure::{ArmFault, ArmFaultEffect, MachineSeed, RegionTrouble, RestrictionReason, SizeRestriction};

fn group(name: &str) -> String {
    format!("/subscriptions/{SUBSCRIPTION}/resourcegroups/{name}")
}

#[tokio::test(start_paused = true)]
async fn a_group_ends_with_all_that_is_in_it_and_only_after_a_while() {
    let (caller, machine) = Caller::with_machine(|seed| MachineSeed { group: "Shop".to_owned(), ..seed });
    let disk = caller.get(&machine).await.body["properties"]["storageProfile"]["osDisk"]["managedDisk"]["id"].clone();
    let told = caller.send("DELETE", &format!("{}?api-version=2025-04-01", group("shop")), None).await;
    assert_eq!((told.status, told.header("retry-after")), (202, "15"));
    assert!(told.header("location").contains("/operationresults/"), "{told:?}");
    assert_eq!(told.header("azure-asyncoperation"), "");
    assert_eq!(caller.get(&group("SHOP")).await.body["properties"]["provisioningState"], "Deleting");
    let refused = caller.put(&group("shop"), json!({ "location": "westeurope" })).await;
    assert_eq!((refused.status, refused.code()), (409, "ResourceGroupBeingDeleted"));
    let tag = caller.send("PATCH", &format!("{machine}?api-version=2025-04-01"), Some(json!({ "tags": {} }))).await;
    assert_eq!((tag.status, tag.code()), (409, "ResourceGroupBeingDeleted"));
    assert_eq!(caller.poll(&told, "location").await.status, 202);
    seconds(31).await;
    assert_eq!(caller.poll(&told, "location").await.status, 200);
    let disk = disk.as_str().unwrap();
    for (id, version) in [(group("shop").as_str(), "2025-04-01"), (&machine, "2025-04-01"), (disk, "2025-01-02")] {
        let gone = caller.send("GET", &format!("{id}?api-version={version}"), None).await;
        assert_eq!((gone.status, gone.code()), (404, "ResourceGroupNotFound"), "{id}");
    }
    caller.put(&group("shop"), json!({ "location": "westeurope" })).await;
    assert_eq!(caller.get(&machine).await.code(), "ResourceNotFound", "a new group is an empty one");
    let events = caller.world.event_grid().events();
    let deleted = events.iter().filter(|event| json!(event).to_string().contains("ResourceDeleteSuccess")).count();
    assert!(deleted >= 3, "machine, disk and group: {deleted}");
}

#[tokio::test(start_paused = true)]
async fn a_groups_end_that_fails_leaves_everything() {
    let (caller, machine) = Caller::with_machine(|seed| seed);
    let effect = ArmFaultEffect::OperationFails { after_seconds: 5, code: "Conflict".to_owned() };
    caller.world.arm().fault(ArmFault::new(effect).on_method("DELETE"));
    let told = caller.send("DELETE", &format!("{}?api-version=2025-04-01", group("shop")), None).await;
    seconds(6).await;
    let failed = caller.poll(&told, "location").await;
    assert_eq!((failed.status, failed.code()), (409, "Conflict"));
    assert_eq!(caller.get(&group("shop")).await.body["properties"]["provisioningState"], "Succeeded");
    assert_eq!(caller.get(&machine).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn groups_are_listed_in_pages_and_by_tag_and_asked_for_by_head() {
    let caller = Caller::new();
    for number in 0..5 {
        let tags = if number % 2 == 0 { json!({ "tier": "gold" }) } else { json!({}) };
        caller.put(&group(&format!("g{number}")), json!({ "location": "West Europe", "tags": tags })).await;
    }
    let all = format!("/subscriptions/{SUBSCRIPTION}/RESOURCEGROUPS");
    let mut path = format!("{all}?$top=2&api-version=2022-09-01");
    let mut names = Vec::new();
    loop {
        let told = caller.send("GET", &path, None).await;
        let value = told.body["value"].as_array().unwrap().clone();
        assert!(value.len() <= 2);
        names.extend(value.iter().map(|group| group["name"].as_str().unwrap().to_owned()));
        let Some(next) = told.body["nextLink"].as_str() else { break };
        path = next.strip_prefix("https://management.azure.com").unwrap().to_owned();
    }
    assert_eq!(names, ["g0", "g1", "g2", "g3", "g4", "lifeboat-points-westeurope"]);
    let tagged = format!("{all}?$filter=tagName%20eq%20'Tier'%20and%20tagValue%20eq%20'gold'");
    assert_eq!(caller.get(&tagged).await.body["value"].as_array().unwrap().len(), 3);
    assert_eq!(caller.get(&format!("{all}?$filter=name%20eq%20'x'")).await.status, 400);
    let head = |name: &str| format!("{}?api-version=2025-04-01", group(name));
    assert_eq!(caller.send("HEAD", &head("G1"), None).await.status, 204);
    assert_eq!(caller.send("HEAD", &head("none"), None).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn usages_count_what_is_there_and_their_region_can_be_in_trouble() {
    let (caller, _) = Caller::with_machine(|seed| MachineSeed { size: "Standard_D4s_v5".to_owned(), ..seed });
    caller.world.arm().set_usage_limit(SUBSCRIPTION, "WestEurope", "standardDSv5Family", 10);
    let path = format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/locations/WestEurope/usages");
    let told = caller.get(&path).await;
    let usage = |name: &str| {
        let value = told.body["value"].as_array().unwrap();
        let found = value.iter().find(|usage| usage["name"]["value"] == name).unwrap();
        (found["currentValue"].as_u64().unwrap(), found["limit"].as_u64().unwrap())
    };
    assert_eq!((usage("cores").0, usage("virtualMachines").0, usage("standardDSv5Family")), (4, 1, (4, 10)));
    assert_eq!(usage("standardBSFamily").0, 0);
    assert_eq!(caller.get(&path.replace("WestEurope", "atlantis")).await.status, 400);
    let trouble = RegionTrouble::Throttled { retry_after_seconds: 3 };
    caller.world.arm().set_region("westeurope", Some(trouble));
    assert_eq!(caller.get(&path).await.status, 429);
    assert_eq!(caller.get(&path.replace("WestEurope", "northeurope")).await.status, 200);
    let end = format!("{}?api-version=2025-04-01", group("shop"));
    assert_eq!(caller.send("DELETE", &end, None).await.status, 429, "a group's end needs its region");
    assert_eq!(caller.get(&group("shop")).await.status, 200, "a group is read anywhere");
}

#[tokio::test(start_paused = true)]
async fn sizes_are_listed_by_region_with_zones_and_the_restrictions_of_a_test() {
    let caller = Caller::new();
    let arm = caller.world.arm();
    let reason = RestrictionReason::NotAvailableForSubscription;
    arm.restrict_size("standard_d2s_v5", "WestEurope", Some(SizeRestriction { reason, zones: Vec::new() }));
    arm.restrict_size("Standard_B2s", "westeurope", Some(SizeRestriction { reason, zones: vec!["1".to_owned()] }));
    let path = format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/skus?api-version=2021-07-01");
    let told = caller.send("GET", &format!("{path}&$filter=location%20eq%20'westeurope'"), None).await;
    let value: Vec<Value> = told.body["value"].as_array().unwrap().clone();
    assert!(value.len() >= 12 && value.iter().all(|size| size["locations"] == json!(["westeurope"])));
    let size = |name: &str| value.iter().find(|size| size["name"] == name).unwrap();
    assert_eq!(size("Standard_D2s_v5")["restrictions"][0]["type"], "Location");
    assert_eq!(size("Standard_B2s")["restrictions"][0]["restrictionInfo"]["zones"], json!(["1"]));
    assert_eq!(size("Standard_D4s_v5")["restrictions"], json!([]));
    assert_eq!(size("Standard_D4s_v5")["locationInfo"][0]["zones"], json!(["1", "2", "3"]));
    assert!(caller.send("GET", &path, None).await.body["value"].as_array().unwrap().len() > value.len());
    assert_eq!(caller.send("GET", &format!("{path}&$filter=name%20eq%20'x'"), None).await.status, 400);
}
