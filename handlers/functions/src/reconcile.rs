//! `Reconcile`: the queue `reconcile` says that a look at one machine is due.
//! Sent by ourselves (`contract::work`). It decides nothing; a message that is not understood stays on the queue.

use lifeboat_execution::{Event, Lifeboat};

use crate::host::{Done, Failure, Invocation};

/// Receives one message.
pub async fn receive(lifeboat: &Lifeboat, invocation: Invocation) -> Result<Done, Failure> {
    let body = invocation.service_bus_body()?;
    Ok(crate::note(Done::quietly(), lifeboat.handle(Event::Reconcile(body.to_vec())).await?))
}
