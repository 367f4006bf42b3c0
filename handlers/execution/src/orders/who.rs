//! Whose an order is: a person by a token that was verified, or a holder of the right to come through a door.
//! It never takes what needs a name from somebody without one, and never asks for a name where safety alone is added.

use jiff::Timestamp;
use lifeboat_azure::entra::{Directory, Unverified};
use lifeboat_contract::command::{Order, Token};

use super::refusal::Refusal;

/// The app role that gives orders, and reads.
pub const OPERATE: &str = "Lifeboat.Operate";
/// The app role that reads what `Api` answers.
pub const READ: &str = "Lifeboat.Read";

/// Through which door an order came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// The queue: who sends is not known.
    Queue,
    /// `Api`: the host has checked a key.
    Api,
}

/// Whose an order is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Author {
    /// A person, or a system with an identity of its own.
    Named {
        /// Object id.
        object_id: String,
        /// What the token is told apart by.
        mark: String,
        /// When the token ends.
        ends: Timestamp,
    },
    /// Whoever may come through the door. Such an order only adds safety.
    Holder(Door),
}

/// Why it is not known whose an order is. Repeating is safe.
#[derive(Debug, thiserror::Error)]
#[error("the directory cannot be asked whose the order is")]
pub struct NotKnown(#[source] Unverified);

impl Author {
    /// What is recorded.
    pub fn record(&self) -> &str {
        match self {
            Self::Named { object_id, .. } => object_id,
            Self::Holder(Door::Queue) => "a holder of the right to send to the queue",
            Self::Holder(Door::Api) => "a holder of the key of Api",
        }
    }
}

/// Whether somebody may read what `Api` answers. Where the deployment knows no directory nobody has a name, and nobody reads: a key is no
/// name.
pub async fn may_read(directory: Option<&Directory>, token: Option<&Token>) -> Result<Result<(), Refusal>, NotKnown> {
    let Some(directory) = directory else { return Ok(Err(Refusal::NoDirectory)) };
    let Some(token) = token else { return Ok(Err(Refusal::NoToken)) };
    match directory.verify(token.secret()).await {
        Ok(person) if person.roles.contains(READ) || person.roles.contains(OPERATE) => Ok(Ok(())),
        Ok(person) => Ok(Err(Refusal::Role { person: person.object_id, role: READ })),
        Err(error) if error.is_unknown() => Err(NotKnown(error)),
        Err(error) => Ok(Err(Refusal::Token(error))),
    }
}

/// Whose an order is, and whether they may give it.
pub async fn author(
    directory: Option<&Directory>,
    order: &Order,
    token: Option<&Token>,
    door: Door,
) -> Result<Result<Author, Refusal>, NotKnown> {
    if order.only_adds_safety() {
        return Ok(Ok(Author::Holder(door)));
    }
    let Some(directory) = directory else { return Ok(Err(Refusal::NoDirectory)) };
    let Some(token) = token else { return Ok(Err(Refusal::NoToken)) };
    let person = match directory.verify(token.secret()).await {
        Ok(person) => person,
        Err(error) if error.is_unknown() => return Err(NotKnown(error)),
        Err(error) => return Ok(Err(Refusal::Token(error))),
    };
    if !person.roles.contains(OPERATE) {
        return Ok(Err(Refusal::Role { person: person.object_id, role: OPERATE }));
    }
    Ok(Ok(Author::Named { object_id: person.object_id, mark: person.mark, ends: person.ends }))
}
