//! The client survives what no Azure should answer: broken, foreign, endless, huge and nonsensical answers.
//!
//! It never opens a socket; waiting goes by tokio's clock.

use crate::{
    ArmClient, disks,
    error::{Error, ErrorKind},
    machines,
    scripted::{NOW, Reply, Scripted},
    skus, snapshots, subscriptions,
    transport::Latest,
    usages,
};
use serde_json::json;
use std::{sync::Arc, time::Duration};

const MACHINE: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/m";
const ENDPOINT: &str = "https://management.azure.com";

fn client(replies: impl IntoIterator<Item = Reply>) -> (ArmClient, Arc<Scripted>) {
    let scripted = Scripted::new(replies);
    (ArmClient::new(ENDPOINT.parse().unwrap(), &scripted.access()).unwrap(), scripted)
}

fn enabled() -> Reply {
    Reply::json(200, &json!({ "subscriptionId": "s", "displayName": "S", "state": "Enabled" }))
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_cut_foreign_or_mistyped_is_malformed_and_never_a_value() {
    let whole = json!({ "id": MACHINE, "location": "l", "properties": { "vmId": "v" } }).to_string();
    let mut bodies: Vec<String> = (0..whole.len()).map(|cut| whole[..cut].to_owned()).collect();
    let page = "<!DOCTYPE html><html><head><title>502</title></head><body>Our services aren't available</body></html>";
    bodies.extend(
        [page, "null", "[]", "7", "\"text\"", "{}", "\u{feff}", "{\"id\":1}", "<Error/>", "\0"].map(String::from),
    );
    for body in bodies {
        for kind in ["application/json", "text/html", "application/octet-stream", ""] {
            let (arm, scripted) = client([Reply::text(200, &body).with("content-type", kind)]);
            let error = machines::get(&arm, &MACHINE.parse().unwrap()).await.unwrap_err();
            assert_eq!((error.kind, scripted.count()), (ErrorKind::Malformed, 1), "{body:?}");
            assert!(error.maybe_done());
        }
    }
    // What is whole is read, whatever it is called.
    let (arm, _) = client([Reply::text(200, &whole).with("content-type", "text/html")]);
    machines::get(&arm, &MACHINE.parse().unwrap()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_listing_is_whole_or_an_error() {
    let disk = |name: &str| json!({ "id": format!("/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/disks/{name}") });
    let link = |page: usize| format!("{ENDPOINT}/subscriptions/s/providers/Microsoft.Compute/disks?$skiptoken={page}");
    let page = |next: Option<String>| Reply::json(200, &json!({ "value": [disk("d")], "nextLink": next }));
    // Endless.
    let (arm, scripted) = client((0..1000).map(|number| page(Some(link(number)))));
    assert_eq!(disks::list(&arm, "s").await.unwrap_err().kind, ErrorKind::Limit);
    assert_eq!(scripted.count(), 200);
    // In a circle.
    let (arm, scripted) = client([page(Some(link(1))), page(Some(link(2))), page(Some(link(1)))]);
    assert_eq!(disks::list(&arm, "s").await.unwrap_err().kind, ErrorKind::Malformed);
    assert_eq!(scripted.count(), 3);
    // Back to its own beginning.
    let own = format!("{ENDPOINT}/subscriptions/s/providers/Microsoft.Compute/disks?api-version=2025-01-02");
    let (arm, scripted) = client([page(Some(own))]);
    assert_eq!(disks::list(&arm, "s").await.unwrap_err().kind, ErrorKind::Malformed);
    assert_eq!(scripted.count(), 1);
    // Elsewhere: the token does not go along.
    for elsewhere in
        ["https://evil.example/x", "http://management.azure.com/x", "//evil.example/x", "data:,x", "\\\\evil"]
    {
        let (arm, scripted) = client([page(Some(elsewhere.to_owned()))]);
        assert_eq!(disks::list(&arm, "s").await.unwrap_err().kind, ErrorKind::Malformed, "{elsewhere}");
        assert_eq!(scripted.count(), 1, "{elsewhere}");
    }
    // The second page fails, or has one entry that is none.
    for second in [Reply::text(200, "{}"), Reply::json(200, &json!({ "value": [disk("d"), {}] })), Reply::text(404, "")]
    {
        let (arm, _) = client([page(Some(link(1))), second]);
        disks::list(&arm, "s").await.unwrap_err();
    }
    for end in [json!(null), json!("")] {
        let (arm, _) = client([Reply::json(200, &json!({ "value": [disk("d")], "nextLink": end }))]);
        assert_eq!(disks::list(&arm, "s").await.unwrap().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_redirect_is_never_followed() {
    for status in [301, 302, 303, 307, 308] {
        let to = Reply::text(status, "").with("location", "https://evil.example/x");
        let (arm, scripted) = client([to.clone(), to]);
        assert_eq!(subscriptions::get(&arm, "s").await.unwrap_err().kind, ErrorKind::Malformed, "{status}");
        let id = MACHINE.parse().unwrap();
        let error = machines::start(&arm, &id, Latest::after(Duration::from_secs(10))).await.unwrap_err();
        assert_eq!((error.kind, error.maybe_done()), (ErrorKind::Malformed, true), "{status}");
        assert_eq!(scripted.count(), 2);
        assert!(scripted.asked().iter().all(|asked| asked.url.host_str() == Some("management.azure.com")));
    }
}

#[tokio::test(start_paused = true)]
async fn ten_megabytes_are_read_and_more_than_the_bound_is_not() {
    let entry = json!({ "name": { "value": "cores" }, "currentValue": 1, "limit": 2, "unit": "x".repeat(1000) });
    let body = json!({ "value": vec![entry; 10_000] }).to_string();
    assert!(body.len() > 10_000_000 && body.len() < crate::transport::MAX_ANSWER_BYTES);
    let (arm, _) = client([Reply::text(200, &body)]);
    assert_eq!(usages::list(&arm, "s", "westeurope").await.unwrap().len(), 10_000);
    let (arm, scripted) = client([Reply::text(200, &" ".repeat(crate::transport::MAX_ANSWER_BYTES + 1))]);
    assert_eq!(usages::list(&arm, "s", "westeurope").await.unwrap_err().kind, ErrorKind::Limit);
    assert_eq!(scripted.count(), 1);
    // A refusal as large as that is a refusal, and small in a log.
    let huge = json!({ "error": { "code": "c".repeat(100_000), "message": "m".repeat(5_000_000) } });
    let (arm, _) = client([Reply::json(400, &huge)]);
    let error = subscriptions::get(&arm, "s").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(format!("{error:?}").len() < 4096);
    // Nesting without end is no JSON of Azure's.
    let (arm, _) = client([Reply::text(200, &"[".repeat(1_000_000))]);
    assert_eq!(subscriptions::get(&arm, "s").await.unwrap_err().kind, ErrorKind::Malformed);
}

#[tokio::test(start_paused = true)]
async fn a_skewed_clock_is_seen_and_breaks_no_call() {
    for (date, skew) in [
        ("Sun, 22 Nov 2026 02:00:00 GMT", Some(0)),
        ("Sun, 22 Nov 2026 05:00:00 GMT", Some(3 * 3600)),
        ("Thu, 01 Jan 1970 00:00:00 GMT", Some(-NOW.parse::<jiff::Timestamp>().unwrap().as_second())),
        ("yesterday", None),
        ("Sun, 99 Nov 99999 99:99:99 GMT", None),
    ] {
        let (arm, _) = client([enabled().with("date", date)]);
        subscriptions::get(&arm, "s").await.unwrap();
        assert_eq!(arm.clock_skew().map(|skew| skew.as_secs()), skew, "{date}");
    }
}

#[tokio::test(start_paused = true)]
async fn nonsense_about_when_to_come_back_neither_hastens_nor_hangs() {
    for (value, waits) in [
        ("-1", false),
        ("soon", false),
        ("", false),
        ("1e3", false),
        ("99999999999999999999", false),
        ("0", false),
        ("Sun, 22 Nov 2026 01:59:59 GMT", false),
        ("Thu, 01 Jan 1970 00:00:00 GMT", false),
        ("86400", true),
        ("18446744073709551615", true),
        ("Fri, 31 Dec 9999 23:59:59 GMT", false),
        ("Sun, 29 Nov 2026 02:00:00 GMT", true),
    ] {
        let started = tokio::time::Instant::now();
        let throttled = Reply::json(429, &json!({ "error": { "code": "TooManyRequests" } })).with("retry-after", value);
        let (arm, scripted) = client([throttled, enabled()]);
        let answer = subscriptions::get(&arm, "s").await;
        let expected = if waits { 1 } else { 2 };
        assert_eq!((answer.is_err(), scripted.count()), (waits, expected), "{value:?}");
        assert!(started.elapsed() < crate::RETRY_BUDGET, "{value:?}");
        if let Err(error) = answer {
            assert!(error.retry_after().unwrap() <= Duration::from_secs(24 * 60 * 60), "{value:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_is_as_wide_as_what_azure_throttles() {
    let list = |arm: ArmClient| async move { skus::list(&arm, "s", "l").await.map(drop) };
    let other = |arm: ArmClient| async move { subscriptions::get(&arm, "s").await.map(drop) };
    let elsewhere = |arm: ArmClient| async move { skus::list(&arm, "t", "l").await.map(drop) };
    let empty = || Reply::json(200, &json!({ "value": [] }));
    let flat = |target: &str| {
        let nested = json!({ "operationGroup": target, "allowedRequestCount": 1 }).to_string();
        json!({ "code": "OperationNotAllowed", "details": [{ "code": "TooManyRequests", "message": nested }] })
    };
    let bucket = json!({ "error": { "code": "SubscriptionRequestsThrottled", "message": "m" } });
    for (body, other_waits) in [(bucket, true), (flat("HighCostGet30Min"), false)] {
        let throttled = Reply::json(429, &body).with("retry-after", "60");
        let (arm, scripted) = client([throttled, empty(), enabled()]);
        list(arm.clone()).await.unwrap_err();
        assert_eq!(list(arm.clone()).await.unwrap_err().kind, ErrorKind::Throttled, "the same waits");
        elsewhere(arm.clone()).await.unwrap();
        assert_eq!(other(arm).await.is_err(), other_waits, "{body}");
        assert_eq!(scripted.count(), 3 - usize::from(other_waits));
    }
}

#[tokio::test(start_paused = true)]
async fn a_403_names_the_action_the_scope_and_the_role() {
    let message = |action: &str| {
        format!(
            "The client 'c' with object id 'o' does not have authorization to perform action '{action}' over scope '/subscriptions/s' or the scope is invalid."
        )
    };
    let refusal =
        |message: &str| Reply::json(403, &json!({ "error": { "code": "AuthorizationFailed", "message": message } }));
    let missing = async |reply: Reply| -> Error {
        let (arm, scripted) = client([reply]);
        let error = subscriptions::get(&arm, "s").await.unwrap_err();
        assert_eq!(scripted.count(), 1, "a missing right is not asked for twice");
        error
    };
    for (text, expected) in [
        (
            message("Microsoft.Compute/virtualMachines/read"),
            "`Microsoft.Compute/virtualMachines/read` is missing over /subscriptions/s: the role `Reader` grants it",
        ),
        (
            message("Microsoft.Compute/restorePointCollections/write"),
            "`Microsoft.Compute/restorePointCollections/write` is missing over /subscriptions/s: a custom role with that action is needed",
        ),
        (
            "no".to_owned(),
            "`Microsoft.Resources/subscriptions/read` is missing over what was asked for: the role `Reader` grants it",
        ),
    ] {
        let error = missing(refusal(&text)).await;
        assert_eq!(error.missing().unwrap().to_string(), expected);
        assert!(error.to_string().ends_with(expected), "whoever reads the log is told too: {error}");
    }
    assert_eq!(missing(Reply::text(403, "<html>")).await.missing().unwrap().role, Some("Reader"));
    assert_eq!(missing(Reply::text(404, "")).await.missing(), None);
}

#[tokio::test(start_paused = true)]
async fn a_change_without_a_clear_answer_is_not_sent_again() {
    let disk = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/disks/d".parse().unwrap();
    let new = snapshots::NewSnapshot { location: "l", disk: &disk, tags: &[] };
    for reply in [Reply::text(502, "<html>"), Reply::Broken, Reply::text(200, "<html>"), Reply::text(202, "")] {
        let (arm, scripted) = client([reply]);
        let latest = Latest::after(Duration::from_secs(10));
        let error = snapshots::create(&arm, "s", "g", "n", &new, latest).await.unwrap_err();
        assert!(error.maybe_done());
        assert_eq!(scripted.count(), 1);
    }
}
