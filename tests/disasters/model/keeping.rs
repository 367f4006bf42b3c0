//! Judges that nothing expires, is made or is enabled on a plan's machines and its region's while an incident is open or a saga unfinished,
//! and that what is due goes when nothing bars it any more. It never judges what people do, nor points that the saga itself makes of the old
//! machines before they go.

use super::afterwards::is_saved_by_saga;
use super::bounds::LATEST_MOMENT_SECONDS;
use super::history::{Call, Event, Hand, Power, RegionState, Time, What};
use super::world::{Due, PlanWorld, World};
use super::wrong::{Promise, Wrongs};

/// Sweeps that may end and leave a point that is due and free: what one does not do the next tick does (design §5).
const SWEEPS_MAX: u32 = 2;

/// Judges one event in the world as it was before it.
pub fn judge(world: &World, event: &Event, wrongs: &mut Wrongs) {
    if let What::Swept { began } = event.what {
        for (point, due) in free(world, began, event.at) {
            wrongs.say_if(due.left + 1 == SWEEPS_MAX, event.at, Promise::DueGoes, || {
                format!("{point} of {} is due, nothing bars it, and {SWEEPS_MAX} sweeps left it", due.machine)
            });
        }
    }
    let What::Accepted { by: Hand::Controller(controller), call } = &event.what else { return };
    let (machine, region) = match call {
        Call::MakePoint { machine, region, .. }
        | Call::DeletePoint { machine, region, .. }
        | Call::Protect { machine, region } => (machine, Some(region)),
        Call::Start { machine } => (machine, None),
        _ => return,
    };
    for plan in world.plans.values() {
        let member = plan.has_machine(machine);
        let of_region = region.is_some_and(|region| region.eq_ignore_ascii_case(&plan.plan.from));
        let expires = matches!(call, Call::DeletePoint { .. });
        // An incident closes members and region to all of it; a saga alone closes its members to expiry (design §7).
        let incident = plan.incident.as_ref().map(|(_, since)| *since).filter(|_| member || of_region);
        // It is closed before that is told.
        let incident = incident.filter(|_| !plan.sources.recovered_of_sure.had_stood(plan.plan.cooldown, event.at, 0));
        let saga = plan.unfinished().map(|saga| saga.begun).filter(|_| member && expires);
        let Some(since) = incident.into_iter().chain(saga).min() else { continue };
        // A saga starts its own members in undo; points of the stopped old machines are its own too.
        let own = match call {
            Call::Start { .. } => plan.unfinished().is_some() && member,
            Call::MakePoint { .. } => is_saved_by_saga(world, plan, machine),
            _ => false,
        };
        let late = event.at - since > LATEST_MOMENT_SECONDS;
        wrongs.say_if(!own && late, event.at, Promise::NothingKeptOrMade, || {
            format!("{controller} sent {call:?} while {} is in an incident or fails over", plan.plan.name)
        });
    }
}

/// A sweep ended: it left what is due and free.
pub fn swept(world: &mut World, began: Time, at: Time) {
    let left: Vec<String> = free(world, began, at).map(|(point, _)| point.clone()).collect();
    world.due.iter_mut().filter(|(point, _)| left.contains(point)).for_each(|(_, due)| due.left += 1);
}

/// What is due and barred by nothing from this moment on: neither by an incident or a saga, nor by the switch, a region that does not
/// answer as it should or a fault; and points of a machine that is gone have two weeks more (design §7).
fn free(world: &World, began: Time, at: Time) -> impl Iterator<Item = (&String, &Due)> {
    let switch = world.changes_stopped.is_some() || world.changes_resumed > began;
    let well = !switch && world.calm.throughout(began, at);
    world.due.iter().filter(move |(_, due)| {
        let region = world.region(&due.region);
        let answers = region.state == RegionState::Up && region.answers_since.is_some_and(|since| since <= began);
        let gone = world.machine(&due.machine).power == Some(Power::Gone);
        well && answers && !gone && world.plans.values().all(|plan| is_free_of(plan, due, began))
    })
}

fn is_free_of(plan: &PlanWorld, due: &Due, began: Time) -> bool {
    let member = plan.has_machine(&due.machine);
    // One that a person opened without evidence is known by its saga alone.
    let is_closed = |incident: &str| plan.closed.iter().any(|(closed, _)| closed == incident);
    let of_saga = plan.sagas.iter().any(|saga| !is_closed(&saga.incident));
    let incident = of_saga || plan.incident.is_some() || plan.closed.last().is_some_and(|(_, at)| *at > began);
    let saga = plan.sagas.iter().any(|saga| saga.ended.is_none_or(|ended| ended > began));
    let concerns = member || due.region.eq_ignore_ascii_case(&plan.plan.from);
    !(incident && concerns || saga && member)
}
