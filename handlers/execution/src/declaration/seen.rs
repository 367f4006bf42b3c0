//! What one look at a recovery plan's declaration reads of the store.
//! It never asks Azure, and decides nothing.

use jiff::Timestamp;
use lifeboat_azure::blobs::Store;
use lifeboat_planning::declaration::{Assumed, Readiness, Rejected};
use lifeboat_planning::recovery::{By, RecoveryPlan};
use lifeboat_planning::saga::Takes;
use lifeboat_planning::signal::Signals;

use super::{DeclarationError, saga};
use crate::assumptions;
use crate::lifeboat::Lifeboat;
use crate::orders::approvals::{self, OrdersRecord};
use crate::policies;
use crate::readiness;
use crate::signals::fleet::{self, Fleet};
use crate::signals::stored;
use crate::swap::SwapError;

/// What is known of one look.
pub(super) struct Seen {
    pub(super) signals: Signals,
    pub(super) readiness: Readiness,
    pub(super) point_at: Option<Timestamp>,
    pub(super) takes: Option<Takes>,
    pub(super) machines: u64,
    pub(super) target_machines: u64,
    pub(super) members: Vec<String>,
    pub(super) digest: String,
    pub(super) saga: Option<saga::Stored>,
    pub(super) assumed: Assumed,
    pub(super) rejected: Option<Rejected>,
}

/// Reads it all.
pub(super) async fn see(lifeboat: &Lifeboat, plan: &RecoveryPlan, now: Timestamp) -> Result<Seen, DeclarationError> {
    let store = &lifeboat.store;
    let (from, to) = (plan.from.as_str(), plan.to.as_str());
    let mut signals = Signals::joined([stored::read(store, from).await?, stored::read(store, to).await?]);
    signals.age(now);
    let (fleet, target) = (fleet::read(store, from).await?, fleet::read(store, to).await?);
    let size = |fleet: &Option<Fleet>| fleet.as_ref().map_or(fleet::UNKNOWN, |fleet| fleet.machines);
    let (machines, target_machines) = (size(&fleet), size(&target));
    let members = fleet.and_then(|mut fleet| fleet.members.remove(&plan.name)).unwrap_or_default();
    let digest = policies::in_force(store, &lifeboat.policies).await?.digest.clone();
    let saga = saga::read(lifeboat, plan).await?;
    let (readiness, point_at, takes) = ready(store, plan, now).await?;
    // Only the rules need an approval of what is assumed, and only them a person's no holds up.
    let (assumed, rejected) = match plan.declaration.by {
        By::Rules => (assumptions::read(store, &plan.name).await?, rejected(store, plan).await?),
        By::Person | By::Approval => (Assumed::default(), None),
    };
    Ok(Seen {
        signals,
        readiness,
        point_at,
        takes,
        machines,
        target_machines,
        members,
        digest,
        saga,
        assumed,
        rejected,
    })
}

/// The last no to what was asked in an incident of the recovery plan.
async fn rejected(store: &Store, plan: &RecoveryPlan) -> Result<Option<Rejected>, SwapError> {
    let orders = approvals::read(store, &plan.name).await?;
    let last = orders.as_ref().and_then(OrdersRecord::rejected);
    Ok(last.and_then(|(incident, at)| Some(Rejected { incident: incident.parse().ok()?, at })))
}

/// What the last look at readiness left: whether the recovery plan can be executed, the newest usable point, and how long a failover would
/// take. One that looked at the recovery plan as it was before says nothing of it, nor does a record that cannot be read, of which the
/// sweep tells.
async fn ready(
    store: &Store,
    plan: &RecoveryPlan,
    now: Timestamp,
) -> Result<(Readiness, Option<Timestamp>, Option<Takes>), SwapError> {
    match readiness::record::of_plan(store, plan).await {
        Ok(Some(record)) => Ok((record.readiness(), record.point_at(), readiness::would_take(&record, plan, now))),
        Ok(None) => Ok((Readiness::Unknown, None, None)),
        Err(SwapError::Record(error)) => {
            tracing::error!(recovery_plan = plan.name, error = %error, "its readiness is not known");
            Ok((Readiness::Unknown, None, None))
        }
        Err(error) => Err(error),
    }
}
