//! Lets time pass for the handler without anybody waiting: all that it remembers of regions, recovery plans and failovers is made older,
//! which is the same to it, because it remembers nothing but in its store, and goes by this machine's time.
//! It never touches a ledger, a policy or what other systems are told, and is used only while nothing of the handler's is under way.

use jiff::{SignedDuration, Timestamp};
use lifeboat_simulator::azure::blobs::Blobs;
use serde_json::Value;

use super::control::CONTAINER;

/// The folders of what goes by the time since something happened.
const FOLDERS: [&str; 4] = ["signals/", "declarations/", "readiness/", "sagas/"];
/// What is told by others' ids and stays as it was told.
const TOLD: &str = "outbox";

/// Makes it older.
pub fn age(blobs: &Blobs, by: SignedDuration) {
    for name in blobs.names(CONTAINER) {
        let is_ours = FOLDERS.iter().any(|folder| name.starts_with(folder)) && name.ends_with(".json");
        let Some(bytes) = is_ours.then(|| blobs.bytes(CONTAINER, &name)).flatten() else { continue };
        let Ok(mut record) = serde_json::from_slice::<Value>(&bytes) else { continue };
        make_older(&mut record, by);
        blobs.put(CONTAINER, &name, record.to_string());
    }
}

fn make_older(value: &mut Value, by: SignedDuration) {
    match value {
        Value::String(text) => *text = older(text, by),
        Value::Array(items) => items.iter_mut().for_each(|item| make_older(item, by)),
        Value::Object(fields) => {
            fields.iter_mut().filter(|(name, _)| *name != TOLD).for_each(|(_, value)| make_older(value, by));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The text with every moment in it so much earlier.
fn older(text: &str, by: SignedDuration) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, moment, after)) = next_moment(rest) {
        out.push_str(before);
        out.push_str(&moment.checked_sub(by).unwrap_or(moment).to_string());
        rest = after;
    }
    out + rest
}

/// The first moment in a text, as records write it: `2026-11-22T10:01:00Z`, with or without a fraction.
fn next_moment(text: &str) -> Option<(&str, Timestamp, &str)> {
    const DATE_CHARS: usize = 10;
    for (at, _) in text.match_indices('T') {
        let Some(from) = at.checked_sub(DATE_CHARS).filter(|from| text.is_char_boundary(*from)) else { continue };
        let is_of_one = |c: char| c.is_ascii_digit() || matches!(c, ':' | '.');
        let end = text[at + 1..].find(|c| !is_of_one(c)).map(|end| at + 1 + end);
        let Some(end) = end.filter(|end| text[*end..].starts_with('Z')) else { continue };
        if let Ok(moment) = text[from..=end].parse() {
            return Some((&text[..from], moment, &text[end + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifeboat_simulator::clock::Clock;

    #[test]
    fn every_moment_becomes_older_and_nothing_else_changes() {
        let by = SignedDuration::from_mins(5);
        for (text, then) in [
            ("2026-11-22T10:01:00Z", "2026-11-22T09:56:00Z"),
            ("task T since 2026-11-22T00:01:00.25Z until -", "task T since 2026-11-21T23:56:00.25Z until -"),
            ("a 2026-11-22T10:01:00Z 2026-11-22T10:06:00Z b", "a 2026-11-22T09:56:00Z 2026-11-22T10:01:00Z b"),
            ("lb-daily-20261122T0200Z-1, Tuesday, ÄT1Z", "lb-daily-20261122T0200Z-1, Tuesday, ÄT1Z"),
        ] {
            assert_eq!(older(text, by), then);
        }
    }

    #[test]
    fn what_was_told_and_what_lies_elsewhere_stays() {
        let blobs = Blobs::new(Clock::wall());
        blobs.create_container(CONTAINER);
        let record = r#"{"at":"2026-11-22T10:01:00Z","outbox":[{"id":"x/2026-11-22T10:01:00Z"}]}"#;
        for name in ["sagas/shop.json", "ledger/shop.json"] {
            blobs.put(CONTAINER, name, record);
        }
        age(&blobs, SignedDuration::from_mins(1));
        let read = |name| String::from_utf8(blobs.bytes(CONTAINER, name).unwrap().to_vec()).unwrap();
        assert_eq!(
            read("sagas/shop.json"),
            r#"{"at":"2026-11-22T10:00:00Z","outbox":[{"id":"x/2026-11-22T10:01:00Z"}]}"#
        );
        assert_eq!(read("ledger/shop.json"), record);
    }
}
