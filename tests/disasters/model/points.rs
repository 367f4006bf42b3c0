//! Judges another recovery point: by a person's answer only, of the kind that it picks, before anything is committed, and for each member;
//! the commit is asked about again only when all of it runs from that point.
//! It never judges whether a point is a good one: that is the person's matter.

use super::approvals::Arrived;
use super::history::{About, Call, Event, Hand, OrderKind, Pick, Power, Time, Told, What};
use super::saga::Saga;
use super::traffic::is_moved;
use super::world::{PlanWorld, World};
use super::wrong::{Promise, Wrongs};

/// Judges one event in the world as it was before it.
pub fn judge(world: &World, event: &Event, wrongs: &mut Wrongs) {
    match &event.what {
        What::Accepted { by: Hand::Controller(_), call: Call::ChangePoint { item, point } } => {
            for plan in world.plans.values().filter(|plan| plan.has_item(item)) {
                judge_taken(world, plan, item, point.as_deref(), event.at, wrongs);
            }
        }
        What::Told { id, told: Told::Asked { saga, question, about: About::Commit } }
            if !world.told.contains_key(id) =>
        {
            let asked = world.saga(saga).filter(|(_, saga)| saga.questions.iter().all(|known| known.id != *question));
            if let Some((plan, saga)) = asked {
                judge_asked_again(world, plan, saga, event.at, wrongs);
            }
        }
        _ => {}
    }
}

fn judge_taken(world: &World, plan: &PlanWorld, item: &str, point: Option<&str>, at: Time, wrongs: &mut Wrongs) {
    let Some(saga) = plan.unfinished() else {
        return wrongs.say(at, Promise::NoUndo, format!("{item} was given another point, and no failover runs"));
    };
    let moves = saga.moves_of(item);
    wrongs.say_if(moves.failed_over.is_none() || saga.has_committed(), at, Promise::NoUndo, || {
        format!("{item} was given another point, which is only between failover and commit")
    });
    let picks: Vec<Pick> = picked(world, saga).filter_map(|one| one.order.another_point).collect();
    wrongs.say_if(picks.is_empty(), at, Promise::PointChosen, || {
        format!("{item} was given another point, and no person asked for one")
    });
    // The latest is no point by its name: Site Recovery processes what has arrived first (runbooks §1, rule 5).
    let is_of = |pick: &Pick| (*pick == Pick::Latest) == point.is_none();
    wrongs.say_if(!picks.is_empty() && !picks.iter().any(is_of), at, Promise::PointChosen, || {
        format!("{item} was given the point {point:?}, and what was picked is {picks:?}")
    });
}

/// The answers of persons by which another point may be taken: good ones, to a question of this saga that offers it.
fn picked<'a>(world: &'a World, saga: &'a Saga) -> impl Iterator<Item = &'a Arrived> {
    let offers = |question: &String| {
        let of_it = saga.questions.iter().find(|known| known.id == *question);
        of_it.is_some_and(|known| matches!(known.about, About::Commit | About::Failure))
    };
    world.orders.iter().filter(move |one| {
        one.order.kind == OrderKind::Approve
            && one.order.another_point.is_some()
            && one.fault.is_none()
            && !(one.order.dry_run || one.refused)
            && one.order.question.as_ref().is_some_and(offers)
    })
}

/// Since when another point is to be taken by an answer to the commit's question, and by when it was last said; none where it failed and a
/// person said otherwise, or nothing yet.
pub fn chosen(saga: &Saga) -> Option<(Time, Time)> {
    let answered = |about: About| saga.questions.iter().filter(move |question| question.about == about);
    let to_commit =
        answered(About::Commit).filter(|question| question.another).filter_map(|question| question.answered);
    let since = to_commit.max()?;
    let mut last = since;
    for question in answered(About::Failure).filter(|question| question.last_asked >= since) {
        last = last.max(question.answered.filter(|_| question.another)?);
    }
    Some((since, last))
}

/// Members that were failed over and were not given another point since then.
pub fn left<'a>(plan: &'a PlanWorld, saga: &'a Saga, since: Time) -> impl Iterator<Item = &'a str> {
    plan.members().map(|member| member.item.as_str()).filter(move |item| {
        let moves = saga.moves_of(item);
        moves.failed_over.is_some() && moves.changed.is_none_or(|changed| changed < since)
    })
}

/// What is asked of the commit rests on what was verified: the members run from the point that was chosen, and the target serves.
fn judge_asked_again(world: &World, plan: &PlanWorld, saga: &Saga, at: Time, wrongs: &mut Wrongs) {
    let Some((since, _)) = chosen(saga) else { return };
    for item in left(plan, saga, since) {
        wrongs.say(at, Promise::PointChosen, format!("the commit is asked about, and {item} was given no other point"));
    }
    for member in plan.members() {
        let Some(changed) = saga.moves_of(&member.item).changed else { continue };
        let machine = world.machine(&member.new);
        let runs = machine.power == Some(Power::Running) && machine.since >= changed;
        wrongs.say_if(!runs, at, Promise::PointChosen, || {
            format!("the commit is asked about before {} runs from the other point", member.new)
        });
    }
    wrongs.say_if(!is_moved(world, plan), at, Promise::PointChosen, || {
        format!("the commit of {} is asked about again, and the target does not serve", saga.id)
    });
}
