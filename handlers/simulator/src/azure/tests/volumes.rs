//! Disks and snapshots: what they are made of, their limits, who may read them, how they end.

use serde_json::{Value, json};

use super::calls::{Caller, SUBSCRIPTION, Told, crash, seconds};
use crate::azure::{DiskSeed, MachineSeed};

const VERSION: &str = "api-version=2025-01-02";

fn id(kind: &str, name: &str) -> String {
    format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/shop/providers/Microsoft.Compute/{kind}/{name}")
}

impl Caller {
    fn in_shop() -> Self {
        let caller = Self::new();
        caller.world.arm().add_group(SUBSCRIPTION, "shop", "westeurope");
        caller
    }

    async fn volume(&self, method: &str, id: &str, body: Option<Value>) -> Told {
        self.send(method, &format!("{id}?{VERSION}"), body).await
    }

    /// Makes a disk or snapshot, and waits for its end.
    async fn made(&self, id: &str, body: Value) -> Told {
        let told = self.volume("PUT", id, Some(body)).await;
        if told.status == 202 {
            seconds(3).await;
        }
        told
    }
}

fn empty(sku: &str, size: u32) -> Value {
    let properties = json!({ "creationData": { "createOption": "Empty" }, "diskSizeGB": size });
    json!({ "location": "westeurope", "tags": {}, "sku": { "name": sku }, "properties": properties })
}

fn of(option: &str, source: &str, location: &str, incremental: bool) -> Value {
    let creation = json!({ "createOption": option, "sourceResourceId": source });
    json!({ "location": location, "properties": { "creationData": creation, "incremental": incremental } })
}

#[tokio::test(start_paused = true)]
async fn an_operation_of_disks_tells_what_it_made_at_both_urls() {
    let caller = Caller::in_shop();
    let disk = id("disks", "d");
    let told = caller.volume("PUT", &disk, Some(empty("Premium_LRS", 200))).await;
    assert_eq!(told.status, 202);
    assert!(told.header("azure-asyncoperation").contains("/locations/westeurope/DiskOperations/"));
    assert!(told.header("location").contains("monitor=true"));
    assert_eq!(caller.poll(&told, "location").await.status, 202);
    seconds(1).await;
    let ended = caller.poll(&told, "azure-asyncoperation").await;
    let whole = caller.volume("GET", &disk, None).await;
    assert_eq!(ended.body["properties"]["output"], whole.body);
    assert_eq!(caller.poll(&told, "location").await.body, whole.body);
    assert_eq!(
        (&whole.body["properties"]["tier"], &whole.body["properties"]["diskState"]),
        (&json!("P15"), &json!("Unattached"))
    );
    let elsewhere = told
        .header("azure-asyncoperation")
        .replace("DiskOperations", "operations")
        .replace(VERSION, "api-version=2025-04-01");
    let path = elsewhere.strip_prefix("https://management.azure.com").unwrap().to_owned();
    assert_eq!(caller.send("GET", &path, None).await.status, 404, "an operation of disks is none of machines");
}

#[tokio::test(start_paused = true)]
async fn a_disk_is_listed_changed_and_deleted_unless_it_is_attached() {
    let disks = vec![DiskSeed { name: "data".to_owned(), size_gib: 8 }];
    let (caller, machine) = Caller::with_machine(|seed| MachineSeed { disks, ..seed });
    caller.made(&id("disks", "free"), empty("Standard_LRS", 5)).await;
    let scope = format!("/subscriptions/{SUBSCRIPTION}");
    for (scope, left) in [(scope.clone(), 239), (format!("{scope}/resourceGroups/shop"), 238)] {
        let all = caller.send("GET", &format!("{scope}/providers/Microsoft.Compute/disks?{VERSION}"), None).await;
        assert_eq!(all.body["value"].as_array().unwrap().len(), 3, "{all:?}");
        let budgets = all.header("x-ms-ratelimit-remaining-resource");
        assert!(budgets.starts_with(&format!("Microsoft.Compute/HighCostGet3Min;{left},")), "{budgets}");
    }
    let refused = caller.volume("DELETE", &id("disks", "data"), None).await;
    assert_eq!((refused.status, refused.code()), (409, "OperationNotAllowed"));
    let told = caller.volume("PATCH", &id("disks", "free"), Some(json!({ "tags": { "a": "b" } }))).await;
    assert_eq!((told.status, &told.body["tags"]["a"]), (202, &json!("b")));
    seconds(1).await;
    assert_eq!(caller.volume("DELETE", &id("disks", "free"), None).await.status, 202);
    seconds(1).await;
    assert_eq!(caller.volume("GET", &id("disks", "free"), None).await.status, 404);
    assert_eq!(caller.volume("DELETE", &id("disks", "free"), None).await.status, 204);
    caller.world.arm().delete_machine(&machine).unwrap();
    seconds(30).await;
    assert_eq!(caller.volume("GET", &id("disks", "data"), None).await.body["properties"]["diskState"], "Unattached");
    assert_eq!(caller.volume("DELETE", &id("disks", "data"), None).await.status, 202);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_made_is_refused() {
    let caller = Caller::in_shop();
    let (disk, snapshot) = (id("disks", "d"), id("snapshots", "s"));
    caller.made(&disk, empty("Premium_LRS", 10)).await;
    caller.made(&snapshot, of("Copy", &disk, "westeurope", true)).await;
    caller.made(&id("snapshots", "whole"), of("Copy", &disk, "westeurope", false)).await;
    let mut small = of("Copy", &disk, "westeurope", false);
    small["properties"]["diskSizeGB"] = json!(1);
    let cases = [
        ("snapshots", of("Copy", &id("disks", "none"), "westeurope", true), 404, "NotFound"),
        ("snapshots", of("Copy", &disk, "northeurope", false), 404, "NotFound"),
        ("snapshots", of("CopyStart", &disk, "northeurope", true), 404, "NotFound"),
        ("snapshots", of("CopyStart", &snapshot, "westeurope", true), 409, "OperationNotAllowed"),
        ("snapshots", of("CopyStart", &snapshot, "northeurope", false), 400, "InvalidParameter"),
        ("snapshots", of("CopyStart", &id("snapshots", "whole"), "northeurope", true), 400, "InvalidParameter"),
        ("snapshots", of("Import", &snapshot, "westeurope", true), 400, "InvalidParameter"),
        ("disks", of("Copy", &id("snapshots", "none"), "westeurope", false), 404, "NotFound"),
        ("disks", of("Copy", &snapshot, "northeurope", false), 404, "NotFound"),
        ("disks", of("Restore", &snapshot, "westeurope", false), 404, "NotFound"),
        ("disks", small, 400, "InvalidParameter"),
        (
            "disks",
            json!({ "location": "westeurope", "properties": { "creationData": { "createOption": "Empty" } } }),
            400,
            "InvalidParameter",
        ),
        ("disks", json!({ "properties": {} }), 400, "LocationRequired"),
    ];
    for (kind, body, status, code) in cases {
        let told = caller.made(&id(kind, "new"), body.clone()).await;
        assert_eq!((told.status, told.code()), (status, code), "{kind} {body}");
    }
    let again = caller.made(&snapshot, of("Copy", &id("snapshots", "whole"), "westeurope", true)).await;
    assert_eq!((again.status, again.code()), (409, "PropertyChangeNotAllowed"));
}

#[tokio::test(start_paused = true)]
async fn seven_incremental_snapshots_of_a_disk_begin_in_five_minutes_and_five_hundred_live() {
    let caller = Caller::in_shop();
    let disk = id("disks", "d");
    caller.made(&disk, empty("Premium_LRS", 10)).await;
    let incremental = of("Copy", &disk, "westeurope", true);
    let mut families = std::collections::BTreeSet::new();
    for number in 0..500 {
        if number > 0 && number % 7 == 0 {
            let refused = caller.volume("PUT", &id("snapshots", "more"), Some(incremental.clone())).await;
            assert_eq!((refused.status, refused.code()), (409, "SnapshotsLimitReached"), "after {number}");
            seconds(300).await;
        }
        let snapshot = id("snapshots", &format!("s{number}"));
        assert_eq!(caller.volume("PUT", &snapshot, Some(incremental.clone())).await.status, 202, "{number}");
        if number < 2 {
            let told = caller.volume("GET", &snapshot, None).await;
            assert_eq!(told.body["properties"]["provisioningState"], "Updating");
            seconds(1).await;
            let told = caller.volume("GET", &snapshot, None).await;
            families.insert(told.body["properties"]["incrementalSnapshotFamilyId"].to_string());
        }
    }
    assert_eq!(families.len(), 1, "a disk's snapshots are one family");
    seconds(300).await;
    let refused = caller.volume("PUT", &id("snapshots", "more"), Some(incremental.clone())).await;
    assert_eq!((refused.status, refused.code()), (409, "SnapshotsLimitReached"));
    let whole = caller.volume("PUT", &id("snapshots", "whole"), Some(of("Copy", &disk, "westeurope", false))).await;
    assert_eq!(whole.status, 202, "a whole snapshot is not counted");
    assert_eq!(caller.volume("DELETE", &id("snapshots", "s0"), None).await.status, 202);
    seconds(300).await;
    assert_eq!(caller.volume("PUT", &id("snapshots", "more"), Some(incremental)).await.status, 202);
}

#[tokio::test(start_paused = true)]
async fn a_copy_to_another_region_goes_on_after_its_operation_succeeded() {
    let caller = Caller::in_shop();
    let (disk, source, copy) = (id("disks", "d"), id("snapshots", "s"), id("snapshots", "copy"));
    caller.made(&disk, empty("Premium_LRS", 10)).await;
    caller.made(&source, of("Copy", &disk, "westeurope", true)).await;
    let told = caller.made(&copy, of("CopyStart", &source, "northeurope", true)).await;
    let ended = caller.poll(&told, "azure-asyncoperation").await;
    assert_eq!(ended.body["status"], "Succeeded");
    assert!(ended.body["properties"]["output"]["properties"]["completionPercent"].is_null());
    let percent = async || caller.volume("GET", &copy, None).await.body["properties"]["completionPercent"].clone();
    assert_eq!(percent().await, json!(0.0));
    let early = caller.made(&id("disks", "early"), of("Copy", &copy, "northeurope", false)).await;
    assert_eq!((early.status, early.code()), (409, "OperationNotAllowed"), "a copy is of no use before it is whole");
    let second = caller.made(&id("snapshots", "second"), of("CopyStart", &source, "northeurope", true)).await;
    assert_eq!((second.status, second.code()), (409, "OperationNotAllowed"), "one after the other");
    seconds(300).await;
    assert_eq!(percent().await, json!(50.0));
    seconds(300).await;
    assert_eq!(percent().await, json!(100.0));
    assert_eq!(caller.made(&id("disks", "late"), of("Copy", &copy, "northeurope", false)).await.status, 202);
    let lost = id("snapshots", "lost");
    caller.made(&lost, of("CopyStart", &source, "uksouth", true)).await;
    caller.volume("DELETE", &source, None).await;
    seconds(700).await;
    let told = caller.volume("GET", &lost, None).await;
    assert_eq!(told.body["properties"]["copyCompletionError"]["errorCode"], "CopySourceNotFound");
    assert_eq!(told.body["properties"]["completionPercent"], json!(0.0));
}

#[tokio::test(start_paused = true)]
async fn snapshots_of_an_ultra_disk_are_copied_in_the_background_three_at_a_time() {
    let caller = Caller::in_shop();
    let disk = id("disks", "d");
    caller.made(&disk, empty("UltraSSD_LRS", 4)).await;
    for number in 0..3 {
        let told = caller.made(&id("snapshots", &format!("s{number}")), of("Copy", &disk, "westeurope", true)).await;
        let ended = caller.poll(&told, "azure-asyncoperation").await;
        assert_eq!(ended.body["properties"]["output"]["properties"]["completionPercent"], json!(0.0));
    }
    let fourth = caller.made(&id("snapshots", "s3"), of("Copy", &disk, "westeurope", true)).await;
    assert_eq!((fourth.status, fourth.code()), (409, "OperationNotAllowed"));
}

#[tokio::test(start_paused = true)]
async fn what_is_open_to_somebody_is_not_deleted() {
    let caller = Caller::in_shop();
    let (disk, snapshot) = (id("disks", "d"), id("snapshots", "s"));
    caller.made(&disk, empty("Premium_LRS", 10)).await;
    caller.made(&snapshot, of("Copy", &disk, "westeurope", true)).await;
    let open = async |length: u32| {
        let body = json!({ "access": "Read", "durationInSeconds": length });
        caller.volume("POST", &format!("{snapshot}/beginGetAccess"), Some(body)).await
    };
    let told = open(3_600).await;
    assert_eq!(told.status, 202);
    seconds(1).await;
    let url = caller.poll(&told, "azure-asyncoperation").await.body["properties"]["output"]["accessSAS"].clone();
    assert!(url.as_str().unwrap().starts_with("https://md-"), "{url}");
    assert_eq!(caller.poll(&told, "location").await.body["accessSAS"], url);
    let state = async || caller.volume("GET", &snapshot, None).await.body["properties"]["diskState"].clone();
    assert_eq!(state().await, "ActiveSAS");
    let refused = caller.volume("DELETE", &snapshot, None).await;
    assert_eq!((refused.status, refused.code()), (409, "OperationNotAllowed"));
    assert_eq!(caller.volume("POST", &format!("{snapshot}/endGetAccess"), None).await.status, 202);
    seconds(1).await;
    assert_eq!(state().await, "Unattached");
    open(60).await;
    seconds(2).await;
    assert_eq!(state().await, "ActiveSAS");
    seconds(60).await;
    assert_eq!(state().await, "Unattached", "a signed URL ends by itself");
    assert_eq!(caller.volume("DELETE", &snapshot, None).await.status, 202);
    let wrong = caller.volume("POST", &format!("{disk}/beginGetAccess"), Some(json!({ "access": "Read" }))).await;
    assert_eq!((wrong.status, wrong.code()), (400, "InvalidParameter"));
}

#[tokio::test(start_paused = true)]
async fn a_disk_is_restored_from_what_a_point_holds_of_it() {
    let disks =
        vec![DiskSeed { name: "data".to_owned(), size_gib: 8 }, DiskSeed { name: "left".to_owned(), size_gib: 8 }];
    let (caller, machine) = Caller::with_machine(|seed| MachineSeed { disks, ..seed });
    let collection = caller.collection("c", &machine).await;
    let point = format!("{collection}/restorePoints/p");
    let mut body = crash();
    body["properties"]["excludeDisks"] = json!([{ "id": id("disks", "left").replace("/shop/", "/Shop/") }]);
    assert_eq!(caller.put(&point, body).await.status, 201);
    let list = format!("{point}/diskRestorePoints");
    let none = caller.volume("GET", &list, None).await;
    assert_eq!((none.status, none.body["value"].as_array().unwrap().len()), (200, 0), "nothing before it is made");
    seconds(20).await;
    let all = caller.volume("GET", &list, None).await;
    let names: Vec<&str> =
        all.body["value"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 2, "the disk that was left out has none: {names:?}");
    let data = names.iter().find(|name| name.starts_with("data_")).unwrap();
    let one = caller.volume("GET", &format!("{list}/{data}"), None).await;
    assert_eq!(
        one.body["properties"]["sourceUniqueId"],
        caller.volume("GET", &id("disks", "data"), None).await.body["properties"]["uniqueId"]
    );
    assert_eq!(caller.volume("GET", &format!("{list}/none"), None).await.status, 404);
    let seen = caller.get(&format!("{point}?$expand=instanceView")).await;
    assert_eq!(seen.body["properties"]["instanceView"]["diskRestorePoints"].as_array().unwrap().len(), 2);
    let restored =
        caller.made(&id("disks", "back"), of("Restore", &format!("{list}/{data}"), "westeurope", false)).await;
    assert_eq!(restored.status, 202, "{restored:?}");
    let back = caller.volume("GET", &id("disks", "back"), None).await;
    assert_eq!(back.body["properties"]["diskSizeGB"], json!(8));
    let copied = json!({ "properties": { "sourceRestorePoint": { "id": point } } });
    let refused = caller.put(&format!("{collection}/restorePoints/copy"), copied).await;
    assert_eq!((refused.status, refused.code()), (400, "InvalidParameter"));
}
