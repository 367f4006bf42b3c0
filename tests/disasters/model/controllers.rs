//! Judges by whose right a request of a failover is sent: a saga that is saved and not ended, its newest epoch, and its own members only,
//! and that nothing is sent while all changes are stopped. It never judges whether the request was in its place.

use super::bounds::{STALE_ACCEPTED_SECONDS_MAX, UNDER_WAY_SECONDS_MAX};
use super::history::{Call, Event, Hand, OrderKind, Time, What};
use super::world::{PlanWorld, World};
use super::wrong::{Promise, Wrongs};

/// Judges one event in the world as it was before it.
pub fn judge(world: &World, event: &Event, wrongs: &mut Wrongs) {
    let at = event.at;
    match &event.what {
        What::Saved { saga, epoch, controller } => judge_saved(world, saga, *epoch, controller, at, wrongs),
        What::ChangesStopped { stopped: false } => {
            let ordered = world.orders.iter().any(|one| {
                one.order.kind == OrderKind::ResumeChanges && one.fault.is_none() && !(one.used || one.order.dry_run)
            });
            wrongs.say_if(!ordered, at, Promise::ChangesStopped, || "changes go on by no person's order".to_owned());
        }
        What::Accepted { by: Hand::Controller(controller), call } => {
            judge_stopped(world, controller, call, at, wrongs);
            let plans: Vec<&PlanWorld> = world.plans.values().filter(|plan| plan.concerns(call)).collect();
            if plans.is_empty() && is_of_a_failover(call) {
                wrongs.say(at, Promise::SavedFirst, format!("{controller} sent {call:?}, which is of no plan"));
            }
            for plan in plans {
                judge_sent(plan, controller, call, at, wrongs);
            }
        }
        _ => {}
    }
}

fn judge_saved(world: &World, saga: &str, epoch: u64, controller: &str, at: Time, wrongs: &mut Wrongs) {
    let Some((_, known)) = world.saga(saga) else { return };
    wrongs.say_if(epoch < known.epoch, at, Promise::Epoch, || {
        format!("{controller} saved {saga} with epoch {epoch} after epoch {}", known.epoch)
    });
    let twin = known.epochs.iter().find(|(other, theirs)| *other != controller && **theirs == epoch);
    if let Some((other, _)) = twin {
        wrongs.say(at, Promise::Epoch, format!("{controller} saved {saga} with epoch {epoch}, which {other} has"));
    }
}

/// While all changes are stopped nothing is changed, whatever for, but by a request that was under way then.
fn judge_stopped(world: &World, controller: &str, call: &Call, at: Time, wrongs: &mut Wrongs) {
    let late = world.changes_stopped.is_some_and(|since| at - since > UNDER_WAY_SECONDS_MAX);
    wrongs.say_if(late, at, Promise::ChangesStopped, || {
        format!("{controller} sent {call:?} while all changes are stopped")
    });
}

/// Whether only a failover sends it; the making of points has other reasons too.
fn is_of_a_failover(call: &Call) -> bool {
    !matches!(call, Call::MakePoint { .. } | Call::DeletePoint { .. } | Call::Protect { .. } | Call::Other { .. })
}

fn judge_sent(plan: &PlanWorld, controller: &str, call: &Call, at: Time, wrongs: &mut Wrongs) {
    let Some(saga) = plan.unfinished() else {
        wrongs.say_if(is_of_a_failover(call), at, Promise::SavedFirst, || {
            format!("{controller} sent {call:?} without a saga that is saved and not ended")
        });
        return;
    };
    match saga.epochs.get(controller) {
        None => wrongs.say_if(is_of_a_failover(call), at, Promise::SavedFirst, || {
            format!("{controller} sent {call:?} and never saved {}", saga.id)
        }),
        Some(epoch) => {
            let stale = *epoch < saga.epoch && at - saga.epoch_since >= STALE_ACCEPTED_SECONDS_MAX;
            wrongs.say_if(stale, at, Promise::Epoch, || {
                format!("{controller} sent {call:?} by epoch {epoch}, and epoch {} was saved", saga.epoch)
            });
        }
    }
}
