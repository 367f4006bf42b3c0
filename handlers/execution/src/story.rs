//! The story of a machine or of a point: the ledgers that tell of it, found in the store, each verified, in the order of time.
//! It never changes anything, never asks Azure, and never tells as true what stands behind a place where a chain does not hold.
//!
//! ```text
//! point by its ARM id ─► key in its collection's name ─────────────┐
//! machine by its ARM id ─► record (id → vmId) ─► keys ──────────┐  ├─► ledger + head ─► verify ─► entries up to the fault
//!        and each ledger whose end names it: also of machines   ├──┘
//!        that had the id before and are answered for ───────────┘
//! ```

mod words;

use std::collections::BTreeSet;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use lifeboat_azure::blobs::Store;
use lifeboat_azure::{Error, ResourceId};
use lifeboat_planning::id::MachineKey;

use crate::chain;
use crate::ledger::{self, Body, Entry, Fault, Head, PlannedEffect};
use crate::predecessor;
use crate::record::MachineRecord;

/// Ledgers read at a time.
const PARALLEL: usize = 16;
/// Where they lie.
const FOLDER: &str = "ledger/";
/// How the name of a ledger ends.
const ENDING: &str = ".jsonl";
/// The end of a ledger that is looked at for the machine's id: each of its lines has it, and this is some forty.
const END_BYTES: usize = 32 * 1024;

/// What a story is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// A machine, by its ARM id: all that had this id, one after the other.
    Machine(ResourceId),
    /// All machines of a name.
    Named(String),
    /// A point by its name; with the key of its machine where its ARM id says it.
    Point {
        /// Its name.
        name: String,
        /// The machine's key.
        key: Option<MachineKey>,
    },
}

/// What the ledgers tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// What it is of.
    pub about: About,
    /// One for each ledger, the one that begins first before the others.
    pub chapters: Vec<Chapter>,
}

/// What one ledger tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chapter {
    /// Its blob.
    pub ledger: String,
    /// The identity of the machine, where the store still says which had this ledger.
    pub vm_id: Option<String>,
    /// What is told: entries that verify.
    pub entries: Vec<Body>,
    /// Entries before what does not verify, or all: those of the whole ledger, not only what the story is of.
    pub verified: usize,
    /// Where the chain does not hold: nothing from there on is told.
    pub fault: Option<Fault>,
    /// What was kept apart as its head.
    pub head: HeadSeen,
}

/// The head that is kept apart, against which a cut tail shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadSeen {
    /// It was read.
    Kept,
    /// There is none: a cut tail would not show.
    Missing,
    /// It is none that this release reads: a cut tail would not show.
    Unreadable,
}

/// What one ledger has, before it is told.
struct Found {
    ledger: String,
    vm_id: Option<String>,
}

impl About {
    /// Reads what a person wrote: the ARM id of a machine or a point, the name of a point of ours, or the name of a machine.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if !text.contains('/') {
            let point = lifeboat_planning::id::PointName::parse(&text.to_ascii_lowercase());
            return match point {
                Some(name) => Some(Self::Point { name: name.to_string(), key: None }),
                None if text.is_empty() => None,
                None => Some(Self::Named(text.to_owned())),
            };
        }
        let id: ResourceId = text.parse().ok()?;
        if id.is("Microsoft.Compute/virtualMachines") {
            return Some(Self::Machine(id));
        }
        let name = id.name().to_ascii_lowercase();
        if id.is("Microsoft.Compute/snapshots") {
            return Some(Self::Point { name, key: None });
        }
        if !id.is("Microsoft.Compute/restorePointCollections/restorePoints") {
            return None;
        }
        // Of another's collection there is no key, and no ledger will tell of its points.
        let key = MachineKey::of_collection(&id.parent()?.name().to_ascii_lowercase());
        Some(Self::Point { name, key })
    }

    /// What stands, in lower case, in each line of a ledger that may be told of it.
    fn mark(&self) -> String {
        match self {
            Self::Machine(id) => format!("\"machine\":\"{}\"", id.as_str().to_lowercase()),
            Self::Named(name) => format!("/virtualmachines/{}\"", name.to_lowercase()),
            Self::Point { name, .. } => name.clone(),
        }
    }
}

/// Reads the story. A repeat is safe. Where no key leads to the ledgers, the ends of all are looked at (for a point: all of them
/// whole): a request or two a ledger, sixteen at a time.
pub async fn read(store: &Store, about: About) -> Result<Story, Error> {
    let mut chapters: Vec<Chapter> = stream::iter(find(store, &about).await?)
        .map(|found| chapter(store, found, &about))
        .buffered(PARALLEL)
        .try_collect::<Vec<_>>()
        .await?
        .into_iter()
        .flatten()
        .collect();
    if matches!(about, About::Point { .. }) {
        chapters.retain(|chapter| !chapter.entries.is_empty() || chapter.fault.is_some());
    }
    let begin = |chapter: &Chapter| chapter.entries.first().map_or(Timestamp::MAX, |body| body.at);
    chapters.sort_by(|one, other| begin(one).cmp(&begin(other)).then_with(|| one.ledger.cmp(&other.ledger)));
    Ok(Story { about, chapters })
}

/// The ledgers that may tell of it.
async fn find(store: &Store, about: &About) -> Result<Vec<Found>, Error> {
    let mut found = Vec::new();
    match about {
        About::Point { key: Some(key), .. } => {
            return Ok(vec![Found { ledger: chain::blob_name(key), vm_id: None }]);
        }
        About::Machine(id) => {
            for vm_id in identities(store, id).await? {
                let ledger = chain::blob_name(&MachineKey::new(&vm_id, id.as_str()));
                found.push(Found { ledger, vm_id: Some(vm_id) });
            }
            found.push(Found { ledger: chain::blob_name(&MachineKey::new("", id.as_str())), vm_id: None });
        }
        About::Named(_) | About::Point { key: None, .. } => {}
    }
    let known: BTreeSet<String> = found.iter().map(|one| one.ledger.clone()).collect();
    let names = store.list(FOLDER).await?;
    let names = names.into_iter().filter(|name| name.ends_with(ENDING) && !known.contains(name));
    let mark = &about.mark();
    let whole = matches!(about, About::Point { .. });
    let named = stream::iter(names).map(|name| async move {
        Ok::<_, Error>(names_it(store, &name, mark, whole).await?.then_some(Found { ledger: name, vm_id: None }))
    });
    let named: Vec<Option<Found>> = named.buffered(PARALLEL).try_collect().await?;
    found.extend(named.into_iter().flatten());
    Ok(found)
}

/// Whether a ledger has this mark: in its end, or anywhere.
async fn names_it(store: &Store, ledger: &str, mark: &str, whole: bool) -> Result<bool, Error> {
    let bytes = match whole {
        true => store.get(ledger).await?.map(|(bytes, _)| bytes),
        false => store.tail(ledger, END_BYTES).await?.map(|tail| tail.bytes),
    };
    Ok(bytes.is_some_and(|bytes| String::from_utf8_lossy(&bytes).to_lowercase().contains(mark)))
}

/// The identities that the store still knows this ARM id to have stood for. A record that cannot be read names none: then the ends of
/// the ledgers do.
async fn identities(store: &Store, id: &ResourceId) -> Result<Vec<String>, Error> {
    let name = predecessor::blob_name(id);
    let Some((bytes, _)) = store.get(&name).await? else { return Ok(Vec::new()) };
    let Ok(record) = MachineRecord::read(&name, &bytes) else { return Ok(Vec::new()) };
    let former = record.former.into_iter().map(|one| one.vm_id);
    Ok(former.chain([record.vm_id]).collect())
}

/// Reads and verifies one ledger; none where there is no such blob and none was kept apart.
async fn chapter(store: &Store, found: Found, about: &About) -> Result<Option<Chapter>, Error> {
    let Found { ledger, vm_id } = found;
    let head_name = format!("{}.head.json", ledger.trim_end_matches(ENDING));
    let (head, kept) = match store.get(&head_name).await? {
        None => (HeadSeen::Missing, None),
        Some((bytes, _)) => match serde_json::from_slice::<Head>(&bytes) {
            Ok(head) => (HeadSeen::Kept, Some(head)),
            Err(_) => (HeadSeen::Unreadable, None),
        },
    };
    let Some((bytes, _)) = store.get(&ledger).await? else {
        // A head without its ledger is one whose end was cut off, to the last line.
        let fault = kept.filter(|kept| kept.seq > 0).map(|kept| Fault::Cut { kept: kept.seq, found: 0 });
        return Ok(fault.map(|fault| Chapter {
            ledger,
            vm_id,
            entries: Vec::new(),
            verified: 0,
            fault: Some(fault),
            head,
        }));
    };
    let text = String::from_utf8_lossy(&bytes);
    let (mut entries, fault) = verified(&text, kept.as_ref());
    let verified = entries.len();
    if let About::Point { name, .. } = about {
        entries = of_point(entries, name);
    }
    Ok(Some(Chapter { ledger, vm_id, entries, verified, fault, head }))
}

/// The entries of a ledger that may be told, and where it does not verify.
fn verified(text: &str, kept: Option<&Head>) -> (Vec<Body>, Option<Fault>) {
    match ledger::verify(text, kept) {
        Ok(entries) => (entries, None),
        Err(fault) => (before(text, &fault), Some(fault)),
    }
}

/// The entries before a fault.
fn before(text: &str, fault: &Fault) -> Vec<Body> {
    let until = match fault {
        Fault::Malformed { line } | Fault::Edited { line } | Fault::Gap { line } => line.saturating_sub(1),
        Fault::Cut { .. } => usize::MAX,
    };
    let sound: String = text.split_inclusive('\n').take(until).collect();
    ledger::verify(&sound, None).unwrap_or_default()
}

/// What concerns a point: the effects that name it with their outcomes, refusals that name it, and what was read of it.
fn of_point(entries: Vec<Body>, name: &str) -> Vec<Body> {
    let names = |text: &str| text.to_lowercase().contains(name);
    let mut keys: BTreeSet<String> = BTreeSet::new();
    let mut told = Vec::new();
    for mut body in entries {
        let concerns = match &mut body.entry {
            Entry::Decision(decision) => {
                decision.effects.retain(|effect: &PlannedEffect| names(&effect.what));
                decision.would.retain(|effect| names(&effect.what));
                decision.refusals.retain(|refusal| names(refusal));
                decision.audit.retain(|note| !decision.effects.is_empty() || names(note));
                keys.extend(decision.effects.iter().map(|effect| effect.key.clone()));
                !(decision.effects.is_empty()
                    && decision.would.is_empty()
                    && decision.refusals.is_empty()
                    && decision.audit.is_empty())
            }
            Entry::Outcome { effect, detail, .. } => keys.contains(effect) || names(detail),
            Entry::Verified { point, .. } => names(point),
        };
        if concerns {
            told.push(body);
        }
    }
    told
}

impl Chapter {
    /// The ARM id of the machine, as its entries have it.
    pub fn machine(&self) -> &str {
        self.entries.first().map_or("", |body| body.machine.as_str())
    }

    /// What an outcome answers, in the words of the decision; none where it is not told.
    pub fn effect(&self, key: &str) -> Option<&str> {
        let decisions = self.entries.iter().rev().filter_map(|body| match &body.entry {
            Entry::Decision(decision) => Some(decision),
            Entry::Outcome { .. } | Entry::Verified { .. } => None,
        });
        decisions.flat_map(|decision| &decision.effects).find(|effect| effect.key == key).map(|one| one.what.as_str())
    }
}

#[cfg(test)]
mod tests;
