//! Reads what a page shows: the start, a region's evidence, a recovery plan with its readiness, a failover.
//! It never changes anything and never asks Azure: a page that people watch while a region is lost rests on the store alone.

use jiff::Timestamp;
use lifeboat_contract::status::{Attention, Build, RecoveryPlanStatus};
use lifeboat_planning::recovery::RecoveryPlan;
use lifeboat_planning::saga::{End, Phase};

use crate::declaration::record::{self as declared, Record};
use crate::lifeboat::Lifeboat;
use crate::orders::approvals::{self, OrderRecord};
use crate::policies::PolicyError;
use crate::readiness::shown as readiness;
use crate::saga::followed::{self, Ahead, AheadError};
use crate::saga::record::check_name;
use crate::saga::{SagaError, shown};
use crate::signals::doors;
use crate::signals::region::{self, RegionEvidence};
use crate::stop::{self, Stop};
use crate::swap::SwapError;

/// Which page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum View {
    /// What there is to look at, and what needs a person.
    Start,
    /// The evidence about a region.
    Region(String),
    /// Whether a recovery plan can be executed.
    Recovery(String),
    /// A recovery plan's failover.
    Failover(String),
}

/// What it shows, and as of when.
#[derive(Clone, Debug, PartialEq)]
pub struct Viewed {
    /// When it was read.
    pub at: Timestamp,
    /// The deployment.
    pub deployment: String,
    /// What it shows.
    pub what: What,
}

/// What a page shows.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// The start.
    Start(Start),
    /// A region.
    Region(Box<RegionEvidence>),
    /// A recovery plan.
    Recovery(Box<Recovery>),
    /// A failover.
    Failover(Box<Failover>),
    /// There is nothing of this name.
    Nothing(View),
}

/// What there is to look at.
#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    /// The program that answers.
    pub build: Build,
    /// The recovery plans in force.
    pub plans: Vec<PlanRow>,
    /// What needs a person.
    pub attention: Vec<Attention>,
}

/// A recovery plan in the list of them.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanRow {
    /// Where its declaration stands.
    pub status: RecoveryPlanStatus,
    /// Whether it can be executed, in words.
    pub readiness: String,
    /// Its last failover in words; none where there never was one.
    pub failover: Option<String>,
}

/// A recovery plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Recovery {
    /// The document in force.
    pub plan: RecoveryPlan,
    /// Its readiness, and what an order would begin.
    pub ahead: Ahead,
    /// Its declaration; none before its first evaluation.
    pub declared: Option<Record>,
    /// Orders that wait for others.
    pub waiting: Vec<OrderRecord>,
}

/// A failover, or what could become one.
#[derive(Clone, Debug, PartialEq)]
pub struct Failover {
    /// The recovery plan.
    pub plan: String,
    /// The failover; none where there never was one.
    pub shown: Option<shown::Shown>,
    /// The recovery plan's declaration; none before its first evaluation.
    pub declared: Option<Record>,
    /// Orders that wait for others.
    pub waiting: Vec<OrderRecord>,
    /// The stop of all changes, while one is in force: a failover rests then.
    pub stopped: Option<Stop>,
    /// What beside the failover could not be read.
    pub not_read: Vec<String>,
}

/// Why a page shows nothing. Asking again is safe.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// The store did not answer, or what it has cannot be read.
    #[error("what the page shows could not be read")]
    Store(#[from] SwapError),
    /// The failover cannot be read.
    #[error("the failover could not be read")]
    Saga(#[from] SagaError),
    /// Which recovery plans are in force is not known.
    #[error("which recovery plans are in force is not known")]
    Policies(#[from] PolicyError),
}

/// Reads what a page shows.
pub async fn view(lifeboat: &Lifeboat, view: &View) -> Result<Viewed, ViewError> {
    let at = lifeboat.clock.now();
    let what = match view {
        View::Start => What::Start(start(lifeboat, at).await),
        View::Region(name) if is_region(name) => What::Region(Box::new(region::read(&lifeboat.store, name).await?)),
        View::Recovery(plan) if check_name(plan).is_ok() => {
            recovery(lifeboat, plan, at).await?.map_or_else(|| What::Nothing(view.clone()), What::Recovery)
        }
        View::Failover(plan) if check_name(plan).is_ok() => {
            failover(lifeboat, plan, at).await?.map_or_else(|| What::Nothing(view.clone()), What::Failover)
        }
        // A name that no document can have would be another blob's.
        View::Region(_) | View::Recovery(_) | View::Failover(_) => What::Nothing(view.clone()),
    };
    Ok(Viewed { at, deployment: lifeboat.settings.deployment.clone(), what })
}

/// Whether a text can name a region: letters and digits, as Azure's names are, in any of their spellings.
fn is_region(name: &str) -> bool {
    const CHARS_MAX: usize = 40;
    let name = lifeboat_azure::region(name);
    (1..=CHARS_MAX).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric())
}

async fn start(lifeboat: &Lifeboat, now: Timestamp) -> Start {
    let (plans, attention) = crate::status::of_recovery_plans(lifeboat, now).await;
    let mut rows = Vec::with_capacity(plans.len());
    for status in plans {
        let readiness = match readiness::read(&lifeboat.store, &status.name).await {
            Ok(Some(shown)) => shown.verdict(now),
            Ok(None) => "never looked at".to_owned(),
            Err(error) => error.to_string(),
        };
        let failover = match shown::read(&lifeboat.store, &status.name).await {
            Ok(shown) => shown.map(|shown| of_failover(&shown)),
            Err(error) => Some(error.to_string()),
        };
        rows.push(PlanRow { status, readiness, failover });
    }
    let build = Build {
        version: lifeboat.settings.build.version.clone(),
        id: lifeboat.settings.build.id.clone(),
        started: lifeboat.started_at,
    };
    Start { build, plans: rows, attention }
}

/// Where a failover stands, on a line.
fn of_failover(shown: &shown::Shown) -> String {
    let asks = if shown.questions().next().is_some() { ", and waits for a person" } else { "" };
    match &shown.phase {
        Phase::Forward => format!("under way since {}{asks}", shown.began_at),
        Phase::Undoing(..) => format!("being undone{asks}"),
        Phase::Ended(End::Done) => "done".to_owned(),
        Phase::Ended(End::Undone) => "undone".to_owned(),
        Phase::Ended(End::Left) => "left to people".to_owned(),
    }
}

async fn recovery(lifeboat: &Lifeboat, name: &str, now: Timestamp) -> Result<Option<Box<Recovery>>, ViewError> {
    let plans = doors::recovery_plans(lifeboat).await?;
    let Some(plan) = plans.into_iter().find(|plan| plan.name == name) else { return Ok(None) };
    let ahead = match followed::ahead(&lifeboat.store, name, now).await {
        Ok(ahead) => ahead,
        Err(AheadError::NoPlan(_)) => return Ok(None),
        Err(AheadError::Policies(error)) => return Err(error.into()),
        Err(AheadError::Store(error)) => return Err(error.into()),
        Err(AheadError::Saga(error)) => return Err(error.into()),
    };
    let declared = declared::read(&lifeboat.store, name).await?.map(|(record, _)| record);
    let waiting = approvals::waiting(&lifeboat.store, name, now).await?;
    Ok(Some(Box::new(Recovery { plan, ahead, declared, waiting })))
}

/// The failover first: whatever else cannot be read does not hide it.
async fn failover(lifeboat: &Lifeboat, plan: &str, now: Timestamp) -> Result<Option<Box<Failover>>, ViewError> {
    let store = &lifeboat.store;
    let shown = shown::read(store, plan).await?;
    let mut not_read = Vec::new();
    let declared = declared::read(store, plan).await.map(|found| found.map(|(record, _)| record));
    let declared = declared.unwrap_or_else(|error| missed(&mut not_read, "the declaration", &error));
    let waiting = approvals::waiting(store, plan, now).await;
    let waiting = waiting.unwrap_or_else(|error| missed(&mut not_read, "the orders that wait", &error));
    let stopped = stop::in_force(store).await;
    let stopped = stopped.unwrap_or_else(|error| missed(&mut not_read, "the switch that stops changes", &error));
    if shown.is_none() && declared.is_none() && not_read.is_empty() {
        let in_force = doors::recovery_plans(lifeboat).await?;
        if !in_force.iter().any(|one| one.name == plan) {
            return Ok(None);
        }
    }
    let plan = plan.to_owned();
    Ok(Some(Box::new(Failover { plan, shown, declared, waiting, stopped, not_read })))
}

/// Notes what could not be read, and goes on without it.
fn missed<T: Default>(not_read: &mut Vec<String>, what: &str, error: &SwapError) -> T {
    tracing::warn!(error = %error, "{what} could not be read for a page");
    not_read.push(format!("{what} could not be read: {error}"));
    T::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_no_region_is_not_looked_for() {
        for name in ["westeurope", "West Europe", "eastus2"] {
            assert!(is_region(name), "{name}");
        }
        for name in ["", " ", "../sagas/shop", "west-europe", "<b>", "westeurope.json", &"a".repeat(41)] {
            assert!(!is_region(name), "{name}");
        }
    }
}
