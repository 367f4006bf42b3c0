//! `lifeboat explain`: tells what the ledgers say of a machine or a point, by the operator's own sign-in.
//! It never changes anything, never asks Azure but the store, and never hides that a ledger does not verify.

use anyhow::{Context, Result, anyhow};
use clap::Args;
use lifeboat_execution::operator::Operator;
use lifeboat_execution::story::{About, Chapter, HeadSeen, Story};
use lifeboat_execution::{ARM_URL, Connections};
use serde_json::{Value, json};

use crate::output::{self, Form, Outcome};

/// Tells every decision about a machine or a point, and what came of it, as the ledgers have it.
///
/// Each ledger is verified first: a hash chain, and the head that is kept apart from it. Of a chain that does not hold it is told where,
/// and only what stands before that place. A machine is named by its ARM id, also one that is gone, and then all machines that ever had
/// the id are told of; or by its name. Of a point only what concerns it is told: why it was made, why it was deleted, why a deletion
/// was refused. By names the ends of all ledgers are read, which takes a while in a large estate. You act by your own sign-in
/// (`az login`).
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lifeboat explain web-1 --store https://acct.blob.core.windows.net/lifeboat
  lifeboat explain /subscriptions/…/virtualMachines/web-1 --store https://acct.blob.core.windows.net/lifeboat
  lifeboat explain /subscriptions/…/restorePoints/lb-daily-… --store https://acct.blob.core.windows.net/lifeboat

Exit codes: 0 told, and every ledger verifies, 1 one does not or nothing is told of it, 2 the command line was not understood.")]
pub struct ExplainArgs {
    /// A machine or a point: ARM id, or name.
    #[arg(value_name = "MACHINE|POINT")]
    about: String,
    /// The container that is the store.
    #[arg(long, value_name = "URL")]
    store: String,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t)]
    output: Form,
}

/// Runs the command.
pub async fn run(args: &ExplainArgs) -> Result<Outcome> {
    let about = About::parse(&args.about)
        .ok_or_else(|| anyhow!("{} is neither a machine nor a point: an ARM id of one, or a name", args.about))?;
    let operator = Operator::connect(&Connections::signed_in(), ARM_URL, &args.store)?;
    let story = output::with_progress("reading the ledgers", operator.story(about)).await;
    let story = story.context("the ledgers could not be read")?;
    match args.output {
        Form::Json => output::say_json(&as_json(&story)),
        Form::Text => story.lines().iter().for_each(output::say),
    }
    if story.chapters.is_empty() && args.output == Form::Text {
        output::tell(format_args!("lifeboat: no ledger tells of {}", args.about));
    }
    Ok(if story.holds() && !story.chapters.is_empty() { Outcome::Held } else { Outcome::DidNotHold })
}

fn as_json(story: &Story) -> Value {
    let ledgers: Vec<Value> = story.chapters.iter().map(ledger).collect();
    json!({ "ok": story.holds() && !ledgers.is_empty(), "ledgers": ledgers })
}

fn ledger(chapter: &Chapter) -> Value {
    json!({
        "ledger": chapter.ledger,
        "machine": chapter.machine(),
        "vmId": chapter.vm_id,
        "verifies": chapter.fault.is_none(),
        "fault": chapter.fault.as_ref().map(ToString::to_string),
        "head": match chapter.head {
            HeadSeen::Kept => "kept",
            HeadSeen::Missing => "missing",
            HeadSeen::Unreadable => "unreadable",
        },
        "entriesVerified": chapter.verified,
        "entries": chapter.entries,
    })
}
