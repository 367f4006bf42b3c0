//! Sends the telemetry of calls to a collector on this machine.
//! It never asserts more of the wire than that each signal arrives, with the trace that came in.
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use http::{Request, StatusCode, Uri};
use lifeboat_functions::host::log::{Sink, Stream};
use lifeboat_functions::host::{App, Done, RuntimeOptions};
use lifeboat_functions::telemetry::{self, FLUSH_MAX, Settings, Telemetry};
use tokio::net::TcpListener;
use tower::ServiceExt as _;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const BODY: &str = r#"{"Data":{"msg":"aGk="},"Metadata":{"DeliveryCount":"1","ApplicationProperties":{"Diagnostic-Id":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}}}"#;

#[derive(Clone, Default)]
struct Collector {
    got: Arc<Mutex<Vec<(String, Bytes)>>>,
    hangs: Arc<AtomicBool>,
}

async fn collect(State(collector): State<Collector>, uri: Uri, body: Bytes) -> StatusCode {
    if collector.hangs.load(Ordering::SeqCst) {
        std::future::pending::<()>().await;
    }
    collector.got.lock().unwrap().push((uri.path().to_owned(), body));
    StatusCode::OK
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<String>>>);

impl Sink for Written {
    fn line(&self, _stream: Stream, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
}

fn contains(body: &[u8], part: &[u8]) -> bool {
    body.windows(part.len()).any(|window| window == part)
}

fn trace_bytes() -> Vec<u8> {
    TRACE.as_bytes().chunks(2).map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

#[tokio::test]
async fn every_signal_is_sent_before_the_answer_and_a_dead_collector_costs_one_bound() {
    let collector = Collector::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/", listener.local_addr().unwrap());
    let server = Router::new().fallback(collect).with_state(collector.clone());
    tokio::spawn(async move { axum::serve(listener, server).await });

    let lines = Written::default();
    let settings = Settings { service: "test".into(), otlp_endpoint: Some(endpoint), ..Settings::default() };
    let telemetry = Arc::new(Telemetry::start(&settings, lines.clone()));
    assert!(telemetry.is_on());
    let seen = Arc::new(Mutex::new(None));
    let (inside, receiver) = (Arc::clone(&seen), |seen: Arc<Mutex<Option<String>>>| async move {
        tracing::info!("a note of the receiver");
        *seen.lock().unwrap() = telemetry::traceparent();
        Ok(Done::quietly())
    });
    let options = RuntimeOptions::below(Duration::from_secs(600)).observed_by(telemetry);
    let app = App::new(options).on("Reconcile", move |_| receiver(Arc::clone(&inside))).router();
    let call = || {
        let request = Request::post("/Reconcile").header("x-azure-functions-invocationid", "3b287912-1777");
        app.clone().oneshot(request.body(Body::from(BODY)).unwrap())
    };

    assert_eq!(call().await.unwrap().status(), StatusCode::OK);
    let got = collector.got.lock().unwrap().clone();
    for (path, parts) in [
        ("/v1/traces", vec![trace_bytes(), b"Reconcile".to_vec(), b"3b287912-1777".to_vec(), b"pubsub".to_vec()]),
        ("/v1/logs", vec![trace_bytes(), b"a note of the receiver".to_vec()]),
        ("/v1/metrics", vec![b"faas.invocations".to_vec(), b"faas.invoke_duration".to_vec(), b"succeeded".to_vec()]),
    ] {
        let body = &got.iter().find(|(own, _)| own == path).unwrap_or_else(|| panic!("{path} is absent: {got:?}")).1;
        for part in parts {
            assert!(contains(body, &part), "{path} lacks {}", String::from_utf8_lossy(&part));
        }
    }
    let outgoing = seen.lock().unwrap().take().unwrap();
    assert!(outgoing.starts_with(&format!("00-{TRACE}-")) && !outgoing.contains("b7ad6b7169203331"), "{outgoing}");
    let written = lines.0.lock().unwrap().join("\n");
    assert!(written.contains("info Reconcile 3b287912-1777 a note of the receiver"), "{written}");

    collector.hangs.store(true, Ordering::SeqCst);
    let before = tokio::time::Instant::now();
    assert_eq!(call().await.unwrap().status(), StatusCode::OK);
    let first = before.elapsed();
    for _ in 0..20 {
        assert_eq!(call().await.unwrap().status(), StatusCode::OK);
    }
    let rest = before.elapsed() - first;
    assert!(first >= FLUSH_MAX && rest < FLUSH_MAX, "{first:?}, then {rest:?}");
    assert!(lines.0.lock().unwrap().iter().any(|line| line.starts_with("warning") && line.contains("telemetry")));
}
