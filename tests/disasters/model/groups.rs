//! Judges the order of the failover: group after group, and each member once.
//! It never judges the fence, traffic, another recovery point or what comes after commit.

use super::history::{About, Call, Event, Hand, Power, Time, What};
use super::saga::Saga;
use super::world::{PlanWorld, World};
use super::wrong::{Promise, Wrongs};

/// Judges one event in the world as it was before it.
pub fn judge(world: &World, event: &Event, wrongs: &mut Wrongs) {
    let What::Accepted { by: Hand::Controller(_), call } = &event.what else { return };
    for plan in world.plans.values().filter(|plan| plan.concerns(call)) {
        let Call::Failover { item } = call else { continue };
        judge_once(plan, item, event.at, wrongs);
        if let Some(saga) = plan.unfinished() {
            judge_group(world, plan, saga, item, event.at, wrongs);
        }
    }
}

/// At most once per direction, whichever saga it was, unless the one before failed and left nothing.
fn judge_once(plan: &PlanWorld, item: &str, at: Time, wrongs: &mut Wrongs) {
    for saga in &plan.sagas {
        let moves = saga.moves_of(item);
        let before = moves.failover.filter(|_| moves.other_way_done.is_none());
        if let Some(before) = before {
            wrongs.say(at, Promise::FailoverOnce, format!("the failover of {item} was accepted at {before} already"));
        }
    }
}

/// All members of the groups before run, their waits are over and the approvals of groups are given.
fn judge_group(world: &World, plan: &PlanWorld, saga: &Saga, item: &str, at: Time, wrongs: &mut Wrongs) {
    let groups = &plan.plan.groups;
    let has = |group: &super::history::Group| group.members.iter().any(|one| one.item.eq_ignore_ascii_case(item));
    let Some(number) = groups.iter().position(has) else { return };
    let mut runs_since = saga.begun;
    for group in &groups[..number] {
        for member in &group.members {
            let machine = world.machine(&member.new);
            if machine.power != Some(Power::Running) {
                wrongs.say(
                    at,
                    Promise::GroupsInOrder,
                    format!("{item} was failed over before {} of group {} runs", member.new, group.name),
                );
            }
            runs_since = runs_since.max(machine.since);
        }
    }
    let group = &groups[number];
    if at - runs_since < group.wait {
        wrongs.say(at, Promise::GroupsInOrder, format!("{item} was failed over before the wait of {} s", group.wait));
    }
    wrongs.say_if(
        group.approve && !saga.was_told_to(About::Group(number), saga.begun),
        at,
        Promise::GroupsInOrder,
        || format!("{item} was failed over before a person approved group {}", group.name),
    );
}
