//! `lifeboat region`: the evidence about a region that the handler keeps, and what it declared on it, by the operator's own sign-in.
//! It never changes anything, never asks Azure but the store, and decides nothing itself.

use anyhow::{Context, Result};
use clap::Args;
use lifeboat_execution::operator::Operator;
use lifeboat_execution::signals::region::RegionEvidence;
use lifeboat_execution::{ARM_URL, Connections};
use serde_json::{Value, json};

use crate::output::{self, Form, Outcome};

/// Shows what tells of a region's health, and where the recovery plans that name it stand, with every condition.
///
/// The store is read by your own sign-in (`az login`), and nothing is changed: it has what the handler heard and decided last. A word that
/// is not repeated becomes silence, which is neither evidence nor recovery.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lifeboat region westeurope --store https://acct.blob.core.windows.net/lifeboat
  lifeboat region 'West Europe' --store https://acct.blob.core.windows.net/lifeboat --output json

Exit codes: 0 nothing fails there and no incident is open, 1 something does, or the store could not be read, 2 the command line was not
understood.")]
pub struct RegionArgs {
    /// The region, in any of its spellings.
    #[arg(value_name = "REGION")]
    name: String,
    /// The container that is the store.
    #[arg(long, value_name = "URL")]
    store: String,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t)]
    output: Form,
}

/// Runs the command.
pub async fn run(args: &RegionArgs) -> Result<Outcome> {
    let operator = Operator::connect(&Connections::signed_in(), ARM_URL, &args.store)?;
    let evidence = output::with_progress("reading the evidence", operator.region(&args.name)).await;
    let (evidence, now) = evidence.context("the evidence could not be read")?;
    match args.output {
        Form::Json => output::say_json(&as_json(&evidence)),
        Form::Text => evidence.lines(now).iter().for_each(output::say),
    }
    Ok(if evidence.is_quiet() { Outcome::Held } else { Outcome::DidNotHold })
}

fn as_json(evidence: &RegionEvidence) -> Value {
    json!({
        "ok": evidence.is_quiet(),
        "region": evidence.region,
        "machines": evidence.fleet.as_ref().map(|fleet| fleet.machines),
        "signals": evidence.signals,
        "declarations": evidence.declarations,
    })
}
