//! `HealthPoll`: the timer says that the regions of the recovery plans are to be asked after.
//! Sent by the host's timer, every minute. It decides nothing.

use lifeboat_execution::{Event, HealthPoll, Lifeboat};

use crate::host::{Done, Failure, Invocation};

/// Receives one tick.
pub async fn receive(lifeboat: &Lifeboat, invocation: Invocation) -> Result<Done, Failure> {
    let timer = invocation.timer()?;
    let poll = HealthPoll { past_due: timer.is_past_due, last: timer.last };
    Ok(crate::note(Done::quietly(), lifeboat.handle(Event::HealthPoll(poll)).await?))
}
