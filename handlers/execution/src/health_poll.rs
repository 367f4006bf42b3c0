//! The poll of every minute: what Resource Health says, what our own probes find, and then a look at every recovery plan in force.
//! It never asks anything where no recovery plan is in force, and never more calls in a minute than its bounds; what is not answered in
//! time is silence, which is neither evidence nor recovery.
//!
//! ```text
//! Resource Graph (every ten minutes) ─► fleets
//! Resource Health, each subscription ─► signals ─┐
//! probes of traffic[].verify.url ─────► signals ─┴─► evaluate every recovery plan ─► of those suspected: their newest points
//! ```

use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use jiff::{SignedDuration, Timestamp};
use lifeboat_azure::probe::{self, Probed};
use lifeboat_azure::{Error, health};
use lifeboat_contract::recovery::is_tcp;
use lifeboat_contract::signals::{self, Door, ProbeKind, ProbeOutcome, ProbeResult};
use lifeboat_planning::declaration::Phase;
use lifeboat_planning::recovery::RecoveryPlan;
use serde_json::{Value, json};

use crate::declaration::{self, DeclarationError, record};
use crate::estate;
use crate::event::HealthPoll;
use crate::lifeboat::{Lifeboat, Report};
use crate::readiness_sweep;
use crate::signals::doors::{self, DoorError};
use crate::signals::fleet;

/// Subscriptions of which Resource Health is asked in a minute, at most: two lists each. With more in scope the reading is not whole,
/// and nothing is declared on it.
const SUBSCRIPTIONS_MAX: usize = 100;
/// Lists asked for at a time.
const PARALLEL: usize = 8;
/// How long Resource Health may take in all: the next poll comes in a minute, and what a lost region holds up must not hold up more.
const RESOURCE_HEALTH_FOR: Duration = Duration::from_secs(30);
/// Probes of one minute, at most: those of some recovery plans, each of which moves a handful of endpoints.
const PROBES_MAX: usize = 50;
/// How far back Azure's events are asked for: what stands longer without a word is forgotten.
const EVENTS_SINCE: SignedDuration = SignedDuration::from_hours(24);

/// Why a poll was not completed. The next one comes in a minute.
#[derive(Debug, thiserror::Error)]
pub enum PollError {
    /// What was read could not be kept.
    #[error(transparent)]
    Door(#[from] DoorError),
    /// A recovery plan could not be evaluated.
    #[error(transparent)]
    Declaration(#[from] DeclarationError),
}

/// Runs one poll.
pub async fn run(lifeboat: &Lifeboat, event: HealthPoll) -> Result<Report, PollError> {
    let plans = doors::recovery_plans(lifeboat).await.map_err(DoorError::from)?;
    if plans.is_empty() {
        return Ok(Report::default());
    }
    // Before anything is written: a store that is not ours, or is not what it was, is left as it is.
    estate::required(&lifeboat.store, &lifeboat.settings.deployment).await.map_err(DoorError::from)?;
    if event.past_due {
        tracing::info!(last = ?event.last, "the poll is past due");
    }
    let mut report = Report::default();
    let refreshed = fleet::refresh(lifeboat, &plans, lifeboat.clock.now()).await.map_err(DoorError::from)?;
    report.lines.extend(refreshed);
    // What is read is as old as the question: a process that was stopped in between has no newer answer.
    let asked_at = lifeboat.clock.now();
    let (read, probed) = tokio::join!(resource_health(lifeboat, &plans), probes(lifeboat, &plans));
    let known = doors::known(lifeboat, &plans).await.map_err(DoorError::from)?;
    let reading = signals::read(Door::HealthPoll, &read, &known, asked_at);
    report.lines.extend(doors::keep(lifeboat, Door::HealthPoll, reading, &plans, asked_at).await?.lines);
    for result in probed {
        // A probe is asked later, after reads that can be held up: until then nobody knew whether the workload answers.
        let probed_at = result.at.unwrap_or(asked_at);
        let reading = signals::read(Door::Probe, &json!(result), &known, probed_at);
        report.lines.extend(doors::keep(lifeboat, Door::Probe, reading, &plans, probed_at).await?.lines);
    }
    report.lines.extend(declaration::evaluate_all(lifeboat, "HealthPoll").await?.lines);
    // After people were told: the next minute decides on them.
    report.lines.extend(readiness_sweep::refresh(lifeboat, &plans).await);
    Ok(report)
}

/// What Resource Health says of all subscriptions in scope, in the form in which histories have it: a page for each, empty where it was
/// not answered.
async fn resource_health(lifeboat: &Lifeboat, plans: &[RecoveryPlan]) -> Value {
    let subscriptions = &lifeboat.settings.subscriptions;
    let regions = fleet::regions(plans);
    let since = lifeboat.clock.now().checked_sub(EVENTS_SINCE).unwrap_or(lifeboat.clock.now());
    // What is elsewhere is nobody's, and need not be read item by item.
    let is_here = |status: &Value| {
        let location = status["location"].as_str().unwrap_or_default();
        location.is_empty() || regions.contains(lifeboat_azure::region(location).as_str())
    };
    let asked: Vec<_> =
        subscriptions.iter().take(SUBSCRIPTIONS_MAX).map(|one| of_subscription(lifeboat, one.clone(), since)).collect();
    let all = stream::iter(asked).buffered(PARALLEL).collect::<Vec<_>>();
    let Ok(mut pages) = tokio::time::timeout(RESOURCE_HEALTH_FOR, all).await else {
        tracing::warn!("Resource Health did not answer within {} s", RESOURCE_HEALTH_FOR.as_secs());
        return json!({ "events": {}, "availabilityStatuses": {} });
    };
    for (_, statuses) in &mut pages {
        if let Some(Value::Array(items)) = statuses.get_mut("value") {
            items.retain(is_here);
        }
    }
    let (mut events, mut statuses): (Vec<Value>, Vec<Value>) = pages.into_iter().unzip();
    if subscriptions.len() > SUBSCRIPTIONS_MAX {
        tracing::error!("Resource Health is asked of {SUBSCRIPTIONS_MAX} subscriptions, and more are in scope");
        events.push(json!({}));
        statuses.push(json!({}));
    }
    json!({ "events": events, "availabilityStatuses": statuses })
}

/// The events and the statuses of one subscription, each as a page.
async fn of_subscription(lifeboat: &Lifeboat, subscription: String, since: Timestamp) -> (Value, Value) {
    let events = health::told_events(&lifeboat.arm, &subscription, since).await;
    let statuses = health::told_statuses(&lifeboat.arm, &subscription).await;
    (page(events, &subscription), page(statuses, &subscription))
}

fn page(answer: Result<Vec<Value>, Error>, subscription: &str) -> Value {
    match answer {
        Ok(items) => json!({ "value": items }),
        Err(error) => {
            tracing::warn!(subscription, error = %error, "Resource Health did not answer");
            json!({})
        }
    }
}

/// Asks what each recovery plan's traffic is verified by. Which side an answer speaks for goes by where the recovery plan stands; while
/// it moves nobody knows, and nothing is asked.
async fn probes(lifeboat: &Lifeboat, plans: &[RecoveryPlan]) -> Vec<ProbeResult> {
    let mut asked = Vec::new();
    for plan in plans {
        let Some(region) = side(lifeboat, plan).await else { continue };
        for traffic in &plan.traffic {
            asked.push((format!("{}/{}", plan.name, traffic.profile), region.clone(), traffic.verify.url.clone()));
        }
    }
    if asked.len() > PROBES_MAX {
        tracing::error!(probes = asked.len(), "{PROBES_MAX} probes are made in a minute, and more are asked for");
        asked.truncate(PROBES_MAX);
    }
    let results: Vec<_> = asked.into_iter().map(|(name, region, url)| ask(lifeboat, name, region, url)).collect();
    stream::iter(results).buffered(PARALLEL).collect().await
}

/// The region that serves by where the recovery plan stands; none where that is not known.
async fn side(lifeboat: &Lifeboat, plan: &RecoveryPlan) -> Option<String> {
    let phase = match record::read(&lifeboat.store, &plan.name).await {
        Ok(found) => found.map_or(Phase::Normal, |(record, _)| record.phase),
        Err(error) => {
            tracing::error!(recovery_plan = plan.name, error = %error, "where it stands cannot be read: it is not probed");
            return None;
        }
    };
    match phase {
        Phase::Normal | Phase::Suspected | Phase::Confirmed | Phase::AwaitingApproval => {
            Some(plan.from.as_str().to_owned())
        }
        Phase::FailingOver => None,
        Phase::FailedOver => Some(plan.to.as_str().to_owned()),
    }
}

async fn ask(lifeboat: &Lifeboat, name: String, region: String, url: String) -> ProbeResult {
    let at = lifeboat.clock.now();
    let began = tokio::time::Instant::now();
    let kind = if is_tcp(&url) { ProbeKind::Tcp } else { ProbeKind::Http };
    let probed = match url.parse() {
        Ok(url) => probe::ask(lifeboat.probes.as_ref(), &url).await,
        Err(_) => Probed::NotSent("it is no URL"),
    };
    let took_ms = u64::try_from(began.elapsed().as_millis()).ok();
    let (outcome, reason) = match probed {
        Probed::Good(_) => (ProbeOutcome::Ok, None),
        Probed::Bad(status) => (ProbeOutcome::Failed, Some(format!("it answered {status}"))),
        Probed::NoAnswer => (ProbeOutcome::Failed, Some("nobody answered".to_owned())),
        Probed::NotSent(why) => (ProbeOutcome::NotSent, Some(why.to_owned())),
    };
    if let Some(reason) = &reason {
        tracing::warn!(probe = name, region, "{reason}");
    }
    ProbeResult { probe: name, region, kind, outcome, at: Some(at), reason, took_ms }
}
