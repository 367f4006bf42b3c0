//! Resource Graph against the recorded queries and the documents' examples: the same status, the same JSON paths.
//! Both are read where LIFEBOAT_AZURE_DATA says; nothing of them is kept here.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::calls::{Caller, SUBSCRIPTION};
use super::recorded::{data, paths};
use crate::azure::MachineSeed;

const EXAMPLES: &str =
    "specs/specification/resourcegraph/resource-manager/Microsoft.ResourceGraph/stable/2024-04-01/examples";

fn tape(folder: &Path, name: &str) -> Value {
    let text = std::fs::read_to_string(folder.join("recordings").join(name)).unwrap();
    serde_json::from_str(text.lines().next().unwrap()).unwrap()
}

/// What the tape presupposes: the subscriptions that it asks for, and enough rows like those that it was answered.
fn seed(caller: &Caller, tape: &Value) {
    for id in tape["request"]["subscriptions"].as_array().into_iter().flatten() {
        caller.world.add_subscription(id.as_str().unwrap(), "recorded");
    }
    let rows: Vec<Value> = tape["response"]["data"].as_array().cloned().unwrap_or_default();
    let copy = |row: &Value, number: usize| {
        let mut row = row.clone();
        row["id"] = json!(format!("{}{number}", row["id"].as_str().unwrap()));
        row
    };
    let many = rows.iter().flat_map(|row| (0..4).map(move |number| copy(row, number))).collect::<Vec<_>>();
    caller.world.arm().seed_graph_rows(&many);
}

#[tokio::test(start_paused = true)]
async fn the_recorded_queries_are_answered_with_the_recorded_shapes() {
    let Some(folder) = data() else { return };
    for name in ["query", "paged_query", "skip_token_query", "management_groups_query", "query_error"] {
        let caller = Caller::new();
        let tape = tape(&folder, &format!("{name}.jsonl"));
        seed(&caller, &tape);
        tokio::time::sleep(std::time::Duration::from_secs(11)).await;
        let told = caller.send("POST", tape["path"].as_str().unwrap(), Some(tape["request"].clone())).await;
        assert_eq!(told.status, tape["status"].as_u64().unwrap() as u16, "{name}: {told:?}");
        let (ours, theirs) = (paths(&told.body), paths(&tape["response"]));
        let known = |path: &&String| !path.starts_with("/data/*/properties") && !path.starts_with("/data/*/tags");
        assert_eq!(
            ours.iter().filter(known).collect::<Vec<_>>(),
            theirs.iter().filter(known).collect::<Vec<_>>(),
            "{name}: {}",
            told.body
        );
        assert_eq!(told.body["count"], tape["response"]["count"], "{name}");
        for header in tape["headers"].as_object().unwrap().keys() {
            assert!(told.headers.contains_key(header), "{name} lacks {header}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_queries_of_the_documents_examples_are_answered() {
    let Some(folder) = data() else { return };
    let caller = Caller::new();
    for number in 0..12 {
        let seed = MachineSeed::new(SUBSCRIPTION, "test", &format!("test{number}"), "westeurope").tag("a", "b");
        caller.world.add_machine(&seed);
    }
    let mut asked = 0;
    for entry in std::fs::read_dir(folder.join(EXAMPLES)).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        let example: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let mut query = example["parameters"]["query"].clone();
        let named = path.file_name().unwrap().to_string_lossy().starts_with("Resources");
        if !named || !query.is_object() {
            continue;
        }
        if query["subscriptions"].is_array() {
            query["subscriptions"] = json!([SUBSCRIPTION]);
        }
        // The example's token is a joke that no service would take.
        if query["options"]["$skipToken"].is_string() {
            query["options"] = json!({ "$top": 3 });
        }
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        let told = caller
            .send("POST", "/providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01", Some(query))
            .await;
        assert_eq!(told.status, 200, "{}: {told:?}", path.display());
        assert!(told.body["count"].as_u64().unwrap() > 0, "{}: {}", path.display(), told.body);
        asked += 1;
    }
    assert_eq!(asked, 11);
}
