//! Azure's door: carries each call of a controller to the simulated services, to the directory and to the workload, and has the recorder
//! listen before a change and after each answer. It never changes a request or an answer.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::{HeaderName, Headers};
use azure_core::http::{AsyncRawResponse, Body, HttpClient, Request, StatusCode};
use bytes::Bytes;
use lifeboat_simulator::azure::Directory;
use lifeboat_simulator::azure::blobs::Blobs;
use lifeboat_simulator::bus::Bus;
use lifeboat_tests::azure::Azure;
use tower::ServiceExt;

use crate::record::{Asks, Record};

/// The largest answer of the directory that is carried.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

tokio::task_local! {
    /// Whether the invocation that calls polls the health of regions: its request to the workload is a probe.
    pub static POLLS: bool;
}

/// The door, from which each controller gets a transport.
#[derive(Clone)]
pub struct Door {
    services: Arc<dyn HttpClient>,
    directory: axum::Router,
    record: Record,
}

/// The transport of one controller.
struct Heard {
    door: Door,
    name: &'static str,
}

impl Door {
    /// Over all services.
    pub fn new(azure: &Azure, blobs: &Blobs, bus: &Bus, directory: &Directory, record: &Record) -> Self {
        Self { services: azure.transport(blobs, bus), directory: directory.router(), record: record.clone() }
    }

    /// The transport of a controller of this name.
    pub fn of(&self, name: &'static str) -> Arc<dyn HttpClient> {
        Arc::new(Heard { door: self.clone(), name })
    }

    async fn ask_directory(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let unusable = |what: &str| Error::with_message(ErrorKind::Io, what.to_owned());
        let asked = http::Request::builder().method(request.method().as_str()).uri(request.url().as_str());
        let asked = asked.body(axum::body::Body::empty()).map_err(|error| unusable(&error.to_string()))?;
        let answer = self.directory.clone().oneshot(asked).await.unwrap_or_else(|error| match error {});
        let (parts, body) = answer.into_parts();
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers: HashMap<HeaderName, _> = parts
            .headers
            .iter()
            .map(|(name, value)| (HeaderName::from(name.as_str().to_owned()), text(value).into()))
            .collect();
        let bytes = axum::body::to_bytes(body, ANSWER_BYTES_MAX).await.map_err(|error| unusable(&error.to_string()))?;
        Ok(AsyncRawResponse::from_bytes(StatusCode::from(parts.status.as_u16()), Headers::from(headers), bytes))
    }

    /// The workload's own answer to whoever asks from outside.
    fn workload(&self) -> azure_core::Result<AsyncRawResponse> {
        let serves = self.record.is_served() && !self.record.is_stalled();
        if POLLS.try_with(|polls| *polls).unwrap_or(false) {
            self.record.probed(serves);
        }
        if serves {
            return Ok(AsyncRawResponse::from_bytes(StatusCode::Ok, Headers::new(), Bytes::new()));
        }
        Err(Error::with_message(ErrorKind::Io, "nobody answers"))
    }
}

#[async_trait]
impl HttpClient for Heard {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let (door, url) = (&self.door, request.url());
        let host = url.host_str().unwrap_or_default();
        if host.ends_with(".example") {
            return door.workload();
        }
        if host == "login.microsoftonline.com" {
            return door.ask_directory(request).await;
        }
        let reads = request.method() == azure_core::http::Method::Get;
        if host.starts_with("management.") && reads && door.record.is_stalled() {
            return Ok(AsyncRawResponse::from_bytes(StatusCode::ServiceUnavailable, Headers::new(), Bytes::new()));
        }
        let asked = Asks::of(host, request.method().as_str(), url.path(), body(request));
        if asked.changes_azure() {
            door.record.observe();
        }
        match door.services.execute_request(request).await {
            Ok(answer) => {
                let (status, headers, body) = answer.deconstruct();
                let body = body.collect().await?;
                door.record.answered(self.name, &asked, Some(u16::from(status)), &body);
                Ok(AsyncRawResponse::from_bytes(status, headers, body))
            }
            Err(error) => {
                door.record.answered(self.name, &asked, None, &Bytes::new());
                Err(error)
            }
        }
    }
}

fn body(request: &Request) -> Bytes {
    match request.body() {
        Body::Bytes(bytes) => bytes.clone(),
        Body::SeekableStream(_) => Bytes::new(),
    }
}

impl fmt::Debug for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Heard").field("name", &self.name).finish_non_exhaustive()
    }
}
