//! What really happened, asked of the simulated Azure over HTTP: its control API, and for the text of the ledger its blob service.
//! It never asks the handler and never the host: neither is judge in its own cause.

mod ledger;
mod recovery;

use anyhow::{Context, Result, bail};
use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, Method};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub use ledger::LedgerSeen;
pub use recovery::{EndpointSeen, acknowledged_and_not_done, machines_break_off};

use crate::client;

/// The container that is the store.
pub const CONTAINER: &str = "lifeboat";
/// The queue whose messages ask for looks.
pub const QUEUE: &str = "reconcile";

/// What is due within this of the simulated time is waited for; what comes later, as the next backup of a vault, keeps nobody busy.
const SOON: SignedDuration = SignedDuration::from_secs(5);

/// The control API of one simulated Azure.
#[derive(Clone, Debug)]
pub struct Control {
    client: Client,
    url: String,
    blobs_url: String,
    blobs_token: String,
}

/// A restore point as Azure has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PointSeen {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: String,
    /// When it was made.
    pub time_created: Timestamp,
    /// `Creating`, `Succeeded`, `Failed` or `Deleting`.
    pub state: String,
    /// What was reached, or asked for.
    pub consistency: Option<String>,
}

/// A machine in a vault.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemSeen {
    /// The machine's id.
    pub machine: String,
    /// The vault's id.
    pub vault: String,
    /// The vault policy's name.
    pub policy: String,
    /// `IRPending`, `Protected` or `ProtectionStopped`.
    pub protection: String,
    /// How many recovery points it has.
    pub points: usize,
}

/// A job of a vault.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobSeen {
    /// The machine's name.
    pub machine: String,
    /// What it does.
    pub operation: String,
    /// `InProgress`, `Completed`, …
    pub status: String,
}

/// A machine's protection by points of Lifeboat's own.
#[derive(Clone, Debug)]
pub struct Protection {
    /// All its points, over all collections.
    pub points: Vec<PointSeen>,
    /// Its ledger.
    pub ledger: LedgerSeen,
}

/// What waits in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct QueueSeen {
    /// Visible.
    pub active: usize,
    /// Held by a receiver.
    pub locked: usize,
    /// Given up, and kept.
    pub dead: usize,
}

/// An event that Azure raised.
#[derive(Clone, Debug, Deserialize)]
pub struct EventSeen {
    /// Its id.
    pub id: String,
    /// The resource.
    pub subject: String,
}

/// An attempt to deliver an event.
#[derive(Clone, Debug, Deserialize)]
pub struct DeliverySeen {
    /// The resource.
    pub subject: String,
    /// How it ended.
    pub outcome: String,
}

/// A request to Azure Resource Manager.
#[derive(Clone, Debug, Deserialize)]
pub struct RequestSeen {
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// None while there is no answer.
    pub status: Option<u16>,
}

#[derive(Deserialize)]
struct Made {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct State {
    now: Timestamp,
    next_due: Option<Timestamp>,
    events_under_way: usize,
}

impl Control {
    /// Asks there.
    pub fn new(url: String, blobs_url: String, blobs_token: String) -> Result<Self> {
        Ok(Self { client: client::client(true)?, url, blobs_url, blobs_token })
    }

    /// Creates a machine as a deployment does; answers its id.
    pub async fn create_machine(&self, seed: &Value) -> Result<String> {
        Ok(self.post::<Made>("/machines", seed).await?.id)
    }

    /// All machines' ids.
    pub async fn machines(&self) -> Result<Vec<String>> {
        Ok(self.get::<Vec<Made>>("/machines", &[]).await?.into_iter().map(|machine| machine.id).collect())
    }

    /// The state of a machine, as Azure writes it; empty when there is none.
    pub async fn machine_state(&self, id: &str) -> Result<String> {
        let machines: Vec<Value> = self.get("/machines", &[]).await?;
        let ours =
            machines.iter().find(|machine| machine["id"].as_str().is_some_and(|own| own.eq_ignore_ascii_case(id)));
        Ok(ours.and_then(|machine| machine["provisioningState"].as_str()).unwrap_or_default().to_owned())
    }

    /// A machine's points.
    pub async fn points(&self, machine: &str) -> Result<Vec<PointSeen>> {
        self.get("/points", &[("machine", machine)]).await
    }

    /// A machine's points and what the ledger says about them.
    pub async fn protection(&self, machine: &str) -> Result<Protection> {
        let points = self.points(machine).await?;
        let ledger = self.ledger(machine, points.first().map(|point| point.name.as_str())).await?;
        Ok(Protection { points, ledger })
    }

    /// What the ledger says of what was deleted of a machine: what, and why.
    pub async fn expired(&self, machine: &str) -> Result<Vec<String>> {
        let mut all = Vec::new();
        for text in self.ledgers().await? {
            all.extend(ledger::expired(&text, machine));
        }
        Ok(all)
    }

    /// The machines that are in vaults.
    pub async fn items(&self) -> Result<Vec<ItemSeen>> {
        self.get("/vault-items", &[]).await
    }

    /// The jobs of vaults about a machine, by its name, oldest first.
    pub async fn jobs(&self, machine: &str) -> Result<Vec<JobSeen>> {
        let all: Vec<JobSeen> = self.get("/vault-jobs", &[]).await?;
        Ok(all.into_iter().filter(|job| job.machine.eq_ignore_ascii_case(machine)).collect())
    }

    /// Takes a point away behind everybody's back: a fault to plant.
    pub async fn remove_point(&self, id: &str) -> Result<()> {
        self.send::<Value>(Method::DELETE, "/points", &[("id", id)], &Value::Null).await.map(drop)
    }

    /// What waits in the queue of looks.
    pub async fn queue(&self) -> Result<QueueSeen> {
        self.get("/queues", &[("name", QUEUE)]).await
    }

    /// Events about a machine.
    pub async fn events(&self, machine: &str) -> Result<Vec<EventSeen>> {
        let events: Vec<EventSeen> = self.get("/events", &[]).await?;
        Ok(events.into_iter().filter(|event| event.subject.eq_ignore_ascii_case(machine)).collect())
    }

    /// Deliveries of events about a machine that were taken.
    pub async fn delivered(&self, machine: &str) -> Result<Vec<DeliverySeen>> {
        let all: Vec<DeliverySeen> = self.get("/deliveries", &[]).await?;
        let ours = |one: &DeliverySeen| one.subject.eq_ignore_ascii_case(machine) && one.outcome == "delivered";
        Ok(all.into_iter().filter(ours).collect())
    }

    /// Requests that write a restore point, oldest first.
    pub async fn point_writes(&self) -> Result<Vec<RequestSeen>> {
        self.of_points("PUT").await
    }

    /// Requests that delete a restore point, oldest first.
    pub async fn point_deletes(&self) -> Result<Vec<RequestSeen>> {
        self.of_points("DELETE").await
    }

    /// How often somebody asked a vault to back a machine up.
    pub async fn backups_asked(&self) -> Result<usize> {
        let all: Vec<RequestSeen> = self.get("/requests", &[]).await?;
        let is_one = |one: &&RequestSeen| one.method == "POST" && one.path.to_lowercase().ends_with("/backup");
        Ok(all.iter().filter(is_one).count())
    }

    async fn of_points(&self, method: &str) -> Result<Vec<RequestSeen>> {
        let all: Vec<RequestSeen> = self.get("/requests", &[]).await?;
        let is_one = |one: &RequestSeen| one.method == method && one.path.to_lowercase().contains("/restorepoints/");
        Ok(all.into_iter().filter(is_one).collect())
    }

    /// Whether Azure is still busy: with something that is over soon, or with delivering an event.
    pub async fn is_busy(&self) -> Result<bool> {
        let state: State = self.get("/state", &[]).await?;
        let soon = state.next_due.is_some_and(|due| due.duration_since(state.now) < SOON);
        Ok(soon || state.events_under_way != 0)
    }

    /// Gives an order to the simulated Azure: something that happens, or a fault.
    pub async fn order(&self, path: &str, body: &Value) -> Result<()> {
        self.post::<Value>(path, body).await.map(drop)
    }

    /// Takes back every fault that was ordered.
    pub async fn clear_faults(&self) -> Result<()> {
        self.send::<Value>(Method::DELETE, "/faults", &[], &Value::Null).await.map(drop)
    }

    /// What the ledger says about a machine, and about one of its points.
    pub async fn ledger(&self, machine: &str, point: Option<&str>) -> Result<LedgerSeen> {
        let mut seen = LedgerSeen::default();
        for text in self.ledgers().await? {
            seen.add(&text, machine, point);
        }
        Ok(seen)
    }

    /// The text of each chain.
    async fn ledgers(&self) -> Result<Vec<String>> {
        let names: Vec<String> = self.get("/blobs", &[("container", CONTAINER)]).await?;
        let mut texts = Vec::new();
        for name in names.iter().filter(|name| name.starts_with("ledger/") && name.ends_with(".jsonl")) {
            texts.push(self.blob(name).await?);
        }
        Ok(texts)
    }

    async fn blob(&self, name: &str) -> Result<String> {
        let url = format!("{}/{CONTAINER}/{name}", self.blobs_url);
        let request = self.client.get(url).bearer_auth(&self.blobs_token).header("x-ms-version", "2023-11-03");
        let answer = client::ask(request).await.context("the simulated store does not answer")?;
        // A blob may have gone between list and read; then it says nothing.
        Ok(if answer.is_success() { answer.text() } else { String::new() })
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> Result<T> {
        self.send(Method::GET, path, query, &Value::Null).await
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T> {
        self.send(Method::POST, path, &[], body).await
    }

    async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: &Value,
    ) -> Result<T> {
        let mut url = reqwest::Url::parse(&self.url)?.join(path)?;
        url.query_pairs_mut().extend_pairs(query);
        let request = self.client.request(method, url);
        let request = if body.is_null() { request } else { request.body(serde_json::to_vec(body)?) };
        let answer = client::ask(request).await.context("the simulated Azure does not answer")?;
        if !answer.is_success() {
            bail!("the simulated Azure refused {path}: {}", answer.text());
        }
        serde_json::from_slice(&answer.body)
            .with_context(|| format!("the simulated Azure's answer to {path} is not understood"))
    }
}

impl Protection {
    /// Whether there is exactly one point, good and written down before and after.
    pub fn is_whole(&self) -> bool {
        matches!(self.points.as_slice(), [point] if point.state == "Succeeded")
            && self.ledger.decided
            && self.ledger.verified
    }

    /// In one line for people.
    pub fn words(&self) -> String {
        let points = match self.points.as_slice() {
            [] => "no restore point".to_owned(),
            [point] => format!(
                "one restore point, {} ({})",
                point.state,
                point.consistency.as_deref().unwrap_or("no consistency yet")
            ),
            several => format!(
                "{} restore points: {}",
                several.len(),
                several.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(", ")
            ),
        };
        let ledger = match self.ledger {
            LedgerSeen { entries: 0, .. } => "no entry in the ledger".to_owned(),
            LedgerSeen { decided: false, entries, .. } => {
                format!("{entries} entries in the ledger, none that decides it")
            }
            LedgerSeen { verified: false, .. } => "its decision in the ledger, its outcome not yet".to_owned(),
            LedgerSeen { .. } => "decision and outcome in the ledger".to_owned(),
        };
        format!("{points}; {ledger}")
    }
}

/// The body of a fault order: the next write of a restore point never gets an answer.
pub fn next_point_write_hangs() -> Value {
    json!({ "on": { "action": "Microsoft.Compute/restorePointCollections/restorePoints/write" }, "effect": "hang" })
}
