//! Tells a creation from an update: whether a machine is new, whether its point is late, whether a collection is ours.
//! It never takes an update of an old machine for a creation.

use alloc::vec::Vec;
use jiff::{SignedDuration, Timestamp};

use crate::facts::{Collection, Machine, Owner};
use crate::policy::OnCreate;

/// A creation is looked for this far back at least, whatever `within` says: Resource Graph lags, events come late.
pub const WINDOW_MIN: SignedDuration = SignedDuration::from_hours(1);

/// True when the machine was created so late that nobody has dealt with it yet: after the time from which every creation is
/// known, less the policy's window.
pub fn is_new(created_at: Timestamp, known_since: Timestamp, on_create: OnCreate) -> bool {
    match known_since.checked_sub(on_create.within.max(WINDOW_MIN)) {
        Ok(from) => created_at >= from,
        Err(_) => true,
    }
}

/// True when the point comes later than the policy wants it.
pub fn is_late(created_at: Timestamp, on_create: OnCreate, now: Timestamp) -> bool {
    created_at.checked_add(on_create.within).is_ok_and(|until| now > until)
}

/// Ours by the tags that say whose it is, and of this machine in this region by what Azure keeps fixed.
pub(crate) fn is_ours(collection: &Collection, machine: &Machine, owner: &Owner) -> bool {
    owner.has_made(collection)
        && collection.source.eq_ignore_ascii_case(&machine.id)
        && same_region(&collection.location, &machine.about.location)
}

/// Azure writes regions as `westeurope` and as `West Europe`.
pub(crate) fn same_region(a: &str, b: &str) -> bool {
    let plain = |text: &str| -> Vec<char> { text.chars().filter(|c| *c != ' ').flat_map(char::to_lowercase).collect() };
    plain(a) == plain(b)
}

/// A region in the form that names take.
pub fn region(location: &str) -> alloc::string::String {
    location.chars().filter(|c| *c != ' ').flat_map(char::to_lowercase).collect()
}
