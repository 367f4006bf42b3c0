//! The REST data plane of Service Bus: send, peek-lock, destructive read, complete, unlock, renew.
//! It never keeps a message: the broker does. Dead-lettering, deferring and sessions are not in the real one either.

use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Request, StatusCode};
use url::form_urlencoded;

use super::Bus;
use super::errors::BusError;
use super::faults::BusFaultEffect;
use super::message::Locked;
use super::properties::{read_message, received_headers};
use crate::azure::blobs::wire::{bearer, escape_xml, percent_decode, reset_response};

/// Largest body that is read at all, in bytes: more than any queue of the Standard tier takes, so that the queue refuses.
const BODY_BYTES: usize = 2 * 1024 * 1024;
/// How long peek-lock waits when the client does not say, in seconds, from its reference.
const DEFAULT_WAIT_SECONDS: u64 = 60;
/// The longest wait, in seconds. *assumed*: the service's limit is not documented.
const LONGEST_WAIT_SECONDS: u64 = 240;

/// What a path asks for.
enum Target {
    Messages { queue: String },
    Head { queue: String },
    Lock { queue: String, lock_token: String },
}

/// Answers one request.
pub(super) async fn serve(State(bus): State<Bus>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_BYTES).await else {
        return refusal(&bus, BusError::MessageTooLarge);
    };
    match answer(&bus, &parts, body).await {
        Ok(response) => response,
        Err(error) => {
            tracing::debug!(method = %parts.method, path = parts.uri.path(), %error, "broker request refused");
            refusal(&bus, error)
        }
    }
}

async fn answer(bus: &Bus, parts: &Parts, body: Bytes) -> Result<Response, BusError> {
    if !bus.accepts(bearer(&parts.headers)) {
        return Err(BusError::Unauthorized);
    }
    let target = read_path(parts.uri.path())?;
    match (parts.method.as_str(), target) {
        ("POST", Target::Messages { queue }) => send(bus, parts, &queue, body).await,
        ("POST", Target::Head { queue }) => peek_lock(bus, parts, &queue).await,
        ("DELETE", Target::Head { queue }) => read_and_delete(bus, parts, &queue).await,
        ("DELETE", Target::Lock { queue, lock_token }) => {
            bus.complete_in(&queue, &lock_token).map(|()| empty(StatusCode::OK))
        }
        ("PUT", Target::Lock { queue, lock_token }) => {
            bus.abandon_in(&queue, &lock_token).map(|()| empty(StatusCode::OK))
        }
        ("POST", Target::Lock { queue, lock_token }) => {
            bus.renew_in(&queue, &lock_token).map(|_| empty(StatusCode::OK))
        }
        _ => Err(BusError::BadRequest),
    }
}

async fn send(bus: &Bus, parts: &Parts, queue: &str, body: Bytes) -> Result<Response, BusError> {
    let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if content_type.is_some_and(|given| given.starts_with("application/vnd.microsoft.servicebus")) {
        return Err(BusError::NotImplemented);
    }
    let message = read_message(&parts.headers, body)?;
    match bus.strike(queue) {
        None => bus.send(queue, message)?,
        Some(BusFaultEffect::ServerBusy) => return Err(BusError::ServerBusy),
        Some(BusFaultEffect::TooManyRequests) => return Err(BusError::TooManyRequests),
        Some(BusFaultEffect::Hang) => std::future::pending().await,
        Some(BusFaultEffect::ResetBefore) => return Ok(reset_response()),
        Some(BusFaultEffect::ResetAfter) => {
            // The answer is lost on the way, whatever it was.
            let _lost = bus.send(queue, message);
            return Ok(reset_response());
        }
        Some(BusFaultEffect::Drop) => bus.check(queue, &message)?,
    }
    Ok(empty(StatusCode::CREATED))
}

async fn peek_lock(bus: &Bus, parts: &Parts, queue: &str) -> Result<Response, BusError> {
    let Some(locked) = wait(bus, parts, queue).await? else { return Ok(empty(StatusCode::NO_CONTENT)) };
    let mut headers = received_headers(&locked, true);
    let location = format!("{}/{queue}/messages/{}/{}", origin(parts), locked.sequence_number, locked.lock_token);
    if let Ok(location) = HeaderValue::try_from(location) {
        headers.insert(header::LOCATION, location);
    }
    Ok(message(StatusCode::CREATED, headers, locked))
}

async fn read_and_delete(bus: &Bus, parts: &Parts, queue: &str) -> Result<Response, BusError> {
    let Some(locked) = wait(bus, parts, queue).await? else { return Ok(empty(StatusCode::NO_CONTENT)) };
    bus.complete_in(queue, &locked.lock_token)?;
    let headers = received_headers(&locked, false);
    Ok(message(StatusCode::OK, headers, locked))
}

/// Waits for a message as long as the query says.
async fn wait(bus: &Bus, parts: &Parts, queue: &str) -> Result<Option<Locked>, BusError> {
    let query = parts.uri.query().unwrap_or_default();
    let given = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "timeout").map(|(_, value)| value);
    let seconds = match given {
        Some(text) => text.parse::<u64>().map_err(|_| BusError::BadRequest)?.min(LONGEST_WAIT_SECONDS),
        None => DEFAULT_WAIT_SECONDS,
    };
    if let Some(locked) = bus.try_receive(queue)? {
        return Ok(Some(locked));
    }
    Ok(tokio::time::timeout(Duration::from_secs(seconds), bus.receive(queue)).await.ok())
}

fn read_path(path: &str) -> Result<Target, BusError> {
    let path = percent_decode(path.trim_matches('/')).ok_or(BusError::BadRequest)?;
    if let Some(queue) = path.strip_suffix("/messages") {
        return Ok(Target::Messages { queue: queue.to_owned() });
    }
    if let Some(queue) = path.strip_suffix("/messages/head") {
        return Ok(Target::Head { queue: queue.to_owned() });
    }
    let (queue, lock) = path.rsplit_once("/messages/").ok_or(BusError::BadRequest)?;
    let (_message, lock_token) = lock.split_once('/').ok_or(BusError::BadRequest)?;
    Ok(Target::Lock { queue: queue.to_owned(), lock_token: lock_token.to_owned() })
}

/// Scheme and host that the client used, for the lock's URL.
fn origin(parts: &Parts) -> String {
    let from_header = || parts.headers.get(header::HOST).and_then(|value| value.to_str().ok());
    let host = parts.uri.authority().map(|authority| authority.as_str()).or_else(from_header).unwrap_or("localhost");
    // Only a real namespace is reached by TLS; the simulator's listener has none.
    let plain = if host.contains(".servicebus.") { "https" } else { "http" };
    format!("{}://{host}", parts.uri.scheme_str().unwrap_or(plain))
}

fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn message(status: StatusCode, headers: HeaderMap, locked: Locked) -> Response {
    let mut response = Response::new(Body::from(locked.message.body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// The XML that the service answers on errors.
fn refusal(bus: &Bus, error: BusError) -> Response {
    let status = error.status();
    let detail = match error {
        BusError::ServerBusy => {
            "ServerBusy: the request was terminated because the namespace is being throttled.".to_owned()
        }
        other => other.to_string(),
    };
    let text = format!(
        "<Error><Code>{}</Code><Detail>{} TrackingId:{}</Detail></Error>",
        status.as_u16(),
        escape_xml(&detail),
        bus.new_tracking_id(),
    );
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let xml = HeaderValue::from_static("application/xml; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, xml);
    if matches!(error, BusError::ServerBusy | BusError::TooManyRequests) {
        // *assumed*: ten seconds, the wait that the client libraries use for ServerBusy.
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
    }
    response
}
