//! The one place where the simulator is told what a tape presupposes, and asked whether it has a route.
//! It never sends a request of a tape.

use lifeboat_simulator::azure::Arm;
use serde_json::Value;

/// Plants a resource from the body of its `GET`.
pub fn plant(arm: &Arm, body: &Value) -> Result<(), String> {
    arm.seed_resource(body)
}

/// Plants rows of Resource Graph.
pub fn plant_rows(arm: &Arm, rows: &[Value]) {
    arm.seed_graph_rows(rows);
}

/// Whether the simulator has a route for a request.
pub fn models(arm: &Arm, method: &str, path: &str) -> bool {
    arm.models(method, path)
}
