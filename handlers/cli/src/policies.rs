//! `lifeboat policies push DIR`: checks a folder of policies and recovery plans and puts them in force together, by the operator's own
//! sign-in.
//! It never puts a part of them in force, and changes nothing in Azure but the store.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::{Args, Subcommand};
use lifeboat_contract::policy::check_policies;
use lifeboat_contract::recovery::NO_WAY_BACK;
use lifeboat_execution::bundle::{Bundle, File};
use lifeboat_execution::operator::Operator;
use lifeboat_execution::{ARM_URL, Connections};
use serde_json::json;

use crate::output::{self, Form, Outcome};
use crate::policy_files;

/// The policies that are in force.
#[derive(Debug, Args)]
pub struct PoliciesArgs {
    #[command(subcommand)]
    command: PoliciesCommand,
}

#[derive(Debug, Subcommand)]
enum PoliciesCommand {
    Push(PushArgs),
}

/// Checks all policies and recovery plans of a folder and puts them in force together.
///
/// Every `*.yaml` and `*.yml` in the folder and below it is read. They become one bundle, which is named by its digest and never
/// written over; then one pointer is moved to it. With one error in one document, as `check` tells them, nothing is put in force.
/// You act by your own sign-in (`az login`).
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lifeboat policies push policies --check
  lifeboat policies push policies --store https://acct.blob.core.windows.net/lifeboat

Exit codes: 0 they are in force (with --check: they could be), 1 they are not, and why is said, 2 the command line was not understood.")]
struct PushArgs {
    /// The folder.
    dir: PathBuf,
    /// The container that is the store.
    #[arg(long, value_name = "URL", required_unless_present = "check")]
    store: Option<String>,
    /// Checks them and says the digest; nothing is sent.
    #[arg(long)]
    check: bool,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t)]
    output: Form,
}

/// Runs the command.
pub async fn run(args: &PoliciesArgs) -> Result<Outcome> {
    match &args.command {
        PoliciesCommand::Push(args) => push(args).await,
    }
}

async fn push(args: &PushArgs) -> Result<Outcome> {
    ensure!(args.dir.is_dir(), "{} is no folder", args.dir.display());
    let files = policy_files::read_folder(&args.dir)?;
    let checked = check_policies(&files);
    let problems: Vec<String> = checked.problems.iter().map(ToString::to_string).collect();
    if !checked.holds() {
        return Ok(refused(args, &problems));
    }
    let bundle = Bundle::new(files.into_iter().map(|(name, text)| File { name, text }).collect());
    let (_, digest) = bundle.to_bytes();
    // As the handler will read it, which must not find more than was found here.
    let documents = match bundle.documents() {
        Ok(documents) => documents,
        Err(error) => return Ok(refused(args, &error.problems())),
    };
    let names: Vec<&str> = documents.policies.iter().map(|policy| policy.name.as_str()).collect();
    let plans: Vec<&str> = documents.recovery_plans.iter().map(|plan| plan.name.as_str()).collect();
    let pushed = match &args.store {
        Some(store) if !args.check => {
            let operator = Operator::connect(&Connections::signed_in(), ARM_URL, store)?;
            let pushing = output::with_progress("putting the policies in force", operator.push(&bundle)).await;
            Some(pushing.context("the policies were not put in force")?)
        }
        _ => None,
    };
    match args.output {
        Form::Json => output::say_json(&json!({
            "ok": true,
            "digest": digest,
            "policies": names,
            "recoveryPlans": plans,
            "notes": notes(&plans),
            "warnings": problems,
            "pushed": pushed.is_some(),
            "moved": pushed.as_ref().is_some_and(|pushed| pushed.moved),
            "previous": pushed.as_ref().and_then(|pushed| pushed.previous.clone()),
        })),
        Form::Text => {
            let what = match &pushed {
                None => "can be put in force",
                Some(pushed) if pushed.moved => "are in force",
                Some(_) => "were in force already",
            };
            problems.iter().for_each(output::tell);
            let beside = match plans.as_slice() {
                [] => String::new(),
                plans => format!(" with {} recovery plans ({})", plans.len(), plans.join(", ")),
            };
            let policies = format!("{} policies ({})", names.len(), names.join(", "));
            output::say(format_args!("{policies}{beside} {what}, digest {digest}."));
            notes(&plans).iter().for_each(output::say);
        }
    }
    Ok(Outcome::Held)
}

/// What is said of recovery plans that were put in force.
fn notes(recovery_plans: &[&str]) -> Vec<&'static str> {
    if recovery_plans.is_empty() { Vec::new() } else { vec![NO_WAY_BACK] }
}

fn refused(args: &PushArgs, problems: &[String]) -> Outcome {
    match args.output {
        Form::Json => output::say_json(&json!({ "ok": false, "problems": problems })),
        Form::Text => problems.iter().for_each(output::say),
    }
    Outcome::DidNotHold
}
