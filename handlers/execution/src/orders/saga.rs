//! Where verified orders about a failover are handed to the saga of the recovery plan.
//! It never decides what they come to (the saga does), takes none that was not verified, and begins no failover yet.

use jiff::Timestamp;
use lifeboat_contract::command::{Approve, Of, Order, Reject};
use lifeboat_planning::saga::{Ask, Choice, OrderRefused, Question};

use super::NotTaken;
use crate::lifeboat::Lifeboat;
use crate::saga::record::SagaRecord;
use crate::saga::{self, Event, SagaError};
use crate::saga_woken;

/// An order that was verified: who gave it is known, and those who had to approve it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The command's id; of an order that waited for approvals, its own.
    pub id: String,
    /// What is ordered.
    pub order: Order,
    /// Object id of who ordered it.
    pub by: String,
    /// Object ids of those who approved it, where it needed that.
    pub approved_by: Vec<String>,
    /// When it was given.
    pub at: Timestamp,
}

/// Why an order is not carried out.
#[derive(Debug, thiserror::Error)]
pub enum NotDelivered {
    /// Nothing begins one yet.
    #[error(
        "no failover is executed by this release, because it does not look yet whether a recovery plan is ready: the order is recorded and nothing is done"
    )]
    NotExecuted,
    /// The saga refuses it.
    #[error("the failover refuses it: {0}")]
    Refused(OrderRefused),
    /// No saga waits for a commit.
    #[error("no failover of this recovery plan waits for the word to commit")]
    NoCommitAsked,
    /// A no that the question does not have.
    #[error("the question has no answer that is a no by itself: the order must name one of its choices")]
    NoSuchNo,
    /// There is no saga, or none that can be taken further.
    #[error(transparent)]
    Saga(#[from] SagaError),
}

/// Hands an order to the failover that it is about. One that was taken before, by somebody who was cut off, is done.
pub async fn deliver(lifeboat: &Lifeboat, order: &Verified) -> Result<Result<Vec<String>, NotDelivered>, NotTaken> {
    let (name, by) = (order.order.name(), &order.by);
    tracing::info!(order = name, id = order.id, by, "an order is verified");
    match handed(lifeboat, order).await {
        Ok(lines) => Ok(Ok(lines)),
        Err(Hand::NotTaken(error)) => Err(error),
        Err(Hand::Refused(NotDelivered::Saga(error))) if error.is_not_yet() => Err(NotTaken::Saga(error)),
        Err(Hand::Refused(refused)) => Ok(Err(refused)),
    }
}

/// What ends the handing over of an order before the saga took it.
enum Hand {
    Refused(NotDelivered),
    NotTaken(NotTaken),
}

impl<E: Into<NotDelivered>> From<E> for Hand {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

async fn handed(lifeboat: &Lifeboat, order: &Verified) -> Result<Vec<String>, Hand> {
    if !concerns_a_saga(&order.order) {
        return Err(NotDelivered::NotExecuted.into());
    }
    let plan = order.order.recovery_plan().unwrap_or_default();
    let record = saga::read(lifeboat, plan).await?.ok_or(SagaError::Missing)?;
    let queue = async |looks, at| {
        saga_woken::queue_next(lifeboat, plan, looks, at).await.map_err(|error| Hand::NotTaken(error.into()))
    };
    if record.taken.contains(&order.id) {
        queue(record.looks, record.look_again_at).await?;
        return Ok(vec![format!("{plan}: the failover took this order before")]);
    }
    let event = event(order, &record)?;
    let line = format!("{plan}: {event}");
    let ran = saga::obey(lifeboat, plan, &order.id, event).await?;
    queue(ran.looks, ran.look_again_at).await?;
    match ran.refused {
        Some(why) => Err(NotDelivered::Refused(why).into()),
        None => Ok(std::iter::once(line).chain(ran.report.lines).collect()),
    }
}

/// Whether it is about a saga that runs.
fn concerns_a_saga(order: &Order) -> bool {
    match order {
        Order::Abort(_) | Order::CommitFailover(_) => true,
        Order::Approve(Approve { of, .. }) | Order::Reject(Reject { of, .. }) => matches!(of, Of::Question(_)),
        _ => false,
    }
}

/// What the order is to the saga.
fn event(order: &Verified, record: &SagaRecord) -> Result<Event, NotDelivered> {
    let by = order.by.clone();
    let answer = |question, choice, pick| Event::Answer { question, choice, pick, by: by.clone() };
    let saga = record.saga()?;
    let standing = |number: u32| saga.questions().find(|question| question.number == number);
    match &order.order {
        Order::CommitFailover(_) => {
            let asked = saga.questions().find(|question| question.ask == Ask::Commit);
            Ok(answer(asked.ok_or(NotDelivered::NoCommitAsked)?.number, Choice::GoOn, None))
        }
        Order::Approve(Approve { of: Of::Question(number), choice, point, .. }) => {
            let choice = choice.as_ref().map_or(Choice::GoOn, |answer| answer.0);
            let pick = (choice == Choice::AnotherPoint).then_some(point.0);
            Ok(answer(*number, choice, pick))
        }
        Order::Reject(Reject { of: Of::Question(number), choice, .. }) => {
            let choice = match (choice, standing(*number)) {
                (Some(answer), _) => answer.0,
                (None, Some(question)) => no(question).ok_or(NotDelivered::NoSuchNo)?,
                (None, None) => return Err(NotDelivered::Refused(OrderRefused::NoSuchQuestion)),
            };
            Ok(answer(*number, choice, None))
        }
        _ => Ok(Event::Abort { by }),
    }
}

/// The answer that is a no to what is asked.
fn no(question: &Question) -> Option<Choice> {
    [Choice::Undo, Choice::End].into_iter().find(|choice| question.choices.contains(choice))
}
