//! `RegionHealthChanged`: Event Grid tells that the health of resources changed; what it tells is kept as evidence.
//! Sent by the subscription's system topic of HealthResources, in both schemas. It decides nothing: what does not count is said with its
//! reason, and what is not understood is kept as it came.

use lifeboat_execution::{Event, Lifeboat};

use crate::host::{Done, Failure, Invocation};

/// Receives one delivery.
pub async fn receive(lifeboat: &Lifeboat, invocation: Invocation) -> Result<Done, Failure> {
    let events = invocation.event_grid_events()?;
    Ok(crate::note(Done::quietly(), lifeboat.handle(Event::RegionHealthChanged(events)).await?))
}
