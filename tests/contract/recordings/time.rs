//! When the clock moves: before an answer that says an operation has ended, to the moment when it ends here; before an answer
//! that tells of a job, or of anything that nobody wrote to meanwhile, otherwise than the one before it, to the moment when that
//! changes here; and after the last poll of
//! an operation whose end a tape never shows, to its end. Before an answer that says it still runs the clock stands, so that
//! an operation that ends too early is seen.
//! It never moves the clock for anything else: the tapes tell no times of requests.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use crate::compare::{shape, states};
use crate::names::Asked;
use crate::plan::Role;
use crate::tape::{Line, Said};
use crate::world::World;

/// States in which nothing moves any more.
const ENDED: [&str; 6] = ["succeeded", "failed", "canceled", "cancelled", "completed", "completedwithwarnings"];
/// How often the clock is moved for one answer, at most: other things may be due before the operation.
const JUMPS_MAX: usize = 12;

/// How an answer looks: its shape and its states.
type Look = (BTreeSet<String>, Vec<String>);

/// The operations that were started and not yet seen to have ended: the place of the line that started one, and what
/// it is about.
#[derive(Debug, Default)]
pub struct Running {
    operations: BTreeMap<usize, String>,
    /// How each job looked when it was last asked for, on the tape and here.
    jobs: BTreeMap<String, (Look, Look)>,
    /// How what was asked for looked, since somebody last wrote something, on the tape and here.
    seen: BTreeMap<String, (Said, Said)>,
    /// A poll that was the last one of its operation.
    given_up: Option<Asked>,
}

impl Running {
    /// Notes what a request started.
    pub fn note(&mut self, at: usize, line: &Line) {
        let goes_on = line.answer.status == 202 || line.answer.headers.contains_key("azure-asyncoperation");
        if !line.is_read() && goes_on {
            let id = line.key();
            let about = match line.method.as_str() {
                "POST" => id.rsplit_once('/').map_or("", |(resource, _)| resource).to_owned(),
                _ => id,
            };
            self.operations.insert(at, about);
        }
    }

    /// Sends a request at the time that its recorded answer tells of.
    pub async fn ask(&mut self, world: &World, role: &Role, line: &Line, asked: &Asked) -> Said {
        if let Some(poll) = self.given_up.take() {
            until(world, "GET", &poll, has_ended).await;
        }
        if role.gives_up {
            self.given_up = Some(asked.clone());
        }
        let about = line.key();
        let under_way = match role.polls {
            Some(starter) => self.operations.contains_key(&starter),
            None => line.is_read() && self.operations.values().any(|one| *one == about),
        };
        if role.polls.is_some() && !under_way {
            return self.ask_job(world, line, asked).await;
        }
        if !line.is_read() {
            self.seen.clear();
        }
        if !(under_way && has_ended(&line.answer)) {
            return if under_way || !line.is_read() {
                world.ask(&line.method, asked).await
            } else {
                self.ask_again(world, line, asked).await
            };
        }
        world.jump();
        let as_recorded = |said: &Said| has_ended(said) && said.status == line.answer.status;
        let said = until(world, &line.method, asked, as_recorded).await;
        self.operations.retain(|starter, one| role.polls != Some(*starter) && (role.polls.is_some() || *one != about));
        said
    }

    /// Asks for what goes on by itself.
    async fn ask_again(&mut self, world: &World, line: &Line, asked: &Asked) -> Said {
        let about = line.target.to_lowercase();
        let said = match self.seen.get(&about) {
            Some((recorded, ours)) if look(recorded) != look(&line.answer) => {
                let before = look(ours);
                until(world, &line.method, asked, |said| look(said) != before).await
            }
            _ => world.ask(&line.method, asked).await,
        };
        self.seen.insert(about, (line.answer.clone(), said.clone()));
        said
    }

    /// Asks for what an operation left behind: a job, whose parts end one after the other.
    async fn ask_job(&mut self, world: &World, line: &Line, asked: &Asked) -> Said {
        let (about, theirs) = (line.key(), look(&line.answer));
        let before = self.jobs.get(&about).cloned();
        let said = match before {
            _ if has_ended(&line.answer) => {
                let said = until(world, &line.method, asked, has_ended).await;
                // It tells how long it took: where that is longer than here, the time of the answer is later too.
                world.wait(length(&line.answer) - length(&said));
                said
            }
            Some((recorded, ours)) if recorded != theirs => {
                until(world, &line.method, asked, |said| look(said) != ours).await
            }
            _ => world.ask(&line.method, asked).await,
        };
        self.jobs.insert(about, (theirs, look(&said)));
        said
    }
}

/// Asks until the answer is as wanted or nothing more happens, moving the clock from event to event.
async fn until(world: &World, method: &str, asked: &Asked, wanted: impl Fn(&Said) -> bool) -> Said {
    let mut said = world.ask(method, asked).await;
    for _ in 0..JUMPS_MAX {
        if wanted(&said) || !world.jump() {
            break;
        }
        said = world.ask(method, asked).await;
    }
    said
}

/// The length of a job as it tells it, as `PT1H56M16.9S`; nothing where it tells none.
fn length(said: &Said) -> SignedDuration {
    let text = said.body["properties"]["duration"].as_str().unwrap_or_default();
    text.parse().unwrap_or_default()
}

fn look(said: &Said) -> Look {
    (shape(said), states(&said.body))
}

/// Whether an answer says that what it tells of has come to an end.
pub fn has_ended(said: &Said) -> bool {
    let properties = &said.body["properties"];
    let states = [&said.body["status"], &properties["provisioningState"], &properties["status"]];
    let state = states.into_iter().find_map(|state| state.as_str());
    match (said.status, state) {
        (202, _) => false,
        (_, Some(state)) => ENDED.contains(&state.to_lowercase().as_str()),
        (_, None) => true,
    }
}
