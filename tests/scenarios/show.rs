//! Writes down what a scenario shows: times from its start, calls that changed something or went wrong, points, ledgers, the queue.
//! It never shows an address, a token or a hash whole.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use lifeboat_execution::ledger::Entry;
use lifeboat_simulator::host::Outcome;
use lifeboat_tests::Rig;
use lifeboat_tests::rig::QUEUE;
use lifeboat_tests::tap::{Call, Service};
use serde_json::Value;

/// Hex digits in a row that are a hash, as names and keys have them.
const HASH_CHARS: usize = 16;

/// What was seen so far.
#[derive(Default)]
pub struct Shown {
    text: String,
    calls: usize,
    invocations: usize,
}

impl Shown {
    /// A line as it is.
    pub fn say(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    /// A line with its hashes shortened and its times made relative.
    pub fn neat(&self, rig: &Rig, line: &str) -> String {
        neat(rig, line)
    }

    /// Everything.
    pub fn text(&self) -> String {
        self.text.clone()
    }

    /// The calls and the failed invocations since the last time.
    pub fn calls(&mut self, rig: &Rig) {
        let calls = rig.wire.calls_from(self.calls);
        self.calls += calls.len();
        let mut lines: Vec<(Timestamp, String)> =
            calls.iter().filter(|call| is_told(call)).map(|call| (call.at, told(rig, call))).collect();
        let invocations = rig.invocations();
        let failed = invocations
            .iter()
            .skip(self.invocations)
            .filter(|one| one.outcome.is_some_and(|how| how != Outcome::Succeeded));
        lines.extend(failed.map(|one| (one.began, format!("{} failed", one.function))));
        self.invocations = invocations.len();
        lines.sort_by_key(|(at, _)| *at);
        let mut lines = lines.into_iter().peekable();
        while let Some((at, line)) = lines.next() {
            let (mut times, mut last) = (1, at);
            while let Some((again, _)) = lines.next_if(|(_, next)| *next == line) {
                (times, last) = (times + 1, again);
            }
            let more = if times > 1 { format!("  ({times} times until {})", since(rig, last)) } else { String::new() };
            self.say(&format!("  {}  {line}{more}", since(rig, at)));
        }
    }

    /// All points of a machine's name, as the simulator has them.
    pub fn points(&mut self, rig: &Rig, name: &str) {
        self.calls(rig);
        let now = rig.azure.machine(name);
        let points = rig.azure.points(name);
        if points.is_empty() {
            self.say("  no points");
        }
        for point in points {
            let whose = match &now {
                Some(machine) if machine.vm_id == point.vm_id => "",
                Some(_) => ", of an earlier machine of this name",
                None => ", of a machine that is gone",
            };
            let ended = point.ended.map_or(String::new(), |at| format!(", ended {}", since(rig, at)));
            let error = point.error_code.map_or(String::new(), |code| format!(", {code}"));
            let consistency = point.consistency.unwrap_or_else(|| "consistency unknown".to_owned());
            let begun = since(rig, point.time_created);
            self.say(&format!(
                "  {} {}, {consistency}, begun {begun}{ended}{error}{whose}",
                neat(rig, &point.name),
                point.state
            ));
        }
    }

    /// The ledgers of a machine's name, verified, each entry in a line.
    pub fn ledger(&mut self, rig: &Rig, name: &str) -> Result<(), String> {
        self.calls(rig);
        let id = lifeboat_tests::azure::Azure::id(name);
        let ledgers = rig.read_ledgers()?;
        let mut found = false;
        for ledger in ledgers.iter().filter(|ledger| ledger.machine().eq_ignore_ascii_case(&id)) {
            found = true;
            let sealed = if ledger.sealed { "its head kept apart" } else { "its head behind" };
            self.say(&format!("  {} entries, {sealed}", ledger.bodies.len()));
            for body in &ledger.bodies {
                let line = neat(rig, &entry(&body.entry));
                self.say(&format!("  {} {} {line}", body.seq, since(rig, body.at)));
            }
        }
        if !found {
            self.say("  no ledger");
        }
        Ok(())
    }

    /// What waits in the queue, and what is dead.
    pub fn queue(&mut self, rig: &Rig) {
        self.calls(rig);
        let counts = rig.bus.counts(QUEUE);
        self.say(&format!(
            "  {} visible, {} scheduled, {} locked, {} dead, {} dropped as duplicates",
            counts.active, counts.scheduled, counts.locked, counts.dead, counts.duplicates
        ));
        for message in rig.bus.waiting(QUEUE) {
            let body: Value = serde_json::from_slice(&message.body).unwrap_or_default();
            let at = message.scheduled_enqueue_time.map_or("now".to_owned(), |at| since(rig, at));
            self.say(&format!("  {at}: {}", look(&body)));
        }
    }

    /// What the Api says, in short.
    pub async fn status(&mut self, rig: &Rig) {
        let (code, status) = rig.ask("/api/status").await;
        let text = |path: &str| {
            status.pointer(path).map_or("-".to_owned(), |value| value.as_str().map_or(value.to_string(), str::to_owned))
        };
        self.say(&format!("  Api answers {code}: policy {} {}", text("/policy/state"), text("/policy/mode")));
        self.say(&format!(
            "  last sweep {}, found {}, queued {}",
            text("/lastSweep/number"),
            text("/lastSweep/found"),
            text("/lastSweep/queued")
        ));
        self.say(&format!(
            "  points: {} succeeded, {} in progress, {} failed",
            text("/points/succeeded"),
            text("/points/inProgress"),
            text("/points/failed")
        ));
        for attention in status.pointer("/attention").and_then(Value::as_array).into_iter().flatten() {
            let what = attention["what"].as_str().unwrap_or_default();
            let line = neat(rig, what);
            self.say(&format!("  attention: {line}"));
        }
        let (_, points) = rig.ask("/api/points").await;
        for point in points.pointer("/points").and_then(Value::as_array).into_iter().flatten() {
            let late = if point["late"].as_bool() == Some(true) { ", late" } else { "" };
            let text = |name: &str| point[name].as_str().unwrap_or("-").to_owned();
            let line = neat(rig, &format!("{} of {}", text("name"), last(&text("machine"), 1)));
            self.say(&format!("  point {line}: {}, {}{late}", text("state"), text("consistency")));
        }
        self.calls(rig);
    }

    /// How often what was called, and what the host ran.
    pub fn counts(&mut self, rig: &Rig) {
        self.calls(rig);
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for call in rig.wire.calls() {
            *counts.entry(format!("{:?}", call.service)).or_default() += 1;
        }
        for invocation in rig.invocations() {
            *counts.entry(invocation.function).or_default() += 1;
        }
        let line: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
        self.say(&format!("  {}", line.join(", ")));
    }
}

/// Whether a call is worth a line: it changed something, or it went wrong. Store writes are told by the ledger.
fn is_told(call: &Call) -> bool {
    let wrong = call.status.is_none_or(|status| status >= 400 && status != 404);
    match call.service {
        Service::Arm => call.writes() || wrong,
        Service::Bus => true,
        Service::Blobs => call.status.is_none_or(|status| status >= 500),
        Service::Identity => wrong,
    }
}

fn told(rig: &Rig, call: &Call) -> String {
    let answer = match (call.status, &call.refusal) {
        (None, _) => "no answer".to_owned(),
        (Some(status), None) => status.to_string(),
        (Some(status), Some(code)) => format!("{status} {code}"),
    };
    if let Some(sent) = &call.sent {
        let at = call.scheduled.map_or(String::new(), |at| format!(", to be seen at {}", since(rig, at)));
        return format!("queue: {}{at} → {answer}", look(sent));
    }
    let service = match call.service {
        Service::Blobs => "store",
        Service::Bus => "topic",
        Service::Arm | Service::Identity => "ARM",
    };
    let path = neat(rig, &last(&call.path.replace("%2F", "/"), 2));
    format!("{service}: {} {path} → {answer}", call.method)
}

fn look(message: &Value) -> String {
    if let Some(region) = message["ask"]["region"].as_str() {
        return format!("evaluate {region}");
    }
    let kind = message["cause"]["kind"].as_str().unwrap_or("?");
    let machine = last(message["machine"].as_str().unwrap_or("?"), 1);
    format!("look {} at {machine}, {kind}", message["look"])
}

fn entry(entry: &Entry) -> String {
    match entry {
        Entry::Decision(decision) => {
            let mut line = format!("look {}:", decision.look);
            let effects = |list: &[lifeboat_execution::ledger::PlannedEffect]| {
                list.iter().map(|effect| effect.what.clone()).collect::<Vec<_>>().join("; ")
            };
            if !decision.effects.is_empty() {
                let _ = write!(line, " decided to {}", effects(&decision.effects));
            }
            if !decision.would.is_empty() {
                let _ = write!(line, " would {}", effects(&decision.would));
            }
            if !decision.refusals.is_empty() {
                let _ = write!(line, " nothing, because {}", decision.refusals.join("; "));
            }
            if decision.late {
                line.push_str(" (late)");
            }
            if !decision.audit.is_empty() {
                let _ = write!(line, " AUDIT: {}", decision.audit.join("; "));
            }
            line
        }
        Entry::Outcome { read: Some(read), .. } => format!("read again: {read:?}"),
        Entry::Outcome { result, detail, .. } if detail.is_empty() => format!("outcome: {result:?}"),
        Entry::Outcome { result, detail, .. } => format!("outcome: {result:?}, {detail}"),
        Entry::Verified { point, succeeded, consistency } => {
            let how = if *succeeded { "succeeded" } else { "failed" };
            format!("read {point}: {how} {}", consistency.as_deref().unwrap_or(""))
        }
    }
}

/// The last segments of a path.
fn last(path: &str, segments: usize) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    parts[parts.len().saturating_sub(segments)..].join("/")
}

fn since(rig: &Rig, at: Timestamp) -> String {
    format_duration(rig.since_start(at))
}

fn format_duration(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("+{}:{:02}:{:02}.{:03}", seconds / 3600, seconds / 60 % 60, seconds % 60, time.subsec_millis())
}

/// Hashes shortened and times of day made relative.
fn neat(rig: &Rig, text: &str) -> String {
    let words: Vec<String> = text.split(' ').map(|word| neat_word(rig, word)).collect();
    words.join(" ")
}

fn neat_word(rig: &Rig, word: &str) -> String {
    let bare = word.trim_end_matches([',', ';', ':', '.', ')']);
    if let Ok(at) = bare.parse::<Timestamp>() {
        return format!("{}{}", since(rig, at), &word[bare.len()..]);
    }
    let mut neat = String::new();
    let mut run = String::new();
    for c in word.chars().chain(['\0']) {
        if c.is_ascii_hexdigit() {
            run.push(c);
            continue;
        }
        if run.len() >= HASH_CHARS {
            neat.push('…')
        } else {
            neat.push_str(&run)
        }
        run.clear();
        if c != '\0' {
            neat.push(c);
        }
    }
    neat
}
