//! Judges how sagas end and what is told of it, that events have stable ids, and what is not ended when the history is over.
//! It never counts how often an event is told under its own id: at least once is what is promised.

use super::bounds::WHOLE_SAGA_SECONDS_MAX;
use super::history::{Event, Power, Time, Told, What};
use super::owed::waits_for_old_region;
use super::saga::Saga;
use super::traffic::is_moved;
use super::world::{PlanWorld, World};
use super::wrong::{Promise, Wrongs};

/// Judges one event in the world as it was before it.
pub fn judge(world: &World, event: &Event, wrongs: &mut Wrongs) {
    let at = event.at;
    match &event.what {
        What::Ended { saga, undone } => {
            if let Some((plan, saga)) = world.saga(saga) {
                judge_ended(world, plan, saga, *undone, at, wrongs);
            }
        }
        What::Told { id, told } => {
            judge_id(world, id, told, at, wrongs);
            judge_said(world, told, at, wrongs);
        }
        What::End => {
            for plan in world.plans.values() {
                plan.sagas.iter().for_each(|saga| judge_left(world, plan, saga, at, wrongs));
            }
        }
        _ => {}
    }
}

fn judge_ended(world: &World, plan: &PlanWorld, saga: &Saga, undone: bool, at: Time, wrongs: &mut Wrongs) {
    let id = &saga.id;
    if !undone {
        let committed = plan.members().all(|member| saga.moves_of(&member.item).committed.is_some());
        wrongs.say_if(!committed, at, Promise::FinishesOrUndoes, || format!("{id} ended before all was committed"));
        judge_serving(world, plan, id, at, wrongs);
        return;
    }
    wrongs.say_if(saga.past_no_return().is_some(), at, Promise::NoUndo, || {
        format!("{id} ended as undone after the point of no return")
    });
    let left = saga.stopped.iter().filter(|machine| world.machine(machine).power == Some(Power::Deallocated));
    for machine in left {
        wrongs.say(at, Promise::FinishesOrUndoes, format!("{id} ended as undone and {machine} is still stopped"));
    }
}

fn judge_serving(world: &World, plan: &PlanWorld, saga: &str, at: Time, wrongs: &mut Wrongs) {
    let run = plan.members().all(|member| world.machine(&member.new).power == Some(Power::Running));
    wrongs.say_if(!run || !is_moved(world, plan), at, Promise::SaysWhich, || {
        format!("{saga} is said to be complete and the target does not serve")
    });
}

fn judge_id(world: &World, id: &str, told: &Told, at: Time, wrongs: &mut Wrongs) {
    if let Some(before) = world.told.get(id) {
        wrongs.say_if(before != told, at, Promise::StableIds, || format!("event {id} told {before:?} before"));
        return;
    }
    let once = match told {
        // What fails after all was taken back is suspected anew.
        Told::Suspected { plan, .. } => !world.plans.get(plan).is_some_and(fails_anew),
        Told::Closed { .. } | Told::Started { .. } | Told::Completed { .. } => true,
        _ => false,
    };
    if let Some((other, _)) = world.told.iter().find(|(_, known)| once && *known == told) {
        wrongs.say(at, Promise::StableIds, format!("{told:?} was told as {other} and again as {id}"));
    }
}

/// Whether nothing failed at some time since the incident opened.
fn fails_anew(plan: &PlanWorld) -> bool {
    let opened = plan.incident.as_ref().map(|(_, opened)| *opened);
    plan.sources.any.since.zip(opened).is_some_and(|(since, opened)| since > opened)
}

fn judge_said(world: &World, told: &Told, at: Time, wrongs: &mut Wrongs) {
    match told {
        Told::Started { saga } => wrongs.say_if(world.saga(saga).is_none(), at, Promise::SaysWhich, || {
            format!("{saga} is told to be started and has no record")
        }),
        // It may be told while the saga still waits for commit: the target serves then.
        Told::Completed { saga } => match world.saga(saga) {
            Some((_, known)) if known.undone => {
                wrongs.say(at, Promise::SaysWhich, format!("{saga} was undone and is told to be completed"));
            }
            // Of an ended one it was judged when it ended: what serves may change before it is told. So it may while telling is in trouble.
            Some((plan, known)) if known.is_unfinished() && world.calm.troubled(known.begun, at) == 0 => {
                judge_serving(world, plan, saga, at, wrongs);
            }
            _ => {}
        },
        Told::Failed { saga } => {
            let done = world.saga(saga).is_some_and(|(_, known)| known.ended.is_some() && !known.undone);
            wrongs.say_if(done, at, Promise::SaysWhich, || format!("{saga} went through and is told to be failed"));
        }
        _ => {}
    }
}

/// Each saga has ended, waits for a person with the question written down, or for the old region after commit.
fn judge_left(world: &World, plan: &PlanWorld, saga: &Saga, at: Time, wrongs: &mut Wrongs) {
    let asks = saga.open_questions().next().is_some();
    if !saga.is_unfinished() || asks || waits_for_old_region(world, plan, saga) || world.changes_stopped.is_some() {
        return;
    }
    let answers = world.region(&plan.plan.from).answers_since.unwrap_or(saga.begun);
    let since = saga.begun.max(answers).max(saga.last_answer().unwrap_or(saga.begun));
    wrongs.say_if(world.calm.between(since, at) > WHOLE_SAGA_SECONDS_MAX, at, Promise::FinishesOrUndoes, || {
        format!("{} neither ended nor waits for a person", saga.id)
    });
}
