//! A machine's instance view: how it was provisioned, whether it runs, what its agent says.
//! It never says that an agent is ready in a machine that does not run.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::disks::DiskRef;
use super::ids::stamp;
use super::machines::{Machine, Os, Provisioning};
use super::power::Power;

impl Machine {
    /// The instance view: the seeded one while it stands, else with the states of now, as recorded.
    pub(crate) fn instance_view(&self) -> Value {
        let seeded = self.view.as_deref();
        if let Some(view) = seeded.filter(|_| self.view_stands) {
            return view.clone();
        }
        let done = self.provisioning != Provisioning::Creating;
        let disks: Vec<Value> = self.disks().map(|disk| disk_view(disk, self.provisioned_at)).collect();
        let mut view = seeded.cloned().unwrap_or_else(|| json!({ "hyperVGeneration": "V1" }));
        view["disks"] = json!(disks);
        view["statuses"] = json!(self.statuses(done));
        // *Assumed* (`vm-power-view`): a machine that does not run tells nothing of its agent.
        let agent = done && self.power == Power::Running;
        match view.as_object_mut() {
            Some(fields) if !agent => drop(fields.remove("vmAgent")),
            _ => view["vmAgent"] = self.agent(),
        }
        if self.agent_ready && view["osName"].is_null() {
            // A machine that Site Recovery made has no profile of its system (recorded), but its agent tells its name.
            let profile = &self.body["properties"]["osProfile"]["computerName"];
            view["computerName"] = if profile.is_null() { json!(self.name) } else { profile.clone() };
            let (system, version) = match self.os {
                Os::Linux => ("ubuntu", "18.04"),
                Os::Windows => ("Windows Server 2022 Datacenter", "10.0.20348"),
            };
            view["osName"] = json!(system);
            view["osVersion"] = json!(version);
        }
        view
    }

    /// The power state, as statuses say it.
    pub(crate) fn power_status(&self) -> Value {
        let word = self.power.word();
        json!({ "code": format!("PowerState/{word}"), "level": "Info", "displayStatus": format!("VM {word}") })
    }

    fn statuses(&self, done: bool) -> Vec<Value> {
        let word = self.provisioning.word().to_ascii_lowercase();
        let (level, status) = match self.provisioning {
            Provisioning::Failed => ("Error", "Provisioning failed"),
            Provisioning::Succeeded => ("Info", "Provisioning succeeded"),
            Provisioning::Creating | Provisioning::Updating | Provisioning::Deleting => {
                ("Info", self.provisioning.word())
            }
        };
        let code = format!("ProvisioningState/{word}");
        let time = stamp(self.provisioned_at);
        let mut statuses = vec![json!({ "code": code, "level": level, "displayStatus": status, "time": time })];
        if self.generalized {
            // *Assumed* (`vm-generalized-view`): no document in hand has the code.
            statuses.push(json!({ "code": "OSState/generalized", "level": "Info", "displayStatus": "VM generalized" }));
        }
        if done {
            statuses.push(self.power_status());
        }
        statuses
    }

    fn agent(&self) -> Value {
        let at = stamp(self.agent_at);
        if !self.agent_ready {
            return json!({
                "vmAgentVersion": "Unknown",
                "statuses": [{
                    "code": "ProvisioningState/Unavailable", "level": "Warning", "displayStatus": "Not Ready",
                    "message": "VM status blob is found but not yet populated.", "time": at,
                }],
            });
        }
        let (version, message) = match self.os {
            Os::Linux => ("2.11.1.12", "Guest Agent is running"),
            Os::Windows => ("2.7.41491.1095", "GuestAgent is running and processing the extensions."),
        };
        let mut agent = json!({
            "vmAgentVersion": version,
            "statuses": [{
                "code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Ready",
                "message": message, "time": at,
            }],
        });
        if self.os == Os::Linux {
            agent["extensionHandlers"] = json!([]);
        }
        agent
    }
}

fn disk_view(disk: &DiskRef, at: Timestamp) -> Value {
    json!({
        "name": disk.name,
        "statuses": [{
            "code": "ProvisioningState/succeeded", "level": "Info",
            "displayStatus": "Provisioning succeeded", "time": stamp(at),
        }],
    })
}
