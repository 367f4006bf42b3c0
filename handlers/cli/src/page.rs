//! `lifeboat page`: the handler's pages for a browser on this machine, by the operator's own sign-in.
//! It never changes anything, never listens beyond 127.0.0.1, and never gives the browser key or token (`relay`).

mod relay;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use lifeboat_execution::views::View;
use lifeboat_functions::pages;
use serde_json::json;

use crate::handler_api::HandlerArgs;
use crate::output::{self, Form, Outcome};
use crate::settings::Settings;
use relay::{Relay, Upstream};

/// Shows the handler's pages in a browser on this machine: regions, recovery plans, and a failover step by step.
///
/// The page is served on 127.0.0.1 until Ctrl-C; open the address that is printed. It only shows, needs no script, and reads itself again.
/// The handler is asked with the key of its Functions app and by your own sign-in; neither reaches the browser.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lifeboat page --url https://my-app.azurewebsites.net
  lifeboat page failover shop --url https://my-app.azurewebsites.net --audience api://lifeboat
  lifeboat page region 'West Europe' --port 8080

Exit codes: 0 it was shown until you left, 1 the handler was not reached or refused, and why is said, 2 the command line was not understood.")]
pub struct PageArgs {
    /// What is shown first; what there is to look at, where nothing is said.
    #[arg(value_enum, value_name = "WHAT", requires = "name")]
    what: Option<What>,
    /// The region's name, or the recovery plan's.
    #[arg(value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    handler: HandlerArgs,
    /// The application that the handler's tokens are for: its client id or its URI. Also in LIFEBOAT_AUDIENCE. Your own sign-in (`az login`)
    /// gives the token; one that you got in another way is taken from LIFEBOAT_TOKEN.
    #[arg(long, value_name = "APP")]
    audience: Option<String>,
    /// The port to listen on; a free one where nothing is said.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    port: u16,
    /// How the address is written.
    #[arg(long, value_enum, default_value_t)]
    output: Form,
}

/// What a page is of.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum What {
    /// The evidence about a region.
    Region,
    /// A recovery plan, with its readiness.
    Recovery,
    /// A recovery plan's failover, step by step.
    Failover,
}

/// Runs the command.
pub async fn run(args: &PageArgs, settings: &Settings) -> Result<Outcome> {
    let path = pages::path(&view(args));
    let upstream = Upstream::new(args.handler.clone(), settings.clone(), args.audience.clone());
    // Who cannot be shown the first page learns why here, and not in a browser.
    let first = output::with_progress("asking the handler", upstream.page(&path)).await?;
    if !first.is_page() || first.status != 200 {
        bail!("{}", first.refused());
    }
    let relay = Relay::start(args.port, upstream).await?;
    let url = format!("http://{}{path}", relay.address());
    match args.output {
        Form::Json => output::say(json!({ "url": url })),
        Form::Text => {
            output::say(format!("The page is at {url}"));
            output::tell("It is served to browsers on this machine alone, until Ctrl-C.");
        }
    }
    tokio::signal::ctrl_c().await?;
    Ok(Outcome::Held)
}

fn view(args: &PageArgs) -> View {
    // Azure writes regions with spaces for people and without for programs; a name of a path has none.
    let name = args.name.as_deref().unwrap_or_default();
    match args.what {
        None => View::Start,
        Some(What::Region) => View::Region(name.split_whitespace().collect::<String>().to_lowercase()),
        Some(What::Recovery) => View::Recovery(name.to_owned()),
        Some(What::Failover) => View::Failover(name.to_owned()),
    }
}
