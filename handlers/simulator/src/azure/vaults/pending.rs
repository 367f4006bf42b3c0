//! Operations of vaults and of the backup service: their URLs and what those answer.
//! It never says what became of a job: an operation that succeeded only means that its job is there.
//!
//! Operations of a vault itself have names in base64 and signed URLs that must come back as they were given. Those of the
//! backup service have GUIDs, and answer without the signature too (recorded: `backupOperations/{guid}`).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::call::{Answer, Call, Failure};
use super::super::errors::ArmError;
use super::super::ids::{guid_of, stamp_z};
use super::super::state::{State, Step};
use super::{VaultStep, Vaults, vault_key};

/// What callers are told to wait between polls of the backup service, in seconds (documented by its examples).
const BACKUP_RETRY_SECONDS: u32 = 60;
/// The same of operations of a vault itself. *Assumed* (`arm-retry-after-value`): the recorder left the header out.
const VAULT_RETRY_SECONDS: u32 = 10;
/// How long an operation of the backup service takes before it says that its job is there, in milliseconds. *Assumed*
/// (`vault-sim-operation-length`): recorded is that it is under way at the first poll, mostly.
const OPERATION_MS: u32 = 5_000;
/// What operations of vaults carry in their names before the identifier (recorded).
const MARKS: [(&str, &str); 3] = [("PUT", "2047"), ("PATCH", "4095"), ("DELETE", "1023")];
/// How an operation that has not ended writes its end (recorded).
pub(super) const NEVER: &str = "0001-01-01T00:00:00";

/// Where an operation is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// `operationStatus` and `operationResults` of the vault.
    Vault,
    /// Below the backup service.
    Backup,
}

/// An operation.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    place: Place,
    vault: String,
    query: String,
    started: Timestamp,
    ends: Timestamp,
    failure: Option<Failure>,
    /// The job that it started.
    job: Option<String>,
    /// The path that its results answer after it, if any.
    result: Option<String>,
}

/// How a call says that it goes on.
#[derive(Clone, Debug)]
pub(super) struct Begun {
    pub(super) name: String,
    place: Place,
    status_url: String,
    results_url: String,
}

impl Pending {
    /// When it ends.
    pub(super) fn ends(&self) -> Timestamp {
        self.ends
    }
}

impl Place {
    fn retry_after(self) -> String {
        let seconds = if self == Self::Vault { VAULT_RETRY_SECONDS } else { BACKUP_RETRY_SECONDS };
        seconds.to_string()
    }
}

impl Begun {
    /// 202 with both headers.
    pub(super) fn accepted(&self) -> Answer {
        self.status_only(Answer::empty(202)).with_header("location", &self.results_url)
    }

    /// The answer with the header of a vault's creation, which has no `Location` (recorded).
    pub(super) fn status_only(&self, answer: Answer) -> Answer {
        answer
            .with_header("azure-asyncoperation", &self.status_url)
            .with_header("retry-after", self.place.retry_after())
    }
}

impl Vaults {
    /// Takes over operations that another state started: for writes that are acknowledged and dropped.
    pub(crate) fn adopt(&mut self, other: &Self) {
        for (name, pending) in &other.pending {
            self.pending.entry(name.clone()).or_insert_with(|| pending.clone());
        }
        self.numbered = other.numbered;
    }
}

impl State {
    /// Begins an operation of a vault itself, which takes so long.
    pub(super) fn begin_vault_operation(&mut self, call: &Call, milliseconds: u32) -> Begun {
        let mark = MARKS.iter().find(|(method, _)| *method == call.method).map_or("4095", |(_, mark)| mark);
        let name = STANDARD.encode(format!("{mark};{}", self.names.guid()));
        let path = format!("{}/vaults/{}", vault_base(call), call.param(2));
        let url = |kind: &str| format!("{path}/{kind}/{name}");
        let (status, results) = (url("operationStatus"), url("operationResults"));
        let pending = (Place::Vault, milliseconds, None);
        self.begin(call, &name, pending, [status, results], call.query("api-version").unwrap_or_default())
    }

    /// Begins an operation of the backup service whose URLs hang on `below`, a path below the vault.
    pub(super) fn begin_backup_operation(&mut self, call: &Call, below: &str, job: Option<String>) -> Begun {
        let name = job.clone().filter(|_| below.ends_with("/restore")).unwrap_or_else(|| self.names.guid());
        let below = below.trim_end_matches("/restore");
        let path = format!("{}/vaults/{}", vault_base(call), call.param(2));
        let version = call.query("api-version").unwrap_or_default().to_owned();
        let urls = if below.is_empty() {
            [format!("{path}/backupOperations/{name}"), format!("{path}/backupOperationResults/{name}")]
        } else {
            [format!("{path}/{below}/operationsStatus/{name}"), format!("{path}/{below}/operationResults/{name}")]
        };
        // The status of what is no item carries an old version (recorded).
        let is_item = below.is_empty() || below.contains("/protectedItems/");
        let of_status = if is_item { version } else { "2019-05-13-preview".to_owned() };
        self.begin(call, &name, (Place::Backup, OPERATION_MS, job), urls, &of_status)
    }

    fn begin(
        &mut self,
        call: &Call,
        name: &str,
        (place, milliseconds, job): (Place, u32, Option<String>),
        [status, results]: [String; 2],
        version: &str,
    ) -> Begun {
        let signature = guid_of(self.seed, "vault operation", name).replace('-', "");
        let signed = format!("t={}&c={signature}&s={signature}&h={}", call.now.as_microsecond(), &signature[..16]);
        let asked = call.query("api-version").unwrap_or_default();
        let query = format!("api-version={asked}&{signed}");
        let ordered = Self::ordered_failure(call);
        let usual = call.now.checked_add(self.latencies.scaled(milliseconds)).unwrap_or(Timestamp::MAX);
        let (ends, failure) = ordered.map_or((usual, None), |(at, failure)| (at, Some(failure)));
        let result = (call.method == "PUT" && place == Place::Backup).then(|| call.path.clone());
        let (vault, started) = (vault_key(call), call.now);
        let pending = Pending { place, vault, query: query.clone(), started, ends, failure, job, result };
        self.vaults.pending.insert(name.to_owned(), pending);
        self.later(ends, Step::Vault(VaultStep::OperationEnds));
        Begun {
            name: name.to_owned(),
            place,
            status_url: format!("{}{status}?api-version={version}&{signed}", call.base),
            results_url: format!("{}{results}?{query}", call.base),
        }
    }
}

/// `GET …/vaults/{v}/operationStatus/{id}`.
pub(crate) fn vault_status(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let (name, found) = signed(state, call)?;
    let mut body = json!({ "id": call.path, "name": name });
    let ended = found.ends <= call.now;
    body["status"] = json!(word(found, call.now));
    if let Some(failure) = found.failure.as_ref().filter(|_| ended) {
        body["error"] = json!({ "code": failure.code, "message": failure.message });
    }
    let answer = Answer::new(200, body);
    if ended {
        return Ok(answer);
    }
    let results = call.path.replace("operationStatus", "operationResults");
    let answer = answer.with_header("azure-asyncoperation", format!("{}{}?{}", call.base, call.path, found.query));
    Ok(answer
        .with_header("location", format!("{}{results}?{}", call.base, found.query))
        .with_header("retry-after", found.place.retry_after()))
}

/// `GET …/vaults/{v}/operationResults/{id}`: 202, then the vault, or nothing where it goes.
pub(crate) fn vault_results(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let (_, found) = signed(state, call)?;
    if let Some(answer) = unfinished(call, found)? {
        return Ok(answer);
    }
    let vault = state.vaults.by_key.get(&vault_key(call)).filter(|vault| vault.life != super::Life::Deleting);
    Ok(vault.map_or_else(|| Answer::empty(204), |vault| Answer::new(200, vault.json())))
}

/// `GET …/backupOperations/{id}` and `…/operationsStatus/{id}`: 200 always, with the job once there is one.
pub(crate) fn backup_status(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let (name, found) = known(state, call)?;
    let ended = found.ends <= call.now;
    let mut body = json!({
        "id": name,
        "name": name,
        "status": word(found, call.now),
        "startTime": stamp_z(found.started),
        // An operation says that it ended when it began (recorded).
        "endTime": if ended { stamp_z(found.started) } else { NEVER.to_owned() },
    });
    match (&found.failure, &found.job) {
        (Some(failure), _) if ended => body["error"] = json!({ "code": failure.code, "message": failure.message }),
        (None, Some(job)) if ended => {
            body["properties"] = json!({ "objectType": "OperationStatusJobExtendedInfo", "jobId": job });
        }
        _ => {}
    }
    let answer = Answer::new(200, body);
    Ok(if ended { answer } else { answer.with_header("retry-after", found.place.retry_after()) })
}

/// `GET …/operationResults/{id}` and `…/backupOperationResults/{id}`: 202 (recorded), then 204, or the item of a `PUT`
/// (documented).
pub(crate) fn backup_results(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let (_, found) = known(state, call)?;
    if let Some(answer) = unfinished(call, found)? {
        return Ok(answer);
    }
    let item = found.result.clone().and_then(|path| {
        let name = path.rsplit('/').next()?.to_ascii_lowercase();
        let vault = state.vaults.by_key.get(&vault_key(call))?;
        let item = vault.items.get(&name).filter(|item| item.is_there())?;
        Some(item.json(vault, call.now))
    });
    Ok(item.map_or_else(|| Answer::empty(204), |body| Answer::new(200, body)))
}

fn unfinished(call: &Call, found: &Pending) -> Result<Option<Answer>, ArmError> {
    if found.ends > call.now {
        let location = format!("{}{}?{}", call.base, call.path, found.query);
        let answer = Answer::empty(202).with_header("location", location);
        return Ok(Some(answer.with_header("retry-after", found.place.retry_after())));
    }
    match &found.failure {
        Some(failure) => Err(ArmError::new(409, &failure.code, failure.message.clone())),
        None => Ok(None),
    }
}

fn word(found: &Pending, now: Timestamp) -> &'static str {
    match (&found.failure, found.ends <= now) {
        (_, false) => "InProgress",
        (None, true) => "Succeeded",
        (Some(_), true) => "Failed",
    }
}

fn known<'a>(state: &'a State, call: &Call) -> Result<(String, &'a Pending), ArmError> {
    let name = call.path.rsplit('/').next().unwrap_or_default().to_owned();
    // *Assumed* (`arm-operation-kept`): code and wording of an operation that is not known.
    let missing = || ArmError::new(404, "NotFound", format!("The operation '{name}' is not found."));
    let found = state.vaults.pending.get(&name).filter(|found| found.vault == vault_key(call));
    let found = found.ok_or_else(missing)?;
    Ok((name, found))
}

fn signed<'a>(state: &'a State, call: &Call) -> Result<(String, &'a Pending), ArmError> {
    let (name, found) = known(state, call)?;
    if found.place != Place::Vault || call.raw_query != found.query {
        // *Assumed* (`arm-operation-url`): that a changed URL is refused, and how.
        return Err(ArmError::new(400, "InvalidOperationUrl", "The signature of the operation's URL does not match."));
    }
    Ok((name, found))
}

fn vault_base(call: &Call) -> String {
    let provider = "providers/Microsoft.RecoveryServices";
    format!("/subscriptions/{}/resourceGroups/{}/{provider}", call.param(0), call.param(1))
}

/// Whether an operation was told to fail: then its job never begins.
pub(super) fn fails(call: &Call) -> bool {
    call.fails.is_some()
}

/// The value of a field of the body's properties.
pub(super) fn field<'a>(call: &'a Call, name: &str) -> Option<&'a Value> {
    call.body.as_ref()?.get("properties")?.get(name).filter(|value| !value.is_null())
}
