//! What the caller may do over a group or a resource, out of its grants.
//! It never tells of data actions: no grant here has any.

use serde_json::{Value, json};

use super::access::Grant;
use super::call::{Answer, Call};
use super::errors::ArmError;
use super::locks::is_within;
use super::state::State;

/// `GET …/providers/Microsoft.Authorization/permissions`: one entry for each grant that reaches the scope. *Assumed*
/// (`permission-merged`): that grants are not merged.
pub(crate) fn list(_state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let at = call.path.to_ascii_lowercase().rfind("/providers/microsoft.authorization/permissions");
    let scope = &call.path[..at.unwrap_or(call.path.len())];
    let reaches = |grant: &&Grant| is_within(scope, &grant.scope);
    let entry = |grant: &Grant| {
        json!({
            "actions": grant.actions,
            "notActions": grant.not_actions,
            "dataActions": [],
            "notDataActions": [],
        })
    };
    let value: Vec<Value> = call.principal.grants.iter().filter(reaches).map(entry).collect();
    Ok(Answer::new(200, json!({ "value": value })))
}
