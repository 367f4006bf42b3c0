//! Vaults and what is in them, seeded from bodies that `GET` answered.
//! It never raises an event, and never refuses a body for what it holds besides its id.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::ids::{ResourceId, key};
use super::super::machines::tags_of;
use super::super::state::State;
use super::items::{Item, Protection};
use super::points::of_old;
use super::protectable::Discovered;
use super::{KIND, Policy, Vault, items};

impl State {
    /// Takes over a body of the backup service; none where it is of another type.
    pub(crate) fn seed_vault_body(
        &mut self,
        id: &ResourceId,
        body: &Value,
        now: Timestamp,
    ) -> Option<Result<(), String>> {
        let kind = id.kind().to_ascii_lowercase();
        let below = kind.strip_prefix(&KIND.to_ascii_lowercase())?;
        if !below.is_empty()
            && below != "/backupfabrics/protectioncontainers/protectableitems"
            && self.vault_at(id).is_none()
        {
            return Some(Err(format!("the vault of {} is not there", id.name())));
        }
        match below {
            "" => self.seed_vault(id, body, now),
            "/backuppolicies" => self.seed_policy(id, body),
            "/backupfabrics/protectioncontainers/protectableitems" => self.seed_discovered(body),
            "/backupfabrics/protectioncontainers/protecteditems" => self.seed_item_body(id, body, now),
            "/backupfabrics/protectioncontainers/protecteditems/recoverypoints" => self.seed_point_body(id, body),
            // What is told of a container, a job or a configuration follows from the rest.
            _ => {}
        }
        Some(Ok(()))
    }

    fn vault_at(&mut self, id: &ResourceId) -> Option<&mut Vault> {
        let name = &id.path.first()?.1;
        self.vaults.by_key.get_mut(&key(&format!(
            "/subscriptions/{}/resourceGroups/{}/providers/{KIND}/{name}",
            id.subscription, id.group
        )))
    }

    fn seed_vault(&mut self, id: &ResourceId, body: &Value, now: Timestamp) {
        let location = body["location"].as_str().unwrap_or_default();
        let before = self.vault_at(id).cloned();
        let mut vault = Vault::fresh(&id.subscription, &id.group, id.name(), location, now);
        vault.tags = tags_of(body).unwrap_or_default();
        vault.sku = body["sku"].clone();
        let given = &body["properties"];
        for name in ["publicNetworkAccess", "monitoringSettings", "restoreSettings", "secureScore", "bcdrSecurityLevel"]
        {
            if !given[name].is_null() {
                vault.written[name] = given[name].clone();
            }
        }
        let soft = &given["securitySettings"]["softDeleteSettings"];
        vault.heard_of = !given["securitySettings"].is_null();
        if let Some(state) = soft["softDeleteState"].as_str() {
            state.clone_into(&mut vault.soft_delete.state);
        }
        if let Some(before) = before {
            let Vault { items, policies, jobs, running, .. } = before;
            vault = Vault { items, policies, jobs, running, ..vault };
        }
        self.keep_vault(vault, now);
    }

    fn seed_policy(&mut self, id: &ResourceId, body: &Value) {
        let mut kept = body["properties"].clone();
        if let Some(fields) = kept.as_object_mut() {
            fields.remove("protectedItemsCount");
        }
        let name = id.name().to_owned();
        if let Some(vault) = self.vault_at(id) {
            vault.policies.insert(name.to_ascii_lowercase(), Policy { name, body: kept });
        }
    }

    fn seed_discovered(&mut self, body: &Value) {
        let properties = &body["properties"];
        let Some(source) = properties["virtualMachineId"].as_str() else { return };
        let Some(machine) = ResourceId::parse(source) else { return };
        let found = Discovered {
            source: source.to_owned(),
            subscription: machine.subscription.clone(),
            group: properties["resourceGroup"].as_str().unwrap_or(&machine.group).to_owned(),
            friendly: properties["friendlyName"].as_str().unwrap_or(machine.name()).to_owned(),
            region: None,
        };
        self.vaults.discovered.insert(key(source), found);
    }

    fn seed_item_body(&mut self, id: &ResourceId, body: &Value, now: Timestamp) {
        let properties = &body["properties"];
        let native = properties["containerName"].as_str().unwrap_or_default().to_owned();
        let source = properties["sourceResourceId"].as_str().unwrap_or_default().to_owned();
        let number = properties["protectedItemDataId"].as_str().unwrap_or_default().to_owned();
        let policy = properties["policyName"].as_str().filter(|name| !name.is_empty()).map(str::to_ascii_lowercase);
        let mut item = Item::new(&native, &source, number);
        (item.set_up, item.policy) = (true, policy);
        item.protection = match properties["protectionState"].as_str() {
            Some("Protected") => Protection::Protected,
            Some("ProtectionStopped") => Protection::Stopped,
            _ => Protection::Pending,
        };
        let last = properties["lastBackupTime"].as_str().and_then(|time| time.parse::<Timestamp>().ok());
        let ended = !properties["lastBackupStatus"].as_str().unwrap_or_default().is_empty();
        item.last_backup = last.filter(|_| ended).map(|at| (at, "Completed"));
        item.exclusion =
            Some(properties["extendedProperties"]["diskExclusionProperties"].clone()).filter(|one| !one.is_null());
        if properties["isScheduledForDeferredDelete"] == true {
            item.deleted = Some((now, 14));
        }
        let place = item.key();
        let Some(vault) = self.vault_at(id) else { return };
        if let Some(before) = vault.items.get(&place) {
            item.points.clone_from(&before.points);
        }
        vault.items.insert(place.clone(), item);
        let vault = key(&vault.id());
        items::schedule(self, &vault, &place, now);
        self.list_item(&vault, &place, now);
    }

    fn seed_point_body(&mut self, id: &ResourceId, body: &Value) {
        let time = body["properties"]["recoveryPointTime"].as_str().and_then(|time| time.parse::<Timestamp>().ok());
        let Some((_, item)) = id.path.get(3).cloned() else { return };
        let name = id.name().to_owned();
        let machines = self.machines.clone();
        let Some(vault) = self.vault_at(id) else { return };
        let Some(item) = vault.items.get_mut(&item.to_ascii_lowercase()) else { return };
        let machine = machines.get(&item.source_key).map(std::sync::Arc::as_ref);
        if let Some(time) = time.filter(|_| item.points.iter().all(|point| point.name != name)) {
            item.points.push(of_old(name, time, machine, 2));
        }
    }
}

/// The properties of a vault policy of a test's own.
pub(super) fn policy_body(time: &str, days: u32, instant_days: u32) -> Value {
    let at = format!("2026-01-01T{time}:00Z");
    json!({
        "backupManagementType": "AzureIaasVM",
        "instantRPDetails": {},
        "schedulePolicy": {
            "schedulePolicyType": "SimpleSchedulePolicy",
            "scheduleRunFrequency": "Daily",
            "scheduleRunTimes": [at],
            "scheduleWeeklyFrequency": 0,
        },
        "retentionPolicy": {
            "retentionPolicyType": "LongTermRetentionPolicy",
            "dailySchedule": {
                "retentionTimes": [at],
                "retentionDuration": { "count": days, "durationType": "Days" },
            },
        },
        "instantRpRetentionRangeInDays": instant_days,
        "timeZone": "UTC",
    })
}
