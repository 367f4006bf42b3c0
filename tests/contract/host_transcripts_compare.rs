//! Equal but for what changes from run to run: the list of those values is here, and nowhere else.
//! It never makes two different shapes equal.

use lifeboat_simulator::host::{RawRequest, RawResponse};

/// Members of bodies that change from run to run; their values are replaced.
const VARYING_MEMBERS: [&str; 8] =
    ["UtcNow", "RandGuid", "Last", "LastUpdated", "LockToken", "SequenceNumber", "InstanceId", "processUptime"];
/// What a timer says that never ran: it does not vary.
const NEVER: &str = "0001-01-01T00:00:00+00:00";
/// Headers of answers that change from run to run.
const VARYING_HEADERS: [&str; 1] = ["Date"];
/// The trace of the recorded caller: it must be kept, unlike those that a host makes up.
const CALLERS_TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLERS_SPAN: &str = "b7ad6b7169203331";

/// A body with its varying values replaced. Bodies that are not text stay as they are.
pub fn body(bytes: &[u8]) -> String {
    let Ok(text) = std::str::from_utf8(bytes) else { return format!("{bytes:?}") };
    let mut text = sorted_properties(text);
    for name in VARYING_MEMBERS {
        text = replaced(&text, name);
    }
    text
}

/// Request line and headers, one a line, with varying values replaced. `port` is the handler's own.
pub fn head(request: &RawRequest, port: u16) -> String {
    let mut lines = vec![format!("{} {}", request.method, request.target)];
    let own = format!("127.0.0.1:{port}");
    for (name, value) in &request.headers {
        let value = match name.as_str() {
            "Host" if *value == own => "(the handler)".to_owned(),
            "X-Azure-Functions-InvocationId" => guids(value),
            "traceparent" => trace(value),
            // Its value follows from ids of varying length.
            "Content-Length" if request.method == "POST" && request.target.matches('/').count() == 1 => {
                "(length)".to_owned()
            }
            _ => value.clone(),
        };
        lines.push(format!("{name}: {value}"));
    }
    lines.join("\n")
}

/// An answer to a client, with varying values replaced.
pub fn answer(response: &RawResponse, root: &str) -> String {
    let mut lines = vec![response.status.to_string()];
    for (name, value) in &response.headers {
        let varies = VARYING_HEADERS.contains(&name.as_str());
        // The lengths of texts that hold the folder or the up-time vary with them.
        let length = name == "Content-Length" && response.body.starts_with(b"{\"id\"");
        let folder = name == "Content-Length" && response.body.starts_with(b"{\"name\"");
        lines.push(format!("{name}: {}", if varies || length || folder { "(varies)" } else { value }));
    }
    lines.push(body(&response.body).replace(root, "{APP_ROOT}"));
    lines.join("\n")
}

/// A log line's first line with ids, process ids and durations replaced.
pub fn log(level: &str, category: &str, text: &str, root: &str) -> String {
    let first = text.lines().next().unwrap_or_default().replace(root, "{APP_ROOT}");
    let text = digits_after(&digits_after(&digits_after(&guids(&first), "Duration="), "Process "), "Pid=");
    // Long lines are cut in the transcripts.
    let text: String = text.chars().take(150).collect();
    format!("{level} {} {text}", guids(category))
}

/// Replaces everything in the form of a GUID.
fn guids(text: &str) -> String {
    let is_guid = |part: &str| {
        let groups: Vec<usize> = part.split('-').map(str::len).collect();
        groups == [8, 4, 4, 4, 12] && part.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
    };
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(part) = rest.get(..36).filter(|part| is_guid(part)) {
            out.push_str("(guid)");
            rest = &rest[part.len()..];
            continue;
        }
        let next = rest.chars().next().map_or(1, char::len_utf8);
        out.push_str(&rest[..next]);
        rest = &rest[next..];
    }
    out
}

fn digits_after(text: &str, word: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(word) {
        let after = &rest[at + word.len()..];
        let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        out.push_str(&rest[..at + word.len()]);
        out.push_str(if end > 0 { "(number)" } else { "" });
        rest = &after[end..];
    }
    out + rest
}

fn trace(value: &str) -> String {
    let parts: Vec<&str> = value.split('-').collect();
    let [version, trace, span, flags] = parts.as_slice() else { return value.to_owned() };
    let trace = if *trace == CALLERS_TRACE { trace } else { "(trace)" };
    let span = if *span == CALLERS_SPAN { span } else { "(span)" };
    format!("{version}-{trace}-{span}-{flags}")
}

/// Replaces the values of `"name":"…"` and `"name":123`.
fn replaced(text: &str, name: &str) -> String {
    let key = format!("\"{name}\":");
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(&key) {
        let start = at + key.len();
        out.push_str(&rest[..start]);
        let value = &rest[start..];
        let end = match value.strip_prefix('"') {
            Some(inner) => closing_quote(inner) + 2,
            None => value.find([',', '}']).unwrap_or(value.len()),
        };
        let never = value[..end].trim_matches('"') == NEVER;
        out.push_str(if never { &value[..end] } else { "(varies)" });
        rest = &value[end..];
    }
    out + rest
}

/// Where the quote stands that ends a JSON string.
fn closing_quote(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' if !escaped => return at,
            b'\\' if !escaped => escaped = true,
            _ => escaped = false,
        }
    }
    text.len()
}

/// The broker keeps the properties of a message in no order, so their order is not compared.
fn sorted_properties(text: &str) -> String {
    let mut out = text.to_owned();
    for name in ["ApplicationProperties", "UserProperties"] {
        let key = format!("\"{name}\":{{");
        let Some(at) = out.find(&key) else { continue };
        let start = at + key.len() - 1;
        let mut stream = serde_json::Deserializer::from_str(&out[start..]).into_iter::<serde_json::Value>();
        let Some(Ok(value)) = stream.next() else { continue };
        let end = start + stream.byte_offset();
        out.replace_range(start..end, &value.to_string());
    }
    out
}
