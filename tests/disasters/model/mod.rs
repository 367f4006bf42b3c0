//! The reference model: what the design promises of recovery plans in a disaster, judged from the outside by what was done and told.
//!
//! Its sources are the design (§1, §4, §8, §14), the runbooks and the issue, never the product: it shares no type and no code with it and
//! never looks into the store. For safety it takes the strict reading where the texts are open, for what has to be done the lenient one;
//! `README.md` lists each such place.
//!
//! `judge` walks through the history once. Each event is judged in the world as it was before it: `declaration` and `approvals` say by
//! which right a saga begins, `controllers` by whose right a request is sent, `fencing`, `groups`, `points`, `traffic` and `afterwards` whether it
//! is in its place, `keeping` what has to rest meanwhile, `endings` how a saga ends. Then the world changes (`world`, `saga`, `sources`),
//! and `owed` says what has to be done by when, which `duties` watches on the seconds that were `calm`.

mod afterwards;
mod approvals;
mod bounds;
mod calm;
mod changes;
mod controllers;
mod declaration;
mod duties;
mod endings;
mod fencing;
mod groups;
pub mod history;
mod keeping;
mod owed;
mod points;
mod saga;
mod sources;
mod terms;
#[cfg(test)]
mod tests;
mod traffic;
mod world;
pub mod wrong;

use history::{History, What};
use wrong::{Promise, Wrong, Wrongs};

/// All that is wrong in a history, in the order in which it shows.
pub fn judge(history: &History) -> Vec<Wrong> {
    let mut world = world::World::default();
    let mut duties = duties::Duties::default();
    let mut wrongs = Wrongs::default();
    let mut before = history.events.first().map_or(0, |event| event.at);
    for event in &history.events {
        let at = event.at;
        wrongs.say_if(at < before, at, Promise::InOrderOfTime, || format!("the history goes back from {before}"));
        before = at;
        world.look(at);
        duties.check(&world, at, &mut wrongs);
        declaration::judge(&world, event, &mut wrongs);
        controllers::judge(&world, event, &mut wrongs);
        fencing::judge(&world, event, &mut wrongs);
        groups::judge(&world, event, &mut wrongs);
        points::judge(&world, event, &mut wrongs);
        traffic::judge(&world, event, &mut wrongs);
        afterwards::judge(&world, event, &mut wrongs);
        keeping::judge(&world, event, &mut wrongs);
        endings::judge(&world, event, &mut wrongs);
        world.apply(event);
        duties.renew(&world);
    }
    let ends = history.events.last().is_some_and(|event| event.what == What::End);
    wrongs.say_if(!ends, before, Promise::InOrderOfTime, || "the history has no end".to_owned());
    wrongs.found
}
