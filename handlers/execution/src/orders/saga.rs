//! Where verified orders about a failover are handed to what carries it out.
//! It never carries one out itself, and takes none that was not verified.

use jiff::Timestamp;
use lifeboat_contract::command::Order;

use crate::lifeboat::Lifeboat;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotDelivered {
    /// Nothing carries one out yet.
    #[error("no failover is executed by this release: the order is recorded and nothing is done")]
    NotExecuted,
}

/// Hands an order to the failover that it is about.
#[expect(clippy::unused_async, reason = "what carries failovers out reads the store")]
pub async fn deliver(_lifeboat: &Lifeboat, order: &Verified) -> Result<Vec<String>, NotDelivered> {
    tracing::info!(
        order = order.order.name(),
        id = order.id,
        by = order.by,
        "an order is verified and not carried out"
    );
    Err(NotDelivered::NotExecuted)
}
