//! Takes from a plan what the day's counters do not grant, before it is saved and performed.
//! It never grants what could not be counted.

use jiff::Timestamp;
use lifeboat_planning::Plan;
use lifeboat_planning::allowance::Allowance;
use lifeboat_planning::effect::{Effect, ProtectionEffect};
use lifeboat_planning::policy::BackupPolicy;
use lifeboat_planning::refusal::Refusal;

use crate::breakers;
use crate::counters::Kind;
use crate::lifeboat::Lifeboat;

/// The plan, without beginning protection where the policy's counter does not grant it.
pub async fn counted(lifeboat: &Lifeboat, policy: Option<&BackupPolicy>, plan: Plan, now: Timestamp) -> Plan {
    let (Some(policy), true) = (policy, plan.effects.iter().any(begins)) else { return plan };
    let allowance = Allowance::protection(&policy.limits);
    let granted = match breakers::reserve(&lifeboat.outbox, &policy.name, Kind::Protection, 1, allowance, now).await {
        Ok(reserved) => reserved.granted > 0,
        Err(error) => {
            tracing::warn!(error = %error, policy = policy.name, "protection could not be counted, and is not begun");
            false
        }
    };
    if granted { plan } else { without_beginning(plan) }
}

/// True for an effect that begins protection: it is what the counter counts.
pub fn begins(effect: &Effect) -> bool {
    matches!(effect, Effect::Protection(ProtectionEffect::Enable { .. }))
}

/// The plan where the counter grants no beginning.
pub fn without_beginning(mut plan: Plan) -> Plan {
    plan.effects.retain(|effect| !begins(effect));
    plan.refusals.push(Refusal::ProtectionsCounted);
    if plan.effects.is_empty() {
        // Nothing was begun that a look could follow: the sweep comes back when the counter may grant more.
        plan.look_again_at = None;
    }
    plan
}
