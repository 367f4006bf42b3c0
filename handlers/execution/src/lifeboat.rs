//! What everything rests on, and the one entry: an event comes in, what came of it goes out.
//! It never decides and never loops; one event, one attempt.

use jiff::Timestamp;
use lifeboat_azure::ArmClient;
use lifeboat_azure::blobs::Store;
use lifeboat_azure::entra::Directory;
use lifeboat_azure::service_bus::Sender;
use lifeboat_contract::status::{Points, Status};
use lifeboat_contract::work::{Cause, ReconcileMessage, WorkError};

use crate::budget::Reserved;
use crate::clock::Clock;
use crate::event::{Api, Command, Event};
use crate::holds::{Hold, HoldError};
use crate::orders::{self, NotTaken, Told};
use crate::queue::{self, QueueError};
use crate::settings::Settings;
use crate::stop::Stop;
use crate::swap::SwapError;
use crate::{expiry_sweep, holds, policies, policy_sweep, reconcile, status, stop};

/// One deployment's hands.
#[derive(Debug)]
pub struct Lifeboat {
    /// Azure Resource Manager.
    pub arm: ArmClient,
    /// The store.
    pub store: Store,
    /// Service Bus.
    pub sender: Sender,
    /// Whose tokens are taken; none where the deployment knows no directory, and then no order that needs a name is.
    pub directory: Option<Directory>,
    /// The time.
    pub clock: Clock,
    /// Settings.
    pub settings: Settings,
    /// What this process has reserved of Azure's budgets.
    pub reserved: Reserved,
    /// The policies that this process read last.
    pub policies: policies::Kept,
    /// When this process started.
    pub started_at: Timestamp,
}

/// What came of an event that was taken care of.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Done, or put off by a message; the lines say what.
    Done(Report),
    /// The answer of `/api/status`.
    Status(Box<Status>),
    /// The answer of `/api/points`.
    Points(Box<Points>),
    /// All changes are stopped.
    Stopped(Stop),
    /// A point is held.
    Held(Hold),
    /// What came of an order.
    Ordered(Told),
}

/// What was done, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// One line each.
    pub lines: Vec<String>,
}

/// Why an event was not taken care of: whoever sent it must send it again.
#[derive(Debug, thiserror::Error)]
pub enum NotDone {
    /// Nothing could be queued.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The message is not one that this release reads: it stays on the queue until it is dead-lettered and seen.
    #[error("the message was not understood")]
    NotUnderstood(#[from] WorkError),
    /// A sweep could not be finished; the next one starts where it started.
    #[error(transparent)]
    Sweep(#[from] policy_sweep::SweepError),
    /// The switch could not be turned.
    #[error("the switch could not be turned")]
    Stop(#[from] SwapError),
    /// A point could not be held.
    #[error(transparent)]
    Hold(#[from] HoldError),
    /// An order could neither be carried out nor refused.
    #[error(transparent)]
    Order(#[from] NotTaken),
    /// A sweep of expiry could not be finished; the next one starts where it started.
    #[error(transparent)]
    Expiry(#[from] expiry_sweep::ExpiryError),
    /// A question could not be answered.
    #[error(transparent)]
    Status(#[from] status::StatusError),
}

impl Report {
    /// A report of one line.
    pub fn line(text: impl Into<String>) -> Self {
        Self { lines: vec![text.into()] }
    }
}

impl Lifeboat {
    /// Takes care of one event.
    pub async fn handle(&self, event: Event) -> Result<Answer, NotDone> {
        match event {
            Event::VmWritten(written) => {
                self.queue_look(&written.machine, Cause::Written { event_id: written.event_id }).await
            }
            Event::VmDeleted(deleted) => {
                self.queue_look(&deleted.machine, Cause::Deleted { event_id: deleted.event_id }).await
            }
            Event::Reconcile(body) => Ok(Answer::Done(reconcile::run(self, &ReconcileMessage::decode(&body)?).await?)),
            Event::PolicySweep(sweep) => Ok(Answer::Done(policy_sweep::run(self, sweep).await?)),
            Event::ExpirySweep(sweep) => Ok(Answer::Done(expiry_sweep::run(self, sweep).await?)),
            Event::Command(command) => {
                let Command { body, door, token } = command;
                Ok(Answer::Ordered(orders::take(self, &body, door, token.as_ref()).await?))
            }
            Event::Api(Api::Status) => Ok(Answer::Status(Box::new(status::status(self).await?))),
            Event::Api(Api::Stop { reason }) => {
                Ok(Answer::Stopped(stop::stop(&self.store, &reason, self.clock.now()).await?))
            }
            Event::Api(Api::Hold { point, reason }) => Ok(Answer::Held(holds::hold(self, &point, &reason).await?)),
            Event::Api(Api::Points { machine }) => {
                Ok(Answer::Points(Box::new(status::points(self, machine.as_deref()).await?)))
            }
        }
    }

    /// Puts the first look of a piece of work on the queue.
    async fn queue_look(&self, machine: &str, cause: Cause) -> Result<Answer, NotDone> {
        queue::send(&self.sender, &ReconcileMessage::new(machine, cause), None).await?;
        Ok(Answer::Done(Report::line(format!("queued a look at {machine}"))))
    }
}
