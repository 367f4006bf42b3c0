//! An answer of the blob service before the headers that every answer has.
//! It never decides anything: operations fill it, the service sends it.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};
use jiff::Timestamp;

use super::errors::ErrorCode;
use super::store::Blob;
use super::wire::http_date;

/// Status, headers and body.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

impl Answer {
    pub(super) fn new(status: StatusCode) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new() }
    }

    /// Adds a header. A value that HTTP cannot carry is left out: stored metadata came in as a header, so it can.
    pub(super) fn header(mut self, name: &str, value: impl AsRef<str>) -> Self {
        let name = HeaderName::try_from(name);
        let value = HeaderValue::try_from(value.as_ref());
        if let (Ok(name), Ok(value)) = (name, value) {
            self.headers.push((name, value));
        }
        self
    }

    pub(super) fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// `ETag` and `Last-Modified` of a blob.
    pub(super) fn version(self, blob: &Blob) -> Self {
        self.header("etag", &blob.etag).header("last-modified", http_date(blob.modified))
    }

    /// All that Get Blob and Get Blob Properties tell of a blob.
    pub(super) fn properties(self, blob: &Blob, now: Timestamp) -> Self {
        let state = blob.lease.state(now);
        let mut answer = self
            .version(blob)
            .header("content-type", &blob.content_type)
            .header("accept-ranges", "bytes")
            .header("x-ms-blob-type", blob.kind.name())
            .header("x-ms-creation-time", http_date(blob.created))
            .header("x-ms-lease-state", state.name())
            .header("x-ms-lease-status", state.status())
            .header("x-ms-server-encrypted", "true");
        if let Some(duration) = blob.lease.duration_name(now) {
            answer = answer.header("x-ms-lease-duration", duration);
        }
        if blob.kind == super::store::BlobKind::Append {
            answer = answer.header("x-ms-blob-committed-block-count", blob.appended_blocks.to_string());
        }
        for (name, value) in &blob.content_headers {
            answer = answer.header(name, value);
        }
        for (key, value) in &blob.metadata {
            answer = answer.header(&format!("x-ms-meta-{key}"), value);
        }
        answer
    }

    /// The refusal that `code` stands for. HEAD and 304 have no body.
    pub(super) fn refusal(code: ErrorCode, with_body: bool, request_id: &str, now: Timestamp) -> Self {
        let mut answer = Self::new(code.status()).header("x-ms-error-code", code.name());
        if code.status() == StatusCode::UNAUTHORIZED {
            // Clients read the authority from here; this one names none that exists.
            let challenge = "Bearer authorization_uri=https://login.microsoftonline.com/common/oauth2/authorize resource_id=https://storage.azure.com";
            answer = answer.header("www-authenticate", challenge);
        }
        if with_body && code.status() != StatusCode::NOT_MODIFIED {
            let text = code.body(request_id, &now.to_string());
            answer = answer.header("content-type", "application/xml").body(text);
        }
        answer
    }

    pub(super) fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        response.headers_mut().extend(self.headers);
        response
    }
}
