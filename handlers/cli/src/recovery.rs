//! `lifeboat recovery show`: whether a recovery plan can be executed, as the handler looked last, by the operator's own sign-in.
//! It never changes anything, never asks Azure but the store, and judges nothing itself.

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use comfy_table::{Table, presets};
use lifeboat_execution::operator::Operator;
use lifeboat_execution::readiness::shown::{Shown, age};
use lifeboat_execution::{ARM_URL, Connections};
use serde_json::json;

use crate::output::{self, Form, Outcome};

/// Shows what is known of recovery plans.
#[derive(Debug, Args)]
pub struct RecoveryArgs {
    #[command(subcommand)]
    command: RecoveryCommand,
}

#[derive(Debug, Subcommand)]
enum RecoveryCommand {
    Show(ShowArgs),
}

/// Shows a recovery plan's groups and members, whether it can be executed and why not, its newest points, and what would be lost.
///
/// The store is read by your own sign-in (`az login`), and nothing is changed: it has what the handler's `ReadinessSweep` found last, which
/// is every half hour, and what it saved for the day on which the region is silent.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lifeboat recovery show shop --store https://acct.blob.core.windows.net/lifeboat
  lifeboat recovery show shop --store https://acct.blob.core.windows.net/lifeboat --output json

Exit codes: 0 it is ready, by a look that is not too old, 1 it is not, was never looked at, or the store could not be read, 2 the command
line was not understood.")]
struct ShowArgs {
    /// The recovery plan's name.
    #[arg(value_name = "PLAN")]
    name: String,
    /// The container that is the store.
    #[arg(long, value_name = "URL")]
    store: String,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t)]
    output: Form,
}

/// Runs the command.
pub async fn run(args: &RecoveryArgs) -> Result<Outcome> {
    let RecoveryCommand::Show(args) = &args.command;
    let operator = Operator::connect(&Connections::signed_in(), ARM_URL, &args.store)?;
    let read = output::with_progress("reading the recovery plan", operator.recovery(&args.name)).await;
    let (shown, now) = read.context("the recovery plan's readiness could not be read")?;
    let Some(shown) = shown else {
        match args.output {
            Form::Json => output::say_json(&json!({ "ready": false, "record": null })),
            Form::Text => {
                output::say(format!("{} was never looked at: is it in force, into an owned region?", args.name))
            }
        }
        return Ok(Outcome::DidNotHold);
    };
    match args.output {
        Form::Json => output::say_json(&shown.as_json(now)),
        Form::Text => {
            shown.lines(now).iter().for_each(output::say);
            output::say(members(&shown, now));
        }
    }
    Ok(if shown.is_ready(now) { Outcome::Held } else { Outcome::DidNotHold })
}

/// The members as they were saved.
fn members(shown: &Shown, now: jiff::Timestamp) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header(["group", "member", "size", "disks", "replicated", "held by agents", "newest point", "read"]);
    for it in shown.members() {
        let disks = &it.copy.machine.disks;
        let ago = |at: Option<jiff::Timestamp>| {
            at.map_or_else(|| "not known".to_owned(), |at| format!("{} ago", age(at, now)))
        };
        table.add_row([
            it.group.to_owned(),
            it.copy.of.name.clone(),
            it.copy.machine.size.clone().unwrap_or_default(),
            disks.len().to_string(),
            disks.iter().filter(|disk| disk.replicated).count().to_string(),
            it.held(),
            ago(it.newest),
            ago(it.read_at),
        ]);
    }
    table
}
