//! Where verified orders about a failover are handed to the saga of the recovery plan.
//! It never decides what they come to (the declaration and the saga do), and takes none that was not verified.

use jiff::Timestamp;
use lifeboat_contract::command::{Approve, CommitFailover, Of, Order, Reject, StartFailover};
use lifeboat_planning::saga::{Ask, Choice, OrderRefused, Question};

use super::NotTaken;
use super::approvals::OrderRecord;
use crate::declaration::word::{NotGiven, Word};
use crate::declaration::{self, DeclarationError};
use crate::lifeboat::Lifeboat;
use crate::policies;
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
    /// The incident that it is about, where it is an answer to a declaration that asks.
    pub incident: Option<String>,
}

impl Verified {
    /// An order that nobody else had to approve.
    pub fn of(id: &str, order: &Order, by: &str) -> Self {
        let (id, order, by) = (id.to_owned(), order.clone(), by.to_owned());
        Self { id, order, by, approved_by: Vec::new(), incident: None }
    }
}

impl From<Box<OrderRecord>> for Verified {
    fn from(order: Box<OrderRecord>) -> Self {
        let approved_by = order.approvals.into_iter().map(|approval| approval.by).collect();
        let (id, by, incident) = (order.id, order.by, order.incident);
        Self { id, order: Order::StartFailover(order.says), by, approved_by, incident }
    }
}

/// Why an order is not carried out.
#[derive(Debug, thiserror::Error)]
pub enum NotDelivered {
    /// What it was given on does not hold, or not enough of it.
    #[error(transparent)]
    NotGiven(#[from] NotGiven),
    /// It is no order to a saga.
    #[error("the order is not about a failover that runs")]
    NotOfASaga,
    /// The recovery plan is not in force any more.
    #[error("no recovery plan of this name is in force")]
    NoPlan,
    /// The saga refuses it.
    #[error("the failover refuses it: {0}")]
    Refused(OrderRefused),
    /// No saga waits for a commit.
    #[error("no failover of this recovery plan waits for the word to commit")]
    NoCommitAsked,
    /// What was shown to whoever answers is not what is asked.
    #[error("the digest is not that of question {number} as it stands, which is {now}")]
    OtherQuestion {
        /// The question's number.
        number: u32,
        /// Its digest.
        now: String,
    },
    /// An approval, where only the order to commit is an answer.
    #[error("committing deletes the other recovery points: it has an order of its own, `CommitFailover`")]
    CommitIsAnOrder,
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

/// What an order would come to, one line each: of one to fail over, the steps that it would begin. Nothing is changed.
pub(super) async fn foreseen(
    lifeboat: &Lifeboat,
    order: &Verified,
    now: Timestamp,
) -> Result<Result<Vec<String>, NotDelivered>, NotTaken> {
    let plan = order.order.recovery_plan().unwrap_or_default();
    if let Order::StartFailover(start) = &order.order {
        let in_force = policies::in_force(&lifeboat.store, &lifeboat.policies).await?;
        let Some(found) = in_force.recovery_plans.iter().find(|one| one.name == plan) else {
            return Ok(Err(NotDelivered::NoPlan));
        };
        let foreseen = declaration::would::begin(lifeboat, found, &word(order, start)).await;
        return Ok(foreseen.map_err(NotTaken::Declaration)?.map_err(NotDelivered::NotGiven));
    }
    let record = match saga::read(lifeboat, plan).await {
        Ok(Some(record)) => record,
        Ok(None) => return Ok(Err(SagaError::Missing.into())),
        Err(error) if error.is_not_yet() => return Err(NotTaken::Saga(error)),
        Err(error) => return Ok(Err(error.into())),
    };
    Ok(event(order, &record).and_then(|event| {
        let line = format!("{plan}: {event}");
        match saga::refuses(&record, event, now)? {
            Some(why) => Err(NotDelivered::Refused(why)),
            None => Ok(vec![line]),
        }
    }))
}

/// True when the failover of the recovery plan took the order of this id.
pub(super) async fn took(lifeboat: &Lifeboat, plan: &str, id: &str) -> Result<bool, NotTaken> {
    match saga::read(lifeboat, plan).await {
        Ok(record) => Ok(record.is_some_and(|record| record.taken.iter().any(|taken| taken == id))),
        Err(error) => Err(NotTaken::Saga(error)),
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
    let plan = order.order.recovery_plan().unwrap_or_default();
    let record = saga::read(lifeboat, plan).await?;
    let queue = async |looks, at| {
        saga_woken::queue_next(lifeboat, plan, looks, at).await.map_err(|error| Hand::NotTaken(error.into()))
    };
    if let Some(record) = record.as_ref().filter(|record| record.taken.contains(&order.id)) {
        queue(record.looks, record.look_again_at).await?;
        return Ok(vec![format!("{plan}: the failover took this order before")]);
    }
    if let Order::StartFailover(start) = &order.order {
        return begun(lifeboat, order, start).await;
    }
    let record = record.ok_or(SagaError::Missing)?;
    let event = event(order, &record)?;
    let line = format!("{plan}: {event}");
    let ran = saga::obey(lifeboat, plan, &order.id, event).await?;
    queue(ran.looks, ran.look_again_at).await?;
    match ran.refused {
        Some(why) => Err(NotDelivered::Refused(why).into()),
        None => Ok(std::iter::once(line).chain(ran.report.lines).collect()),
    }
}

/// Has the declaration look again with this word, which begins the failover where what it was given on still holds.
async fn begun(lifeboat: &Lifeboat, order: &Verified, start: &StartFailover) -> Result<Vec<String>, Hand> {
    let taken = |error: DeclarationError| Hand::NotTaken(NotTaken::Declaration(error));
    let in_force = policies::in_force(&lifeboat.store, &lifeboat.policies).await;
    let in_force = in_force.map_err(|error| Hand::NotTaken(error.into()))?;
    let plan = in_force.recovery_plans.iter().find(|plan| plan.name == start.recovery_plan);
    let plan = plan.ok_or(NotDelivered::NoPlan)?;
    let word = word(order, start);
    Ok(declaration::give(lifeboat, plan, &word).await.map_err(taken)?.map_err(NotDelivered::NotGiven)?)
}

fn word(order: &Verified, start: &StartFailover) -> Word {
    let approved = order.approved_by.iter().map(|by| format!(", approved by {by}")).collect::<String>();
    Word {
        id: order.id.clone(),
        by: format!("{}{approved}", order.by),
        digest: start.digest.clone(),
        incident: order.incident.clone(),
        passes: start.passes.iter().map(|passed| passed.0).collect(),
        point: start.point.0,
        protect_back: start.protect_back,
    }
}

/// What the order is to the saga.
fn event(order: &Verified, record: &SagaRecord) -> Result<Event, NotDelivered> {
    let by = order.by.clone();
    let answer = |question, choice, pick| Event::Answer { question, choice, pick, by: by.clone() };
    let saga = record.saga()?;
    let standing = |number: u32| saga.questions().find(|question| question.number == number);
    // Whoever says yes says it to what was shown.
    let shown = |question: &Question, digest: &str| {
        let (number, now) = (question.number, question.digest(&record.id));
        if now == digest { Ok(number) } else { Err(NotDelivered::OtherQuestion { number, now }) }
    };
    match &order.order {
        Order::CommitFailover(CommitFailover { digest, .. }) => {
            let asked = saga.questions().find(|question| question.ask == Ask::Commit);
            Ok(answer(shown(asked.ok_or(NotDelivered::NoCommitAsked)?, digest)?, Choice::GoOn, None))
        }
        Order::Approve(Approve { of: Of::Question(number), choice, point, digest, .. }) => {
            let asked = standing(*number).ok_or(NotDelivered::Refused(OrderRefused::NoSuchQuestion))?;
            shown(asked, digest)?;
            let choice = choice.as_ref().map_or(Choice::GoOn, |answer| answer.0);
            // Whoever approves of something else by its number must not commit by a slip: nothing of that comes back.
            if choice == Choice::GoOn && asked.ask == Ask::Commit {
                return Err(NotDelivered::CommitIsAnOrder);
            }
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
        Order::Abort(_) => Ok(Event::Abort { by }),
        _ => Err(NotDelivered::NotOfASaga),
    }
}

/// The answer that is a no to what is asked.
fn no(question: &Question) -> Option<Choice> {
    [Choice::Undo, Choice::End].into_iter().find(|choice| question.choices.contains(choice))
}
