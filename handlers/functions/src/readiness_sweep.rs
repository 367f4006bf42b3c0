//! `ReadinessSweep`: the timer says that the recovery plans are to be looked at: can each be executed now?
//! Sent by the host's timer, every half hour. It decides nothing.

use lifeboat_execution::{Event, Lifeboat, ReadinessSweep};

use crate::host::{Done, Failure, Invocation};

/// Receives one tick.
pub async fn receive(lifeboat: &Lifeboat, invocation: Invocation) -> Result<Done, Failure> {
    let timer = invocation.timer()?;
    let sweep = ReadinessSweep { past_due: timer.is_past_due, last: timer.last };
    Ok(crate::note(Done::quietly(), lifeboat.handle(Event::ReadinessSweep(sweep)).await?))
}
