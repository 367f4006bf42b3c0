//! Judges that nothing expires, is made or is enabled on a plan's machines and its region's while an incident is open or a saga unfinished.
//! It never judges what people do, nor points that the saga itself makes of the old machines before they go.

use super::afterwards::is_saved_by_saga;
use super::bounds::LATEST_MOMENT_SECONDS;
use super::history::{Call, Event, Hand, What};
use super::world::World;
use super::wrong::{Promise, Wrongs};

/// Judges one event in the world as it was before it.
pub fn judge(world: &World, event: &Event, wrongs: &mut Wrongs) {
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
