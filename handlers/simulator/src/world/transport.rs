//! azure_core's transport inside the process: picks the service by host name and carries the call there.
//! It never opens a socket.

use std::fmt;

use async_trait::async_trait;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::{HeaderName, HeaderValue, Headers};
use azure_core::http::request::{Body, Request};
use azure_core::http::{AsyncRawResponse, HttpClient};
use bytes::Bytes;
use futures::TryStreamExt;
use http_body_util::BodyExt;

use super::{CallFate, HostKind, World};
use crate::azure::blobs::ConnectionReset;

/// The transport.
#[derive(Clone)]
pub(super) struct InProcess {
    pub(super) world: World,
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcess").finish_non_exhaustive()
    }
}

impl HostKind {
    fn of(host: &str) -> Option<Self> {
        match host {
            "management.azure.com" => Some(Self::Arm),
            "identity.simulated" => Some(Self::Identity),
            "login.microsoftonline.com" => Some(Self::Directory),
            _ if host.ends_with(".blob.core.windows.net") => Some(Self::Blobs),
            _ if host.ends_with(".servicebus.windows.net") => Some(Self::Bus),
            _ if host.ends_with(".eventgrid.azure.net") => Some(Self::Topic),
            _ => None,
        }
    }
}

#[async_trait]
impl HttpClient for InProcess {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let url = request.url().clone();
        let host = url.host_str().unwrap_or_default();
        let Some(kind) = HostKind::of(host) else {
            return Err(Error::with_message(
                ErrorKind::Connection,
                format!("no such host in the simulated Azure: {host}"),
            ));
        };
        let (info, fate) = self.world.fate(kind, request.method().as_ref(), url.path());
        if fate == CallFate::DieBefore {
            self.world.die(info).await;
        }
        let response = self.world.dispatch(kind, to_http(request, host).await?).await;
        if fate == CallFate::DieAfter {
            self.world.die(info).await;
        }
        from_http(response).await
    }
}

async fn to_http(request: &Request, host: &str) -> azure_core::Result<http::Request<axum::body::Body>> {
    let body: Bytes = match request.body().clone() {
        Body::Bytes(bytes) => bytes,
        Body::SeekableStream(stream) => {
            let parts: Vec<Bytes> = stream.try_collect().await?;
            Bytes::from(parts.concat())
        }
    };
    let mut builder = http::Request::builder().method(request.method().as_ref()).uri(request.path_and_query());
    let mut has_length = false;
    for (name, value) in request.headers().iter() {
        has_length |= name.as_str().eq_ignore_ascii_case("content-length");
        builder = builder.header(name.as_str(), value.as_str());
    }
    if !has_length {
        builder = builder.header("content-length", body.len());
    }
    let bad = |error| Error::with_error(ErrorKind::DataConversion, error, "the request cannot be sent");
    builder.header("host", host).body(axum::body::Body::from(body)).map_err(bad)
}

async fn from_http(response: axum::response::Response) -> azure_core::Result<AsyncRawResponse> {
    let reset = || Error::with_message(ErrorKind::Io, "the simulated connection broke");
    if response.extensions().get::<ConnectionReset>().is_some() {
        return Err(reset());
    }
    let (parts, body) = response.into_parts();
    let body = body.collect().await.map_err(|_| reset())?.to_bytes();
    let mut headers = Headers::new();
    for (name, value) in &parts.headers {
        if let Ok(text) = value.to_str() {
            headers.insert(HeaderName::from(name.as_str().to_owned()), HeaderValue::from(text.to_owned()));
        }
    }
    Ok(AsyncRawResponse::from_bytes(parts.status.as_u16().into(), headers, body))
}
