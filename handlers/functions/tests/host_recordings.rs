//! Reads every invocation that was recorded between a real host and a handler.
//! It never changes what was recorded, and says so where the recordings are absent.
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{HeaderMap, HeaderName, HeaderValue};
use lifeboat_functions::host::{Envelope, Invocation, InvocationId, Query, TraceContext};
use serde_json::Value;
use tokio::time::Instant;

/// The folder of transcripts; none, with a word about it, where it is absent.
#[expect(clippy::disallowed_methods, reason = "a test has no settings file; the two variables say where the data is")]
fn folder() -> Option<PathBuf> {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/azure");
    let data = std::env::var_os("LIFEBOAT_AZURE_DATA").map_or_else(default, PathBuf::from).join("host");
    if data.is_dir() {
        return Some(data);
    }
    let required = std::env::var_os("LIFEBOAT_AZURE_DATA_REQUIRED").is_some();
    assert!(!required, "LIFEBOAT_AZURE_DATA_REQUIRED is set and {} is absent", data.display());
    eprintln!("ignored: {} is absent; LIFEBOAT_AZURE_DATA names the folder of recordings", data.display());
    None
}

/// One request of the host to the handler.
struct Recorded {
    scenario: String,
    path: String,
    headers: HeaderMap,
    body: String,
    message: Option<Vec<u8>>,
}

impl Recorded {
    fn all(folder: &Path, file: Option<&str>) -> Vec<Self> {
        let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
        files.retain(|path| file.is_none_or(|file| path.file_stem().is_some_and(|stem| stem == file)));
        files.sort();
        let lines = files.iter().map(|path| fs::read_to_string(path).unwrap());
        lines.flat_map(|text| text.lines().filter_map(Self::of).collect::<Vec<_>>()).collect()
    }

    fn of(line: &str) -> Option<Self> {
        let line: Value = serde_json::from_str(line).unwrap();
        if line["direction"] != "host->handler" {
            return None;
        }
        let request = &line["request"];
        let mut headers = HeaderMap::new();
        for pair in request["headers"].as_array().unwrap() {
            let name: HeaderName = pair[0].as_str().unwrap().parse().unwrap();
            headers.append(name, HeaderValue::from_bytes(pair[1].as_str().unwrap().as_bytes()).unwrap());
        }
        // A batch names several, and has no single body to compare with.
        let message = line["note"]["queue_message_base64"].as_str().and_then(|text| BASE64.decode(text).ok());
        Some(Self {
            scenario: line["scenario"].as_str().unwrap_or_default().to_owned(),
            path: request["path"].as_str().unwrap().to_owned(),
            headers,
            body: request["body"].as_str().unwrap_or_default().to_owned(),
            message,
        })
    }

    fn is_envelope(&self) -> bool {
        self.body.starts_with("{\"Data\":")
    }

    fn invocation(&self) -> Invocation {
        let Envelope { data, metadata } =
            Envelope::parse(self.body.as_bytes()).unwrap_or_else(|error| panic!("{}: {error}", self.scenario));
        let (id, trace) = (InvocationId::of(&self.headers), TraceContext::of(&self.headers));
        Invocation { function: "Recorded", id, trace, data, metadata, deadline: Instant::now() }
    }
}

#[tokio::test]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
async fn every_recorded_envelope_decodes_with_its_id() {
    let Some(folder) = folder() else { return };
    let all = Recorded::all(&folder, None);
    let envelopes: Vec<_> = all.iter().filter(|one| one.is_envelope()).collect();
    for one in &envelopes {
        let invocation = one.invocation();
        assert_eq!(invocation.id.as_str().len(), 36, "{}", one.scenario);
        let polluted =
            one.body.contains("\"$sys\"") || one.body.contains("\\\"sys\\\"") || one.body.contains("\"sys\":\"");
        assert!(polluted || invocation.metadata.object("SYS").is_some(), "{}: {}", one.scenario, one.body);
        for name in invocation.metadata.names() {
            // Any reader may be asked for any field.
            let fields = &invocation.metadata;
            let _ = (fields.text(name), fields.number(name), fields.time(name), fields.object(name));
        }
    }
    assert!(envelopes.len() > 400, "only {} envelopes were found", envelopes.len());
}

#[tokio::test]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
async fn every_recorded_timer_tells_its_state() {
    let Some(folder) = folder() else { return };
    let timers: Vec<_> = Recorded::all(&folder, Some("timer")).into_iter().filter(Recorded::is_envelope).collect();
    let (mut past_due, mut never_ran, mut without_status) = (0, 0, 0);
    for one in &timers {
        let fired = one.invocation().timer().unwrap_or_else(|error| panic!("{}: {error}", one.scenario));
        past_due += usize::from(fired.is_past_due);
        never_ran += usize::from(fired.last.is_none() && fired.next.is_some());
        without_status += usize::from(fired.next.is_none());
        assert!(!fired.is_past_due || fired.last < fired.next, "{}: {fired:?}", one.scenario);
    }
    assert!(past_due >= 4 && never_ran > 0 && without_status > 0, "{past_due} {never_ran} {without_status}");
}

#[tokio::test]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
async fn every_recorded_event_is_read_in_both_schemas_and_cardinalities() {
    let Some(folder) = folder() else { return };
    let (mut schema, mut cloud, mut batches) = (0, 0, 0);
    for one in Recorded::all(&folder, Some("eventgrid")) {
        if !one.path.starts_with("/eg") || !one.is_envelope() {
            continue;
        }
        let events = one.invocation().event_grid_events().unwrap_or_else(|error| panic!("{}: {error}", one.scenario));
        batches += usize::from(events.len() > 1);
        for event in &events {
            schema += usize::from(event.get("eventType").is_some());
            cloud += usize::from(event.get("specversion").is_some());
        }
    }
    assert!(schema > 10 && cloud > 0 && batches > 0, "{schema} {cloud} {batches}");
}

#[tokio::test]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
async fn a_recorded_message_arrives_byte_for_byte_with_binary_and_as_text_otherwise() {
    let Some(folder) = folder() else { return };
    let files = ["servicebus_standin", "queue_blob"];
    let mut seen = [0, 0];
    for one in files.iter().flat_map(|file| Recorded::all(&folder, Some(file))) {
        let Some(message) = one.message.clone().filter(|_| one.is_envelope()) else { continue };
        let binary = matches!(one.path.as_str(), "/one_binary" | "/q_binary");
        let text = matches!(one.path.as_str(), "/one_none" | "/one_string" | "/q_none" | "/q_string");
        // As text the host itself replaces what is no UTF-8 and drops a byte order mark.
        let kept = std::str::from_utf8(&message).is_ok_and(|text| !text.starts_with('\u{feff}'));
        // In one recording a search for keys replaced part of the base64.
        let intact = !one.body.contains("GENERATED-KEY");
        if intact && (binary || (text && kept)) {
            let body = one.invocation().service_bus_body().unwrap();
            assert_eq!(body.as_ref(), message.as_slice(), "{}", one.scenario);
            seen[usize::from(text)] += 1;
        }
    }
    assert!(seen[0] >= 20 && seen[1] >= 30, "{seen:?}");
}

#[tokio::test]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
async fn what_a_message_says_of_itself_is_read_through_any_encoding() {
    let Some(folder) = folder() else { return };
    let all = Recorded::all(&folder, Some("servicebus_standin"));
    let find = |scenario: &str| all.iter().find(|one| one.scenario == scenario).map(Recorded::invocation).unwrap();

    let plain = find("servicebus/one_binary/json");
    assert_eq!(plain.delivery_count(), Some(1));
    assert_eq!(plain.message_id().as_deref(), Some("m-1"));
    assert_eq!(plain.enqueued_time(), "2026-11-22T10:00:00Z".parse().ok());
    let parent = TraceContext::of_message(&plain.application_properties());
    assert_eq!(parent.traceparent.as_deref(), Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));

    // Without `binary` a body's properties replace the host's own, as strings in strings.
    assert_eq!(find("servicebus/one_none/json_collide").delivery_count(), Some(99));
    assert_eq!(find("servicebus/one_binary/json_collide").delivery_count(), Some(1));

    // An invocation by hand says year 9999, which is no time.
    assert_eq!(find("servicebus/admin_one_binary").enqueued_time(), None);
}

#[tokio::test]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
async fn no_recorded_query_keeps_its_key_and_repeated_ones_stay_joined() {
    let Some(folder) = folder() else { return };
    let all = Recorded::all(&folder, Some("http_forward"));
    let queries = all.iter().filter_map(|one| Some((one, Query::parse(one.path.split_once('?')?.1))));
    let mut joined = 0;
    for (one, query) in queries {
        assert_eq!(query.get("code"), None, "{}", one.scenario);
        joined += usize::from(query.get("y") == Some("a b,c d"));
    }
    assert!(joined > 0);
    let two_ids = all.iter().filter(|one| {
        one.headers.get("x-azure-functions-invocationid").is_some_and(|id| id.to_str().unwrap().contains(','))
    });
    let real = two_ids.map(|one| InvocationId::of(&one.headers)).collect::<Vec<_>>();
    assert!(real.iter().all(|id| id.as_str().len() == 36), "{real:?}");
}
