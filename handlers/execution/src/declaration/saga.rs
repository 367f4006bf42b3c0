//! The saga of a recovery plan as its declaration sees it, and the word to it that the region came back.
//! It never begins one, and never takes one further but by that word.

use jiff::Timestamp;
use lifeboat_planning::declaration::{Act, Decision, Declaration, SagaSeen};
use lifeboat_planning::recovery::RecoveryPlan;
use lifeboat_planning::saga::failover::{COMMIT, Failover};
use lifeboat_planning::saga::{Ask, At, End, Phase, Saga};

use super::DeclarationError;
use super::record::{self, Record};
use crate::lifeboat::Lifeboat;
use crate::queue::QueueError;
use crate::saga::record::SagaRecord;
use crate::saga::{self, Event, SagaError};
use crate::saga_woken;
use crate::swap::{self, Change};

/// A recovery plan's saga, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// When it began.
    pub began_at: Timestamp,
    ended: bool,
    seen: SagaSeen,
    /// The number of the last look before the first one at it, and its time, until that was taken.
    first_look: Option<(u32, Timestamp)>,
}

/// Reads the saga of a recovery plan. One that cannot be read is an error, and not none.
pub async fn read(lifeboat: &Lifeboat, plan: &RecoveryPlan) -> Result<Option<Stored>, SagaError> {
    saga::read(lifeboat, &plan.name).await?.map(|record| Stored::of(&record)).transpose()
}

impl Stored {
    fn of(record: &SagaRecord) -> Result<Self, SagaError> {
        let saga = record.saga()?;
        let first_look = record.look_again_at.filter(|at| *at == record.began_at).map(|at| (record.looks, at));
        Ok(Self { began_at: record.began_at, ended: saga.ended(), seen: seen(&saga), first_look })
    }
}

/// Queues the first look at a saga that nobody looked at yet: whoever began it may have been killed before. Where it is queued already, it
/// is a duplicate.
pub async fn first_look(lifeboat: &Lifeboat, plan: &RecoveryPlan, stored: Option<Stored>) -> Result<(), QueueError> {
    match stored.and_then(|stored| stored.first_look) {
        Some((last, at)) => saga_woken::queue_next(lifeboat, &plan.name, last, Some(at)).await,
        None => Ok(()),
    }
}

/// What the declaration goes by. One that ended before the open incident was another incident's.
pub fn of(stored: Option<Stored>, before: &Declaration) -> SagaSeen {
    let Some(stored) = stored else { return SagaSeen::None };
    let opened_at = before.incident.as_ref().map(|incident| incident.opened_at);
    let is_anothers = opened_at.is_some_and(|opened_at| stored.ended && stored.began_at < opened_at);
    if is_anothers { SagaSeen::None } else { stored.seen }
}

/// It serves from the other region once the answer was verified there: from the question whether to commit on.
fn seen(saga: &Saga<Failover>) -> SagaSeen {
    let accepted = saga.past_no_return();
    let serves = saga.questions().any(|question| question.ask == Ask::Commit)
        || saga.progress.lanes.first().is_some_and(|lane| match &lane.at {
            At::Step(step) => step == COMMIT,
            At::Finished => true,
            At::Left => false,
        });
    match &saga.progress.phase {
        Phase::Ended(End::Done) => SagaSeen::FailedOver,
        Phase::Ended(End::Undone) => SagaSeen::Undone,
        // People have taken it over: where a failover was accepted, there is no way back for them either.
        Phase::Ended(End::Left) if accepted => SagaSeen::FailedOver,
        Phase::Ended(End::Left) => SagaSeen::Undone,
        Phase::Forward if serves => SagaSeen::FailedOver,
        Phase::Forward | Phase::Undoing(..) => SagaSeen::Running { accepted },
    }
}

/// Tells the saga that the region came back, once for each time that it did: it stops and asks. Remembered after it took the word, so
/// that who is killed in between says it twice, which it takes for once.
pub async fn recovered(
    lifeboat: &Lifeboat,
    plan: &RecoveryPlan,
    (after, decisions): (&Declaration, &[Decision]),
    told: Option<Timestamp>,
) -> Result<Vec<String>, DeclarationError> {
    let asks = decisions.iter().any(|decision| decision.act == Act::StopAndAsk);
    let Some(since) = after.well_since.filter(|since| asks && told != Some(*since)) else {
        return Ok(Vec::new());
    };
    let ran = match saga::run(lifeboat, &plan.name, Event::Recovered).await {
        Ok(ran) => ran,
        Err(error) if error.is_not_yet() => {
            tracing::warn!(error = %error, "the saga is told with the next look that the region came back");
            return Ok(vec![format!(
                "{}: the failover is busy; it is told again that the region came back",
                plan.name
            )]);
        }
        Err(error) => return Err(error.into()),
    };
    saga_woken::queue_next(lifeboat, &plan.name, ran.looks, ran.look_again_at).await?;
    let name = record::blob_name(&plan.name);
    swap::swap(&lifeboat.store, &name, record::VERSION, |known: Option<Record>| match known {
        Some(known) => Change::Write(Record { recovery_told: Some(since), ..known }, ()),
        None => Change::Leave(()),
    })
    .await?;
    Ok(ran.report.lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifeboat_planning::declaration::Incident;
    use std::collections::BTreeSet;

    fn stored() -> SagaRecord {
        serde_json::from_slice(include_bytes!("../../golden/saga-v1.json")).expect("reads")
    }

    #[test]
    fn a_saga_past_the_point_of_no_return_runs_until_the_other_region_serves() {
        let mut saga = stored().saga().expect("its progress reads");
        saga.progress.lanes[0].question = None;
        saga.progress.lanes[0].at = At::Step("enable the target".to_owned());
        assert_eq!(seen(&saga), SagaSeen::Running { accepted: true });
        saga.progress.lanes[0].at = At::Step(COMMIT.to_owned());
        assert_eq!(seen(&saga), SagaSeen::FailedOver);
        saga.progress.phase = Phase::Ended(End::Undone);
        assert_eq!(seen(&saga), SagaSeen::Undone);
    }

    #[test]
    fn a_saga_that_ended_before_the_incident_opened_is_none_of_its() {
        let began_at: Timestamp = "2026-11-22T10:00:00Z".parse().expect("a time");
        let opened = |text: &str| Declaration {
            incident: Some(Incident {
                opened_at: text.parse().expect("a time"),
                suspected: true,
                senders: BTreeSet::new(),
                failover_begun_at: None,
                recovered_at: None,
            }),
            ..Declaration::default()
        };
        let (earlier, later) = (opened("2026-11-22T09:55:00Z"), opened("2026-11-23T09:55:00Z"));
        let ended = Stored { began_at, ended: true, seen: SagaSeen::Undone, first_look: None };
        assert_eq!(of(Some(ended), &earlier), SagaSeen::Undone);
        assert_eq!(of(Some(ended), &later), SagaSeen::None);
        let running = Stored { began_at, ended: false, seen: SagaSeen::Running { accepted: false }, first_look: None };
        assert_eq!(of(Some(running), &later), running.seen, "one that runs is everybody's");
        assert_eq!(of(None, &later), SagaSeen::None);
    }
}
