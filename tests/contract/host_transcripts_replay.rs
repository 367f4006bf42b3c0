//! One run of a transcript: a host is started with the same app at the same time, is given the same stimuli at the same
//! moments, and what it did is compared.
//! It never waits on wall time.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use lifeboat_simulator::bus::{Bus, Message, QueueOptions};
use lifeboat_simulator::clock::Clock;
use lifeboat_simulator::host::{
    HandlerLink, Host, HostOptions, HostState, Keys, LogLine, OutputLine, RawRequest, RawResponse, TimerStatusStore,
};
use serde_json::Value;
use tokio::time::Instant;

use crate::apps::{self, App};
use crate::script::{Process, Script, Scripted};
use crate::tape::{Behaviour, Line, What};
use crate::{compare, listed};

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
                    self.bus.send(&queue, message(&body)).expect("a queue");
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

    /// When the recorded host was told to stop.
    fn stops(&self) -> impl Iterator<Item = f64> {
        let second_began = second_host(&self.file, &self.lines);
        self.lines.iter().filter_map(move |line| match &line.what {
            What::Log(_, category, text) if category == "(console)" && text.starts_with("Application is shutting") => {
                // The second host of this run counts from its own start.
                line.at
                    .map(|at| if second_began.is_some() && at < 100.0 { at + second_began.unwrap_or(0.0) } else { at })
            }
            _ => None,
        })
    }

    /// Whether the recorded host stopped without being told to.
    fn ends_itself(&self) -> bool {
        let says = |line: &Line| match &line.what {
            What::Log(_, _, text) => text.starts_with("Exceeded http worker") || text.contains("host is shutting down"),
            _ => false,
        };
        self.lines.iter().any(says)
    }

    fn stimuli(&self, report: &mut Report) -> Vec<(f64, Stimulus)> {
        let mut stimuli: Vec<(f64, Stimulus)> = Vec::new();
        let started = |line: &&Line| matches!(&line.what, What::Event(event) if event == "handler-started");
        let first = self.lines.iter().find(started).and_then(|line| line.at).unwrap_or(1.2);
        let first = first.max(self.listeners_began(first));
        stimuli.push((first, Stimulus::Start));
        if second_host(&self.file, &self.lines).is_some() {
            let second = self.lines.iter().filter(started).nth(1).and_then(|line| line.at).expect("a second start");
            stimuli.push((second, Stimulus::Start));
        }
        stimuli.extend(self.stops().map(|at| (at, Stimulus::Stop)));
        for line in &self.lines {
            let at = line.at.unwrap_or(0.0);
            match &line.what {
                What::Client(request, _) => match listed::step(line) {
                    Some(reason) if !listed::only_sent(line) => report.skipped.push(reason),
                    reason => {
                        let at = at.max(first + 0.4);
                        let compared = reason.is_none().then(|| Box::new(line.clone()));
                        report.skipped.extend(reason);
                        stimuli.push((at, Stimulus::Call(request.clone(), compared)));
                    }
                },
                What::Handler(request, _) => {
                    let body = line.raw["note"]["queue_message_base64"].as_str();
                    if let Some(body) = body.filter(|_| listed::step(line).is_none()) {
                        use base64::Engine;
                        let body = base64::engine::general_purpose::STANDARD.decode(body).expect("base64");
                        let queue = request.target.trim_start_matches('/').to_owned();
                        stimuli.push((at, Stimulus::Send(queue, body)));
                    } else if let Some(request) = self.unseen_client(line, request) {
                        stimuli.push((self.invoked_at(line).unwrap_or(at), Stimulus::Call(request, None)));
                    }
                }
                What::Log(..) | What::Event(_) => {}
            }
        }
        stimuli.extend(self.unsent_calls());
        stimuli
    }

    /// The recorded host started its listeners some time after the process; ours starts both at once. Where no log
    /// shows when, the first stimulus does.
    fn listeners_began(&self, process: f64) -> f64 {
        if self.has_log() {
            return process;
        }
        let seen = self.lines.iter().filter_map(|line| match &line.what {
            What::Client(..) => Some(line.at? - 0.05),
            What::Handler(request, _) if request.target != "/" => Some(line.at? - 0.2),
            _ => None,
        });
        seen.fold(f64::INFINITY, f64::min)
    }

    fn has_log(&self) -> bool {
        self.lines.iter().any(|line| matches!(line.what, What::Log(..)))
    }

    /// The client's request behind an exchange where the transcript has none: read out of the payload.
    fn unseen_client(&self, line: &Line, sent: &RawRequest) -> Option<RawRequest> {
        let function = sent.target.trim_start_matches('/').to_owned();
        let named = |other: &Line| match &other.what {
            What::Client(request, _) => request.target.to_ascii_lowercase().contains(&function.to_ascii_lowercase()),
            _ => false,
        };
        if function.is_empty() || sent.method == "GET" || self.lines.iter().any(named) || listed::step(line).is_some() {
            return None;
        }
        let payload: Value = serde_json::from_slice(&sent.body).ok()?;
        if let Some(input) = payload["Metadata"]["timer"].as_str() {
            let input: String = serde_json::from_str(input).ok()?;
            return Some(admin(&function, &input));
        }
        let data = &payload["Data"];
        if let Some(url) = data["req"]["Url"].as_str() {
            let rest = url.strip_prefix("http://")?;
            let (authority, path) = rest.split_at(rest.find('/')?);
            return Some(RawRequest::new(data["req"]["Method"].as_str()?, path).with("Host", authority));
        }
        let event = data.get("event")?;
        let mut request = RawRequest::new(
            "POST",
            format!("/runtime/webhooks/eventgrid?functionName={function}&code=egkey-0123456789"),
        )
        .with("Content-Type", "application/json")
        .with("aeg-event-type", "Notification");
        // The order of the members is that of the payload.
        let text = String::from_utf8_lossy(&sent.body).into_owned();
        let start = text.find("\"event\":").map(|at| at + 8)?;
        let mut stream = serde_json::Deserializer::from_str(&text[start..]).into_iter::<Value>();
        (stream.next()?.ok()? == *event).then_some(())?;
        request.body = text[start..start + stream.byte_offset()].to_owned().into();
        Some(request)
    }

    /// When the invocation behind an exchange began, as its last log line tells.
    fn invoked_at(&self, line: &Line) -> Option<f64> {
        let What::Handler(request, _) = &line.what else { return None };
        let id = request.header("X-Azure-Functions-InvocationId")?.to_owned();
        self.lines.iter().find_map(|line| match &line.what {
            What::Log(_, _, text) if text.contains(&id) && text.starts_with("Executed") => began(line, text),
            _ => None,
        })
    }

    /// HTTP calls that never reached the handler and whose client is not in the transcript.
    fn unsent_calls(&self) -> Vec<(f64, Stimulus)> {
        let sent = |id: &str| {
            let with = |line: &Line| match &line.what {
                What::Handler(request, _) => request.header("X-Azure-Functions-InvocationId") == Some(id),
                _ => false,
            };
            self.lines.iter().any(with)
        };
        let call = |line: &Line| match &line.what {
            What::Log(_, category, text) if category == "Function.hello" && text.starts_with("Executed") => {
                let id = text.split("Id=").nth(1)?.split(',').next()?;
                (!sent(id)).then_some(())?;
                let request = RawRequest::new("GET", "/api/hello").with("Host", "127.0.0.1:1");
                Some((began(line, text)?, Stimulus::Call(request, None)))
            }
            _ => None,
        };
        self.lines.iter().filter_map(call).collect()
    }

    fn compare_answer(&self, line: &Line, answer: Option<&RawResponse>, report: &mut Report) {
        let What::Client(request, recorded) = &line.what else { return };
        let root = self.root.display().to_string();
        let show =
            |answer: Option<&RawResponse>| answer.map_or("nobody listens".to_owned(), |a| compare::answer(a, &root));
        let (ours, theirs) = (show(answer), show(recorded.as_ref()));
        if ours == theirs {
            report.answers += 1;
        } else {
            let what = format!("{} {} {}", line.scenario, request.method, request.target);
            report.differences.push(format!("{what}\n--- recorded\n{theirs}\n--- ours\n{ours}"));
        }
    }

    fn compare_exchanges(&self, report: &mut Report) {
        let ports: Vec<u16> = self.script.starts.lock().expect("lock").iter().map(|start| start.port).collect();
        let own = |request: &RawRequest| {
            let host = request.header("Host").and_then(|host| host.rsplit(':').next()?.parse().ok());
            host.filter(|port| ports.contains(port)).unwrap_or(0)
        };
        let mut unnoted = self.unnoted_probes();
        for sent in self.script.sent.lock().expect("lock").iter() {
            let Some(line) = sent.line.map(|at| self.script.line(at)) else {
                if unnoted > 0 && sent.request.target == "/" {
                    unnoted -= 1;
                    report.skipped.push("the recorded handler was killed before it could note the request");
                    continue;
                }
                let text = format!("{}: not recorded: {}", self.name, compare::head(&sent.request, own(&sent.request)));
                report.differences.push(text);
                continue;
            };
            let What::Handler(recorded, _) = &line.what else { continue };
            if let Some(reason) = listed::step(line) {
                report.skipped.push(reason);
                continue;
            }
            let theirs = (compare::head(recorded, self.recorded_port(line)), compare::body(&recorded.body));
            let ours = (compare::head(&sent.request, own(&sent.request)), compare::body(&sent.request.body));
            let by_hash = line.raw["request"]["body_length"].as_u64();
            let same_body = match by_hash {
                Some(length) => similar_length(sent.request.body.len(), length) && ours.1.starts_with(&theirs.1),
                None => ours.1 == theirs.1,
            };
            let seen = sent.at.duration_since(self.began).as_secs_f64();
            if ours.0 == theirs.0 && same_body {
                report.exchanges += 1;
                if (seen - line.at.unwrap_or(seen)).abs() > SECONDS_APART {
                    report.differences.push(format!("{}: sent at {seen}, recorded at {:?}", line.scenario, line.at));
                }
            } else {
                let show = |(head, body): &(String, String)| {
                    format!("{head}\n\n{}", body.chars().take(4000).collect::<String>())
                };
                let text = format!("{}\n--- recorded\n{}\n--- ours\n{}", line.scenario, show(&theirs), show(&ours));
                report.differences.push(text);
            }
        }
        for line in self.script.unused() {
            match listed::step(line) {
                Some(reason) => report.skipped.push(reason),
                None => report.differences.push(format!("{} at {:?}: recorded, but not sent", line.scenario, line.at)),
            }
        }
    }

    /// Probes that the recorded host logged as answered and the recorded handler did not live to note.
    fn unnoted_probes(&self) -> usize {
        let ready = |line: &&Line| matches!(&line.what, What::Log(_, _, text) if text == "HttpWorker is Initialized.");
        let noted = |line: &&Line| matches!(&line.what, What::Handler(request, _) if request.target == "/");
        self.lines.iter().filter(ready).count().saturating_sub(self.lines.iter().filter(noted).count())
    }

    /// The port of the handler that a recorded request went to.
    fn recorded_port(&self, line: &Line) -> u16 {
        let listening = |other: &&Line| matches!(&other.what, What::Event(event) if event == "handler-listening");
        let before = self.lines.iter().filter(listening).rfind(|other| other.at <= line.at);
        let any = before.or(self.lines.iter().find(|line| listening(line)));
        any.and_then(|line| line.raw["port"].as_u64()).and_then(|port| u16::try_from(port).ok()).unwrap_or(0)
    }

    fn compare_logs(&self, logs: &[LogLine], report: &mut Report) {
        let root = self.root.display().to_string();
        if !self.has_log() {
            return;
        }
        let ours = logs.iter().filter(|line| !listed::log(&line.category, &line.text));
        let mut ours: Vec<(String, f64)> = ours
            .map(|line| {
                let text = compare::log(line.level.name(), &line.category, &line.text, &root);
                (text, line.at.duration_since(self.epoch).as_secs_f64())
            })
            .collect();
        let skipped = self.skipped_ids();
        for line in &self.lines {
            let What::Log(level, category, text) = &line.what else { continue };
            if listed::log(category, text) || skipped.iter().any(|id| text.contains(id)) {
                continue;
            }
            let theirs = compare::log(level, category, text, &root);
            let at = line.at.unwrap_or(0.0);
            // Equal lines come in the same order.
            let Some(place) = ours.iter().position(|(ours, _)| *ours == theirs) else {
                report.differences.push(format!("{} at {at}: not logged: {theirs}", self.name));
                continue;
            };
            let (_, seen) = ours.remove(place);
            match self.is_near(seen, at) {
                true => report.logs += 1,
                false => report.differences.push(format!("{} at {at}: logged at {seen}: {theirs}", self.name)),
            }
        }
        for (line, at) in ours {
            report.differences.push(format!("{} at {at}: logged, but not recorded: {line}", self.name));
        }
    }

    /// Virtual time knows no load: what took the recorded host a moment takes none. Log times of the second host of a
    /// run count from its own start, and the broker's messages set the clock.
    fn is_near(&self, ours: f64, theirs: f64) -> bool {
        self.file == "timer.jsonl" || self.file == "servicebus_standin.jsonl" || (ours - theirs).abs() <= SECONDS_APART
    }

    /// Ids of invocations that are not replayed.
    fn skipped_ids(&self) -> Vec<String> {
        let id = |line: &Line| match &line.what {
            What::Handler(request, _) if listed::is_left_out(line) => {
                request.header("X-Azure-Functions-InvocationId").map(str::to_owned)
            }
            _ => None,
        };
        self.lines.iter().filter_map(id).collect()
    }

    /// Environment, arguments and folder of each start.
    fn compare_starts(&self, report: &mut Report) {
        let root = self.root.display().to_string();
        let started =
            self.lines.iter().filter(|line| matches!(&line.what, What::Event(event) if event == "handler-started"));
        let starts = self.script.starts.lock().expect("lock");
        for (start, line) in starts.iter().zip(started.clone()) {
            let mut ours: Vec<String> = vec![start.executable.display().to_string()];
            ours.extend(start.arguments.iter().map(|part| part.replace(&start.port.to_string(), "(port)")));
            let ours = ours.join(" ").replace(&root, "{APP_ROOT}");
            let port = line.raw["env"]["FUNCTIONS_CUSTOMHANDLER_PORT"].as_str().unwrap_or_default();
            let theirs: Vec<&str> =
                line.raw["argv"].as_array().expect("argv").iter().filter_map(Value::as_str).collect();
            let theirs = theirs.join(" ").replace(port, "(port)");
            if ours != theirs
                || start.working_directory.display().to_string().trim_end_matches('/').replace(&root, "{APP_ROOT}")
                    != line.text("cwd")
            {
                report.differences.push(format!(
                    "{}: started {ours}, recorded {theirs} in {}",
                    self.name,
                    line.text("cwd")
                ));
            }
            let inherited = ["HOME", "PATH"];
            let theirs: Vec<&String> = line.raw["env"]
                .as_object()
                .expect("env")
                .keys()
                .filter(|name| !inherited.contains(&name.as_str()))
                .collect();
            let ours: Vec<&String> = start.environment.keys().collect();
            if ours != theirs {
                report.differences.push(format!("{}: environment {ours:?}, recorded {theirs:?}", self.name));
            }
        }
        let recorded = started.count();
        let made =
            starts.len() - starts.iter().filter(|_| matches!(self.name.as_str(), "x_missing" | "x_noexec")).count();
        if made != recorded {
            report.differences.push(format!("{}: {made} starts, recorded {recorded}", self.name));
        }
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

fn message(body: &[u8]) -> Message {
    let text = |text: &str| Some(text.to_owned());
    let properties = [
        ("k", Value::from("value")),
        ("n", Value::from(1)),
        ("Diagnostic-Id", Value::from("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")),
    ];
    Message {
        content_type: text("application/json"),
        message_id: text("m-1"),
        subject: text("subj"),
        correlation_id: text("corr-1"),
        application_properties: properties.map(|(name, value)| (name.to_owned(), value)).into(),
        ..Message::new(body.to_vec())
    }
}

fn admin(function: &str, input: &str) -> RawRequest {
    let mut request = RawRequest::new("POST", format!("/admin/functions/{function}"))
        .with("Content-Type", "application/json")
        .with("x-functions-key", "master-key-0123456789abcdefghijklmnopqrstuv");
    request.body = serde_json::json!({ "input": input }).to_string().into();
    request
}

/// When an invocation began, from the line that says how long it took.
fn began(line: &Line, text: &str) -> Option<f64> {
    let ms: f64 = text.split("Duration=").nth(1)?.split("ms").next()?.parse().ok()?;
    Some(line.at? - ms / 1000.0)
}

/// Lengths vary with the digits of times inside.
fn similar_length(ours: usize, theirs: u64) -> bool {
    u64::try_from(ours).is_ok_and(|ours| ours.abs_diff(theirs) <= 8)
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
