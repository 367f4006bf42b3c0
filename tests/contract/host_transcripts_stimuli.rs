//! What is done to the host in a run, and when: read off the recording.
//! It never does any of it.

use lifeboat_simulator::bus::Message;
use lifeboat_simulator::host::RawRequest;
use serde_json::Value;

use super::{Report, Run, Stimulus, second_host};
use crate::listed;
use crate::tape::{Line, What};

impl Run {
    /// When the recorded host was told to stop.
    pub(super) fn stops(&self) -> impl Iterator<Item = f64> {
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
    pub(super) fn ends_itself(&self) -> bool {
        let says = |line: &Line| match &line.what {
            What::Log(_, _, text) => text.starts_with("Exceeded http worker") || text.contains("host is shutting down"),
            _ => false,
        };
        self.lines.iter().any(says)
    }

    pub(super) fn stimuli(&self, report: &mut Report) -> Vec<(f64, Stimulus)> {
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
    pub(super) fn listeners_began(&self, process: f64) -> f64 {
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

    pub(super) fn has_log(&self) -> bool {
        self.lines.iter().any(|line| matches!(line.what, What::Log(..)))
    }

    /// The client's request behind an exchange where the transcript has none: read out of the payload.
    pub(super) fn unseen_client(&self, line: &Line, sent: &RawRequest) -> Option<RawRequest> {
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
    pub(super) fn invoked_at(&self, line: &Line) -> Option<f64> {
        let What::Handler(request, _) = &line.what else { return None };
        let id = request.header("X-Azure-Functions-InvocationId")?.to_owned();
        self.lines.iter().find_map(|line| match &line.what {
            What::Log(_, _, text) if text.contains(&id) && text.starts_with("Executed") => began(line, text),
            _ => None,
        })
    }

    /// HTTP calls that never reached the handler and whose client is not in the transcript.
    pub(super) fn unsent_calls(&self) -> Vec<(f64, Stimulus)> {
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
}

pub(super) fn message(body: &[u8]) -> Message {
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
