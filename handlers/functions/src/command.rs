//! `Command`: the queue `commands` brings what a person or another system orders, as a CloudEvent.
//! It decides nothing. What is refused is told and completed; only what could be neither carried out nor refused comes back.

use lifeboat_execution::orders::Door;
use lifeboat_execution::{Command, Event, Lifeboat};

use crate::host::{Done, Failure, Invocation};

/// Receives one message.
pub async fn receive(lifeboat: &Lifeboat, invocation: Invocation) -> Result<Done, Failure> {
    let body = invocation.service_bus_body()?.to_vec();
    let command = Command { body, door: Door::Queue, token: None };
    Ok(crate::note(Done::quietly(), lifeboat.handle(Event::Command(command)).await?))
}
