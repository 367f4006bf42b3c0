//! The recorded transcripts as lines: what was asked, what the host sent, what the handler did, what was logged.
//! It never changes what was recorded.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lifeboat_simulator::host::{RawRequest, RawResponse};
use serde_json::Value;

/// One line of a transcript.
#[derive(Clone, Debug)]
pub struct Line {
    /// The whole scenario, `run/step`.
    pub scenario: String,
    /// Seconds since the host's start.
    pub at: Option<f64>,
    /// What happened.
    pub what: What,
    /// The line as it is.
    pub raw: Value,
}

/// What a line tells.
#[derive(Clone, Debug)]
pub enum What {
    /// A client's request, with the host's answer; `None` when the host did not listen.
    Client(RawRequest, Option<RawResponse>),
    /// A request to the handler, with what the handler did.
    Handler(RawRequest, Behaviour),
    /// A line of the host's log: level, category, text.
    Log(String, String, String),
    /// Anything else that happened: its name.
    Event(String),
}

/// What the recorded handler did with a request.
#[derive(Clone, Debug)]
pub enum Behaviour {
    /// It answered after so many seconds.
    Answered(RawResponse, f64),
    /// It reset the connection before any byte.
    Reset,
    /// It sent the head and part of the body, then reset the connection.
    BrokenBody(RawResponse),
    /// It never answered.
    Silent,
    /// It ended itself, with this code if the line says it.
    Exited(Option<i32>),
}

impl Line {
    /// The part of the scenario that names the run.
    pub fn run(&self) -> &str {
        self.scenario.split('/').next().unwrap_or_default()
    }

    /// A member of an event, as text.
    pub fn text(&self, name: &str) -> String {
        self.raw[name].as_str().unwrap_or_default().to_owned()
    }
}

/// The folder with the transcripts; `None` when it is not there.
pub fn folder() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "where recorded data lies is said by the environment alone")]
    let said = std::env::var_os("LIFEBOAT_AZURE_DATA");
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/azure");
    let folder = said.map_or(default, PathBuf::from).join("host");
    folder.is_dir().then_some(folder)
}

/// All lines of a file.
pub fn read(folder: &Path, file: &str) -> Vec<Line> {
    let text = std::fs::read_to_string(folder.join(file)).expect("a transcript");
    text.lines().map(|line| line_of(serde_json::from_str(line).expect("a line of JSON"))).collect()
}

fn line_of(raw: Value) -> Line {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let what = match raw["direction"].as_str().expect("a direction") {
        "client->host" => What::Client(request(&raw["request"], true), response(&raw["response"])),
        "host->handler" => What::Handler(request(&raw["request"], false), behaviour(&raw)),
        _ if raw["event"] == "host-log" => What::Log(text(&raw["level"]), text(&raw["category"]), text(&raw["text"])),
        "event" => What::Event(text(&raw["event"])),
        other => What::Event(other.to_owned()),
    };
    Line { scenario: text(&raw["scenario"]), at: raw["t_s"].as_f64(), what, raw }
}

fn headers(value: &Value) -> Vec<(String, String)> {
    let pair = |pair: &Value| {
        (pair[0].as_str().unwrap_or_default().to_owned(), pair[1].as_str().unwrap_or_default().to_owned())
    };
    value.as_array().map(|pairs| pairs.iter().map(pair).collect()).unwrap_or_default()
}

/// Bodies of which only length, hash and start are recorded are made again as their start says; the recorded hashes
/// were those of these bodies when this was written.
fn body(value: &Value) -> Vec<u8> {
    if let Some(text) = value["body"].as_str() {
        return text.as_bytes().to_vec();
    }
    if let Some(text) = value["body_base64"].as_str() {
        return STANDARD.decode(text).expect("base64");
    }
    let length = value["body_length"].as_u64().and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
    let start = value["body_start"].as_str().unwrap_or_default();
    match (length, start.as_bytes().first()) {
        (900_125, _) => format!(
            r#"[{{"id": "e", "subject": "s", "eventType": "T", "eventTime": "2026-11-22T10:00:00Z", "data": {{"pad": "{}"}}, "dataVersion": "1"}}]"#,
            "x".repeat(900_000)
        )
        .into_bytes(),
        (30_000_011, _) => format!(r#"{{"pad": "{}"}}"#, "y".repeat(30_000_000)).into_bytes(),
        (_, Some(b'x' | b'y')) => vec![start.as_bytes()[0]; length],
        // What the host sent is only compared by its length and start.
        _ => start.as_bytes().to_vec(),
    }
}

fn request(value: &Value, from_client: bool) -> RawRequest {
    let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let mut request = RawRequest { method: text("method"), target: text("path"), ..RawRequest::default() };
    request.headers = headers(&value["headers"]);
    request.body = body(value).into();
    // The transcript leaves out the length that the client's library sent.
    let framed = request.header("content-length").is_some() || request.is_chunked();
    if from_client && !framed && !request.body.is_empty() {
        request.headers.push(("Content-Length".to_owned(), request.body.len().to_string()));
    }
    request
}

fn response(value: &Value) -> Option<RawResponse> {
    let status = u16::try_from(value["status"].as_u64()?).expect("a status");
    Some(RawResponse { status, headers: headers(&value["headers"]), body: body(value).into() })
}

fn behaviour(line: &Value) -> Behaviour {
    let answer = &line["response"];
    let after = line["answered_after_s"].as_f64().unwrap_or(0.0);
    match answer["outcome"].as_str() {
        None => {
            let mut response = response(answer).expect("an answer");
            if let Some(note) = answer["body_note"].as_str() {
                response.body = noted_body(&response, note).into();
            }
            Behaviour::Answered(response, after)
        }
        Some("handler: socket destroyed before any byte") => Behaviour::Reset,
        Some(outcome) if outcome.starts_with("first 10 of ") => {
            Behaviour::BrokenBody(response(answer).expect("a head"))
        }
        Some(outcome) if outcome.starts_with("handler: exit") => Behaviour::Exited(outcome[14..].parse().ok()),
        Some("handler: kill self") => Behaviour::Exited(None),
        Some(_) => Behaviour::Silent,
    }
}

/// A body of which only the length was recorded.
fn noted_body(response: &RawResponse, note: &str) -> Vec<u8> {
    let length: usize = note.split(' ').next().and_then(|text| text.parse().ok()).expect("a length");
    if response.header("content-type") != Some("application/json") {
        return vec![b'x'; length];
    }
    let (start, end, fill) =
        if length < 100_000 { (r#"{"Logs": [""#, r#""]}"#, b'L') } else { (r#"{"ReturnValue": ""#, r#""}"#, b'x') };
    let fill = vec![fill; length - start.len() - end.len()];
    [start.as_bytes(), &fill, end.as_bytes()].concat()
}
