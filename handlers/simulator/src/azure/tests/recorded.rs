//! Our answers against the recorded ones: the same status, the same headers, the same JSON paths.
//! The recordings are read where LIFEBOAT_AZURE_DATA says; nothing of them is kept here.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::calls::{Caller, Told, crash, seconds};
use crate::azure::MachineSeed;

/// Fields of a machine that this Azure leaves out, each nobody's concern here.
const LEFT_OUT: [&str; 8] = [
    "/linuxConfiguration/disablePasswordAuthentication",
    "/linuxConfiguration/patchSettings",
    "/linuxConfiguration/ssh",
    "/imageReference/exactVersion",
    "/vmAgent/extensionHandlers",
    "/tags",
    "/dataDisks",
    "/instanceView/osVersion",
];

struct Recorded {
    status: u16,
    headers: BTreeSet<String>,
    response: Value,
}

/// The folder of recordings and documents, or none when it is absent.
pub(super) fn data() -> Option<PathBuf> {
    let default = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/azure"));
    #[expect(clippy::disallowed_methods, reason = "a test's data folder is no setting of the product")]
    let (folder, required) =
        (std::env::var_os("LIFEBOAT_AZURE_DATA"), std::env::var_os("LIFEBOAT_AZURE_DATA_REQUIRED").is_some());
    let path = folder.map_or(default, PathBuf::from);
    if path.is_dir() {
        return Some(path);
    }
    assert!(!required, "LIFEBOAT_AZURE_DATA_REQUIRED is set and {} is absent", path.display());
    eprintln!("ignored: {} is absent; LIFEBOAT_AZURE_DATA names the folder of recordings", path.display());
    None
}

/// A line of a recording, or none when there are no recordings.
fn recorded(tape: &str, line: usize) -> Option<Recorded> {
    let text = std::fs::read_to_string(data()?.join("recordings").join(tape)).unwrap();
    let mut one: Value = serde_json::from_str(text.lines().nth(line).unwrap()).unwrap();
    Some(Recorded {
        status: one["status"].as_u64().unwrap().try_into().unwrap(),
        headers: one["headers"].as_object().unwrap().keys().cloned().collect(),
        response: one["response"].take(),
    })
}

/// All paths of a value, list elements under `*`.
pub(super) fn paths(value: &Value) -> BTreeSet<String> {
    fn walk(value: &Value, at: &str, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                for (name, inner) in fields {
                    walk(inner, &format!("{at}/{name}"), found);
                }
            }
            Value::Array(list) if !list.is_empty() => {
                list.iter().for_each(|inner| walk(inner, &format!("{at}/*"), found))
            }
            _ => {
                found.insert(at.to_owned());
            }
        }
    }
    let mut found = BTreeSet::new();
    walk(value, "", &mut found);
    found.retain(|path| !LEFT_OUT.iter().any(|part| path.contains(part)));
    found
}

fn same_shape(what: &str, ours: &Told, theirs: Option<Recorded>) {
    let Some(theirs) = theirs else { return };
    assert_eq!(ours.status, theirs.status, "{what}");
    assert_eq!(paths(&ours.body), paths(&theirs.response), "{what}");
    for name in &theirs.headers {
        assert!(ours.headers.contains_key(name), "{what} lacks {name}");
    }
    let missing = |name: &str| !theirs.headers.contains(name) && ours.headers.contains_key(name);
    for name in ["azure-asyncoperation", "location", "x-ms-failure-cause", "x-ms-ratelimit-remaining-resource"] {
        assert!(!missing(name), "{what} has {name}, the recording has not");
    }
}

/// The names and numbers of the Compute budgets' header.
fn same_budgets(what: &str, ours: &Told, expected: &str) {
    assert_eq!(ours.header("x-ms-ratelimit-remaining-resource"), expected, "{what}");
}

#[tokio::test(start_paused = true)]
async fn a_restore_points_life_has_the_recorded_shapes() {
    let tape = |line| recorded("restore_point.jsonl", line);
    let (caller, machine) = Caller::with_machine(|seed| MachineSeed { location: "eastus2euap".to_owned(), ..seed });
    let seen = caller.get(&format!("{machine}?$expand=instanceView")).await;
    same_shape("machine", &seen, tape(16));
    let budgets = "Microsoft.Compute/LowCostGetSubscriptionMaximum;23999,Microsoft.Compute/LowCostGetResource;35";
    same_budgets("machine", &seen, budgets);

    let collection = super::calls::collection_id("c");
    let body = json!({ "location": "eastus2euap", "properties": { "source": { "id": machine } } });
    let made = caller.put(&collection, body).await;
    same_shape("collection", &made, tape(24));
    let budgets = "Microsoft.Compute/PutRestorePointCollectionResource;14,Microsoft.Compute/PutRestorePointCollectionSubscriptionMaximum;149";
    same_budgets("collection", &made, budgets);
    assert_eq!(made.body["properties"]["source"]["location"], "EastUS2EUAP");

    let point = format!("{collection}/restorePoints/p");
    let told = caller.put(&point, crash()).await;
    same_shape("point begun", &told, tape(25));
    let budgets = "Microsoft.Compute/PutRestorePointResource;5,Microsoft.Compute/PutRestorePointSubscriptionMaximum;149,\
                   Microsoft.Compute/CreateCrashConsistentRestorePoint;2";
    same_budgets("point begun", &told, budgets);
    assert!(told.header("azure-asyncoperation").contains("/locations/EastUS2EUAP/operations/"), "{told:?}");
    assert!(told.header("azure-asyncoperation").len() >= 4_000, "status URLs are long");

    let running = caller.poll(&told, "azure-asyncoperation").await;
    same_shape("running", &running, tape(26));
    same_budgets(
        "running",
        &running,
        "Microsoft.Compute/GetOperationResource;44,Microsoft.Compute/GetOperationSubscriptionMaximum;14999",
    );
    seconds(20).await;
    same_shape("ended", &caller.poll(&told, "azure-asyncoperation").await, tape(27));
    let seen = caller.get(&point).await;
    same_shape("point", &seen, tape(28));
    same_budgets("point", &seen, "Microsoft.Compute/LowCostGetRestorePointSubscriptionMaximum;599");
    same_shape("point listed", &caller.get(&format!("{collection}?$expand=restorePoints")).await, tape(29));
    let told = caller.send("DELETE", &format!("{point}?api-version=2022-08-01"), None).await;
    same_shape("point's end begun", &told, tape(30));
    same_shape("point's end", &caller.poll(&told, "azure-asyncoperation").await, tape(31));
}

#[tokio::test(start_paused = true)]
async fn a_collections_life_has_the_recorded_shapes() {
    let tape = |line| recorded("restore_point_collection.jsonl", line);
    let (caller, machine) = Caller::with_machine(|seed| MachineSeed { agent_ready: false, ..seed });
    let view = caller.get(&format!("{machine}?$expand=instanceView")).await;
    if let Some(theirs) = tape(15) {
        let agent = |body: &Value| paths(&body["properties"]["instanceView"]["vmAgent"]);
        assert_eq!(agent(&view.body), agent(&theirs.response), "an agent that is not ready");
    }
    let id = caller.collection("c", &machine).await;
    let path = format!("{id}?api-version=2024-07-01");
    let tags = json!({ "tags": { "tag": "test" } });
    same_shape("tags", &caller.send("PATCH", &path, Some(tags)).await, tape(24));
    same_shape("collection", &caller.send("GET", &path, None).await, tape(25));
    let (scope, kind) =
        id.split_once("/resourceGroups/").map(|(scope, _)| (scope, "providers/Microsoft.Compute")).unwrap();
    let all = caller.send("GET", &format!("{scope}/{kind}/restorePointCollections?api-version=2022-11-01"), None).await;
    same_shape("all collections", &all, tape(27));
    assert!(all.body["value"][0]["id"].as_str().unwrap().contains("/resourceGroups/LIFEBOAT-POINTS-WESTEUROPE/"));
    same_shape("delete", &caller.send("DELETE", &path, None).await, tape(28));
    let missing = caller.get(&id.replace("/c", "/none")).await;
    same_shape("missing", &missing, tape(4));
    let group = caller.get(&format!("{scope}/resourcegroups/Shop")).await;
    same_shape("group", &group, tape(0));
}

#[tokio::test(start_paused = true)]
async fn resource_graph_has_the_recorded_shapes_and_pages() {
    let (caller, _) = Caller::with_machine(|seed| seed);
    for number in 0..6 {
        let name = format!("web-{number}");
        caller.world.add_machine(&MachineSeed::new(super::calls::SUBSCRIPTION, "shop", &name, "westeurope"));
    }
    let path = "/providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01";
    let ask = |options: Value| json!({ "subscriptions": [super::calls::SUBSCRIPTION], "query": "project id", "options": options });
    let first = caller.send("POST", path, Some(ask(json!({ "$top": 3, "$skip": 2 })))).await;
    same_shape("page", &first, recorded("paged_query.jsonl", 0));
    let mut token = first.body["$skipToken"].clone();
    let mut seen: Vec<Value> = first.body["data"].as_array().unwrap().clone();
    while token.is_string() {
        let next = caller.send("POST", path, Some(ask(json!({ "$skipToken": token })))).await;
        seen.extend(next.body["data"].as_array().unwrap().clone());
        token = next.body["$skipToken"].clone();
    }
    let total = first.body["totalRecords"].as_u64().unwrap();
    assert_eq!(seen.len() as u64, total - 2);
    let mut broken = ask(json!({}));
    broken["query"] = json!("where where");
    let refused = caller.send("POST", path, Some(broken)).await;
    let theirs = recorded("query_error.jsonl", 0);
    if let Some(theirs) = &theirs {
        assert_eq!(refused.body["error"]["details"], theirs.response["error"]["details"]);
    }
    same_shape("refusal", &refused, theirs);
}
