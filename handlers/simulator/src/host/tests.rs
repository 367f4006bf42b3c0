//! What the transcripts cannot hold: settlement, renewal, control, kills in this process, the listener, a real process.
//! It never waits on wall time but for events of a real process.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::post;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::json::{Json, JsonError};
use super::schedule::Schedule;
use super::target::Target;
use super::{
    Cause, HandlerLink, Host, HostOptions, HostState, LogLevel, Outcome, ProcessOptions, RawRequest, dates,
    read_request,
};
use crate::bus::{Bus, Message, QueueOptions};
use crate::clock::Clock;

/// A folder with an app that is removed with it.
struct AppFolder(PathBuf);

impl AppFolder {
    fn new(name: &str, host: &str, functions: &[(&str, &str)]) -> Self {
        let root = std::env::temp_dir().join(format!("lifeboat-stand-in-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&root).expect("a folder");
        let write = |path: &Path, text: &str| std::fs::write(path, text).expect("written");
        write(&root.join("host.json"), host);
        for (function, binding) in functions {
            std::fs::create_dir_all(root.join(function)).expect("a folder");
            write(&root.join(function).join("function.json"), &format!("{{\"bindings\":[{binding}]}}"));
        }
        Self(root)
    }
}

impl Drop for AppFolder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

const HOST: &str = r#"{"version":"2.0","functionTimeout":"00:01:00","extensions":{"serviceBus":{"maxConcurrentCalls":2}},
    "customHandler":{"description":{"defaultExecutablePath":"handler"},"enableForwardingHttpRequest":true}}"#;
const QUEUE: &str =
    r#"{"type":"serviceBusTrigger","direction":"in","name":"msg","queueName":"work","dataType":"binary"}"#;
const TIMER: &str = r#"{"type":"timerTrigger","direction":"in","name":"timer","schedule":"0 */5 * * * *"}"#;
const HTTP: &str = r#"{"type":"httpTrigger","direction":"in","name":"req","route":"{*path}","methods":["get"],"authLevel":"function"},
    {"type":"http","direction":"out","name":"res"}"#;

fn clock() -> Clock {
    Clock::starting_at("2026-11-22T10:01:00Z".parse().expect("a time"))
}

fn options(app: &AppFolder, router: Router, clock: &Clock) -> HostOptions {
    let mut options = HostOptions::new(&app.0, HandlerLink::in_process(router), clock.clone());
    options.settings.insert("AzureWebJobsStorage__accountName".to_owned(), "x".to_owned());
    options.listen = false;
    options
}

fn done() -> impl IntoResponse {
    ([("content-type", "application/json")], "{}")
}

fn bus(clock: &Clock) -> Bus {
    Bus::new(clock.clone(), vec![QueueOptions { max_delivery_count: 3, ..QueueOptions::new("work") }])
}

#[tokio::test(start_paused = true)]
async fn a_message_is_completed_on_success_and_abandoned_at_once_on_failure_until_it_is_dead() {
    let (app, clock) = (AppFolder::new("settle", HOST, &[("Work", QUEUE)]), clock());
    let bus = bus(&clock);
    let router = Router::new().route(
        "/Work",
        post(|body: String| async move {
            // "bad" in base64.
            if body.contains("YmFk") {
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            } else {
                done().into_response()
            }
        }),
    );
    let host =
        Host::start(HostOptions { bus: Some(bus.clone()), ..options(&app, router, &clock) }).await.expect("a host");
    let began = clock.now();
    bus.send("work", Message::new("good")).expect("sent");
    bus.send("work", Message::new("bad")).expect("sent");
    while bus.counts("work").dead == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    host.idle().await;
    assert!(clock.now().duration_since(began) < SignedDuration::from_secs(1), "abandoning waits for nothing");
    assert_eq!((bus.counts("work").completed, bus.counts("work").dead), (1, 1));
    let outcomes: Vec<_> = host.invocations().into_iter().map(|invocation| invocation.outcome).collect();
    let failed = outcomes.iter().filter(|outcome| **outcome == Some(Outcome::Failed)).count();
    assert_eq!((outcomes.len(), failed), (4, 3), "the good one once, the bad one three times");
}

#[tokio::test(start_paused = true)]
async fn a_lock_is_renewed_while_its_invocation_runs_and_no_more_run_than_host_json_allows() {
    let host_json = HOST.replace("00:01:00", "00:10:00");
    let (app, clock) = (AppFolder::new("renew", &host_json, &[("Work", QUEUE)]), clock());
    let bus = bus(&clock);
    let most = Arc::new(AtomicUsize::new(0));
    let running = Arc::new(AtomicUsize::new(0));
    let (count, peak) = (running.clone(), most.clone());
    let slow = post(move || {
        let (count, peak) = (count.clone(), peak.clone());
        async move {
            peak.fetch_max(count.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            // Longer than the lock of a minute, shorter than the renewal of five.
            tokio::time::sleep(Duration::from_secs(200)).await;
            count.fetch_sub(1, Ordering::SeqCst);
            done()
        }
    });
    let router = Router::new().route("/Work", slow);
    let host =
        Host::start(HostOptions { bus: Some(bus.clone()), ..options(&app, router, &clock) }).await.expect("a host");
    for _ in 0..4 {
        bus.send("work", Message::new("slow")).expect("sent");
    }
    while bus.counts("work").completed < 4 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(host.invocations().len(), 4, "none was delivered twice");
    assert_eq!(most.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn a_killed_handler_fails_what_is_in_flight_is_started_again_and_the_message_comes_back() {
    let (app, clock) = (AppFolder::new("kill", HOST, &[("Work", QUEUE)]), clock());
    let bus = bus(&clock);
    let starts = Arc::new(AtomicUsize::new(0));
    let counted = starts.clone();
    let link = HandlerLink::InProcess(Arc::new(move || {
        let first = counted.fetch_add(1, Ordering::SeqCst) == 0;
        let run = move || async move {
            if first {
                std::future::pending::<()>().await;
            }
            done()
        };
        Router::new().route("/Work", post(run))
    }));
    let host = Host::start(HostOptions { bus: Some(bus.clone()), link, ..options(&app, Router::new(), &clock) });
    let host = host.await.expect("a host");
    bus.send("work", Message::new("x")).expect("sent");
    while host.in_flight() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let before = host.handler_pid();
    assert!(host.kill_handler());
    while bus.counts("work").completed == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(starts.load(Ordering::SeqCst), 2);
    assert_ne!(host.handler_pid(), before);
    let outcomes: Vec<_> = host.invocations().into_iter().map(|invocation| invocation.outcome).collect();
    assert_eq!(outcomes, [Some(Outcome::Failed), Some(Outcome::Succeeded)]);
    assert_eq!(host.state(), HostState::Running);
}

#[tokio::test(start_paused = true)]
async fn control_fires_skips_and_shows_timers_and_a_jump_of_the_clock_is_noticed() {
    let (app, clock) = (AppFolder::new("timer", HOST, &[("Sweep", TIMER)]), clock());
    let router = Router::new().route("/Sweep", post(|| async { done() }));
    let host = Host::start(options(&app, router, &clock)).await.expect("a host");
    tokio::time::sleep(Duration::from_millis(100)).await;
    let at = |text: &str| text.parse::<Timestamp>().expect("a time");
    assert_eq!(host.next_due("Sweep"), Some(at("2026-11-22T10:05:00Z")));
    let fired = host.fire_timer("Sweep").await.expect("a run");
    assert_eq!((fired.cause, fired.outcome), (Cause::Timer, Some(Outcome::Succeeded)));
    assert_eq!(host.fire_timer("Nope").await, None);
    host.skip_timer("Sweep", 1);
    clock.sleep_until(at("2026-11-22T10:07:00Z")).await;
    assert_eq!((host.invocations().len(), host.next_due("Sweep")), (1, Some(at("2026-11-22T10:10:00Z"))));
    clock.jump(SignedDuration::from_mins(3));
    host.clock_jumped();
    tokio::time::sleep(Duration::from_millis(100)).await;
    host.idle().await;
    assert_eq!(host.invocations().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_timer_that_was_missed_fires_once_at_the_next_start() {
    let (app, clock) = (AppFolder::new("missed", HOST, &[("Sweep", TIMER)]), clock());
    let router = Router::new().route(
        "/Sweep",
        post(|body: String| async move {
            assert!(body.contains("\"IsPastDue\":true"), "{body}");
            done()
        }),
    );
    let options = options(&app, router, &clock);
    let first = Host::start(options.clone()).await.expect("a host");
    tokio::time::sleep(Duration::from_millis(100)).await;
    first.stop().await;
    drop(first);
    clock.jump(SignedDuration::from_hours(24));
    let second = Host::start(options).await.expect("a host");
    tokio::time::sleep(Duration::from_secs(1)).await;
    second.idle().await;
    let outcomes: Vec<_> = second.invocations().into_iter().map(|invocation| invocation.outcome).collect();
    assert_eq!(outcomes, [Some(Outcome::Succeeded)]);
}

#[tokio::test(start_paused = true)]
async fn a_stop_leaves_the_handler_running_when_a_message_takes_longer_than_ten_seconds() {
    let (app, clock) = (AppFolder::new("orphan", HOST, &[("Work", QUEUE)]), clock());
    let bus = bus(&clock);
    let router = Router::new().route("/Work", post(std::future::pending::<String>));
    let host =
        Host::start(HostOptions { bus: Some(bus.clone()), ..options(&app, router, &clock) }).await.expect("a host");
    bus.send("work", Message::new("x")).expect("sent");
    while host.in_flight() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let (began, pid) = (clock.now(), host.handler_pid());
    let stopped = host.stop().await;
    assert_eq!(stopped.handler_left_running, pid);
    assert_eq!(clock.now().duration_since(began).as_secs(), 10);
    assert_eq!(bus.counts("work").locked, 1, "nobody settles it");
    assert_eq!(host.call(&RawRequest::new("GET", "/")).await, None);
}

#[tokio::test]
async fn the_listener_forwards_over_tcp_with_names_in_the_clients_case_and_the_router_does_the_same() {
    let app = AppFolder::new("listen", HOST, &[("Api", HTTP)]);
    let router = Router::new()
        .fallback(|request: axum::extract::Request| async move { format!("{} {}", request.method(), request.uri()) });
    let mut options = options(&app, router, &Clock::wall());
    options.listen = true;
    let key = options.keys.host.clone();
    let host = Host::start(options).await.expect("a host");
    let address = host.url().strip_prefix("http://").expect("a place").to_owned();
    let mut stream = tokio::net::TcpStream::connect(&address).await.expect("it listens");
    let asked = format!(
        "GET /api/status?x=1 HTTP/1.1\r\nHost: {address}\r\nx-functions-key: {key}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(asked.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("answered");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\nContent-Length: 19\r\nContent-Type: text/plain"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nGET /api/status?x=1"), "{answer}");
    let request = http::Request::builder().uri("/api/status").header("x-functions-key", &key);
    let request = request.body(axum::body::Body::empty()).expect("a request");
    let response = tower::ServiceExt::oneshot(host.router(), request).await.expect("an answer");
    assert_eq!(response.status(), StatusCode::OK);
    let refused = host.call(&RawRequest::new("GET", "/api/status")).await.expect("an answer");
    assert_eq!(refused.status, 401);
}

#[cfg(unix)]
#[tokio::test]
async fn a_process_that_keeps_failing_is_started_three_times_and_its_lines_are_logged_by_level() {
    let app = AppFolder::new("process", HOST, &[("Sweep", TIMER)]);
    let script = app.0.join("handler");
    let text =
        "#!/bin/sh\necho \"out $FUNCTIONS_CUSTOMHANDLER_PORT $SETTING\"\necho 'a Warning' >&2\necho bad >&2\nexit 3\n";
    std::fs::write(&script, text).expect("written");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&script, mode).expect("executable");
    let mut options = options(&app, Router::new(), &Clock::wall());
    options.link = HandlerLink::Process(ProcessOptions::default());
    options.settings.insert("SETTING".to_owned(), "set".to_owned());
    let host = Host::start(options).await.expect("a host");
    host.stopped().await;
    let logs = host.logs();
    let said =
        |level: LogLevel, text: &str| logs.iter().filter(|line| line.level == level && line.text == text).count();
    assert_eq!(said(LogLevel::Information, &format!("out {} set", host.handler_port())), 3);
    assert_eq!((said(LogLevel::Warning, "a Warning"), said(LogLevel::Error, "bad")), (3, 3));
    let exceeded = "Exceeded http worker restart retry count. Shutting down Functions Host";
    assert_eq!(said(LogLevel::Error, exceeded), 1);
}

#[test]
fn schedules_come_due_when_ncrontab_says() {
    let cases = [
        ("0 */5 * * * *", "2026-11-22T10:01:00Z", Some("2026-11-22T10:05:00Z")),
        ("0 0 0 1 1 *", "2026-11-22T10:01:00Z", Some("2027-01-01T00:00:00Z")),
        ("30 9 * * 1-5", "2026-11-21T10:00:00Z", Some("2026-11-23T09:30:00Z")),
        ("0 0 0 29 feb *", "2096-03-01T00:00:00Z", Some("2104-02-29T00:00:00Z")),
        ("0 0 0 31 2 *", "2026-11-22T10:01:00Z", None),
        ("59 59 23 31 12 *", "2026-12-31T23:59:58.5Z", Some("2026-12-31T23:59:59Z")),
        ("*/20 * * * * *", "2026-11-22T10:00:40Z", Some("2026-11-22T10:01:00Z")),
        ("00:00:20", "2026-11-22T10:00:40Z", Some("2026-11-22T10:01:00Z")),
    ];
    for (text, after, due) in cases {
        let schedule = Schedule::parse(text).expect(text);
        let due = due.map(|due| due.parse::<Timestamp>().expect(due));
        assert_eq!(schedule.next(after.parse().expect(after)), due, "{text}");
    }
    for text in ["", "x", "* * *", "60 * * * * *", "* * * * * 7", "5-1 * * * * *", "*/0 * * * * *", "25:00:00"] {
        assert_eq!(Schedule::parse(text), None, "{text}");
    }
}

#[test]
fn dates_and_numbers_are_rewritten_as_the_hosts_library_does() {
    let cases = [
        ("2026-01-02T03:04:05.120Z", Some("2026-01-02T03:04:05.12Z")),
        ("2026-01-02T03:04:05+02:00", Some("2026-01-02T01:04:05+00:00")),
        ("2026-01-02T03:04:05", Some("2026-01-02T03:04:05")),
        ("2026-01-02 03:04:05Z", None),
        ("2026-13-02T03:04:05Z", None),
        ("é026-01-02T03:04:05Z", None),
    ];
    for (text, rewritten) in cases {
        assert_eq!(dates::rewritten(text).as_deref(), rewritten, "{text}");
    }
    let numbers = [
        ("1.50", "1.5"),
        ("1e3", "1000.0"),
        ("12345678901234567890", "12345678901234567890"),
        ("1e20", "1E+20"),
        ("0.00001", "1E-05"),
    ];
    for (text, written) in numbers {
        assert_eq!(dates::number(text, true), written);
    }
}

proptest! {
    #[test]
    fn any_text_is_read_as_json_or_refused_and_what_is_read_comes_back(text in "\\PC*") {
        if let Ok(value) = Json::parse(&text) {
            prop_assert_eq!(Json::parse(&value.to_string()), Ok(value));
        }
    }

    #[test]
    fn texts_in_json_come_back(text in any::<String>()) {
        let value = Json::Text(text);
        prop_assert_eq!(Json::parse(&value.to_string()), Ok(value));
    }

    #[test]
    fn nesting_never_overflows(depth in 0_usize..5000) {
        let text = "[".repeat(depth);
        prop_assert!(matches!(Json::parse(&text), Err(JsonError::Empty | JsonError::TooDeep | JsonError::Unexpected(_))));
    }

    #[test]
    fn any_target_schedule_and_date_is_read_without_a_panic(text in "\\PC*", from in 0_i64..4_000_000_000) {
        let target = Target::parse(&text);
        prop_assert!(target.forwarded().is_ascii());
        if let Some(schedule) = Schedule::parse(&text) {
            schedule.next(Timestamp::from_second(from).expect("a time"));
        }
        dates::rewritten(&text);
        dates::number(&text, true);
        dates::read_span(&text);
    }

    #[test]
    fn any_bytes_on_a_connection_end_in_a_request_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let mut stream = tokio::io::BufReader::new(std::io::Cursor::new(bytes));
            // What comes of it is not asked: only that something does.
            read_request(&mut stream).await.ok();
        });
    }
}
