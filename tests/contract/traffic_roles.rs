//! The gate of roles, all ways: what the handler said in any test of the run, what the roles of `infra/` allow, the table that they are
//! drawn from, and what the simulator checks.
//! It never judges an answer. Run alone it plays one machine's first point; whether every right is used is asked of a whole run only.

use std::collections::BTreeSet;
use std::time::Duration;

use lifeboat_azure::needs::{LINKED, Linked, Place};
use lifeboat_azure::operations::{self, Operation};
use lifeboat_execution::rights;
use lifeboat_simulator::azure::{expanded_rights, linked_rights, route_actions};
use lifeboat_tests::azure::Azure;
use lifeboat_tests::data::azure_data;
use lifeboat_tests::openapi::Body;
use lifeboat_tests::rig::actions;
use lifeboat_tests::traffic::sample::{self, Seen};
use lifeboat_tests::{Rig, gates, traffic};
use serde_json::{Value, json};

use crate::gate::Gate;

/// Calls that a role is drawn from and no test makes the handler speak yet, each with the reason. Empty is how it must be.
const NOT_YET_SPOKEN: &[(&Operation, &str)] = &[];
/// Linked rights, by their entry of the register, that no request of the run asks for yet, each with the reason. Empty is how it must be.
const NOT_YET_LINKED: &[(&str, &str)] = &[];
/// Test targets that have a handler and run before this one: scenarios, simulation, processes. With fewer the run is not whole.
const OTHERS_MIN: usize = 3;
/// How long one machine's first point takes at most.
const FIRST_POINT: Duration = Duration::from_secs(3600);

#[tokio::test(start_paused = true)]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
async fn every_call_of_the_handler_is_allowed_by_a_role_and_every_right_of_a_role_is_used() {
    let Some(data) = azure_data("the documents that tell a call's operation") else { return };
    let points = first_point().await;
    traffic::flush();
    let run = sample::read_all(&traffic::of_this_run());
    let gate = Gate::over(&data);
    let said = Said::of(&run, &gate);
    println!("the handler spoke {} operations; the roles hold {} actions", said.spoken.len(), actions().len());
    gates::write(
        "roles.json",
        &json!({ "operationsOfTheHandler": said.spoken.len(), "actionsOfRoles": actions().len() }),
    );
    assert!(said.wrong.is_empty(), "not allowed, or checked otherwise than the table says:\n{}", lines(&said.wrong));
    assert_eq!(points, 1, "the roles do not suffice for one restore point");
    if traffic::other_processes() < OTHERS_MIN {
        println!("not all tests ran: whether every right is used is not asked");
        return;
    }
    for (operation, reason) in NOT_YET_SPOKEN {
        println!("not used yet: {} ({} {}): {reason}", operation.action, operation.method, operation.path);
    }
    for (entry, reason) in NOT_YET_LINKED {
        println!("not used yet: the linked right of {entry}: {reason}");
    }
    let unused = said.unused();
    assert!(
        unused.is_empty(),
        "rights of a role that no call of the run needs, or exceptions that are not needed:\n{}",
        lines(&unused)
    );
}

#[test]
fn the_simulator_checks_what_the_table_says_wherever_it_answers_the_call() {
    let routes: BTreeSet<String> = route_actions().iter().map(|action| action.to_ascii_lowercase()).collect();
    let answered = LINKED.iter().filter(|linked| routes.contains(&linked.of.action.to_ascii_lowercase()));
    let unchecked: Vec<String> = answered.filter(|linked| !is_checked(linked)).map(words).collect();
    assert!(unchecked.is_empty(), "the simulator does not check:\n{}", lines(&unchecked.into_iter().collect()));
}

/// A rig of its own, so that the gate says something when it runs alone; how many points it made.
async fn first_point() -> usize {
    let rig = Rig::new(7).await;
    rig.azure.arm.create_machine(&Azure::seed("web-1")).expect("a machine");
    rig.settle(FIRST_POINT).await;
    rig.sweep().await;
    rig.azure.points("web-1").len()
}

/// What the run says about rights.
struct Said {
    /// Operations that a handler spoke, by their place in the registry.
    spoken: BTreeSet<usize>,
    /// Linked rights that a request of the handler asked for, by their place in the table.
    linked: BTreeSet<usize>,
    wrong: BTreeSet<String>,
}

impl Said {
    fn of(run: &[Seen], gate: &Gate) -> Self {
        let mut said = Self { spoken: BTreeSet::new(), linked: BTreeSet::new(), wrong: BTreeSet::new() };
        for seen in run.iter().filter(|seen| seen.is_client) {
            let Some(at) = gate.spoken_at(&seen.traffic) else {
                if !seen.is_exercise {
                    said.wrong
                        .insert(format!("the handler followed a status URL, which no role allows: {}", place(seen)));
                }
                continue;
            };
            let operation = operations::ALL[at];
            said.checked_otherwise(seen, operation);
            if !seen.is_exercise {
                said.handler(seen, (at, operation));
            }
        }
        said
    }

    /// A call of the handler: a role is drawn from it, and holds its action.
    fn handler(&mut self, seen: &Seen, (at, operation): (usize, &'static Operation)) {
        self.spoken.insert(at);
        if !rights::spoken().any(|known| known == operation) {
            self.wrong.insert(format!("no role is drawn from {}: {}", operation.action, place(seen)));
        }
        let asked = LINKED.iter().enumerate().filter(|(_, linked)| linked.of == operation && asks(seen, linked));
        let needed: Vec<(usize, &str)> = asked.map(|(place, linked)| (place, linked.needs)).collect();
        for action in needed.iter().map(|(_, needs)| *needs).chain([operation.action]) {
            if !actions().iter().any(|held| held.eq_ignore_ascii_case(action)) {
                self.wrong.insert(format!("no role holds {action}: {}", place(seen)));
            }
        }
        self.linked.extend(needed.iter().map(|(place, _)| *place));
    }

    /// The simulator checked another action than the table says, or a linked right that the table does not have.
    fn checked_otherwise(&mut self, seen: &Seen, operation: &'static Operation) {
        if !seen.action.is_empty() && !seen.action.eq_ignore_ascii_case(operation.action) {
            self.wrong.insert(format!(
                "the simulator checks {}, the table says {}: {}",
                seen.action,
                operation.action,
                place(seen)
            ));
        }
        let knows = |needs: &str, at: Place| {
            LINKED.iter().any(|linked| linked.of == operation && linked.place == at && linked.needs == needs)
        };
        let bodies = linked_rights().iter().filter(|right| right.of == seen.action);
        for right in bodies.filter(|right| ids(seen, right.path).iter().any(|id| is_of(id, right.kind))) {
            if !knows(right.needs, Place::Body(right.path)) {
                self.wrong.insert(format!(
                    "the simulator checks {} besides, the table does not: {}",
                    right.needs,
                    place(seen)
                ));
            }
        }
        for right in expanded_rights().iter().filter(|right| right.of == seen.action && expands(seen, right.part)) {
            if !knows(right.needs, Place::Expand(right.part)) {
                self.wrong.insert(format!(
                    "the simulator checks {} besides, the table does not: {}",
                    right.needs,
                    place(seen)
                ));
            }
        }
    }

    /// Rights without a use in the run, and exceptions without a need.
    fn unused(&self) -> BTreeSet<String> {
        let mut unused = BTreeSet::new();
        for operation in rights::spoken() {
            let used = self.spoken.iter().any(|at| operations::ALL[*at] == operation);
            let excepted = NOT_YET_SPOKEN.iter().any(|(known, _)| *known == operation);
            if used == excepted {
                let why = if used { "is spoken, and excepted" } else { "is not spoken" };
                unused.insert(format!("{} ({} {}) {why}", operation.action, operation.method, operation.path));
            }
        }
        let drawn = |linked: &Linked| rights::spoken().any(|operation| operation == linked.of);
        for (at, linked) in LINKED.iter().enumerate().filter(|(_, linked)| drawn(linked)) {
            let used = self.linked.contains(&at);
            let excepted = NOT_YET_LINKED.iter().any(|(entry, _)| *entry == linked.evidence);
            if used == excepted {
                let why = if used { "is asked for, and excepted" } else { "is not asked for" };
                unused.insert(format!("{} {why}", words(linked)));
            }
        }
        unused
    }
}

/// Whether a request asks for what the right is checked on.
fn asks(seen: &Seen, linked: &Linked) -> bool {
    match linked.place {
        Place::Body(path) => ids(seen, path).iter().any(|id| is_of(id, linked.on)),
        Place::Expand(part) => expands(seen, part),
        Place::Rows => query_text(seen).contains(&linked.on.to_ascii_lowercase()),
    }
}

fn is_checked(linked: &Linked) -> bool {
    let action = linked.of.action;
    match linked.place {
        Place::Body(path) => linked_rights().iter().any(|right| {
            (right.of, right.path, right.needs) == (action, path, linked.needs)
                && right.kind.eq_ignore_ascii_case(linked.on)
        }),
        Place::Expand(part) => {
            expanded_rights().iter().any(|right| (right.of, right.part, right.needs) == (action, part, linked.needs))
        }
        // Rows that may not be read are left out, which the simulator's own tests show.
        Place::Rows => true,
    }
}

/// What stands at a place of the request's body; `*` is every element of a list.
fn ids<'a>(seen: &'a Seen, path: &str) -> Vec<&'a str> {
    fn collect<'a>(value: &'a Value, path: &str, found: &mut Vec<&'a str>) {
        let Some((first, rest)) = path.split_once('/') else {
            found.extend(value[path].as_str());
            return;
        };
        match value {
            Value::Array(list) if first == "*" => list.iter().for_each(|one| collect(one, rest, found)),
            _ => collect(&value[first], rest, found),
        }
    }
    let mut found = Vec::new();
    if let Body::Json(body) = &seen.traffic.request {
        collect(body, path, &mut found);
    }
    found
}

/// Whether an ARM id is one of this type.
fn is_of(id: &str, kind: &str) -> bool {
    let id = id.to_ascii_lowercase();
    id.rsplit_once("/providers/").is_some_and(|(_, own)| own.starts_with(&format!("{}/", kind.to_ascii_lowercase())))
}

fn expands(seen: &Seen, part: &str) -> bool {
    let expand = seen.traffic.query.iter().filter(|(name, _)| name.eq_ignore_ascii_case("$expand"));
    expand.flat_map(|(_, value)| value.split(',')).any(|one| one.trim().eq_ignore_ascii_case(part))
}

/// The question to Resource Graph, in lower case.
fn query_text(seen: &Seen) -> String {
    let Body::Json(body) = &seen.traffic.request else { return String::new() };
    body["query"].as_str().unwrap_or_default().to_ascii_lowercase()
}

fn place(seen: &Seen) -> String {
    format!("{} {}", seen.traffic.method, seen.traffic.path)
}

fn words(linked: &Linked) -> String {
    format!("{} for {} ({:?}, {})", linked.needs, linked.of.action, linked.place, linked.evidence)
}

fn lines(texts: &BTreeSet<String>) -> String {
    texts.iter().cloned().collect::<Vec<_>>().join("\n")
}
