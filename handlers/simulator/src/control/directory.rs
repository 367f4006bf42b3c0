//! Orders about the directory of persons: who is in it, their tokens right or wrong, its keys and its moods.
//! It never answers what another part of the control API knows.

use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Asked, Refusal};
use crate::azure::{PersonSeed, TokenOrder};
use crate::world::World;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewToken {
    /// The object id of a person, or its name.
    person: String,
    #[serde(default)]
    order: TokenOrder,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mood {
    #[serde(default)]
    down: bool,
    #[serde(default)]
    slow_ms: i64,
}

/// Carries out an order; what is not about this is handed back.
pub(super) fn act(world: &World, method: &str, path: &str, asked: &Asked) -> Option<Result<Value, Refusal>> {
    let directory = world.directory();
    Some(match (method, path) {
        ("GET", "/directory") => Ok(json!({
            "url": directory.base(),
            "tenant": directory.tenant(),
            "audience": directory.audience(),
            "persons": directory.persons(),
        })),
        ("POST", "/directory/persons") => {
            asked.read::<PersonSeed>().map(|seed| json!({ "objectId": directory.add(seed) }))
        }
        ("POST", "/directory/tokens") => asked.read::<NewToken>().and_then(|NewToken { person, order }| {
            let persons = directory.persons();
            let found = persons.iter().find(|(object, seed)| **object == person || seed.name == person);
            let (object, _) = found.ok_or(Refusal::Unknown(person))?;
            Ok(json!({ "token": directory.token(object, &order) }))
        }),
        ("POST", "/directory/rotate") => {
            directory.rotate();
            Ok(json!({}))
        }
        ("POST", "/directory/retire") => {
            directory.retire();
            Ok(json!({}))
        }
        ("POST", "/directory/mood") => asked.read::<Mood>().map(|Mood { down, slow_ms }| {
            directory.set_down(down);
            directory.set_slow(SignedDuration::from_millis(slow_ms));
            json!({})
        }),
        _ => return None,
    })
}
