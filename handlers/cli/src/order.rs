//! `lifeboat hold` and `lifeboat stop`: orders that only add safety, to the handler's `Api`, which takes them from whoever has its key.
//! It never releases, resumes or closes anything: that it only asks, and tells that a person with a name must order it.

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};

use crate::handler_api::{self, HandlerArgs};
use crate::output::{self, Form, Outcome};
use crate::settings::Settings;

/// Keeps a point: nothing of Lifeboat's deletes it until a person releases it.
///
/// The point is one that this deployment made, by its ARM id (`lifeboat points --output json` has them). The hold is written on the
/// point in Azure first, and then in the store. Releasing it needs a person with a name.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lifeboat hold /subscriptions/…/restorePointCollections/lb-…/restorePoints/lb-daily-… --reason 'audit of march'
  lifeboat hold /subscriptions/…/snapshots/lb-daily-… --reason 'audit' --url https://my-app.azurewebsites.net

Which holds there are, `lifeboat status` says.

Exit codes: 0 it is held, 1 it is not, and why is said, 2 the command line was not understood.")]
pub struct HoldArgs {
    /// ARM id of the point.
    point: String,
    /// Why, in your words.
    #[arg(long, value_name = "TEXT", required_unless_present = "release")]
    reason: Option<String>,
    /// Asks to release it instead.
    #[arg(long, conflicts_with = "reason")]
    release: bool,
    #[command(flatten)]
    handler: HandlerArgs,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t)]
    output: Form,
}

/// Stops all changes that Lifeboat makes.
///
/// Points are not made, protected or deleted any more; what is seen is still told. The switch is read again before each change. Letting
/// changes go on needs a person with a name.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lifeboat stop --reason 'disks are moved' --url https://my-app.azurewebsites.net

Whether changes are stopped, `lifeboat status` says.

Exit codes: 0 they are stopped, 1 they are not, and why is said, 2 the command line was not understood.")]
pub struct StopArgs {
    /// Why, in your words.
    #[arg(long, value_name = "TEXT", required_unless_present = "resume")]
    reason: Option<String>,
    /// Asks to let changes go on instead.
    #[arg(long, conflicts_with = "reason")]
    resume: bool,
    #[command(flatten)]
    handler: HandlerArgs,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t)]
    output: Form,
}

/// Runs `lifeboat hold`.
pub async fn hold(args: &HoldArgs, settings: &Settings) -> Result<Outcome> {
    let path = if args.release { "/api/release" } else { "/api/hold" };
    let body = json!({ "point": args.point, "reason": args.reason.as_deref().unwrap_or_default() });
    order(&args.handler, settings, args.output, (path, "asking for the hold", &body), held).await
}

/// Runs `lifeboat stop`.
pub async fn stop(args: &StopArgs, settings: &Settings) -> Result<Outcome> {
    let path = if args.resume { "/api/resume" } else { "/api/stop" };
    let reason = args.reason.as_deref().unwrap_or_default();
    let told = |answer: &Value| stopped(answer, reason);
    let body = json!({ "reason": reason });
    order(&args.handler, settings, args.output, (path, "asking for the stop", &body), told).await
}

async fn order(
    handler: &HandlerArgs,
    settings: &Settings,
    form: Form,
    (path, doing, body): (&str, &str, &Value),
    told: impl Fn(&Value) -> Vec<String>,
) -> Result<Outcome> {
    let answer = output::with_progress(doing, handler.ask(settings, path, Some(body))).await?;
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let held = answer.is_success();
    match form {
        Form::Json => output::say_json(&json!({ "ok": held, "status": answer.status, "answer": said })),
        Form::Text if held => told(&said).iter().for_each(output::say),
        Form::Text => output::tell(format_args!("lifeboat: {}", handler_api::refusal(&answer))),
    }
    Ok(if held { Outcome::Held } else { Outcome::DidNotHold })
}

fn text<'a>(answer: &'a Value, name: &str) -> &'a str {
    answer[name].as_str().unwrap_or("(not told)")
}

fn held(answer: &Value) -> Vec<String> {
    vec![
        format!("Held since {}: {}", text(answer, "heldAt"), text(answer, "point")),
        format!("because: {} (hold {})", text(answer, "reason"), text(answer, "id")),
        certain(answer, "a deletion that was on its way may still come through"),
    ]
}

fn stopped(answer: &Value, reason: &str) -> Vec<String> {
    let mut lines = vec![
        format!("All changes are stopped since {}", text(answer, "stoppedAt")),
        format!("because: {}", text(answer, "reason")),
    ];
    if answer["reason"].as_str() != Some(reason) {
        lines.push("They were stopped before: that moment and that reason stay.".to_owned());
    }
    lines.push(certain(answer, "a change that was on its way may still come through"));
    lines
}

fn certain(answer: &Value, until_then: &str) -> String {
    format!("It is certain from {} on; until then {until_then}.", text(answer, "confirmedFrom"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_is_told_with_the_moment_from_which_it_is_certain() {
        let answer = json!({ "heldAt": "T0", "point": "/p", "reason": "audit", "id": "h", "confirmedFrom": "T1" });
        let lines = held(&answer).join("\n");
        assert!(lines.contains("Held since T0: /p") && lines.contains("certain from T1 on"), "{lines}");
    }

    #[test]
    fn a_second_stop_is_told_to_keep_the_first() {
        let answer = json!({ "stoppedAt": "T0", "reason": "first", "confirmedFrom": "T1" });
        assert_eq!(stopped(&answer, "first").len(), 3);
        let again = stopped(&answer, "second");
        assert!(again.iter().any(|line| line.contains("They were stopped before")), "{again:?}");
    }
}
