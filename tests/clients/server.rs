//! A simulated Azure over TLS for clients that nobody here wrote: ARM, the identity endpoint, blobs and an application's sign-in.
//! It listens on this machine only, and ends when its standard input does; it never outlives whoever started it.
//!
//! `simulated-azure FOLDER`: writes the authority to trust into the folder, and prints one line of JSON when all ports answer.

mod authority;
mod certificate;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use jiff::SignedDuration;
use lifeboat_simulator::azure::{ARM_AUDIENCE, DiskSeed, Grant, MachineSeed};
use lifeboat_simulator::clock::Clock;
use lifeboat_simulator::serve::{Served, serve_over_tls, serve_router_over_tls};
use lifeboat_simulator::world::{World, WorldOptions};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use self::authority::Directory;

/// How long things take, in thousandths of what was recorded: a client waits for operations, not for minutes.
const LATENCY_PERMILLE: u32 = 20;
/// The subscription with everything in it.
const SUBSCRIPTION: &str = "00000000-0000-4000-8000-00000000000c";
/// The group of the machines.
const GROUP: &str = "clients";
/// Where they are.
const LOCATION: &str = "westeurope";
/// The machines that are there from the start. Their number makes a listing by Resource Graph take several pages.
const MACHINES: [&str; 6] = ["web-1", "web-2", "web-3", "web-4", "web-5", "web-6"];
/// The client's secret at the simulated directory. It opens nothing but what is simulated.
const SECRET: &str = "simulated-secret";

/// What is served, and what is said about it.
struct Running {
    ready: Value,
    _served: Served,
    authority: JoinHandle<()>,
}

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: simulated-azure FOLDER");
        return ExitCode::from(2);
    };
    match run(&folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("simulated-azure: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(folder: &Path) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let running = runtime.block_on(start(folder))?;
    println!("{}", running.ready);
    // The runtime's threads serve meanwhile; this one has nothing else to do.
    std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink()).context("standard input")?;
    running.authority.abort();
    drop(running);
    runtime.shutdown_background();
    Ok(())
}

async fn start(folder: &Path) -> Result<Running> {
    let certified = certificate::certified().context("no certificate can be made")?;
    let ca = folder.join("ca.pem");
    std::fs::write(&ca, &certified.authority_pem).with_context(|| format!("{}", ca.display()))?;

    let options = WorldOptions {
        latency_factor_permille: LATENCY_PERMILLE,
        graph_lag: SignedDuration::ZERO,
        ..WorldOptions::new(Clock::wall())
    };
    let world = World::new(options);
    world.add_subscription(SUBSCRIPTION, "Clients");
    world.arm().add_group(SUBSCRIPTION, GROUP, LOCATION);
    let machines: Vec<String> = MACHINES.iter().map(|name| world.add_machine(&machine(name))).collect();
    let principal = world.add_principal("client", vec![Grant::owner()]);
    let tenant = lifeboat_simulator::azure::ArmOptions::default().tenant;

    let served = serve_over_tls(&world, certified.config.clone()).await.context("the simulator cannot be served")?;
    let directory = Directory {
        world: world.clone(),
        tenant: tenant.clone(),
        principal: principal.clone(),
        secret: SECRET.to_owned(),
    };
    let (address, authority) = serve_router_over_tls(authority::router(directory), certified.config).await?;
    let ready = json!({
        "ready": true,
        "ca": ca,
        "arm": format!("https://{}", served.arm),
        "audience": ARM_AUDIENCE,
        "authority": format!("https://{address}"),
        "blobs": format!("https://{}", served.blobs),
        "control": format!("http://{}", served.control),
        "identity": { "endpoint": served.identity_endpoint(), "header": world.identity().header() },
        "tenant": tenant,
        "client": { "id": principal.client_id, "object": principal.object_id, "secret": SECRET },
        "subscription": SUBSCRIPTION,
        "group": GROUP,
        "location": LOCATION,
        "machines": machines,
    });
    Ok(Running { ready, _served: served, authority })
}

fn machine(name: &str) -> MachineSeed {
    let mut seed = MachineSeed::new(SUBSCRIPTION, GROUP, name, LOCATION).tag("env", "prod");
    seed.disks.push(DiskSeed { name: format!("{name}-data"), size_gib: 64 });
    seed
}
