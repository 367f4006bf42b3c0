//! Restore point collections: the points of one machine, under a source that never changes.
//! It never refuses to delete a collection that has points: neither does Azure.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::call::{Answer, Call, Cause};
use super::denials::{COLLECTIONS_PER_REGION, Denial};
use super::errors::{ArmError, invalid_parameter, not_found, resource_not_found};
use super::event_grid::{Outcome, Verb};
use super::graph::{Listed, Table};
use super::ids::{ResourceId, compute_id, key, region_as_compute_writes_it};
use super::machine_calls::{next_link, page_start};
use super::machines::{page, tags_of, with_upper_case_group};
use super::point::Point;
use super::state::{State, Step};

/// A collection and its points by lower-case name.
#[derive(Clone, Debug)]
pub(crate) struct Collection {
    pub(crate) about: Arc<About>,
    pub(crate) points: BTreeMap<String, Point>,
}

/// The collection itself.
#[derive(Clone, Debug)]
pub(crate) struct About {
    pub(crate) subscription: String,
    pub(crate) group: String,
    pub(crate) name: String,
    pub(crate) location: String,
    pub(crate) tags: BTreeMap<String, String>,
    /// The machine, as it was written.
    pub(crate) source: String,
    /// The machine, as it is found by: kept because every new point of any machine looks at all collections.
    pub(crate) source_key: String,
    pub(crate) collection_id: String,
    pub(crate) deleting: bool,
}

impl About {
    pub(crate) fn id(&self) -> String {
        compute_id(&self.subscription, &self.group, "restorePointCollections", &self.name)
    }

    fn properties(&self) -> Value {
        json!({
            "source": { "location": region_as_compute_writes_it(&self.location), "id": self.source },

            "restorePointCollectionId": self.collection_id,
            "provisioningState": if self.deleting { "Deleting" } else { "Succeeded" },
        })
    }

    fn json(&self) -> Value {
        let mut body = json!({
            "name": self.name,
            "id": self.id(),
            "type": "Microsoft.Compute/restorePointCollections",
            "location": self.location,
            "properties": self.properties(),
        });
        if !self.tags.is_empty() {
            body["tags"] = json!(self.tags);
        }
        body
    }
}

impl Listed for About {
    fn table(&self) -> Table {
        Table::Resources
    }

    fn row(&self) -> Value {
        json!({
            "id": self.id(),
            "name": self.name,
            "type": "microsoft.compute/restorepointcollections",
            "location": self.location,
            "resourceGroup": self.group.to_ascii_lowercase(),
            "subscriptionId": self.subscription,
            "managedBy": "",
            "tags": self.tags,
            "properties": self.properties(),
        })
    }
}

impl State {
    pub(crate) fn collection_gone(&mut self, operation: &str, collection: &str, cause: &Cause, at: Timestamp) {
        self.operations.end(operation, None, at);
        if let Some(found) = self.collections.remove(collection) {
            self.list(&found.about.id(), None, at);
            self.raise(Verb::Delete, Outcome::Success, &found.about.id(), cause, at);
        }
    }

    pub(super) fn keep_collection(&mut self, about: About, now: Timestamp) -> Arc<About> {
        let about = Arc::new(about);
        self.list(&about.id(), Some(about.clone()), now);
        let points = BTreeMap::new();
        let kept =
            self.collections.entry(key(&about.id())).or_insert_with(|| Collection { about: about.clone(), points });
        kept.about = about.clone();
        about
    }
}

/// `PUT …/restorePointCollections/{name}`: synchronous (recorded).
pub(crate) fn put(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let body = call.object()?;
    // *Assumed* (`compute-refusal-words`): code and wording of the refusals that follow.
    let location = body["location"].as_str().filter(|place| !place.is_empty());
    let missing =
        || ArmError::gateway(400, "LocationRequired", "The location property is required for this definition.");
    let location = location.ok_or_else(missing)?.to_owned();
    let wanted = || invalid_parameter("source.id", "The id of a virtual machine is expected.");
    let source = body["properties"]["source"]["id"].as_str().ok_or_else(wanted)?.to_owned();
    let parsed = ResourceId::parse(&source).ok_or_else(wanted)?;
    if !parsed.kind().eq_ignore_ascii_case("Microsoft.Compute/virtualMachines") {
        return Err(wanted());
    }
    let tags = tags_of(body)?;
    let before = state.collections.get(&key_of(call)).map(|found| found.about.clone());
    if let Some(before) = before {
        if before.source_key != key(&source) || !before.location.eq_ignore_ascii_case(&location) {
            let message = "Changing property 'source.id' is not allowed.";
            return Err(ArmError::new(409, "PropertyChangeNotAllowed", message));
        }
        let about = state.keep_collection(About { tags, ..About::clone(&before) }, call.now);
        state.raise(Verb::Write, Outcome::Success, &about.id(), &call.cause(true), call.now);
        return Ok(Answer::new(200, about.json()));
    }
    check_room(state, call.param(0), &location)?;
    let machine = state.machines.get(&key(&source)).ok_or_else(|| not_found(parsed.name()))?;
    if !machine.location.eq_ignore_ascii_case(&location) {
        return Err(invalid_parameter("location", "A collection must be in the location of its source."));
    }
    let about = About {
        subscription: call.param(0).to_owned(),
        group: call.param(1).to_owned(),
        name: call.param(2).to_owned(),
        location,
        tags,
        source_key: key(&source),
        source,
        collection_id: state.names.guid(),
        deleting: false,
    };
    let about = state.keep_collection(about, call.now);
    state.raise(Verb::Write, Outcome::Success, &about.id(), &call.cause(false), call.now);
    Ok(Answer::new(201, about.json()))
}

/// `GET …/restorePointCollections/{name}`, with its points where `$expand` asks.
pub(crate) fn get(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let seed = state.seed;
    let found = found(state, call)?;
    let mut body = found.about.json();
    if call.expands("restorePoints") {
        let points: Vec<Value> = found.points.values().map(|point| point.json(&found.about, seed)).collect();
        body["properties"]["restorePoints"] = json!(points);
    }
    Ok(Answer::new(200, body))
}

/// `PATCH …/restorePointCollections/{name}`: only tags, which are replaced. *Assumed* (`collection-tags`): that they are not merged.
pub(crate) fn patch(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let body = call.object()?;
    let before = found(state, call)?.about.clone();
    if body["properties"]["source"]["id"].as_str().is_some_and(|source| key(source) != before.source_key) {
        let message = "Changing property 'source.id' is not allowed.";
        return Err(ArmError::new(409, "PropertyChangeNotAllowed", message));
    }
    let about = state.keep_collection(About { tags: tags_of(body)?, ..About::clone(&before) }, call.now);
    state.raise(Verb::Write, Outcome::Success, &about.id(), &call.cause(true), call.now);
    Ok(Answer::new(200, about.json()))
}

/// `DELETE …/restorePointCollections/{name}`: all its points go with it.
pub(crate) fn delete(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let Ok(found) = found(state, call) else {
        return Ok(Answer::empty(204));
    };
    let about = About { deleting: true, ..About::clone(&found.about) };
    let started = state.start_operation(call, &about.subscription, &about.location);
    let collection = key(&about.id());
    state.keep_collection(about, call.now);
    let step = Step::CollectionGone { operation: started.name.clone(), collection, cause: call.cause(true) };
    state.after(call.now, state.latencies.collection_delete_ms, step);
    Ok(started.both(Answer::empty(202)))
}

/// `GET` of a group's collections.
pub(crate) fn list_in_group(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    list(state, call, Some(call.param(1)))
}

/// `GET` of a subscription's collections: here the group in each id is upper-cased (recorded).
pub(crate) fn list_all(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    list(state, call, None)
}

fn list(state: &mut State, call: &Call, group: Option<&str>) -> Result<Answer, ArmError> {
    let own = |about: &About| {
        about.subscription.eq_ignore_ascii_case(call.param(0))
            && group.is_none_or(|group| about.group.eq_ignore_ascii_case(group))
    };
    let all = state
        .collections
        .iter()
        .filter(|(_, found)| own(&found.about))
        .map(|(key, found)| (key.clone(), found.about.clone()));
    let start = page_start(call);
    let (found, next) = page(all, start.as_deref(), state.page_size);
    let value: Vec<Value> = found
        .iter()
        .map(|(_, about)| match group {
            Some(_) => about.json(),
            None => with_upper_case_group(about.json(), &about.id(), &about.group),
        })
        .collect();
    let mut body = json!({ "value": value });
    if let Some(next) = next {
        body["nextLink"] = json!(next_link(call, &next));
    }
    Ok(Answer::new(200, body))
}

/// Ten thousand in a subscription and region (documented).
fn check_room(state: &State, subscription: &str, location: &str) -> Result<(), ArmError> {
    let own = |found: &&Collection| {
        found.about.subscription.eq_ignore_ascii_case(subscription)
            && found.about.location.eq_ignore_ascii_case(location)
    };
    let enough = state.collections.len() >= COLLECTIONS_PER_REGION;
    if enough && state.collections.values().filter(own).count() >= COLLECTIONS_PER_REGION {
        return Err(Denial::CollectionsAlive.error(location));
    }
    Ok(())
}

fn key_of(call: &Call) -> String {
    key(&compute_id(call.param(0), call.param(1), "restorePointCollections", call.param(2)))
}

fn found<'a>(state: &'a State, call: &Call) -> Result<&'a Collection, ArmError> {
    let kind = "Microsoft.Compute/restorePointCollections";
    let missing = || resource_not_found(kind, call.param(2), call.param(1));
    state.collections.get(&key_of(call)).ok_or_else(missing)
}
