//! What everything rests on, and the one entry: an event comes in, what came of it goes out.
//! It never decides and never loops; one event, one attempt.

use std::sync::Arc;

use azure_core::http::HttpClient;
use jiff::Timestamp;
use lifeboat_azure::ArmClient;
use lifeboat_azure::blobs::Store;
use lifeboat_azure::entra::Directory;
use lifeboat_azure::service_bus::Sender;
use lifeboat_contract::sagas::SagasMessage;
use lifeboat_contract::signals::Door;
use lifeboat_contract::status::{Points, Status};
use lifeboat_contract::work::{Cause, ReconcileMessage, WorkError};

use crate::budget::Reserved;
use crate::clock::Clock;
use crate::event::{Api, Command, Event};
use crate::health_poll::{self, PollError};
use crate::holds::{Hold, HoldError};
use crate::orders::{self, NotTaken, Told};
use crate::outbox::Outbox;
use crate::queue::{self, QueueError};
use crate::readiness_sweep::{self, ReadinessError};
use crate::saga_woken::{self, WokenError};
use crate::settings::Settings;
use crate::signals::doors::{self, DoorError};
use crate::stop::Stop;
use crate::swap::SwapError;
use crate::views::{self, ViewError, Viewed};
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
    /// What is told to other systems.
    pub outbox: Outbox,
    /// What probes are sent by: no token, and only to where one may ask.
    pub probes: Arc<dyn HttpClient>,
    /// Whose tokens are taken; none where the deployment knows no directory, and then no order that needs a name is.
    pub directory: Option<Directory>,
    /// The time.
    pub clock: Clock,
    /// The region that this deployment itself lies in; none where it was not told.
    pub region: Option<String>,
    /// ARM id of the storage account in this deployment's region that Site Recovery is to use as cache when a failover is protected the
    /// other way; without it that step asks a person.
    pub replication_cache: Option<String>,
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
    /// What a page shows.
    Viewed(Box<Viewed>),
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
    /// Evidence was not kept.
    #[error(transparent)]
    Door(#[from] DoorError),
    /// A poll was not completed; the next one comes in a minute.
    #[error(transparent)]
    Poll(#[from] PollError),
    /// A sweep of readiness was not completed; the next one comes in half an hour.
    #[error(transparent)]
    Readiness(#[from] ReadinessError),
    /// A message of the queue of sagas was not taken care of.
    #[error(transparent)]
    Woken(#[from] WokenError),
    /// What a page shows could not be read.
    #[error(transparent)]
    View(#[from] ViewError),
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
    /// Takes care of one event, and tells other systems what came of it; the sweep also what nobody could tell yet.
    pub async fn handle(&self, event: Event) -> Result<Answer, NotDone> {
        let (sweeps, polls) = (matches!(event, Event::PolicySweep(_)), matches!(event, Event::HealthPoll(_)));
        let done = self.take_care_of(event).await;
        // Whatever came of the event: what was written is told. The poll tells too what a process that was killed has left: that a region
        // fails may be among it, and is to be told within two minutes.
        self.outbox.drain_own(self.clock.now(), polls).await;
        if sweeps {
            self.outbox.drain_all(self.clock.now()).await;
        }
        done
    }

    async fn take_care_of(&self, event: Event) -> Result<Answer, NotDone> {
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
            Event::RegionAlert(body) => self.take(Door::RegionAlert, &json_or_text(&body)).await,
            Event::RegionHealthChanged(events) => {
                self.take(Door::RegionHealthChanged, &serde_json::Value::Array(events)).await
            }
            Event::HealthPoll(poll) => Ok(Answer::Done(health_poll::run(self, poll).await?)),
            Event::ReadinessSweep(sweep) => Ok(Answer::Done(readiness_sweep::run(self, sweep).await?)),
            Event::SagaWoken(body) => Ok(Answer::Done(saga_woken::run(self, &body).await?)),
            Event::Command(command) => {
                let Command { body, door, token } = command;
                Ok(Answer::Ordered(orders::take(self, &body, door, token.as_ref()).await?))
            }
            Event::Api(Api::Status) => Ok(Answer::Status(Box::new(status::status(self).await?))),
            Event::Api(Api::View(view)) => Ok(Answer::Viewed(Box::new(views::view(self, &view).await?))),
            Event::Api(Api::Stop { reason }) => {
                Ok(Answer::Stopped(stop::stop(&self.store, &reason, self.clock.now()).await?))
            }
            Event::Api(Api::Hold { point, reason }) => {
                let now = self.clock.now();
                let hold = Hold::new(&point, &reason, &now.to_string(), now);
                Ok(Answer::Held(holds::hold(self, hold).await?))
            }
            Event::Api(Api::Points { machine }) => {
                Ok(Answer::Points(Box::new(status::points(self, machine.as_deref()).await?)))
            }
        }
    }

    /// Keeps evidence that arrived, and has each region that it says something new of evaluated: once for all that a minute brings.
    async fn take(&self, door: Door, body: &serde_json::Value) -> Result<Answer, NotDone> {
        let doors::Took { mut lines, regions } = doors::take(self, door, body).await?;
        for region in regions {
            let message = SagasMessage::evaluate(region, self.clock.now());
            queue::send_sagas(&self.sender, &message, message.minute_ends_at()).await?;
            lines.push("queued an evaluation".to_owned());
        }
        Ok(Answer::Done(Report { lines }))
    }

    /// Puts the first look of a piece of work on the queue.
    async fn queue_look(&self, machine: &str, cause: Cause) -> Result<Answer, NotDone> {
        queue::send(&self.sender, &ReconcileMessage::new(machine, cause), None).await?;
        Ok(Answer::Done(Report::line(format!("queued a look at {machine}"))))
    }
}

/// A body as JSON; what is no JSON stays a text, which no reader takes for anything.
fn json_or_text(body: &[u8]) -> serde_json::Value {
    serde_json::from_slice(body).unwrap_or_else(|_| String::from_utf8_lossy(body).into_owned().into())
}
