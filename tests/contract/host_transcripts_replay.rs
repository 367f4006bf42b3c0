//! One run of a transcript: a host is started with the same app at the same time, is given the same stimuli at the same
//! moments, and what it did is compared.
//! It never waits on wall time.

#[path = "host_transcripts_judge.rs"]
mod judge;
#[path = "host_transcripts_stimuli.rs"]
mod stimuli;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use lifeboat_simulator::bus::{Bus, QueueOptions};
use lifeboat_simulator::clock::Clock;
use lifeboat_simulator::host::{
    HandlerLink, Host, HostOptions, HostState, Keys, LogLine, OutputLine, RawRequest, TimerStatusStore,
};
use tokio::time::Instant;

use crate::apps::{self, App};
use crate::script::{Process, Script, Scripted};
use crate::tape::{Behaviour, Line, What};

/// Seconds that a run goes on after its last line.
const AFTER: f64 = 0.5;

/// How far the same event may lie apart in the recording and here, in seconds: virtual time knows no load, and the
/// recorded host was busy for 2.6 s with the largest body.
const SECONDS_APART: f64 = 2.7;

/// What came of a run.
#[derive(Default)]
pub struct Report {
    pub exchanges: usize,
    pub answers: usize,
    pub logs: usize,
    pub skipped: Vec<&'static str>,
    pub differences: Vec<String>,
}

/// Something done to the host.
enum Stimulus {
    /// A request, with the answer that was recorded.
    Call(RawRequest, Option<Box<Line>>),
    /// A message for a queue.
    Send(String, Vec<u8>),
    Start,
    Stop,
}

struct Run {
    file: String,
    name: String,
    lines: Vec<Line>,
    app: App,
    root: PathBuf,
    clock: Clock,
    epoch: Timestamp,
    began: Instant,
    script: Arc<Script>,
    bus: Bus,
    statuses: TimerStatusStore,
}

impl Report {
    pub fn add(&mut self, other: Report) {
        self.exchanges += other.exchanges;
        self.answers += other.answers;
        self.logs += other.logs;
        self.skipped.extend(other.skipped);
        self.differences.extend(other.differences);
    }

    pub fn skip_run(&mut self, reason: &'static str, lines: &[Line]) {
        let exchanges = lines.iter().filter(|line| matches!(line.what, What::Handler(..) | What::Client(..))).count();
        self.skipped.extend(vec![reason; exchanges.max(1)]);
    }
}

/// Replays a run.
pub async fn run(file: &str, name: &str, lines: Vec<Line>) -> Report {
    let (end, reason) = until(name);
    let (lines, cut): (Vec<Line>, Vec<Line>) = lines.into_iter().partition(|line| line.at.is_none_or(|at| at < end));
    let run = Run::new(file, name, lines);
    if name == "x_nodesc" {
        return run.without_handler().await;
    }
    let mut report = run.play().await;
    report.skipped.extend(cut.iter().map(|_| reason));
    std::fs::remove_dir_all(&run.root).ok();
    report
}

/// From here on a run is not compared, and why: each line after it is counted.
fn until(run: &str) -> (f64, &'static str) {
    const BUSY: &str = "lines after the third strike: the host ends with a client's request in flight that the transcript does not have";
    match run {
        "admin" => (12.5, "lines after the app's files changed and the app was taken offline: local runs do neither"),
        "exit200_at_start" => {
            (40.0, "lines after a SIGTERM that did not end the recorded host, with a client not in the transcript")
        }
        "slow40_ft10m" | "exit0_at_start_ft10m" => (103.0, BUSY),
        _ => (f64::INFINITY, ""),
    }
}

impl Run {
    fn new(file: &str, name: &str, lines: Vec<Line>) -> Self {
        let app = apps::of(file, name, &lines);
        let epoch = epoch(file, &lines);
        let clock = Clock::starting_at(epoch);
        let queues = app.functions.keys().map(|function| QueueOptions {
            duplicate_window: None,
            default_time_to_live: Some(Duration::from_secs(14 * 24 * 60 * 60)),
            ..QueueOptions::new(function.clone())
        });
        let codes = vec![("kill9".to_owned(), 137), ("abrt".to_owned(), 134)];
        let script = Script::new(lines.clone(), processes(name, &lines), codes);
        Self {
            bus: Bus::new(clock.clone(), queues.collect()),
            root: write_app(name, &app),
            began: Instant::now(),
            statuses: TimerStatusStore::default(),
            file: file.to_owned(),
            name: name.to_owned(),
            lines,
            app,
            clock,
            epoch,
            script,
        }
    }

    /// A host.json without a handler: the host does not start.
    async fn without_handler(&self) -> Report {
        std::fs::write(self.root.join("host.json"), r#"{"version":"2.0"}"#).expect("written");
        let error = Host::start(self.options()).await.expect_err("no handler");
        let source = std::error::Error::source(&error).expect("a source").to_string();
        std::fs::remove_dir_all(&self.root).ok();
        let said = self.lines.iter().any(|line| matches!(&line.what, What::Log(_, _, text) if text.contains(&source)));
        let differences = if said { Vec::new() } else { vec![format!("x_nodesc: {source}")] };
        Report { logs: 1, differences, ..Report::default() }
    }

    fn options(&self) -> HostOptions {
        let link = HandlerLink::Custom(Arc::new(Scripted(self.script.clone())));
        HostOptions {
            settings: self.app.settings.clone(),
            bus: Some(self.bus.clone()),
            keys: Keys {
                master: "master-key-0123456789abcdefghijklmnopqrstuv".to_owned(),
                host: "hostkey-0123456789".to_owned(),
                event_grid: "egkey-0123456789".to_owned(),
            },
            telemetry: self.app.telemetry,
            core_tools: self.app.core_tools,
            timer_status: self.statuses.clone(),
            listen: false,
            ..HostOptions::new(&self.root, link, self.clock.clone())
        }
    }

    async fn play(&self) -> Report {
        let mut report = Report::default();
        let mut hosts: Vec<Arc<Host>> = Vec::new();
        let mut calls = tokio::task::JoinSet::new();
        let mut stimuli = self.stimuli(&mut report);
        stimuli.sort_by(|(first, _), (second, _)| first.total_cmp(second));
        for (at, stimulus) in stimuli {
            tokio::time::sleep_until(self.moment(at)).await;
            match stimulus {
                Stimulus::Start => hosts.push(Arc::new(Host::start(self.options()).await.expect("a host"))),
                Stimulus::Stop => {
                    if let Some(host) = hosts.last().cloned() {
                        calls.spawn(async move {
                            host.stop().await;
                            None
                        });
                    }
                }
                Stimulus::Send(queue, body) => {
                    // The stand-in trigger gave all messages the same times.
                    self.clock.jump(self.epoch.duration_since(self.clock.now()));
                    self.bus.send(&queue, stimuli::message(&body)).expect("a queue");
                }
                Stimulus::Call(request, line) => {
                    let host = hosts.last().cloned().expect("a host");
                    calls.spawn(async move { Some((line, host.call(&request).await)) });
                }
            }
        }
        let end = self.lines.iter().filter_map(|line| line.at).fold(0.0, f64::max);
        tokio::time::sleep_until(self.moment(end + AFTER)).await;
        if self.stops().next().is_some() {
            // What a stop waits for may take as long as functionTimeout.
            let stopped = async {
                for host in &hosts {
                    host.stopped().await;
                }
            };
            if tokio::time::timeout(Duration::from_secs(60), stopped).await.is_err() {
                report.differences.push(format!("{}: the host did not stop", self.name));
            }
        }
        while let Some(Ok(call)) = calls.try_join_next() {
            if let Some((Some(line), answer)) = call {
                self.compare_answer(&line, answer.as_ref(), &mut report);
            }
        }
        if !calls.is_empty() {
            report.differences.push(format!("{}: {} calls were never answered", self.name, calls.len()));
        }
        self.compare_exchanges(&mut report);
        let logs: Vec<LogLine> = hosts.iter().flat_map(|host| host.logs()).collect();
        self.compare_logs(&logs, &mut report);
        self.compare_starts(&mut report);
        let running = hosts.iter().filter(|host| host.state() == HostState::Running).count();
        let recorded_end = self.stops().count() + usize::from(self.ends_itself());
        if hosts.len() - running != recorded_end && until(&self.name).0.is_infinite() {
            let text = format!("{}: {running} of {} hosts run, recorded ends: {recorded_end}", self.name, hosts.len());
            report.differences.push(text);
        }
        report
    }

    fn moment(&self, at: f64) -> Instant {
        self.began + Duration::from_secs_f64(at.max(0.0))
    }
}

/// The moment at which the recorded clock showed the run's second zero.
fn epoch(file: &str, lines: &[Line]) -> Timestamp {
    if file == "servicebus_standin.jsonl" {
        // So that enqueued and expiry times come out as those of the stand-in trigger.
        return "2026-11-22T10:00:00Z".parse().expect("a time");
    }
    let seen = lines.iter().find_map(|line| {
        let What::Handler(request, _) = &line.what else { return None };
        let text = std::str::from_utf8(&request.body).ok()?;
        let start = text.find("\"UtcNow\":\"")? + 10;
        let now: Timestamp = text[start..].split('"').next()?.parse().ok()?;
        now.checked_sub(SignedDuration::from_secs_f64(line.at?)).ok()
    });
    seen.unwrap_or("2026-11-22T13:00:00Z".parse().expect("a time"))
}

/// Seconds at which the second host of a run began; only one run has one.
fn second_host(file: &str, lines: &[Line]) -> Option<f64> {
    (file == "timer.jsonl").then(|| {
        let started = |line: &&Line| matches!(&line.what, What::Event(event) if event == "handler-started");
        // Its own clock shows 1.17 s when its handler starts.
        lines.iter().filter(started).nth(1).and_then(|line| line.at).expect("a second start") - 1.17
    })
}

fn processes(run: &str, lines: &[Line]) -> Vec<Process> {
    let event = |line: &&Line, name: &str| matches!(&line.what, What::Event(event) if event == name);
    let broken = |errno| Process { pid: 0, listens_after: None, ends: None, prints: Vec::new(), broken: Some(errno) };
    match run {
        "x_missing" => return vec![broken(2), broken(2)],
        "x_noexec" => return vec![broken(13), broken(13)],
        _ => {}
    }
    let exits_on_request = lines.iter().any(|line| matches!(&line.what, What::Handler(_, Behaviour::Exited(_))));
    let started = lines.iter().filter(|line| event(line, "handler-started"));
    started
        .map(|line| {
            let pid = line.raw["pid"].as_u64().expect("a pid");
            let at = line.at.expect("a time");
            let own = |name: &'static str| lines.iter().filter(move |line| event(line, name) && line.raw["pid"] == pid);
            let ends = own("handler-exits-itself").next().filter(|_| !exits_on_request);
            Process {
                pid: u32::try_from(pid).expect("a pid"),
                listens_after: own("handler-listening")
                    .next()
                    .and_then(|line| line.at)
                    .map(|listens| (listens - at).max(0.0)),
                ends: ends.map(|line| {
                    let code = line.raw["code"].as_i64().and_then(|code| i32::try_from(code).ok());
                    ((line.at.expect("a time") - at).max(0.0), code.expect("a code"))
                }),
                prints: prints(run, lines),
                broken: None,
            }
        })
        .collect()
}

/// What the recorded handler printed when it started.
fn prints(run: &str, lines: &[Line]) -> Vec<OutputLine> {
    let out = |text: &str| OutputLine::Stdout(text.to_owned());
    let err = |text: &str| OutputLine::Stderr(text.to_owned());
    if run == "coretools_env" {
        return vec![
            out("handler started"),
            err("stderr plain"),
            err("Warning: w"),
            err("stderr info line"),
            out("LanguageWorkerConsoleLog system line"),
            out("azfuncjsonlog:{\"a\":1}"),
            out("{\"level\":\"error\",\"msg\":\"json line\"}"),
            out("line with ERROR word"),
            out("ünï €"),
        ];
    }
    let greets = |line: &Line| matches!(&line.what, What::Log(_, _, text) if text == "handler started (stdout)");
    if lines.iter().any(greets) { vec![out("handler started (stdout)")] } else { Vec::new() }
}

fn write_app(name: &str, app: &App) -> PathBuf {
    let root = std::env::temp_dir().join(format!("lifeboat-host-{}-{name}", std::process::id()));
    std::fs::create_dir_all(root.join("sub")).expect("a folder");
    let write = |path: &Path, text: &str| std::fs::write(path, text).expect("written");
    write(&root.join("host.json"), &app.host.to_string());
    write(&root.join("handler"), "");
    for (function, definition) in &app.functions {
        std::fs::create_dir_all(root.join(function)).expect("a folder");
        let text = definition.as_str().map_or_else(|| definition.to_string(), str::to_owned);
        write(&root.join(function).join("function.json"), &text);
    }
    root
}
