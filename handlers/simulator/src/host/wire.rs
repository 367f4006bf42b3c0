//! HTTP/1.1 by hand, so that order and case of headers are the recorded ones: requests and answers with their whole bodies.
//! It never interprets a header but those that frame a body, and never reads past a limit.

use bytes::Bytes;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Largest head of a message, in bytes: twice what Kestrel takes (32 KiB), so that our own limit never decides.
const HEAD_BYTES: usize = 64 * 1024;
/// Largest body of an answer, in bytes. The real host stops at 2 GB; a test machine should stop earlier.
const ANSWER_BYTES: usize = 512 * 1024 * 1024;
/// Largest body of a request, in bytes: the host's default limit.
pub(super) const REQUEST_BYTES: usize = 104_857_600;

/// A request with headers in order and in their case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawRequest {
    /// The method.
    pub method: String,
    /// Path and query as in the request line.
    pub target: String,
    /// Names and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body, without chunk framing.
    pub body: Bytes,
}

/// An answer with headers in order and in their case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawResponse {
    /// The status.
    pub status: u16,
    /// Names and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body, without chunk framing.
    pub body: Bytes,
}

/// Why an exchange with the handler has no whole answer. None of them says whether the handler acted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Nobody listens; nothing was sent, so a repeat is safe.
    #[error("Connection refused")]
    Refused,
    /// The connection was closed before the first byte of the answer.
    #[error("The response ended prematurely. (ResponseEnded)")]
    Ended,
    /// The connection was reset before the first byte of the answer.
    #[error("Unable to read data from the transport connection: Connection reset by peer.")]
    Reset,
    /// The connection broke inside the body.
    #[error("Error while copying content to a stream.")]
    BrokenBody,
    /// What came is not HTTP/1.1, or is too large.
    #[error("Received an invalid answer.")]
    Invalid,
}

/// The head of a message and how its body is framed.
struct Head {
    first: String,
    headers: Vec<(String, String)>,
}

impl RawRequest {
    /// A request without headers and body.
    pub fn new(method: impl Into<String>, target: impl Into<String>) -> Self {
        Self { method: method.into(), target: target.into(), headers: Vec::new(), body: Bytes::new() }
    }

    /// Adds a header at the end.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// Whether the body comes in chunks.
    pub fn is_chunked(&self) -> bool {
        self.header("transfer-encoding").is_some_and(|value| value.to_ascii_lowercase().contains("chunked"))
    }

    /// The bytes on the wire.
    pub fn to_bytes(&self) -> Vec<u8> {
        let first = format!("{} {} HTTP/1.1", self.method, self.target);
        message(&first, &self.headers, &self.body, self.is_chunked())
    }
}

impl RawResponse {
    /// An answer without headers and body.
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new() }
    }

    /// Adds a header at the end.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// The first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// The bytes on the wire.
    pub fn to_bytes(&self) -> Vec<u8> {
        let reason = reason(self.status);
        let chunked = self.header("transfer-encoding").is_some();
        message(&format!("HTTP/1.1 {} {reason}", self.status), &self.headers, &self.body, chunked)
    }
}

/// The reason phrase of a status, as .NET knows it.
pub(super) fn reason(status: u16) -> &'static str {
    http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("")
}

/// Reads an answer to a request of this method.
pub(super) async fn read_response(
    stream: &mut (impl AsyncBufRead + Unpin),
    method: &str,
) -> Result<RawResponse, WireError> {
    loop {
        let head = read_head(stream).await?.ok_or(WireError::Ended)?;
        let status =
            head.first.split(' ').nth(1).and_then(|text| text.parse::<u16>().ok()).ok_or(WireError::Invalid)?;
        if (100..200).contains(&status) {
            continue;
        }
        let bare = method == "HEAD" || status == 204 || status == 304;
        let unframed =
            find(&head.headers, "content-length").is_none() && find(&head.headers, "transfer-encoding").is_none();
        let body = match (bare, unframed) {
            (true, _) => Bytes::new(),
            (false, true) => read_to_end(stream).await?,
            (false, false) => read_body(stream, &head.headers, ANSWER_BYTES).await?,
        };
        return Ok(RawResponse { status, headers: head.headers, body });
    }
}

/// Reads a request; `None` when the client has closed the connection between two.
pub async fn read_request(
    stream: &mut (impl AsyncBufRead + AsyncWrite + Unpin),
) -> Result<Option<RawRequest>, WireError> {
    let Some(head) = read_head(stream).await? else { return Ok(None) };
    let mut words = head.first.split(' ');
    let (Some(method), Some(target), Some(_)) = (words.next(), words.next(), words.next()) else {
        return Err(WireError::Invalid);
    };
    if find(&head.headers, "expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
        let ready = async {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
            stream.flush().await
        };
        ready.await.map_err(|_| WireError::BrokenBody)?;
    }
    let (method, target) = (method.to_owned(), target.to_owned());
    let body = read_body(stream, &head.headers, REQUEST_BYTES).await?;
    Ok(Some(RawRequest { method, target, headers: head.headers, body }))
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

fn message(first: &str, headers: &[(String, String)], body: &[u8], chunked: bool) -> Vec<u8> {
    let mut bytes = format!("{first}\r\n").into_bytes();
    for (name, value) in headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    match (chunked, body.is_empty()) {
        (false, _) => bytes.extend_from_slice(body),
        (true, true) => bytes.extend_from_slice(b"0\r\n\r\n"),
        (true, false) => {
            bytes.extend_from_slice(format!("{:x}\r\n", body.len()).as_bytes());
            bytes.extend_from_slice(body);
            bytes.extend_from_slice(b"\r\n0\r\n\r\n");
        }
    }
    bytes
}

async fn read_head(stream: &mut (impl AsyncBufRead + Unpin)) -> Result<Option<Head>, WireError> {
    let mut lines: Vec<String> = Vec::new();
    let mut size = 0;
    loop {
        let mut line = Vec::new();
        let read = (&mut *stream).take(HEAD_BYTES as u64).read_until(b'\n', &mut line).await.map_err(broken_before)?;
        size += read;
        match (read, lines.is_empty()) {
            (0, true) => return Ok(None),
            (0, false) => return Err(WireError::Ended),
            _ if size > HEAD_BYTES || line.last() != Some(&b'\n') => return Err(WireError::Invalid),
            _ => {}
        }
        let line = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
        match (line.is_empty(), lines.is_empty()) {
            (true, true) => {} // Blank lines before a message are skipped.
            (true, false) => break,
            (false, _) => lines.push(line),
        }
    }
    let mut lines = lines.into_iter();
    let first = lines.next().ok_or(WireError::Invalid)?;
    let header = |line: String| line.split_once(':').map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
    let headers = lines.map(header).collect::<Option<Vec<_>>>().ok_or(WireError::Invalid)?;
    Ok(Some(Head { first, headers }))
}

fn broken_before(error: std::io::Error) -> WireError {
    if error.kind() == std::io::ErrorKind::ConnectionReset { WireError::Reset } else { WireError::Ended }
}

async fn read_body(
    stream: &mut (impl AsyncBufRead + Unpin),
    headers: &[(String, String)],
    limit: usize,
) -> Result<Bytes, WireError> {
    let broken = |_| WireError::BrokenBody;
    if find(headers, "transfer-encoding").is_some_and(|value| value.to_ascii_lowercase().contains("chunked")) {
        return read_chunks(stream, limit).await;
    }
    let Some(length) = find(headers, "content-length") else { return Ok(Bytes::new()) };
    let length = length.parse::<usize>().ok().filter(|length| *length <= limit).ok_or(WireError::Invalid)?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.map_err(broken)?;
    Ok(body.into())
}

async fn read_chunks(stream: &mut (impl AsyncBufRead + Unpin), limit: usize) -> Result<Bytes, WireError> {
    let broken = |_| WireError::BrokenBody;
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        (&mut *stream).take(HEAD_BYTES as u64).read_line(&mut line).await.map_err(broken)?;
        let size = line.trim().split(';').next().and_then(|text| usize::from_str_radix(text, 16).ok());
        let size = size.filter(|size| size.saturating_add(body.len()) <= limit);
        let size = size.ok_or(if line.is_empty() { WireError::BrokenBody } else { WireError::Invalid })?;
        let start = body.len();
        body.resize(start + size, 0);
        stream.read_exact(&mut body[start..]).await.map_err(broken)?;
        let mut end = String::new();
        (&mut *stream).take(HEAD_BYTES as u64).read_line(&mut end).await.map_err(broken)?;
        if size == 0 {
            // Trailers, which nothing here needs, end with a blank line.
            while !end.trim().is_empty() {
                end.clear();
                (&mut *stream).take(HEAD_BYTES as u64).read_line(&mut end).await.map_err(broken)?;
            }
            return Ok(body.into());
        }
    }
}

async fn read_to_end(stream: &mut (impl AsyncBufRead + Unpin)) -> Result<Bytes, WireError> {
    let mut body = Vec::new();
    (&mut *stream).take(ANSWER_BYTES as u64).read_to_end(&mut body).await.map_err(|_| WireError::BrokenBody)?;
    Ok(body.into())
}
