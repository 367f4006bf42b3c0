//! `lifeboat init [--adopt]`: writes the estate record, by the operator's own sign-in.
//! It never replaces a record that can be read and fits, and changes nothing in Azure but the store.

use anyhow::{Context, Result};
use clap::Args;
use lifeboat_execution::estate::Estate;
use lifeboat_execution::operator::Operator;
use lifeboat_execution::{ARM_URL, Connections};
use serde_json::json;

use crate::output::{self, Form, Outcome};

/// Begins a store: writes the estate record, without which the handler changes nothing.
///
/// The record has an id that everything Lifeboat makes carries in a tag. `--adopt` is for a store that has lost its record: it takes
/// the id that this deployment's collections carry, and refuses where they carry more than one. Nothing expires in the 24 hours
/// after either. You act by your own sign-in (`az login`).
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lifeboat init --store https://acct.blob.core.windows.net/lifeboat --deployment lb-weu
  lifeboat init --adopt --store https://acct.blob.core.windows.net/lifeboat --deployment lb-weu --subscriptions 0000…,1111…

Exit codes: 0 the record is written, 1 it is not, and why is said, 2 the command line was not understood.")]
pub struct InitArgs {
    /// The container that is the store.
    #[arg(long, value_name = "URL")]
    store: String,
    /// The deployment's id, as in the setting LIFEBOAT_DEPLOYMENT.
    #[arg(long, value_name = "ID")]
    deployment: String,
    /// Replaces a record that is missing or cannot be read, under the id that is in use.
    #[arg(long, requires = "subscriptions")]
    adopt: bool,
    /// All subscriptions in scope, for `--adopt`: their collections say which id is in use.
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    subscriptions: Vec<String>,
    /// Where Azure Resource Manager is.
    #[arg(long, value_name = "URL", default_value = ARM_URL)]
    arm: String,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t)]
    output: Form,
}

/// Runs the command.
pub async fn run(args: &InitArgs) -> Result<Outcome> {
    let operator = Operator::connect(&Connections::signed_in(), &args.arm, &args.store)?;
    let work = async {
        if args.adopt {
            operator.adopt(&args.deployment, &args.subscriptions).await.map_err(anyhow::Error::from)
        } else {
            operator.init(&args.deployment).await.map_err(anyhow::Error::from)
        }
    };
    let estate = output::with_progress("asking the store", work).await.context("the estate record was not written")?;
    match args.output {
        Form::Json => output::say_json(&json!({
            "ok": true,
            "estate": estate.id,
            "deployment": estate.deployment,
            "expiryAllowedFrom": estate.expiry_allowed_from(),
        })),
        Form::Text => show(&estate),
    }
    Ok(Outcome::Held)
}

fn show(estate: &Estate) {
    let done = if estate.adopted_at.is_some() { "adopted" } else { "begun" };
    output::say(format_args!("The store is {done}: estate {} of the deployment {}.", estate.id, estate.deployment));
    output::say(format_args!("Nothing expires before {}.", estate.expiry_allowed_from()));
}
