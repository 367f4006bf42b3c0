//! A machine's body: what was sent, made whole as Compute makes it whole (recorded).
//! It never keeps a password or other secrets that were sent with it.

use serde_json::{Map, Value, json};

use super::ids::{compute_id, guid_of, stamp};
use super::machines::{MachineSeed, Os};

use jiff::Timestamp;

/// Size of an OS disk in GiB when none is asked for: those of the recorded images.
const OS_DISK_GIB: (u32, u32) = (30, 127);
/// Size of a data disk in GiB when neither the call nor a source tells it. *Assumed* (`vm-put-completion`).
const DATA_DISK_GIB: u32 = 4;
/// Fields of the OS profile that are taken and never told.
const SECRETS: [&str; 2] = ["adminPassword", "customData"];

/// What a body is made whole with.
pub(crate) struct Facts<'a> {
    pub(crate) seed: u64,
    pub(crate) subscription: &'a str,
    pub(crate) group: &'a str,
    pub(crate) name: &'a str,
    pub(crate) vm_id: &'a str,
    pub(crate) created: Timestamp,
}

/// The guest's system, by what a body says.
pub(crate) fn os_of(body: &Value) -> Os {
    let properties = &body["properties"];
    let storage = &properties["storageProfile"];
    let windows = storage["osDisk"]["osType"].as_str().is_some_and(|os| os.eq_ignore_ascii_case("windows"))
        || properties["osProfile"]["windowsConfiguration"].is_object()
        || storage["imageReference"]["publisher"].as_str().is_some_and(|name| name.starts_with("MicrosoftWindows"));
    if windows { Os::Windows } else { Os::Linux }
}

/// What a deployment of such a machine sends.
pub(crate) fn of_seed(seed: &MachineSeed) -> Value {
    let (publisher, offer, sku) = match seed.os {
        Os::Linux => ("Canonical", "UbuntuServer", "18.04-LTS"),
        Os::Windows => ("MicrosoftWindowsServer", "WindowsServer", "2022-Datacenter"),
    };
    let data: Vec<Value> = seed
        .disks
        .iter()
        .zip(0_u32..)
        .map(|(disk, lun)| {
            json!({ "lun": lun, "name": disk.name, "createOption": "Empty", "diskSizeGB": disk.size_gib })
        })
        .collect();
    let nic = format!(
        "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/networkInterfaces/{}VMNic",
        seed.subscription, seed.group, seed.name
    );
    let mut body = json!({
        "location": seed.location,
        "properties": {
            "hardwareProfile": { "vmSize": seed.size },
            "storageProfile": {
                "imageReference": { "publisher": publisher, "offer": offer, "sku": sku, "version": "latest" },
                "osDisk": { "osType": seed.os, "createOption": "FromImage" },
                "dataDisks": data,
            },
            "osProfile": { "computerName": seed.name, "adminUsername": "vmtest" },
            "networkProfile": { "networkInterfaces": [{ "id": nic }] },
        },
    });
    if !seed.tags.is_empty() {
        body["tags"] = json!(seed.tags);
    }
    if !seed.identities.is_empty() {
        body["identity"] = identity(seed);
    }
    body
}

/// The managed identities that are assigned, each under its id (recorded).
fn identity(seed: &MachineSeed) -> Value {
    let one = |name: &String| {
        let id = format!(
            "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}",
            seed.subscription, seed.group
        );
        let number = u64::try_from(name.len()).unwrap_or_default();
        (id, json!({ "principalId": guid_of(number, "principal", name), "clientId": guid_of(number, "client", name) }))
    };
    let all: Map<String, Value> = seed.identities.iter().map(one).collect();
    json!({ "type": "UserAssigned", "userAssignedIdentities": all })
}

/// Extensions as they stand under a machine that is read (recorded).
pub(crate) fn extensions(seed: &MachineSeed) -> Vec<Value> {
    let machine = compute_id(&seed.subscription, &seed.group, "virtualMachines", &seed.name);
    let one = |name: &String| {
        json!({
            "name": name,
            "id": format!("{machine}/extensions/{name}"),
            "type": "Microsoft.Compute/virtualMachines/extensions",
            "location": seed.location,
            "properties": {
                "autoUpgradeMinorVersion": true,
                "provisioningState": "Succeeded",
                "publisher": "Microsoft.Azure.Extensions",
                "type": name,
                "typeHandlerVersion": "1.0",
            },
        })
    };
    seed.extensions.iter().map(one).collect()
}

/// What a `PUT` or `PATCH` makes of a body: objects are merged, anything else replaced; so what a `PUT` leaves out of the
/// properties stays (recorded for the image).
pub(crate) fn merged(before: &Value, given: &Value) -> Value {
    let mut body = before.clone();
    for part in ["location", "tags", "zones", "identity", "plan", "extendedLocation"] {
        if let Some(value) = given.get(part) {
            body[part] = value.clone();
        }
    }
    merge(&mut body["properties"], &given["properties"]);
    body
}

/// Adds what Compute adds.
pub(crate) fn complete(body: &mut Value, facts: &Facts<'_>) {
    let os = os_of(body);
    body["name"] = json!(facts.name);
    body["id"] = json!(compute_id(facts.subscription, facts.group, "virtualMachines", facts.name));
    body["type"] = json!("Microsoft.Compute/virtualMachines");
    let properties = &mut body["properties"];
    properties["vmId"] = json!(facts.vm_id);
    fill(properties, "timeCreated", json!(stamp(facts.created)));
    let storage = &mut properties["storageProfile"];
    if storage["imageReference"]["publisher"].is_string() {
        let version = storage["imageReference"]["version"].as_str().filter(|version| *version != "latest");
        let exact = json!(version.unwrap_or("1.0.0"));
        fill(&mut storage["imageReference"], "exactVersion", exact);
    }
    complete_os_disk(&mut storage["osDisk"], os, facts);
    fill(storage, "dataDisks", json!([]));
    for (disk, number) in storage["dataDisks"].as_array_mut().into_iter().flatten().zip(2_u32..) {
        complete_data_disk(disk, number, facts);
    }
    if properties["osProfile"].is_object() {
        complete_os_profile(&mut properties["osProfile"], os);
    }
    if let Some(fields) = properties.as_object_mut() {
        fields.remove("userData");
    }
}

fn complete_os_disk(disk: &mut Value, os: Os, facts: &Facts<'_>) {
    let suffix = guid_of(facts.seed, "os disk", facts.vm_id).replace('-', "");
    fill(disk, "name", json!(format!("{}_disk1_{suffix}", facts.name)));
    fill(disk, "osType", json!(os));
    fill(disk, "createOption", json!("FromImage"));
    fill(disk, "caching", json!("ReadWrite"));
    fill(disk, "deleteOption", json!("Detach"));
    fill(disk, "diskSizeGB", json!(if os == Os::Windows { OS_DISK_GIB.1 } else { OS_DISK_GIB.0 }));
    complete_managed(disk, facts);
}

fn complete_data_disk(disk: &mut Value, number: u32, facts: &Facts<'_>) {
    let suffix = guid_of(facts.seed, "data disk", &format!("{} {number}", facts.vm_id)).replace('-', "");
    let own = disk["managedDisk"]["id"].as_str().and_then(|id| id.rsplit('/').next()).map(str::to_owned);
    fill(disk, "name", json!(own.unwrap_or_else(|| format!("{}_disk{number}_{suffix}", facts.name))));
    fill(disk, "createOption", json!("Empty"));
    fill(disk, "caching", json!("None"));
    fill(disk, "deleteOption", json!("Detach"));
    fill(disk, "diskSizeGB", json!(DATA_DISK_GIB));
    fill(disk, "toBeDetached", json!(false));
    complete_managed(disk, facts);
}

/// A disk that is not a blob has an id and an account type.
fn complete_managed(disk: &mut Value, facts: &Facts<'_>) {
    if disk["vhd"].is_object() {
        return;
    }
    let name = disk["name"].as_str().unwrap_or_default().to_owned();
    fill(disk, "managedDisk", json!({}));
    fill(&mut disk["managedDisk"], "storageAccountType", json!("Premium_LRS"));
    fill(&mut disk["managedDisk"], "id", json!(compute_id(facts.subscription, facts.group, "disks", &name)));
}

fn complete_os_profile(profile: &mut Value, os: Os) {
    if let Some(fields) = profile.as_object_mut() {
        fields.retain(|name, _| !SECRETS.contains(&name.as_str()));
    }
    fill(profile, "secrets", json!([]));
    fill(profile, "allowExtensionOperations", json!(true));
    fill(profile, "requireGuestProvisionSignal", json!(true));
    let (part, mode) = match os {
        Os::Linux => ("linuxConfiguration", "ImageDefault"),
        Os::Windows => ("windowsConfiguration", "AutomaticByOS"),
    };
    fill(profile, part, json!({}));
    let own = &mut profile[part];
    match os {
        Os::Linux => fill(own, "disablePasswordAuthentication", json!(false)),
        Os::Windows => fill(own, "enableAutomaticUpdates", json!(true)),
    }
    fill(own, "provisionVMAgent", json!(true));
    fill(own, "patchSettings", json!({}));
    fill(&mut own["patchSettings"], "patchMode", json!(mode));
    fill(&mut own["patchSettings"], "assessmentMode", json!("ImageDefault"));
    fill(own, "enableVMAgentPlatformUpdates", json!(true));
}

/// Sets a field that is absent or null.
fn fill(value: &mut Value, name: &str, with: Value) {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    if value[name].is_null() {
        value[name] = with;
    }
}

fn merge(into: &mut Value, given: &Value) {
    match (into, given) {
        (Value::Object(into), Value::Object(given)) => {
            for (name, value) in given {
                merge(into.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (_, Value::Null) => {}
        (into, given) => *into = given.clone(),
    }
}
