//! The client's requests are the recorded ones: each is replayed through the call that would have made it.
//!
//! It never copies the recordings; only two of them are of calls that are made in just this way.

use crate::{
    arm::ArmClient,
    error::{ErrorKind, Gone},
    graph,
    id::ResourceId,
    long_running::{Accepted, OperationState},
    machines,
    proof::data::{Recorded, tape},
    resource_groups, restore_points,
    said::Said,
    scripted::{Asked, Reply, Scripted},
    transport::{Answer, Latest},
};
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// What only the replay of requests asks of a recorded one.
pub(super) trait Replayed {
    fn reply(&self) -> Reply;
    fn id(&self) -> ResourceId;
    fn assert_same(&self, asked: &Asked);
    fn is_same(&self, asked: &Asked) -> bool;
    fn client(&self) -> (ArmClient, Arc<Scripted>);
}

impl Replayed for Recorded {
    fn reply(&self) -> Reply {
        let headers = self.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        Reply::Answer { status: self.status, headers, body: self.response.to_string().into_bytes().into() }
    }

    fn id(&self) -> ResourceId {
        self.bare_path().parse().unwrap()
    }

    fn assert_same(&self, asked: &Asked) {
        assert_eq!(asked.json(), self.request, "{}", self.path);
        assert!(self.is_same(asked), "{} {} is not {} {}", asked.method, asked.url, self.method, self.path);
    }

    /// The same request as ours, but for the api-version, the case of the path, and a `;` that is sent as it is.
    fn is_same(&self, asked: &Asked) -> bool {
        let query = |text: &str| -> BTreeMap<String, String> {
            let pairs = url::form_urlencoded::parse(text.as_bytes()).into_owned();
            pairs.filter(|(name, _)| name != "api-version").collect()
        };
        let path = |text: &str| text.to_lowercase().replace("%3b", ";");
        let recorded = self.path.split_once('?').map_or("", |(_, query)| query);
        asked.method == self.method
            && path(asked.url.path()) == path(self.bare_path())
            && query(asked.url.query().unwrap_or_default()) == query(recorded)
            && asked.json() == self.request
    }

    fn client(&self) -> (ArmClient, Arc<Scripted>) {
        let scripted = Scripted::new([self.reply()]);
        let arm = ArmClient::new("https://management.azure.com".parse().unwrap(), &scripted.access()).unwrap();
        (arm, scripted)
    }
}

const SOON: Duration = Duration::from_secs(10);

/// Replays one recorded request if it is of an operation that we speak; gives its name.
async fn replay(recorded: &Recorded) -> Option<&'static str> {
    let path = recorded.bare_path().to_lowercase();
    let has = |part: &str| path.contains(part);
    let (method, parts) = (recorded.method.as_str(), path.split('/').count());
    match () {
        () if recorded.status == 404 => {
            let said = Said::read_body(recorded.response.to_string().as_bytes());
            assert_eq!(said.code.as_deref(), Some("ResourceNotFound"));
            Some("missing")
        }
        () if method == "GET" && has("/resourcegroups/") && parts == 5 => Some(replay_group(recorded).await),
        () if method != "DELETE" && has("/restorepoints/") => Some(replay_point(recorded).await),
        () if matches!(method, "GET" | "PUT") && has("/restorepointcollections/") => {
            Some(replay_collection(recorded).await)
        }
        () if path.ends_with("/restorepointcollections") && !has("/resourcegroups/") => {
            let (arm, scripted) = recorded.client();
            let subscription = path.split('/').nth(2).unwrap();
            assert!(!restore_points::list_collections(&arm, subscription).await.unwrap().is_empty());
            recorded.assert_same(&scripted.asked()[0]);
            Some("collections")
        }
        () if has("microsoft.compute/virtualmachines/") && parts == 9 => Some(replay_machine(recorded).await),
        () if has("microsoft.compute/locations/") && has("/operations/") => Some(replay_operation(recorded).await),
        () => None,
    }
}

async fn replay_group(recorded: &Recorded) -> &'static str {
    let ((arm, scripted), id) = (recorded.client(), recorded.id());
    let group = resource_groups::get(&arm, id.subscription(), id.resource_group()).await.unwrap();
    assert_eq!((group.id, group.provisioning_state.as_deref()), (id, Some("Succeeded")));
    recorded.assert_same(&scripted.asked()[0]);
    "group"
}

async fn replay_point(recorded: &Recorded) -> &'static str {
    let (arm, scripted) = recorded.client();
    let (id, parent) = (recorded.id(), recorded.id().parent().unwrap());
    let (s, g, c) = (id.subscription(), id.resource_group(), parent.name());
    let point = if recorded.method == "PUT" {
        let crash_consistent = recorded.request["properties"]["consistencyMode"] == "CrashConsistent";
        let new = restore_points::NewPoint { crash_consistent, exclude_disks: &[] };
        let made = restore_points::create(&arm, s, g, c, id.name(), &new, Latest::after(SOON)).await.unwrap();
        assert!(made.operation.unwrap().status_url.contains("/operations/"));
        recorded.assert_same(&scripted.asked()[0]);
        assert_eq!((&made.point.state, made.point.whole), (&restore_points::PointState::Creating, false));
        made.point
    } else {
        let point = restore_points::get(&arm, s, g, c, id.name()).await.unwrap();
        assert_eq!(point.state, restore_points::PointState::Succeeded);
        assert!(point.whole && point.disk_points.len() == 1);
        point
    };
    assert_eq!(point.id, id);
    assert!(point.time_created.is_some() && point.consistency.is_some() && point.source_vm_id.is_some());
    "point"
}

async fn replay_collection(recorded: &Recorded) -> &'static str {
    let ((arm, scripted), id) = (recorded.client(), recorded.id());
    let (s, g) = (id.subscription(), id.resource_group());
    let read = if recorded.method == "PUT" {
        let text = |pointer: &str| recorded.request.pointer(pointer).unwrap().as_str().unwrap().to_owned();
        let (location, source) = (text("/location"), text("/properties/source/id"));
        let tags = recorded.request.get("tags").cloned().unwrap_or_else(|| json!({}));
        let tags: BTreeMap<String, String> = serde_json::from_value(tags).unwrap();
        let tags: Vec<(&str, &str)> = tags.iter().map(|(name, value)| (&**name, &**value)).collect();
        let new = restore_points::NewCollection { location: &location, source: &source, tags: &tags };
        let latest = Latest::after(SOON);
        let made = restore_points::create_collection(&arm, s, g, id.name(), &new, latest).await.unwrap();
        recorded.assert_same(&scripted.asked()[0]);
        made
    } else {
        restore_points::get_collection(&arm, s, g, id.name()).await.unwrap()
    };
    assert_eq!(read.id, id);
    assert!(read.source.unwrap().is("Microsoft.Compute/virtualMachines"));
    "collection"
}

async fn replay_machine(recorded: &Recorded) -> &'static str {
    let (arm, scripted) = recorded.client();
    let machine = machines::get(&arm, &recorded.id()).await.unwrap();
    recorded.assert_same(&scripted.asked()[0]);
    // One of the two was asked before its agent had reported.
    let status = "/properties/instanceView/vmAgent/statuses/0/displayStatus";
    let ready = recorded.response.pointer(status).unwrap() == "Ready";
    assert_eq!(machine.agent == machines::AgentState::Ready, ready);
    assert_ne!(machine.agent, machines::AgentState::Unknown);
    assert_eq!(machine.power, machines::PowerState::Running);
    assert_eq!((machine.os, machine.disks.len()), (Some(machines::Os::Linux), 1));
    assert!(machine.time_created.is_some() && machine.disks[0].id.is_some() && !machine.vm_id.is_empty());
    assert!(arm.remaining().of("Microsoft.Compute/LowCostGetResource").is_some());
    "machine"
}

async fn replay_operation(recorded: &Recorded) -> &'static str {
    let (arm, scripted) = recorded.client();
    let url = format!("https://management.azure.com{}", recorded.path);
    let mut headers = azure_core::http::headers::Headers::new();
    headers.insert("azure-asyncoperation", url.clone());
    let accepted = Accepted::read(&Answer { status: 201, headers, body: Default::default() }, jiff::Timestamp::MIN);
    let state = arm.operation_state(&accepted.unwrap()).await.unwrap();
    let expected = recorded.response["status"].as_str().unwrap();
    assert_eq!(matches!(state, OperationState::Succeeded), expected == "Succeeded");
    assert_eq!(scripted.asked()[0].url.as_str(), url, "a status URL is followed verbatim");
    "operation"
}

#[tokio::test]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
async fn our_requests_are_those_of_the_recordings() {
    for (name, expected) in [
        ("restore_point.jsonl", "collection 2, group 2, machine 1, missing 2, operation 4, point 2"),
        ("restore_point_collection.jsonl", "collection 2, collections 1, group 2, machine 1, missing 2, operation 1"),
    ] {
        let recorded = tape(name);
        if recorded.is_empty() {
            return;
        }
        let mut spoken: BTreeMap<&str, usize> = BTreeMap::new();
        for request in &recorded {
            if let Some(operation) = replay(request).await {
                *spoken.entry(operation).or_default() += 1;
            }
        }
        let counted: Vec<String> = spoken.iter().map(|(name, count)| format!("{name} {count}")).collect();
        assert_eq!(counted.join(", "), expected, "{name}");
    }
}

#[tokio::test]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
async fn a_machine_that_is_not_there_is_gone_by_arms_own_word_only() {
    let Some(missing) = tape("restore_point.jsonl").into_iter().find(|recorded| recorded.status == 404) else { return };
    let id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/m".parse().unwrap();
    for (code, gone) in [
        ("ResourceNotFound", Gone::Resource),
        ("ResourceGroupNotFound", Gone::ResourceGroup),
        ("NotFound", Gone::Unproven),
        ("SubscriptionNotFound", Gone::Unproven),
    ] {
        let mut recorded = missing.clone();
        recorded.response["error"]["code"] = json!(code);
        let error = machines::get(&recorded.client().0, &id).await.unwrap_err();
        assert_eq!((error.kind, error.gone()), (ErrorKind::NotFound, Some(gone)), "{code}");
    }
}

#[tokio::test]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
async fn every_recorded_page_of_resource_graph_is_understood() {
    for (name, rows, more) in
        [("query.jsonl", 2, false), ("paged_query.jsonl", 3, true), ("skip_token_query.jsonl", 3, true)]
    {
        for recorded in tape(name) {
            let page = graph::Page::read(recorded.response.to_string().as_bytes(), graph::Row::machine).unwrap();
            assert_eq!((page.rows.len(), page.truncated, page.next.is_some()), (rows, false, more), "{name}");
        }
    }
    for recorded in tape("query_error.jsonl") {
        let (arm, _) = recorded.client();
        let error = graph::all_machines(&arm, &["s".to_owned()]).await.unwrap_err();
        assert_eq!((error.kind, error.code()), (ErrorKind::Refused, Some("BadRequest")));
        assert!(error.mentions("ParserFailure") && error.mentions("invalidquery") && !error.code_is("InvalidQuery"));
        assert_eq!(arm.remaining().of("user-quota"), Some(14));
    }
}
