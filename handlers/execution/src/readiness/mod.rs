//! What the last looks at a recovery plan's readiness left in the store: whether it can be executed and why not, the saved copy of what
//! the path needs, and its newest points.
//! It never asks Azure, and never decides: `planning::recovery::readiness` does.

pub mod record;
pub mod shown;

use jiff::Timestamp;
use lifeboat_azure::blobs::Store;
use lifeboat_planning::recovery::RecoveryPlan;
use lifeboat_planning::recovery::readiness::{self, OrderRefused, Ordered};
use lifeboat_planning::saga::failover::{Failover, FailoverOrder, VERIFY};
use lifeboat_planning::saga::{Saga, Takes, takes};

use crate::swap::SwapError;

/// Why there is no order. Repeating is pointless until a look at readiness saved what it needs, but for a store that does not answer.
#[derive(Debug, thiserror::Error)]
pub enum NoOrder {
    /// The store did not answer, or what it has cannot be read.
    #[error("what was saved of the recovery plan could not be read")]
    Store(#[from] SwapError),
    /// No look at readiness has read all that the path needs.
    #[error("nothing was saved of the recovery plan yet: no look at its readiness has read all that a failover needs")]
    NothingSaved,
    /// What was saved does not fit.
    #[error("{0}")]
    Refused(OrderRefused),
}

/// The order of a recovery plan's failover from what was saved of it. Nothing else is read: the region that is lost need not answer.
/// The same words give the same order.
pub async fn order(store: &Store, plan: &RecoveryPlan, ordered: &Ordered) -> Result<FailoverOrder, NoOrder> {
    let path = record::read(store, &plan.name).await?.and_then(|record| record.path()).ok_or(NoOrder::NothingSaved)?;
    readiness::order(plan, &path, ordered).map_err(NoOrder::Refused)
}

/// How long a failover ordered now would take until the workload serves; none where what was saved is not enough for one.
pub fn would_take(record: &record::Record, plan: &RecoveryPlan, now: Timestamp) -> Option<Takes> {
    let order = readiness::order(plan, &record.path()?, &Ordered::as_of(&plan.name, now)).ok()?;
    until_it_serves(order)
}

/// How long this failover takes until the workload serves.
pub fn until_it_serves(order: FailoverOrder) -> Option<Takes> {
    takes(&Saga::new(Failover::new(order), 1), VERIFY)
}
