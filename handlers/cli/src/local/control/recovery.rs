//! What really became of a failover, asked of the simulated Azure: machines, Site Recovery, Traffic Manager, and what it was asked for.
//! It never asks the handler, and never judges.

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Control, RequestSeen};

/// A machine as Azure has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MachineSeen {
    /// Its id.
    pub id: String,
    /// Where it is.
    pub location: String,
    /// `running`, `deallocating`, `deallocated`, …
    pub power_state: String,
}

/// A machine that Site Recovery replicates, or failed over.
#[derive(Clone, Debug, Deserialize)]
pub struct ReplicaSeen {
    /// The machine that is, or was, replicated.
    pub machine: String,
    /// `Protected`, `UnplannedFailoverCommitted`, …
    pub state: String,
    /// Its recovery points, newest first.
    pub points: Vec<Timestamp>,
}

/// An endpoint of Traffic Manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointSeen {
    /// Its name.
    pub name: String,
    /// Whether it is enabled.
    pub enabled: bool,
    /// What its probes say.
    pub monitor: String,
}

impl MachineSeen {
    /// Its name.
    pub fn name(&self) -> &str {
        self.id.rsplit('/').next().unwrap_or_default()
    }
}

impl Control {
    /// All machines.
    pub async fn machines_seen(&self) -> Result<Vec<MachineSeen>> {
        self.get("/machines", &[]).await
    }

    /// The machines of this id; none where it is gone.
    pub async fn machine_seen(&self, id: &str) -> Result<Option<MachineSeen>> {
        Ok(self.machines_seen().await?.into_iter().find(|machine| machine.id.eq_ignore_ascii_case(id)))
    }

    /// All that Site Recovery replicates.
    pub async fn replicas(&self) -> Result<Vec<ReplicaSeen>> {
        self.get("/replicas", &[]).await
    }

    /// Makes what is replicated so much older.
    pub async fn age_replicas(&self, by: SignedDuration) -> Result<()> {
        self.order("/replicas/age", &json!({ "seconds": by.as_secs() })).await
    }

    /// The endpoints of the only profile there is.
    pub async fn endpoints(&self) -> Result<Vec<EndpointSeen>> {
        let profiles: Vec<Value> = self.get("/traffic/profiles", &[]).await?;
        let endpoints = profiles.iter().flat_map(|one| one["properties"]["endpoints"].as_array().into_iter().flatten());
        let text = |of: &Value| of.as_str().unwrap_or_default().to_owned();
        let seen = endpoints.map(|one| EndpointSeen {
            name: text(&one["name"]),
            enabled: one["properties"]["endpointStatus"] == "Enabled",
            monitor: text(&one["properties"]["endpointMonitorStatus"]),
        });
        Ok(seen.collect())
    }

    /// Of which things Azure accepted an order of this name, oldest first: `sql-01` for `…/sql-01/unplannedFailover`.
    pub async fn accepted(&self, verb: &str) -> Result<Vec<String>> {
        let end = format!("/{}", verb.to_lowercase());
        let is_one = |one: &RequestSeen| one.method == "POST" && one.status == Some(202);
        let all: Vec<RequestSeen> = self.get("/requests", &[]).await?;
        let paths = all.iter().filter(|one| is_one(one)).map(|one| one.path.to_lowercase());
        Ok(paths.filter_map(|path| Some(path.strip_suffix(&end)?.rsplit('/').next()?.to_owned())).collect())
    }

    /// The names of endpoints whose change Azure acknowledged, oldest first.
    pub async fn endpoint_writes(&self) -> Result<Vec<String>> {
        let all: Vec<RequestSeen> = self.get("/requests", &[]).await?;
        let is_one = |one: &&RequestSeen| {
            matches!(one.method.as_str(), "PATCH" | "PUT") && one.status.is_some_and(|status| status < 300)
        };
        let paths = all.iter().filter(is_one).map(|one| one.path.to_lowercase());
        let endpoint =
            |path: String| Some(path.split_once("/trafficmanagerprofiles/")?.1.rsplit('/').next()?.to_owned());
        Ok(paths.filter_map(endpoint).collect())
    }

    /// The events that the topic accepted, of this kind.
    pub async fn told(&self, kind: &str) -> Result<Vec<Value>> {
        let all: Vec<Value> = self.get("/topic", &[]).await?;
        let is_one =
            |event: &Value| event["type"].as_str().is_some_and(|own| own.trim_start_matches("io.lifeboat.") == kind);
        Ok(all.into_iter().filter(is_one).collect())
    }
}

/// The body of a fault order: every connection about the machines of a group breaks, as long as it stands.
pub fn machines_break_off(group: &str) -> Value {
    let path = format!("/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/");
    json!({ "on": { "path": path }, "times": null, "effect": "resetBefore" })
}

/// The body of a fault order: every write of this action is acknowledged and not done.
pub fn acknowledged_and_not_done(action: &str) -> Value {
    json!({ "on": { "action": action }, "times": null, "effect": "acknowledgedButDropped" })
}
