//! A burst of creations against real handler processes in real time: how long it takes, what it asks of Azure, what it costs.
//! Everything is counted by the simulated Azure, whose budgets are enforced and whose latencies are as recorded; nothing is asked of
//! the handlers. It never bends a figure: a line that does not hold ends it non-zero. With `--commands` it is a burst of those instead.
//!
//! `cargo run --release -p lifeboat-tests --bin burst -- [MACHINES | --commands N] [--processes N] [--handler PATH] [--quick]`

mod commands;
mod effects;
#[expect(dead_code, reason = "tests take the handler of their own profile; a burst takes the release")]
#[path = "../processes/executables.rs"]
mod executables;
mod figures;
mod floor;
mod launcher;
#[expect(dead_code, reason = "tests kill handlers and read the list of calls; a burst does not")]
#[path = "../processes/site.rs"]
mod site;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

use lifeboat_simulator::host::HandlerLink;
use tokio::time::Instant;

use crate::figures::Seen;
use crate::launcher::{Book, Processes};
use crate::site::{Site, SiteOptions};

/// Machines of a burst when nothing else is said, and of a quick one.
const MACHINES: usize = 1_000;
const MACHINES_QUICK: usize = 100;
/// Processes when nothing else is said: the design's figure.
const PROCESSES: usize = 8;
/// A burst is given up after this many times its floor: then the figures say how far it came.
const GIVEN_UP_AFTER: u32 = 2;
/// After the last point: for messages that look again and find nothing to do.
const SETTLES_WITHIN: Duration = Duration::from_secs(120);
/// Between two looks at how far it is: each goes over all machines, while everything else in the simulated Azure waits. Times are
/// taken from the points, not from these looks.
const LOOKS_EVERY: Duration = Duration::from_secs(5);
/// Between two lines of progress.
const TELLS_EVERY: Duration = Duration::from_secs(30);
/// Largest message of the namespace, in bytes: the standard tier's.
const MESSAGE_BYTES: usize = 256 * 1024;
/// Deliveries of a message before it is dead: what the deployment sets.
const DELIVERIES: u32 = 50;

/// What is asked for.
struct Asked {
    machines: usize,
    commands: Option<usize>,
    processes: usize,
    handler: Option<PathBuf>,
}

fn main() -> ExitCode {
    let asked = match asked(std::env::args().skip(1)) {
        Ok(asked) => asked,
        Err(what) => {
            eprintln!("{what}\nusage: burst [MACHINES | --commands N] [--processes N] [--handler PATH] [--quick]");
            return ExitCode::from(2);
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let held = runtime.block_on(burst(&asked));
    // Handlers end with their hosts; nothing of the runtime is waited for.
    runtime.shutdown_background();
    if held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn asked(mut arguments: impl Iterator<Item = String>) -> Result<Asked, String> {
    let mut asked = Asked { machines: MACHINES, commands: None, processes: PROCESSES, handler: None };
    while let Some(argument) = arguments.next() {
        let mut value = |of: &str| arguments.next().ok_or(format!("{of} needs a value"));
        let number = |text: &str| {
            text.parse().ok().filter(|number| (1..=10_000).contains(number)).ok_or(format!("{text}: 1 to 10000"))
        };
        match argument.as_str() {
            "--quick" => asked.machines = MACHINES_QUICK,
            "--commands" => asked.commands = Some(number(&value("--commands")?)?),
            "--processes" => asked.processes = number(&value("--processes")?)?,
            "--handler" => {
                // The handler is started in the app's folder, from which a relative path leads elsewhere.
                let path = PathBuf::from(value("--handler")?);
                asked.handler = Some(path.canonicalize().map_err(|error| format!("{}: {error}", path.display()))?);
            }
            text => asked.machines = number(text)?,
        }
    }
    Ok(asked)
}

async fn burst(asked: &Asked) -> bool {
    let book = Book::default();
    let (executable, own) = (handler(asked.handler.clone()), book.clone());
    let sources = if is_of_these_sources(&executable) { "these" } else { "OTHER" };
    println!("handler: {}, of {sources} sources", executable.display());
    let site = Site::start(&SiteOptions {
        processes: asked.processes,
        // Of commands, what Azure takes for its own work is not judged: it only sets the scene.
        latency_permille: if asked.commands.is_some() { 10 } else { 1_000 },
        deliveries: DELIVERIES,
        message_bytes: MESSAGE_BYTES,
        sweeps: true,
        tells: asked.commands.is_some(),
        settings: Vec::new(),
        link: Arc::new(move || {
            HandlerLink::Custom(Arc::new(Processes { executable: executable.clone(), book: own.clone() }))
        }),
    })
    .await;
    if let Some(commands) = asked.commands {
        return commands::burst(&site, commands, asked.processes).await;
    }
    let floor = floor::floor(asked.machines);
    println!("{} machines, {} processes; {floor}", asked.machines, asked.processes);
    let (began, began_at) = (Instant::now(), site.world.clock().now());
    let machines: Vec<String> = (0..asked.machines).map(|number| site.create(&format!("vm-{number:04}"))).collect();
    tell_until_protected(&site, &machines, began, floor.with_azures_work() * GIVEN_UP_AFTER).await;
    let settled = site.wait_until(SETTLES_WITHIN, Site::is_quiet).await;
    if !settled {
        println!("after {} s there are still messages or invocations", SETTLES_WITHIN.as_secs());
    }
    figures::tell(&Seen { site: &site, book: &book.pages(), machines: &machines, began_at, floor })
}

/// Tells how far it is until every machine has a point that succeeded, or until it is given up.
async fn tell_until_protected(site: &Site, machines: &[String], began: Instant, given_up: Duration) {
    let (mut looks, mut told) = (tokio::time::interval(LOOKS_EVERY), began);
    loop {
        looks.tick().await;
        let (protected, counts) = (figures::protected(site, machines), site.world.counts());
        let over = protected == machines.len() || began.elapsed() >= given_up;
        if over || told.elapsed() >= TELLS_EVERY {
            told = Instant::now();
            println!(
                "{:>6.1} s  {protected} protected, {} points begun, {} requests, {} refused 429",
                began.elapsed().as_secs_f64(),
                counts.restore_points_created,
                counts.requests,
                counts.throttled
            );
        }
        if over {
            return;
        }
    }
}

/// The handler that was named, else the one beside this executable if it is of the same sources, else one that cargo builds.
fn handler(named: Option<PathBuf>) -> PathBuf {
    let own = std::env::current_exe().ok();
    let beside = || own.map(|own| own.with_file_name("lifeboat-handler")).filter(|path| is_of_these_sources(path));
    named.or_else(beside).unwrap_or_else(|| executables::build("lifeboat-handler", &["--release"]))
}

/// Whether an executable says the build id that a handler of these sources has.
fn is_of_these_sources(handler: &Path) -> bool {
    let said = Command::new(handler).arg("--build-id").stdin(Stdio::null()).stderr(Stdio::null()).output();
    said.is_ok_and(|said| String::from_utf8_lossy(&said.stdout).trim() == lifeboat_functions::BUILD_ID)
}
