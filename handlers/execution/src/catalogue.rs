//! The catalogue: what was last seen of each machine's points, and when to look again. Resource Graph does not list restore points, so
//! that without it each sweep would read each collection.
//!
//! It is a cache and never the authority: before a delete, and before saying that there is no point, Azure is read. A shard that is
//! lost or cannot be read is an empty one, and is filled again.
//!
//! ```text
//! hash of vmId ─► shard (00 … ff) ─► one blob: a line that says what it is, then a line a machine, in the order of their keys
//! ```

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use lifeboat_azure::blobs::{Condition, Store};
use lifeboat_azure::{Error, ErrorKind};
use lifeboat_planning::id::{MachineKey, hash};
use serde::{Deserialize, Serialize};

use crate::record::{RecordError, read_up_to};
use crate::swap::SwapError;

/// Where the shards lie.
const FOLDER: &str = "catalogue/";
/// The version of a shard that this release writes.
pub const VERSION: u32 = 1;
/// Shards. 100,000 machines are then some 400 a shard: about a megabyte with thirty points each, a quarter of what one blob may be,
/// and all of them are read within seconds, eight at a time.
pub const SHARDS: usize = 256;
/// Points kept of a machine, the newest: two a day for a month. What is older is counted.
pub const POINTS_MAX: usize = 64;
/// The bytes of a shard, at most: what the store takes, less room for the line that says what it is.
pub const SHARD_BYTES_MAX: usize = lifeboat_azure::blobs::MAX_PUT_BYTES - 1024;
/// Tries to write a shard: sweeps do not run twice at once, and looks seldom meet in one shard.
const TRIES_MAX: u32 = 8;
/// Shards read at a time.
const PARALLEL: usize = 8;

/// What is known of a machine's points.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The machine's identity.
    pub vm_id: String,
    /// Its ARM id when it was last seen.
    pub machine: String,
    /// ARM id of its collection; empty when it has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub collection: String,
    /// When its collection was last read, by the clock of whoever did.
    pub read_at: Timestamp,
    /// When it is to be read again.
    pub look_at: Timestamp,
    /// How many points it had.
    pub total: u32,
    /// The newest of them, newest first.
    pub points: Vec<Seen>,
}

/// A point as it was seen: name, when it was made (seconds since 1970, 0 when Azure did not say), state, consistency. Without names
/// of fields, since there are millions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen(pub String, pub i64, pub State, pub Consistency);

/// The consistency that a point has reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Consistency {
    /// Applications wrote out what they held.
    #[serde(rename = "a")]
    Application,
    /// File systems are whole.
    #[serde(rename = "f")]
    FileSystem,
    /// As after a power cut.
    #[serde(rename = "c")]
    Crash,
    /// Azure said none, or another.
    #[serde(rename = "-")]
    NotSaid,
}

/// The state of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// Succeeded.
    #[serde(rename = "s")]
    Succeeded,
    /// Failed.
    #[serde(rename = "f")]
    Failed,
    /// Being made.
    #[serde(rename = "m")]
    InProgress,
    /// Being deleted.
    #[serde(rename = "d")]
    Deleting,
}

/// A shard: its machines by their keys. A machine that moved has one entry for each id that it had: its old points stay where they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shard {
    /// The machines.
    pub machines: BTreeMap<MachineKey, Entry>,
}

/// The first line of a shard.
#[derive(Serialize, Deserialize)]
struct Head {
    version: u32,
}

/// What a reading of Azure says about a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// This was seen.
    Seen(Entry),
    /// The machine and its points are gone, read at that time.
    Gone {
        /// The machine's identity.
        vm_id: String,
        /// Its ARM id.
        machine: String,
        /// When.
        read_at: Timestamp,
    },
}

/// The shard of a machine.
pub fn shard_of(vm_id: &str) -> usize {
    let hash = hash(&[&vm_id.to_lowercase()]);
    usize::from_str_radix(hash.get(..2).unwrap_or("00"), 16).unwrap_or(0) % SHARDS
}

/// The blob of a shard.
pub fn blob_name(shard: usize) -> String {
    format!("{FOLDER}{shard:02x}.jsonl")
}

/// Reads a shard. One that is not there, or cannot be read, is empty.
pub async fn read(store: &Store, shard: usize) -> Result<Shard, Error> {
    Ok(store.get(&blob_name(shard)).await?.map(|(bytes, _)| decoded(shard, &bytes)).unwrap_or_default())
}

/// The numbers of the shards that are there: a small estate has few, and the others need no reading.
pub async fn present(store: &Store) -> Result<BTreeSet<usize>, Error> {
    let names = store.list(FOLDER).await?;
    let number = |name: &String| usize::from_str_radix(name.strip_prefix(FOLDER)?.strip_suffix(".jsonl")?, 16).ok();
    Ok(names.iter().filter_map(number).filter(|shard| *shard < SHARDS).collect())
}

/// Writes what was read of machines into their shards. An older reading never takes the place of a newer one, so that who comes late
/// changes nothing.
pub async fn note(store: &Store, readings: &[Reading]) -> Result<(), SwapError> {
    let mut by_shard: BTreeMap<usize, Vec<&Reading>> = BTreeMap::new();
    for reading in readings {
        by_shard.entry(shard_of(reading.vm_id())).or_default().push(reading);
    }
    // Collected first: as a lazy iterator its closure would tie the future to one lifetime, and no handler could be spawned with it.
    let writes: Vec<_> = by_shard.into_iter().map(|(shard, readings)| note_in(store, shard, readings)).collect();
    stream::iter(writes).buffer_unordered(PARALLEL).try_collect().await
}

async fn note_in(store: &Store, shard: usize, readings: Vec<&Reading>) -> Result<(), SwapError> {
    let name = blob_name(shard);
    for _ in 0..TRIES_MAX {
        let (mut known, condition) = match store.get(&name).await? {
            None => (Shard::default(), Condition::IfAbsent),
            Some((bytes, etag)) => (decoded(shard, &bytes), Condition::IfMatch(etag)),
        };
        let before = known.clone();
        for reading in &readings {
            known.take(reading);
        }
        if known == before {
            return Ok(());
        }
        match store.put(&name, known.encode().into(), condition).await {
            Ok(_) => return Ok(()),
            Err(error) if matches!(error.kind, ErrorKind::Conflict | ErrorKind::AlreadyExists) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(SwapError::Busy)
}

fn decoded(shard: usize, bytes: &[u8]) -> Shard {
    Shard::decode(shard, bytes).unwrap_or_else(|error| {
        tracing::warn!(error = %error, shard, "a shard of the catalogue cannot be read and is filled again");
        Shard::default()
    })
}

impl Reading {
    fn key(&self) -> MachineKey {
        match self {
            Self::Seen(entry) => entry.key(),
            Self::Gone { vm_id, machine, .. } => MachineKey::new(vm_id, machine),
        }
    }

    fn vm_id(&self) -> &str {
        match self {
            Self::Seen(entry) => &entry.vm_id,
            Self::Gone { vm_id, .. } => vm_id,
        }
    }
}

impl Shard {
    /// Takes a reading, unless a newer one is there. Of a machine that is gone nothing is kept: one that is seen again by an older
    /// reading comes back until the next reading, which costs a look.
    pub fn take(&mut self, reading: &Reading) {
        let key = reading.key();
        let newer = |at: Timestamp, known: Option<&Entry>| known.is_none_or(|known| known.read_at < at);
        match reading {
            Reading::Seen(entry) if newer(entry.read_at, self.machines.get(&key)) => {
                self.machines.insert(key, entry.bounded());
            }
            Reading::Gone { read_at, .. } if newer(*read_at, self.machines.get(&key)) => {
                self.machines.remove(&key);
            }
            Reading::Seen(_) | Reading::Gone { .. } => {}
        }
    }

    /// The shard as it is stored, within its bound: where the points are too many, each machine keeps half as many, and again.
    pub fn encode(&self) -> Vec<u8> {
        let mut points_max = POINTS_MAX;
        loop {
            let bytes = self.encode_with(points_max);
            if bytes.len() <= SHARD_BYTES_MAX || points_max == 0 {
                return bytes;
            }
            points_max /= 2;
        }
    }

    fn encode_with(&self, points_max: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        // Records of texts and times: writing them as JSON into memory cannot fail.
        let _written = serde_json::to_writer(&mut bytes, &Head { version: VERSION });
        for entry in self.machines.values() {
            bytes.push(b'\n');
            let _written = if entry.points.len() <= points_max {
                serde_json::to_writer(&mut bytes, entry)
            } else {
                let points = entry.points[..points_max].to_vec();
                serde_json::to_writer(&mut bytes, &Entry { points, ..entry.clone() })
            };
        }
        bytes.push(b'\n');
        bytes
    }

    /// Reads a shard of this version or an earlier one.
    pub fn decode(shard: usize, bytes: &[u8]) -> Result<Self, RecordError> {
        let mut lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let name = blob_name(shard);
        let _head: Head = read_up_to(VERSION, &name, lines.next().unwrap_or_default())?;
        let mut machines = BTreeMap::new();
        for line in lines {
            let entry: Entry =
                serde_json::from_slice(line).map_err(|source| RecordError::Malformed { name: name.clone(), source })?;
            machines.insert(entry.key(), entry);
        }
        Ok(Self { machines })
    }
}

impl Entry {
    fn key(&self) -> MachineKey {
        MachineKey::new(&self.vm_id, &self.machine)
    }

    /// The entry with its newest points, newest first.
    fn bounded(&self) -> Self {
        let mut points = self.points.clone();
        points.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        points.truncate(POINTS_MAX);
        Self { points, ..self.clone() }
    }
}

#[cfg(test)]
mod tests;
