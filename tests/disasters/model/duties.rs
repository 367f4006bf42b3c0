//! What is owed and by when: each duty runs on calm seconds from the moment that it arose, and lapses when it is done or moot.
//! It never invents a duty: `owed` says which there are in the world as it is.

use std::collections::BTreeMap;

use super::history::Time;
use super::owed::owed;
use super::world::World;
use super::wrong::{Promise, Wrongs};

/// Something that has to be done in time.
#[derive(Clone)]
pub struct Duty {
    /// What tells it apart from all others.
    pub key: String,
    pub from: Time,
    pub seconds: i64,
    pub promise: Promise,
    pub words: String,
}

/// The duties that stand, and whether it was said already that they are late.
#[derive(Default)]
pub struct Duties {
    open: BTreeMap<String, (Duty, bool)>,
}

impl Duties {
    /// Says what is late, once each.
    pub fn check(&mut self, world: &World, at: Time, wrongs: &mut Wrongs) {
        for (duty, said) in self.open.values_mut().filter(|(_, said)| !said) {
            if world.calm.between(duty.from, at) > duty.seconds {
                *said = true;
                wrongs.say(at, duty.promise, format!("{}, since {} and {} s", duty.words, duty.from, duty.seconds));
            }
        }
    }

    /// Takes what is owed now: a duty that arose anew runs anew, one that is not owed any more lapses.
    pub fn renew(&mut self, world: &World) {
        let before = std::mem::take(&mut self.open);
        for duty in owed(world) {
            let said = before.get(&duty.key).is_some_and(|(known, said)| *said && known.from >= duty.from);
            self.open.insert(duty.key.clone(), (duty, said));
        }
    }
}
