//! `VmWritten`: Event Grid tells that a machine was written; the hint goes on the queue.
//! Sent by the subscription's system topic (`Microsoft.Resources.ResourceWriteSuccess`), in both schemas. It decides nothing:
//! what is not the write of a machine is ignored with its reason.

use lifeboat_contract::event_grid::Told;
use lifeboat_execution::{Event, Lifeboat, VmWritten};

use crate::host::{Done, Failure, Invocation};

/// Receives one delivery.
pub async fn receive(lifeboat: &Lifeboat, invocation: Invocation) -> Result<Done, Failure> {
    let event = |hint: lifeboat_contract::event_grid::MachineHint| {
        Event::VmWritten(VmWritten { event_id: hint.event_id, machine: hint.resource })
    };
    crate::receive_hints(lifeboat, invocation, Told::Written, event).await
}
