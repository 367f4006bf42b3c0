//! What a person's word would begin, by the very decision that takes one: conditions are read again, and the steps are drawn up.
//! It never writes anything down, and never begins anything.

use lifeboat_planning::recovery::RecoveryPlan;
use lifeboat_planning::saga::failover::Failover;
use lifeboat_planning::saga::{Saga, print};

use super::word::{NotGiven, Word};
use super::{DeclarationError, decide, record, see};
use crate::lifeboat::Lifeboat;

/// The steps that this word would begin, one line each, or why it would not go through.
pub async fn begin(
    lifeboat: &Lifeboat,
    plan: &RecoveryPlan,
    word: &Word,
) -> Result<Result<Vec<String>, NotGiven>, DeclarationError> {
    let now = lifeboat.clock.now();
    let seen = see(lifeboat, plan, now).await?;
    let known = record::read(&lifeboat.store, &plan.name).await?.map(|(record, _)| record);
    let before = known.as_ref().map(record::Record::declaration).unwrap_or_default();
    let decided = decide(lifeboat, plan, (&seen, &before, known.as_ref()), Some(word), now).await?;
    if let Some(Err(why)) = decided.given {
        return Ok(Err(why));
    }
    let Some((order, _)) = decided.order else { return Ok(Err(NotGiven::UnderWay)) };
    let first = format!("{}: the failover {} would be begun, with these steps:", plan.name, order.id);
    let steps = print(&Saga::new(Failover::new(order), 1));
    Ok(Ok(std::iter::once(first).chain(steps.lines().map(ToOwned::to_owned)).collect()))
}
