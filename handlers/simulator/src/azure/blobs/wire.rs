//! Words of HTTP that the blob service and the broker share: dates, paths, XML text, ids and cut connections.
//! It never holds state, never reads a clock and never knows which service speaks.

use std::io;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use jiff::Timestamp;
use jiff::fmt::rfc2822::{DateTimeParser, DateTimePrinter};

/// Extension on a response that stands for a broken connection. A transport inside the process turns it into an
/// IO error; over TCP the body fails at once, so that the server drops the connection before any byte is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionReset;

/// The response that carries [`ConnectionReset`].
pub(crate) fn reset_response() -> Response {
    let cut = futures::stream::once(async {
        Err::<Bytes, _>(io::Error::new(io::ErrorKind::ConnectionReset, "the simulated connection broke"))
    });
    let mut response = Response::new(Body::from_stream(cut));
    // A server does not look at the body that answers HEAD, so there the status must say it: one that a client repeats.
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response.extensions_mut().insert(ConnectionReset);
    response
}

/// An HTTP date as in `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(crate) fn http_date(at: Timestamp) -> String {
    DateTimePrinter::new().timestamp_to_rfc9110_string(&at).unwrap_or_default()
}

/// Reads an HTTP date or any other RFC 2822 date.
pub(crate) fn parse_date(text: &str) -> Option<Timestamp> {
    static PARSER: DateTimeParser = DateTimeParser::new();
    PARSER.parse_timestamp(text.trim()).ok()
}

/// Undoes percent-encoding; `None` when the bytes are not UTF-8 or an escape is cut short.
pub(crate) fn percent_decode(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let high = char::from(rest.next()?).to_digit(16)?;
        let low = char::from(rest.next()?).to_digit(16)?;
        decoded.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(decoded).ok()
}

/// Text made safe inside an XML element or attribute; characters that XML 1.0 cannot carry become U+FFFD.
pub(crate) fn escape_xml(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\t' | '\n' | '\r' => safe.push(c),
            c if c < ' ' => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

/// A GUID made of a `family` and a count, so that two runs name the same things alike.
pub(crate) fn guid(family: u32, count: u64) -> String {
    let high = count >> 48;
    let low = count & 0xffff_ffff_ffff;
    format!("{family:08x}-0000-4000-{:04x}-{low:012x}", 0x8000 | (high & 0x3fff))
}

/// Whether `text` is a GUID in one of the two formats that clients send: bare or in braces.
pub(crate) fn is_guid(text: &str) -> bool {
    uuid::Uuid::try_parse(text).is_ok()
}

/// The token of an `Authorization: Bearer …` header.
pub(crate) fn bearer(headers: &http::HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty()).then(|| token.trim())
}
