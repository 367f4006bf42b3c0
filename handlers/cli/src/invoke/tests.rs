//! Each example is what the product's own decoders read, and each request is what the host's webhook and admin API take.
//! It never opens a socket.

use std::collections::BTreeSet;

use http::HeaderMap;
use lifeboat_contract::command::Command;
use lifeboat_contract::event_grid::{Ignored, Told, read_event};
use lifeboat_contract::sagas::{Ask, SagasMessage};
use lifeboat_contract::signals::{self, Door, Known};
use lifeboat_contract::work::ReconcileMessage;
use lifeboat_functions::host::{Envelope, Invocation, InvocationId, TraceContext};

use super::request::{Receiver, requests};
use crate::examples::{EXAMPLES, Example, Function};

/// What the handler reads of an example, in one word.
fn read(example: &Example) -> String {
    let requests = requests(example.function, example.data.as_bytes(), Receiver::Handler, None).unwrap();
    assert_eq!(requests.len(), 1, "an example is one invocation");
    if example.function == Function::RegionAlert {
        let body = serde_json::from_slice(&requests[0].body).unwrap();
        return heard(Door::RegionAlert, &body);
    }
    if example.function == Function::Api {
        return requests[0].path.split(['?', '/']).nth(2).unwrap().to_owned();
    }
    let envelope = Envelope::parse(&requests[0].body).unwrap();
    let invocation = Invocation {
        function: example.function.name(),
        id: InvocationId::of(&HeaderMap::new()),
        trace: TraceContext::default(),
        data: envelope.data,
        metadata: envelope.metadata,
        deadline: tokio::time::Instant::now(),
    };
    match example.function {
        Function::VmWritten => match read_event(&invocation.event_grid_events().unwrap()[0], Told::Written) {
            Ok(hint) => hint.http_method.unwrap_or_default(),
            Err(Ignored::Deleted) => "deleted".to_owned(),
            Err(other) => other.to_string(),
        },
        Function::VmDeleted => {
            let hint = read_event(&invocation.event_grid_events().unwrap()[0], Told::Deleted).unwrap();
            hint.http_method.unwrap_or_default()
        }
        Function::Reconcile => ReconcileMessage::decode(&invocation.service_bus_body().unwrap()).unwrap().machine,
        Function::Command => Command::read(&invocation.service_bus_body().unwrap()).unwrap().order.name().to_owned(),
        Function::PolicySweep | Function::ExpirySweep | Function::HealthPoll | Function::ReadinessSweep => {
            invocation.timer().unwrap().is_past_due.to_string()
        }
        Function::RegionHealthChanged => {
            heard(Door::RegionHealthChanged, &invocation.event_grid_events().unwrap().into())
        }
        Function::SagaWoken => {
            let asked = SagasMessage::decode(&invocation.service_bus_body().unwrap()).unwrap().ask;
            match asked {
                Ask::Evaluate { region, .. } => region,
                Ask::Step { recovery_plan, .. } => recovery_plan,
            }
        }
        Function::RegionAlert | Function::Api => String::new(),
    }
}

/// What a payload tells of a region, in one word.
fn heard(door: Door, body: &serde_json::Value) -> String {
    let mut known = Known::default();
    known.add_region("westeurope", "West Europe");
    let shop = "6c1f0a52-3a5e-4b57-9f0c-1d2b7a9e4c10/resourceGroups/rg-shop";
    known.add_machine(
        &format!("/subscriptions/{shop}/providers/Microsoft.Compute/virtualMachines/web-01"),
        "westeurope",
    );
    let reading = signals::read(door, body, &known, "2026-03-02T11:41:00Z".parse().unwrap());
    match (reading.signals.first(), reading.uncounted.first()) {
        (Some(signal), _) => signal.state.word().to_owned(),
        (None, Some(uncounted)) => uncounted.why.to_string(),
        (None, None) => "nothing".to_owned(),
    }
}

#[test]
fn every_example_is_read_by_the_handlers_own_decoders_as_what_it_says() {
    let read: Vec<(&str, String)> = EXAMPLES.iter().map(|example| (example.name, read(example))).collect();
    let machine = format!(
        "/subscriptions/{}",
        "6c1f0a52-3a5e-4b57-9f0c-1d2b7a9e4c10/resourceGroups/rg-shop/providers/Microsoft.Compute/virtualMachines/web-01"
    );
    let wanted = [
        ("created", "PUT"),
        ("created-cloudevents", "PUT"),
        ("updated", "PATCH"),
        ("deleted-ignored", "deleted"),
        ("deleted", "DELETE"),
        ("deleted-cloudevents", "DELETE"),
        ("look", machine.as_str()),
        ("tick", "false"),
        ("past-due", "true"),
        ("hour", "false"),
        ("incident", "failing"),
        ("test", "it is a test"),
        ("unavailable", "unavailable"),
        ("minute", "false"),
        ("half-hour", "false"),
        ("evaluate", "westeurope"),
        ("step", "shop"),
        ("stop-changes", "StopChanges"),
        ("status", "status"),
        ("points", "points"),
    ];
    assert_eq!(read, wanted.map(|(name, what)| (name, what.to_owned())));
}

#[test]
fn every_function_has_an_example_and_no_two_of_a_function_share_a_name() {
    let names: BTreeSet<_> = EXAMPLES.iter().map(|example| (example.function.name(), example.name)).collect();
    assert_eq!(names.len(), EXAMPLES.len());
    let functions: BTreeSet<_> = names.iter().map(|(function, _)| *function).collect();
    let defined = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../function-definitions")).unwrap();
    let defined: BTreeSet<String> =
        defined.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    assert!(functions.iter().copied().eq(defined.iter().map(String::as_str)));
}

#[test]
fn a_host_gets_each_example_where_it_takes_it_and_the_key_stays_out_of_the_path() {
    let _chosen = rustls::crypto::ring::default_provider().install_default();
    let client = crate::client::client(true).unwrap();
    for example in EXAMPLES {
        let made = requests(example.function, example.data.as_bytes(), Receiver::Host, Some("a-key"));
        if example.name == "past-due" {
            assert!(made.unwrap_err().to_string().contains("--direct"));
            continue;
        }
        let made = made.unwrap();
        let request = made[0].to(&client, "http://127.0.0.1:7071/").unwrap().build().unwrap();
        assert!(!made[0].path.contains("a-key"));
        let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        match example.function {
            function @ (Function::VmWritten | Function::VmDeleted | Function::RegionHealthChanged) => {
                let webhook = "http://127.0.0.1:7071/runtime/webhooks/eventgrid?functionName=";
                assert_eq!(request.url().as_str(), format!("{webhook}{}&code=a-key", function.name()));
                assert_eq!(header("aeg-event-type").as_deref(), Some("Notification"));
                assert_eq!(made[0].body, example.data.as_bytes());
            }
            Function::RegionAlert => {
                assert_eq!((request.method().as_str(), header("x-functions-key").as_deref()), ("POST", Some("a-key")));
                assert_eq!(
                    (request.url().path(), made[0].body.as_slice()),
                    ("/api/RegionAlert", example.data.as_bytes())
                );
            }
            Function::Api => {
                assert_eq!((request.method().as_str(), header("x-functions-key").as_deref()), ("GET", Some("a-key")));
                assert!(request.url().path().starts_with("/api/"));
            }
            function => {
                assert_eq!(request.url().path(), format!("/admin/functions/{}", function.name()));
                assert_eq!(header("x-functions-key").as_deref(), Some("a-key"));
                let body: serde_json::Value = serde_json::from_slice(&made[0].body).unwrap();
                assert!(body["input"].is_string());
            }
        }
    }
}
