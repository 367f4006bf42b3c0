//! `VmWritten`: Event Grid tells that a machine was written; the hint goes on the queue.
//! Sent by the subscription's system topic (`Microsoft.Resources.ResourceWriteSuccess`), in both schemas. It decides nothing:
//! what is not the write of a machine is ignored with its reason.

use lifeboat_contract::event_grid::read_event;
use lifeboat_execution::{Event, Lifeboat, VmWritten};

use crate::host::{Done, Failure, Invocation};

/// Receives one delivery; its events are answered for together, so that Event Grid sends all of them again if one failed.
pub async fn receive(lifeboat: &Lifeboat, invocation: Invocation) -> Result<Done, Failure> {
    let mut done = Done::quietly();
    for event in invocation.event_grid_events()? {
        match read_event(&event) {
            Ok(hint) => {
                let written = VmWritten { event_id: hint.event_id, machine: hint.resource };
                done = crate::note(done, lifeboat.handle(Event::VmWritten(written)).await?);
            }
            Err(reason) => {
                tracing::info!(%reason, "an event is ignored");
                done = done.note(format!("ignored: {reason}"));
            }
        }
    }
    Ok(done)
}
