//! What scenarios say about the topic that Lifeboat tells other systems on.
//! It never shows an event whole: its kind, what it is about, and its data in short.
//!
//! ```text
//! topic on                 from now on the handler, started anew, tells what it does
//! topic busy|down|good     429, 503, and well again
//! told                     what the topic accepted since the last time
//! ```

use std::collections::BTreeSet;

use lifeboat_simulator::azure::TopicTrouble;
use lifeboat_tests::Rig;
use serde_json::Value;

/// What a line asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    On,
    Busy,
    Down,
    Good,
    Told,
}

/// Reads a line; none when it is about something else.
pub fn read(words: &[&str]) -> Option<Result<Topic, String>> {
    Some(match words {
        ["topic", "on"] => Ok(Topic::On),
        ["topic", "busy"] => Ok(Topic::Busy),
        ["topic", "down"] => Ok(Topic::Down),
        ["topic", "good"] => Ok(Topic::Good),
        ["told"] => Ok(Topic::Told),
        ["topic", ..] => Err("topic on|busy|down|good".to_owned()),
        _ => return None,
    })
}

/// Does what the line asks for; the lines that show what came of it.
pub async fn act(rig: &mut Rig, line: &Topic) -> Vec<String> {
    let topic = rig.azure.topic.clone();
    match line {
        Topic::On => {
            rig.tells_events();
            rig.host_off(false).await;
            rig.host_on().await;
        }
        // Longer than a call waits, so that the sweep tells.
        Topic::Busy => topic.trouble(TopicTrouble::Throttled { seconds: 60 }, None),
        Topic::Down => topic.trouble(TopicTrouble::Unavailable, None),
        Topic::Good => topic.clear_troubles(),
        Topic::Told => return told(rig),
    }
    Vec::new()
}

fn told(rig: &Rig) -> Vec<String> {
    let accepted = rig.azure.topic.accepted();
    let mut seen = BTreeSet::new();
    let mut lines = Vec::new();
    for one in &accepted {
        let event = &one.event;
        let text = |name: &str| event[name].as_str().unwrap_or("?").to_owned();
        let again = if seen.insert(text("id")) { "" } else { " (again)" };
        let kind = text("type").trim_start_matches("io.lifeboat.").to_owned();
        let about = text("subject").rsplit('/').next().unwrap_or_default().to_owned();
        lines.push(format!("  {} {kind} of {about}{again}: {}", text("time"), short(&event["data"])));
    }
    if lines.is_empty() {
        lines.push("  nothing was told".to_owned());
    }
    lines
}

/// The data in a line, ids shortened to what they end with.
fn short(data: &Value) -> String {
    let end = |text: &str| text.rsplit('/').next().unwrap_or_default().to_owned();
    let value = |value: &Value| match value {
        Value::String(text) if text.starts_with("/subscriptions/") => end(text),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).map(end).collect::<Vec<_>>().join("+"),
        other => other.to_string(),
    };
    let fields = data.as_object().into_iter().flatten();
    fields.map(|(name, one)| format!("{name} {}", value(one))).collect::<Vec<_>>().join(", ")
}
