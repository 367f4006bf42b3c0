//! `lifeboat status`: asks the deployed handler how it does, and shows its answer as a table.
//! It never judges: what needs a person is what the handler says needs one.

use anyhow::{Context, Result, ensure};
use clap::Args;
use comfy_table::{Table, presets};
use lifeboat_contract::status::{PolicyMode, PolicyStatus, RecoveryPlanStatus, Status, VERSION};
use serde_json::Value;

use crate::handler_api::{self, HandlerArgs};
use crate::output::{self, Form, Outcome};
use crate::send;
use crate::settings::Settings;

/// Tells how a deployment does: its policies, its last sweep, its points, holds, and what needs a person.
///
/// The handler is asked, through its Functions app and with a function key of it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  LIFEBOAT_KEY=… LIFEBOAT_AUDIENCE=api://… lifeboat status --url https://my-app.azurewebsites.net
  lifeboat status --output json | jq .attention

Exit codes: 0 nothing needs a person, 1 something does, or nobody answered, 2 the command line was not understood.")]
pub struct StatusArgs {
    #[command(flatten)]
    handler: HandlerArgs,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t)]
    output: Form,
}

/// Runs the command.
pub async fn run(args: &StatusArgs, settings: &Settings) -> Result<Outcome> {
    let token = send::token_where_known(settings).await?;
    let asking = args.handler.ask_as(settings, "/api/status", None, token.as_deref());
    let answer = output::with_progress("asking the handler", asking).await?;
    ensure!(answer.is_success(), handler_api::refusal(&answer));
    let body: Value = serde_json::from_slice(&answer.body).context("what answered is no handler: no JSON")?;
    ensure!(
        body["version"].as_u64().is_some_and(|version| version <= u64::from(VERSION)),
        "the answer is of a later release, or of something else; this release reads up to version {VERSION}"
    );
    let status: Status = serde_json::from_value(body.clone()).context("what answered is no handler of ours")?;
    match args.output {
        Form::Json => output::say_json(&body),
        Form::Text => text(&status).iter().for_each(output::say),
    }
    Ok(if status.attention.is_empty() { Outcome::Held } else { Outcome::DidNotHold })
}

fn text(status: &Status) -> Vec<String> {
    let mut facts = table();
    facts.add_row(["deployment", &status.deployment]);
    facts.add_row(["as of", &status.at.to_string()]);
    let build = &status.build;
    facts.add_row(["running", &format!("release {}, build {}, since {}", build.version, build.id, build.started)]);
    facts.add_row(["policies", &policies(&status.policy)]);
    let swept = status.last_sweep.as_ref().map_or_else(
        || "none was completed yet".to_owned(),
        |sweep| {
            let (number, found, queued) = (sweep.number, sweep.found, sweep.queued);
            format!("number {number}, completed {}: {found} machines, work for {queued}", sweep.completed)
        },
    );
    facts.add_row(["last sweep", &swept]);
    let points = &status.points;
    let (succeeded, in_progress, failed) = (points.succeeded, points.in_progress, points.failed);
    facts.add_row(["points", &format!("{succeeded} succeeded, {in_progress} in progress, {failed} failed")]);
    for plan in &status.recovery_plans {
        facts.add_row(["recovery plan", &recovery_plan(plan)]);
    }
    let mut lines = shown(&facts);
    if status.holds_total > 0 {
        let mut held = table();
        held.set_header(["HELD SINCE", "POINT", "BECAUSE"]);
        for hold in &status.holds {
            held.add_row([hold.since.to_string(), hold.point.clone(), hold.reason.clone()]);
        }
        lines.push(String::new());
        lines.extend(shown(&held));
        let more = status.holds_total.saturating_sub(status.holds.len() as u64);
        if more > 0 {
            lines.push(format!("and {more} more holds"));
        }
    }
    lines.push(String::new());
    if status.attention.is_empty() {
        lines.push("Nothing needs a person.".to_owned());
        return lines;
    }
    let mut attention = table();
    attention.set_header(["NEEDS A PERSON SINCE", "WHAT", "WHAT TO DO"]);
    for one in &status.attention {
        let advice = one.advice.as_deref().unwrap_or("-");
        attention.add_row([one.since.to_string().as_str(), one.what.as_str(), advice]);
    }
    lines.extend(shown(&attention));
    lines
}

fn recovery_plan(plan: &RecoveryPlanStatus) -> String {
    let phase = plan.phase.as_deref().unwrap_or("never evaluated");
    let at = plan.evaluated_at.map_or(String::new(), |at| format!(", looked at {at}"));
    let incident = plan.incident_since.map_or(String::new(), |at| format!(", an incident is open since {at}"));
    format!("{}, from {} to {}: {phase}{at}{incident}", plan.name, plan.from, plan.to)
}

fn policies(policy: &PolicyStatus) -> String {
    match policy {
        PolicyStatus::Missing { document } => format!("none: {document} is missing"),
        PolicyStatus::Unreadable { document, problems } => {
            format!("none: {document} cannot be read: {}", problems.join("; "))
        }
        PolicyStatus::InForce { name, mode, digest, others, not_read } => {
            let more =
                others.iter().map(|other| format!(", {} ({})", other.name, word(other.mode))).collect::<String>();
            let newer = if not_read.is_empty() { "" } else { "; a newer bundle cannot be read" };
            format!("{name} ({}){more}; bundle {digest}{newer}", word(*mode))
        }
    }
}

fn word(mode: PolicyMode) -> &'static str {
    match mode {
        PolicyMode::Report => "report",
        PolicyMode::Enforce => "enforce",
    }
}

fn table() -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table
}

fn shown(table: &Table) -> Vec<String> {
    table.lines().map(|line| line.trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_handlers_golden_answer_is_shown_whole() {
        let golden = include_str!("../../contract/golden/status.v1.json");
        let lines = text(&serde_json::from_str(golden).unwrap()).join("\n");
        for part in [
            "lb-weu",
            "production (enforce); bundle 9f2c",
            "number 7, completed 2026-11-22T02:00:03Z: 12 machines, work for 1",
            "8 succeeded, 1 in progress, 0 failed",
            "audit of march",
            "3 machines are covered by no policy",
            "widen spec.match or tag them",
        ] {
            assert!(lines.contains(part), "{part} is not in\n{lines}");
        }
        assert!(lines.lines().all(|line| line == line.trim_end()), "{lines}");
    }

    #[test]
    fn policies_that_are_not_in_force_are_told_with_why() {
        let missing = PolicyStatus::Missing { document: "policies/current.json".into() };
        assert_eq!(policies(&missing), "none: policies/current.json is missing");
        let spoilt = PolicyStatus::Unreadable { document: "b".into(), problems: vec!["one".into(), "two".into()] };
        assert_eq!(policies(&spoilt), "none: b cannot be read: one; two");
    }
}
