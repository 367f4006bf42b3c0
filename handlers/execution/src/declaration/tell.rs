//! Where what a declaration asks for becomes words: a line of the report, of the log, and an alarm that is open while people have to know.
//! It never acts: what a declaration begins, `begin.rs` does.

use lifeboat_contract::declaration::loss;
use lifeboat_planning::declaration::{Act, Decision, Declaration};
use lifeboat_planning::recovery::RecoveryPlan;

use crate::alarms::{self, Cause, Machines, Raised};
use crate::lifeboat::Lifeboat;

/// Tells what is news, after it was saved; what is told, a line each.
/// With none, an alarm that whoever was stopped before left behind is raised or closed.
pub async fn tell(
    lifeboat: &Lifeboat,
    plan: &RecoveryPlan,
    after: &Declaration,
    (news, decisions): (&[&Decision], &[Decision]),
) -> Vec<String> {
    let mut lines = Vec::new();
    for decision in news {
        let line = words(plan, decision);
        match decision.act {
            Act::Nothing | Act::Close | Act::Withdraw | Act::TellFailedBack => tracing::info!("{line}"),
            _ => tracing::warn!("{line}"),
        }
        lines.push(line);
    }
    let now = lifeboat.clock.now();
    let policy = Some(plan.name.as_str());
    match (&after.incident, news.last()) {
        // Its end is the incident's: until then nothing is deleted, and people have to know.
        (None, _) => {
            if let Err(error) = alarms::settle(&lifeboat.outbox, Cause::RegionSuspected, policy, now).await {
                tracing::warn!(error = %error, "the alarm of the recovery plan {} could not be closed", plan.name);
            }
        }
        (Some(_), Some(last)) => {
            let what = words(plan, last);
            let raised = Raised { cause: Cause::RegionSuspected, policy, what, machines: Machines::All(&[]) };
            alarms::raise(&lifeboat.outbox, &raised, now).await;
        }
        (Some(_), None) => {
            if let Some(last) = decisions.last() {
                let what = words(plan, last);
                let raised = Raised { cause: Cause::RegionSuspected, policy, what, machines: Machines::All(&[]) };
                alarms::raise_where_closed(&lifeboat.outbox, &raised, now).await;
            }
        }
    }
    lines
}

/// One decision in a sentence.
fn words(plan: &RecoveryPlan, decision: &Decision) -> String {
    let (name, from, to) = (&plan.name, plan.from.as_str(), plan.to.as_str());
    let unmet: Vec<&str> = decision.conditions.iter().filter(|one| !one.met).map(|one| one.name().word()).collect();
    let unmet =
        if unmet.is_empty() { "every condition is met".to_owned() } else { format!("not met: {}", unmet.join(", ")) };
    let lost = loss(&decision.loss);
    match decision.act {
        Act::Nothing => format!("recovery plan {name}: {} → {}", decision.from, decision.to),
        Act::TellSuspected => format!("recovery plan {name}: {from} is suspected to be lost; {unmet}"),
        Act::Show => format!("recovery plan {name}: {from} counts as lost; {lost}"),
        Act::Ask => format!("recovery plan {name}: {from} counts as lost, and a person is asked; {lost}"),
        Act::Start => format!("recovery plan {name}: a failover from {from} to {to} begins; {lost}"),
        Act::Follow => format!("recovery plan {name}: a failover from {from} to {to} is under way"),
        Act::RefuseWord => format!("recovery plan {name}: the order to fail over is refused; {unmet}"),
        Act::Withdraw => format!("recovery plan {name}: {from} is well again, and what was asked is withdrawn"),
        Act::StepBack => format!("recovery plan {name}: the evidence against {from} does not hold any more; {unmet}"),
        Act::StopAndAsk => {
            format!("recovery plan {name}: {from} is well before a failover was accepted: is it to stop?")
        }
        Act::TellFailedOver => format!("recovery plan {name}: the workload serves from {to}"),
        Act::TellUndone => format!("recovery plan {name}: the failover was undone"),
        Act::TellFailedBack => format!("recovery plan {name}: the workload serves from {from} again"),
        Act::Close => format!("recovery plan {name}: the incident in {from} is closed"),
    }
}
