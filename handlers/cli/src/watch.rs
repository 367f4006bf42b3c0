//! `lifeboat watch`: shows the events that other systems are told, as the topic accepts them, by the operator's own sign-in.
//! It never changes anything, and never asks the topic: the handler notes in the store what was accepted.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use lifeboat_execution::operator::Operator;
use lifeboat_execution::outbox::Told;
use lifeboat_execution::{ARM_URL, Connections};
use serde_json::{Value, json};

use crate::output::{self, Form, Outcome};

/// How often the store is asked: four small requests, and a person does not wait longer for news.
const ASKED_EVERY: Duration = Duration::from_secs(5);
/// Readings in a row that may fail before the command gives up: a minute.
const FAILURES_MAX: u32 = 12;

/// Shows what other systems are told, as it is accepted.
///
/// First the events that were told last, some two hundred at most, then each new one, until Ctrl-C. You act by your own sign-in
/// (`az login`) and need the right to read the store. Nothing is shown of a deployment without a topic (LIFEBOAT_EVENTS_URL), nor of
/// events that the topic has not accepted yet: an alarm tells of those.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lifeboat watch --store https://acct.blob.core.windows.net/lifeboat
  lifeboat watch --once --output json --store https://acct.blob.core.windows.net/lifeboat

With `--output json` each event is one line: when it was accepted, and the event as it was sent.

Exit codes: 0 shown, 1 the store did not answer, 2 the command line was not understood.")]
pub struct WatchArgs {
    /// The container that is the store.
    #[arg(long, value_name = "URL")]
    store: String,
    /// Shows what was told last, and ends.
    #[arg(long)]
    once: bool,
    /// How events are written.
    #[arg(long, value_enum, default_value_t)]
    output: Form,
}

/// Runs the command.
pub async fn run(args: &WatchArgs) -> Result<Outcome> {
    let operator = Operator::connect(&Connections::signed_in(), ARM_URL, &args.store)?;
    let mut shown = BTreeSet::new();
    let first = output::with_progress("asking the store", operator.told()).await;
    show(&first.context("the store did not answer")?, &mut shown, args.output);
    if args.once {
        return Ok(Outcome::Held);
    }
    let follow = async {
        let mut failures = 0;
        loop {
            tokio::time::sleep(ASKED_EVERY).await;
            match operator.told().await {
                Ok(told) => {
                    failures = 0;
                    show(&told, &mut shown, args.output);
                }
                Err(error) => {
                    failures += 1;
                    if failures >= FAILURES_MAX {
                        return Err(error);
                    }
                }
            }
        }
    };
    tokio::select! {
        failed = follow => failed.context("the store does not answer any more"),
        // Whoever has seen enough ends it: that is no error.
        _ended = tokio::signal::ctrl_c() => Ok(Outcome::Held),
    }
}

/// Shows what was not shown yet, and forgets what the store has forgotten, so that nothing grows.
fn show(told: &[Told], shown: &mut BTreeSet<String>, form: Form) {
    for one in told.iter().filter(|one| !shown.contains(&id(one))) {
        output::say(line(one, form));
    }
    *shown = told.iter().map(id).collect();
}

fn id(told: &Told) -> String {
    told.event["id"].as_str().unwrap_or_default().to_owned()
}

fn line(told: &Told, form: Form) -> String {
    match form {
        Form::Json => json!({ "at": told.at, "event": told.event }).to_string(),
        Form::Text => text(told),
    }
}

/// Time, kind, what it is about, and its data in short.
fn text(told: &Told) -> String {
    let event = &told.event;
    let word = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
    let kind = word("type");
    let kind = kind.trim_start_matches("io.lifeboat.");
    let subject = word("subject");
    let about = if subject.starts_with("/subscriptions/") { last(&subject) } else { subject.as_str() };
    let data = event["data"].as_object().into_iter().flatten();
    let fields: Vec<String> =
        data.filter_map(|(name, value)| Some(format!("{name} {}", short(value, &subject)?))).collect();
    format!("{}  {kind}  {about}  {}", word("time"), fields.join(", "))
}

/// A value as a person reads it; none where it says again what the event is about.
fn short(value: &Value, subject: &str) -> Option<String> {
    match value {
        Value::String(text) if text == subject => None,
        Value::String(text) if text.starts_with("/subscriptions/") => Some(last(text).to_owned()),
        Value::String(text) => Some(text.clone()),
        Value::Array(items) if items.is_empty() => None,
        Value::Array(items) => Some(items.iter().filter_map(|item| short(item, "")).collect::<Vec<_>>().join("; ")),
        other => Some(other.to_string()),
    }
}

fn last(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use lifeboat_contract::events::{examples, source, with_source};

    use super::*;

    #[test]
    fn each_kind_of_event_is_one_line_in_both_forms() {
        let at = "2026-11-22T02:00:00Z".parse().expect("a time");
        for event in examples(at) {
            let told = Told { at, event: with_source(event.to_json(), &source("lb-weu", "e5")) };
            let (text, json) = (line(&told, Form::Text), line(&told, Form::Json));
            assert!(!text.contains('\n') && !json.contains('\n'), "{text}");
            assert!(text.contains(event.happening.word()) && !text.contains("/subscriptions/"), "{text}");
            let read: Value = serde_json::from_str(&json).expect("JSON");
            assert_eq!(read["event"]["id"], event.id.as_str());
        }
    }

    #[test]
    fn what_is_shown_once_is_not_shown_again() {
        let at = "2026-11-22T02:00:00Z".parse().expect("a time");
        let told = |n: u32| Told { at, event: json!({ "id": n.to_string() }) };
        let mut shown = BTreeSet::new();
        show(&[told(1), told(2)], &mut shown, Form::Json);
        show(&[told(2), told(3)], &mut shown, Form::Json);
        assert_eq!(shown.into_iter().collect::<Vec<_>>(), ["2", "3"]);
    }
}
