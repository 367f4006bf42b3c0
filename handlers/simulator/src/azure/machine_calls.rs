//! What ARM does with machines when it is called; what becomes of them later stands in `machine_writes`.
//! It never answers a write before the state says so.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::call::{Answer, Call};
use super::denials::Denial;
use super::errors::{ArmError, invalid_parameter, resource_not_found};
use super::ids::{compute_id, key, stamp};
use super::machine_body;
use super::machine_writes::Wanted;
use super::machines::{Machine, Provisioning, page, tags_of, with_upper_case_group, within};
use super::state::{State, Step};

/// `GET …/virtualMachines/{name}`.
pub(crate) fn get(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let (found, with_view) = (found(state, call)?, call.expands("instanceView"));
    let answer = Answer::new(200, found.json(with_view));
    // The header is not sent with an instance view (recorded).
    Ok(match found.etag_header().filter(|_| !with_view) {
        Some(etag) => answer.with_header("etag", etag),
        None => answer,
    })
}

/// `GET …/virtualMachines/{name}/instanceView`.
pub(crate) fn instance_view(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    Ok(Answer::new(200, found(state, call)?.instance_view()))
}

/// `GET` of all machines of a subscription.
pub(crate) fn list_all(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    list(state, call, None)
}

/// `GET` of a group's machines.
pub(crate) fn list_in_group(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    list(state, call, Some(call.param(1)))
}

/// `PUT …/virtualMachines/{name}`.
pub(crate) fn put(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let given = call.object()?;
    super::volume_calls::location_in(given)?;
    tags_of(given)?;
    let properties = &given["properties"];
    let before = found(state, call).ok();
    if !properties["hardwareProfile"]["vmSize"].is_string() {
        return Err(invalid_parameter("hardwareProfile", "A size is expected."));
    }
    if !properties["storageProfile"]["osDisk"].is_object() {
        return Err(invalid_parameter("storageProfile.osDisk", "An object is expected."));
    }
    let given = with_sources(state, given, before.as_deref())?;
    let own = |part: &str| properties["osProfile"][part]["provisionVMAgent"].as_bool();
    let agent = own("windowsConfiguration").or_else(|| own("linuxConfiguration")).unwrap_or(true);
    let wanted = Wanted {
        subscription: call.param(0),
        group: call.param(1),
        name: call.param(2),
        given: &given,
        agent,
        vm_id: None,
        managed_by: None,
    };
    state.put_machine(&wanted, call)
}

/// The body with the sizes of disks that are attached or copied; such a disk must be there, and nobody else's.
fn with_sources(state: &State, given: &Value, before: Option<&Machine>) -> Result<Value, ArmError> {
    let mut given = given.clone();
    let owner = before.map(|machine| key(&machine.id()));
    let storage = &mut given["properties"]["storageProfile"];
    let check = |disk: &mut Value| -> Result<(), ArmError> {
        let option = disk["createOption"].as_str().unwrap_or_default().to_ascii_lowercase();
        let text = match option.as_str() {
            "attach" => disk["managedDisk"]["id"].as_str(),
            "copy" | "restore" => disk["sourceResource"]["id"].as_str(),
            _ => None,
        };
        let Some(text) = text.map(str::to_owned) else { return Ok(()) };
        let missing = || Denial::SourceElsewhere.error(text.rsplit('/').next().unwrap_or_default());
        let size = if option == "restore" {
            state.disk_point(&text).ok_or_else(missing)?.1.size_gib
        } else {
            let found = state.disks.get(&key(&text)).or_else(|| state.snapshots.get(&key(&text)));
            let found = found.ok_or_else(missing)?;
            let taken = found.managed_by.as_ref().is_some_and(|other| Some(key(other)) != owner);
            if option == "attach" && taken {
                return Err(Denial::AttachedElsewhere.error(found.name()));
            }
            found.size_gib
        };
        if disk["diskSizeGB"].is_null() {
            disk["diskSizeGB"] = json!(size);
        }
        Ok(())
    };
    if storage["osDisk"].is_object() {
        check(&mut storage["osDisk"])?;
    }
    storage["dataDisks"].as_array_mut().into_iter().flatten().try_for_each(check)?;
    Ok(given)
}

/// `PATCH …/virtualMachines/{name}`: tags are replaced, properties merged. *Assumed* (`vm-patch-tags`): both.
pub(crate) fn patch(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let given = call.object()?;
    let tags = tags_of(given)?;
    let before = found(state, call)?;
    let mut body = machine_body::merged(&before.body, given);
    if given.get("tags").is_some() {
        body["tags"] = json!(tags);
    }
    let machine = Machine {
        provisioning: Provisioning::Updating,
        etag: before.etag + 1,
        view_stands: false,
        ..Machine::clone(&before)
    }
    .with_body(body);
    let body = machine.json(false);
    let started = state.start_operation(call, &machine.subscription, &machine.location);
    let key = key(&machine.id());
    state.keep_machine(machine, call.now);
    let wait = state.latencies.machine_update_ms;
    state.end_machine_later(call, started.name.clone(), key, call.cause(true), wait);
    Ok(started.status_only(Answer::new(200, body)))
}

/// `DELETE …/virtualMachines/{name}`.
pub(crate) fn delete(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let Ok(before) = found(state, call) else {
        return Ok(Answer::empty(204));
    };
    let started = state.start_operation(call, &before.subscription, &before.location);
    let machine = Machine { provisioning: Provisioning::Deleting, ..Machine::clone(&before) };
    let key = key(&machine.id());
    state.keep_machine(machine, call.now);
    let step = Step::MachineGone { operation: started.name.clone(), machine: key, cause: call.cause(true) };
    state.after(call.now, state.latencies.machine_delete_ms, step);
    Ok(started.both(Answer::empty(202)))
}

/// The link to the next page of a listing.
pub(crate) fn next_link(call: &Call, after: &str) -> String {
    let version = call.query("api-version").unwrap_or_default();
    format!("{}{}?api-version={version}&$skiptoken={}", call.base, call.path, URL_SAFE_NO_PAD.encode(after))
}

/// Where a page starts: what [`next_link`] wrote.
pub(crate) fn page_start(call: &Call) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(call.query("$skiptoken")?).ok()?).ok()
}

fn list(state: &mut State, call: &Call, group: Option<&str>) -> Result<Answer, ArmError> {
    let all = within(&state.machines, call.param(0), group);
    let start = page_start(call);
    let (machines, next) = page(all, start.as_deref(), state.page_size);
    let with_view = call.expands("instanceView");
    let value: Vec<Value> = machines
        .iter()
        .map(|(_, machine)| match group {
            Some(_) => machine.json(with_view),
            None => with_upper_case_group(machine.json(false), &machine.id(), &machine.group),
        })
        .collect();
    let mut body = json!({ "value": value });
    if let Some(next) = next {
        body["nextLink"] = json!(next_link(call, &next));
    }
    Ok(Answer::new(200, body))
}

/// The machine that a call is about.
pub(crate) fn found(state: &State, call: &Call) -> Result<Arc<Machine>, ArmError> {
    let (subscription, group, name) = (call.param(0), call.param(1), call.param(2));
    let key = key(&compute_id(subscription, group, "virtualMachines", name));
    let missing = || resource_not_found("Microsoft.Compute/virtualMachines", name, group);
    state.machines.get(&key).cloned().ok_or_else(missing)
}

/// A machine as the control API shows it.
pub(crate) fn shown(machine: &Machine) -> Value {
    json!({
        "id": machine.id(),
        "name": machine.name,
        "group": machine.group,
        "subscription": machine.subscription,
        "location": machine.location,
        "vmId": machine.vm_id,
        "os": machine.os,
        "size": machine.size,
        "tags": machine.tags,
        "provisioningState": format!("{:?}", machine.provisioning),
        "powerState": machine.power.word(),
        "agentReady": machine.agent_ready,
        "managedBy": machine.managed_by,
        "timeCreated": stamp(machine.created),
    })
}
