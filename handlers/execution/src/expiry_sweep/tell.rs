//! What a sweep tells: alarms of deletions that do not come through, and its report.
//! It never changes what was done.

use super::looks::Looks;
use super::memory::{Course, Deletion};
use super::sweep::Looked;
use super::{Sweep, Withheld};
use crate::alarms::{self, Cause, Machines, Raised};
use crate::lifeboat::Report;

/// Alarms of deletions that do not come through, and their end.
pub(super) async fn of_refused(sweep: &Sweep<'_>, looked: &[Looked]) {
    let (outbox, now) = (&sweep.lifeboat.outbox, sweep.lifeboat.clock.now());
    for one in looked {
        let machine = one.subject.machine.as_str().to_owned();
        for deletion in &one.told {
            let what = format!(
                "{} of {} is due and was not deleted in {} attempts since {}: {}",
                deletion.point,
                one.subject.machine.name(),
                deletion.attempts,
                deletion.since,
                deletion.last
            );
            let machines = [machine.clone()];
            let policy = Some(deletion.policy.as_str());
            let raised = Raised { cause: Cause::DeleteRefused, policy, what, machines: Machines::Also(&machines) };
            alarms::raise(outbox, &raised, now).await;
        }
        for deletion in one.settled.iter().filter(|deletion| deletion.is_alarming()) {
            let same = |other: &Deletion| other.is_alarming() && other.policy == deletion.policy;
            if one.memory.deletions.iter().any(same) {
                continue;
            }
            let policy = Some(deletion.policy.as_str());
            if let Err(error) = alarms::clear(outbox, Cause::DeleteRefused, policy, &machine, now).await {
                tracing::warn!(error = %error, "an alarm could not be closed");
            }
        }
    }
}

/// A line for each machine of which something is due, and one for all.
pub(super) fn report(report: &mut Report, looks: &Looks, course: &Course, sweep: &Sweep<'_>, why: Option<&Withheld>) {
    let (mut due, mut gone, mut asked, mut refused) = (0, 0, 0, 0);
    for (machine, would) in &looks.would {
        report.lines.push(format!("{machine}: {would} points would go, but their policy only reports"));
    }
    for one in &looks.read {
        let machine = one.subject.machine.name();
        let (own, would) = (one.expiry.due.len(), one.expiry.would.len());
        if let Some(why) = &one.unread {
            report.lines.push(format!("{machine}: nothing is known of its points: {why}"));
        }
        if would > 0 {
            report.lines.push(format!("{machine}: {would} points would go, but their policy only reports"));
        }
        if own > 0 {
            let left = one.left.as_ref().filter(|_| why.is_none()).map_or(String::new(), |left| format!("; {left}"));
            report.lines.push(format!(
                "{machine}: {own} points due: {} gone, {} asked for, {} refused{left}",
                one.gone, one.asked, one.refused
            ));
        }
        let done = one.settled.len();
        if done > 0 {
            report.lines.push(format!("{machine}: {done} deletions of earlier sweeps are settled"));
        }
        due += own;
        gone += one.gone;
        asked += one.asked;
        refused += one.refused;
    }
    let rest = if course.read_to.is_some() { "; the rest is read by the next" } else { "" };
    let resting = match looks.resting {
        0 => String::new(),
        resting => format!("{resting} need no reading, "),
    };
    report.lines.push(format!(
        "expiry sweep {}: {} collections read, {resting}{due} points due, {gone} gone, {asked} asked for, {refused} refused{rest}",
        sweep.number,
        looks.read.len()
    ));
}
