//! Judges a run: what the host answered, sent, logged and started, held to what was recorded.
//! It never changes what was recorded.

use lifeboat_simulator::host::{LogLine, RawRequest, RawResponse};
use serde_json::Value;

use super::{Report, Run, SECONDS_APART};
use crate::tape::{Line, What};
use crate::{compare, listed};

impl Run {
    pub(super) fn compare_answer(&self, line: &Line, answer: Option<&RawResponse>, report: &mut Report) {
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

    pub(super) fn compare_exchanges(&self, report: &mut Report) {
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
    pub(super) fn unnoted_probes(&self) -> usize {
        let ready = |line: &&Line| matches!(&line.what, What::Log(_, _, text) if text == "HttpWorker is Initialized.");
        let noted = |line: &&Line| matches!(&line.what, What::Handler(request, _) if request.target == "/");
        self.lines.iter().filter(ready).count().saturating_sub(self.lines.iter().filter(noted).count())
    }

    /// The port of the handler that a recorded request went to.
    pub(super) fn recorded_port(&self, line: &Line) -> u16 {
        let listening = |other: &&Line| matches!(&other.what, What::Event(event) if event == "handler-listening");
        let before = self.lines.iter().filter(listening).rfind(|other| other.at <= line.at);
        let any = before.or(self.lines.iter().find(|line| listening(line)));
        any.and_then(|line| line.raw["port"].as_u64()).and_then(|port| u16::try_from(port).ok()).unwrap_or(0)
    }

    pub(super) fn compare_logs(&self, logs: &[LogLine], report: &mut Report) {
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
    pub(super) fn is_near(&self, ours: f64, theirs: f64) -> bool {
        self.file == "timer.jsonl" || self.file == "servicebus_standin.jsonl" || (ours - theirs).abs() <= SECONDS_APART
    }

    /// Ids of invocations that are not replayed.
    pub(super) fn skipped_ids(&self) -> Vec<String> {
        let id = |line: &Line| match &line.what {
            What::Handler(request, _) if listed::is_left_out(line) => {
                request.header("X-Azure-Functions-InvocationId").map(str::to_owned)
            }
            _ => None,
        };
        self.lines.iter().filter_map(id).collect()
    }

    /// Environment, arguments and folder of each start.
    pub(super) fn compare_starts(&self, report: &mut Report) {
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

/// Lengths vary with the digits of times inside.
fn similar_length(ours: usize, theirs: u64) -> bool {
    u64::try_from(ours).is_ok_and(|ours| ours.abs_diff(theirs) <= 8)
}
