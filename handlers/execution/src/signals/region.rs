//! What the store has about a region, for a person who asks: the evidence that stands, and where the recovery plans that name it stand.
//! It never changes anything, and never asks Azure.

use jiff::Timestamp;
use lifeboat_azure::blobs::Store;
use lifeboat_contract::declaration as words;
use lifeboat_planning::signal::State;

use super::fleet::{self, Fleet};
use super::stored::{self, RegionSignals, StoredThread};
use crate::declaration::record::{self, Record};
use crate::swap::{self, SwapError};

/// Threads that are told as lines; the JSON has all.
const THREADS_TOLD_MAX: usize = 50;

/// What is known of a region.
#[derive(Clone, Debug, PartialEq)]
pub struct RegionEvidence {
    /// The region.
    pub region: String,
    /// What stands; none where nothing was ever said.
    pub signals: Option<RegionSignals>,
    /// Its machines; none where they were never read.
    pub fleet: Option<Fleet>,
    /// The recovery plans that name it, by name.
    pub declarations: Vec<Record>,
}

/// Reads it. A repeat is safe.
pub async fn read(store: &Store, name: &str) -> Result<RegionEvidence, SwapError> {
    let region = lifeboat_azure::region(name);
    let signals = swap::read(store, &stored::blob_name(&region), stored::VERSION).await?;
    let fleet = fleet::read(store, &region).await?;
    let mut declarations = Vec::new();
    for blob in store.list(record::FOLDER).await? {
        let found = record::read_blob(store, &blob).await?;
        declarations.extend(found.map(|(record, _)| record).filter(|one| one.from == region || one.to == region));
    }
    declarations.sort_by(|one, other| one.recovery_plan.cmp(&other.recovery_plan));
    Ok(RegionEvidence { region, signals, fleet, declarations })
}

impl RegionEvidence {
    /// True where nothing fails and no incident is open.
    pub fn is_quiet(&self) -> bool {
        let fails = self.signals.iter().flat_map(|signals| &signals.threads).any(|one| one.state != State::Well);
        !fails && self.declarations.iter().all(|one| one.incident.is_none())
    }

    /// As lines, as of `now`.
    pub fn lines(&self, now: Timestamp) -> Vec<String> {
        let mut lines = vec![format!("region {}", self.region)];
        lines.push(match &self.fleet {
            Some(fleet) => format!("{} machines, as of {}", fleet.machines, fleet.at),
            None => "its machines were never read".to_owned(),
        });
        match &self.signals {
            None => lines.push("nothing was ever said of it".to_owned()),
            Some(signals) => lines.extend(said(signals, now)),
        }
        for one in &self.declarations {
            lines.push(String::new());
            lines.extend(declared(one));
        }
        if self.declarations.is_empty() {
            lines.push("no recovery plan that names it was ever evaluated".to_owned());
        }
        lines
    }
}

fn said(signals: &RegionSignals, now: Timestamp) -> Vec<String> {
    let mut lines = vec![match signals.read_at {
        Some(at) => format!("Resource Health was last read whole at {at}"),
        None => "Resource Health was never read whole".to_owned(),
    }];
    let (told, more) = signals_told(signals);
    lines.extend(told.iter().map(|one| format!("  {}", thread(one, now))));
    if more > 0 {
        lines.push(format!("  and {more} more"));
    }
    lines
}

/// The threads that are told, and how many more there are.
pub fn signals_told(signals: &RegionSignals) -> (&[StoredThread], u64) {
    let told = &signals.threads[..signals.threads.len().min(THREADS_TOLD_MAX)];
    (told, (signals.threads.len() - told.len()) as u64 + signals.left_out)
}

fn thread(one: &StoredThread, now: Timestamp) -> String {
    let silent = if is_silent(one, now) { ", and silent since" } else { "" };
    let (about, state) = (about(one), one.state.word());
    format!("{} {about}: {state} since {}, last said {}{silent}", one.origin, one.since, one.affirmed_at)
}

/// What a thread is about, in words.
pub fn about(one: &StoredThread) -> String {
    match (&one.machine, one.service.is_empty()) {
        (Some(machine), _) => machine.rsplit('/').next().unwrap_or(machine).to_owned(),
        (None, true) => one.matter.clone(),
        (None, false) => format!("{} ({})", one.matter, one.service),
    }
}

/// Whether a thread's word was not repeated for so long that it is silence.
pub fn is_silent(one: &StoredThread, now: Timestamp) -> bool {
    now.duration_since(one.affirmed_at) > one.origin.stands_for()
}

fn declared(one: &Record) -> Vec<String> {
    let mut lines = vec![format!(
        "recovery plan {}, from {} to {}: {}, looked at {}",
        one.recovery_plan, one.from, one.to, one.phase, one.evaluated_at
    )];
    if let Some(incident) = &one.incident {
        let names: Vec<&str> = incident.senders.iter().map(|sender| sender.name.as_str()).collect();
        lines.push(format!("  an incident is open since {}, told of by {}", incident.opened_at, names.join(", ")));
    }
    for condition in one.conditions() {
        let mark = if condition.met { "met    " } else { "NOT MET" };
        lines.push(format!("  {mark} {}: {}", condition.name, condition.value));
    }
    if let Some(takes) = one.takes {
        lines.push(format!("  a failover would take {}", words::takes(&takes.into())));
    }
    if let Some(digest) = one.digest_shown() {
        lines.push(format!("  an order or approval names what is shown by its digest: {digest}"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_told_with_who_says_it_and_every_condition() {
        let signals = serde_json::from_slice(include_bytes!("../../golden/region-signals-v1.json")).expect("reads");
        let fleet = serde_json::from_slice(include_bytes!("../../golden/fleet-v1.json")).expect("reads");
        let mut record: Record =
            serde_json::from_slice(include_bytes!("../../golden/declaration-v1.json")).expect("reads");
        record.last =
            Some(serde_json::json!({ "conditions": [{ "name": "window", "met": false, "value": "2m of 10m" }] }));
        let evidence = RegionEvidence {
            region: "westeurope".to_owned(),
            signals: Some(signals),
            fleet: Some(fleet),
            declarations: vec![record],
        };
        let lines = evidence.lines("2026-11-22T02:40:00Z".parse().expect("a time")).join("\n");
        for part in [
            "2 machines",
            "serviceHealth NA0F-1 (Virtual Machines): failing since",
            "resourceHealth vm-1: platformFault",
            "last said 2026-11-22T02:05:00Z, and silent since",
            "recovery plan shop, from westeurope to northeurope: Suspected",
            "NOT MET window: 2m of 10m",
        ] {
            assert!(lines.contains(part), "{part} is not in\n{lines}");
        }
        assert!(!evidence.is_quiet());
    }
}
