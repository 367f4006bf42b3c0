//! The webhook of the Event Grid extension: handshakes, deliveries, one invocation per event, all at once.
//! It never answers before every invocation has ended.

use std::sync::Arc;

use futures::future::join_all;

use super::core::Core;
use super::dates;
use super::definitions::{Function, Trigger};
use super::encoder::{Metadata, Value};
use super::flights::Cause;
use super::invoke::{Call, Input, Payload};
use super::json::Json;
use super::trace::Caller;
use super::wire::{RawRequest, RawResponse};

/// Origins that may subscribe; any other is told the first.
const ORIGINS: [&str; 5] = [
    "eventgrid.azure.net",
    "eventgrid.azure.us",
    "eventgrid.azure.eaglex.ic.gov",
    "eventgrid.azure.microsoft.scloud",
    "eventgrid.azure.cn",
];

impl Core {
    /// Answers a request to the webhook; the key was checked.
    pub(super) async fn event_grid(self: &Arc<Self>, request: &RawRequest, name: &str) -> RawResponse {
        let function = self.app.function(name);
        let Some((function, binding)) = function.and_then(listening) else {
            return text(404, format!("cannot find function: '{name}'"));
        };
        if request.method == "OPTIONS" {
            let asked = request.header("webhook-request-origin").unwrap_or_default();
            let origin = ORIGINS.into_iter().find(|origin| *origin == asked).unwrap_or(ORIGINS[0]);
            return RawResponse::new(200).with("Webhook-Allowed-Origin", origin);
        }
        match request.header("aeg-event-type") {
            Some("SubscriptionValidation") => validate(request),
            Some("Notification") => self.deliver(request, function, binding).await,
            Some("Unsubscribe") => RawResponse::new(202),
            _ => RawResponse::new(400),
        }
    }

    async fn deliver(self: &Arc<Self>, request: &RawRequest, function: &Function, binding: &str) -> RawResponse {
        let Some(events) = events(request) else { return RawResponse::new(500) };
        let caller = Caller::of(request);
        let invocations = events.iter().map(|event| {
            self.invoke(Call {
                function: function.name.clone(),
                cause: Cause::EventGrid,
                retry: function.retry,
                caller: Some(caller.clone()),
                input: Input::Payload(event_payload(binding, event)),
            })
        });
        let failed = join_all(invocations).await.into_iter().find_map(Result::err);
        failed.map_or(RawResponse::new(202), |failure| text(500, failure.message))
    }
}

/// The payload of one event: its `data` is read and written again, and comes a second time as metadata.
pub(super) fn event_payload(binding: &str, event: &[(String, Json)]) -> Payload {
    let mut metadata = Metadata::default();
    let mut members = event.to_vec();
    for (name, value) in &mut members {
        if name == "data" {
            *value = dates::rewritten_value(value);
            metadata.set("data", Value::of_json(value));
        }
    }
    let value = Value::Object(Json::Object(members));
    Payload { binding: binding.to_owned(), value, metadata, polluting: None }
}

/// A function of this trigger that is switched on, with its binding. *assumed*: one that is off is not found.
fn listening(function: &Function) -> Option<(&Function, &str)> {
    match &function.trigger {
        Ok(Trigger::EventGrid { binding }) if !function.disabled => Some((function, binding)),
        _ => None,
    }
}

/// The events of a delivery: a list or a single one. `None` when it is neither.
fn events(request: &RawRequest) -> Option<Vec<Vec<(String, Json)>>> {
    let body = Json::parse(&String::from_utf8_lossy(&request.body)).ok()?;
    let items = match body {
        Json::List(items) => items,
        single => vec![single],
    };
    let members = |event| match event {
        Json::Object(members) => Some(members),
        _ => None,
    };
    items.into_iter().map(members).collect()
}

fn validate(request: &RawRequest) -> RawResponse {
    let code = events(request).and_then(|events| {
        let event = Json::Object(events.into_iter().next()?);
        event.get("data")?.get("validationCode")?.as_text().map(str::to_owned)
    });
    match code {
        Some(code) => text(200, Json::object([("validationResponse", Json::Text(code))]).to_string()),
        None => RawResponse::new(500),
    }
}

fn text(status: u16, body: String) -> RawResponse {
    RawResponse::new(status).with("Content-Type", "text/plain; charset=utf-8").with_body(body)
}
