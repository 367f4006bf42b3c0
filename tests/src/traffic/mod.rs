//! Records the traffic of a whole test run: each distinct shape of call and answer once, with one full sample, and how often it came.
//! It never judges: the test target `traffic`, which cargo runs last, does. It reads nothing that it wrote.
//!
//! All test processes of a run write into one folder, which is named after the process that started them: under cargo that is
//! cargo. A shape is a file, written when it is first seen; each process keeps its counts in a file of its own.

mod folder;
pub mod sample;
pub mod shape;

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use lifeboat_simulator::azure::{Arm, Exchange};

pub use self::folder::{of_this_run, sweep};

/// How Lifeboat's own client names itself.
const CLIENT: &str = "lifeboat/";
/// Exchanges after which the counts are written in any case: a process may be killed.
const FLUSH_EVERY: u64 = 1000;

/// What one process has seen.
struct Recorder {
    folder: PathBuf,
    seen: Mutex<HashMap<u64, u64>>,
    /// Hashes of the links to next pages that answers gave: who follows one sends what ARM wrote, not what the client says.
    links: Mutex<HashSet<u64>>,
    since_flush: AtomicU64,
}

/// Writes the counts when the simulated ARM that it belongs to goes.
struct Guard(&'static Recorder);

/// Records everything that this simulated ARM answers to a handler and to whoever else asks.
pub fn record(arm: &Arm) {
    record_as(arm, false);
}

/// Records what is asked only so that each operation is spoken once: no handler says it, and a role is not held to it.
pub fn record_exercises(arm: &Arm) {
    record_as(arm, true);
}

fn record_as(arm: &Arm, is_exercise: bool) {
    let Some(recorder) = recorder() else { return };
    let guard = Guard(recorder);
    arm.observe(Arc::new(move |exchange| guard.0.note(exchange, is_exercise)));
}

/// Writes the counts of this process now.
pub fn flush() {
    if let Some(recorder) = recorder() {
        recorder.flush();
    }
}

/// How many other test processes of this run have recorded something.
pub fn other_processes() -> usize {
    let own = format!("counts-{}.json", std::process::id());
    let entries = std::fs::read_dir(of_this_run()).into_iter().flatten().filter_map(Result::ok);
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with("counts-") && name.ends_with(".json") && *name != own).count()
}

/// Whether Lifeboat's client sent it.
pub fn is_client(exchange: &Exchange) -> bool {
    shape::header(&exchange.request_headers, "user-agent").is_some_and(|agent| agent.starts_with(CLIENT))
}

fn recorder() -> Option<&'static Recorder> {
    static RECORDER: OnceLock<Option<Recorder>> = OnceLock::new();
    let made = RECORDER.get_or_init(|| {
        let folder = of_this_run();
        std::fs::create_dir_all(&folder).ok()?;
        Some(Recorder { folder, seen: Mutex::default(), links: Mutex::default(), since_flush: AtomicU64::new(0) })
    });
    made.as_ref()
}

impl Recorder {
    fn note(&self, exchange: &Exchange, is_exercise: bool) {
        let is_client = is_client(exchange);
        let is_followed = self.links.lock().unwrap_or_else(PoisonError::into_inner).contains(&hash(&exchange.url));
        let shape::Shape { number: shape, link } = shape::of(exchange, is_client, is_followed);
        // What a handler says too has a sample of its own.
        let shape = if is_exercise { !shape } else { shape };
        if let Some(link) = link.and_then(|link| azure_core::http::Url::parse(&link).ok()) {
            self.links.lock().unwrap_or_else(PoisonError::into_inner).insert(hash(link.as_str()));
        }
        let is_new = {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            let count = seen.entry(shape).or_default();
            *count += 1;
            *count == 1
        };
        if is_new {
            let path = self.folder.join(format!("shape-{shape:016x}.json"));
            if !path.exists() {
                write(&path, &sample::of(exchange, is_client, is_followed, is_exercise).to_string());
            }
        }
        if self.since_flush.fetch_add(1, Ordering::Relaxed) + 1 >= FLUSH_EVERY {
            self.flush();
        }
    }

    fn flush(&self) {
        if self.since_flush.swap(0, Ordering::Relaxed) == 0 {
            return;
        }
        // Written under the lock, so that an older count never comes after a newer one.
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let counts: serde_json::Map<String, serde_json::Value> =
            seen.iter().map(|(shape, count)| (format!("{shape:016x}"), (*count).into())).collect();
        let path = self.folder.join(format!("counts-{}.json", std::process::id()));
        write(&path, &serde_json::Value::Object(counts).to_string());
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.flush();
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Writes a file whole or not at all; other processes may be writing the same one.
fn write(path: &Path, text: &str) {
    static PARTS: AtomicU64 = AtomicU64::new(0);
    let part = PARTS.fetch_add(1, Ordering::Relaxed);
    let partial = path.with_extension(format!("{}-{part}.part", std::process::id()));
    let written = std::fs::write(&partial, text).and_then(|()| std::fs::rename(&partial, path));
    written.unwrap_or_else(|error| panic!("the traffic cannot be recorded: {}: {error}", path.display()));
}
