//! What is refused, and how; budgets and waiting times.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::calls::{Caller, SUBSCRIPTION, collection_id, crash, seconds};
use crate::azure::{ARM_AUDIENCE, Grant, MachineSeed, STORAGE_AUDIENCE, SubscriptionState};

#[tokio::test(start_paused = true)]
async fn each_gate_refuses_with_its_own_status_and_code() {
    let (caller, machine) = Caller::with_machine(|seed| seed);
    let other = collection_id("other");
    caller.collection("c", &machine).await;
    let second = caller.world.add_machine(&MachineSeed::new(SUBSCRIPTION, "shop", "second", "northeurope"));
    let source = |id: &str, place: &str| Some(json!({ "location": place, "properties": { "source": { "id": id } } }));
    let v = "api-version=2025-04-01";
    let cases: [(&str, String, Option<Value>, u16, &str); 15] = [
        ("GET", machine.clone(), None, 400, "MissingApiVersionParameter"),
        ("GET", format!("{machine}?api-version=1999-01-01"), None, 400, "NoRegisteredProviderFound"),
        ("GET", format!("{machine}?api-version=latest"), None, 400, "InvalidApiVersionParameter"),
        (
            "GET",
            format!("/subscriptions/none?{v}").replace(v, "api-version=2022-12-01"),
            None,
            404,
            "SubscriptionNotFound",
        ),
        ("GET", format!("{}?{v}", machine.replace("Shop", "none")), None, 404, "ResourceGroupNotFound"),
        ("GET", format!("{machine}x?{v}"), None, 404, "ResourceNotFound"),
        ("DELETE", format!("{machine}x?{v}"), None, 204, ""),
        ("POST", format!("{machine}?{v}"), None, 405, "HttpMethodNotSupported"),
        (
            "GET",
            format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Sql/servers?{v}"),
            None,
            404,
            "InvalidResourceType",
        ),
        ("PUT", format!("{other}?{v}"), source("/nonsense", "westeurope"), 400, "InvalidParameter"),
        ("PUT", format!("{other}?{v}"), source(&format!("{machine}x"), "westeurope"), 404, "NotFound"),
        ("PUT", format!("{other}?{v}"), source(&second, "westeurope"), 400, "InvalidParameter"),
        ("PUT", format!("{}?{v}", collection_id("c")), source(&second, "northeurope"), 409, "PropertyChangeNotAllowed"),
        ("PUT", format!("{other}/restorePoints/p?{v}"), Some(json!({})), 404, "ParentResourceNotFound"),
        (
            "PUT",
            format!("{}/restorePoints/p?{v}", collection_id("c")),
            Some(json!({ "properties": { "consistencyMode": "ApplicationConsistent" } })),
            400,
            "InvalidParameter",
        ),
    ];
    for (method, path, body, status, code) in cases {
        let told = caller.send(method, &path, body).await;
        assert_eq!((told.status, told.code()), (status, code), "{method} {path}: {told:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_must_be_there_known_for_arm_and_not_over() {
    let (caller, machine) = Caller::with_machine(|seed| seed);
    let path = format!("{machine}?api-version=2025-04-01");
    let elsewhere = caller.world.token(&caller.object_id, STORAGE_AUDIENCE);
    let old = caller.token.clone();
    let cases = [
        ("", "AuthenticationFailed"),
        ("Bearer made-up", "InvalidAuthenticationToken"),
        (&format!("Bearer {elsewhere}"), "InvalidAuthenticationTokenAudience"),
    ];
    for (header, code) in cases {
        let told = caller.send_with("GET", &path, None, &[("authorization", header)]).await;
        assert_eq!((told.status, told.code()), (401, code));
        assert!(told.header("www-authenticate").starts_with("Bearer "));
    }
    caller.world.jump(SignedDuration::from_hours(24));
    let told = caller.send_with("GET", &path, None, &[("authorization", &format!("Bearer {old}"))]).await;
    assert_eq!((told.status, told.code()), (401, "ExpiredAuthenticationToken"));
}

#[tokio::test(start_paused = true)]
async fn a_missing_right_names_the_action_and_the_scope() {
    let (caller, machine) = Caller::with_machine(|seed| seed);
    caller.collection("c", &machine).await;
    assert!(caller.world.deny(&caller.object_id, "Microsoft.Compute/restorePointCollections/restorePoints/write"));
    let point = format!("{}/restorePoints/p", collection_id("c"));
    let told = caller.put(&point, json!({})).await;
    assert_eq!((told.status, told.code()), (403, "AuthorizationFailed"));
    let message = told.body["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("'Microsoft.Compute/restorePointCollections/restorePoints/write' over scope '/subscriptions/")
    );
    assert!(caller.world.allow(&caller.object_id, "Microsoft.Compute/restorePointCollections/restorePoints/write"));
    assert_eq!(caller.put(&point, json!({})).await.status, 201);
}

#[tokio::test(start_paused = true)]
async fn a_disabled_subscription_is_read_and_not_written() {
    let (caller, machine) = Caller::with_machine(|seed| seed);
    caller.world.arm().set_subscription_state(SUBSCRIPTION, SubscriptionState::Disabled);
    let told = caller.send("GET", &format!("/subscriptions/{SUBSCRIPTION}?api-version=2022-12-01"), None).await;
    assert_eq!(told.body["state"], "Disabled");
    assert_eq!(caller.get(&machine).await.status, 200);
    let body = json!({ "location": "westeurope", "properties": { "source": { "id": machine } } });
    let told = caller.put(&collection_id("c"), body).await;
    assert_eq!((told.status, told.code()), (409, "ReadOnlyDisabledSubscription"));
}

#[tokio::test(start_paused = true)]
async fn three_points_an_hour_and_the_fourth_waits() {
    let (caller, machine) = Caller::with_machine(|seed| seed);
    let collection = caller.collection("c", &machine).await;
    for number in 0..3 {
        let told = caller.put(&format!("{collection}/restorePoints/p{number}"), crash()).await;
        assert_eq!(told.status, 201, "{told:?}");
        seconds(60).await;
    }
    let fourth = format!("{collection}/restorePoints/p3");
    let told = caller.put(&fourth, crash()).await;
    assert_eq!((told.status, told.code()), (429, "OperationNotAllowed"));
    assert_eq!(told.body["error"]["details"][0]["target"], "CreateCrashConsistentRestorePoint");
    let wait: u64 = told.header("retry-after").parse().unwrap();
    assert_eq!(wait, 3_600 - 180);
    assert_eq!(
        caller.put(&format!("{collection}/restorePoints/p4"), json!({})).await.status,
        201,
        "the other mode's own"
    );
    seconds(wait - 1).await;
    assert_eq!(caller.put(&fourth, crash()).await.status, 429, "a second too early");
    assert_eq!(caller.world.counts().inside_retry_after, 1);
    seconds(wait).await;
    assert_eq!(caller.put(&fourth, crash()).await.status, 201);
    assert_eq!(caller.world.counts().throttled, 2);
}

#[tokio::test(start_paused = true)]
async fn two_hundred_writes_at_once_then_ten_a_second() {
    let caller = Caller::new();
    let group = |number: u32| format!("/subscriptions/{SUBSCRIPTION}/resourcegroups/g{number}");
    let body = || json!({ "location": "westeurope" });
    for number in 0..200 {
        let told = caller.put(&group(number), body()).await;
        assert_eq!(told.header("x-ms-ratelimit-remaining-subscription-writes"), (199 - number).to_string());
        assert_eq!(told.header("x-ms-ratelimit-remaining-subscription-global-writes"), (2_999 - number).to_string());
    }
    let told = caller.put(&group(200), body()).await;
    assert_eq!((told.status, told.code(), told.header("retry-after")), (429, "SubscriptionRequestsThrottled", "1"));
    seconds(1).await;
    for number in 200..210 {
        assert_eq!(caller.put(&group(number), body()).await.status, 201);
    }
    assert_eq!(caller.put(&group(210), body()).await.status, 429);
    assert_eq!(caller.world.counts().writes, 210);
}

#[tokio::test(start_paused = true)]
async fn fifteen_queries_in_five_seconds_and_the_headers_say_so() {
    let caller = Caller::new();
    let path = "/providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01";
    let ask =
        |number: u32| Some(json!({ "subscriptions": [SUBSCRIPTION], "query": format!("Resources | take {number}") }));
    for number in 0..15 {
        let told = caller.send("POST", path, ask(number)).await;
        assert_eq!(told.header("x-ms-user-quota-remaining"), (14 - number).to_string());
        assert_eq!(told.header("x-ms-user-quota-resets-after"), "00:00:05");
    }
    let told = caller.send("POST", path, ask(15)).await;
    assert_eq!((told.status, told.code(), told.header("retry-after")), (429, "RateLimiting", "5"));
    seconds(5).await;
    assert_eq!(caller.send("POST", path, ask(15)).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn resource_graph_shows_a_new_machine_after_its_lag_and_no_points() {
    let (caller, machine) = Caller::with_machine(|seed| seed);
    let collection = caller.collection("c", &machine).await;
    caller.put(&format!("{collection}/restorePoints/p"), json!({})).await;
    let path = "/providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01";
    let query = "Resources | where type startswith 'microsoft.compute/restorepoint' | project id, type";
    let ask = || Some(json!({ "subscriptions": [SUBSCRIPTION], "query": query }));
    assert_eq!(caller.send("POST", path, ask()).await.body["count"], 0);
    seconds(10).await;
    let told = caller.send("POST", path, ask()).await;
    assert_eq!(told.body["data"], json!([{ "id": collection, "type": "microsoft.compute/restorepointcollections" }]));
}

#[tokio::test(start_paused = true)]
async fn listings_come_in_pages_that_are_followed_to_the_end() {
    let caller = Caller::new();
    for number in 0..250 {
        caller.world.add_machine(&MachineSeed::new(SUBSCRIPTION, "shop", &format!("vm{number:03}"), "westeurope"));
    }
    let mut path =
        format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/virtualMachines?api-version=2025-04-01");
    let mut sizes = Vec::new();
    loop {
        let told = caller.send("GET", &path, None).await;
        sizes.push(told.body["value"].as_array().unwrap().len());
        let Some(next) = told.body["nextLink"].as_str() else { break };
        path = next.strip_prefix("https://management.azure.com").unwrap().to_owned();
    }
    assert_eq!(sizes, [100, 100, 50]);
}

#[tokio::test(start_paused = true)]
async fn subscriptions_are_listed_only_where_they_may_be_read() {
    let caller = Caller::new();
    caller.world.add_subscription("aaaaaaaa-0000-4000-8000-000000000002", "Other");
    let reader = vec![Grant::over_subscription(SUBSCRIPTION, &["*/read"])];
    let principal = caller.world.add_principal("reader", reader);
    let token = format!("Bearer {}", caller.world.token(&principal.object_id, ARM_AUDIENCE));
    let path = "/subscriptions?api-version=2022-12-01";
    assert_eq!(caller.send("GET", path, None).await.body["value"].as_array().unwrap().len(), 2);
    let told = caller.send_with("GET", path, None, &[("authorization", &token)]).await;
    assert_eq!(told.body["value"].as_array().unwrap().len(), 1);
    let path = format!("/subscriptions/{SUBSCRIPTION}/locations?api-version=2022-12-01");
    let told = caller.send("GET", &path, None).await;
    let pair = told.body["value"].as_array().unwrap().iter().find(|one| one["name"] == "westeurope").unwrap();
    assert_eq!(pair["metadata"]["pairedRegion"][0]["name"], "northeurope");
}
