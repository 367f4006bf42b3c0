//! Tells people what a saga did, asks and ends with: the one place where a notice leaves it.
//! It never decides, and never fails: what cannot be told is in the ledger and in the saga's record.

use jiff::Timestamp;
use lifeboat_planning::saga::failover::Failover;
use lifeboat_planning::saga::{At, Notice, Phase, Saga};

use super::warnings::Warning;
use crate::lifeboat::Report;

/// Tells a notice.
pub fn notice(recovery_plan: &str, notice: &Notice, report: &mut Report) {
    // What waits for a person, or was refused one, is worth waking one for; all else is the course of things.
    match notice {
        Notice::Asked(_) | Notice::Reminded(..) | Notice::Undoing(_) | Notice::OrderRefused(_) => {
            tracing::error!(recovery_plan, "{notice}");
        }
        Notice::StepDone(_)
        | Notice::StepUndone(_)
        | Notice::Answered { .. }
        | Notice::Withdrawn(_)
        | Notice::GoesOnThoughRecovered
        | Notice::Ended(_) => tracing::info!(recovery_plan, "{notice}"),
    }
    report.lines.push(format!("{recovery_plan}: {notice}"));
}

/// Tells that a change was refused, or that nobody knows what became of it.
pub fn outcome(recovery_plan: &str, what: &str, became: &str, report: &mut Report) {
    tracing::warn!(recovery_plan, "{what}: {became}");
    report.lines.push(format!("{recovery_plan}: {what}: {became}"));
}

/// Tells a warning of Azure's beside the success of what was ordered.
pub fn warning(recovery_plan: &str, warning: &Warning, report: &mut Report) {
    let words = warning.words();
    tracing::warn!(recovery_plan, "{words}");
    report.lines.push(format!("{recovery_plan}: {words}"));
}

/// Tells that nothing is changed while all changes are stopped, and what state that is.
pub fn paused(recovery_plan: &str, saga: &Saga<Failover>, until: Timestamp, report: &mut Report) {
    let state = standing(saga);
    tracing::error!(recovery_plan, "all changes are stopped; it rests, {state}; it is looked at again at {until}");
    report.lines.push(format!("{recovery_plan}: all changes are stopped; it rests, {state}"));
}

/// Where a saga stands, in words.
pub fn standing(saga: &Saga<Failover>) -> String {
    let under_way = |task: &&lifeboat_planning::saga::TaskProgress| !task.finished() && task.first_sent.is_some();
    let sent = saga.progress.steps.values().flat_map(|step| step.tasks.values()).filter(under_way).count();
    let goes_on = match sent {
        0 => "with nothing under way in Azure".to_owned(),
        sent => format!("while {sent} changes that were sent go on in Azure by themselves"),
    };
    let place = match &saga.progress.phase {
        Phase::Ended(end) => return format!("ended: {end}"),
        Phase::Undoing(_, step) => format!("being undone at step {step}"),
        Phase::Forward => {
            let at = |at: &At| match at {
                At::Step(step) => format!("at step {step}"),
                At::Finished => "past its last step".to_owned(),
                At::Left => "left to people".to_owned(),
            };
            let lanes = lifeboat_planning::saga::Runbook::lanes(&saga.runbook);
            let places = lanes.iter().zip(&saga.progress.lanes);
            places.map(|(lane, place)| format!("{} {}", lane.name, at(&place.at))).collect::<Vec<_>>().join(", ")
        }
    };
    let return_ = if saga.past_no_return() { "past" } else { "before" };
    format!("{place}, {return_} the point of no return, {goes_on}")
}
