//! What a decision on a collection rests on beside its points and the time, in one hash: where it is the same as when the collection
//! was read last, the same reading would say the same.
//! It never asks Azure; it is made from the pages that a sweep has, and from the catalogue, which looks write.

use std::collections::{BTreeMap, HashMap};

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use lifeboat_azure::Error;
use lifeboat_azure::graph::CollectionRow;
use lifeboat_planning::creation::region;
use lifeboat_planning::expiry::LocksSeen;
use lifeboat_planning::facts::{Collection, Owner, Snapshot, SnapshotsSeen};
use lifeboat_planning::id::{MachineKey, hash};

use super::seen::{EstateSeen, Subject};
use crate::catalogue::{self, Entry};
use crate::lifeboat::Lifeboat;
use crate::observe::{held, tag};
use crate::perform::{ESTATE_TAG, MACHINE_TAG, OWNER_TAG};
use crate::policies::InForce;

/// Shards of the catalogue read at a time: the whole catalogue of a large estate is hundreds of megabytes.
const SHARDS_AT_A_TIME: usize = 8;

/// What all bases of one sweep are made from.
#[derive(Debug)]
pub struct Bases {
    /// Build, estate, bundle, regions.
    common: String,
    /// What the catalogue says of the points of machines that are there.
    marks: HashMap<MachineKey, String>,
}

impl Bases {
    /// Reads the catalogue's shards of the machines that have a collection.
    pub async fn read(
        lifeboat: &Lifeboat,
        owner: &Owner,
        in_force: &InForce,
        (seen, subjects): (&EstateSeen, &[Subject]),
    ) -> Result<Self, Error> {
        let settings = &lifeboat.settings;
        let regions = settings.owned_regions.join(" ");
        let (version, build) = (&settings.build.version, &settings.build.id);
        // The same collection is read again when an incident opens, and when it closes.
        let incidents = seen.incidents().mark();
        let common = hash(&[version, build, &owner.deployment, &owner.estate, &in_force.digest, &regions, &incidents]);
        let mut of_shards: BTreeMap<usize, Vec<MachineKey>> = BTreeMap::new();
        for subject in subjects {
            if let Some(living) = seen.living(subject) {
                of_shards.entry(living.shard).or_default().push(subject.key.clone());
            }
        }
        let present = catalogue::present(&lifeboat.store).await?;
        of_shards.retain(|shard, _| present.contains(shard));
        let reads: Vec<_> = of_shards.into_iter().map(|(shard, keys)| marks_of(lifeboat, shard, keys)).collect();
        let marks: Vec<Vec<(MachineKey, String)>> =
            stream::iter(reads).buffer_unordered(SHARDS_AT_A_TIME).try_collect().await?;
        Ok(Self { common, marks: marks.into_iter().flatten().collect() })
    }

    /// What a decision on this collection rests on; `None` where its machine or the locks were not seen: then nothing is skipped.
    pub fn of(&self, seen: &EstateSeen, subject: &Subject) -> Option<String> {
        let living = seen.living(subject)?;
        let LocksSeen::Scopes(scopes) = seen.locks_of(subject) else { return None };
        let mut locks: Vec<&str> = scopes.iter().map(String::as_str).filter(|scope| concerns(scope, subject)).collect();
        locks.sort_unstable();
        let snapshots = match seen.snapshots_of(subject) {
            SnapshotsSeen::Read(all) => {
                let mut each: Vec<String> = all.iter().map(snapshot).collect();
                each.sort_unstable();
                each.join("\n")
            }
            SnapshotsSeen::GroupAbsent => "no group".to_owned(),
            SnapshotsSeen::Unknown(why) => why.to_string(),
        };
        let mark = self.marks.get(&subject.key).map_or("", String::as_str);
        Some(hash(&[&self.common, &living.id.to_lowercase(), &subject.shows, &locks.join("\n"), &snapshots, mark]))
    }
}

async fn marks_of(
    lifeboat: &Lifeboat,
    shard: usize,
    keys: Vec<MachineKey>,
) -> Result<Vec<(MachineKey, String)>, Error> {
    let known = catalogue::read(&lifeboat.store, shard).await?;
    Ok(keys.into_iter().filter_map(|key| known.machines.get(&key).map(mark).map(|mark| (key, mark))).collect())
}

/// What looks saw of a machine's points: one more, one less, or one that came to its end is another mark.
fn mark(entry: &Entry) -> String {
    let point = |one: &catalogue::Seen| format!("{} {} {:?}", one.0, one.1, one.2);
    let points: Vec<String> = entry.points.iter().map(point).collect();
    hash(&[&entry.collection.to_lowercase(), &entry.total.to_string(), &points.join("\n")])
}

/// A lock that stands on the collection, above it or below it, or on anything in its group: snapshots lie there.
fn concerns(scope: &str, subject: &Subject) -> bool {
    let starts = |text: &str, with: &str| text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    let group = subject.group_id();
    starts(scope, &group) || starts(subject.collection.as_str(), scope)
}

fn snapshot(one: &Snapshot) -> String {
    let at = one.created_at.map(|at| at.as_second());
    format!(
        "{} {:?} {at:?} {:?} {:?} {:?} {:?} {} {}",
        one.name, one.state, one.disk, one.owner, one.estate, one.of_disks, one.held, one.open_access
    )
}

/// What a collection's row shows of what decisions rest on.
pub fn shown_by(row: &CollectionRow) -> String {
    let texts = [tag(&row.tags, OWNER_TAG), tag(&row.tags, ESTATE_TAG), tag(&row.tags, MACHINE_TAG)];
    shown(texts, &row.source, &row.location, held(&row.tags))
}

/// The same, of a collection that was read: where the two differ, Resource Graph lags and the row says nothing of what was read.
pub fn shown_by_reading(seen: &Collection) -> String {
    let texts = [seen.owner.clone(), seen.estate.clone(), seen.vm_hash.clone()];
    shown(texts, &seen.source, &seen.location, seen.held.clone())
}

fn shown(tags: [Option<String>; 3], source: &str, location: &str, mut held: Vec<String>) -> String {
    held.sort_unstable();
    let [owner, estate, machine] = tags.map(Option::unwrap_or_default);
    hash(&[&owner, &estate, &machine, &source.to_lowercase(), &region(location), &held.join(" ")])
}
