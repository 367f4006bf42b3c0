//! The command `lifeboat`: talks to people. It reads the command line, runs one command and says how it ended.
//! It never changes anything in Azure but Lifeboat's own store: what changes things is the handler.

mod check;
mod check_estate;
mod client;
mod declaration;
mod evidence;
mod examples;
mod explain;
mod failover;
mod handler;
mod handler_api;
mod init;
mod invoke;
mod keep;
mod local;
mod order;
mod output;
mod package;
mod page;
mod plan;
mod points;
mod policies;
mod policy_files;
mod recovery;
mod region;
mod scratch;
mod send;
mod settings;
mod stage;
mod status;
mod watch;

use std::process::ExitCode;

use anyhow::Result;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

use output::Outcome;
use settings::Settings;

/// Keeps Azure virtual machines restorable.
///
/// Lifeboat runs in your own Azure Functions app. This command tries it out on your machine (`local`), judges policies (`check`),
/// shows which points a policy would keep (`keep`), begins a store (`init`), puts policies in force (`policies push`), says what
/// would be done now (`plan`), tells how a deployment does (`status`), what becomes of its points (`points`) and why (`explain`),
/// shows what other systems are told (`watch`), keeps a point (`hold`), stops all changes (`stop`), gives orders with your name (`send`,
/// `approve`, `reject`, `abort`, `release`, `resume`), writes what is deployed (`package`), sends a function what its trigger would
/// send (`invoke`), shows what tells of a region (`region`) and whether a recovery plan can be executed (`recovery show`), fails over by
/// one (`failover`), shows these in a browser (`page`), plays what signals would have decided (`declaration replay`) and prints what is
/// believed about Azure (`evidence`).
#[derive(Debug, Parser)]
#[command(
    name = "lifeboat",
    version,
    after_help = "Start with:
  lifeboat local              all of it on this machine, with a simulated Azure
  lifeboat check FILE         is this policy understood?
  lifeboat keep --policy FILE --dates FILE    which points would it keep, and why?

Exit codes of every command: 0 it held, 1 something did not hold or was refused, 2 the command line was not understood."
)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Local(local::LocalArgs),
    Check(check::CheckArgs),
    Keep(keep::KeepArgs),
    Init(init::InitArgs),
    Policies(policies::PoliciesArgs),
    Status(status::StatusArgs),
    Points(points::PointsArgs),
    Explain(explain::ExplainArgs),
    Hold(order::HoldArgs),
    Stop(order::StopArgs),
    Send(send::SendArgs),
    Approve(send::ApproveArgs),
    Reject(send::RejectArgs),
    Abort(send::AbortArgs),
    Release(send::ReleaseArgs),
    Resume(send::ResumeArgs),
    Failover(failover::FailoverArgs),
    Plan(plan::PlanArgs),
    Invoke(invoke::InvokeArgs),
    Package(package::PackageArgs),
    Page(page::PageArgs),
    Declaration(declaration::DeclarationArgs),
    Watch(watch::WatchArgs),
    Region(region::RegionArgs),
    Recovery(recovery::RecoveryArgs),
    Evidence(evidence::EvidenceArgs),
}

fn main() -> ExitCode {
    let command_line = match CommandLine::try_parse() {
        Ok(command_line) => command_line,
        Err(error) => return misread(&error),
    };
    let outcome = run(command_line.command).unwrap_or_else(|error| {
        output::tell(format_args!("lifeboat: {}", output::with_causes(&error)));
        Outcome::DidNotHold
    });
    outcome.into()
}

fn run(command: Command) -> Result<Outcome> {
    let settings = Settings::from_environment();
    // Another part of the process may have chosen one already; any does.
    let _chosen = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match command {
            Command::Local(args) => local::run(&args, &settings).await,
            Command::Check(args) => check::run(&args).await,
            Command::Keep(args) => keep::run(&args),
            Command::Init(args) => init::run(&args).await,
            Command::Policies(args) => policies::run(&args).await,
            Command::Status(args) => status::run(&args, &settings).await,
            Command::Points(args) => points::run(&args).await,
            Command::Explain(args) => explain::run(&args).await,
            Command::Hold(args) => order::hold(&args, &settings).await,
            Command::Stop(args) => order::stop(&args, &settings).await,
            Command::Send(args) => send::send(&args, &settings).await,
            Command::Approve(args) => send::approve(&args, &settings).await,
            Command::Reject(args) => send::reject(&args, &settings).await,
            Command::Abort(args) => send::abort(&args, &settings).await,
            Command::Release(args) => send::release(&args, &settings).await,
            Command::Resume(args) => send::resume(&args, &settings).await,
            Command::Failover(args) => failover::run(&args, &settings).await,
            Command::Plan(args) => plan::run(&args).await,
            Command::Invoke(args) => invoke::run(&args, &settings).await,
            Command::Package(args) => package::run(&args, &settings).await,
            Command::Page(args) => page::run(&args, &settings).await,
            Command::Declaration(args) => declaration::run(&args),
            Command::Watch(args) => watch::run(&args).await,
            Command::Recovery(args) => recovery::run(&args).await,
            Command::Region(args) => region::run(&args).await,
            Command::Evidence(args) => evidence::run(&args),
        }
    })
}

/// Help and version are what was asked for; the rest is a mistake, and an unknown command is told what there is.
fn misread(error: &clap::Error) -> ExitCode {
    let _closed = error.print();
    if error.kind() == ErrorKind::InvalidSubcommand {
        let commands = CommandLine::command();
        let names: Vec<&str> = commands.get_subcommands().map(clap::Command::get_name).collect();
        output::tell(format_args!("\nThis release has the commands {}.", names.join(", ")));
    }
    if error.use_stderr() { Outcome::Usage } else { Outcome::Held }.into()
}
