//! `VmDeleted`: Event Grid tells that a machine was deleted; the hint goes on the queue.
//! Sent by the subscription's system topic (`Microsoft.Resources.ResourceDeleteSuccess`), in both schemas. It decides nothing, least of
//! all that the machine is gone: what is not the delete of a machine is ignored with its reason.

use lifeboat_contract::event_grid::Told;
use lifeboat_execution::{Event, Lifeboat, VmDeleted};

use crate::host::{Done, Failure, Invocation};

/// Receives one delivery.
pub async fn receive(lifeboat: &Lifeboat, invocation: Invocation) -> Result<Done, Failure> {
    let event = |hint: lifeboat_contract::event_grid::MachineHint| {
        Event::VmDeleted(VmDeleted { event_id: hint.event_id, machine: hint.resource })
    };
    crate::receive_hints(lifeboat, invocation, Told::Deleted, event).await
}
