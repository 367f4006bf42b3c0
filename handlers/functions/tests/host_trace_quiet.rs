//! Calls a function with a trace while no telemetry is configured.
//! It never sends anything.

use std::time::Duration;

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt as _;
use lifeboat_functions::host::{App, Done, RuntimeOptions};
use lifeboat_functions::telemetry;
use tower::ServiceExt as _;

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[tokio::test]
async fn without_telemetry_the_trace_that_came_in_goes_out_again() {
    let app = App::new(RuntimeOptions::below(Duration::from_secs(600)))
        .on("Says", |_| async { Ok(Done::quietly().note(telemetry::traceparent().unwrap_or_default())) })
        .router();
    // (header, property of the message, what goes out)
    let other = PARENT.replace("0af7", "1af7");
    let invalid = PARENT.replace('-', "_");
    let cases = [
        (Some(PARENT), None, PARENT),
        (None, Some(PARENT), PARENT),
        (Some(PARENT), Some(other.as_str()), PARENT),
        (Some(invalid.as_str()), Some(PARENT), PARENT),
        (Some(invalid.as_str()), None, ""),
        (None, None, ""),
    ];
    for (header, property, expected) in cases {
        let properties = property.map_or(serde_json::json!({}), |parent| serde_json::json!({ "traceparent": parent }));
        let body = serde_json::json!({ "Data": { "msg": "" }, "Metadata": { "ApplicationProperties": properties } });
        let mut request = Request::post("/Says").body(Body::from(body.to_string())).unwrap();
        if let Some(header) = header {
            request.headers_mut().insert("traceparent", header.parse().unwrap());
        }
        let answer = app.clone().oneshot(request).await.unwrap().into_body().collect().await.unwrap().to_bytes();
        let said: serde_json::Value = serde_json::from_slice(&answer).unwrap();
        assert_eq!(said["Logs"][0], expected, "{header:?} {property:?}");
    }
    assert_eq!(telemetry::traceparent(), None, "outside of an invocation there is no trace");
}
