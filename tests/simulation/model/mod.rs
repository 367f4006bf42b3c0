//! The reference model: what the design promises of months of a simulated estate, judged from the outside by what was done to it.
//!
//! Its sources are the design (§2, §4 to §7, §10, §14) and the rules of keeping, never the product: it shares no type, no calendar and no code with
//! it, and it never looks into the store. For safety it takes the strict reading where the design is open, for what has to be done the lenient one; each
//! such place has a comment that says why.
//!
//! `judge` walks through the history once: each event is judged in the world as it was before it (`deletes`, `makes`, `calls`, `counters`),
//! then the world changes (`world`), and at the end `liveness` asks what is missing. `verdicts` says what may and what must go, by the
//! rules of `keep`; `scope` says whose word counts for a machine, `gates` what forbids changes of it; `slots` and `calendar` say when,
//! and `rounds` by when a crowded estate was looked through.

mod calendar;
mod calls;
mod counters;
mod deletes;
mod gates;
pub mod history;
mod keep;
mod liveness;
mod makes;
mod rounds;
mod scope;
mod slots;
#[cfg(test)]
mod tests;
mod verdicts;
mod world;
mod yaml;

use history::{Event, Time, Wrong};
pub use keep::keep_verdicts;
pub use slots::next_slot;

/// All that is wrong in a history of events in time order. After `calm_from` there are no more faults, and what is due then has to be
/// done at the end, if that is hours later.
///
/// The first event is the moment of first start and the last one the moment of the end: a sweep, or whatever ends it. Names of entries are best unique over all policies: the history does not say for which of two a
/// point was made.
pub fn judge(history: &[Event], calm_from: Time) -> Vec<Wrong> {
    let (Some(first), Some(last)) = (history.first(), history.last()) else { return Vec::new() };
    let mut world = world::World::new(first.at);
    let mut counters = counters::Counters::default();
    let mut wrongs = Vec::new();
    let mut before = first.at;
    for event in history {
        if event.at < before {
            wrongs.push(format!("the history goes back in time, from {before} to {}", event.at));
        }
        before = event.at;
        deletes::judge(&world, event, &mut wrongs);
        makes::judge(&world, event, &mut wrongs);
        calls::judge(&world, event, &mut wrongs);
        counters.see(&world, event, &mut wrongs);
        world.apply(event);
    }
    liveness::judge(&world, &counters, calm_from, last.at, &mut wrongs);
    wrongs
}
