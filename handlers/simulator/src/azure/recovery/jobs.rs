//! Jobs of Site Recovery: each operation is one, under the same name, with its tasks and errors.
//! It never tells a job that its vault did not start.

use serde_json::{Value, json};

use super::super::call::{Answer, Call};
use super::super::errors::ArmError;
use super::super::ids::key;
use super::super::state::State;
use super::operations::{Effect, Operation, seven};
use super::{KIND, RecoveryDenial, own_id, whole_list};

/// What an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scenario {
    CreateFabric,
    DeleteFabric,
    CreateContainer,
    RemoveContainer,
    CreatePolicy,
    DeletePolicy,
    PairContainers,
    UnpairContainers,
    PairNetworks,
    UnpairNetworks,
    CreatePlan,
    DeletePlan,
    RefreshHealth,
    Enable,
    Disable,
    FailOver,
    ChangePoint,
    Commit,
    Switch,
}

impl Scenario {
    /// How long it takes, in milliseconds: as recorded, but for a change of the point, which is *assumed*
    /// (`sr-sim-change-point`) to take as long as a failover.
    pub(super) fn milliseconds(self) -> u32 {
        match self {
            Self::CreateFabric => 70_000,
            Self::PairContainers => 64_000,
            Self::PairNetworks => 4_000,
            Self::Enable => 425_000,
            Self::Disable => 111_000,
            Self::FailOver | Self::ChangePoint => 139_300,
            Self::Commit => 7_900,
            Self::Switch => 505_000,
            Self::DeleteFabric => 1_500,
            Self::CreateContainer
            | Self::RemoveContainer
            | Self::CreatePolicy
            | Self::DeletePolicy
            | Self::UnpairContainers
            | Self::UnpairNetworks
            | Self::CreatePlan
            | Self::DeletePlan
            | Self::RefreshHealth => 750,
        }
    }

    /// The scenario's name and what people read. `RefreshVaultHealth` is recorded, those of failover, commit and reversal are in
    /// the document's examples; the others are *assumed* (`sr-sim-jobs`).
    pub(super) fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::CreateFabric => ("CreateFabric", "Create fabric"),
            Self::DeleteFabric => ("DeleteFabric", "Delete fabric"),
            Self::CreateContainer => ("CreateProtectionContainer", "Create protection container"),
            Self::RemoveContainer => ("RemoveProtectionContainer", "Remove protection container"),
            Self::CreatePolicy => ("AddProtectionProfile", "Create replication policy"),
            Self::DeletePolicy => ("DeleteProtectionProfile", "Delete replication policy"),
            Self::PairContainers => ("PairContainers", "Pair protection containers"),
            Self::UnpairContainers => ("UnpairContainers", "Unpair protection containers"),
            Self::PairNetworks => ("PairNetworks", "Pair networks"),
            Self::UnpairNetworks => ("UnpairNetworks", "Unpair networks"),
            Self::CreatePlan => ("CreateRecoveryPlan", "Create recovery plan"),
            Self::DeletePlan => ("DeleteRecoveryPlan", "Delete recovery plan"),
            Self::RefreshHealth => ("RefreshVaultHealth", "Refresh vault health"),
            Self::Enable => ("EnableProtection", "Enable replication"),
            Self::Disable => ("DisableProtection", "Disable replication"),
            Self::FailOver => ("UnplannedFailover", "Failover"),
            Self::ChangePoint => ("ApplyRecoveryPoint", "Change recovery point"),
            Self::Commit => ("CommitFailover", "Commit"),
            Self::Switch => ("ReverseReplication", "Re-protect"),
        }
    }

    /// What it is about, as jobs say it.
    fn object(self) -> &'static str {
        match self {
            Self::RefreshHealth => "Vault",
            Self::Enable | Self::Disable | Self::FailOver | Self::ChangePoint | Self::Commit | Self::Switch => {
                "ProtectionEntity"
            }
            _ => "Fabric",
        }
    }
}

impl Operation {
    /// What went wrong.
    fn errors(&self, seed: u64, now: jiff::Timestamp, task: &str) -> Vec<Value> {
        let told = self.told(now).into_iter();
        told.map(|error| {
            json!({
                "serviceErrorDetails": {
                    "code": error.code,
                    "message": error.message,
                    "possibleCauses": "",
                    "recommendedAction": "",
                    "activityId": super::super::ids::guid_of(seed, "activity", &self.name),
                },
                "errorLevel": if self.failure.is_some() { "Error" } else { "Warning" },
                "creationTime": seven(self.ends),
                "taskId": task,
            })
        })
        .collect()
    }

    /// As a job: a list tells neither tasks nor details (recorded).
    fn job(&self, seed: u64, now: jiff::Timestamp, whole: bool) -> Value {
        let (scenario, friendly) = self.scenario.names();
        let state = self.word(now);
        let description = match (state, &self.warning) {
            ("Succeeded", Some(_)) => "CompletedWithInformation",
            ("Succeeded", None) => "Completed",
            (other, _) => other,
        };
        let ended = self.ends <= now;
        let end = ended.then(|| self.ends.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        let task = format!("{scenario}Task");
        let errors = self.errors(seed, now, &task);
        let tasks = json!([{
            "taskId": task,
            "name": task,
            "startTime": seven(self.started),
            "endTime": end,
            "allowedActions": [],
            "friendlyName": friendly,
            "state": state,
            "stateDescription": description,
            "taskType": "TaskDetails",
            "customDetails": { "instanceType": "TaskDetails" },
            "groupTaskCustomDetails": null,
            "errors": errors,
        }]);
        let details = json!({ "instanceType": "AsrJobDetails", "affectedObjectDetails": {} });
        let mut body = json!({
            "id": format!("{}/replicationJobs/{}", self.vault, self.name),
            "name": self.name,
            "type": format!("{KIND}/replicationJobs"),
            "properties": {
                "activityId": whole.then(|| super::super::ids::guid_of(seed, "activity", &self.name)),
                "scenarioName": scenario,
                "friendlyName": friendly,
                "state": state,
                "stateDescription": description,
                "tasks": if whole { tasks } else { json!([]) },
                "errors": errors,
                "startTime": seven(self.started),
                "endTime": end,
                "allowedActions": [],
                "targetObjectId": self.object.0,
                "targetObjectName": self.object.1,
                "targetInstanceType": self.scenario.object(),
                "customDetails": if whole { details } else { Value::Null },
            },
        });
        if !ended {
            // *Assumed* (`sr-sim-jobs`): what runs tells no end; no tape asks for a job that runs.
            let properties = [body["properties"].as_object_mut()];
            properties.into_iter().flatten().for_each(|fields| drop(fields.remove("endTime")));
            let tasks = body["properties"]["tasks"].as_array_mut();
            tasks.into_iter().flatten().filter_map(Value::as_object_mut).for_each(|task| drop(task.remove("endTime")));
        }
        body
    }
}

/// `GET …/replicationJobs`: newest first. *Assumed* (`sr-sim-jobs`): the order, and that a filter only leaves out.
pub(crate) fn list(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let vault = key(&own_id(call, ""));
    let own = state.recovery.operations.values().filter(|one| key(&one.vault) == vault);
    let mut found: Vec<&Operation> = own.collect();
    found.sort_by(|one, other| other.started.cmp(&one.started).then(one.name.cmp(&other.name)));
    Ok(Answer::new(200, whole_list(found.iter().map(|one| one.job(state.seed, call.now, false)).collect())))
}

/// `GET …/replicationJobs/{name}`.
pub(crate) fn get(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let vault = key(&own_id(call, ""));
    let name = call.param(3).to_ascii_lowercase();
    let found = state.recovery.operations.get(&name).filter(|one| key(&one.vault) == vault);
    let found = found.ok_or_else(|| RecoveryDenial::Missing.error(&name))?;
    Ok(Answer::new(200, found.job(state.seed, call.now, true)))
}

/// `POST …/replicationVaultHealth/default/refresh`: an operation that changes nothing here (recorded).
pub(crate) fn refresh_health(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let object = (super::super::ids::guid_of(state.seed, "vault", &own_id(call, "")), String::new());
    let (_, answer) =
        state.begin_recovery(call, Scenario::RefreshHealth, "/replicationVaultHealth", object, Effect::Nothing);
    Ok(answer)
}
