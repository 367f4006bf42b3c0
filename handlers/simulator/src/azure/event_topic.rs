//! A stand-in for an Event Grid custom topic: takes batches of CloudEvents from whoever may send, keeps them, is in trouble on order.
//! It never delivers to anybody, never drops a duplicate, and takes a batch whole or not at all.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::State as Shared;
use axum::response::Response;
use http::request::Parts;
use http::{Request, header};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::blobs::wire::{bearer, reset_response};
use super::identity::Identity;
use super::passage::json_response;
use crate::clock::Clock;

/// The audience of the topic's tokens. *Assumed* (`topic-scope`).
pub const EVENTS_AUDIENCE: &str = "https://eventgrid.azure.net";
/// What a request takes, in bytes: 1 MB.
const REQUEST_BYTES_MAX: usize = 1024 * 1024;
/// The only version of the data plane.
const API_VERSION: &str = "2018-01-01";
/// Events kept for whoever asks, at most; the newest.
const KEPT_MAX: usize = 100_000;

/// A topic. Clones are the same one.
#[derive(Clone)]
pub struct EventTopic {
    clock: Clock,
    identity: Identity,
    book: Arc<Mutex<Book>>,
}

#[derive(Default)]
struct Book {
    senders: BTreeSet<String>,
    accepted: Vec<Accepted>,
    troubles: Vec<(TopicTrouble, Option<u32>)>,
    asked: usize,
}

/// An event that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// When.
    pub at: Timestamp,
    /// As it was sent.
    pub event: Value,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopicTrouble {
    /// 429, to come back after so many seconds.
    Throttled {
        /// What `Retry-After` says.
        seconds: u32,
    },
    /// 503.
    Unavailable,
    /// No answer ever comes; nothing is accepted.
    Hang,
    /// The connection breaks; nothing is accepted.
    ResetBefore,
    /// The batch is accepted, then the connection breaks.
    ResetAfter,
}

/// Why a batch is refused.
enum Refusal {
    NoToken,
    NotPermitted,
    NoSuchPath,
    Version,
    ContentType,
    TooLarge,
    NotEvents(String),
    Trouble(u16, Option<u32>),
}

impl EventTopic {
    /// A topic to which nobody may send.
    pub fn new(clock: Clock, identity: Identity) -> Self {
        Self { clock, identity, book: Arc::default() }
    }

    /// Gives a principal the role *EventGrid Data Sender* on the topic. *Assumed* (`topic-right`).
    pub fn allow(&self, object_id: &str) {
        self.book().senders.insert(object_id.to_owned());
    }

    /// Takes the role back.
    pub fn disallow(&self, object_id: &str) {
        self.book().senders.remove(object_id);
    }

    /// Orders trouble for so many requests; for all until [`EventTopic::clear_troubles`] where no number is given.
    pub fn trouble(&self, trouble: TopicTrouble, times: Option<u32>) {
        self.book().troubles.push((trouble, times));
    }

    /// Takes back all trouble.
    pub fn clear_troubles(&self) {
        self.book().troubles.clear();
    }

    /// The events that were accepted, in their order; one that was sent twice is there twice.
    pub fn accepted(&self) -> Vec<Accepted> {
        self.book().accepted.clone()
    }

    /// How many requests there were, refused ones included.
    pub fn asked(&self) -> usize {
        self.book().asked
    }

    /// The topic as an HTTP service, for a listener or for calls inside the process.
    pub fn router(&self) -> Router {
        Router::new().fallback(serve).with_state(self.clone())
    }

    fn strike(&self) -> Option<TopicTrouble> {
        let mut book = self.book();
        book.asked += 1;
        let struck = book.troubles.first_mut().map(|(trouble, times)| {
            *times = times.map(|left| left.saturating_sub(1));
            *trouble
        });
        book.troubles.retain(|(_, times)| *times != Some(0));
        struck
    }

    fn accept(&self, parts: &Parts, body: &[u8]) -> Result<(), Refusal> {
        let principal = self.identity.verify(bearer(&parts.headers), EVENTS_AUDIENCE).map_err(|_| Refusal::NoToken)?;
        if !self.book().senders.contains(&principal.object_id) {
            return Err(Refusal::NotPermitted);
        }
        if parts.method != http::Method::POST || parts.uri.path() != "/api/events" {
            return Err(Refusal::NoSuchPath);
        }
        let query = parts.uri.query().unwrap_or_default();
        let version = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "api-version");
        if version.is_none_or(|(_, value)| value != API_VERSION) {
            return Err(Refusal::Version);
        }
        let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !kind.starts_with("application/cloudevents-batch+json") {
            return Err(Refusal::ContentType);
        }
        let Ok(Value::Array(events)) = serde_json::from_slice(body) else {
            return Err(Refusal::NotEvents("the body is no JSON array".to_owned()));
        };
        for event in &events {
            check(event).map_err(Refusal::NotEvents)?;
        }
        let at = self.clock.now();
        let mut book = self.book();
        book.accepted.extend(events.into_iter().map(|event| Accepted { at, event }));
        let over = book.accepted.len().saturating_sub(KEPT_MAX);
        book.accepted.drain(..over);
        Ok(())
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What CloudEvents 1.0 asks of an event, and what its document calls required.
fn check(event: &Value) -> Result<(), String> {
    let text = |name: &str| event.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    for name in ["id", "source", "type", "specversion"] {
        text(name).ok_or_else(|| format!("an event has no {name}"))?;
    }
    if text("specversion") != Some("1.0") {
        return Err("an event is of another version of CloudEvents".to_owned());
    }
    match text("time").map(str::parse::<Timestamp>) {
        Some(Err(_)) => Err("an event's time is no time".to_owned()),
        Some(Ok(_)) | None => Ok(()),
    }
}

async fn serve(Shared(topic): Shared<EventTopic>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let trouble = topic.strike();
    let body = axum::body::to_bytes(body, REQUEST_BYTES_MAX).await;
    let accept = || match &body {
        Ok(body) => topic.accept(&parts, body),
        Err(_) => Err(Refusal::TooLarge),
    };
    let outcome = match trouble {
        Some(TopicTrouble::Hang) => std::future::pending().await,
        Some(TopicTrouble::ResetBefore) => return reset_response(),
        Some(TopicTrouble::ResetAfter) => {
            // The answer is lost on the way, whatever it was.
            let _lost = accept();
            return reset_response();
        }
        Some(TopicTrouble::Throttled { seconds }) => Err(Refusal::Trouble(429, Some(seconds))),
        Some(TopicTrouble::Unavailable) => Err(Refusal::Trouble(503, None)),
        None => accept(),
    };
    match outcome {
        Ok(()) => json_response(200, &[], None),
        Err(refusal) => refused(&refusal),
    }
}

/// A refusal on the wire. *Assumed* (`topic-refusals`).
fn refused(refusal: &Refusal) -> Response {
    let (status, code, message) = match refusal {
        Refusal::NoToken => (401, "Unauthorized", "The request has no token that is good for this topic."),
        Refusal::NotPermitted => (403, "Forbidden", "The principal may not send events to this topic."),
        Refusal::NoSuchPath => (404, "NotFound", "There is nothing at this path."),
        Refusal::Version => (400, "InvalidApiVersion", "The api-version is not supported."),
        Refusal::ContentType => (415, "UnsupportedMediaType", "The topic takes batches of CloudEvents."),
        Refusal::TooLarge => (413, "RequestEntityTooLarge", "The request is larger than 1 MB."),
        Refusal::NotEvents(what) => (400, "BadRequest", what.as_str()),
        Refusal::Trouble(429, _) => (429, "TooManyRequests", "Come back later."),
        Refusal::Trouble(status, _) => (*status, "ServiceUnavailable", "The topic is not available."),
    };
    let headers = match refusal {
        Refusal::Trouble(_, Some(seconds)) => vec![("retry-after", seconds.to_string())],
        _ => Vec::new(),
    };
    json_response(status, &headers, Some(&json!({ "error": { "code": code, "message": message } })))
}

impl fmt::Debug for EventTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventTopic").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use tower::ServiceExt as _;

    use super::*;

    struct Sent {
        path: &'static str,
        kind: &'static str,
        body: String,
    }

    fn event() -> Value {
        json!({ "id": "1", "source": "/s", "type": "t", "specversion": "1.0", "time": "2026-11-22T02:00:00Z" })
    }

    fn good() -> Sent {
        Sent {
            path: "/api/events?api-version=2018-01-01",
            kind: "application/cloudevents-batch+json; charset=utf-8",
            body: json!([event()]).to_string(),
        }
    }

    async fn send(topic: &EventTopic, token: &str, sent: Sent) -> u16 {
        let request = Request::post(sent.path)
            .header("content-type", sent.kind)
            .header("authorization", format!("Bearer {token}"))
            .body(Body::from(sent.body))
            .expect("a request");
        topic.router().oneshot(request).await.expect("an answer").status().as_u16()
    }

    fn topic() -> (EventTopic, String, String) {
        let clock = Clock::starting_at(Timestamp::UNIX_EPOCH);
        let identity = Identity::new(clock.clone(), 1);
        let principal = identity.add_named("lifeboat", Vec::new());
        let token = identity.token(&principal.object_id, EVENTS_AUDIENCE);
        let elsewhere = identity.token(&principal.object_id, super::super::BUS_AUDIENCE);
        let topic = EventTopic::new(clock, identity);
        topic.allow(&principal.object_id);
        (topic, token, elsewhere)
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_is_taken_whole_or_not_at_all() {
        let (topic, token, elsewhere) = topic();
        assert_eq!(send(&topic, &token, good()).await, 200);
        assert_eq!(topic.accepted().len(), 1);
        for (sent, token, status) in [
            (good(), "unknown", 401),
            (good(), elsewhere.as_str(), 401),
            (Sent { path: "/api/event?api-version=2018-01-01", ..good() }, token.as_str(), 404),
            (Sent { path: "/api/events", ..good() }, token.as_str(), 400),
            (Sent { kind: "application/json", ..good() }, token.as_str(), 415),
            (Sent { body: "{}".to_owned(), ..good() }, token.as_str(), 400),
            (Sent { body: json!([event(), { "id": "2" }]).to_string(), ..good() }, token.as_str(), 400),
            (Sent { body: " ".repeat(REQUEST_BYTES_MAX + 1), ..good() }, token.as_str(), 413),
        ] {
            assert_eq!(send(&topic, token, sent).await, status);
        }
        assert_eq!(topic.accepted().len(), 1, "nothing of what was refused is kept");
    }

    #[tokio::test(start_paused = true)]
    async fn it_refuses_who_has_no_role_and_is_in_trouble_on_order() {
        let (topic, token, _) = topic();
        let principal = topic.identity.principals()[0].object_id.clone();
        topic.disallow(&principal);
        assert_eq!(send(&topic, &token, good()).await, 403);
        topic.allow(&principal);
        topic.trouble(TopicTrouble::Throttled { seconds: 3 }, Some(1));
        topic.trouble(TopicTrouble::Unavailable, None);
        assert_eq!(send(&topic, &token, good()).await, 429);
        assert_eq!(send(&topic, &token, good()).await, 503);
        assert_eq!(send(&topic, &token, good()).await, 503);
        topic.clear_troubles();
        assert_eq!((send(&topic, &token, good()).await, topic.asked()), (200, 5));
    }
}
