//! Resource groups, and the end of one with everything in it.
//! It never deletes at once: a group goes as a long-running operation of ARM's own, which has only a `Location`.
//!
//! ```text
//! PUT ──► Succeeded ──DELETE──► Deleting ──► gone, with all that is in it
//!             ▲── ordered failure ──┘
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::call::{Answer, Call, Cause, Failure};
use super::errors::{ArmError, group_not_found, invalid_content};
use super::event_grid::{Outcome, Verb};
use super::graph::{Listed, Table};
use super::ids::{group_id, guid_of, key};
use super::machines::tags_of;
use super::paging;
use super::state::{State, Step};
use super::volume::{Kind, Volume};

/// How long a group's end takes, in milliseconds. *Assumed* (`group-delete`): no recording has one.
const DELETE_MILLISECONDS: u32 = 30_000;
/// What callers are told to wait between polls, in seconds. *Assumed* (`group-delete`).
const RETRY_AFTER_SECONDS: u32 = 15;

/// A resource group.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) subscription: String,
    pub(crate) name: String,
    pub(crate) location: String,
    pub(crate) tags: BTreeMap<String, String>,
    /// The name of the operation that deletes it.
    pub(crate) deletion: Option<String>,
}

/// The end of a group, under way or over.
#[derive(Clone, Debug)]
pub(crate) struct Deletion {
    /// The query string of the status URL.
    query: String,
    ended: Option<Option<Failure>>,
}

impl Group {
    pub(crate) fn new(subscription: &str, name: &str, location: &str) -> Self {
        Self {
            subscription: subscription.to_owned(),
            name: name.to_owned(),
            location: location.to_owned(),
            tags: BTreeMap::new(),
            deletion: None,
        }
    }

    pub(crate) fn id(&self) -> String {
        group_id(&self.subscription, &self.name)
    }

    fn provisioning(&self) -> &'static str {
        if self.deletion.is_some() { "Deleting" } else { "Succeeded" }
    }

    fn json(&self) -> Value {
        let mut body = json!({
            "id": self.id(),
            "name": self.name,
            "type": "Microsoft.Resources/resourceGroups",
            "location": self.location,
            "properties": { "provisioningState": self.provisioning() },
        });
        if !self.tags.is_empty() {
            body["tags"] = json!(self.tags);
        }
        body
    }
}

impl Listed for Group {
    fn table(&self) -> Table {
        Table::ResourceContainers
    }

    fn row(&self) -> Value {
        json!({
            "id": self.id(),
            "name": self.name,
            "type": "microsoft.resources/subscriptions/resourcegroups",
            "subscriptionId": self.subscription,
            "location": self.location,
            "resourceGroup": self.name.to_ascii_lowercase(),
            "tags": self.tags,
            "properties": { "provisioningState": self.provisioning() },
        })
    }
}

impl State {
    /// Makes sure that a group exists, without an event.
    pub(crate) fn ensure_group(&mut self, subscription: &str, name: &str, location: &str, now: Timestamp) {
        let key = key(&group_id(subscription, name));
        if !self.groups.contains_key(&key) {
            self.keep_group(Group::new(subscription, name, location), now);
        }
    }

    pub(super) fn keep_group(&mut self, group: Group, now: Timestamp) -> Arc<Group> {
        let group = Arc::new(group);
        self.list(&group.id(), Some(group.clone()), now);
        self.groups.insert(key(&group.id()), group.clone());
        group
    }

    /// A group's end: it is gone and all that was in it, or stays because it was told to fail.
    pub(crate) fn group_gone(&mut self, group: &str, cause: &Cause, failure: Option<Failure>, at: Timestamp) {
        let Some(found) = self.groups.get(group).cloned() else { return };
        // *Assumed* (`vault-sim-group`): that a vault with items keeps its whole group, and the code.
        let held = failure.is_none() && self.vaults.holds_items_below(&format!("{group}/"));
        let failure = failure.or_else(|| held.then(items_in_the_way));
        let ended = found.deletion.as_ref().and_then(|name| self.group_deletions.get_mut(name));
        if let Some(deletion) = ended {
            deletion.ended = Some(failure.clone());
        }
        if failure.is_some() {
            self.keep_group(Group { deletion: None, ..Group::clone(&found) }, at);
            self.raise(Verb::Delete, Outcome::Failure, &found.id(), cause, at);
            return;
        }
        self.empty_group(&format!("{group}/"), cause, at);
        self.groups.remove(group);
        self.list(&found.id(), None, at);
        self.raise(Verb::Delete, Outcome::Success, &found.id(), cause, at);
    }

    /// Takes away what is in a group, each with its event. Operations under way in it end unheard.
    fn empty_group(&mut self, within: &str, cause: &Cause, at: Timestamp) {
        let own = |key: &&String| key.starts_with(within);
        let machines: Vec<String> = self.machines.keys().filter(own).cloned().collect();
        let collections: Vec<String> = self.collections.keys().filter(own).cloned().collect();
        let volumes = |all: &BTreeMap<String, Arc<Volume>>| all.keys().filter(own).cloned().collect::<Vec<_>>();
        let (disks, snapshots) = (volumes(&self.disks), volumes(&self.snapshots));
        for machine in machines {
            self.machine_gone("", &machine, cause, at);
        }
        for collection in collections {
            self.collection_gone("", &collection, cause, at);
        }
        for disk in disks {
            self.volume_gone("", (Kind::Disk, &disk), cause, at);
        }
        for snapshot in snapshots {
            self.volume_gone("", (Kind::Snapshot, &snapshot), cause, at);
        }
        self.forget_vaults_below(within, at);
        self.networks.retain(|id, _| !id.starts_with(within));
        self.public_addresses.retain(|id, _| !id.starts_with(within));
        self.traffic.forget_below(within);
        self.recovery.forget_below(within);
        self.locks.retain(|id, _| !id.starts_with(within));
        self.health.forget_below(within);
    }
}

/// `GET /subscriptions/{id}/resourcegroups`, with `$top` and the filter by tag.
pub(crate) fn list(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let tag = call.query("$filter").map(tag_filter).transpose()?;
    let size = match call.query("$top").map(str::parse::<usize>) {
        None => state.page_size,
        Some(Ok(top)) if top > 0 => top.min(state.page_size),
        Some(_) => return Err(invalid_content("$top must be a positive number")),
    };
    let own = |group: &Group| {
        let tagged = |(name, value): &(String, Option<String>)| {
            let found = group.tags.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value);
            found.is_some_and(|found| value.as_ref().is_none_or(|value| value == found))
        };
        group.subscription.eq_ignore_ascii_case(call.param(0)) && tag.as_ref().is_none_or(tagged)
    };
    let all = state.groups.iter().filter(|(_, group)| own(group)).map(|(key, group)| (key.clone(), group.json()));
    Ok(paging::listing(call, all, size))
}

/// `GET /subscriptions/{id}/resourcegroups/{name}`.
pub(crate) fn get(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    Ok(Answer::new(200, found(state, call)?.json()))
}

/// `HEAD /subscriptions/{id}/resourcegroups/{name}`: 204 or 404 (documented).
pub(crate) fn head(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    Ok(Answer::empty(if found(state, call).is_ok() { 204 } else { 404 }))
}

/// `PUT /subscriptions/{id}/resourcegroups/{name}`: synchronous.
pub(crate) fn put(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let body = call.object()?;
    // *Assumed* (`group-refusals`): codes and wordings of all refusals.
    let location = body["location"].as_str().map(|place| place.replace(' ', "").to_ascii_lowercase());
    let missing =
        || ArmError::gateway(400, "LocationRequired", "The location property is required for this definition.");
    let location = location.filter(|place| !place.is_empty()).ok_or_else(missing)?;
    let before = state.groups.get(&key_of(call)).cloned();
    if let Some(before) = &before {
        still_there(before)?;
    }
    if let Some(before) = before.as_ref().filter(|before| before.location != location) {
        let message = format!(
            "Invalid resource group location '{location}'. The Resource group already exists in location '{}'.",
            before.location
        );
        return Err(ArmError::gateway(409, "InvalidResourceGroupLocation", message));
    }
    let name = before.as_ref().map_or(call.param(1), |before| &before.name);
    let group = Group { tags: tags_of(body)?, ..Group::new(call.param(0), name, &location) };
    let group = state.keep_group(group, call.now);
    state.raise(Verb::Write, Outcome::Success, &group.id(), &call.cause(before.is_some()), call.now);
    Ok(Answer::new(if before.is_some() { 200 } else { 201 }, group.json()))
}

/// `DELETE /subscriptions/{id}/resourcegroups/{name}`: 202 with `Location` (documented). One that is being deleted answers
/// the same again (*assumed*, `group-delete`).
pub(crate) fn delete(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let before = found(state, call)?;
    let name = match &before.deletion {
        Some(name) => name.clone(),
        None => begin(state, call, &before),
    };
    let query = state.group_deletions.get(&name).map_or("", |deletion| &deletion.query);
    let location = format!("{}/subscriptions/{}/operationresults/{name}?{query}", call.base, before.subscription);
    let answer = Answer::empty(202).with_header("location", location);
    Ok(answer.with_header("retry-after", RETRY_AFTER_SECONDS.to_string()))
}

/// `GET /subscriptions/{id}/operationresults/{name}`: 202 while the group goes, then 200.
pub(crate) fn poll(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let name = call.param(1);
    let missing = || ArmError::gateway(404, "NotFound", format!("The operation '{name}' is not found."));
    let found = state.group_deletions.get(name).ok_or_else(missing)?;
    if call.raw_query != found.query {
        let message = "The signature of the operation's URL does not match.";
        return Err(ArmError::gateway(400, "InvalidOperationUrl", message));
    }
    match &found.ended {
        Some(None) => Ok(Answer::empty(200)),
        Some(Some(failure)) => Err(ArmError::new(409, &failure.code, failure.message.clone())),
        None => Ok(Answer::empty(202)
            .with_header("location", format!("{}{}?{}", call.base, call.path, call.raw_query))
            .with_header("retry-after", RETRY_AFTER_SECONDS.to_string())),
    }
}

/// Nothing is written into a group that goes. The code is named in the reference, the wording is *assumed*
/// (`group-being-deleted`).
pub(crate) fn still_there(group: &Group) -> Result<(), ArmError> {
    if group.deletion.is_none() {
        return Ok(());
    }
    let message =
        format!("The resource group '{}' is in deprovisioning state and cannot perform this operation.", group.name);
    Err(ArmError::gateway(409, "ResourceGroupBeingDeleted", message))
}

fn begin(state: &mut State, call: &Call, before: &Group) -> String {
    let job = format!("RESOURCEGROUPDELETIONJOB-{}-{}", before.name.to_uppercase(), state.names.guid());
    let name = URL_SAFE_NO_PAD.encode(json!({ "jobId": job, "jobLocation": before.location }).to_string());
    let signature = guid_of(state.seed, "group deletion", &name).replace('-', "");
    let version = call.query("api-version").unwrap_or_default();
    let query = format!("api-version={version}&t={}&c={signature}&s={signature}", call.now.as_microsecond());
    state.group_deletions.insert(name.clone(), Deletion { query, ended: None });
    state.keep_group(Group { deletion: Some(name.clone()), ..before.clone() }, call.now);
    let (group, cause) = (key(&before.id()), call.cause(true));
    match State::ordered_failure(call) {
        Some((at, failure)) => state.later(at, Step::GroupGone { group, cause, failure: Some(failure) }),
        None => {
            state.after(call.now, DELETE_MILLISECONDS, Step::GroupGone { group, cause, failure: None });
        }
    }
    name
}

/// `tagName eq 'a'`, with `and tagValue eq 'b'` or without (documented).
fn tag_filter(text: &str) -> Result<(String, Option<String>), ArmError> {
    let unknown = || invalid_content("Only the filters tagName eq '…' and tagValue eq '…' are known");
    let mut parts = text.split(" and ").map(str::trim);
    let mut part = |name: &str| {
        let part = parts.next()?;
        let (found, value) = part.split_once(" eq ")?;
        found.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('\'').to_owned())
    };
    let name = part("tagName").ok_or_else(unknown)?;
    if !text.contains(" and ") {
        return Ok((name, None));
    }
    Ok((name, Some(part("tagValue").ok_or_else(unknown)?)))
}

fn items_in_the_way() -> Failure {
    let message = "The group cannot be deleted: a vault in it holds protected items.".to_owned();
    Failure { code: "ResourceGroupDeletionBlocked".to_owned(), message }
}

fn key_of(call: &Call) -> String {
    key(&group_id(call.param(0), call.param(1)))
}

fn found(state: &State, call: &Call) -> Result<Arc<Group>, ArmError> {
    state.groups.get(&key_of(call)).cloned().ok_or_else(|| group_not_found(call.param(1)))
}
