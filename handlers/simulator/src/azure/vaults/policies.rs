//! Vault policies: when machines of a vault are backed up and how long their points are kept.
//! It never changes what a caller wrote but for what is normalised, and never deletes a policy that is in use.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::super::call::{Answer, Call};
use super::super::errors::ArmError;
use super::super::paging;
use super::super::state::State;
use super::denials::POLICIES_PER_VAULT;
use super::{Vault, VaultDenial, asked, filter_of, items, policy_rules, vault_key, vault_of};

/// When the vault policies of a fresh vault run, hours in UTC (recorded).
const DEFAULT_HOUR: i8 = 20;
/// When the enhanced one's window begins (recorded).
const ENHANCED_HOUR: i8 = 8;

/// A vault policy.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    pub(super) name: String,
    /// The properties, without the count.
    pub(super) body: Value,
}

impl Policy {
    /// Whether it is for machines.
    pub(super) fn is_for_machines(&self) -> bool {
        self.body["backupManagementType"] == "AzureIaasVM"
    }

    /// `V1` or `V2`.
    pub(super) fn generation(&self) -> &str {
        self.body["policyType"].as_str().unwrap_or("V1")
    }

    /// Days that a snapshot stays beside its copy in the vault.
    pub(super) fn instant_days(&self) -> i64 {
        self.body["instantRpRetentionRangeInDays"].as_i64().unwrap_or(2)
    }

    fn json(&self, vault: &Vault) -> Value {
        let mut properties = self.body.clone();
        properties["protectedItemsCount"] = json!(vault.items_of_policy(&self.name));
        json!({
            "id": format!("{}/backupPolicies/{}", vault.id(), self.name),
            "name": self.name,
            "type": "Microsoft.RecoveryServices/vaults/backupPolicies",
            "properties": properties,
        })
    }
}

/// The three of a fresh vault (recorded).
pub(super) fn of_a_fresh_vault(now: Timestamp) -> BTreeMap<String, Policy> {
    let days = json!({ "count": 30, "durationType": "Days" });
    let at = |hour: i8| {
        let day = TimeZone::UTC.to_datetime(now).date();
        format!("{day}T{}Z", Time::constant(hour, 0, 0, 0))
    };
    let retention = |hour: i8| {
        json!({
            "retentionPolicyType": "LongTermRetentionPolicy",
            "dailySchedule": { "retentionTimes": [at(hour)], "retentionDuration": days },
        })
    };
    let daily = json!({
        "schedulePolicyType": "SimpleSchedulePolicy",
        "scheduleRunFrequency": "Daily",
        "scheduleRunTimes": [at(DEFAULT_HOUR)],
        "scheduleWeeklyFrequency": 0,
    });
    let usual = json!({
        "backupManagementType": "AzureIaasVM",
        "instantRPDetails": {},
        "schedulePolicy": daily,
        "retentionPolicy": retention(DEFAULT_HOUR),
        "instantRpRetentionRangeInDays": 2,
        "timeZone": "UTC",
    });
    let mut enhanced = usual.clone();
    enhanced["policyType"] = json!("V2");
    enhanced["schedulePolicy"] = json!({
        "schedulePolicyType": "SimpleSchedulePolicyV2",
        "scheduleRunFrequency": "Hourly",
        "hourlySchedule": {
            "interval": 4,
            "scheduleWindowStartTime": at(ENHANCED_HOUR),
            "scheduleWindowDuration": 12,
        },
    });
    enhanced["retentionPolicy"] = retention(ENHANCED_HOUR);
    let logs = json!({
        "backupManagementType": "AzureWorkload",
        "workLoadType": "SQLDataBase",
        "settings": { "timeZone": "UTC", "issqlcompression": false, "isCompression": false },
        "subProtectionPolicy": [
            { "policyType": "Full", "schedulePolicy": daily, "retentionPolicy": retention(DEFAULT_HOUR) },
            {
                "policyType": "Log",
                "schedulePolicy": { "schedulePolicyType": "LogSchedulePolicy", "scheduleFrequencyInMins": 60 },
                "retentionPolicy": { "retentionPolicyType": "SimpleRetentionPolicy", "retentionDuration": days },
            },
        ],
    });
    let all = [("DefaultPolicy", usual), ("EnhancedPolicy", enhanced), ("HourlyLogBackup", logs)];
    all.into_iter().map(|(name, body)| (name.to_ascii_lowercase(), Policy { name: name.to_owned(), body })).collect()
}

/// `PUT …/backupPolicies/{name}`: 200 (recorded). *Assumed* (`vault-sim-policy-refusals`): that it is 200 too where items use
/// it, and that no job tells of the change.
pub(crate) fn put(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let body = policy_rules::checked(&call.object()?["properties"])?;
    let name = call.param(3).to_owned();
    let vault = vault_of(state, call)?;
    let place = name.to_ascii_lowercase();
    if !vault.policies.contains_key(&place) && vault.policies.len() >= POLICIES_PER_VAULT {
        return Err(VaultDenial::PoliciesFull.error(&vault.name));
    }
    let policy = vault.policies.entry(place.clone()).or_insert_with(|| Policy { name, body: Value::Null });
    policy.body = body;
    let answer = Answer::new(200, policy.clone().json(vault));
    let affected: Vec<String> = vault
        .items
        .iter()
        .filter(|(_, item)| item.policy.as_ref() == Some(&place))
        .map(|(key, _)| key.clone())
        .collect();
    for item in affected {
        items::schedule(state, &vault_key(call), &item, call.now);
    }
    Ok(answer)
}

/// `GET …/backupPolicies/{name}`.
pub(crate) fn get(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let vault = vault_of(state, call)?;
    let found = vault.policies.get(&call.param(3).to_ascii_lowercase());
    let found = found.ok_or_else(|| VaultDenial::PolicyMissing.error(call.param(3)))?;
    Ok(Answer::new(200, found.json(vault)))
}

/// `GET …/backupPolicies`, with the filter by management type.
pub(crate) fn list(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let filter = filter_of(call)?;
    let size = state.page_size;
    let vault = &*vault_of(state, call)?;
    let wanted = |policy: &Policy| {
        asked(&filter, "backupmanagementtype", policy.body["backupManagementType"].as_str().unwrap_or_default())
    };
    let all = vault.policies.iter().filter(|(_, policy)| wanted(policy));
    Ok(paging::listing(call, all.map(|(key, policy)| (key.clone(), policy.json(vault))), size))
}

/// `DELETE …/backupPolicies/{name}`: 200, or 204 where there is none (documented); refused while items use it.
pub(crate) fn delete(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let vault = vault_of(state, call)?;
    if vault.items_of_policy(call.param(3)) > 0 {
        return Err(VaultDenial::PolicyInUse.error(call.param(3)));
    }
    let found = vault.policies.remove(&call.param(3).to_ascii_lowercase());
    Ok(Answer::empty(if found.is_some() { 200 } else { 204 }))
}
