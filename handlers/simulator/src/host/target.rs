//! The target of a request as the host's server reads it: dots resolved, escapes undone and done again.
//! It never decodes an escaped slash.

/// Path and query of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// Decoded but for `%2F`, without dot segments.
    pub(super) path: String,
    /// Names and values, decoded, in order; values of one name are together.
    pub(super) query: Vec<(String, Vec<String>)>,
    /// As it came, without the question mark.
    pub(super) raw_query: Option<String>,
}

impl Target {
    pub(super) fn parse(text: &str) -> Self {
        let (path, raw_query) = match text.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (text, None),
        };
        let mut query: Vec<(String, Vec<String>)> = Vec::new();
        for pair in raw_query.iter().flat_map(|query| query.split('&')).filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode_form(name), decode_form(value));
            match query.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(&name)) {
                Some((_, values)) => values.push(value),
                None => query.push((name, vec![value])),
            }
        }
        Self { path: without_dots(&decode(path, |byte| byte == b'/')), query, raw_query }
    }

    /// The first value of a name, in any case.
    pub(super) fn query_value(&self, name: &str) -> Option<String> {
        let (_, values) = self.query.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        values.first().cloned()
    }

    /// The path as it is sent on.
    pub(super) fn encoded_path(&self) -> String {
        // A percent sign that begins an escape stayed one.
        let bytes = self.path.as_bytes();
        let is_escape = |at: usize| bytes.get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit));
        let mut out = String::new();
        for (at, byte) in bytes.iter().enumerate() {
            let plain = byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(byte);
            if plain || (*byte == b'%' && is_escape(at)) {
                out.push(char::from(*byte));
            } else {
                out.push_str(&format!("%{byte:02X}"));
            }
        }
        out
    }

    /// Path and query as a forwarded request has them: values of one name joined with commas.
    pub(super) fn forwarded(&self) -> String {
        let pair = |(name, values): &(String, Vec<String>)| {
            format!("{}={}", encode_query(name), encode_query(&values.join(",")))
        };
        let query = self.query.iter().map(pair).collect::<Vec<_>>().join("&");
        let path = self.encoded_path();
        if query.is_empty() { path } else { format!("{path}?{query}") }
    }
}

/// Undoes escapes but for those that `keep` names; bytes that are no text stay escaped.
fn decode(text: &str, keep: impl Fn(u8) -> bool) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let escaped = hex.filter(|_| *first == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match escaped.filter(|byte| !keep(*byte)) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

fn decode_form(text: &str) -> String {
    decode(&text.replace('+', " "), |_| false)
}

/// What may not stand in a query is escaped. *assumed* for the characters that would end or split it.
fn encode_query(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => out.push(char::from(byte)),
            _ if b"-._~!$'()*,;:@/?[]".contains(&byte) => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    for (place, part) in parts.iter().enumerate() {
        let last = place + 1 == parts.len();
        match *part {
            "." | ".." => {
                if *part == ".." {
                    kept.pop();
                }
                if last {
                    kept.push("");
                }
            }
            other => kept.push(other),
        }
    }
    format!("/{}", kept.join("/"))
}
