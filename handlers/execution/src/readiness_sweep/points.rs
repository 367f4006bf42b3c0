//! The newest points of recovery plans whose region is suspected or worse, read between two sweeps: what would be lost is counted from the
//! newest usable point, and half an hour of points that nobody read would be told as lost.
//! It never judges whether a recovery plan is ready, never asks the region that may be lost, and changes nothing else of the record.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use jiff::{SignedDuration, Timestamp};
use lifeboat_azure::{ResourceId, replication};
use lifeboat_planning::declaration::Phase;
use lifeboat_planning::recovery::RecoveryPlan;
use lifeboat_planning::saga::failover::PointFacts;
use tokio::time::Instant;

use crate::declaration::record as declared;
use crate::lifeboat::Lifeboat;
use crate::readiness::record::{self, NewestPoints, Record};
use crate::saga::replica;
use crate::swap::{self, Change, SwapError};

/// Points that were read within this are fresh: Site Recovery makes one every five minutes, so that none or one was made since.
const FRESH_FOR: SignedDuration = SignedDuration::from_mins(5);
/// Items asked at a time.
const PARALLEL: usize = 8;
/// How long all of them may take: the next poll comes in a minute, and what is not answered by then is asked again.
const ANSWERED_WITHIN: Duration = Duration::from_secs(20);

/// Reads them for those of these recovery plans that are suspected and not failed over yet; a line for each that was read. What cannot be
/// read stays as it was, with its age.
pub(crate) async fn refresh(lifeboat: &Lifeboat, plans: &[RecoveryPlan]) -> Vec<String> {
    let mut lines = Vec::new();
    let until = Instant::now() + ANSWERED_WITHIN;
    let owns = |plan: &&RecoveryPlan| lifeboat.settings.owned_regions.iter().any(|region| plan.to.is(region));
    for plan in plans.iter().filter(owns) {
        match of_plan(lifeboat, plan, until).await {
            Ok(0) => {}
            Ok(read) => lines.push(format!("{}: the newest points of {read} members were read", plan.name)),
            Err(error) => {
                tracing::warn!(recovery_plan = plan.name, error = %error, "its newest points could not be read anew");
            }
        }
    }
    lines
}

/// How many members' points were read.
async fn of_plan(lifeboat: &Lifeboat, plan: &RecoveryPlan, until: Instant) -> Result<usize, SwapError> {
    let store = &lifeboat.store;
    let Some((declared, _)) = declared::read(store, &plan.name).await? else { return Ok(0) };
    if !matches!(declared.phase, Phase::Suspected | Phase::Confirmed | Phase::AwaitingApproval) {
        return Ok(0);
    }
    let Some(known) = record::of_plan(store, plan).await? else { return Ok(0) };
    let stale = stale(&known, lifeboat.clock.now());
    if stale.is_empty() {
        return Ok(0);
    }
    let asked = stream::iter(stale).map(|(name, item)| of_item(lifeboat, name, item)).buffered(PARALLEL);
    let read = asked.filter_map(std::future::ready).collect::<BTreeMap<String, NewestPoints>>();
    let Ok(read) = tokio::time::timeout_at(until, read).await else {
        tracing::warn!(recovery_plan = plan.name, "its newest points were not read in time");
        return Ok(0);
    };
    if read.is_empty() {
        return Ok(0);
    }
    swap::swap(store, &record::blob_name(&plan.name), record::VERSION, |now: Option<Record>| match now {
        Some(mut record) if record.digest == plan.digest() => {
            let before = record.newest.clone();
            record.newest.extend(read.iter().filter(|(name, own)| is_newer(&before, name, own)).map(owned));
            match record.newest == before {
                true => Change::Leave(0),
                false => Change::Write(record, read.len()),
            }
        }
        _ => Change::Leave(0),
    })
    .await
}

fn owned((name, own): (&String, &NewestPoints)) -> (String, NewestPoints) {
    (name.clone(), own.clone())
}

/// Whoever was held up brings nothing over what was read after it.
fn is_newer(known: &BTreeMap<String, NewestPoints>, name: &str, read: &NewestPoints) -> bool {
    known.get(name).is_none_or(|own| own.read_at < read.read_at)
}

/// Members whose points were not read for a while, with their items.
fn stale(record: &Record, now: Timestamp) -> Vec<(String, String)> {
    let members = record.saved.iter().flat_map(|saved| &saved.groups).flat_map(|group| &group.members);
    let is_stale = |name: &str| {
        record.newest.get(name).is_none_or(|own: &NewestPoints| now.duration_since(own.read_at) >= FRESH_FOR)
    };
    let stale = members.filter(|it| is_stale(&it.of.name));
    stale.map(|it| (it.of.name.clone(), it.of.item.clone())).collect()
}

/// The points of one item. They are as old as the question.
async fn of_item(lifeboat: &Lifeboat, name: String, item: String) -> Option<(String, NewestPoints)> {
    let id: ResourceId = item.parse().ok()?;
    let asked_at = lifeboat.clock.now();
    match replication::list_points(&lifeboat.arm, &id).await {
        Ok(points) => {
            let facts: Vec<PointFacts> = points.iter().filter_map(replica::point_facts).collect();
            Some((name, NewestPoints::of(&item, &facts, asked_at)))
        }
        Err(error) => {
            tracing::warn!(item = id.as_str(), error = %error, "its points were not told");
            None
        }
    }
}
