//! `lifeboat policies push DIR`: checks a folder of policies and puts them in force together, by the operator's own sign-in.
//! It never puts a part of them in force, and changes nothing in Azure but the store.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::{Args, Subcommand};
use lifeboat_contract::policy::DOCUMENT_BYTES_MAX;
use lifeboat_execution::bundle::{Bundle, File};
use lifeboat_execution::operator::Operator;
use lifeboat_execution::{ARM_URL, Connections};
use serde_json::json;

use crate::output::{self, Form, Outcome};

/// Folders in folders, at most: a link that leads back to its own folder ends here.
const DEPTH_MAX: usize = 8;

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

/// Checks all policies of a folder and puts them in force together.
///
/// Every `*.yaml` and `*.yml` in the folder and below it is one document. They become one bundle, which is named by its digest and
/// never written over; then one pointer is moved to it. With one problem in one document nothing is put in force. You act by your
/// own sign-in (`az login`).
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
    let bundle = Bundle::new(documents(&args.dir)?);
    let (_, digest) = bundle.to_bytes();
    let policies = match bundle.policies() {
        Ok(policies) => policies,
        Err(error) => {
            let problems = error.problems();
            match args.output {
                Form::Json => output::say_json(&json!({ "ok": false, "problems": problems })),
                Form::Text => problems.iter().for_each(output::say),
            }
            return Ok(Outcome::DidNotHold);
        }
    };
    let names: Vec<&str> = policies.iter().map(|policy| policy.name.as_str()).collect();
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
            output::say(format_args!("{} policies ({}) {what}, digest {digest}.", names.len(), names.join(", ")));
        }
    }
    Ok(Outcome::Held)
}

/// The documents of a folder and the folders below, by their paths in it.
fn documents(dir: &Path) -> Result<Vec<File>> {
    let mut found = Vec::new();
    collect(dir, dir, 0, &mut found)?;
    ensure!(!found.is_empty(), "{} has no *.yaml", dir.display());
    Ok(found)
}

fn collect(root: &Path, dir: &Path, depth: usize, found: &mut Vec<File>) -> Result<()> {
    ensure!(depth < DEPTH_MAX, "{} is more than {DEPTH_MAX} folders deep", dir.display());
    let entries = fs::read_dir(dir).with_context(|| format!("{} cannot be read", dir.display()))?;
    for entry in entries {
        let path = entry.with_context(|| format!("{} cannot be read", dir.display()))?.path();
        let named = |ext: &str| path.extension().is_some_and(|own| own.eq_ignore_ascii_case(ext));
        if path.is_dir() {
            collect(root, &path, depth + 1, found)?;
        } else if named("yaml") || named("yml") {
            let unreadable = || format!("{} cannot be read", path.display());
            let length = fs::metadata(&path).with_context(unreadable)?.len();
            ensure!(length <= DOCUMENT_BYTES_MAX as u64, "{} has more than {DOCUMENT_BYTES_MAX} bytes", path.display());
            let text = fs::read_to_string(&path).with_context(unreadable)?;
            let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            found.push(File { name, text });
        }
    }
    Ok(())
}
