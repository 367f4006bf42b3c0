//! Cloud Custodian and Lifeboat, asked the same question about the same simulated estate: which machines are not protected in a vault?
//! It prints calls, seconds and memory side by side and fails when the answers differ. It never tells either what the other found.
//!
//! `.ci/custodian [MACHINES]`, which installs Custodian and runs this as `bench-custodian --python PATH [MACHINES]`.

#[path = "../clients/certificate.rs"]
mod certificate;
#[expect(dead_code, reason = "tests take the handler of their own profile; a bench takes the release")]
#[path = "../processes/executables.rs"]
mod executables;
#[path = "../burst/launcher.rs"]
mod launcher;
#[expect(dead_code, reason = "tests create machines and kill handlers; this does not")]
#[path = "../processes/site.rs"]
mod site;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use jiff::SignedDuration;
use lifeboat_simulator::azure::{ARM_AUDIENCE, Grant, ItemSeed, ItemState, MachineSeed, VaultSeed};
use lifeboat_simulator::host::HandlerLink;
use lifeboat_simulator::serve::serve_over_tls;
use lifeboat_tests::rig::{self, GROUP, LOCATION, QUEUE, SUBSCRIPTION};
use serde::Deserialize;
use tokio::time::Instant;

use crate::launcher::{Book, Processes};
use crate::site::{Site, SiteOptions};

/// Machines when nothing else is said.
const MACHINES: usize = 1_000;
/// The vault that half of them are protected in.
const VAULT: &str = "rsv-weu";
/// Age of their newest points.
const POINT_HOURS: i64 = 6;
/// Age of the machines: no point on creation is owed to any.
const MACHINE_DAYS: i64 = 30;
/// A sweep that has not ended by then is given up.
const SWEPT_WITHIN: Duration = Duration::from_secs(600);
/// The policy that asks the question.
const POLICY: &str = "apiVersion: lifeboat/v1\nkind: BackupPolicy\nmetadata: { name: vaulted }\nspec:\n  mode: enforce\n  match: \
                      { tag: { env: prod } }\n  vault:\n    placement: [ { location: westeurope, vaults: [rsv-weu], vaultPolicy: \
                      EnhancedPolicy } ]\n";

/// What one of the two answered, and what it cost.
#[derive(Debug, Deserialize)]
struct Answered {
    answer: Vec<String>,
    /// Requests to Azure Resource Manager, as the simulated one counts them.
    #[serde(default)]
    calls: u64,
    seconds: f64,
    /// The most memory that its process had.
    kilobytes: u64,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (python, machines) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--python", python] => (PathBuf::from(python), Ok(MACHINES)),
        ["--python", python, machines] => (PathBuf::from(python), machines.parse()),
        _ => (PathBuf::new(), "".parse()),
    };
    let Ok(machines) = machines else {
        eprintln!("usage: bench-custodian --python PATH [MACHINES]");
        return ExitCode::from(2);
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let held = runtime.block_on(compare(&python, machines));
    runtime.shutdown_background();
    match held {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-custodian: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn compare(python: &Path, machines: usize) -> Result<()> {
    let book = Book::default();
    let site = start(&book).await;
    seed(&site, machines)?;
    let lifeboat = lifeboat(&site, &book).await?;
    let custodian = custodian(&site, python).await?;
    println!("{machines} machines, which are not protected in a vault?      calls   seconds    memory");
    for (who, it) in
        [("Cloud Custodian, azure.vm with backup-status", &custodian), ("Lifeboat, one PolicySweep", &lifeboat)]
    {
        let megabytes = it.kilobytes as f64 / 1024.0;
        println!("  {who:<46} {:>5} found {:>7} {:>9.2} {megabytes:>6.1} MB", it.answer.len(), it.calls, it.seconds);
    }
    ensure!(lifeboat.answer == custodian.answer, "the answers differ: {:?}", difference(&lifeboat, &custodian));
    println!("the answers are equal");
    Ok(())
}

async fn start(book: &Book) -> Site {
    let (executable, own) = (executables::build("lifeboat-handler", &["--release"]), book.clone());
    Site::start(&SiteOptions {
        processes: 1,
        latency_permille: 0,
        deliveries: 1,
        message_bytes: 256 * 1024,
        sweeps: true,
        tells: false,
        // The looks stay in the queue: they are the answer.
        settings: vec![("AzureWebJobs.Reconcile.Disabled".to_owned(), "true".to_owned())],
        link: Arc::new(move || {
            HandlerLink::Custom(Arc::new(Processes { executable: executable.clone(), book: own.clone() }))
        }),
    })
    .await
}

/// An estate whose every other machine is protected.
fn seed(site: &Site, machines: usize) -> Result<()> {
    let (world, now) = (&site.world, site.world.clock().now());
    let vault = world.arm().add_vault(&VaultSeed::new(SUBSCRIPTION, GROUP, VAULT, LOCATION));
    for number in 0..machines {
        let mut machine =
            MachineSeed::new(SUBSCRIPTION, GROUP, &format!("vm-{number:05}"), LOCATION).tag("env", "prod");
        machine.created_at = Some(now.checked_sub(SignedDuration::from_hours(24 * MACHINE_DAYS))?);
        let id = world.add_machine(&machine);
        if number % 2 == 0 {
            let point = now.checked_sub(SignedDuration::from_hours(POINT_HOURS))?;
            let policy = "EnhancedPolicy".to_owned();
            let item = ItemSeed { machine: id, policy, state: ItemState::Protected, points: vec![point] };
            world.arm().seed_item(&vault, &item).map_err(anyhow::Error::msg)?;
        }
    }
    rig::push(world.blobs(), &[("vaulted.yaml", POLICY)], now);
    Ok(())
}

/// One sweep by the handler's own process; the machines that it queues a look at.
async fn lifeboat(site: &Site, book: &Book) -> Result<Answered> {
    let (before, began) = (site.world.counts().requests, Instant::now());
    let host = &site.hosts[0];
    host.fire_timer("PolicySweep").await;
    tokio::time::timeout(SWEPT_WITHIN, host.idle()).await.context("the sweep has not ended")?;
    let (seconds, calls) = (began.elapsed().as_secs_f64(), site.world.counts().requests - before);
    let name = |id: &str| id.rsplit('/').next().unwrap_or(id).to_lowercase();
    let messages = site.world.bus().waiting(QUEUE).into_iter();
    let looks = messages.map(|message| serde_json::from_slice::<serde_json::Value>(&message.body));
    let looks: Vec<serde_json::Value> = looks.collect::<Result<_, _>>()?;
    let mut answer: Vec<String> = looks.iter().filter_map(|look| Some(name(look["machine"].as_str()?))).collect();
    answer.sort();
    let pid = *book.pages().pids.last().context("no handler was started")?;
    Ok(Answered { answer, calls, seconds, kilobytes: peak_kilobytes(pid)? })
}

/// The most memory that a process had, as Linux tells it.
fn peak_kilobytes(pid: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    Ok(peak.context("no VmHWM")?.trim().parse()?)
}

/// One run of Custodian over TLS, as a principal that may do everything; its own calls are counted by the simulated Azure too.
async fn custodian(site: &Site, python: &Path) -> Result<Answered> {
    let scratch = std::env::temp_dir().join(format!("lifeboat-custodian-{}", std::process::id()));
    std::fs::create_dir_all(&scratch)?;
    let certified = certificate::certified().context("no certificate can be made")?;
    let ca = scratch.join("ca.pem");
    std::fs::write(&ca, &certified.authority_pem)?;
    let served = serve_over_tls(&site.world, certified.config).await?;
    let principal = site.world.add_principal("custodian", vec![Grant::owner()]);
    let token = site.world.token(&principal.object_id, ARM_AUDIENCE);
    let before = site.world.counts().requests;
    let mut command = Command::new(python);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("custodian/ask.py"));
    command.arg(format!("https://{}", served.arm)).arg(SUBSCRIPTION).arg(&scratch);
    command.env("AZURE_ACCESS_TOKEN", token).env("REQUESTS_CA_BUNDLE", &ca).stdin(Stdio::null());
    let ran = tokio::task::spawn_blocking(move || command.output()).await??;
    std::fs::remove_dir_all(&scratch)?;
    if !ran.status.success() {
        bail!("Custodian ended with {}:\n{}", ran.status, String::from_utf8_lossy(&ran.stderr));
    }
    let text = String::from_utf8_lossy(&ran.stdout);
    let mut answered: Answered = serde_json::from_str(text.lines().last().unwrap_or_default())?;
    answered.calls = site.world.counts().requests - before;
    Ok(answered)
}

/// Names that only one of the two has, some of them.
fn difference<'a>(one: &'a Answered, other: &'a Answered) -> Vec<&'a String> {
    let lacks = |in_this: &'a Answered, of_that: &'a Answered| {
        of_that.answer.iter().filter(move |name| !in_this.answer.contains(name))
    };
    lacks(one, other).chain(lacks(other, one)).take(10).collect()
}
