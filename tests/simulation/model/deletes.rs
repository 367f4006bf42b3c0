//! Judges each deletion that Lifeboat asked for: whether it was its to do, whether anything forbade it, and what it left standing.
//! It never judges what people delete, and leaves the counters to their own file.

use super::calendar::{DAY, written};
use super::history::{Event, Hand, Time, What, Wrong};
use super::keep::min_of;
use super::scope::{CLOCK_ERROR, DECISION_AGE, IN_FLIGHT, entry_of};
use super::verdicts::why_it_stays;
use super::world::{Key, Point, World};

/// Judges the event, if it is a deletion by Lifeboat, in the world as it was before it.
pub fn judge(world: &World, event: &Event, wrongs: &mut Vec<Wrong>) {
    let What::DeleteSent { point: id, by: Hand::Lifeboat, accepted } = &event.what else { return };
    let at = event.at;
    let mut wrong = |words: String| wrongs.push(format!("{}: point {id}: {words}", written(at)));
    let Some(point) = world.point(id) else { return wrong("deletion asked for a point that never was".to_owned()) };
    if !point.ours {
        return wrong("deletion asked for what Lifeboat did not make".to_owned());
    }
    // What Azure refused changed nothing; design §4 counts a refusal among what makes a late request harmless.
    if !accepted {
        return;
    }
    for barrier in barriers(world, point, at) {
        wrong(format!("deleted although {barrier}"));
    }
    // A set's other snapshots, or the same request once more: the set was judged when its deletion began.
    if point.leaving.is_some() {
        return;
    }
    let Some(key) = World::key_of(point) else {
        return wrong(format!("deleted although no policy in force ever had its entry {}", point.entry));
    };
    if let Some(stays) = why_never_free(world, point, &key, at) {
        wrong(format!("of machine {}, entry {}: deleted although {stays}", key.0, key.2));
    }
    for broken in floors(world, point, &key, at) {
        wrong(format!("of machine {}, entry {}: {broken}", key.0, key.2));
    }
}

/// What forbade any change then, or this one, for longer than a request can be under way.
fn barriers(world: &World, point: &Point, at: Time) -> Vec<&'static str> {
    let gates = &world.gates;
    // A lock is Azure's own to enforce: a request behind it cannot be accepted, however late.
    let stands = [
        (gates.stopped.stands(at, IN_FLIGHT), "all changes were stopped"),
        (gates.store_lost.stands(at, IN_FLIGHT), "the store was lost"),
        (world.is_permission_lost(world.subscription_of(point), at, IN_FLIGHT), "the permission was lost"),
        (gates.clocks_apart.stands(at, IN_FLIGHT), "the clocks differed by more than five minutes"),
        (
            gates.store_back.is_some_and(|back| (back..back + DAY - CLOCK_ERROR).contains(&at)),
            "the estate was adopted less than 24 hours before",
        ),
        (point.held.stands(at, IN_FLIGHT), "a person held it"),
        (point.locked.stands(at, 0), "a lock stood over it"),
    ];
    stands.into_iter().filter_map(|(stands, words)| stands.then_some(words)).collect()
}

/// Why the point had to stay in every world of the last ten minutes; nothing if one of them let it go.
fn why_never_free(world: &World, point: &Point, key: &Key, at: Time) -> Option<String> {
    let mut newest = None;
    for then in world.readings(&key.0, world.points_of(key), at) {
        let stays = why_it_stays(world, point, key, then)?;
        newest = newest.or(Some(stays));
    }
    newest.map(|stays| stays.to_string())
}

/// What has to stand after the deletion, counting deletions under way as done.
fn floors(world: &World, point: &Point, key: &Key, at: Time) -> Vec<String> {
    let mut broken = Vec::new();
    if world.by_hand.get(key).is_some_and(|since| *since + DECISION_AGE < at) {
        broken.push(
            "deleted although people had deleted by hand, and two restorable points were not seen since".to_owned(),
        );
    }
    if point.succeeded.is_none() {
        return broken;
    }
    let others = world.points_of(key).filter(|other| other.id != point.id && stood_when_last_read(other, at)).count();
    let min = [at, at - DECISION_AGE].iter().filter_map(|then| min_then(world, key, *then)).min().unwrap_or(1);
    if others < min {
        broken.push(format!("the deletion leaves {others} restorable, at least {min} must stay"));
    }
    broken
}

fn min_then(world: &World, key: &Key, at: Time) -> Option<usize> {
    let policy = world.bundle_at(at)?.policies.iter().find(|policy| policy.name == key.1)?;
    entry_of(policy, &key.2).map(min_of)
}

/// Whether the last read before this deletion can have seen it restorable: people may remove one while the request is under way,
/// Lifeboat itself may not, since the lease of the machine is one.
fn stood_when_last_read(point: &Point, at: Time) -> bool {
    let under_way = if point.by_lifeboat { 0 } else { IN_FLIGHT };
    point.succeeded.is_some() && point.leaving.is_none_or(|leaving| leaving + under_way > at)
}
