//! A failover for whoever follows it: what is done, what is under way, what is asked and how it is answered; and, before there is one, what
//! an order would begin.
//! It never changes anything, never decides, and never asks Azure.

use jiff::Timestamp;
use lifeboat_azure::blobs::Store;
use lifeboat_planning::recovery::readiness::Ordered;
use lifeboat_planning::saga::failover::Failover;
use lifeboat_planning::saga::{End, Phase, Question, Saga, Takes, print};

use super::shown::{Shown, StepStands};
use super::{Kept, SagaError};
use crate::declaration::record as declared;
use crate::policies::{self, PolicyError};
use crate::readiness::{self, NoOrder, shown};
use crate::swap::SwapError;

/// A failover, as it was saved last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    /// Its id.
    pub id: String,
    /// When it began.
    pub began_at: Timestamp,
    /// When it ended; none while it has not.
    pub ended_at: Option<Timestamp>,
    /// Whether it ended as it was meant to.
    pub is_done: bool,
    /// What is done, under way and asked, a line each, in the order of the step table.
    pub lines: Vec<String>,
    /// The questions that stand.
    pub asked: Vec<Question>,
    /// The step table with its progress.
    pub runbook: String,
}

/// What an order would begin, or what runs already.
#[derive(Clone, Debug, PartialEq)]
pub struct Ahead {
    /// Readiness, points, and where the declaration stands; none where the recovery plan was never looked at.
    pub shown: Option<shown::Shown>,
    /// The digest that an order names; none before the first evaluation.
    pub digest: Option<String>,
    /// Conditions that are not met: their names, and what was found.
    pub unmet: Vec<(String, String)>,
    /// The step table that an order would begin with, or why there would be none.
    pub runbook: Result<String, String>,
    /// How long one would take until the workload serves; none where there would be none.
    pub takes: Option<Takes>,
    /// The recovery plan's last failover.
    pub last: Option<Followed>,
}

/// Why what an order would begin is not known. Repeating is safe.
#[derive(Debug, thiserror::Error)]
pub enum AheadError {
    /// No recovery plan of this name is in force.
    #[error("no recovery plan of this name is in force: {0}")]
    NoPlan(String),
    /// Which recovery plans are in force is not known.
    #[error(transparent)]
    Policies(#[from] PolicyError),
    /// The store did not answer, or what it has cannot be read.
    #[error(transparent)]
    Store(#[from] SwapError),
    /// The last failover cannot be read.
    #[error(transparent)]
    Saga(#[from] SagaError),
}

/// The recovery plan's failover as it was saved last; none where there never was one.
pub async fn read(store: &Store, plan: &str) -> Result<Option<Followed>, SagaError> {
    let Some(kept) = Kept::read(store, plan).await? else { return Ok(None) };
    let saga = kept.record.saga()?;
    Ok(Some(Followed {
        id: kept.record.id.clone(),
        began_at: kept.record.began_at,
        ended_at: kept.record.ended_at,
        is_done: matches!(saga.progress.phase, Phase::Ended(End::Done)),
        lines: lines(&Shown::of(&saga, kept.record.began_at, kept.record.ended_at)),
        asked: saga.questions().cloned().collect(),
        runbook: print(&saga),
    }))
}

/// What an order to fail over would begin now. Nothing is changed.
pub async fn ahead(store: &Store, plan: &str, now: Timestamp) -> Result<Ahead, AheadError> {
    let in_force = policies::read(store).await?;
    let found = in_force.recovery_plans.iter().find(|one| one.name == plan);
    let found = found.ok_or_else(|| AheadError::NoPlan(plan.to_owned()))?;
    let (runbook, takes) = match readiness::order(store, found, &Ordered::as_of(plan, now)).await {
        Ok(order) => (Ok(print(&Saga::new(Failover::new(order.clone()), 1))), readiness::until_it_serves(order)),
        Err(NoOrder::Store(error)) => return Err(error.into()),
        Err(why) => (Err(why.to_string()), None),
    };
    let shown = shown::read(store, plan).await?;
    let declared = declared::read(store, plan).await?.map(|(record, _)| record);
    let conditions = declared.as_ref().map(declared::Record::conditions).unwrap_or_default();
    let unmet = conditions.into_iter().filter(|one| !one.met).map(|one| (one.name, one.value));
    Ok(Ahead {
        shown,
        digest: declared.as_ref().and_then(|record| record.digest_shown().map(str::to_owned)),
        unmet: unmet.collect(),
        runbook,
        takes,
        last: read(store, plan).await?,
    })
}

fn lines(shown: &Shown) -> Vec<String> {
    let mut lines = Vec::new();
    if let Phase::Undoing(why, _) = &shown.phase {
        lines.push(format!("it is being undone: {why}"));
    }
    for lane in &shown.lanes {
        lines.extend(lane.steps.iter().filter_map(|step| Some(format!("{} {}", word(step.stands)?, step.name))));
        lines.extend(lane.question.iter().map(|question| format!("asks      {question}")));
    }
    for it in shown.groups.iter().flat_map(|group| &group.members) {
        lines.extend(it.told().map(|told| format!("told      {told}")));
    }
    if let Phase::Ended(end) = &shown.phase {
        lines.push(format!("ended     {end}"));
    }
    lines
}

/// What a line of a step begins with; none where nothing of it is to be told yet.
fn word(stands: StepStands) -> Option<&'static str> {
    match stands {
        StepStands::NotYet | StepStands::ToUndo => None,
        StepStands::Done | StepStands::Nothing => Some("done     "),
        StepStands::Undone => Some("undone   "),
        StepStands::Undoing => Some("undoing  "),
        StepStands::Going | StepStands::Waits | StepStands::Asks | StepStands::Failed | StepStands::Left => {
            Some("under way")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saga::record::SagaRecord;

    #[test]
    fn a_failover_is_followed_by_its_steps_and_its_questions() {
        let record: SagaRecord = serde_json::from_slice(include_bytes!("../../golden/saga-v1.json")).expect("reads");
        let saga = record.saga().expect("its progress reads");
        let lines = lines(&Shown::of(&saga, record.began_at, record.ended_at));
        assert!(lines.iter().any(|line| line.starts_with("done ")), "{lines:?}");
        assert!(lines.iter().any(|line| line.starts_with("asks ") && line.contains("question")), "{lines:?}");
    }
}
