//! The host's own listener: HTTP/1.1 on 127.0.0.1, and the same as a router.
//! It never keeps a connection whose client broke the protocol.

use std::sync::{Arc, Weak};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::core::{Core, HostState};
use super::wire::{self, REQUEST_BYTES, RawRequest, RawResponse};

/// Accepts connections until the host stops; calls in flight are finished first.
pub(super) async fn serve(core: Arc<Core>, listener: TcpListener) {
    let mut state = core.state.subscribe();
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = state.wait_for(|state| *state != HostState::Running) => break,
        };
        while connections.try_join_next().is_some() {}
        // A client that went away between connect and accept is no reason to stop.
        if let Ok((stream, _)) = accepted {
            connections.spawn(converse(Arc::downgrade(&core), stream));
        }
    }
    drop(listener);
    state.wait_for(|state| *state == HostState::Stopped).await.ok();
    // Answers of the last calls may still be on their way; idle connections see the state and end.
    while connections.join_next().await.is_some() {}
}

/// The host as a router, for callers in this process.
pub(super) fn router(core: Arc<Core>) -> Router {
    Router::new().fallback(answer).with_state(core)
}

async fn converse(core: Weak<Core>, stream: TcpStream) {
    stream.set_nodelay(true).ok();
    let Some(mut state) = core.upgrade().map(|core| core.state.subscribe()) else { return };
    let mut stream = BufReader::new(stream);
    loop {
        let request = tokio::select! {
            request = wire::read_request(&mut stream) => request,
            _ = state.wait_for(|state| *state != HostState::Running) => return,
        };
        let response = match request {
            Ok(Some(request)) => {
                let Some(core) = core.upgrade() else { return };
                let closing = request.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
                match core.call(&request).await {
                    Some(response) if !closing => (response, false),
                    Some(response) => (response, true),
                    None => return,
                }
            }
            Ok(None) => return,
            Err(wire::WireError::Invalid) => (RawResponse::new(400).with("Content-Length", "0"), true),
            Err(_) => return,
        };
        let (response, closing) = response;
        let sent = async {
            stream.get_mut().write_all(&response.to_bytes()).await?;
            stream.get_mut().flush().await
        };
        if sent.await.is_err() || closing {
            return;
        }
    }
}

async fn answer(State(core): State<Arc<Core>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, REQUEST_BYTES).collect().await else { return empty(413) };
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let mut raw = RawRequest {
        method: parts.method.to_string(),
        target: parts.uri.path_and_query().map_or("/".to_owned(), ToString::to_string),
        headers: parts.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: body.to_bytes(),
    };
    if raw.header("host").is_none() {
        let authority = parts.uri.authority().map_or(core.options.authority.clone(), ToString::to_string);
        raw.headers.insert(0, ("Host".to_owned(), authority));
    }
    if raw.header("content-length").is_none() && !raw.body.is_empty() && !raw.is_chunked() {
        raw.headers.push(("Content-Length".to_owned(), raw.body.len().to_string()));
    }
    let Some(answer) = core.call(&raw).await else { return empty(503) };
    let mut response = Response::builder().status(answer.status);
    // The server below frames the body itself.
    for (name, value) in answer.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("transfer-encoding")) {
        response = response.header(name.as_str(), value.as_str());
    }
    response.body(Body::from(answer.body)).unwrap_or_else(|_| empty(500))
}

fn empty(status: u16) -> Response {
    let mut response = Response::new(Body::from(Bytes::new()));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    response
}
