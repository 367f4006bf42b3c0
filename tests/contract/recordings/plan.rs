//! What can be said about a tape before it is replayed, by rules that know no tape: which requests poll what, which are
//! spoken, what the tape presupposes, and what is planted again before which request.
//! It never looks at the simulator, and takes nothing from an answer but what the rules name.
//!
//! *Presupposed* is what the first `GET` shows of a resource that the tape never writes, and that nothing before it can
//! have changed, unless it came with something that the tape made. What a list shows that did not show it before appeared
//! meanwhile, and is planted then. A machine that was created while the tape ran is presupposed by nobody, and the vault that
//! paths go through by all. What an operation that is not modelled may have changed, that is what its path and its body name, is
//! planted again before its next `GET`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use lifeboat_azure::operations::Operation;
use serde_json::{Value, json};

use crate::names::{URL_HEADERS, UrlKey, is_guid, last_part, operation_in};
use crate::spoken;
use crate::tape::{Line, Tape, key};
use crate::time::has_ended;
use crate::ways;

/// Where a group is when no request of its tape says it. No tape's outcome rests on it: a `GET` of it says it again.
const SOMEWHERE: &str = "westus";

/// What a line is.
#[derive(Clone, Debug, Default)]
pub struct Role {
    /// The place of the line whose answer handed out the URL that this one polls.
    pub polls: Option<usize>,
    /// The operation of the client's registry that it is of: its own, or that of the line whose operation it polls.
    pub operation: Option<&'static Operation>,
    /// Whether the simulator answers it: its own call, or that of the line whose operation it polls.
    pub modelled: bool,
    /// An equal `GET` with an equal answer stands right before it: it counts once.
    pub repeated: bool,
    /// Its answer was a seed: it is neither equal nor different.
    pub seeded: bool,
    /// What is planted before it is sent.
    pub planted_before: Vec<Value>,
    /// It is the last poll of an operation whose end the tape never shows: the caller went on, so it ended meanwhile.
    pub gives_up: bool,
}

/// What is known of a tape beforehand.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// One for each line.
    pub roles: Vec<Role>,
    /// Subscriptions that paths and queries name.
    pub subscriptions: BTreeSet<String>,
    /// Groups that paths name: subscription, name, location.
    pub groups: Vec<(String, String, String)>,
    /// What is there before the first request.
    pub presupposed: Vec<Value>,
}

/// Which lines poll an operation, each with the line that started it: those that ask a URL that was handed out, and those
/// that ask elsewhere for what bears the operation's name, or the name of the job that its status told of.
pub fn polls(tape: &Tape) -> Vec<Option<usize>> {
    let mut handed_out: BTreeMap<String, usize> = BTreeMap::new();
    let mut found = Vec::new();
    for (at, line) in tape.lines.iter().enumerate() {
        let path = line.key();
        let named = || handed_out.get(last_part(&path)).copied();
        let starter = if line.is_read() { handed_out.get(&path).copied().or_else(named) } else { None };
        if starter.is_some() || !line.is_read() {
            for url in URL_HEADERS.iter().filter_map(|name| line.answer.headers.get(*name)) {
                let polled = UrlKey::of(url).path;
                if polled != path {
                    handed_out.insert(polled, starter.unwrap_or(at));
                }
                let name = operation_in(url).to_lowercase();
                if is_guid(&name) {
                    handed_out.insert(name, starter.unwrap_or(at));
                }
            }
        }
        if let (Some(starter), Some(job)) = (starter, line.answer.body["properties"]["jobId"].as_str()) {
            handed_out.insert(job.to_lowercase(), starter);
        }
        found.push(starter);
    }
    found
}

impl Plan {
    /// The plan of a tape; `modelled` says of each line whether the simulator has a route for it.
    pub fn of(tape: &Tape, modelled: &[bool]) -> Self {
        let (polls, of_others) = (polls(tape), ways::of_others(tape));
        let mut plan = Self::default();
        for (at, line) in tape.lines.iter().enumerate() {
            let asked = polls[at].unwrap_or(at);
            let own = &tape.lines[asked];
            plan.roles.push(Role {
                polls: polls[at],
                operation: spoken::operation(&line.method, line.path())
                    .or_else(|| spoken::operation(&own.method, own.path()))
                    .filter(|_| !of_others[asked] && !of_others[at]),
                modelled: modelled[asked] && !of_others[asked] && !of_others[at],
                repeated: at > 0 && repeats(line, &tape.lines[at - 1]),
                ..Role::default()
            });
        }
        plan.find_given_up(tape);
        plan.find_seeds(tape);
        plan.find_vaults(tape);
        plan.find_scopes(tape);
        plan
    }

    fn find_given_up(&mut self, tape: &Tape) {
        let mut last: BTreeMap<usize, (usize, bool)> = BTreeMap::new();
        for (at, line) in tape.lines.iter().enumerate() {
            if let Some(starter) = self.roles[at].polls {
                let ended = last.get(&starter).is_some_and(|(_, ended)| *ended);
                last.insert(starter, (at, ended || has_ended(&line.answer)));
            }
        }
        for (at, _) in last.into_values().filter(|(_, ended)| !ended) {
            self.roles[at].gives_up = true;
        }
    }

    fn find_seeds(&mut self, tape: &Tape) {
        let writes = |line: &&Line| matches!(line.method.as_str(), "PUT" | "PATCH" | "DELETE");
        let written: BTreeSet<String> = tape.lines.iter().filter(writes).map(Line::key).collect();
        let written_names: BTreeSet<String> = written.iter().map(|id| kind_and_name(id)).collect();
        let puts = tape.lines.iter().filter(|line| line.method == "PUT").map(|line| format!("{}/", line.key()));
        let made: Vec<String> = puts.filter(|id| id.contains("/providers/")).collect();
        let mut asked: BTreeSet<String> = BTreeSet::new();
        let mut changed: BTreeSet<String> = BTreeSet::new();
        let mut listed: BTreeSet<String> = BTreeSet::new();
        let mut running_since: Option<Timestamp> = None;
        for (at, line) in tape.lines.iter().enumerate() {
            let modelled = self.roles[at].modelled;
            if self.roles[at].polls.is_some() || self.roles[at].repeated {
                running_since = running_since.or_else(|| time(&line.answer.body["startTime"]));
                continue;
            }
            if !line.is_read() {
                if line.answer.status < 400 && !modelled {
                    changed.extend(may_change(line));
                } else if matches!(line.method.as_str(), "PUT" | "DELETE") {
                    changed.remove(&line.key());
                }
                // What was acted on is no longer as the tape presupposes it.
                asked.extend(above(&line.key()));
                continue;
            }
            if !modelled || line.answer.status != 200 {
                asked.insert(line.key());
                continue;
            }
            let listed_before = !listed.insert(line.target.to_lowercase());
            for resource in shown(line) {
                let id = resource["id"].as_str().map(key).unwrap_or_default();
                let is_new = asked.insert(id.clone());
                let never_written = !written.contains(&id)
                    && (id == line.key() || !written_names.contains(&kind_and_name(&id)))
                    && !came_with(&made, &id, resource);
                let appeared = listed_before && is_new && never_written && id != line.key();
                if changed.remove(&id) || appeared {
                    self.roles[at].planted_before.push(resource.clone());
                } else if is_new && never_written && !was_made_meanwhile(resource, running_since) {
                    self.presupposed.push(resource.clone());
                } else {
                    continue;
                }
                self.roles[at].seeded = true;
            }
        }
    }

    /// A vault whose path other paths go on below was there, where no line makes it and none shows it: nothing is known of it
    /// but where it is.
    fn find_vaults(&mut self, tape: &Tape) {
        const KIND: &str = "/providers/microsoft.recoveryservices/vaults/";
        let mut known: BTreeSet<String> =
            tape.lines.iter().filter(|line| line.method == "PUT").map(Line::key).collect();
        known.extend(self.presupposed.iter().filter_map(|one| one["id"].as_str()).map(key));
        known.extend(tape.lines.iter().filter(|line| line.answer.status == 404).map(Line::key));
        for (line, role) in tape.lines.iter().zip(&self.roles) {
            let Some(from) = line.path().to_ascii_lowercase().find(KIND).map(|at| at + KIND.len()) else { continue };
            let Some(end) = line.path()[from..].find('/').map(|at| from + at) else { continue };
            let id = &line.path()[..end];
            if role.modelled && known.insert(key(id)) {
                self.presupposed.insert(0, json!({ "id": id, "name": last_part(id), "location": SOMEWHERE }));
            }
        }
    }

    fn find_scopes(&mut self, tape: &Tape) {
        let mut groups: BTreeMap<(String, String), (String, Option<String>)> = BTreeMap::new();
        for line in &tape.lines {
            let parts: Vec<&str> = line.path().trim_start_matches('/').split('/').collect();
            let named = |at: usize, word: &str| {
                parts.get(at).filter(|part| part.eq_ignore_ascii_case(word)).and_then(|_| parts.get(at + 1)).copied()
            };
            let asked = line.request["subscriptions"].as_array().into_iter().flatten().filter_map(Value::as_str);
            self.subscriptions.extend(asked.map(str::to_owned));
            let Some(subscription) = named(0, "subscriptions") else { continue };
            self.subscriptions.insert(subscription.to_owned());
            let Some(group) = named(2, "resourcegroups") else { continue };
            let at = (subscription.to_owned(), group.to_lowercase());
            if parts.len() == 4 && line.method == "PUT" && !groups.contains_key(&at) {
                // The tape makes it itself.
                groups.insert(at, (String::new(), None));
                continue;
            }
            if line.answer.body["error"]["code"] == "ResourceGroupNotFound" {
                continue;
            }
            let group = groups.entry(at).or_insert_with(|| (group.to_owned(), None));
            let place = line.request["location"].as_str();
            group.1 = group.1.take().or_else(|| place.map(str::to_owned));
        }
        let there = groups.into_iter().filter(|(_, (name, _))| !name.is_empty());
        self.groups = there
            .map(|((subscription, _), (name, place))| {
                (subscription, name, place.unwrap_or_else(|| SOMEWHERE.to_owned()))
            })
            .collect();
    }
}

/// Whether a `GET` and its answer are those of the line before it.
fn repeats(line: &Line, before: &Line) -> bool {
    line.method == "GET"
        && before.method == "GET"
        && line.target == before.target
        && line.answer.status == before.answer.status
        && line.answer.body == before.answer.body
}

/// The resources that an answer shows: itself, or the elements of a list.
fn shown(line: &Line) -> Vec<&Value> {
    let body = &line.answer.body;
    if body["id"].as_str().map(key).is_some_and(|id| id == line.key()) {
        return vec![body];
    }
    let elements = body["value"].as_array().map(Vec::as_slice).unwrap_or_default();
    elements.iter().filter(|one| one["id"].as_str().is_some_and(|id| id.contains("/providers/"))).collect()
}

/// Whether a resource came with one that the tape made, being below it. What stands there for a machine is told of the
/// machine, and that the tape did not make.
fn came_with(made: &[String], id: &str, resource: &Value) -> bool {
    resource["properties"]["virtualMachineId"].is_null() && made.iter().any(|above| id.starts_with(above.as_str()))
}

/// Whether it is a machine that was created after the tape began.
fn was_made_meanwhile(resource: &Value, since: Option<Timestamp>) -> bool {
    let properties = &resource["properties"];
    let created = time(&properties["timeCreated"]).filter(|_| properties["vmId"].is_string());
    created.zip(since).is_some_and(|(created, since)| created > since)
}

fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

/// The last type and name of an id. The listing of a subscription writes groups in upper case, and there the recorder
/// left another name of the group than elsewhere: an element that bears type and name of what the tape wrote is that.
fn kind_and_name(id: &str) -> String {
    let parts: Vec<&str> = id.rsplit('/').take(2).collect();
    parts.join("/")
}

/// A resource and everything that it is part of, below its group.
fn above(path: &str) -> Vec<String> {
    let Some(start) = path.find("/providers/") else { return vec![path.to_owned()] };
    let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
    ends.filter(|&end| end > start + "/providers/".len()).map(|end| path[..end].to_owned()).collect()
}

/// What an operation that is not modelled may change: what its path and its body name.
fn may_change(line: &Line) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = above(&line.key()).into_iter().collect();
    let scope = line.key().split("/providers/").next().unwrap_or_default().to_owned();
    named_in(&line.request, &scope, &mut found);
    found
}

/// Ids in a body, and resources that a template declares by type and name.
fn named_in(body: &Value, scope: &str, found: &mut BTreeSet<String>) {
    match body {
        Value::Object(fields) => {
            let text = |name: &str| fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            if let (Some(kind), Some(name)) = (text("type").filter(|kind| kind.contains('/')), text("name")) {
                found.insert(key(&format!("{scope}/providers/{}", interleaved(kind, name))));
            }
            fields.values().for_each(|inner| named_in(inner, scope, found));
        }
        Value::Array(list) => list.iter().for_each(|inner| named_in(inner, scope, found)),
        Value::String(text) if text.to_lowercase().starts_with("/subscriptions/") => {
            found.insert(key(text));
        }
        _ => {}
    }
}

/// `Provider/kind/child` and `name/childName` as they stand in an id.
fn interleaved(kind: &str, name: &str) -> String {
    let mut kinds = kind.split('/');
    let provider = kinds.next().unwrap_or_default();
    let pairs: Vec<String> = kinds.zip(name.split('/')).map(|(kind, name)| format!("{kind}/{name}")).collect();
    format!("{provider}/{}", pairs.join("/"))
}
