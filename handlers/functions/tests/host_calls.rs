//! Calls a small application through its router, in process and in virtual time.
//! It never opens a socket.
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use lifeboat_functions::host::log::{Lines, Sink, Stream};
use lifeboat_functions::host::{App, Done, Failure, HttpReply, Observe, RuntimeOptions};
use proptest::prelude::*;
use tower::ServiceExt as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

const ID: &str = "3b287912-1777-40cc-a1fa-10b081c55119";
const KEY: &str = "hostkey-0123456789";
const TIMER: &str =
    r#"{"Data":{"timer":{"Schedule":{"AdjustForDST":true},"ScheduleStatus":null,"IsPastDue":false}},"Metadata":{}}"#;

/// Every line of this program; one subscriber for all its threads, as in a process.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<(Stream, String)>>>);

impl Sink for Written {
    fn line(&self, stream: Stream, line: &str) {
        self.0.lock().unwrap().push((stream, line.to_owned()));
    }
}

fn written() -> &'static Written {
    static WRITTEN: OnceLock<Written> = OnceLock::new();
    WRITTEN.get_or_init(|| {
        let written = Written::default();
        tracing_subscriber::registry().with(Lines::to(written.clone())).init();
        written
    })
}

/// The lines that name this invocation.
fn lines_of(id: &str) -> Vec<(Stream, String)> {
    written().0.lock().unwrap().iter().filter(|(_, line)| line.contains(id)).cloned().collect()
}

fn options() -> RuntimeOptions {
    let mut options = RuntimeOptions::below(Duration::from_secs(600));
    options.body_max_bytes = 64 * 1024;
    options.bodies_max_bytes = 128 * 1024;
    options
}

fn app() -> Router {
    written();
    App::new(options())
        .on("Works", |_| async { Ok(Done::quietly()) })
        .on("Notes", |_| async { Ok(Done::quietly().note("one").note("two \"quoted\"")) })
        .on("Fails", |_| async {
            tracing::info!(step = 1, "working");
            Err(Failure::new("the disk\nis full"))
        })
        .on("Busy", |_| async { Err(Failure::busy("later")) })
        .on("Panics", |_| async { panic!("out of luck") })
        .on("PanicsAtOnce", |invocation| {
            assert!(invocation.function.is_empty(), "before any await");
            async { Ok(Done::quietly()) }
        })
        .on("Hangs", |_| async {
            let _held = PanicsWhenDropped(false);
            std::future::pending::<()>().await;
            Ok(Done::quietly())
        })
        .on("HangsBadly", |_| async {
            let _held = PanicsWhenDropped(true);
            std::future::pending::<()>().await;
            Ok(Done::quietly())
        })
        .on("Events", |invocation| async move {
            let events = invocation.event_grid_events()?;
            Ok(Done::quietly().note(format!("{} events", events.len())))
        })
        .on("Message", |invocation| async move {
            let body = invocation.service_bus_body()?;
            Ok(Done::quietly().note(format!("{} bytes", body.len())))
        })
        .on_http("Api", "/api", |request| async move {
            tracing::info!(path = request.path, "asked");
            let query: Vec<_> = request.query.iter().collect();
            let seen = serde_json::json!({
                "method": request.method.as_str(), "path": request.path, "query": query, "id": request.id.as_str(),
                "headers": request.headers.iter().map(|(n, v)| (n.as_str(), v.to_str().unwrap_or("?"))).collect::<Vec<_>>(),
                "body": request.body.len(),
            });
            match request.query.get("as") {
                Some("fail") => Err(Failure::new("no")),
                Some("panic") => panic!("no"),
                Some("teapot") => Ok(HttpReply::text(StatusCode::IM_A_TEAPOT, "teapot")),
                Some("empty") => Ok(HttpReply { status: StatusCode::NO_CONTENT, ..HttpReply::text(StatusCode::OK, "") }),
                _ => Ok(HttpReply::json(StatusCode::OK, &seen)),
            }
        })
        .router()
}

struct PanicsWhenDropped(bool);

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        assert!(!self.0, "while dropped");
    }
}

async fn call(app: &Router, request: Request<Body>) -> (StatusCode, String, String) {
    let response: Response<Body> = app.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let media = response.headers().get(header::CONTENT_TYPE).map(|v| v.to_str().unwrap().to_owned());
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, media.unwrap_or_default(), String::from_utf8_lossy(&body).into_owned())
}

fn post(function: &str, body: impl Into<Body>) -> Request<Body> {
    let request = Request::post(format!("/{function}")).header("x-azure-functions-invocationid", ID);
    request.body(body.into()).unwrap()
}

/// A body without Content-Length, in pieces.
fn chunked(pieces: Vec<Result<Bytes, std::io::Error>>) -> Body {
    Body::from_stream(futures::stream::iter(pieces))
}

#[tokio::test(start_paused = true)]
async fn each_call_gets_the_answer_the_host_understands() {
    // (function, body, status, part of the answer)
    let event = r#"{"id":"e","eventType":"T","data":{}}"#;
    let quoted = serde_json::to_string(&format!("[{event},{event}]")).unwrap();
    let cases = [
        ("Works", TIMER.to_owned(), 200, "{}"),
        ("Notes", TIMER.to_owned(), 200, r#"{"Logs":["one","two \"quoted\""]}"#),
        ("Fails", TIMER.to_owned(), 500, "error"),
        ("Busy", TIMER.to_owned(), 503, "error"),
        ("Panics", TIMER.to_owned(), 500, "error"),
        ("PanicsAtOnce", TIMER.to_owned(), 500, "error"),
        ("Hangs", TIMER.to_owned(), 500, "error"),
        ("HangsBadly", TIMER.to_owned(), 500, "error"),
        ("Events", format!(r#"{{"Data":{{"event":{event}}}}}"#), 200, "1 events"),
        ("Events", format!(r#"{{"Data":{{"event":[{event},{event}]}}}}"#), 200, "2 events"),
        ("Events", format!(r#"{{"data":{{"event":{quoted}}},"METADATA":null}}"#), 200, "2 events"),
        ("Events", r#"{"Data":{"event":"\"text\""}}"#.to_owned(), 500, "error"),
        ("Events", r#"{"Data":{"event":[1]}}"#.to_owned(), 500, "error"),
        ("Message", r#"{"Data":{"msg":"eyJpZCI6MX0="}}"#.to_owned(), 200, "8 bytes"),
        ("Message", r#"{"Data":{"msg":"\"hi\""}}"#.to_owned(), 200, "2 bytes"),
        ("Message", r#"{"Data":{"msg":""}}"#.to_owned(), 200, "0 bytes"),
        ("Message", r#"{"Data":{"msg":{"id":1}}}"#.to_owned(), 200, "8 bytes"),
        ("Message", r#"{"Data":{"msg":null}}"#.to_owned(), 500, "error"),
        ("Works", String::new(), 500, "error"),
        ("Works", "null".to_owned(), 500, "error"),
        ("Works", "[]".to_owned(), 500, "error"),
        ("Works", "{}".to_owned(), 500, "error"),
        ("Works", r#"{"Data":{}}"#.to_owned(), 500, "error"),
        ("Works", r#"{"Data":"text"}"#.to_owned(), 500, "error"),
        ("Works", format!("{TIMER} x"), 500, "error"),
        ("Works", format!(r#"{{"Data":{{"x":{}}}}}"#, "[".repeat(50_000)), 500, "error"),
        ("Events", format!(r#"{{"Data":{{"x":{}{}}}}}"#, "[".repeat(30_000), "]".repeat(30_000)), 500, "error"),
        ("Works", format!(r#"{{"Data":{{"x":"{}"}}}}"#, "x".repeat(65_536)), 503, "error"),
        ("Nobody", TIMER.to_owned(), 404, "error"),
        ("works", TIMER.to_owned(), 404, "error"),
        ("Works/", TIMER.to_owned(), 404, "error"),
    ];
    let app = app();
    for (function, body, status, part) in cases {
        let case = format!("{function} with {:.60}", body);
        let (got, media, answer) = call(&app, post(function, body)).await;
        assert_eq!(got.as_u16(), status, "{case}: {answer}");
        assert_eq!(media, "application/json", "{case}");
        assert!(answer.contains(part) && answer.starts_with('{'), "{case}: {answer}");
        // Whatever happened, the next call works.
        let (next, _, answer) = call(&app, post("Works", TIMER)).await;
        assert_eq!((next.as_u16(), answer.as_str()), (200, "{}"), "after {case}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_receiver_is_dropped_at_nineteen_twentieths_of_the_function_time_out() {
    let before = tokio::time::Instant::now();
    let (status, ..) = call(&app(), post("Hangs", TIMER)).await;
    assert_eq!((status.as_u16(), before.elapsed().as_secs()), (500, 570));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_given_up_at_the_deadline() {
    let endless = Body::from_stream(futures::stream::pending::<Result<Bytes, std::io::Error>>());
    let (status, ..) = call(&app(), post("Works", endless)).await;
    assert_eq!(status.as_u16(), 500);
}

#[tokio::test]
async fn a_watcher_that_panics_makes_a_500_too() {
    struct Panics;
    impl Observe for Panics {
        fn flush(&self) -> BoxFuture<'_, ()> {
            Box::pin(async { panic!("the watcher is out of luck") })
        }
    }
    written();
    let watched = App::new(options().observed_by(Arc::new(Panics))).on("Works", |_| async { Ok(Done::quietly()) });
    let request = Request::post("/Works").body(Body::from(TIMER)).unwrap();
    let (status, media, _) = call(&watched.router(), request).await;
    assert_eq!((status, media.as_str()), (StatusCode::INTERNAL_SERVER_ERROR, "application/json"));
}

#[tokio::test]
async fn the_probe_is_answered_whatever_it_is() {
    for method in ["GET", "HEAD", "POST"] {
        let request = Request::builder().method(method).uri("/").body(Body::empty()).unwrap();
        assert_eq!(call(&app(), request).await.0.as_u16(), 200, "{method}");
    }
}

#[tokio::test]
async fn a_body_in_pieces_is_read_and_a_cut_one_fails() {
    let app = app();
    let pieces = TIMER.as_bytes().chunks(7).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    assert_eq!(call(&app, post("Works", chunked(pieces))).await.0.as_u16(), 200);
    let cut = vec![Ok(Bytes::from_static(b"{\"Data\"")), Err(std::io::Error::other("reset"))];
    assert_eq!(call(&app, post("Works", chunked(cut))).await.0.as_u16(), 500);
    let large = (0..65).map(|_| Ok(Bytes::from(vec![b' '; 1024]))).collect();
    assert_eq!(call(&app, post("Works", chunked(large))).await.0.as_u16(), 503);
    let not_utf8 = vec![Ok(Bytes::from_static(b"{\"Data\":{\"x\":\"\xff\xfe\"}}"))];
    assert_eq!(call(&app, post("Works", chunked(not_utf8))).await.0.as_u16(), 500);
}

#[tokio::test]
async fn an_announced_body_over_the_bound_is_refused_before_it_is_read() {
    let mut request = post("Works", Body::from_stream(futures::stream::pending::<Result<Bytes, std::io::Error>>()));
    request.headers_mut().insert(header::CONTENT_LENGTH, "65537".parse().unwrap());
    assert_eq!(call(&app(), request).await.0.as_u16(), 503);
}

#[tokio::test(start_paused = true)]
async fn bodies_in_work_share_one_bound_and_give_it_back() {
    let app = app();
    let sixty_kib = format!("{TIMER}{}", " ".repeat(60 * 1024));
    let held: Vec<_> = (0..2).map(|_| tokio::spawn(app.clone().oneshot(post("Hangs", sixty_kib.clone())))).collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(call(&app, post("Works", sixty_kib.clone())).await.0.as_u16(), 503);
    assert_eq!(call(&app, post("Works", TIMER)).await.0.as_u16(), 200, "a small one still fits");
    for one in held {
        assert_eq!(one.await.unwrap().unwrap().status().as_u16(), 500);
    }
    assert_eq!(call(&app, post("Works", sixty_kib)).await.0.as_u16(), 200);
}

#[tokio::test]
async fn a_forwarded_request_loses_its_keys_and_keeps_the_rest() {
    const ID: &str = "00000000-0000-0000-0000-00000000f0f0";
    let request = Request::get(format!("/API/items/%C3%A4%2F1?x=1&Code={KEY}&y=a%20b,c+d&c%6Fde={KEY}&e="))
        .header("x-functions-key", KEY)
        .header("x-azure-functions-invocationid", format!("from-client, {ID}"))
        .header("accept", "text/html")
        .body(Body::from("raw"))
        .unwrap();
    let (status, _, answer) = call(&app(), request).await;
    let seen: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(status.as_u16(), 200);
    assert_eq!(seen["path"], "/API/items/%C3%A4%2F1");
    assert_eq!(seen["query"], serde_json::json!([["x", "1"], ["y", "a b,c d"], ["e", ""]]));
    assert_eq!((&seen["id"], &seen["body"]), (&ID.into(), &3.into()));
    assert!(answer.contains("text/html") && !answer.contains(KEY), "{answer}");
    let lines = lines_of(ID);
    assert!(!lines.is_empty() && !format!("{:?}", lines_of("")).contains(KEY), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn a_forwarded_reply_passes_as_it_is_and_a_failure_is_a_5xx() {
    let app = app();
    let cases = [("teapot", 418, "teapot"), ("empty", 204, ""), ("fail", 500, "error"), ("panic", 500, "error")];
    for (what, status, part) in cases {
        let request = Request::get(format!("/api/x?as={what}")).body(Body::empty()).unwrap();
        let (got, _, answer) = call(&app, request).await;
        assert_eq!(got.as_u16(), status, "{what}");
        assert!(answer.contains(part), "{what}: {answer}");
    }
    let beside = Request::get("/apis/x").body(Body::empty()).unwrap();
    assert_eq!(call(&app, beside).await.0.as_u16(), 404);
}

#[tokio::test(start_paused = true)]
async fn every_line_names_its_invocation_and_failures_are_written_before_they_are_answered() {
    let cases = [
        ("Fails", TIMER, r"failed: the disk\nis full"),
        ("Panics", TIMER, "panicked: out of luck"),
        ("Hangs", TIMER, "stopped: not done at its deadline of 570 s"),
        ("Works", "{", "failed: the body is not an invocation envelope (line 1, column 1)"),
    ];
    for (number, (function, body, text)) in cases.into_iter().enumerate() {
        let id = format!("00000000-0000-0000-0000-00000000e0e{number}");
        let request = Request::post(format!("/{function}")).header("x-azure-functions-invocationid", &id);
        let answered = app().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        // The answer is not read yet: what is written now was written before it.
        let lines = lines_of(&id);
        assert_eq!(lines.last(), Some(&(Stream::Err, format!("error {function} {id} {text}"))));
        let notes: Vec<_> = lines.iter().filter(|(stream, _)| *stream == Stream::Out).collect();
        if function == "Fails" {
            assert_eq!(notes, [&(Stream::Out, format!("info Fails {id} working step=1"))]);
        }
        assert!(answered.status().is_server_error());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_end_the_handler(body in prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..200),
        "\\{\"Data\":\\{\"[a-z]{1,3}\":[\\[\\]\\{\\}\",:a-z0-9\\\\]{0,60}\\}\\}".prop_map(String::into_bytes),
    ]) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let app = app();
            for function in ["Events", "Message", "Works"] {
                let (status, media, answer) = call(&app, post(function, body.clone())).await;
                assert!(matches!(status.as_u16(), 200 | 500 | 503), "{status}");
                assert!(media == "application/json" && answer.starts_with('{'));
            }
        });
    }

    #[test]
    fn no_query_or_id_ends_the_handler(query in "[ -~]{0,60}", id in "[ -~]{0,80}") {
        use lifeboat_functions::host::{InvocationId, Query};
        let parsed = Query::parse(&query);
        prop_assert!(parsed.iter().all(|(name, _)| !name.eq_ignore_ascii_case("code")));
        let mut headers = http::HeaderMap::new();
        headers.insert("x-azure-functions-invocationid", id.parse().unwrap());
        let id = InvocationId::of(&headers);
        prop_assert!(!id.as_str().is_empty() && id.as_str().len() <= 64);
    }
}
