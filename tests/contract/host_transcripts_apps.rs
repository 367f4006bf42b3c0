//! The apps behind the transcripts. The recordings do not hold their `function.json`: what follows from a payload is
//! derived from it, the rest (schedules, routes, broken definitions) is written down here.
//! It never describes an app so that a difference disappears: each line is what the recording shows of it.

use std::collections::BTreeMap;

use lifeboat_simulator::host::Telemetry;
use serde_json::{Value, json};

use crate::tape::{Line, What};

/// Due once a year: what functions have that only an admin runs.
const YEARLY: &str = "0 0 0 1 1 *";

/// An app and the host around it.
#[derive(Clone, Debug)]
pub struct App {
    pub host: Value,
    pub functions: BTreeMap<String, Value>,
    pub settings: BTreeMap<String, String>,
    pub telemetry: Telemetry,
    pub core_tools: bool,
}

/// The app of a run.
pub fn of(file: &str, run: &str, lines: &[Line]) -> App {
    let mut functions = BTreeMap::new();
    for line in lines {
        if let What::Handler(request, _) = &line.what
            && let Some((name, definition)) = derived(&request.target, &request.body)
        {
            functions.insert(name, definition);
        }
    }
    functions.extend(written(file, run).into_iter().map(|(name, definition)| (name.to_owned(), definition)));
    let mut custom = json!({ "description": { "defaultExecutablePath": "handler" } });
    custom["enableForwardingHttpRequest"] = Value::Bool(file == "http_forward.jsonl" || run.ends_with("_fwd"));
    let initialization = [("_init3", "00:00:03"), ("_init90", "00:01:30")];
    if let Some((_, span)) = initialization.iter().find(|(part, _)| run.contains(part)) {
        custom["initializationTimeout"] = json!(span);
    }
    match run {
        "x_args" => {
            custom["description"] = json!({
                "defaultExecutablePath": "handler",
                "workingDirectory": "sub",
                "arguments": ["--a", "two words", "--port=%FUNCTIONS_CUSTOMHANDLER_PORT%", "%MY_VAR%", "%UNSET%", "\"q\""],
                "defaultWorkerPath": "main file.js",
                "workerArguments": ["--w", "1"]
            });
        }
        "x_missing" => custom["description"]["defaultExecutablePath"] = json!("nope/handler"),
        _ => {}
    }
    App {
        host: json!({ "version": "2.0", "functionTimeout": timeout(file, run, lines), "customHandler": custom }),
        functions,
        settings: settings(lines),
        telemetry: match run {
            _ if run.contains("appinsights") => Telemetry::AppInsights,
            _ if run.contains("otel") => Telemetry::OpenTelemetry,
            _ => Telemetry::None,
        },
        core_tools: run == "coretools_env",
    }
}

/// What a log line of a time-out says, else what the transcripts' own page says.
fn timeout(file: &str, run: &str, lines: &[Line]) -> String {
    let said = lines.iter().find_map(|line| match &line.what {
        What::Log(_, _, text) => text.strip_prefix("Timeout value of ").map(|rest| rest[..8].to_owned()),
        _ => None,
    });
    let known = match file {
        _ if run.ends_with("_ft10m") || run == "exit200_at_start" => "00:10:00",
        "answers.jsonl" | "eventgrid.jsonl" => "00:00:08",
        "http_forward.jsonl" => "00:00:10",
        "timer.jsonl" | "limits.jsonl" | "servicebus_standin.jsonl" => "00:05:00",
        "lifecycle.jsonl" if run.starts_with("x_term") => "00:00:30",
        "lifecycle.jsonl" => "00:00:20",
        _ => "00:00:30",
    };
    said.unwrap_or_else(|| known.to_owned())
}

/// The settings that the recorded handler found in its environment, without what the host adds for each start.
fn settings(lines: &[Line]) -> BTreeMap<String, String> {
    let started = lines.iter().find(|line| matches!(&line.what, What::Event(event) if event == "handler-started"));
    let Some(Value::Object(environment)) = started.map(|line| line.raw["env"].clone()) else {
        return BTreeMap::from([("AzureWebJobsStorage".to_owned(), "UseDevelopmentStorage=true".to_owned())]);
    };
    let added = |name: &str| name.starts_with("FUNCTIONS_CUSTOMHANDLER") || name.starts_with("FUNCTIONS_HTTPWORKER");
    let own = |name: &str| name == "FUNCTIONS_APP_ROOT_PATH" || name == "FUNCTIONS_CORETOOLS_ENVIRONMENT";
    let pairs = environment.iter().filter(|(name, value)| !added(name) && !own(name) && *value != "(inherited)");
    pairs.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
}

/// The definition that a payload shows.
fn derived(target: &str, body: &[u8]) -> Option<(String, Value)> {
    let payload: Value = serde_json::from_slice(body).ok()?;
    let (binding, value) = payload.get("Data")?.as_object()?.iter().next()?;
    let name = target.trim_start_matches('/');
    let trigger = match value {
        _ if name.starts_with("eg") || name == "sloweg" => json!({ "type": "eventGridTrigger" }),
        Value::Object(members) if members.contains_key("Schedule") => {
            json!({ "type": "timerTrigger", "schedule": YEARLY })
        }
        Value::Object(members) if members.contains_key("Url") => {
            return Some((name.to_owned(), http(name, "anonymous")));
        }
        Value::String(_) if name.starts_with("one_") => {
            let kind = if name == "one_retry" { "binary" } else { name.trim_start_matches("one_") };
            json!({ "type": "serviceBusTrigger", "queueName": name, "dataType": kind })
        }
        _ => return None,
    };
    let mut trigger = trigger;
    trigger["name"] = json!(binding);
    trigger["direction"] = json!("in");
    Some((name.to_owned(), json!({ "bindings": [trigger] })))
}

fn timer(schedule: &str) -> Value {
    json!({ "bindings": [{ "type": "timerTrigger", "direction": "in", "name": "timer", "schedule": schedule }] })
}

fn timer_at_start(schedule: &str) -> Value {
    let mut definition = timer(schedule);
    definition["bindings"][0]["runOnStartup"] = json!(true);
    definition
}

fn http(route: &str, level: &str) -> Value {
    json!({ "bindings": [
        { "type": "httpTrigger", "direction": "in", "name": "req", "authLevel": level, "route": route },
        { "type": "http", "direction": "out", "name": "res" }
    ] })
}

fn with_retry(mut definition: Value, retry: Value) -> Value {
    definition["retry"] = retry;
    definition
}

fn fixed(count: u32, delay: &str) -> Value {
    json!({ "strategy": "fixedDelay", "maxRetryCount": count, "delayInterval": delay })
}

/// What no payload shows.
fn written(file: &str, run: &str) -> Vec<(&'static str, Value)> {
    match (file, run) {
        ("startup.jsonl", "x_missing" | "x_noexec") => vec![("web", http("web", "anonymous"))],
        ("startup.jsonl", "x_args") => vec![("tick", timer(YEARLY))],
        ("startup.jsonl", _) => {
            vec![("tick", timer_at_start("*/10 * * * * *")), ("hello", http("hello", "anonymous"))]
        }
        ("timer.jsonl", _) => timers(),
        ("http_forward.jsonl", _) => forwarded(),
        ("eventgrid.jsonl", _) => vec![("notEg", timer(YEARLY))],
        ("lifecycle.jsonl", "x_term_timer_4s" | "x_term_timer_20s" | "x_term_drain_timer_20s") => {
            vec![("slowtimer", timer_at_start(YEARLY))]
        }
        ("limits.jsonl", _) => {
            let event = json!({ "bindings": [{ "type": "eventGridTrigger", "direction": "in", "name": "event" }] });
            vec![
                ("retryweb", with_retry(http("retryweb", "anonymous"), fixed(2, "00:00:01"))),
                ("egretry", with_retry(event.clone(), fixed(2, "00:00:01"))),
                ("eg", event),
                ("web", http("web", "anonymous")),
            ]
        }
        ("servicebus_standin.jsonl", _) => {
            let binding = json!({ "type": "serviceBusTrigger", "direction": "in", "name": "msg", "queueName": "one_retry",
                "dataType": "binary" });
            vec![("one_retry", with_retry(json!({ "bindings": [binding] }), fixed(1, "00:00:01")))]
        }
        ("tracing.jsonl", _) => vec![("tick", timer("*/5 * * * * *")), ("web", http("web", "anonymous"))],
        ("coretools_env.jsonl", "no_storage") => vec![("tick", timer_at_start("*/5 * * * * *"))],
        ("coretools_env.jsonl", "no_storage_minute") => {
            vec![("sub", timer("*/20 * * * * *")), ("minute", timer("0 * * * * *"))]
        }
        ("admin.jsonl", _) => administered(),
        _ => Vec::new(),
    }
}

fn timers() -> Vec<(&'static str, Value)> {
    let mut disabled = timer("*/10 * * * * *");
    disabled["disabled"] = json!(true);
    let mut unwatched = timer("30 * * * * *");
    unwatched["bindings"][0]["useMonitor"] = json!(false);
    let exponential = json!({ "strategy": "exponentialBackoff", "maxRetryCount": 2, "minimumInterval": "00:00:01", "maximumInterval": "00:00:10" });
    vec![
        ("minute", timer("0 * * * * *")),
        ("minute5", timer_at_start("0 * * * * *")),
        ("fivefield", timer("* * * * *")),
        ("failing", timer("0 * * * * *")),
        ("hourly", timer("0 0 * * * *")),
        ("hourly_startup", timer_at_start("0 0 * * * *")),
        ("startup10s", timer_at_start("*/10 * * * * *")),
        ("every10s", timer("*/10 * * * * *")),
        ("long_run", timer("*/5 * * * * *")),
        ("setting", timer("%MySchedule%")),
        ("span", timer("00:00:20")),
        ("nomonitor", unwatched),
        ("disabled", disabled),
        ("disabled_setting", timer("*/10 * * * * *")),
        ("bad_schedule", timer("not a cron")),
        ("missing_setting", timer("%Nope%")),
        ("retry_ok", with_retry(timer_at_start(YEARLY), fixed(2, "00:00:02"))),
        ("retry_fixed", with_retry(timer_at_start(YEARLY), fixed(2, "00:00:02"))),
        ("retry_exp", with_retry(timer_at_start(YEARLY), exponential)),
    ]
}

fn forwarded() -> Vec<(&'static str, Value)> {
    let mut functions = vec![
        ("routed", http("items/{id:int}/{name?}", "anonymous")),
        ("catchall", http("files/{*path}", "anonymous")),
        ("keyed", http("keyed", "function")),
        ("adm", http("adm", "admin")),
    ];
    let mut mixed = http("Mixed-Case_1", "anonymous");
    mixed["bindings"][0]["methods"] = json!(["get"]);
    functions.push(("Mixed-Case_1", mixed));
    let mut returned = http("ret", "anonymous");
    returned["bindings"][1]["name"] = json!("$return");
    functions.push(("ret", returned));
    let alone = json!({ "bindings": [
        { "type": "httpTrigger", "direction": "in", "name": "req", "authLevel": "anonymous", "route": "noout" }
    ] });
    functions.push(("noout", alone));
    let plain = [
        "echo", "anym", "rhead", "r200", "r201", "r204", "r301", "r304", "r400", "r401", "r404", "r500", "r503",
        "rgzip", "rbin", "rnoctype", "rchunk", "rbig", "rreset", "rmid", "rslow", "rempty", "rodd",
    ];
    functions.extend(plain.map(|name| (name, http(name, "anonymous"))));
    functions
}

fn administered() -> Vec<(&'static str, Value)> {
    let binding = |name: &str| json!({ "type": "timerTrigger", "direction": "in", "name": name, "schedule": YEARLY });
    let output = json!({ "type": "http", "direction": "out", "name": "res" });
    let mut same = output.clone();
    same["name"] = json!("X");
    vec![
        ("web", http("web", "anonymous")),
        ("manual", json!({ "bindings": [{ "type": "manualTrigger", "direction": "in", "name": "in" }] })),
        ("Bad_Binding", json!({ "bindings": [binding("my_timer")] })),
        ("two", json!({ "bindings": [binding("a"), binding("b")] })),
        ("nobind", json!({ "bindings": [] })),
        ("dup", json!({ "bindings": [binding("x"), same] })),
        ("notrigger", json!({ "bindings": [output] })),
        ("1digit", json!({ "bindings": [binding("timer")] })),
        ("with.dot", json!({ "bindings": [binding("timer")] })),
        ("unknowntype", json!({ "bindings": [{ "type": "fooTrigger", "direction": "in", "name": "foo" }] })),
        ("broken", json!("{ \"a\" j }")),
    ]
}
