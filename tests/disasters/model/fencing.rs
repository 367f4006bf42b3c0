//! Judges the fence and what may not be undone: whether the old machines were stopped before anything is failed over, whether the stop is
//! the first that the old side hears, and that nothing turns back after the point of no return.
//! It never judges how long an old machine runs: that is a promise of time, in `duties`.

use super::bounds::{KNOWN_SECONDS, ONE_DEALLOCATION_SECONDS, ONE_LOOK_SECONDS, ORDER_SECONDS_MAX};
use super::history::{About, Call, Condition, Event, Hand, Power, RegionState, Time, What};
use super::saga::Saga;
use super::world::{PlanWorld, World};
use super::wrong::{Promise, Wrongs};

/// Judges one event in the world as it was before it.
pub fn judge(world: &World, event: &Event, wrongs: &mut Wrongs) {
    let What::Accepted { by: Hand::Controller(_), call } = &event.what else { return };
    let at = event.at;
    for plan in world.plans.values() {
        let Some(saga) = plan.unfinished() else { continue };
        judge_first_there(world, plan, saga, call, at, wrongs);
        if !plan.concerns(call) {
            continue;
        }
        match (call, saga.past_no_return()) {
            (Call::Failover { .. }, None) => {
                judge_fence(world, plan, saga, at, wrongs);
                judge_turned_back(plan, saga, at, wrongs);
            }
            (Call::Start { machine }, Some(_)) if plan.has_old(machine) => {
                wrongs.say(at, Promise::NoUndo, format!("{machine} was started after the point of no return"));
            }
            _ => {}
        }
    }
}

/// Whether the old machine was seen stopped: ARM says so, and answered at some time since the saga began.
fn is_fenced(world: &World, plan: &PlanWorld, saga: &Saga, machine: &str) -> bool {
    let region = world.region(&plan.plan.from);
    let answered = region.answers_since.is_some() || region.answered_until.is_some_and(|until| until >= saga.begun);
    let stopped = matches!(world.machine(machine).power, Some(Power::Deallocated | Power::Gone));
    stopped && answered
}

/// Before the first failover: each old machine is stopped, or somebody took the responsibility for what could not be stopped.
fn judge_fence(world: &World, plan: &PlanWorld, saga: &Saga, at: Time, wrongs: &mut Wrongs) {
    let told = saga.was_told_to(About::Fence, saga.begun);
    for member in plan.members().filter(|member| !is_fenced(world, plan, saga, &member.old)) {
        let old = &member.old;
        if saga.by_rules && plan.plan.fence_required && !told {
            wrongs.say(at, Promise::FenceRequired, format!("failed over by rules though {old} is not stopped"));
        } else if !saga.by_rules && !saga.passes.contains(&Condition::Fence) && !told {
            wrongs.say(
                at,
                Promise::FenceNamed,
                format!("failed over though {old} is not stopped and nobody named that"),
            );
        }
        let region = world.region(&plan.plan.from);
        // A slow region may answer later than one waits for it.
        let since = region.answers_since.filter(|_| region.state == RegionState::Up).map(|since| since.max(saga.begun));
        let could = since.is_some_and(|since| at - since > ONE_LOOK_SECONDS + ONE_DEALLOCATION_SECONDS);
        let tried = world.machine(old).stop_accepted.is_some_and(|stop| stop >= saga.begun);
        wrongs.say_if(could && !tried, at, Promise::FenceFirst, || {
            format!("failed over without the stop of {old}, which could be reached")
        });
    }
}

/// Before the first failover: a recovery or an abort stops the saga.
fn judge_turned_back(plan: &PlanWorld, saga: &Saga, at: Time, wrongs: &mut Wrongs) {
    if let Some(since) = recovered(plan, saga)
        && at - since > KNOWN_SECONDS
        && !saga.was_told_to(About::Recovered, since)
    {
        wrongs.say(at, Promise::RecoveryStops, format!("failed over though the region recovered at {since}"));
    }
    if let Some((since, order)) = &saga.aborted {
        wrongs.say_if(at - since > ORDER_SECONDS_MAX, at, Promise::Abort, || {
            format!("failed over though {order} had aborted {} at {since}", saga.id)
        });
    }
}

/// Since when the region is recovered for a saga that evidence had stood for.
pub fn recovered(plan: &PlanWorld, saga: &Saga) -> Option<Time> {
    plan.sources.recovered.since.filter(|since| saga.had_evidence && *since >= saga.begun)
}

/// The first change that the old side hears after it answers again is the stop of each old machine that runs.
fn judge_first_there(world: &World, plan: &PlanWorld, saga: &Saga, call: &Call, at: Time, wrongs: &mut Wrongs) {
    let there = match call {
        Call::Start { machine } => plan.has_old(machine),
        Call::MakePoint { machine, region, .. }
        | Call::DeletePoint { machine, region, .. }
        | Call::Protect { machine, region } => plan.has_old(machine) || region.eq_ignore_ascii_case(&plan.plan.from),
        _ => false,
    };
    let Some(answers) = world.region(&plan.plan.from).answers_since else { return };
    if !there || saga.past_no_return().is_none() {
        return;
    }
    for member in plan.members() {
        let machine = world.machine(&member.old);
        let heard = machine.stop_accepted.is_some_and(|stop| stop >= answers.max(machine.since));
        let runs = machine.power == Some(Power::Running) && !machine.started_by_person;
        wrongs.say_if(runs && !heard, at, Promise::StopFirst, || {
            format!("{call:?} was sent to the old side before the stop of {}", member.old)
        });
    }
}
