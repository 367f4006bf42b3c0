//! `SagaWoken`: the queue `sagas` says that a region's evidence is to be evaluated, or that a saga goes on.
//! Sent by ourselves (`contract::sagas`). It decides nothing; a message that is not understood stays on the queue.

use lifeboat_execution::{Event, Lifeboat};

use crate::host::{Done, Failure, Invocation};

/// Receives one message.
pub async fn receive(lifeboat: &Lifeboat, invocation: Invocation) -> Result<Done, Failure> {
    let body = invocation.service_bus_body()?;
    Ok(crate::note(Done::quietly(), lifeboat.handle(Event::SagaWoken(body.to_vec())).await?))
}
