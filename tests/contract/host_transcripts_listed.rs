//! What of the transcripts is not replayed, each with its reason.
//! It never excuses a difference in something that Lifeboat uses.

use crate::tape::{Line, What};

/// Whole files.
pub const FILES: [(&str, &str); 3] = [
    ("http_json.jsonl", "Lifeboat forwards HTTP; the JSON mode is held to the JSON exchanges inside the other files"),
    ("queue_blob.jsonl", "Lifeboat has no storage queue and no blob trigger"),
    ("concurrency.jsonl", "holds counts of a load test, no exchange"),
];

const MANY: &str = "cardinality many: Lifeboat takes one event, one message";
const OUTPUT: &str = "output bindings: Lifeboat has none but http";
const NET_TRACE: &str = "the exception in a RetryContext carries .NET stack traces; Lifeboat declares no retry policy";
const NET_TYPES: &str =
    "properties of .NET types, DeadLetterSource and TransactionPartitionKey: the broker's messages cannot hold them";
const QUEUE: &str = "a storage queue";
const PAGES: &str = "a page or listing of the host's own that nothing of ours reads";

/// Whole runs.
const RUNS: [(&str, &str); 3] = [
    ("x_term_queue_4s", QUEUE),
    ("x_term_queue_20s", QUEUE),
    ("x_orphan", "SIGKILL of the host: a process cannot be ended from inside; the handler's own tests hold it"),
];

/// Steps of scenarios, by their beginning.
const STEPS: [(&str, &str); 19] = [
    ("eventgrid/many_", MANY),
    ("eventgrid/admin_eg_many_", MANY),
    ("eventgrid/output_", OUTPUT),
    ("servicebus/many_", MANY),
    ("servicebus/admin_many_", MANY),
    ("servicebus/one_none/all_properties", NET_TYPES),
    ("servicebus/one_string/all_properties", NET_TYPES),
    ("servicebus/one_binary/all_properties", NET_TYPES),
    ("http_forward/http_plus_queue_output", OUTPUT),
    ("admin/GET /admin/host/config", PAGES),
    ("admin/GET /admin/functions/tick/keys", PAGES),
    ("admin/GET /admin/functions/tick", PAGES),
    ("admin/get_key_in_query", PAGES),
    ("admin/GET /admin/functions", PAGES),
    ("admin/GET /admin/functions/broken/status", "the text of another JSON library's error"),
    ("admin/GET /", PAGES),
    ("admin/post_systemkey", "the generated key is left out of the recording, but not of its length"),
    ("admin/POST /admin/host/restart", PAGES),
    ("queue/", QUEUE),
];

/// Functions whose log lines belong to steps that are not replayed.
const FUNCTIONS: [&str; 7] = ["eg_many", "eg_many_string", "many_none", "many_string", "many_binary", "out_", "twoout"];

/// Why a run is not replayed.
pub fn run(run: &str) -> Option<&'static str> {
    RUNS.iter().find(|(name, _)| *name == run).map(|(_, reason)| *reason)
}

/// Why a step is not replayed.
pub fn step(line: &Line) -> Option<&'static str> {
    let exact =
        |name: &str| matches!(name, "admin/GET /admin/functions/tick" | "admin/GET /admin/functions" | "admin/GET /");
    let is = |name: &str| if exact(name) { line.scenario == name } else { line.scenario.starts_with(name) };
    if let Some((_, reason)) = STEPS.iter().find(|(name, _)| is(name)) {
        return Some(reason);
    }
    match &line.what {
        What::Handler(request, _) if find(&request.body, b"\"Exception\":{") => Some(NET_TRACE),
        _ => None,
    }
}

/// The answer of a step whose request is still sent, because what follows rests on it.
pub fn only_sent(line: &Line) -> bool {
    matches!(line.scenario.as_str(), "admin/POST /admin/host/restart")
}

/// Whether what led to an exchange is not done at all, so that its log lines are not expected either.
pub fn is_left_out(line: &Line) -> bool {
    step(line).is_some_and(|reason| reason != NET_TRACE)
}

/// Whether a log line belongs to what is not replayed, or says what no one acts on.
pub fn log(category: &str, text: &str) -> bool {
    let function = category.strip_prefix("Function.").unwrap_or_default().split('.').next().unwrap_or_default();
    FUNCTIONS.iter().any(|name| function == *name || (name.ends_with('_') && function.starts_with(name)))
        || text.starts_with("Soon retries will not be supported")
        || text.contains("Error indexing method")
        || text.contains("failed indexing and will be disabled")
        // A body over the limit, whose client the transcript does not have.
        || text.contains("Microsoft.AspNetCore.Server.Kestrel")
        || text.starts_with("The 'broken' function is in error")
        || category.starts_with("Microsoft.Extensions.Hosting")
        // Written by the listener's owner for messages of the stand-in trigger.
        || category.starts_with("Host.Triggers")
}

fn find(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
