//! The signals of one region in the store: read, added to, and written back by compare-and-swap.
//! It never loses a word that stands for one that does not, and never holds more than a blob takes.

use jiff::Timestamp;
use lifeboat_azure::blobs::Store;
use lifeboat_planning::signal::{About, KeptThread, Origin, Remembered, Signal, Signals, State, Taken, Thread};
use serde::{Deserialize, Serialize};

use super::FOLDER;
use crate::swap::{self, Change, SwapError};

/// The version of [`RegionSignals`] that this release writes.
pub const VERSION: u32 = 1;
/// Threads kept of a region: some 300 bytes each, and a blob is written at once up to 4 MiB. Beyond it single machines go first; of
/// a fleet of more than twice as many that all fail, the share is then too small, which is the safe side.
pub const THREADS_KEPT_MAX: usize = 8_000;
/// Ids of messages kept of a region, some 100 bytes each; the oldest go first.
pub const IDS_KEPT_MAX: usize = 8_000;
/// Machines kept although they are well: enough to show that they are told of. The fleet is counted elsewhere.
const WELL_MACHINES_KEPT: usize = 20;
/// The longest text kept of what a sender names; ids and names of Azure's are below it.
const TEXT_CHARS_MAX: usize = 512;

/// The signals of one region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegionSignals {
    /// Version of the record.
    pub version: u32,
    /// The region, as Azure names it.
    pub region: String,
    /// When Resource Health last answered whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Timestamp>,
    /// When a probe of the region last was answered well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub good_probe_at: Option<Timestamp>,
    /// What stands.
    pub threads: Vec<StoredThread>,
    /// Ids of messages that were heard, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heard: Vec<Heard>,
    /// Threads that did not fit.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: u64,
}

/// One thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredThread {
    /// Who says it.
    #[serde(with = "OriginWord")]
    pub origin: Origin,
    /// ARM id of the machine that it is about; none where it is about the region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
    /// The sender's own name of the matter.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub matter: String,
    /// The service, where the sender tells services apart.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub service: String,
    /// The latest word.
    #[serde(with = "StateWord")]
    pub state: State,
    /// Since when.
    pub since: Timestamp,
    /// When the sender said it.
    pub said_at: Timestamp,
    /// When it was first heard.
    pub heard_at: Timestamp,
    /// When it was last heard or read.
    pub affirmed_at: Timestamp,
    /// How often in a row.
    pub times: u32,
    /// When a machine was last said not to serve.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unavailable_at: Option<Timestamp>,
    /// When the platform was last blamed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blamed_at: Option<Timestamp>,
}

/// A message that was heard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// When.
    pub at: Timestamp,
    /// Whose.
    #[serde(with = "OriginWord")]
    pub origin: Origin,
    /// Its sender's id.
    pub id: String,
}

/// The words of records: those of [`Origin::word`].
#[derive(Serialize, Deserialize)]
#[serde(remote = "Origin", rename_all = "camelCase")]
pub(crate) enum OriginWord {
    ServiceHealth,
    ResourceHealth,
    Probe,
    MetricAlert,
}

/// The words of records: those of [`State::word`].
#[derive(Serialize, Deserialize)]
#[serde(remote = "State", rename_all = "camelCase")]
enum StateWord {
    Failing,
    Well,
    Unavailable,
    PlatformFault,
    Excused,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// The blob of a region's signals.
pub fn blob_name(region: &str) -> String {
    format!("{FOLDER}{region}.json")
}

/// The signals that stand of a region; none where nothing was ever said.
pub async fn read(store: &Store, region: &str) -> Result<Signals, SwapError> {
    let known: Option<RegionSignals> = swap::read(store, &blob_name(region), VERSION).await?;
    Ok(known.map(RegionSignals::signals).unwrap_or_default())
}

/// Takes signals of one region, all of one message or reading, and what became of each. `whole` says that Resource Health answered
/// whole with them. What changes nothing is not written.
pub async fn take(
    store: &Store,
    region: &str,
    signals: &[Signal],
    whole: bool,
    now: Timestamp,
) -> Result<Vec<Taken>, SwapError> {
    swap::swap(store, &blob_name(region), VERSION, |known: Option<RegionSignals>| {
        let mut standing = known.map(RegionSignals::signals).unwrap_or_default();
        let taken = standing.take(signals, now);
        if whole {
            standing.read_whole(now);
        }
        if !whole && !taken.contains(&Taken::Stands) {
            return Change::Leave(taken);
        }
        standing.forget(WELL_MACHINES_KEPT, now);
        Change::Write(RegionSignals::of(region, standing.remembered()), taken)
    })
    .await
}

impl RegionSignals {
    /// The record of what is remembered, within its bounds.
    pub fn of(region: &str, remembered: Remembered) -> Self {
        let Remembered { mut threads, mut heard, read_at, good_probe_at } = remembered;
        // What is about the region says more than a machine, and a machine that fails more than one that does not.
        threads.sort_by_key(|kept| match (&kept.about, kept.thread.state) {
            (About::Region { .. }, _) => 0,
            (About::Machine(_), State::Failing) => 1,
            (About::Machine(_), _) => 2,
        });
        let left_out = threads.len().saturating_sub(THREADS_KEPT_MAX);
        if left_out > 0 {
            tracing::warn!(region, left_out, "more is told of a region than is kept");
        }
        threads.truncate(THREADS_KEPT_MAX);
        heard.drain(..heard.len().saturating_sub(IDS_KEPT_MAX));
        let good_probe_at = good_probe_at.into_iter().find(|(of, _)| of == region).map(|(_, at)| at);
        let fits = |heard: &Heard| heard.id.chars().count() <= TEXT_CHARS_MAX;
        Self {
            version: VERSION,
            region: region.to_owned(),
            read_at,
            good_probe_at,
            threads: threads.into_iter().map(StoredThread::of).collect(),
            heard: heard.into_iter().map(|(at, origin, id)| Heard { at, origin, id }).filter(fits).collect(),
            left_out: left_out as u64,
        }
    }

    /// The signals as `planning` has them.
    pub fn signals(self) -> Signals {
        let Self { region, read_at, good_probe_at, threads, heard, .. } = self;
        Signals::of(Remembered {
            good_probe_at: good_probe_at.map(|at| (region.clone(), at)).into_iter().collect(),
            threads: threads.into_iter().map(|one| one.kept(&region)).collect(),
            heard: heard.into_iter().map(|one| (one.at, one.origin, one.id)).collect(),
            read_at,
        })
    }
}

impl StoredThread {
    fn of(kept: KeptThread) -> Self {
        let bounded = |text: String| text.chars().take(TEXT_CHARS_MAX).collect::<String>();
        let (machine, matter, service) = match kept.about {
            About::Machine(id) => (Some(id), String::new(), String::new()),
            About::Region { matter, service } => (None, bounded(matter), bounded(service)),
        };
        let Thread { state, since, said_at, heard_at, affirmed_at, times, unavailable_at, blamed_at } = kept.thread;
        Self {
            origin: kept.origin,
            machine,
            matter,
            service,
            state,
            since,
            said_at,
            heard_at,
            affirmed_at,
            times,
            unavailable_at,
            blamed_at,
        }
    }

    fn kept(self, region: &str) -> KeptThread {
        let Self { origin, machine, matter, service, state, since, said_at, heard_at, affirmed_at, times, .. } = self;
        let (unavailable_at, blamed_at) = (self.unavailable_at, self.blamed_at);
        let about = machine.map_or(About::Region { matter, service }, About::Machine);
        let thread = Thread { state, since, said_at, heard_at, affirmed_at, times, unavailable_at, blamed_at };
        KeptThread { region: region.to_owned(), origin, about, thread }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifeboat_planning::signal::Told;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn incident(state: State, said: &str, id: &str) -> Signal {
        Signal {
            origin: Origin::ServiceHealth,
            region: "westeurope".to_owned(),
            about: About::Region { matter: "NA0F-1".to_owned(), service: "Virtual Machines".to_owned() },
            state,
            since: None,
            said_at: at(said),
            told: Told::Message(id.to_owned()),
        }
    }

    fn machine(n: usize, state: State) -> Signal {
        let about = About::Machine(format!("/subscriptions/s/vm-{n}"));
        let origin = Origin::ResourceHealth;
        Signal { origin, about, told: Told::Reading, ..incident(state, "2026-11-22T02:00:00Z", "") }
    }

    #[test]
    fn version_1_reads_as_it_was_written() {
        let golden = include_bytes!("../../golden/region-signals-v1.json");
        let record: RegionSignals = crate::record::read_up_to(VERSION, "golden", golden).expect("reads");
        let written: serde_json::Value = serde_json::to_value(&record).expect("writes");
        assert_eq!(written, serde_json::from_slice::<serde_json::Value>(golden).expect("JSON"));
        let again = RegionSignals::of("westeurope", record.clone().signals().remembered());
        assert_eq!(again, record, "what `planning` is given says the same");
        assert_eq!(record.threads[0].origin.word(), written["threads"][0]["origin"]);
        assert_eq!(record.threads[1].state.word(), written["threads"][1]["state"]);
    }

    #[test]
    fn beyond_the_bound_machines_that_do_not_fail_go_first_and_the_region_s_own_matters_never() {
        let now = at("2026-11-22T02:00:00Z");
        let mut signals = Signals::default();
        let failing = THREADS_KEPT_MAX / 2;
        let all: Vec<Signal> = (0..THREADS_KEPT_MAX + 10)
            .map(|n| machine(n, if n < failing { State::Failing } else { State::Unavailable }))
            .chain([incident(State::Failing, "2026-11-22T02:00:00Z", "c1")])
            .collect();
        signals.take(&all, now);
        let record = RegionSignals::of("westeurope", signals.remembered());
        assert_eq!((record.threads.len(), record.left_out), (THREADS_KEPT_MAX, 11));
        assert_eq!(record.threads.iter().filter(|one| one.state == State::Failing).count(), failing + 1);
        assert!(record.threads.iter().any(|one| one.matter == "NA0F-1"));
        let bytes = serde_json::to_vec(&record).expect("writes");
        assert!(bytes.len() < lifeboat_azure::blobs::MAX_PUT_BYTES);
    }
}
