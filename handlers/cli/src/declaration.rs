//! `lifeboat declaration replay`: what a history of signals would have decided for a recovery plan, and why.
//! It never asks Azure, a store or a clock: the history says what arrived when, and the handler's own code decides.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};
use lifeboat_contract::declaration::{
    HISTORY_BYTES_MAX, HistoryProblem, NotSupposed, Supposed, as_json, as_lines, read_history, replay,
};
use lifeboat_contract::policy::DOCUMENT_BYTES_MAX;
use lifeboat_contract::recovery::{RecoveryPlan, read_recovery_plan};
use serde_json::{Value, json};

use crate::check;
use crate::keep::{called, read};
use crate::output::{self, Form, Outcome};

/// Declarations: when is a region lost for a recovery plan?
#[derive(Debug, Args)]
pub struct DeclarationArgs {
    #[command(subcommand)]
    command: DeclarationCommand,
}

#[derive(Debug, Subcommand)]
enum DeclarationCommand {
    Replay(ReplayArgs),
}

/// Plays a recorded or invented history of signals in virtual time, and shows each transition with all its conditions.
///
/// A history is JSON Lines, in the order of arrival: `{"at": "2026-11-22T02:00:00Z", "door": …, "body": …}`, the body as it arrives.
/// Doors: RegionAlert (an Azure Monitor alert, common schema), RegionHealthChanged (HealthResources events of Event Grid),
/// HealthPoll (`{"events": …, "availabilityStatuses": …}`, each an answer of Microsoft.ResourceHealth or a list of its pages) and
/// probe (`{"probe", "region", "kind": "http"|"tcp", "outcome": "ok"|"failed"|"notSent"}`). It is looked at after each line and once a
/// minute between, up to the last line. A fresh read of Resource Health is one that the history has; machines are known once a HealthPoll
/// names them. What no history can say is supposed, and said: `--suppose ready=no`, `newestPoint=TIME|none`,
/// `fence=notTried|confirmed|impossible`, `standingApproval=yes`, `rejectedAt=TIME`, `approvedAt=TIME`, `passes=CONDITION,…`, `acceptedAt=TIME`,
/// `failedOverAt=TIME`, `undoneAt=TIME`, `failedBackAt=TIME`, `named=RULE` (an alert rule or resource that speaks for the region).
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lifeboat declaration replay --plan recovery/shop.yaml --history tuesday.jsonl
  lifeboat declaration replay --plan recovery/shop.yaml --history - --suppose newestPoint=2026-11-22T01:55:00Z --output json

Exit codes: 0 played, 1 the recovery plan or a line of the history was not understood, 2 the command line was not understood.")]
struct ReplayArgs {
    /// The recovery plan.
    #[arg(long, value_name = "FILE")]
    plan: PathBuf,
    /// The history; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    history: PathBuf,
    /// What is supposed beside the history; may be given several times.
    #[arg(long, value_name = "NAME=VALUE", value_parser = supposition)]
    suppose: Vec<String>,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t)]
    output: Form,
}

/// Lets a supposition through that is understood.
fn supposition(word: &str) -> Result<String, NotSupposed> {
    Supposed::default().suppose(word).map(|()| word.to_owned())
}

/// Runs the command.
pub fn run(args: &DeclarationArgs) -> Result<Outcome> {
    let DeclarationCommand::Replay(args) = &args.command;
    let mut supposed = Supposed::default();
    for word in &args.suppose {
        supposed.suppose(word)?;
    }
    let Some(plan) = plan(args)? else { return Ok(Outcome::DidNotHold) };
    let history = read(&args.history, HISTORY_BYTES_MAX as u64)?;
    let lines = match read_history(&history) {
        Ok(lines) => lines,
        Err(problems) => {
            tell(&called(&args.history), &problems, args.output);
            return Ok(Outcome::DidNotHold);
        }
    };
    let played = replay(&plan, &supposed, &lines);
    match args.output {
        Form::Json => output::say_json(&as_json(&plan, &supposed, &played)),
        Form::Text => as_lines(&plan, &supposed, &played).iter().for_each(output::say),
    }
    Ok(Outcome::Held)
}

/// The recovery plan; `None` where it cannot be read, which then is told as `check` tells it.
fn plan(args: &ReplayArgs) -> Result<Option<RecoveryPlan>> {
    let (name, text) = (called(&args.plan), read(&args.plan, DOCUMENT_BYTES_MAX as u64)?);
    let problems = match read_recovery_plan(&text, &name) {
        Ok(plan) => return Ok(Some(plan)),
        Err(problems) => problems,
    };
    match args.output {
        Form::Json => {
            let problems: Vec<Value> = problems.iter().map(check::problem_as_json).collect();
            output::say_json(&json!({ "ok": false, "problems": problems }));
        }
        Form::Text => check::show_problems(&name, &text, &problems),
    }
    Ok(None)
}

fn tell(name: &str, problems: &[HistoryProblem], form: Form) {
    match form {
        Form::Json => {
            let problems: Vec<_> =
                problems.iter().map(|one| json!({ "line": one.line, "fault": one.fault.to_string() })).collect();
            output::say_json(&json!({ "ok": false, "problems": problems }));
        }
        Form::Text => {
            problems.iter().for_each(|one| output::say(format_args!("{name}:{}: {}", one.line, one.fault)));
            let count = problems.len();
            output::tell(format_args!("{name}: {count} problem{}", if count == 1 { "" } else { "s" }));
        }
    }
}
