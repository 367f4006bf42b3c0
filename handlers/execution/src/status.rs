//! Answers questions: how this deployment does, and which points there are.
//! It never changes anything, and says what it could not learn instead of leaving it out.

use jiff::Timestamp;
use lifeboat_azure::Error;
use lifeboat_azure::ResourceId;
use lifeboat_azure::graph;
use lifeboat_contract::status::{
    Attention, Build, Consistency, MachineCounts, Point, PointCounts, PointState, Points, PolicyMode, PolicyStatus,
    Status, SweepStatus, VERSION,
};
use lifeboat_planning::creation;
use lifeboat_planning::facts::{self, CollectionSeen, MachineSeen};
use lifeboat_planning::id::PointName;
use lifeboat_planning::policy::Mode;

use crate::lifeboat::Lifeboat;
use crate::observe;
use crate::perform::OWNER_TAG;
use crate::policies::{self, PolicyError};
use crate::sweep_record;

/// Collections whose points are told at most: more do not fit an answer that a person reads.
const COLLECTIONS_MAX: usize = 200;
/// A sweep is overdue after three of its periods.
const SWEEP_OVERDUE_SECS: i64 = 15 * 60;

/// Why a question was not answered. Asking again is safe.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    /// Azure or the store did not answer.
    #[error("what is asked could not be read")]
    Azure(#[from] Error),
    /// The machine's id is not one.
    #[error("{0} is not the ARM id of a machine")]
    NotAMachine(String),
}

/// How this deployment does.
pub async fn status(lifeboat: &Lifeboat) -> Result<Status, StatusError> {
    let now = lifeboat.clock.now();
    let mut attention = Vec::new();
    let mut tell = |since, what: String, advice: &str| {
        attention.push(Attention { since, what, advice: Some(advice.to_owned()) });
    };
    let policy = policy_status(lifeboat, now, &mut tell).await;
    let last_sweep = match sweep_record::read(&lifeboat.store).await {
        Ok(found) => found.and_then(|(record, _)| {
            let (started, completed) = (record.started_at?, record.completed_at?);
            if now.duration_since(completed).as_secs() > SWEEP_OVERDUE_SECS {
                tell(
                    completed,
                    "no sweep was completed for a while".to_owned(),
                    "see the errors of PolicySweep in the log",
                );
            }
            if !record.unreadable.is_empty() {
                let which = record.unreadable.join(", ");
                tell(
                    completed,
                    format!("machines may be missed in {which}"),
                    "give back the right to read machines there",
                );
            }
            Some(SweepStatus { number: record.number, started, completed, found: record.seen, queued: record.open })
        }),
        Err(error) => {
            tell(now, error.to_string(), "nothing is made while the store cannot be read");
            None
        }
    };
    let (points, problem) = count_points(lifeboat).await;
    if let Some(problem) = problem {
        tell(now, problem.to_string(), "the counts of points are not known");
    }
    if points.failed > 0 {
        tell(now, format!("{} points failed", points.failed), "see /api/points for which, and the ledger for why");
    }
    let build = Build {
        version: lifeboat.settings.build.version.clone(),
        id: lifeboat.settings.build.id.clone(),
        started: lifeboat.started_at,
    };
    let seen = last_sweep.as_ref().map_or(0, |sweep| sweep.found);
    let machines = MachineCounts { seen, matched: None };
    let deployment = lifeboat.settings.deployment.clone();
    Ok(Status { version: VERSION, at: now, deployment, build, policy, last_sweep, machines, points, attention })
}

async fn policy_status(
    lifeboat: &Lifeboat,
    now: Timestamp,
    tell: &mut impl FnMut(Timestamp, String, &str),
) -> PolicyStatus {
    match policies::in_force(&lifeboat.store, &lifeboat.settings.policy).await {
        Ok(found) => {
            let mode = match found.policy.mode {
                Mode::Report => PolicyMode::Report,
                Mode::Enforce => PolicyMode::Enforce,
            };
            PolicyStatus::InForce { name: found.policy.name, mode, digest: found.digest }
        }
        Err(PolicyError::Missing { document }) => {
            tell(now, format!("there is no policy at {document}"), "put one there: nothing is changed without it");
            PolicyStatus::Missing { document }
        }
        Err(PolicyError::Unreadable { document, problems }) => {
            tell(
                now,
                format!("the policy {document} cannot be read"),
                "mend it (`lifeboat check`): nothing is changed until then",
            );
            PolicyStatus::Unreadable { document, problems }
        }
        Err(PolicyError::Store { document, source }) => {
            tell(now, format!("the store did not give the policy {document}"), "nothing is changed until it does");
            PolicyStatus::Unreadable { document, problems: vec![source.to_string()] }
        }
    }
}

async fn count_points(lifeboat: &Lifeboat) -> (PointCounts, Option<StatusError>) {
    let mut counts = PointCounts::default();
    match points(lifeboat, None).await {
        Ok(found) => {
            for point in found.points {
                match point.state {
                    PointState::Succeeded => counts.succeeded += 1,
                    PointState::InProgress | PointState::Planned => counts.in_progress += 1,
                    PointState::Failed => counts.failed += 1,
                }
            }
            (counts, None)
        }
        Err(error) => (counts, Some(error)),
    }
}

/// The points of one machine, or of all collections of this deployment.
pub async fn points(lifeboat: &Lifeboat, machine: Option<&str>) -> Result<Points, StatusError> {
    let at = lifeboat.clock.now();
    let mut points = Vec::new();
    let mut truncated = false;
    match machine {
        Some(text) => {
            let id: ResourceId = text.parse().map_err(|_| StatusError::NotAMachine(text.to_owned()))?;
            let facts = observe::facts(lifeboat, &id, at).await?;
            if let MachineSeen::Present(machine) = &facts.machine {
                let policy = policies::in_force(&lifeboat.store, &lifeboat.settings.policy).await.ok();
                let rule = policy.and_then(|found| found.policy.points.iter().find_map(|entry| entry.on_create));
                let late = |at| Some(creation::is_late(machine.created_at, rule?, at?));
                points = told(&machine.id, &facts.collection, &lifeboat.settings.deployment, late);
            }
        }
        None => {
            let deployment = &lifeboat.settings.deployment;
            let rows =
                graph::collections_tagged(&lifeboat.arm, &lifeboat.settings.subscriptions, OWNER_TAG, deployment)
                    .await?;
            truncated = rows.len() > COLLECTIONS_MAX;
            for row in rows.into_iter().take(COLLECTIONS_MAX) {
                let Ok(id) = row.id.parse::<ResourceId>() else { continue };
                let seen = observe::collection(lifeboat, id.subscription(), id.resource_group(), id.name()).await?;
                points.extend(told(&row.source, &seen, deployment, |_| None));
            }
        }
    }
    points.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.name.cmp(&b.name)));
    Ok(Points { version: VERSION, at, points, truncated })
}

fn told(
    machine: &str,
    seen: &CollectionSeen,
    deployment: &str,
    created_late: impl Fn(Option<Timestamp>) -> Option<bool>,
) -> Vec<Point> {
    let CollectionSeen::Present(collection) = seen else { return Vec::new() };
    let ours = collection.owner.as_deref() == Some(deployment);
    let tell = |point: &facts::Point| {
        let name = PointName::parse(&point.name).filter(|_| ours);
        let (state, reason) = match point.state {
            facts::PointState::Succeeded => (PointState::Succeeded, "kept: this release expires nothing"),
            facts::PointState::Failed => (PointState::Failed, "kept as evidence"),
            facts::PointState::InProgress | facts::PointState::Deleting => (PointState::InProgress, "being made"),
        };
        let reason = if name.is_some() { reason } else { "foreign: reported, never touched" };
        Point {
            machine: machine.to_owned(),
            name: point.name.clone(),
            slot: name.as_ref().map(|name| name.slot.to_string()),
            attempt: name.as_ref().map_or(0, |name| name.attempt),
            entry: name.map(|name| name.entry),
            state,
            consistency: point.consistency.as_deref().and_then(consistency),
            created: point.created_at,
            late: created_late(point.created_at),
            reasons: vec![reason.to_owned()],
        }
    };
    collection.points.iter().map(tell).collect()
}

/// Azure's word for consistency as ours.
fn consistency(text: &str) -> Option<Consistency> {
    match text {
        "CrashConsistent" => Some(Consistency::Crash),
        "FileSystemConsistent" => Some(Consistency::FileSystem),
        "ApplicationConsistent" => Some(Consistency::Application),
        _ => None,
    }
}
