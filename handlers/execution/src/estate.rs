//! The estate record: the memory that says that this store is this deployment's, and under which id what it makes is tagged.
//! It is written by `lifeboat init` alone, never by the handler: a store that was lost, mixed up or put back must stop changes, and a
//! record that comes back by itself would hide that.
//!
//! ```text
//! none ─ init ─► record ─ lost, unreadable, or not the id that the collections carry ─► nothing is changed
//!                  ▲                                                                          │
//!                  └────────────────────────────── init --adopt ──────────────────────────────┘
//! ```

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use lifeboat_azure::blobs::{Condition, ETag, Store};
use lifeboat_azure::{Error, ErrorKind};
use lifeboat_planning::facts::Owner;
use serde::{Deserialize, Serialize};

use crate::alarms::{self, Cause, Machines, Raised};
use crate::record::{RecordError, read_up_to};

/// The record's blob.
pub const BLOB: &str = "estate.json";
/// The version of [`Estate`] that this release writes.
pub const VERSION: u32 = 1;
/// Nothing expires for this long after `init` and `--adopt`: what was deleted in the day before is not known to a new store, and the
/// counters are over 24 hours (design §10).
pub const NO_EXPIRY_FOR: SignedDuration = SignedDuration::from_hours(24);

/// The estate of a deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Estate {
    /// Version of the record.
    pub version: u32,
    /// The id that what is made carries in its tag: a UUID.
    pub id: String,
    /// The deployment whose store this is.
    pub deployment: String,
    /// When `init` wrote it.
    pub created_at: Timestamp,
    /// When `init --adopt` last wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopted_at: Option<Timestamp>,
}

/// Why there is no estate to go by. Nothing is changed without one.
#[derive(Debug, thiserror::Error)]
pub enum EstateError {
    /// The store did not answer. Repeating is safe.
    #[error("the store did not answer for the estate record")]
    Store(#[from] Error),
    /// There is none: a new store, or one that was emptied. Repeating is pointless until somebody runs `init`.
    #[error("there is no estate record in the store")]
    Missing,
    /// It cannot be used. Repeating is pointless until somebody runs `init --adopt`.
    #[error("the estate record is not one that this release reads")]
    Unreadable(#[source] RecordError),
    /// It is another deployment's. Repeating is pointless: the setting, or the store, is the wrong one.
    #[error("the store is that of the deployment {deployment}")]
    Foreign {
        /// Whose it is.
        deployment: String,
    },
}

/// Why `init` did not write the record.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// The store did not answer or did not take it. Repeating is safe.
    #[error("the store did not take the estate record")]
    Store(#[from] Error),
    /// One is there. `init` never replaces it.
    #[error("there is an estate record already, written {at}")]
    AlreadyThere {
        /// When it was written.
        at: Timestamp,
    },
    /// What is there cannot be read: `init --adopt` is the way, but for a record of a later release.
    #[error("there is an estate record that this release cannot read")]
    Unreadable(#[source] RecordError),
    /// The store is another deployment's, which may be at work.
    #[error("the store is that of the deployment {deployment}: no other one may adopt it")]
    Foreign {
        /// Whose it is.
        deployment: String,
    },
    /// The record is good and what was made carries its id.
    #[error("there is nothing to adopt: the estate record is whole, and nothing in Azure carries another id")]
    NothingToAdopt,
    /// What was made carries more than one id, so that nobody knows which is right.
    #[error("the deployment's collections carry several estate ids: {}", shown(ids))]
    Disagree {
        /// Each id with how many collections carry it.
        ids: BTreeMap<String, usize>,
    },
    /// Somebody else wrote it at the same time.
    #[error("somebody else wrote the estate record at the same time")]
    Raced,
}

fn shown(ids: &BTreeMap<String, usize>) -> String {
    ids.iter().map(|(id, count)| format!("{id} ({count})")).collect::<Vec<_>>().join(", ")
}

/// Reads the estate of this deployment; what only a person can mend is said at once.
pub async fn required(store: &Store, deployment: &str) -> Result<Estate, EstateError> {
    let read = read(store, deployment).await;
    if let Err(error) = &read {
        let cause = match error {
            EstateError::Store(_) | EstateError::Missing => Cause::StoreMissing,
            EstateError::Unreadable(_) => Cause::StoreUnreadable,
            EstateError::Foreign { .. } => Cause::ForeignEstate,
        };
        // In the log and the metric alone: the store is not ours to write to.
        let what = format!("nothing is changed: {error}");
        alarms::say(&Raised { cause, policy: None, what, machines: Machines::All(&[]) });
    }
    read
}

/// Reads whose store this is, for a person who asks.
pub async fn of_store(store: &Store) -> Result<Estate, EstateError> {
    let (bytes, _) = store.get(BLOB).await?.ok_or(EstateError::Missing)?;
    Estate::read(&bytes).map_err(EstateError::Unreadable)
}

/// Reads the estate of this deployment.
pub async fn read(store: &Store, deployment: &str) -> Result<Estate, EstateError> {
    let estate = of_store(store).await?;
    if estate.deployment == deployment {
        Ok(estate)
    } else {
        Err(EstateError::Foreign { deployment: estate.deployment })
    }
}

/// Writes the record of a new store. `new_id` is a UUID that nobody has used.
pub async fn init(store: &Store, deployment: &str, new_id: &str, now: Timestamp) -> Result<Estate, InitError> {
    let estate = Estate::new(deployment, new_id, now);
    match write(store, &estate, Condition::IfAbsent).await {
        Ok(()) => Ok(estate),
        Err(InitError::Raced) => match store.get(BLOB).await? {
            None => Err(InitError::Raced),
            Some((bytes, _)) => {
                let there = Estate::read(&bytes).map_err(InitError::Unreadable)?;
                // Our own write whose answer was lost.
                if there.id == estate.id { Ok(there) } else { Err(InitError::AlreadyThere { at: there.created_at }) }
            }
        },
        Err(error) => Err(error),
    }
}

/// Writes the record of a store that has lost its own. `carried` are the estate ids in the tags of this deployment's collections,
/// each with how many carry it; where there is none, `new_id` is the id.
pub async fn adopt(
    store: &Store,
    deployment: &str,
    carried: &BTreeMap<String, usize>,
    new_id: &str,
    now: Timestamp,
) -> Result<Estate, InitError> {
    if carried.len() > 1 {
        return Err(InitError::Disagree { ids: carried.clone() });
    }
    let carried_id = carried.keys().next();
    let found: Option<(Result<Estate, RecordError>, ETag)> =
        store.get(BLOB).await?.map(|(bytes, etag)| (Estate::read(&bytes), etag));
    let (created_at, condition) = match found {
        None => (now, Condition::IfAbsent),
        // A later release's is whole, whatever it says.
        Some((Err(later @ RecordError::TooNew { .. }), _)) => return Err(InitError::Unreadable(later)),
        Some((Err(RecordError::Malformed { .. }), etag)) => (now, Condition::IfMatch(etag)),
        Some((Ok(there), _)) if there.deployment != deployment => {
            return Err(InitError::Foreign { deployment: there.deployment });
        }
        Some((Ok(there), _)) if carried_id.is_none_or(|id| *id == there.id) => return Err(InitError::NothingToAdopt),
        // Whole, and of another id than what was made: another estate's store was put in its place.
        Some((Ok(there), etag)) => (there.created_at, Condition::IfMatch(etag)),
    };
    let id = carried_id.map_or(new_id, String::as_str);
    let estate = Estate { created_at, adopted_at: Some(now), ..Estate::new(deployment, id, now) };
    write(store, &estate, condition).await?;
    Ok(estate)
}

async fn write(store: &Store, estate: &Estate, condition: Condition) -> Result<(), InitError> {
    match store.put(BLOB, estate.to_bytes().into(), condition).await {
        Ok(_) => Ok(()),
        Err(error) if matches!(error.kind, ErrorKind::Conflict | ErrorKind::AlreadyExists) => Err(InitError::Raced),
        Err(error) => Err(error.into()),
    }
}

impl Estate {
    /// The record of a new estate.
    pub fn new(deployment: &str, id: &str, now: Timestamp) -> Self {
        Self {
            version: VERSION,
            id: id.to_owned(),
            deployment: deployment.to_owned(),
            created_at: now,
            adopted_at: None,
        }
    }

    /// Reads a record of this version or an earlier one.
    pub fn read(bytes: &[u8]) -> Result<Self, RecordError> {
        let read: Self = read_up_to(VERSION, BLOB, bytes)?;
        let plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if plain(&read.id) && plain(&read.deployment) {
            return Ok(read);
        }
        // An id that could equal a missing tag, or that no tag can hold, is none.
        let source = serde::de::Error::custom("the ids of an estate are letters, digits and dashes");
        Err(RecordError::Malformed { name: BLOB.to_owned(), source })
    }

    /// The record as it is stored.
    pub fn to_bytes(&self) -> Vec<u8> {
        // A struct of texts and times: writing it as JSON cannot fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Whose what is made under this record is.
    pub fn owner(&self) -> Owner {
        Owner { deployment: self.deployment.clone(), estate: self.id.clone() }
    }

    /// Before then nothing expires.
    pub fn expiry_allowed_from(&self) -> Timestamp {
        let since = self.adopted_at.map_or(self.created_at, |at| at.max(self.created_at));
        since.checked_add(NO_EXPIRY_FOR).unwrap_or(Timestamp::MAX)
    }
}

impl EstateError {
    /// True when only a person can mend it.
    pub fn is_hopeless(&self) -> bool {
        !matches!(self, Self::Store(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_reads_as_it_was_written() {
        let golden = include_bytes!("../golden/estate-v1.json");
        let estate = Estate::read(golden).expect("reads");
        assert_eq!((estate.version, estate.deployment.as_str()), (1, "lb-weu"));
        let written: serde_json::Value = serde_json::from_slice(&estate.to_bytes()).expect("JSON");
        assert_eq!(written, serde_json::from_slice::<serde_json::Value>(golden).expect("JSON"));
    }

    #[test]
    fn nothing_expires_for_a_day_after_init_and_after_adopt() {
        let mut estate = Estate::new("d", "e", Timestamp::UNIX_EPOCH);
        assert_eq!(estate.expiry_allowed_from().as_second(), 86_400);
        estate.adopted_at = Some(Timestamp::from_second(1_000_000).expect("a time"));
        assert_eq!(estate.expiry_allowed_from().as_second(), 1_086_400);
        estate.adopted_at = Some(Timestamp::from_second(-5).expect("a time"));
        assert_eq!(estate.expiry_allowed_from().as_second(), 86_400, "a clock that went back shortens nothing");
    }

    #[test]
    fn a_record_with_an_id_that_is_none_is_not_read() {
        for bad in [r#""""#, r#""a b""#, r#""../x""#] {
            let text = format!(r#"{{"version":1,"id":{bad},"deployment":"d","createdAt":"2026-11-22T10:00:00Z"}}"#);
            assert!(Estate::read(text.as_bytes()).is_err(), "{bad}");
        }
        assert!(Estate::read(br#"{"version":2}"#).is_err(), "a later release's");
    }
}
