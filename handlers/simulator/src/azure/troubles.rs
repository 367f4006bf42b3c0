//! Which region a call is about, and so whose trouble it shares.
//! It never makes trouble: regions are put in trouble by order.

use serde_json::Value;

use super::Arm;
use super::faults::RegionTrouble;
use super::ids::key;
use super::registry::Found;

/// What is wrong with the region that a call is about: the one in its path, that of the resource, or the one in its body.
/// *Assumed* (`region-of-a-call`): what hangs on a resource, as a lock or its health, is answered outside its region, and a
/// group's end needs the group's region.
pub(crate) fn of_call(arm: &Arm, found: &Found, method: &str, path: &str, body: &[u8]) -> Option<RegionTrouble> {
    let Found::Route(route, params) = found else { return None };
    if route.extended(path).is_some() {
        return None;
    }
    let in_path = route.region(params).map(str::to_ascii_lowercase);
    let state = arm.state();
    let region = in_path.or_else(|| {
        let end = path.match_indices('/').nth(8).map_or(path.len(), |(at, _)| at);
        let known = route.top_level(params).and_then(|_| state.region_of(&path[..end]));
        let group = || {
            let group = state.groups.get(&key(path)).filter(|_| method == "DELETE")?;
            Some(group.location.clone())
        };
        let in_body = || {
            let body: Value = serde_json::from_slice(body).ok()?;
            body["location"].as_str().map(|place| place.replace(' ', "").to_ascii_lowercase())
        };
        known.or_else(group).or_else(in_body)
    })?;
    drop(state);
    arm.trouble_in(&region)
}
