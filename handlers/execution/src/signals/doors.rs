//! Takes what arrives at a door: reads it into signals, keeps them by region, keeps what could not be read, and says what does not count.
//! It never decides on them, and never answers that something was taken before it is in the store.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use lifeboat_contract::signals::{self, Door, Known, NotCounted, Reading, Uncounted};
use lifeboat_planning::recovery::RecoveryPlan;
use lifeboat_planning::signal::{Signal, Taken};
use serde_json::Value;

use super::{fleet, stored, unread};
use crate::estate::{self, EstateError};
use crate::lifeboat::Lifeboat;
use crate::policies::{self, PolicyError};
use crate::swap::SwapError;

/// Lines that one delivery says, at most: an answer of Resource Health has thousands of machines.
const LINES_MAX: usize = 20;

/// Why a payload was not taken: whoever sent it must send it again.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// Without an estate record nothing is written.
    #[error(transparent)]
    Estate(#[from] EstateError),
    /// Which recovery plans there are is not known.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The store did not take it.
    #[error("the evidence could not be kept")]
    Store(#[from] SwapError),
}

/// What became of a payload that was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Took {
    /// What is said of it.
    pub lines: Vec<String>,
    /// The regions of which something stands that did not before, or was affirmed.
    pub regions: BTreeSet<String>,
}

/// The recovery plans in force; none where no bundle was ever pushed.
pub async fn recovery_plans(lifeboat: &Lifeboat) -> Result<Vec<RecoveryPlan>, PolicyError> {
    match policies::in_force(&lifeboat.store, &lifeboat.policies).await {
        Ok(in_force) => Ok(in_force.recovery_plans.clone()),
        Err(PolicyError::Missing { .. }) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// What is known of the regions and machines of recovery plans.
pub async fn known(lifeboat: &Lifeboat, plans: &[RecoveryPlan]) -> Result<Known, SwapError> {
    let mut known = Known::default();
    for region in fleet::regions(plans) {
        known.add_region(region, region);
        for machine in fleet::read(&lifeboat.store, region).await?.map(|fleet| fleet.named).unwrap_or_default() {
            known.add_machine(&machine, region);
        }
    }
    for plan in plans {
        for alert in &plan.declaration.evidence.alerts {
            known.add_named(alert, plan.from.as_str());
        }
    }
    Ok(known)
}

/// Takes a payload as it arrived.
pub async fn take(lifeboat: &Lifeboat, door: Door, body: &Value) -> Result<Took, DoorError> {
    // It arrived now, however long it takes until it is kept.
    let at = lifeboat.clock.now();
    // Before anything is written: a store that is not ours, or is not what it was, is left as it is.
    estate::required(&lifeboat.store, &lifeboat.settings.deployment).await?;
    let plans = recovery_plans(lifeboat).await?;
    let known = known(lifeboat, &plans).await?;
    let reading = signals::read(door, body, &known, at);
    keep(lifeboat, door, reading, &plans, at).await
}

/// Keeps what was read of a payload, which arrived, or was asked for, at this moment: who was stopped since then has old evidence and not new.
/// Signals of regions that no recovery plan names are nobody's.
pub async fn keep(
    lifeboat: &Lifeboat,
    door: Door,
    reading: Reading,
    plans: &[RecoveryPlan],
    at: Timestamp,
) -> Result<Took, DoorError> {
    unread::keep(lifeboat, door, &reading.raw).await?;
    let mut took = Took::default();
    took.lines.extend(reading.raw.iter().map(|one| format!("kept as it came: {}", one.why)));
    let uncounted = reading.uncounted.iter().map(said);
    match door {
        Door::RegionAlert | Door::RegionHealthChanged | Door::Probe => took.lines.extend(uncounted),
        // Of a whole subscription's answers most say nothing of a region: only that a part was not answered is worth a line.
        Door::HealthPoll => {
            took.lines.extend(reading.uncounted.iter().filter(|one| one.why == NotCounted::NotAnswered).map(said));
        }
    }
    let named = fleet::regions(plans);
    let mut of_regions: BTreeMap<&str, Vec<Signal>> = BTreeMap::new();
    if reading.whole {
        of_regions.extend(named.iter().map(|region| (*region, Vec::new())));
    }
    let mut elsewhere = 0;
    for signal in reading.signals {
        match named.get(signal.region.as_str()) {
            Some(region) => of_regions.entry(region).or_default().push(signal),
            None => elsewhere += 1,
        }
    }
    if elsewhere > 0 {
        took.lines.push(format!("{elsewhere} signals are of regions that no recovery plan names"));
    }
    for (region, signals) in of_regions {
        let taken = stored::take(&lifeboat.store, region, &signals, reading.whole, at).await?;
        for (signal, taken) in signals.iter().zip(&taken).filter(|(_, taken)| **taken != Taken::Stands) {
            took.lines.push(format!("{} of {region} is not taken: {}", signal.origin, word(*taken)));
        }
        let stands = taken.iter().filter(|taken| **taken == Taken::Stands).count();
        if stands > 0 || reading.whole {
            took.lines.push(format!("{door}: {stands} signals of {region} stand"));
            took.regions.insert(region.to_owned());
        }
    }
    let more = took.lines.len().saturating_sub(LINES_MAX);
    if more > 0 {
        took.lines.truncate(LINES_MAX);
        took.lines.push(format!("and {more} lines more"));
    }
    Ok(took)
}

fn said(one: &Uncounted) -> String {
    format!("{} does not count: {}", one.about, one.why)
}

fn word(taken: Taken) -> &'static str {
    match taken {
        Taken::Stands => "it stands",
        Taken::Repeated => "the very message was heard before",
        Taken::Older => "its sender has said something newer",
        Taken::Stale => "it was said too long ago when it arrived",
        Taken::NoRoom => "there is no room for another thread",
    }
}
