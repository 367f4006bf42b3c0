//! Holds: a person's order that a point stays. It is written on the resource first, as a tag, and then in the store, so that a store
//! that is lost loses no hold.
//!
//! It releases one for a person with a name alone, the store first and the tag last: who is cut off between leaves the point held. It
//! holds what this deployment made; nothing of ours touches the rest.

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use lifeboat_azure::blobs::Store;
use lifeboat_azure::{Error, Latest, ResourceId, tags};
use lifeboat_planning::id::hash;
use serde::{Deserialize, Serialize};

use crate::estate::{self, EstateError};
use crate::lifeboat::Lifeboat;
use crate::observe::tag;
use crate::perform::{ESTATE_TAG, HOLD_TAG, OWNER_TAG};
use crate::stop::{CONFIRMED_AFTER, REASON_CHARS_MAX};
use crate::swap::{self, Change, SwapError};

/// The version of [`Hold`] that this release writes.
pub const VERSION: u32 = 1;
/// Where the records lie.
const FOLDER: &str = "holds/";
/// Holds that are read to tell of them, at most: each is a request, and a person reads no more.
const READ_MAX: usize = 100;
/// Holds read at a time.
const PARALLEL: usize = 8;
/// How long after the ownership was read the tag may be written (design §4).
const LATEST: std::time::Duration = std::time::Duration::from_secs(10);

/// A hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hold {
    /// Version of the record.
    pub version: u32,
    /// What the hold is told apart by: the value of its tag.
    pub id: String,
    /// ARM id of the point.
    pub point: String,
    /// When it was ordered.
    pub held_at: Timestamp,
    /// Why, in a person's words.
    pub reason: String,
    /// When a person released it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released_at: Option<Timestamp>,
    /// Who did: their object id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released_by: Option<String>,
}

/// Why a point is not held, or not released.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    /// No such id. Repeating is pointless.
    #[error("{0} is not the ARM id of a restore point or a snapshot")]
    NotAPoint(String),
    /// It is not this deployment's. Repeating is pointless: nothing of Lifeboat's deletes it.
    #[error("this deployment did not make it, so that nothing of Lifeboat's deletes it")]
    Foreign,
    /// Its order came before, and the hold was released since. Repeating is pointless.
    #[error("this order was carried out before, and a person released the hold at {0}")]
    Released(Timestamp),
    /// The tag that was written is not there when it is read back. Repeating is safe.
    #[error("the tag of the hold is not there yet: order it again")]
    NotThere,
    /// The tag that was taken away is still there when it is read back. Repeating is safe.
    #[error("the tag of the hold is still there: order it again")]
    StillThere,
    /// There is no estate to go by.
    #[error(transparent)]
    Estate(#[from] EstateError),
    /// Azure did not answer or refused, or the store did. Repeating is safe.
    #[error("the hold could not be written")]
    Azure(#[from] Error),
    /// A record of a hold could not be read or changed. Repeating is safe.
    #[error(transparent)]
    Record(#[from] SwapError),
    /// It cannot be written as JSON. A bug.
    #[error("the hold cannot be written")]
    Unwritable(#[from] serde_json::Error),
}

/// A point of ours, as it was read: the resource whose tag says that it is held, that tag's name, and the resource's tags.
struct Holdable {
    resource: ResourceId,
    name: String,
    known: BTreeMap<String, String>,
}

/// Reads what a hold is written on; only what carries this deployment's tags is ours to hold or release.
async fn holdable(lifeboat: &Lifeboat, point: &str) -> Result<Holdable, HoldError> {
    let estate = estate::read(&lifeboat.store, &lifeboat.settings.deployment).await?;
    let (resource, name) = tagged(point)?;
    let known = tags::get(&lifeboat.arm, &resource).await?;
    let is = |name, value: &str| tag(&known, name).as_deref() == Some(value);
    if !is(OWNER_TAG, &estate.deployment) || !is(ESTATE_TAG, &estate.id) {
        return Err(HoldError::Foreign);
    }
    Ok(Holdable { resource, name, known })
}

/// Whether a point is ours to hold or release.
pub async fn is_ours(lifeboat: &Lifeboat, point: &str) -> Result<(), HoldError> {
    holdable(lifeboat, point).await.map(drop)
}

/// Holds a point. A hold that was released since its order was taken stays released.
pub async fn hold(lifeboat: &Lifeboat, hold: Hold) -> Result<Hold, HoldError> {
    let Holdable { resource, name, .. } = holdable(lifeboat, &hold.point).await?;
    let known: Option<Hold> = swap::read(&lifeboat.store, &hold.blob_name(), VERSION).await?;
    if let Some(at) = known.and_then(|known| known.released_at) {
        return Err(HoldError::Released(at));
    }
    let new = BTreeMap::from([(name.clone(), hold.id.clone())]);
    tags::merge(&lifeboat.arm, &resource, &new, Latest::after(LATEST)).await?;
    // Azure may take the write and finish it later: a hold is one when it is read back.
    let written = tags::get(&lifeboat.arm, &resource).await?;
    if tag(&written, &name).as_deref() != Some(hold.id.as_str()) {
        return Err(HoldError::NotThere);
    }
    let blob = hold.blob_name();
    let kept = swap::swap(&lifeboat.store, &blob, VERSION, |known: Option<Hold>| match known {
        Some(known) => Change::Leave(known),
        None => Change::Write(hold.clone(), hold.clone()),
    });
    Ok(kept.await?)
}

/// Releases a point on the order of the person with this object id, taken at that moment. How many holds of it ended; none where it was not
/// held. Holds that came after the order stay, and with them the tag.
///
/// The records first and the tag last: the tag is what deletions ask for. A second time takes up what was cut off.
pub async fn release(lifeboat: &Lifeboat, point: &str, person: &str, taken_at: Timestamp) -> Result<usize, HoldError> {
    let Holdable { resource, name, known } = holdable(lifeboat, point).await?;
    let latest = Latest::after(LATEST);
    let mut ended = 0;
    for blob in lifeboat.store.list(FOLDER).await? {
        let ends = swap::swap(&lifeboat.store, &blob, VERSION, |known: Option<Hold>| match known {
            Some(mut hold) if hold.is_ended_by(point, taken_at) => {
                (hold.released_at, hold.released_by) = (Some(taken_at), Some(person.to_owned()));
                Change::Write(hold, 1)
            }
            _ => Change::Leave(0),
        });
        ended += ends.await?;
    }
    let Some(value) = tag(&known, &name).filter(|value| !is_after(value, taken_at)) else { return Ok(ended) };
    let gone = BTreeMap::from([(name.clone(), value)]);
    tags::remove(&lifeboat.arm, &resource, &gone, latest).await?;
    let written = tags::get(&lifeboat.arm, &resource).await?;
    match tag(&written, &name) {
        Some(value) if !is_after(&value, taken_at) => Err(HoldError::StillThere),
        _ => Ok(ended.max(1)),
    }
}

/// The newest holds that were ordered and not released, at most so many, and how many there are. Nothing is changed.
pub async fn newest(store: &Store, at_most: usize) -> Result<(Vec<Hold>, usize), SwapError> {
    let names = store.list(FOLDER).await?;
    let listed = names.len();
    // The name of a hold does not say its time: where there are more than are read, the newest of those that were are told.
    let read = names.into_iter().take(READ_MAX);
    let read = read.map(|name| async move { swap::read::<Hold>(store, &name, VERSION).await });
    let read: Vec<Option<Hold>> = stream::iter(read).buffered(PARALLEL).try_collect().await?;
    let (mut holds, released): (Vec<Hold>, Vec<Hold>) =
        read.into_iter().flatten().partition(|hold| hold.released_at.is_none());
    let total = listed - released.len();
    holds.sort_by(|one, other| other.held_at.cmp(&one.held_at).then_with(|| one.id.cmp(&other.id)));
    holds.truncate(at_most);
    Ok((holds, total))
}

/// The resource whose tag says that a point is held, and the tag's name. A restore point has no tags of its own.
fn tagged(point: &str) -> Result<(ResourceId, String), HoldError> {
    let no_point = || HoldError::NotAPoint(point.to_owned());
    let id: ResourceId = point.parse().map_err(|_| no_point())?;
    if id.is("Microsoft.Compute/snapshots") {
        return Ok((id, HOLD_TAG.to_owned()));
    }
    if !id.is("Microsoft.Compute/restorePointCollections/restorePoints") {
        return Err(no_point());
    }
    let name = format!("{HOLD_TAG}-{}", id.name().to_ascii_lowercase());
    Ok((id.parent().ok_or_else(no_point)?, name))
}

impl HoldError {
    /// True when the order itself is at fault.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::NotAPoint(_) | Self::Foreign | Self::Released(_) | Self::NotThere | Self::StillThere)
    }
}

impl Hold {
    /// A hold by the order of this id, taken at that moment. Two orders for one point are two holds, copies of one order are one.
    pub fn new(point: &str, reason: &str, order: &str, taken_at: Timestamp) -> Self {
        let reason = reason.chars().filter(|c| !c.is_control()).take(REASON_CHARS_MAX).collect();
        let id = format!("{}-{}", hash(&[&point.to_lowercase(), order]), taken_at.as_millisecond());
        Self {
            version: VERSION,
            id,
            point: point.to_owned(),
            held_at: taken_at,
            reason,
            released_at: None,
            released_by: None,
        }
    }

    /// From then on nothing that was on its way can delete the point any more.
    pub fn confirmed_from(&self) -> Timestamp {
        confirmed_from(self.held_at)
    }

    /// True for a hold of the point that stands, and that was there when the order to release it was taken.
    fn is_ended_by(&self, point: &str, taken_at: Timestamp) -> bool {
        self.point.eq_ignore_ascii_case(point) && self.released_at.is_none() && self.held_at <= taken_at
    }

    fn blob_name(&self) -> String {
        format!("{FOLDER}{}.json", self.id)
    }
}

/// From when on nothing that was on its way can delete a point any more whose tag was written at that moment.
pub fn confirmed_from(written_at: Timestamp) -> Timestamp {
    written_at.checked_add(CONFIRMED_AFTER).unwrap_or(Timestamp::MAX)
}

/// True for the tag of a hold that came after that moment. Of what another release or a person wrote there the moment is not known.
fn is_after(value: &str, moment: Timestamp) -> bool {
    let held_at = value.rsplit_once('-').and_then(|(_, at)| at.parse::<i64>().ok());
    held_at.is_some_and(|held_at| held_at > moment.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_reads_as_it_was_written() {
        let golden = include_bytes!("../golden/hold-v1.json");
        let hold: Hold = crate::record::read_up_to(VERSION, "golden", golden).expect("reads");
        let written: serde_json::Value = serde_json::to_value(&hold).expect("writes");
        assert_eq!(written, serde_json::from_slice::<serde_json::Value>(golden).expect("JSON"));
        let again = Hold::new(&hold.point, &hold.reason, "an-order", hold.held_at);
        assert_eq!(
            again.id,
            Hold::new(&hold.point, "", "an-order", hold.held_at).id,
            "copies of an order are one hold"
        );
        assert_ne!(again.id, Hold::new(&hold.point, "", "another", hold.held_at).id);
        let earlier = hold.held_at.checked_sub(jiff::SignedDuration::from_millis(1)).expect("a moment");
        assert!(is_after(&again.id, earlier) && !is_after(&again.id, hold.held_at) && !is_after(&hold.id, earlier));
    }

    #[test]
    fn a_restore_point_is_held_by_a_tag_of_its_collection_and_a_snapshot_by_its_own() {
        let compute = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute";
        let (on, name) = tagged(&format!("{compute}/restorePointCollections/c/restorePoints/LB-x")).expect("a point");
        assert_eq!((on.name(), name.as_str()), ("c", "lifeboat-hold-lb-x"));
        let (on, name) = tagged(&format!("{compute}/snapshots/s-1")).expect("a point");
        assert_eq!((on.name(), name.as_str()), ("s-1", "lifeboat-hold"));
        assert!(tagged(&format!("{compute}/virtualMachines/vm")).is_err());
        assert!(tagged("nonsense").is_err());
    }
}
