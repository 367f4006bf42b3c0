//! The client's habits against a scripted Azure, in paused time.
//!
//! It never opens a socket.

use super::ArmClient;
use crate::{
    error::{Error, ErrorKind},
    graph, machines, resource_groups, restore_points,
    scripted::{Reply, Scripted},
    subscriptions,
    transport::{Latest, REQUEST_TIMEOUT},
};
use serde_json::json;
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::time::Instant;

const MACHINE: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/m";
const ENDPOINT: &str = "https://management.azure.com";

fn client(replies: impl IntoIterator<Item = Reply>) -> (ArmClient, Arc<Scripted>) {
    let scripted = Scripted::new(replies);
    (ArmClient::new(ENDPOINT.parse().unwrap(), &scripted.access()).unwrap(), scripted)
}

fn enabled() -> Reply {
    Reply::json(200, &json!({ "subscriptionId": "s", "displayName": "S", "state": "Enabled" }))
}

fn refusal(status: u16, code: &str) -> Reply {
    Reply::json(status, &json!({ "error": { "code": code, "message": "no" } }))
}

/// A call, what Azure does with each attempt, and what comes of it.
struct Case {
    name: &'static str,
    change: bool,
    replies: Vec<Reply>,
    attempts: usize,
    kind: Option<ErrorKind>,
    maybe_done: bool,
}

async fn check(case: Case) {
    let (arm, scripted) = client(case.replies);
    let done: Result<(), Error> = if case.change {
        let new = restore_points::NewPoint::default();
        let latest = Latest::after(Duration::from_secs(10));
        restore_points::create(&arm, "s", "g", "c", "p", &new, latest).await.map(drop)
    } else {
        subscriptions::get(&arm, "s").await.map(drop)
    };
    let got = done.as_ref().err().map(|error| error.kind);
    assert_eq!(got, case.kind, "{}: {done:?}", case.name);
    assert_eq!(scripted.count(), case.attempts, "{}", case.name);
    let maybe_done = done.is_err_and(|error| error.maybe_done());
    assert_eq!(maybe_done, case.maybe_done, "{}", case.name);
}

#[tokio::test(start_paused = true)]
async fn a_request_is_repeated_only_where_twice_is_once() {
    use ErrorKind::{Busy, Conflict, Connection, Forbidden, Limit, Malformed, NotFound, Refused, Throttled, Transient};
    let point = || {
        let id =
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/restorePointCollections/c/restorePoints/p";
        Reply::json(201, &json!({ "id": id, "properties": { "provisioningState": "Creating" } }))
    };
    let read = |name, replies, attempts, kind| Case {
        name,
        change: false,
        replies,
        attempts,
        kind,
        maybe_done: matches!(kind, Some(Transient | Malformed)),
    };
    let change =
        |name, replies, attempts, kind, maybe_done| Case { name, change: true, replies, attempts, kind, maybe_done };
    let four = |reply: Reply| vec![reply; 4];
    for case in [
        read("a success", vec![enabled()], 1, None),
        read("a fault that passes", vec![refusal(503, "x"), refusal(500, "x"), enabled()], 3, None),
        read("a fault that stays", four(refusal(503, "x")), 4, Some(Transient)),
        read(
            "a time-out of the server",
            vec![refusal(408, "x"), refusal(504, "x"), refusal(502, "x"), enabled()],
            4,
            None,
        ),
        read("a broken connection", vec![Reply::Broken, enabled()], 2, None),
        read("throttled without a time", vec![refusal(429, "x"), enabled()], 2, None),
        read("throttled for two seconds", vec![refusal(429, "x").with("retry-after", "2"), enabled()], 2, None),
        read("throttled for long", vec![refusal(429, "x").with("retry-after", "303")], 1, Some(Throttled)),
        read("refused", vec![refusal(400, "x")], 1, Some(Refused)),
        read("not permitted", vec![refusal(403, "AuthorizationFailed")], 1, Some(Forbidden)),
        read("missing", vec![refusal(404, "ResourceNotFound")], 1, Some(NotFound)),
        read("a conflict", vec![refusal(409, "OperationNotAllowed")], 1, Some(Conflict)),
        read("busy", vec![refusal(409, "AnotherOperationInProgress")], 1, Some(Busy)),
        read("a broken condition", vec![refusal(412, "PreconditionFailed")], 1, Some(Conflict)),
        read("a page of a gateway", vec![Reply::text(200, "<html>hello</html>")], 1, Some(Malformed)),
        read("half an answer", vec![Reply::text(200, "{\"subscriptionId\":\"s")], 1, Some(Malformed)),
        read("no answer's body", vec![Reply::text(200, "")], 1, Some(Malformed)),
        read("a redirect", vec![Reply::text(302, "")], 1, Some(Malformed)),
        read("a gateway's page with a fault", vec![Reply::text(502, "<html>bad gateway</html>"), enabled()], 2, None),
        change("a change", vec![point()], 1, None, false),
        change("a change that was never sent", vec![Reply::Unreachable, point()], 2, None, false),
        change("a change that was throttled", vec![refusal(429, "x"), point()], 2, None, false),
        change("a change without an answer", vec![Reply::Broken], 1, Some(Connection), true),
        change("a change with a fault", vec![refusal(500, "x")], 1, Some(Transient), true),
        change("a change never sent at all", four(Reply::Unreachable), 4, Some(Connection), false),
    ] {
        check(case).await;
    }
    let huge = "x".repeat(crate::transport::MAX_ANSWER_BYTES + 1);
    let (arm, _) = client([Reply::text(200, &huge)]);
    assert_eq!(subscriptions::get(&arm, "s").await.unwrap_err().kind, Limit);
}

#[tokio::test(start_paused = true)]
async fn azures_word_on_when_to_come_back_is_kept_to() {
    for (header, value, at_least) in [
        ("retry-after", "3", 3000),
        ("retry-after", "Sun, 22 Nov 2026 02:00:04 GMT", 4000),
        ("retry-after", "Sun, 22 Nov 2026 01:00:00 GMT", 0),
        ("x-ms-retry-after-ms", "1500", 1500),
        ("retry-after", "soon", 0),
    ] {
        let (arm, scripted) = client([refusal(429, "x").with(header, value), enabled()]);
        subscriptions::get(&arm, "s").await.unwrap();
        let waited = (scripted.asked()[1].at - scripted.asked()[0].at).as_millis();
        assert!((at_least..at_least + 1000).contains(&waited), "{header}: {value} waited {waited} ms");
    }
    let (arm, _) = client([refusal(429, "x").with("retry-after", "Sun, 22 Nov 2026 02:05:00 GMT")]);
    let error = subscriptions::get(&arm, "s").await.unwrap_err();
    assert_eq!((error.kind, error.retry_after()), (ErrorKind::Throttled, Some(Duration::from_secs(300))));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_into_a_wait_that_azure_asked_for() {
    let throttled = refusal(429, "SubscriptionRequestsThrottled").with("retry-after", "60");
    let (arm, scripted) = client([throttled, enabled()]);
    subscriptions::get(&arm, "s").await.unwrap_err();
    tokio::time::advance(Duration::from_secs(20)).await;
    let error = subscriptions::get(&arm, "s").await.unwrap_err();
    assert_eq!((error.kind, error.retry_after()), (ErrorKind::Throttled, Some(Duration::from_secs(40))));
    assert_eq!(scripted.count(), 1, "the second was not sent");
    tokio::time::advance(Duration::from_secs(37)).await;
    subscriptions::get(&arm, "s").await.unwrap();
    assert!(scripted.asked()[1].at - scripted.asked()[0].at >= Duration::from_secs(60), "a short rest is waited for");
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_one_resource_stops_no_other() {
    let (arm, scripted) = client([refusal(429, "x").with("retry-after", "60"), enabled()]);
    subscriptions::get(&arm, "s").await.unwrap_err();
    subscriptions::get(&arm, "other").await.unwrap();
    assert_eq!(scripted.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_replaced_once() {
    let (arm, scripted) = client([refusal(401, "ExpiredAuthenticationToken"), enabled(), enabled()]);
    subscriptions::get(&arm, "s").await.unwrap();
    subscriptions::get(&arm, "s").await.unwrap();
    let used: Vec<String> = scripted.asked().iter().map(|asked| asked.header("authorization").to_owned()).collect();
    assert_eq!(used, ["Bearer token-1", "Bearer token-2", "Bearer token-2"]);

    let (arm, scripted) = client([refusal(401, "x"), refusal(401, "x")]);
    assert_eq!(subscriptions::get(&arm, "s").await.unwrap_err().kind, ErrorKind::Unauthorized);
    assert_eq!((scripted.count(), scripted.tokens.load(Ordering::Relaxed)), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_token_is_kept_and_replaced_before_its_end() {
    let (arm, scripted) = client(vec![enabled(); 4]);
    for minutes in [0, 30, 24, 2] {
        tokio::time::advance(Duration::from_secs(minutes * 60)).await;
        subscriptions::get(&arm, "s").await.unwrap();
    }
    let used: Vec<String> = scripted.asked().iter().map(|asked| asked.header("authorization").to_owned()).collect();
    assert_eq!(used, ["Bearer token-1", "Bearer token-1", "Bearer token-1", "Bearer token-2"]);
}

#[tokio::test(start_paused = true)]
async fn no_attempt_of_a_change_leaves_after_its_latest_moment() {
    let make = async |arm: &ArmClient, after_ms: u64| {
        let latest = Latest(Instant::now() + Duration::from_millis(after_ms));
        resource_groups::create(arm, "s", "g", "westeurope", &[], latest).await
    };
    // It is over already: nothing is sent, and that is known.
    let (arm, scripted) = client([]);
    let latest = Latest(Instant::now());
    tokio::time::advance(Duration::from_millis(1)).await;
    let error = resource_groups::create(&arm, "s", "g", "westeurope", &[], latest).await.unwrap_err();
    assert_eq!((error.kind, error.maybe_done(), scripted.count()), (ErrorKind::TooLate, false, 0));
    // The first attempt took until after it: what is known of that one is what is said.
    let slow = Reply::After(Duration::from_secs(3), Box::new(refusal(500, "x")));
    let (arm, scripted) = client([slow.clone()]);
    let error = make(&arm, 2000).await.unwrap_err();
    assert_eq!((error.kind, error.maybe_done(), scripted.count()), (ErrorKind::Transient, true, 1));
    // A repeat that would be too late is not waited for.
    let (arm, scripted) = client([refusal(429, "x").with("retry-after", "4")]);
    let started = Instant::now();
    let error = make(&arm, 3000).await.unwrap_err();
    assert_eq!((error.kind, scripted.count(), started.elapsed()), (ErrorKind::Throttled, 1, Duration::ZERO));
    // No answer at all ends with the time-out, and may have been done.
    let (arm, _) = client([Reply::Hang]);
    let started = Instant::now();
    let error = make(&arm, 3000).await.unwrap_err();
    assert_eq!((error.kind, error.maybe_done(), started.elapsed()), (ErrorKind::Connection, true, REQUEST_TIMEOUT));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_may_have_been_done_colours_the_whole_call() {
    let (arm, _) = client([refusal(500, "x"), refusal(403, "AuthorizationFailed")]);
    let latest = Latest::after(Duration::from_secs(10));
    let error = resource_groups::create(&arm, "s", "g", "westeurope", &[], latest).await.unwrap_err();
    assert_eq!((error.kind, error.maybe_done()), (ErrorKind::Forbidden, true));
}

#[tokio::test(start_paused = true)]
async fn a_token_goes_over_plain_http_to_this_machine_only() {
    for (endpoint, goes) in [
        ("http://127.0.0.1:8080", true),
        ("http://[::1]:8080", true),
        ("http://localhost:8080", true),
        ("https://management.azure.com", true),
        ("http://management.azure.com", false),
        ("http://10.0.0.4", false),
        ("http://localhost.example", false),
        ("ftp://localhost", false),
    ] {
        let scripted = Scripted::new([enabled()]);
        let arm = ArmClient::new(endpoint.parse().unwrap(), &scripted.access()).unwrap();
        let got = subscriptions::get(&arm, "s").await;
        assert_eq!((got.is_ok(), scripted.count() == 1), (goes, goes), "{endpoint}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_listing_is_whole_or_an_error_and_stays_on_its_host() {
    let page = |name: &str, next: Option<&str>| {
        let id =
            format!("/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/restorePointCollections/{name}");
        Reply::json(200, &json!({ "value": [{ "id": id, "location": "West Europe" }], "nextLink": next }))
    };
    let second = "https://management.azure.com/subscriptions/s/more?$skiptoken=a%2Fb&api-version=x";
    let (arm, scripted) = client([page("a", Some(second)), page("b", None)]);
    let found = restore_points::list_collections(&arm, "s").await.unwrap();
    assert_eq!(found.iter().map(|found| &*found.name).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!((scripted.asked()[1].url.as_str(), &*found[0].location), (second, "westeurope"));

    for elsewhere in [
        "https://evil.example/subscriptions/s",
        "http://management.azure.com/x",
        "https://management.azure.com:444/x",
        "https://management.azure.com@evil.example/x",
        "/relative",
        "nonsense",
    ] {
        let (arm, scripted) = client([page("a", Some(elsewhere))]);
        let error = restore_points::list_collections(&arm, "s").await.unwrap_err();
        assert_eq!((error.kind, scripted.count()), (ErrorKind::Malformed, 1), "{elsewhere}");
    }
    let (arm, scripted) = client((0..200).map(|number| page("a", Some(&format!("{second}{number}")))));
    assert_eq!(restore_points::list_collections(&arm, "s").await.unwrap_err().kind, ErrorKind::Limit);
    assert_eq!(scripted.count(), 200);
}

#[tokio::test(start_paused = true)]
async fn graph_is_asked_page_by_page_and_at_its_own_pace() {
    let row = |name: &str| json!({ "id": format!("{MACHINE}{name}"), "vmId": name, "timeCreated": "2026-11-22T01:59:00.1234567Z" });
    let page = |name: &str, next: Option<&str>, truncated: &str| {
        Reply::json(200, &json!({ "data": [row(name)], "resultTruncated": truncated, "$skipToken": next }))
    };
    let spent = page("1", Some("t"), "false")
        .with("x-ms-user-quota-remaining", "0")
        .with("x-ms-user-quota-resets-after", "00:00:05");
    let (arm, scripted) = client([spent, page("2", None, "false")]);
    let since = "2026-11-22T01:00:00Z".parse().unwrap();
    let found = graph::machines(&arm, &["s".to_owned()], Some(since)).all().await.unwrap();
    assert_eq!(found.iter().map(|row| &*row.vm_id).collect::<Vec<_>>(), ["1", "2"]);
    assert!(found[0].time_created.is_some());
    let asked = scripted.asked();
    assert_eq!(asked[1].json()["options"]["$skipToken"], "t");
    assert!(asked[1].at - asked[0].at >= Duration::from_secs(5));
    let query = asked[0].json()["query"].as_str().unwrap().to_owned();
    assert!(query.contains("todatetime('2026-11-22T01:00:00Z')") && !query.contains(['{', '}']), "{query}");

    let (arm, scripted) = client([page("1", None, "true")]);
    assert_eq!(graph::all_machines(&arm, &["s".to_owned()]).await.unwrap_err().kind, ErrorKind::Limit);
    let query = scripted.asked()[0].json()["query"].as_str().unwrap().to_owned();
    assert!(!query.contains("todatetime") && query.ends_with("order by id asc"), "{query}");

    let (arm, _) = client([page("1", Some("t"), "false"), page("2", Some("t"), "false")]);
    assert_eq!(graph::all_machines(&arm, &["s".to_owned()]).await.unwrap_err().kind, ErrorKind::Malformed);
    let (arm, _) = client([page("1", None, "false").with("x-ms-tenant-subscription-limit-hit", "true")]);
    assert_eq!(graph::all_machines(&arm, &["s".to_owned()]).await.unwrap_err().kind, ErrorKind::Limit);
}

#[tokio::test(start_paused = true)]
async fn what_every_request_carries() {
    let reply = enabled()
        .with("date", "Sun, 22 Nov 2026 02:00:07 GMT")
        .with("x-ms-ratelimit-remaining-subscription-reads", "249")
        .with("x-ms-ratelimit-remaining-resource", "Microsoft.Compute/A;5,Microsoft.Compute/B;14,nonsense,C;x");
    let scripted = Scripted::new([refusal(500, "x"), reply]);
    let access = scripted.access().with_traceparent(|| Some("00-1-2-01".to_owned()));
    let arm = ArmClient::new(ENDPOINT.parse().unwrap(), &access).unwrap();
    subscriptions::get(&arm, "s").await.unwrap();
    let asked = scripted.asked();
    assert_eq!(asked[0].url.as_str(), "https://management.azure.com/subscriptions/s?api-version=2022-12-01");
    assert_eq!(asked[0].header("traceparent"), "00-1-2-01");
    assert!(asked[0].header("user-agent").starts_with("lifeboat/"));
    let id = asked[0].header("x-ms-client-request-id");
    assert!(uuid::Uuid::parse_str(id).is_ok() && id == asked[1].header("x-ms-client-request-id"));
    assert_eq!(arm.clock_skew().unwrap().as_secs(), 7);
    let left = arm.remaining();
    assert_eq!(
        (left.of("subscription-reads"), left.of("Microsoft.Compute/B"), left.iter().count()),
        (Some(249), Some(14), 3)
    );
}

#[tokio::test(start_paused = true)]
async fn a_name_cannot_change_the_path() {
    for name in ["..", ".", "", "a/b", "a\\b"] {
        let (arm, scripted) = client([]);
        assert_eq!(subscriptions::get(&arm, name).await.unwrap_err().kind, ErrorKind::Refused, "{name}");
        assert_eq!(scripted.count(), 0);
    }
    let (arm, scripted) = client([enabled()]);
    subscriptions::get(&arm, "a b?c#d%2F").await.unwrap();
    assert_eq!(scripted.asked()[0].url.path(), "/subscriptions/a%20b%3Fc%23d%252F");
    let disk = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/disks/m".parse().unwrap();
    assert_eq!(machines::get(&arm, &disk).await.unwrap_err().kind, ErrorKind::Refused);
}

#[tokio::test(start_paused = true)]
async fn a_source_of_tokens_in_trouble_is_not_a_missing_right() {
    use azure_core::{
        Error as SdkError,
        credentials::{AccessToken, TokenCredential, TokenRequestOptions},
        error::ErrorKind as SdkKind,
    };
    #[derive(Debug)]
    struct Down(SdkKind);
    #[async_trait::async_trait]
    impl TokenCredential for Down {
        async fn get_token(&self, _: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
            let inner = SdkError::with_message(self.0.clone(), "eyJhbGciOi.secret");
            Err(SdkError::with_error(SdkKind::Credential, inner, "no token: eyJhbGciOi.secret"))
        }
    }
    let http = |status: u16| SdkKind::HttpResponse { status: status.into(), error_code: None, raw_response: None };
    for (inner, expected) in [
        (SdkKind::Connection, ErrorKind::Connection),
        (SdkKind::Io, ErrorKind::Connection),
        (http(500), ErrorKind::Connection),
        (http(429), ErrorKind::Connection),
        (http(400), ErrorKind::Unauthorized),
        (SdkKind::Credential, ErrorKind::Unauthorized),
    ] {
        let scripted = Scripted::new([]);
        let mut access = scripted.access();
        access.credential = Arc::new(Down(inner.clone()));
        let arm = ArmClient::new(ENDPOINT.parse().unwrap(), &access).unwrap();
        let error = subscriptions::get(&arm, "s").await.unwrap_err();
        assert_eq!((error.kind, error.maybe_done(), scripted.count()), (expected, false, 0), "{inner:?}");
        let chain = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
        assert!(!chain.map(ToString::to_string).collect::<String>().contains("secret"));
    }
}
