//! `PolicySweep`: the timer says that the estate is to be held against policy.
//! Sent by the host's timer, every five minutes. It decides nothing.

use lifeboat_execution::{Event, Lifeboat, PolicySweep};

use crate::host::{Done, Failure, Invocation};

/// Receives one tick.
pub async fn receive(lifeboat: &Lifeboat, invocation: Invocation) -> Result<Done, Failure> {
    let timer = invocation.timer()?;
    let sweep = PolicySweep { past_due: timer.is_past_due, last: timer.last };
    Ok(crate::note(Done::quietly(), lifeboat.handle(Event::PolicySweep(sweep)).await?))
}
