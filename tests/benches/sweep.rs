//! Benches of sweeps: an observed estate held against the policies, and whole sweeps over a simulated one.
//! Prints figure, budget and floor of each line; a figure over its budget ends it non-zero. It tests no behaviour.
//!
//! A whole sweep runs in virtual time: each call waits 20 ms of it, and Resource Graph lets fifteen queries through in five seconds. Its
//! time is what passed of that, and the real time that this process took without the simulated services' own share.
//!
//! `cargo run --release -p lifeboat-tests --bin bench-sweep [-- --quick]` (`--quick`: 10,000 machines only)
#![expect(clippy::disallowed_methods, reason = "a bench measures real time")]

use std::collections::{BTreeMap, HashSet};
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use lifeboat_azure::graph::MachineRow;
use lifeboat_azure::machines::Os;
use lifeboat_contract::policy::read_policies;
use lifeboat_execution::catalogue::{self, Consistency, Entry, Seen, Shard, State};
use lifeboat_execution::estate_judge::{Judge, Remembered, SeenMachine};
use lifeboat_execution::vault_lists::VaultLists;
use lifeboat_planning::id::{MachineKey, PointName};
use lifeboat_planning::policy::BackupPolicy;
use lifeboat_planning::schedule::Slot;
use lifeboat_tests::estate::{Estate, seed, subscription};
use lifeboat_tests::lines::{self, Line};
use lifeboat_tests::rig::{CONTAINER, GROUP, LOCATION};
use lifeboat_tests::tap::{Call, Service};

/// Machines of a subscription.
const EACH: usize = 500;
/// What a call takes.
const CALL: Duration = Duration::from_millis(20);
/// Judgements measured; the median is quoted.
const JUDGEMENTS: usize = 31;
/// Points of a machine: one a day for a month.
const POINTS: i64 = 30;
/// When the point of last night was made: its slot is 02:00 in Berlin.
const SLOT: &str = "2026-11-23T01:00:00Z";

/// Five policies that overlap, most of them not reaching a machine, as an estate's are.
fn policies() -> String {
    let policy = |name: &str, priority: i32, condition: &str| {
        format!(
            "apiVersion: lifeboat/v1\nkind: BackupPolicy\nmetadata: {{ name: {name} }}\nspec:\n  mode: enforce\n  priority: {priority}\n  \
             match: {condition}\n  rpo: 26h\n  points:\n    - name: daily\n      kind: restorePoint\n      \
             schedule: {{ cron: \"0 2 * * *\", timezone: Europe/Berlin }}\n      onCreate: {{ within: 1h }}\n      keep: {{ last: 3 }}\n"
        )
    };
    [
        policy("production", 10, "{ all: [ { tag: { env: prod } }, { not: { tag: { lifeboat: skip } } } ] }"),
        policy("databases", 50, "{ any: [ { name: \"sql-*\" }, { name: \"*-db-??\" }, { tag: { tier: db } } ] }"),
        policy("north", 20, "{ all: [ { location: northeurope }, { resourceGroup: \"rg-*-north\" } ] }"),
        policy("windows", 5, "{ all: [ { os: windows }, { size: \"Standard_D*\" } ] }"),
        policy("rest", 0, "{ name: \"*\" }"),
    ]
    .join("---\n")
}

fn main() -> ExitCode {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let mut lines = judged(10_000, 20.0);
    if !quick {
        lines.extend(judged(100_000, 250.0));
    }
    lines.extend(swept(10_000, 10.0));
    if !quick {
        lines.extend(swept(100_000, 90.0));
    }
    lines::print(lines)
}

/// An estate of so many machines, observed and parsed, held against the policies.
fn judged(machines: usize, budget: f64) -> Vec<Line> {
    let text = policies();
    let policies: Vec<BackupPolicy> = read_policies(&[("policy.yaml", &text)]).expect("they are policies");
    let before = resident();
    let mut remembered = Remembered::of(&policies);
    for number in 0..machines / EACH {
        let mut shard = Shard::default();
        for row in page(number) {
            shard.machines.insert(MachineKey::new(&row.vm_id, &row.id), entry(&row.vm_id, &row.id));
        }
        remembered.add(shard);
    }
    let now: Timestamp = "2026-11-23T12:00:00Z".parse().expect("a time");
    let lists = VaultLists::default();
    let mut times: Vec<Duration> =
        (0..JUDGEMENTS).map(|_| judge(&policies, machines / EACH, &remembered, &lists, now)).collect();
    times.sort();
    let memory = resident() - before;
    let floor: Duration = (0..machines / EACH).map(|number| read_once(&page(number))).sum();
    let (what, memory_of) = match machines {
        10_000 => ("match and plan a sweep of 10,000 machines, p50", "its memory, a page at a time as in a sweep"),
        _ => ("match and plan a sweep of 100,000 machines, p50", "its memory, a page at a time as in a sweep"),
    };
    vec![
        Line::at_most(what, times[JUDGEMENTS / 2].as_secs_f64() * 1e3, "ms", budget)
            .floor(floor.as_secs_f64() * 1e3, "ids and names read once"),
        Line::at_most(memory_of, memory, "MB", 200.0),
    ]
}

/// The machines of one page.
fn page(number: usize) -> Vec<MachineRow> {
    (0..EACH).map(|machine| row(number + 1, machine)).collect()
}

/// How long it takes to read ids and names once.
fn read_once(rows: &[MachineRow]) -> Duration {
    let from = Instant::now();
    let bytes: usize =
        rows.iter().map(|row| row.id.bytes().chain(row.name.bytes()).map(usize::from).sum::<usize>()).sum();
    assert!(bytes > 0);
    from.elapsed()
}

/// Judges all machines page by page, as a sweep does, which drops each page; nothing is due. The pages are made outside the time.
fn judge(
    policies: &[BackupPolicy],
    pages: usize,
    remembered: &Remembered,
    lists: &VaultLists,
    now: Timestamp,
) -> Duration {
    let (mut covered, mut needy, mut took) = (0, 0, Duration::ZERO);
    let judge = Judge::new(policies, now, HashSet::new());
    for number in 0..pages {
        let rows = page(number);
        let from = Instant::now();
        for row in rows {
            let mut machine = SeenMachine::from(row);
            let judged = judge.judge(&mut machine, now, remembered, lists);
            covered += usize::from(judged.policy.is_some());
            needy += usize::from(judged.needs_look || judged.breached);
        }
        took += from.elapsed();
    }
    assert_eq!((covered, needy), (pages * EACH, 0), "all are covered, and nothing is due");
    took
}

/// A row of Resource Graph.
fn row(number: usize, machine: usize) -> MachineRow {
    let subscription = subscription(number);
    let name = format!("vm-{machine:05}");
    MachineRow {
        id: seed(&subscription, machine).id(),
        name,
        location: LOCATION.to_owned(),
        resource_group: GROUP.to_owned(),
        vm_id: format!("11111111-{number:04x}-4111-8111-{machine:012x}"),
        subscription,
        tags: [("env", "prod"), ("costCenter", "4711"), ("owner", "team-shop")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        time_created: "2026-01-01T00:00:00Z".parse().ok(),
        managed_by: None,
        scale_set: None,
        os: Some(Os::Linux),
        size: Some("Standard_D4s_v5".to_owned()),
    }
}

/// What the catalogue says of a machine: a point a day for a month, the newest of last night.
fn entry(vm_id: &str, machine: &str) -> Entry {
    let newest: Timestamp = SLOT.parse().expect("a time");
    let point = |day: i64| {
        let at = newest.checked_sub(SignedDuration::from_hours(24 * day)).expect("a time");
        let slot = Slot::new(at).expect("a slot");
        let name = PointName::scheduled("production", "daily", slot, vm_id, 1);
        Seen(name.to_string(), at.as_second(), State::Succeeded, Consistency::FileSystem)
    };
    Entry {
        vm_id: vm_id.to_owned(),
        machine: machine.to_owned(),
        collection: String::new(),
        read_at: newest,
        look_at: newest,
        total: POINTS as u32,
        points: (0..POINTS).map(point).collect(),
    }
}

/// A whole sweep over so many machines: one in which nothing is due, then one in which everything is.
fn swept(machines: usize, budget: f64) -> Vec<Line> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        let loading = Instant::now();
        let mut estate = Estate::new(machines / EACH, EACH, &policies());
        seed_catalogue(&estate);
        eprintln!(
            "{machines} machines loaded in {:.1} s, {:.0} MB resident",
            loading.elapsed().as_secs_f64(),
            resident()
        );
        let slow = estate.slow_down(CALL);
        let mut lines = Vec::new();
        for (due, line, queued) in [(false, "nothing due", 0), (true, "everything due", 2_000)] {
            if due {
                forget_catalogue(&estate);
            }
            let (virtual_from, real_from) = (tokio::time::Instant::now(), Instant::now());
            let (worked_before, calls_before) = (slow.worked.load(Ordering::Relaxed), estate.wire.count());
            let said = estate.sweep().await.expect("a sweep");
            let own = real_from
                .elapsed()
                .saturating_sub(Duration::from_nanos(slow.worked.load(Ordering::Relaxed) - worked_before));
            let waited = virtual_from.elapsed();
            let expected = format!("{machines} machines are covered, {queued} need a look and are queued, ");
            assert!(said.get(1).is_some_and(|line| line.starts_with(&expected)), "{said:?}");
            let calls = estate.wire.calls_from(calls_before);
            eprintln!(
                "{machines} machines, {line}: {:.1} s virtual, {:.2} s own",
                waited.as_secs_f64(),
                own.as_secs_f64()
            );
            lines.extend(figures(machines, due, &calls, (waited + own).as_secs_f64(), budget));
            estate.take_looks();
            tokio::time::sleep(Duration::from_secs(300)).await;
        }
        lines
    })
}

/// The lines of one sweep.
fn figures(machines: usize, due: bool, calls: &[Call], seconds: f64, budget: f64) -> Vec<Line> {
    let arm = calls.iter().filter(|call| call.service == Service::Arm);
    let queries = arm.clone().filter(|call| call.path.contains("ResourceGraph")).count() as f64;
    let pages = machines.div_ceil(1_000) as f64;
    // Fifteen queries at once, then fifteen each five seconds.
    let waits = ((pages / 15.0).ceil() - 1.0) * 5.0;
    let names = match (machines, due) {
        (10_000, false) => ["10,000 machines, nothing due", "  Graph queries", "  ARM calls a machine"],
        (10_000, true) => ["10,000 machines, all due, 2,000 queued", "  Graph queries", "  ARM calls a machine"],
        (_, false) => ["100,000 machines, nothing due", "  Graph queries", "  ARM calls a machine"],
        (_, true) => ["100,000 machines, all due, 2,000 queued", "  Graph queries", "  ARM calls a machine"],
    };
    let most = if machines == 10_000 { 25.0 } else { 250.0 };
    vec![
        Line::at_most(names[0], seconds, "s", budget).floor(waits + pages * 0.02, "pages at 15 in 5 s, 20 ms each"),
        Line::at_most(names[1], queries, "", most).floor(pages, "a thousand machines a page"),
        Line::at_most(names[2], arm.count() as f64 / machines as f64, "", 0.01)
            .floor(pages / machines as f64, "the pages"),
    ]
}

/// The catalogue as looks would have left it: every machine has its point of last night.
fn seed_catalogue(estate: &Estate) {
    let mut shards: BTreeMap<usize, Shard> = BTreeMap::new();
    for machine in estate.azure.arm.machines() {
        let text = |name: &str| machine[name].as_str().unwrap_or_default().to_owned();
        let (id, vm_id) = (text("id"), text("vmId"));
        let shard = shards.entry(catalogue::shard_of(&vm_id)).or_default();
        shard.machines.insert(MachineKey::new(&vm_id, &id), entry(&vm_id, &id));
    }
    for (number, shard) in shards {
        estate.blobs.put(CONTAINER, &catalogue::blob_name(number), shard.encode());
    }
}

/// The catalogue as a lost one: every machine needs a look.
fn forget_catalogue(estate: &Estate) {
    for number in 0..catalogue::SHARDS {
        estate.blobs.remove(CONTAINER, &catalogue::blob_name(number));
    }
}

/// Resident memory of this process in MB.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(f64::MAX) / 1e3
}
