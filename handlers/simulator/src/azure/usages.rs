//! What a subscription uses of Compute in a region, and how much it may.
//! It never refuses a machine: whoever creates one asks here.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::call::{Answer, Call};
use super::errors::ArmError;
use super::regions::named;
use super::sizes::{SIZES, Size};
use super::state::State;

/// Machines in a region and subscription. *Assumed* (`usage-limits`), as are the other two limits: no source here has one.
const MACHINES: u32 = 25_000;
/// Cores in a region and subscription, all families together.
const CORES: u32 = 1_000;
/// Cores of one family.
const FAMILY_CORES: u32 = 500;

/// `GET …/locations/{region}/usages`. *Assumed* (`usage-names`): the names, which are those that Compute is known by.
pub(crate) fn list(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let (subscription, place) = (call.param(0), call.param(1));
    let Some(region) = named(place) else {
        let message = format!("The provided location '{place}' is not available for resource type 'usages'.");
        return Err(ArmError::new(400, "InvalidLocation", message));
    };
    let own = |machine: &&std::sync::Arc<super::machines::Machine>| {
        machine.subscription.eq_ignore_ascii_case(subscription) && machine.location.eq_ignore_ascii_case(region.name)
    };
    let (mut machines, mut cores) = (0, 0);
    let mut families: BTreeMap<&str, u32> = SIZES.iter().map(|size| (size.family, 0)).collect();
    for machine in state.machines.values().filter(own) {
        machines += 1;
        let named = machine.body["properties"]["hardwareProfile"]["vmSize"].as_str().unwrap_or_default();
        if let Some(size) = Size::named(named) {
            cores += size.cores;
            *families.entry(size.family).or_default() += size.cores;
        }
    }
    let entry = |name: &str, shown: &str, used: u32, limit: u32| {
        let limit = state.sizes.limit_of(subscription, region.name, name).unwrap_or(limit);
        json!({
            "limit": limit,
            "unit": "Count",
            "currentValue": used,
            "name": { "value": name, "localizedValue": shown },
        })
    };
    let mut value: Vec<Value> = vec![
        entry("cores", "Total Regional vCPUs", cores, CORES),
        entry("virtualMachines", "Virtual Machines", machines, MACHINES),
    ];
    value.extend(families.iter().map(|(family, used)| {
        let shown = format!("{} vCPUs", family.trim_start_matches("standard").replace("Family", " Family"));
        entry(family, &shown, *used, FAMILY_CORES)
    }));
    Ok(Answer::new(200, json!({ "value": value })))
}
