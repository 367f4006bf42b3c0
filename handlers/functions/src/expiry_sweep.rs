//! `ExpirySweep`: the timer says that points are to be held against the rules that keep them.
//! Sent by the host's timer, every hour. It decides nothing.

use lifeboat_execution::{Event, ExpirySweep, Lifeboat};

use crate::host::{Done, Failure, Invocation};

/// Receives one tick.
pub async fn receive(lifeboat: &Lifeboat, invocation: Invocation) -> Result<Done, Failure> {
    let timer = invocation.timer()?;
    let sweep = ExpirySweep { past_due: timer.is_past_due, last: timer.last };
    Ok(crate::note(Done::quietly(), lifeboat.handle(Event::ExpirySweep(sweep)).await?))
}
