//! What a look decided: as the ledger keeps it, as the audit sees it, as people are told.
//! It never decides; it says.

use jiff::{SignedDuration, Timestamp};
use lifeboat_contract::work::{Cause, ReconcileMessage};
use lifeboat_planning::effect::Effect;
use lifeboat_planning::facts::Facts;
use lifeboat_planning::policy::BackupPolicy;
use lifeboat_planning::{Plan, audit};

use crate::chain::Chain;
use crate::ledger::{Decision, Entry, PlannedEffect};
use crate::lifeboat::Report;
use crate::policies::InForce;

/// Looks of one cause are at most this far apart: the longest wait, a quarter more, and the look itself.
const LOOKS_APART_MAX: SignedDuration = SignedDuration::from_mins(15);

fn cause(message: &ReconcileMessage) -> String {
    match &message.cause {
        Cause::Written { event_id } => format!("VmWritten {event_id}"),
        Cause::Deleted { event_id } => format!("VmDeleted {event_id}"),
        Cause::Swept { sweep } => format!("PolicySweep {sweep}"),
        Cause::Asked { request_id } => format!("asked {request_id}"),
    }
}

/// What the audit says of a plan, one line each; nothing when it may be performed.
pub fn audited(plan: &Plan, in_force: &InForce, policy: Option<&BackupPolicy>, facts: &Facts) -> Vec<String> {
    let Some(policy) = policy else {
        // No policy, no effects: a plan of the kind cannot come out of planning, and is not believed if it does.
        return plan.effects.iter().map(|effect| format!("{effect}: no policy is followed")).collect();
    };
    let mut notes = audit::audit(plan, policy, facts);
    notes.extend(audit::audit_choice(plan, &in_force.policies, policy, facts));
    notes.iter().map(|note| format!("{}: {}", note.effect, note.finding)).collect()
}

/// The entry of the ledger.
pub fn decision(
    message: &ReconcileMessage,
    (policy, digest): (&str, &str),
    plan: &Plan,
    audit: Vec<String>,
) -> Decision {
    let planned = |effects: &[Effect]| -> Vec<PlannedEffect> {
        effects.iter().map(|effect| PlannedEffect { key: effect.key(), what: effect.to_string() }).collect()
    };
    Decision {
        cause: cause(message),
        look: message.look,
        policy: policy.to_owned(),
        policy_digest: digest.to_owned(),
        effects: planned(&plan.effects),
        would: planned(&plan.would),
        refusals: plan.refusals.iter().map(ToString::to_string).collect(),
        late: plan.late,
        missed: plan.missed,
        turn_at: None,
        audit,
        told: Vec::new(),
    }
}

/// True when a sweep's first look finds that other looks are at work on the same: each sweep would else add looks of its own.
pub fn others_at_work(chain: &Chain<'_>, message: &ReconcileMessage, now: Timestamp) -> bool {
    let first_of_sweep = message.look == 1 && matches!(message.cause, Cause::Swept { .. });
    let others = chain.last_act_of_looks().filter(|(_, last)| last.cause != cause(message));
    first_of_sweep && others.is_some_and(|(at, _)| now.duration_since(at) < LOOKS_APART_MAX)
}

/// What the last decision in the ledger refused, and by which policy.
pub fn refused_before(chain: &Chain<'_>) -> Option<(String, Vec<String>)> {
    let last = chain.entries().filter_map(|entry| match entry {
        Entry::Decision(last) => Some((last.policy.clone(), last.refusals.clone())),
        Entry::Outcome { .. } | Entry::Verified { .. } => None,
    });
    last.last()
}

/// A decision is written down when it does something, or says something else than the last one did.
pub fn is_news(chain: &Chain<'_>, decision: &Decision) -> bool {
    let last = chain.entries().filter_map(|entry| match entry {
        Entry::Decision(last) => Some(last),
        Entry::Outcome { .. } | Entry::Verified { .. } => None,
    });
    let same = |last: &Decision| {
        last.refusals == decision.refusals
            && last.would == decision.would
            && last.policy_digest == decision.policy_digest
    };
    !decision.effects.is_empty() || !last.last().is_some_and(same)
}

/// Tells people: the lines of the report, and an error for what will not change by itself.
pub fn tell(message: &ReconcileMessage, plan: &Plan, decision: &Decision, report: &mut Report) {
    for refusal in plan.refusals.iter().filter(|refusal| refusal.alarms()) {
        tracing::error!(machine = %message.machine, "nothing is done: {refusal}");
    }
    let late = match (plan.late, plan.missed) {
        (_, missed @ 1..) => format!(" (late; {missed} slots before it were missed)"),
        (true, 0) => " (late)".to_owned(),
        (false, 0) => String::new(),
    };
    report.lines.extend(decision.effects.iter().map(|effect| format!("{}{late}", effect.what)));
    report.lines.extend(decision.would.iter().map(|effect| format!("would {}{late}", effect.what)));
    report.lines.extend(decision.refusals.iter().cloned());
}
