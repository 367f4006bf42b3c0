//! Sends the telemetry of calls to a stand-in of Application Insights on this machine, and nowhere when nothing is configured.
//! It never asserts more of the wire than the address and the compression.
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use http::{Request, StatusCode};
use lifeboat_functions::host::log::{Sink, Stream};
use lifeboat_functions::host::{App, Done, RuntimeOptions};
use lifeboat_functions::telemetry::{self, Settings, Telemetry};
use tokio::net::TcpListener;
use tower::ServiceExt as _;

const TIMER: &str = r#"{"Data":{"timer":{"ScheduleStatus":null,"IsPastDue":false}},"Metadata":{}}"#;
const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

type Got = Arc<Mutex<Vec<(String, String)>>>;

struct Nowhere;

impl Sink for Nowhere {
    fn line(&self, _stream: Stream, _line: &str) {}
}

async fn track(State(got): State<Got>, request: axum::extract::Request) -> StatusCode {
    let encoding = request.headers().get("content-encoding").map(|value| value.to_str().unwrap().to_owned());
    got.lock().unwrap().push((request.uri().path().to_owned(), encoding.unwrap_or_default()));
    StatusCode::OK
}

async fn called(telemetry: Arc<Telemetry>) -> Option<String> {
    let seen = Arc::new(Mutex::new(None));
    let inside = Arc::clone(&seen);
    let options = RuntimeOptions::below(Duration::from_secs(600)).observed_by(telemetry);
    let app = App::new(options).on("Sweep", move |_| {
        let seen = Arc::clone(&inside);
        async move {
            *seen.lock().unwrap() = telemetry::traceparent();
            Ok(Done::quietly())
        }
    });
    let request = Request::post("/Sweep").header("traceparent", PARENT).body(Body::from(TIMER)).unwrap();
    assert_eq!(app.router().oneshot(request).await.unwrap().status(), StatusCode::OK);
    seen.lock().unwrap().take()
}

#[tokio::test]
async fn telemetry_goes_where_it_is_configured_and_the_trace_goes_on_in_any_case() {
    let got = Got::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Router::new().fallback(track).with_state(Arc::clone(&got));
    tokio::spawn(async move { axum::serve(listener, server).await });

    let connection =
        format!("InstrumentationKey=00000000-0000-0000-0000-000000000000;IngestionEndpoint=http://{address}/;");
    let on = Settings { service: "test".into(), application_insights: Some(connection), ..Settings::default() };
    let outgoing = called(Arc::new(Telemetry::start(&on, Nowhere))).await.unwrap();
    assert!(outgoing.starts_with(&PARENT[..36]) && outgoing != PARENT, "{outgoing}");
    let sent = got.lock().unwrap().clone();
    assert!(sent.len() >= 2 && sent.iter().all(|one| one == &("/v2/track".into(), "gzip".into())), "{sent:?}");

    for broken in [Some("nonsense".to_owned()), Some(String::new()), None] {
        let off = Settings { application_insights: broken, ..Settings::default() };
        assert!(!Telemetry::start(&off, Nowhere).is_on());
    }
}
