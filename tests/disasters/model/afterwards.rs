//! Judges what comes after traffic moved: commit on a person's order, and protecting the other way, which destroys the old machines.
//! It never judges when: waiting for a person and for the old region has no end.

use super::bounds::UNDER_WAY_SECONDS_MAX;
use super::history::{About, Call, Event, Hand, Power, Time, What};
use super::saga::Saga;
use super::traffic::is_moved;
use super::world::{PlanWorld, World};
use super::wrong::{Promise, Wrongs};

/// Judges one event in the world as it was before it.
pub fn judge(world: &World, event: &Event, wrongs: &mut Wrongs) {
    let What::Accepted { by: Hand::Controller(_), call } = &event.what else { return };
    for plan in world.plans.values().filter(|plan| plan.concerns(call)) {
        let Some(saga) = plan.unfinished() else { continue };
        match call {
            Call::Commit { item } => judge_commit(world, plan, saga, item, event.at, wrongs),
            Call::ProtectOtherWay { item } => judge_other_way(world, plan, saga, item, event.at, wrongs),
            _ => {}
        }
    }
}

fn judge_commit(world: &World, plan: &PlanWorld, saga: &Saga, item: &str, at: Time, wrongs: &mut Wrongs) {
    wrongs.say_if(!saga.commit_ordered, at, Promise::CommitOrdered, || {
        format!("{item} was committed without a person's CommitFailover after the question")
    });
    wrongs.say_if(!is_moved(world, plan), at, Promise::CommitOrdered, || {
        format!("{item} was committed before traffic was moved")
    });
    let moves = saga.moves_of(item);
    wrongs.say_if(moves.failed_over.is_none(), at, Promise::CommitOrdered, || {
        format!("{item} was committed before it was failed over")
    });
    wrongs.say_if(moves.commit.is_some(), at, Promise::CommitOrdered, || format!("{item} was committed twice"));
}

fn judge_other_way(world: &World, plan: &PlanWorld, saga: &Saga, item: &str, at: Time, wrongs: &mut Wrongs) {
    let Some(member) = plan.members().find(|member| member.item.eq_ignore_ascii_case(item)) else { return };
    let moves = saga.moves_of(item);
    let mut missing = |so: bool, words: &str| {
        wrongs.say_if(!so, at, Promise::OldDisksSaved, || format!("{item} was protected the other way before {words}"));
    };
    missing(moves.committed.is_some(), "its commit succeeded");
    missing(moves.other_way.is_none(), "the first time had ended");
    // What was asked so shortly before may be rested on, also by a request that is under way when the region goes.
    let region = world.region(&plan.plan.from);
    let answered = region.answered_until.is_some_and(|until| at - until <= UNDER_WAY_SECONDS_MAX);
    missing(region.answers_since.is_some() || answered, "the old region answered");
    let old = world.machine(&member.old);
    let stopped = matches!(old.power, Some(Power::Deallocated));
    missing(stopped, "its old machine was deallocated");
    for disk in &member.disks {
        let saved = world.points.values().any(|point| {
            let holds = point.disks.contains(&disk.to_lowercase());
            // A point that was begun while the machine ran lacks what was written since.
            let of_it = point.machine.eq_ignore_ascii_case(&member.old);
            point.restorable && of_it && holds && point.begun >= old.since
        });
        missing(saved || !stopped, &format!("{disk} had a restorable point of after the stop"));
    }
    let told = saga.old_may_go || saga.was_told_to(About::ProtectOtherWay, saga.begun);
    wrongs.say_if(!told, at, Promise::OldMayGo, || {
        format!("{item} was protected the other way before a person said that the old machine may go")
    });
}

/// Whether a point of this old machine is the saga's own: of the stopped machine, after a person ordered the commit.
pub fn is_saved_by_saga(world: &World, plan: &PlanWorld, machine: &str) -> bool {
    let ordered = plan.has_old(machine) && plan.unfinished().is_some_and(|saga| saga.commit_ordered);
    ordered && world.machine(machine).power == Some(Power::Deallocated)
}
