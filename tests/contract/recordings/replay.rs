//! Shows the simulator the requests of a tape, in order, and compares its answers with the recorded ones.
//! It never shows it an answer, but for what the plan seeds; of the answers it takes names and whether something ended.

use crate::compare::{Difference, compare, states, told};
use crate::graph_rows;
use crate::names::Names;
use crate::plan::{Plan, Role};
use crate::report::{Judged, Outcome, Played};
use crate::tape::{Line, Said, Tape};
use crate::time::Running;
use crate::world::World;

/// Replays a tape; `modelled` is what [`World::models`] said of it.
pub async fn run(tape: &Tape, modelled: &[bool]) -> Played {
    let plan = Plan::of(tape, modelled);
    let world = World::new();
    let mut notes: Vec<String> =
        world.prepare(&plan, &graph_rows::of(tape)).into_iter().map(|why| format!("seed refused: {why}")).collect();
    let (mut names, mut running) = (Names::default(), Running::default());
    let mut lines = Vec::new();
    for (at, (line, role)) in tape.lines.iter().zip(&plan.roles).enumerate() {
        let mut course = None;
        let outcome = match unasked(line, role, &names) {
            Some(outcome) => outcome,
            None => {
                let refused = world.plant(&role.planted_before);
                notes.extend(refused.into_iter().map(|why| format!("line {}: seed refused: {why}", line.number)));
                running.note(at, line);
                let asked = names.request(line);
                let said = running.ask(&world, role, line, &asked).await;
                names.learn(&line.answer, &said);
                course = Some((states(&line.answer.body), states(&said.body)));
                judged(line, role, &asked.target, &said, &mut notes)
            }
        };
        lines.push(Judged {
            number: line.number,
            request: format!("{} {}", line.method, line.path()),
            spoken: role.operation.is_some(),
            of_operation: role.polls.is_some() || plan.roles.iter().any(|other| other.polls == Some(at)),
            kind: kind(role),
            outcome,
            states: course,
        });
    }
    Played { tape: tape.name.clone(), lines, notes }
}

/// What comes of a line that is not sent.
fn unasked(line: &Line, role: &Role, names: &Names) -> Option<Outcome> {
    match role {
        Role { repeated: true, .. } => Some(Outcome::Repeated),
        Role { modelled: false, operation: None, .. } => Some(Outcome::NotModelled),
        Role { modelled: false, .. } => Some(Outcome::Different(vec![Difference::NoRoute])),
        Role { polls: Some(_), .. } if !names.knows(line) => Some(Outcome::Different(vec![Difference::NoStatusUrl])),
        _ => None,
    }
}

fn judged(line: &Line, role: &Role, target: &str, said: &Said, notes: &mut Vec<String>) -> Outcome {
    let own_path = target.split('?').next().unwrap_or_default();
    let differences = compare((line.path(), own_path), &line.answer, said);
    if role.seeded {
        if !differences.is_empty() {
            notes.push(format!("line {}: seeded, and answered otherwise: {}", line.number, told(&differences)));
        }
        return Outcome::Seeded;
    }
    if differences.is_empty() { Outcome::Equal } else { Outcome::Different(differences) }
}

fn kind(role: &Role) -> String {
    let way = if role.polls.is_some() { "poll of " } else { "" };
    let what = role.operation.map_or_else(String::new, |operation| format!("{} {}", operation.method, operation.path));
    format!("{way}{what}")
}
