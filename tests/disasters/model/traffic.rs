//! Judges the endpoints: the target only when all members run, the old one out only when the target is online, and never none.
//! It never believes an acknowledgement: an endpoint is as Azure really has it.

use super::history::{Call, Event, Hand, Power, Time, Traffic, What};
use super::saga::Saga;
use super::world::{Endpoint, PlanWorld, World, just_before};
use super::wrong::{Promise, Wrongs};

/// Judges one event in the world as it was before it.
pub fn judge(world: &World, event: &Event, wrongs: &mut Wrongs) {
    let at = event.at;
    match &event.what {
        What::Endpoint { profile, endpoint, enabled: false, .. } => judge_gone(world, profile, endpoint, at, wrongs),
        What::Accepted { by: Hand::Controller(_), call: Call::Endpoint { profile, endpoint, enabled } } => {
            for plan in world.plans.values() {
                let Some(saga) = plan.unfinished() else { continue };
                let moved = plan.plan.traffic.iter().filter(|traffic| traffic.profile.eq_ignore_ascii_case(profile));
                for traffic in moved {
                    judge_sent(world, plan, saga, traffic, (endpoint, *enabled), at, wrongs);
                }
            }
        }
        _ => {}
    }
}

fn others_enabled(world: &World, profile: &str, endpoint: &str) -> bool {
    let key = (profile.to_lowercase(), endpoint.to_lowercase());
    world.endpoints.iter().any(|(other, state)| other.0 == key.0 && *other != key && state.enabled)
}

/// An endpoint is out: another one has to be in, unless a person took the last one out.
fn judge_gone(world: &World, profile: &str, endpoint: &str, at: Time, wrongs: &mut Wrongs) {
    let Some(before) = world.endpoint(profile, endpoint) else { return };
    if before.enabled && !before.by_person && !others_enabled(world, profile, endpoint) {
        wrongs.say(at, Promise::AnEndpointEnabled, format!("{profile} has no enabled endpoint"));
    }
}

fn judge_sent(
    world: &World,
    plan: &PlanWorld,
    saga: &Saga,
    traffic: &Traffic,
    (endpoint, enabled): (&str, bool),
    at: Time,
    wrongs: &mut Wrongs,
) {
    let (profile, no_return) = (&traffic.profile, saga.past_no_return().is_some());
    let is_target = endpoint.eq_ignore_ascii_case(&traffic.to);
    let is_old = endpoint.eq_ignore_ascii_case(&traffic.from);
    wrongs.say_if(!enabled && !others_enabled(world, profile, endpoint), at, Promise::AnEndpointEnabled, || {
        format!("the last enabled endpoint of {profile}, {endpoint}, was to be disabled")
    });
    if is_target && enabled {
        for member in plan.members() {
            let runs = world.machine(&member.new).power == Some(Power::Running);
            wrongs.say_if(!runs, at, Promise::MembersFirst, || {
                format!("{endpoint} was enabled before {} runs", member.new)
            });
        }
    }
    wrongs.say_if(is_target && !enabled && no_return, at, Promise::NoUndo, || {
        format!("{endpoint} was disabled after the point of no return")
    });
    wrongs.say_if(is_old && enabled && no_return, at, Promise::OldTakesNoTraffic, || {
        format!("{endpoint} was enabled again after the point of no return")
    });
    if is_old && !enabled {
        let target = world.endpoint(profile, &traffic.to);
        wrongs.say_if(!target.is_some_and(|target| was_online(target, at)), at, Promise::OnlineFirst, || {
            format!("{endpoint} was disabled before {} was enabled and online", traffic.to)
        });
    }
}

fn was_online(target: &Endpoint, at: Time) -> bool {
    target.enabled && (target.online || just_before(target.online_until, at))
}

/// Whether the plan's traffic is on the target: the target enabled, the old endpoint not.
pub fn is_moved(world: &World, plan: &PlanWorld) -> bool {
    plan.plan.traffic.iter().all(|traffic| {
        let enabled = |endpoint: &str| world.endpoint(&traffic.profile, endpoint).is_some_and(|one| one.enabled);
        enabled(&traffic.to) && !enabled(&traffic.from)
    })
}
