//! Answers questions: how this deployment does, and which points there are.
//! It never changes anything, and says what it could not learn instead of leaving it out.

use jiff::Timestamp;
use lifeboat_azure::Error;
use lifeboat_azure::ResourceId;
use lifeboat_azure::graph;
use lifeboat_contract::status::{
    Attention, Build, Consistency, HeldPoint, MachineCounts, NamedPolicy, Point, PointCounts, PointState, Points,
    PolicyMode, PolicyStatus, RecoveryPlanStatus, Status, SweepStatus, VERSION,
};
use lifeboat_planning::creation;
use lifeboat_planning::facts::{self, CollectionSeen, MachineSeen, Owner};
use lifeboat_planning::id::PointName;
use lifeboat_planning::policy::{BackupPolicy, Choice, Mode, choose};

use crate::alarms::{self, Cause};
use crate::declaration::record;
use crate::estate::{self, Estate, EstateError};
use crate::holds::Hold;
use crate::lifeboat::Lifeboat;
use crate::observe;
use crate::perform::OWNER_TAG;
use crate::policies::{self, PolicyError};
use crate::signals::doors;
use crate::watch::SWEEP_OVERDUE;
use crate::{holds, stop, sweep_record};

/// Collections whose points are told at most: more do not fit an answer that a person reads.
const COLLECTIONS_MAX: usize = 200;

/// Holds that are told at most, for the same reason.
const HOLDS_MAX: usize = 20;

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
    let estate = estate_status(lifeboat, now, &mut tell).await;
    let policy = policy_status(lifeboat, now, &mut tell).await;
    let last_sweep = match sweep_record::read(&lifeboat.store).await {
        Ok(found) => found.and_then(|(record, _)| {
            let (started, completed) = (record.started_at?, record.completed_at?);
            if now.duration_since(completed) > SWEEP_OVERDUE {
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
    let (points, problem) = count_points(lifeboat, estate.as_ref()).await;
    if let Some(problem) = problem {
        tell(now, problem.to_string(), "the counts of points are not known");
    }
    if points.failed > 0 {
        tell(now, format!("{} points failed", points.failed), "see /api/points for which, and the ledger for why");
    }
    shown(lifeboat, now, &mut tell).await;
    let (holds, holds_total) = held(lifeboat, now, &mut tell).await;
    let recovery_plans = recovery_plans(lifeboat, now, &mut tell).await;
    let build = Build {
        version: lifeboat.settings.build.version.clone(),
        id: lifeboat.settings.build.id.clone(),
        started: lifeboat.started_at,
    };
    let seen = last_sweep.as_ref().map_or(0, |sweep| sweep.found);
    let machines = MachineCounts { seen, matched: None };
    let deployment = lifeboat.settings.deployment.clone();
    let version = VERSION;
    Ok(Status {
        version,
        at: now,
        deployment,
        build,
        policy,
        last_sweep,
        machines,
        points,
        holds,
        holds_total,
        recovery_plans,
        attention,
    })
}

/// Where the recovery plans in force stand, and what needs a person, as far as the store alone tells: Azure is not asked.
pub async fn of_recovery_plans(lifeboat: &Lifeboat, now: Timestamp) -> (Vec<RecoveryPlanStatus>, Vec<Attention>) {
    let mut attention = Vec::new();
    let mut tell = |since, what: String, advice: &str| {
        attention.push(Attention { since, what, advice: Some(advice.to_owned()) });
    };
    estate_status(lifeboat, now, &mut tell).await;
    policy_status(lifeboat, now, &mut tell).await;
    shown(lifeboat, now, &mut tell).await;
    let plans = recovery_plans(lifeboat, now, &mut tell).await;
    (plans, attention)
}

/// The holds that were ordered, and how many there are.
async fn held(
    lifeboat: &Lifeboat,
    now: Timestamp,
    tell: &mut impl FnMut(Timestamp, String, &str),
) -> (Vec<HeldPoint>, u64) {
    let held = |hold: Hold| HeldPoint { point: hold.point, since: hold.held_at, reason: hold.reason };
    match holds::newest(&lifeboat.store, HOLDS_MAX).await {
        Ok((holds, total)) => (holds.into_iter().map(held).collect(), total as u64),
        Err(error) => {
            tell(now, error.to_string(), "which holds there are is not known; those that are written on points hold");
            (Vec::new(), 0)
        }
    }
}

/// Where the recovery plans in force stand.
async fn recovery_plans(
    lifeboat: &Lifeboat,
    now: Timestamp,
    tell: &mut impl FnMut(Timestamp, String, &str),
) -> Vec<RecoveryPlanStatus> {
    let mut all = Vec::new();
    // Policies that cannot be read are told already.
    for plan in doors::recovery_plans(lifeboat).await.unwrap_or_default() {
        let record = match record::read(&lifeboat.store, &plan.name).await {
            Ok(found) => found.map(|(record, _)| record),
            Err(error) => {
                let advice = "it counts as an open incident of every machine: put the blob back from its versions";
                tell(now, format!("recovery plan {}: {error}", plan.name), advice);
                None
            }
        };
        all.push(RecoveryPlanStatus {
            from: plan.from.as_str().to_owned(),
            to: plan.to.as_str().to_owned(),
            phase: record.as_ref().map(|record| record.phase.word().to_owned()),
            evaluated_at: record.as_ref().map(|record| record.evaluated_at),
            incident_since: record.and_then(|record| record.incident).map(|incident| incident.opened_at),
            name: plan.name,
        });
    }
    all.sort_by(|one, other| one.name.cmp(&other.name));
    all
}

/// The estate, or what is to be done to have one.
async fn estate_status(
    lifeboat: &Lifeboat,
    now: Timestamp,
    tell: &mut impl FnMut(Timestamp, String, &str),
) -> Option<Estate> {
    let error = match estate::read(&lifeboat.store, &lifeboat.settings.deployment).await {
        Ok(estate) => return Some(estate),
        Err(error) => error,
    };
    let advice = match &error {
        EstateError::Store(_) => "nothing is changed until the store answers",
        EstateError::Missing => "`lifeboat init` for a new store, `lifeboat init --adopt` for one that was lost",
        EstateError::Unreadable(_) => "nothing is changed until `lifeboat init --adopt`",
        EstateError::Foreign { .. } => "LIFEBOAT_STORE_URL or LIFEBOAT_DEPLOYMENT is another deployment's",
    };
    tell(now, error.to_string(), advice);
    None
}

/// The open alarms, but for those that are told anew by what was read just now; and the switch.
async fn shown(lifeboat: &Lifeboat, now: Timestamp, tell: &mut impl FnMut(Timestamp, String, &str)) {
    match stop::in_force(&lifeboat.store).await {
        Ok(None) => {}
        Ok(Some(stop)) => {
            let what = format!("all changes are stopped: {} (certain from {})", stop.reason, stop.confirmed_from());
            tell(stop.stopped_at, what, "a person with a name lets them go on");
        }
        Err(error) => tell(now, error.to_string(), "nothing is changed while the switch cannot be read"),
    }
    match alarms::open(&lifeboat.store).await {
        Ok(open) => {
            for alarm in open {
                if matches!(alarm.cause, Cause::PolicyUnreadable | Cause::SweepOverdue) {
                    continue;
                }
                // That one says itself which recovery plan it is about.
                let policy = alarm.policy.as_ref().filter(|_| alarm.cause != Cause::RegionSuspected);
                let policy = policy.map(|policy| format!("policy {policy}: ")).unwrap_or_default();
                let machines = match alarm.machines_total {
                    0 => String::new(),
                    1 => " (1 machine)".to_owned(),
                    many => format!(" ({many} machines)"),
                };
                tell(alarm.since, format!("{policy}{}{machines}", alarm.what), alarm.cause.advice());
            }
        }
        Err(error) => tell(now, error.to_string(), "the alarms are not known"),
    }
}

async fn policy_status(
    lifeboat: &Lifeboat,
    now: Timestamp,
    tell: &mut impl FnMut(Timestamp, String, &str),
) -> PolicyStatus {
    match policies::in_force(&lifeboat.store, &lifeboat.policies).await {
        Ok(found) => {
            if let Some(not_read) = &found.not_read {
                let why = not_read.problems.first().map_or("", String::as_str);
                let what = format!("the policies at {} cannot be read: {why}", not_read.document);
                tell(
                    now,
                    what,
                    "push them again (`lifeboat policies push`); until then the last good ones are in force",
                );
            }
            let mut policies: Vec<&BackupPolicy> = found.policies.iter().collect();
            policies.sort_by(|one, other| other.priority.cmp(&one.priority).then_with(|| one.name.cmp(&other.name)));
            let named = |policy: &BackupPolicy| NamedPolicy { name: policy.name.clone(), mode: mode(policy.mode) };
            let mut named = policies.into_iter().map(named);
            let Some(NamedPolicy { name, mode }) = named.next() else {
                return PolicyStatus::Missing { document: policies::CURRENT.to_owned() };
            };
            let not_read = found.not_read.as_ref().map(|not_read| not_read.problems.clone()).unwrap_or_default();
            PolicyStatus::InForce { name, mode, digest: found.digest.clone(), others: named.collect(), not_read }
        }
        Err(PolicyError::Missing { document }) => {
            let advice = "`lifeboat policies push` puts them there: nothing is changed without any";
            tell(now, format!("there are no policies: {document} is missing"), advice);
            PolicyStatus::Missing { document }
        }
        Err(PolicyError::Unreadable { document, problems }) => {
            tell(
                now,
                format!("the policies at {document} cannot be read"),
                "push ones that can be (`lifeboat policies push`): nothing is changed until then",
            );
            PolicyStatus::Unreadable { document, problems }
        }
        Err(PolicyError::Store { document, source }) => {
            tell(now, format!("the store did not give {document}"), "nothing is changed until it does");
            PolicyStatus::Unreadable { document, problems: vec![source.to_string()] }
        }
    }
}

fn mode(mode: Mode) -> PolicyMode {
    match mode {
        Mode::Report => PolicyMode::Report,
        Mode::Enforce => PolicyMode::Enforce,
    }
}

async fn count_points(lifeboat: &Lifeboat, estate: Option<&Estate>) -> (PointCounts, Option<StatusError>) {
    let mut counts = PointCounts::default();
    match points_of(lifeboat, None, estate).await {
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
    // Without an estate nothing is known to be ours, and all of it is shown as foreign.
    let estate = estate::read(&lifeboat.store, &lifeboat.settings.deployment).await.ok();
    points_of(lifeboat, machine, estate.as_ref()).await
}

async fn points_of(lifeboat: &Lifeboat, machine: Option<&str>, estate: Option<&Estate>) -> Result<Points, StatusError> {
    let owner = Owner {
        deployment: lifeboat.settings.deployment.clone(),
        estate: estate.map(|estate| estate.id.clone()).unwrap_or_default(),
    };
    let at = lifeboat.clock.now();
    let mut points = Vec::new();
    let mut truncated = false;
    match machine {
        Some(text) => {
            let id: ResourceId = text.parse().map_err(|_| StatusError::NotAMachine(text.to_owned()))?;
            let asked = observe::Asked { owner: &owner, policies: &[], known_since: at, now: at };
            let facts = observe::facts(lifeboat, &id, asked).await?;
            if let MachineSeen::Present(machine) = &facts.machine {
                let in_force = policies::in_force(&lifeboat.store, &lifeboat.policies).await.ok();
                let rule = in_force.and_then(|found| match choose(&found.policies, &machine.about) {
                    Choice::One(policy) => policy.points.iter().find_map(|entry| entry.on_create),
                    Choice::None | Choice::Equal(_) => None,
                });
                let late = |at| Some(creation::is_late(machine.created_at, rule?, at?));
                points = told(&machine.id, &facts.collection, &owner, late);
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
                points.extend(told(&row.source, &seen, &owner, |_| None));
            }
        }
    }
    points.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.name.cmp(&b.name)));
    Ok(Points { version: VERSION, at, points, truncated })
}

fn told(
    machine: &str,
    seen: &CollectionSeen,
    owner: &Owner,
    created_late: impl Fn(Option<Timestamp>) -> Option<bool>,
) -> Vec<Point> {
    let CollectionSeen::Present(collection) = seen else { return Vec::new() };
    let ours = owner.has_made(collection);
    let tell = |point: &facts::Point| {
        let name = PointName::parse(&point.name).filter(|_| ours);
        let (state, reason) = match point.state {
            facts::PointState::Succeeded => {
                (PointState::Succeeded, "it succeeded; `lifeboat points --why` says what becomes of it")
            }
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
