//! The changes that the handler may ask Azure for besides making and deleting points, as a list of methods and paths: all others are wrong.
//! It never judges what only reads, nor whose machine a call was for.

use super::calendar::written;
use super::history::{Event, Time, What, Wrong};
use super::scope::{DECISION_AGE, IN_FLIGHT};
use super::world::World;

/// What a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A POST that changes nothing.
    Read,
    /// A tag that holds a point: it only adds safety, so nothing forbids it.
    Hold,
    /// A change for a policy.
    Change,
}

/// Method, path below the subscription in lower case (`*` stands for any part of one segment), and what it is for.
///
/// Paths of the group of points (design §7): the group itself, collections, restore points and snapshots in it, and the tags of a hold
/// (`reference/runbooks.md` §2, rule 6). Paths of a vault (the table *vault protection* there): discovery, enabling, the first backup.
const ALLOWED: [(&str, &str, Purpose); 12] = [
    ("PUT", "resourcegroups/lifeboat-points-*", Purpose::Change),
    ("PUT", "resourcegroups/lifeboat-points-*/providers/microsoft.compute/restorepointcollections/*", Purpose::Change),
    (
        "PUT",
        "resourcegroups/lifeboat-points-*/providers/microsoft.compute/restorepointcollections/*/restorepoints/*",
        Purpose::Change,
    ),
    ("PUT", "resourcegroups/lifeboat-points-*/providers/microsoft.compute/snapshots/*", Purpose::Change),
    (
        "PATCH",
        "resourcegroups/lifeboat-points-*/providers/microsoft.compute/*/*/providers/microsoft.resources/tags/default",
        Purpose::Hold,
    ),
    (
        "PUT",
        "resourcegroups/*/providers/microsoft.recoveryservices/vaults/*/backupfabrics/*/protectioncontainers/*/protecteditems/*",
        Purpose::Change,
    ),
    (
        "POST",
        "resourcegroups/*/providers/microsoft.recoveryservices/vaults/*/backupfabrics/*/protectioncontainers/*/protecteditems/*/backup",
        Purpose::Change,
    ),
    (
        "POST",
        "resourcegroups/*/providers/microsoft.recoveryservices/vaults/*/backupfabrics/*/refreshcontainers",
        Purpose::Change,
    ),
    ("POST", "providers/microsoft.recoveryservices/locations/*/backupstatus", Purpose::Read),
    ("POST", "providers/microsoft.recoveryservices/locations/*/backupprevalidateprotection", Purpose::Read),
    ("POST", "resourcegroups/*/providers/microsoft.resourcegraph/resources", Purpose::Read),
    ("POST", "providers/microsoft.resourcegraph/resources", Purpose::Read),
];

/// Judges the event, if it is another change, in the world as it was before it.
pub fn judge(world: &World, event: &Event, wrongs: &mut Vec<Wrong>) {
    let What::OtherChange { call } = &event.what else { return };
    let at = event.at;
    let mut wrong = |words: &str| wrongs.push(format!("{}: {call}: {words}", written(at)));
    match purpose(call) {
        None => wrong("a change for which there is no reason"),
        Some(Purpose::Read | Purpose::Hold) => {}
        Some(Purpose::Change) => {
            for barrier in no_changes(world, is_permission_lost(world, call, at), at) {
                wrong(barrier);
            }
            if !something_enforced(world, at) {
                wrong("a change although no policy enforces anything");
            }
        }
    }
}

/// What the call is for; none if nothing that Lifeboat does needs it.
pub fn purpose(call: &str) -> Option<Purpose> {
    let (method, target) = call.split_once(' ')?;
    let target = target.to_lowercase();
    let path = match target.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?.1,
        None => target.trim_start_matches('/'),
    };
    let path = path.split('?').next()?.trim_end_matches('/');
    let below =
        path.strip_prefix("subscriptions/").and_then(|rest| rest.split_once('/')).map_or(path, |(_, below)| below);
    ALLOWED.iter().find(|(verb, pattern, _)| *verb == method && matches(pattern, below)).map(|(.., purpose)| *purpose)
}

fn matches(pattern: &str, path: &str) -> bool {
    let segments: Vec<&str> = path.split('/').collect();
    let wanted: Vec<&str> = pattern.split('/').collect();
    let fits = |(want, have): (&&str, &&str)| match want.strip_suffix('*') {
        Some(begins) => have.starts_with(begins) && have.len() > begins.len(),
        None => want == have,
    };
    segments.len() == wanted.len() && wanted.iter().zip(&segments).all(fits)
}

/// Whether the permission was lost where the call goes: in a subscription that its path names, or in all of them.
fn is_permission_lost(world: &World, call: &str, at: Time) -> bool {
    let target = call.split_once(' ').map_or(call, |(_, target)| target).to_lowercase();
    // Whole segments are compared, because an id may be the beginning of another one.
    let path = format!("/{}/", target.split('?').next().unwrap_or(&target));
    let names = |id: &str| path.contains(&format!("/{}/", id.trim_matches('/')));
    let mut gates = world.gates.permission_lost.iter();
    gates.any(|(id, gate)| gate.stands(at, IN_FLIGHT) && names(id)) || world.are_all_permissions_lost(at, IN_FLIGHT)
}

/// What forbade the change then, for longer than a request can be under way. Whether the permission was lost is the caller's to say,
/// who knows in which subscription the change was.
pub fn no_changes(world: &World, permission_lost: bool, at: Time) -> Vec<&'static str> {
    let gates = &world.gates;
    [
        (gates.stopped.stands(at, IN_FLIGHT), "done although all changes were stopped"),
        (gates.store_lost.stands(at, IN_FLIGHT), "done although the store was lost"),
        (permission_lost, "done although the permission was lost"),
    ]
    .into_iter()
    .filter_map(|(stands, words)| stands.then_some(words))
    .collect()
}

fn something_enforced(world: &World, at: Time) -> bool {
    let recent = world.bundles.iter().filter(|bundle| (at - DECISION_AGE..=at).contains(&bundle.since));
    recent.chain(world.bundle_at(at - DECISION_AGE)).any(|bundle| bundle.policies.iter().any(|policy| policy.enforce))
}
