//! A request to ARM as it was read: what of it the way through ARM looks at.
//! It never looks into the body.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::extract::Request;
use http_body_util::{BodyExt, Limited};

use super::blobs::wire::{bearer, percent_decode};
use super::identity::Principal;
use super::ids::{key, without_empty_segments};

/// Largest request body, in bytes: that of ARM's own limit of 4 MB (*assumed*, `arm-body-limit`).
const BODY_BYTES: usize = 4 * 1024 * 1024;

/// Extension on a request that came over TLS: what status URLs and next links start with must be what the caller used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OverTls;

/// A request that was read.
pub(crate) struct Heard {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) raw_query: String,
    pub(crate) host: Option<String>,
    pub(crate) over_tls: bool,
    pub(crate) token: Option<String>,
    pub(crate) client_request_id: Option<String>,
    pub(crate) returns_client_request_id: bool,
    pub(crate) body: bytes::Bytes,
}

impl Heard {
    /// Reads a request; none where it is too large or its path cannot be read.
    pub(crate) async fn read(request: Request) -> Option<Self> {
        let (parts, body) = request.into_parts();
        let body = Limited::new(body, BODY_BYTES).collect().await.ok()?.to_bytes();
        let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Some(Self {
            method: parts.method.as_str().to_owned(),
            path: without_empty_segments(&percent_decode(parts.uri.path())?),
            raw_query: parts.uri.query().unwrap_or_default().to_owned(),
            host: text("host").or_else(|| parts.uri.authority().map(ToString::to_string)),
            over_tls: parts.extensions.get::<OverTls>().is_some(),
            token: bearer(&parts.headers).map(str::to_owned),
            client_request_id: text("x-ms-client-request-id"),
            returns_client_request_id: text("x-ms-return-client-request-id")
                .is_some_and(|yes| yes.eq_ignore_ascii_case("true")),
            body,
        })
    }

    /// What links and status URLs start with.
    pub(crate) fn base(&self) -> String {
        let scheme = if self.over_tls { "https" } else { "http" };
        match self.host.as_deref() {
            Some(host) if host.starts_with("127.0.0.1") || host.starts_with("localhost") => {
                format!("{scheme}://{host}")
            }
            _ => "https://management.azure.com".to_owned(),
        }
    }

    /// Who asks for what: a write is the same one however often it is sent; a read is told apart by its request id, since
    /// many callers may rightly read one thing.
    pub(crate) fn caller(&self, principal: &Principal) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&principal.object_id, &self.method, key(&self.path), &self.raw_query, &self.body[..]).hash(&mut hasher);
        if self.method == "GET" {
            self.client_request_id.hash(&mut hasher);
        }
        hasher.finish()
    }
}
