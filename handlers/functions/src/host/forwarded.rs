//! HTTP requests that the host forwards as they came (`enableForwardingHttpRequest`), and replies that it passes on as they are.
//! It never hands a function key to a receiver: the host has checked it, and whoever has it could log it.

use std::borrow::Cow;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use tokio::time::Instant;

use super::invocation::{InvocationId, TraceContext};

/// The header and the query parameter that carry a function key.
const KEY_HEADER: &str = "x-functions-key";
const KEY_PARAMETER: &str = "code";

/// One forwarded request.
#[derive(Debug)]
pub struct HttpInvocation {
    /// The function's name, as registered.
    pub function: &'static str,
    /// The host's id of this call.
    pub id: InvocationId,
    /// The trace of the caller or the host.
    pub trace: TraceContext,
    /// The caller's method.
    pub method: Method,
    /// The caller's path with the route prefix, in the caller's case, escapes untouched.
    pub path: String,
    /// The caller's query without the key.
    pub query: Query,
    /// The caller's headers without the key; repeated ones come joined by commas, and `Host` is the caller's.
    pub headers: HeaderMap,
    /// The body, byte for byte; the host drops one without Content-Length.
    pub body: Bytes,
    /// When this call is answered with a failure and its receiver dropped.
    pub deadline: Instant,
}

/// A query string without function keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a raw query; parameters that carry a key are left out.
    #[must_use]
    pub fn parse(raw: &str) -> Self {
        let pairs = raw.split('&').filter(|part| !part.is_empty()).map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (unescaped(name), unescaped(value))
        });
        Self(pairs.filter(|(name, _)| !name.eq_ignore_ascii_case(KEY_PARAMETER)).collect())
    }

    /// A parameter by name, in any case. The host joins a repeated parameter by commas, and nothing tells these from the caller's own.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let exact = self.0.iter().find(|(own, _)| own == name);
        let found = exact.or_else(|| self.0.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)));
        found.map(|(_, value)| value.as_str())
    }

    /// All parameters in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// A reply, passed on verbatim: any status counts as success for the host.
#[derive(Debug, Clone)]
pub struct HttpReply {
    /// The status the caller gets.
    pub status: StatusCode,
    /// The headers the caller gets; repeated ones stay repeated.
    pub headers: HeaderMap,
    /// The body the caller gets, byte for byte.
    pub body: Bytes,
}

impl HttpReply {
    /// A reply of this media type.
    pub fn new(status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        Self { status, headers, body: body.into() }
    }

    /// A JSON reply.
    pub fn json(status: StatusCode, body: &serde_json::Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    /// An HTML page.
    pub fn html(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self::new(status, "text/html; charset=utf-8", body)
    }

    /// A line of text.
    pub fn text(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self::new(status, "text/plain; charset=utf-8", body)
    }

    pub(super) fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// Path and query of a request, without keys.
pub(super) fn address(uri: &Uri) -> (String, Query) {
    (uri.path().to_owned(), uri.query().map(Query::parse).unwrap_or_default())
}

/// Headers without keys.
pub(super) fn without_key(mut headers: HeaderMap) -> HeaderMap {
    headers.remove(KEY_HEADER);
    headers
}

/// Whether a path lies under a prefix, at a border between segments; the host's routes ignore case and pass the caller's on.
pub(super) fn is_under(path: &str, prefix: &str) -> bool {
    let prefix = prefix.trim_end_matches('/');
    let Some(head) = path.get(..prefix.len()) else { return false };
    let rest = &path[prefix.len()..];
    head.eq_ignore_ascii_case(prefix) && (rest.is_empty() || rest.starts_with('/'))
}

/// Percent escapes and `+` resolved; what is no escape or no UTF-8 is kept readable instead of failing the call.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        match (first, tail) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, after @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    bytes.push(high * 16 + low);
                    rest = after;
                }
                _ => bytes.push(b'%'),
            },
            _ => bytes.push(first),
        }
    }
    match String::from_utf8_lossy(&bytes) {
        Cow::Borrowed(text) => text.to_owned(),
        Cow::Owned(text) => text,
    }
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
