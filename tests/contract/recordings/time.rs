//! When the clock moves: before an answer that says an operation has ended, to the moment when it ends here. Before an
//! answer that says it still runs the clock stands, so that an operation that ends too early is seen.
//! It never moves the clock for anything else: the tapes tell no times of requests.

use std::collections::BTreeMap;

use crate::names::Asked;
use crate::plan::Role;
use crate::tape::{Line, Said};
use crate::world::World;

/// States in which nothing moves any more.
const ENDED: [&str; 5] = ["succeeded", "failed", "canceled", "cancelled", "completed"];
/// How often the clock is moved for one answer, at most: other things may be due before the operation.
const JUMPS_MAX: usize = 12;

/// The operations that were started and not yet seen to have ended: the place of the line that started one, and what
/// it is about.
#[derive(Debug, Default)]
pub struct Running(BTreeMap<usize, String>);

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
            self.0.insert(at, about);
        }
    }

    /// Sends a request at the time that its recorded answer tells of.
    pub async fn ask(&mut self, world: &World, role: &Role, line: &Line, asked: &Asked) -> Said {
        let about = line.key();
        let under_way = match role.polls {
            Some(starter) => self.0.contains_key(&starter),
            None => line.is_read() && self.0.values().any(|one| *one == about),
        };
        let over = under_way && has_ended(&line.answer);
        if over {
            world.jump();
        }
        let mut said = world.ask(&line.method, asked).await;
        for _ in 0..JUMPS_MAX {
            if !over || has_ended(&said) || !world.jump() {
                break;
            }
            said = world.ask(&line.method, asked).await;
        }
        if over {
            self.0.retain(|starter, one| role.polls != Some(*starter) && (role.polls.is_some() || *one != about));
        }
        said
    }
}

/// Whether an answer says that what it tells of has come to an end.
pub fn has_ended(said: &Said) -> bool {
    let state = said.body["status"].as_str().or_else(|| said.body["properties"]["provisioningState"].as_str());
    match (said.status, state) {
        (202, _) => false,
        (_, Some(state)) => ENDED.contains(&state.to_lowercase().as_str()),
        (_, None) => true,
    }
}
