//! Tags as a resource of their own, at a group or a resource: read, replaced, merged, taken away.
//! It never changes anything of a resource but its tags, and never writes more than fifty.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Arm;
use super::call::{Answer, Call};
use super::collections::About;
use super::errors::{ArmError, invalid_content, not_found};
use super::groups::Group;
use super::ids::key;
use super::machines::{Machine, tags_of};
use super::state::State;
use super::volume::Volume;

const TAIL: &str = "/providers/microsoft.resources/tags/default";

/// Tags by name.
type Tags = BTreeMap<String, String>;

/// `GET {scope}/providers/Microsoft.Resources/tags/default`.
pub(crate) fn get(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let scope = scope_of(call);
    Ok(Answer::new(200, told(scope, &state.tags_at(scope)?)))
}

/// `PUT …/tags/default`: the whole set is replaced.
pub(crate) fn put(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let tags = given(call.object()?)?;
    write(state, call, tags)
}

/// `PATCH …/tags/default`: replaced, merged, or taken away by name or by name and value (documented). *Assumed*
/// (`tags-at-once`): it is answered with 200 and done, where the document also knows 202.
pub(crate) fn patch(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let body = call.object()?;
    let (wanted, mut tags) = (given(body)?, state.tags_at(scope_of(call))?);
    match body["operation"].as_str() {
        Some("Replace") => tags = wanted,
        Some("Merge") => {
            for (name, value) in wanted {
                tags.retain(|own, _| !own.eq_ignore_ascii_case(&name));
                tags.insert(name, value);
            }
        }
        Some("Delete") => tags.retain(|own, value| {
            let named = |(name, wanted): (&String, &String)| {
                name.eq_ignore_ascii_case(own) && (wanted.is_empty() || wanted == value)
            };
            !wanted.iter().any(named)
        }),
        _ => return Err(invalid_content("The operation is Replace, Merge or Delete")),
    }
    write(state, call, tags)
}

/// `DELETE …/tags/default`.
pub(crate) fn delete(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    state.keep_tags(scope_of(call), Tags::new(), call.now)?;
    Ok(Answer::empty(200))
}

fn write(state: &mut State, call: &Call, tags: Tags) -> Result<Answer, ArmError> {
    // The limit counts what there is in the end.
    let tags = tags_of(&json!({ "tags": tags }))?;
    let scope = scope_of(call);
    state.keep_tags(scope, tags.clone(), call.now)?;
    Ok(Answer::new(200, told(scope, &tags)))
}

fn given(body: &Value) -> Result<Tags, ArmError> {
    tags_of(&json!({ "tags": body["properties"]["tags"] }))
}

fn scope_of(call: &Call) -> &str {
    let at = call.path.to_ascii_lowercase().rfind(TAIL);
    &call.path[..at.unwrap_or(call.path.len())]
}

fn told(scope: &str, tags: &Tags) -> Value {
    json!({
        "id": format!("{scope}/providers/Microsoft.Resources/tags/default"),
        "name": "default",
        "type": "Microsoft.Resources/tags",
        "properties": { "tags": tags },
    })
}

impl Arm {
    /// Somebody writes a tag on what stands at this id, or takes it away: no call, no event. Says whether it was there.
    pub fn set_tag(&self, id: &str, name: &str, value: Option<&str>) -> bool {
        let now = self.clock.now();
        let mut state = self.state();
        state.settle(now);
        let Ok(mut tags) = state.tags_at(id) else { return false };
        tags.retain(|own, _| !own.eq_ignore_ascii_case(name));
        tags.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        state.keep_tags(id, tags, now).is_ok()
    }
}

impl State {
    fn tags_at(&self, scope: &str) -> Result<Tags, ArmError> {
        let key = key(scope);
        let machine = self.machines.get(&key).map(|found| found.tags.clone());
        let volume = || {
            let found = self.disks.get(&key).or_else(|| self.snapshots.get(&key))?;
            tags_of(&found.body).ok()
        };
        let collection = || self.collections.get(&key).map(|found| found.about.tags.clone());
        let group = || self.groups.get(&key).map(|found| found.tags.clone());
        let vault = || self.vaults.tags(&key).cloned();
        let found = machine.or_else(volume).or_else(collection).or_else(group).or_else(vault);
        found.ok_or_else(|| not_found(scope))
    }

    /// Writes the tags of whatever stands at a scope.
    fn keep_tags(&mut self, scope: &str, tags: Tags, now: Timestamp) -> Result<(), ArmError> {
        let key = key(scope);
        if let Some(found) = self.machines.get(&key).cloned() {
            let body = tagged(&found.body, &tags);
            self.keep_machine(Machine::clone(&found).with_body(body), now);
        } else if let Some(found) = self.disks.get(&key).or_else(|| self.snapshots.get(&key)).cloned() {
            let body = Arc::new(tagged(&found.body, &tags));
            self.keep_volume(Volume { body, ..Volume::clone(&found) }, now);
        } else if let Some(found) = self.collections.get(&key).map(|found| found.about.clone()) {
            self.keep_collection(About { tags, ..About::clone(&found) }, now);
        } else if let Some(found) = self.groups.get(&key).cloned() {
            self.keep_group(Group { tags, ..Group::clone(&found) }, now);
        } else if !self.keep_vault_tags(&key, tags, now) {
            return Err(not_found(scope));
        }
        Ok(())
    }
}

fn tagged(body: &Value, tags: &Tags) -> Value {
    let mut body = body.clone();
    body["tags"] = json!(tags);
    body
}
