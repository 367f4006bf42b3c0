//! Management locks: at a subscription, a group or a resource, held over everything below.
//! It never keeps anybody from changing locks themselves, and never locks a read.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::call::{Answer, Call};
use super::errors::{ArmError, invalid_content};
use super::ids::key;
use super::paging;
use super::state::State;

/// Longest note on a lock, in characters (documented).
const NOTES_CHARACTERS: usize = 512;
/// Signs that a lock's name may not hold (documented).
const NOT_IN_NAMES: [char; 9] = ['<', '>', '%', '&', ':', '\\', '?', '/', '\u{7f}'];

/// What a lock forbids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LockLevel {
    /// Nothing. *Assumed* (`lock-not-specified`): the document names the level and does not say what it does.
    NotSpecified,
    /// Deletes.
    CanNotDelete,
    /// Everything but reads.
    ReadOnly,
}

/// A lock.
#[derive(Clone, Debug)]
pub(crate) struct Lock {
    /// What it is put on, as it was written.
    scope: String,
    name: String,
    level: LockLevel,
    notes: Option<String>,
    owners: Vec<Value>,
}

/// All locks, by the keys of their ids.
pub(crate) type Locks = BTreeMap<String, Arc<Lock>>;

impl Lock {
    pub(crate) fn new(scope: &str, name: &str, level: LockLevel) -> Self {
        Self { scope: scope.to_owned(), name: name.to_owned(), level, notes: None, owners: Vec::new() }
    }

    pub(crate) fn id(&self) -> String {
        format!("{}/providers/Microsoft.Authorization/locks/{}", self.scope, self.name)
    }

    fn forbids(&self, deletes: bool) -> bool {
        match self.level {
            LockLevel::NotSpecified => false,
            LockLevel::CanNotDelete => deletes,
            LockLevel::ReadOnly => true,
        }
    }

    fn json(&self) -> Value {
        let mut properties = json!({ "level": self.level });
        if let Some(notes) = &self.notes {
            properties["notes"] = json!(notes);
        }
        if !self.owners.is_empty() {
            properties["owners"] = json!(self.owners);
        }
        json!({
            "properties": properties,
            "id": self.id(),
            "type": "Microsoft.Authorization/locks",
            "name": self.name,
        })
    }
}

/// Whether a lock forbids the call. A group or resource is not deleted either while something in it is locked.
/// *Assumed* (`lock-refusal`): status, code and wording, which are those that callers of ARM have quoted.
pub(crate) fn gate(state: &State, call: &Call) -> Result<(), ArmError> {
    let own = call.action.starts_with("Microsoft.Authorization/locks/");
    let verb = match call.method.as_str() {
        "GET" | "HEAD" => return Ok(()),
        _ if own || state.locks.is_empty() => return Ok(()),
        "DELETE" => "delete",
        _ => "write",
    };
    let deletes = verb == "delete";
    let holds = |lock: &Lock| {
        let reaches = is_within(&call.path, &lock.scope) || (deletes && is_within(&lock.scope, &call.path));
        reaches && lock.forbids(deletes)
    };
    let mut scopes: Vec<&str> =
        state.locks.values().filter(|lock| holds(lock)).map(|lock| lock.scope.as_str()).collect();
    scopes.dedup();
    if scopes.is_empty() {
        return Ok(());
    }
    let message = format!(
        "The scope '{}' cannot perform {verb} operation because following scope(s) are locked: '{}'. Please remove the lock \
         and try again.",
        call.path.trim_end_matches('/'),
        scopes.join(",")
    );
    Err(ArmError::gateway(409, "ScopeLocked", message))
}

/// Whether an id is another one or lies below it.
pub(crate) fn is_within(id: &str, scope: &str) -> bool {
    let (id, scope) = (key(id), key(scope));
    id.strip_prefix(&scope).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// `PUT …/locks/{name}`.
pub(crate) fn put(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let (scope, name) = place(call);
    let body = &call.object()?["properties"];
    let level = serde_json::from_value(body["level"].clone());
    let level = level.map_err(|_| invalid_content("The level of a lock is NotSpecified, CanNotDelete or ReadOnly"))?;
    let notes = body["notes"].as_str().map(str::to_owned);
    if notes.as_ref().is_some_and(|notes| notes.chars().count() > NOTES_CHARACTERS) {
        return Err(invalid_content("The notes of a lock have at most 512 characters"));
    }
    if name.contains(NOT_IN_NAMES) || name.contains(char::is_control) {
        return Err(invalid_content("The name of a lock has a character that is not allowed"));
    }
    let owners = body["owners"].as_array().cloned().unwrap_or_default();
    let lock = Arc::new(Lock { notes, owners, ..Lock::new(scope, name, level) });
    let before = state.locks.insert(key(&lock.id()), lock.clone());
    Ok(Answer::new(if before.is_some() { 200 } else { 201 }, lock.json()))
}

/// `GET …/locks/{name}`. *Assumed* (`lock-missing`): code and wording of one that is not there.
pub(crate) fn get(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let (scope, name) = place(call);
    let missing = || ArmError::gateway(404, "LockNotFound", format!("The lock '{name}' could not be found."));
    let found = state.locks.get(&key(&Lock::new(scope, name, LockLevel::NotSpecified).id()));
    Ok(Answer::new(200, found.ok_or_else(missing)?.json()))
}

/// `DELETE …/locks/{name}`: 200, and 204 where there is none (documented).
pub(crate) fn delete(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let (scope, name) = place(call);
    let found = state.locks.remove(&key(&Lock::new(scope, name, LockLevel::NotSpecified).id()));
    Ok(Answer::empty(if found.is_some() { 200 } else { 204 }))
}

/// `GET …/locks`: those at the scope and below it (documented for a resource; *assumed* for the rest, `lock-list`, and that
/// `atScope()` leaves out those below).
pub(crate) fn list(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let scope = call.path.get(..cut(&call.path, "/providers/microsoft.authorization/locks")).unwrap_or(&call.path);
    let only_here = match call.query("$filter") {
        None => false,
        Some(filter) if filter.eq_ignore_ascii_case("atScope()") => true,
        Some(_) => return Err(invalid_content("Only the filter atScope() is known")),
    };
    let wanted = |lock: &Lock| if only_here { key(&lock.scope) == key(scope) } else { is_within(&lock.scope, scope) };
    let all = state.locks.iter().filter(|(_, lock)| wanted(lock)).map(|(key, lock)| (key.clone(), lock.json()));
    Ok(paging::listing(call, all, state.page_size))
}

/// What the lock is put on, and its name.
fn place(call: &Call) -> (&str, &str) {
    let path = call.path.trim_end_matches('/');
    let end = cut(path, "/providers/microsoft.authorization/locks/");
    let name = path.rsplit('/').next().unwrap_or_default();
    (&path[..end.min(path.len())], name)
}

fn cut(path: &str, word: &str) -> usize {
    path.to_ascii_lowercase().rfind(word).unwrap_or(path.len())
}
