//! What Azure has at the end of a run, read as a person with all rights reads it, or from the simulator's own record.
//! It never asks the product, and leaves out what differs from run to run: times, and ids of jobs.

use std::collections::BTreeSet;

use lifeboat_tests::Rig;
use lifeboat_tests::person::Person;
use lifeboat_tests::rig::SUBSCRIPTION;
use serde_json::Value;

/// What is listed, with the version that the product speaks.
const LISTS: [(&str, &str); 2] = [("restorePointCollections", "2025-04-01"), ("snapshots", "2025-01-02")];

/// What stands for a tag that says that a point is held.
pub const HELD: &str = " held";

/// One line for each group, collection, snapshot, restore point, item and job.
pub async fn azure_now(rig: &Rig) -> BTreeSet<String> {
    let person = Person::of(&rig.azure);
    let mut lines = BTreeSet::new();
    for (kind, version) in LISTS {
        let path = format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/{kind}?api-version={version}");
        let listed = person.get(&path).await;
        for one in listed["value"].as_array().into_iter().flatten() {
            lines.insert(format!("{kind} {} {}", one["name"], tags(one)));
        }
    }
    for point in rig.azure.machines().iter().flat_map(|machine| rig.azure.points(&machine.name)) {
        lines.insert(format!("restore point {} {} of {}", point.name, point.state, point.vm_id));
    }
    for item in rig.azure.arm.vault_items() {
        let deleted = if item.soft_deleted { ", soft-deleted" } else { "" };
        lines.insert(format!("item of {} {} by {}{deleted}", item.machine, item.protection, item.policy));
    }
    // A count apart, because two jobs alike would be one line.
    for (number, job) in rig.azure.arm.vault_jobs().into_iter().enumerate() {
        lines.insert(format!("job {number} {} {:?} {}", job.machine, job.operation, job.status));
    }
    lines
}

/// The tags; a hold's id, which has the time in it, is left out.
fn tags(one: &Value) -> String {
    let tags = one["tags"].as_object().into_iter().flatten();
    let line = tags.map(|(name, value)| match name.starts_with("lifeboat-hold") {
        true => HELD.to_owned(),
        false => format!(" {name}={value}"),
    });
    line.collect()
}
