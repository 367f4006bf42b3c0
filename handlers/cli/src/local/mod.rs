//! `lifeboat local`: all of Lifeboat on this machine, the real handler behind a stand-in host in a simulated Azure, and a tour.
//! It never reaches beyond 127.0.0.1, and leaves nothing behind when it ends.

mod control;
mod estate;
mod passing;
mod policies;
mod relay;
mod shop;
mod stand_ins;
mod steps;
mod tour;
mod witness;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use crate::handler;
use crate::output::{self, Form, Outcome, with_progress};
use crate::settings::Settings;

use self::relay::{Relay, Upstream};
use self::stand_ins::StandIns;
use self::steps::Steps;

/// Lines of the host's log that are shown when a step did not hold: what led there, without the whole tour.
const LINES_SHOWN: usize = 40;

/// Runs all of Lifeboat on this machine and shows it at work.
///
/// Starts a simulated Azure with a dozen machines, a stand-in for the Functions host, and the real handler process; then plays a
/// tour: a point is made on schedule; old ones expire, and one that is held stays; a breaker opens; a machine is created and gets its
/// restore point; the same event comes again; an event is lost; the handler is killed half-way; nonsense is sent; a machine that nobody
/// protects is protected in a vault; a region is lost, a person approves, and a shop fails over to another region, its traffic too, and is
/// protected the other way. Whether each step held is asked of the simulated Azure. No account, no network.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lifeboat local                      the tour, then a status page until Ctrl-C
  lifeboat local --exit               ends after the tour
  lifeboat local --no-tour            only starts everything; send it something with `lifeboat invoke`
  lifeboat local --break lost-sweep   shows that the tour notices when something does not hold

Exit codes: 0 every step held, 1 one did not or something could not be started, 2 the command line was not understood.")]
pub struct LocalArgs {
    /// Ends after the tour.
    #[arg(long, conflicts_with = "no_tour")]
    exit: bool,
    /// Starts everything and plays no tour.
    #[arg(long)]
    no_tour: bool,
    /// Plants a fault in what stands in for the cloud, and plays the steps that it concerns; the tour must notice.
    #[arg(long = "break", value_name = "FAULT", conflicts_with = "no_tour")]
    fault: Option<Fault>,
    /// The port of the status page on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Shows the host's log, the handler's lines in it, on stderr.
    #[arg(long)]
    log: bool,
    /// How the tour is told: json gives one object on each line.
    #[arg(long, value_enum, default_value_t)]
    output: Form,
}

/// A fault in the stand-ins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Fault {
    /// The host does not fire the timer of the sweep.
    LostSweep,
    /// The store acknowledges what is written to the ledger, and drops it.
    NoSave,
    /// A second restore point appears behind Lifeboat's back.
    DoublePoint,
    /// A point of Lifeboat's that is to stay is removed behind its back.
    LostPoint,
    /// A point that a person made is removed behind Lifeboat's back.
    ForeignGone,
    /// A region is lost, and Azure tells nobody of it: the second evidence never arrives.
    OneSource,
    /// Azure acknowledges that old machines are stopped, and they run on.
    FenceLies,
    /// Azure acknowledges that an endpoint is changed, and it is not.
    TrafficLies,
}

/// Runs the command.
pub async fn run(args: &LocalArgs, settings: &Settings) -> Result<Outcome> {
    let mut steps = Steps::new(args.output);
    steps.note("Lifeboat on this machine: a simulated Azure, a stand-in Functions host, the real handler.");
    let (stand_ins, relay, held) = tokio::select! {
        played = play(args, settings, &mut steps) => played?,
        ended = interrupted() => return ended.map(|()| Outcome::DidNotHold),
    };
    if !args.exit {
        steps.note(&format!(
            "\nThe status page is at {}, the failover's at {}; Ctrl-C ends all of it.",
            relay.url(),
            relay.failover_url(tour::PLAN)
        ));
        interrupted().await?;
    }
    drop(relay);
    stand_ins.stop().await;
    Ok(if held { Outcome::Held } else { Outcome::DidNotHold })
}

/// Starts everything and plays the tour; says whether it held.
async fn play(args: &LocalArgs, settings: &Settings, steps: &mut Steps) -> Result<(StandIns, Relay, bool)> {
    let handler = handler::beside_or_built(settings).await?;
    let starting = StandIns::start(&handler, args.log);
    let stand_ins = with_progress("starting the simulated Azure, the host and the handler", starting).await?;
    let world = stand_ins.world.clone();
    let upstream = Upstream {
        url: stand_ins.host.url().to_owned(),
        key: stand_ins.keys.function.clone(),
        token: std::sync::Arc::new(move || stand_ins::token(&world)),
    };
    let relay = Relay::start(args.port, upstream).await?;
    announce(&stand_ins, &relay, steps);
    if args.no_tour {
        stand_ins.push(policies::in_force(None, false, Some(&stand_ins.shop.url())));
        steps.note(&format!(
            "The shop's recovery plan is in force too: lose its region by POST http://{}/regions {{\"region\":\"westeurope\",\"trouble\":\"down\"}}.",
            stand_ins.served.control
        ));
        return Ok((stand_ins, relay, true));
    }
    let held = tour::play(&stand_ins, steps, args.fault).await.context("the tour broke off")?;
    if !held {
        output::tell(format_args!("The end of the host's log:\n{}", stand_ins.last_lines(LINES_SHOWN)));
    }
    if !args.exit {
        stand_ins.timers_go_on().await;
    }
    Ok((stand_ins, relay, held))
}

fn announce(stand_ins: &StandIns, relay: &Relay, steps: &mut Steps) {
    let url = |address| format!("http://{address}");
    steps.ready(&[
        ("page", relay.url()),
        ("failover", relay.failover_url(tour::PLAN)),
        ("host", stand_ins.host.url().to_owned()),
        ("arm", url(stand_ins.served.arm)),
        ("blobs", url(stand_ins.served.blobs)),
        ("bus", url(stand_ins.served.bus)),
        ("control", url(stand_ins.served.control)),
        ("directory", url(stand_ins.served.directory)),
    ]);
    let key = &stand_ins.keys.master;
    steps.note(&format!(
        "The store is begun and a policy is in force ({}); a dozen machines are there since long.",
        lifeboat_execution::policies::CURRENT
    ));
    steps.note(&format!(
        "Send something yourself: LIFEBOAT_KEY={key} lifeboat invoke VmWritten --example created --url {}",
        stand_ins.host.url()
    ));
    steps.note(&format!(
        "Orders and questions take a name, in LIFEBOAT_TOKEN: POST {}/directory/tokens {{\"person\":\"{}\"}} gives a token, one for each order.",
        url(stand_ins.served.control),
        stand_ins::PERSONS[0]
    ));
}

/// Waits for Ctrl-C, or for whoever ends us politely.
#[cfg(unix)]
async fn interrupted() -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut ended = signal(SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed?,
        _ = ended.recv() => {}
    }
    Ok(())
}

/// Waits for Ctrl-C.
#[cfg(not(unix))]
async fn interrupted() -> Result<()> {
    Ok(tokio::signal::ctrl_c().await?)
}
