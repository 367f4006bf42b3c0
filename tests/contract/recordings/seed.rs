//! The one place where the simulator is told what a tape presupposes, and asked whether it has a route.
//! It never sends a request of a tape.

use lifeboat_simulator::azure::{Arm, MachineSeed, Os};
use serde_json::Value;

use crate::tape::Said;

/// The codes by which the simulator says that it has no route for a request.
const NO_ROUTE: [&str; 2] = ["InvalidResourceType", "HttpMethodNotSupported"];

/// Plants a resource from the body of its `GET`.
pub fn plant(arm: &Arm, body: &Value) -> Result<(), String> {
    let id = body["id"].as_str().ok_or("a resource without an id")?;
    let parts: Vec<&str> = id.trim_start_matches('/').split('/').collect();
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    match parts.as_slice() {
        [_, subscription, _, group] => arm.add_group(subscription, group, text("/location")),
        [_, subscription, _, group, _, _, kind, name] if kind.eq_ignore_ascii_case("virtualMachines") => {
            let windows = text("/properties/storageProfile/osDisk/osType") == "Windows";
            let agent = text("/properties/instanceView/vmAgent/statuses/0/displayStatus");
            arm.add_machine(&MachineSeed {
                os: if windows { Os::Windows } else { Os::Linux },
                size: text("/properties/hardwareProfile/vmSize").to_owned(),
                tags: serde_json::from_value(body["tags"].clone()).unwrap_or_default(),
                agent_ready: agent == "Ready",
                vm_id: Some(text("/properties/vmId").to_owned()),
                created_at: text("/properties/timeCreated").parse().ok(),
                ..MachineSeed::new(subscription, group, name, text("/location"))
            });
        }
        _ => return Err(format!("the simulator takes no seed of the type {}", text("/type"))),
    }
    Ok(())
}

/// Plants rows of Resource Graph.
pub fn plant_rows(_arm: &Arm, rows: &[Value]) -> Result<(), String> {
    if rows.is_empty() { Ok(()) } else { Err("the simulator takes no rows of Resource Graph".to_owned()) }
}

/// Whether an answer to a request says that there is a route for it.
pub fn has_route(said: &Said) -> bool {
    let code = said.body.pointer("/error/code").and_then(Value::as_str).unwrap_or_default();
    !NO_ROUTE.contains(&code)
}
