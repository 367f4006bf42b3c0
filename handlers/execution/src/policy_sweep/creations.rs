//! Machines that were created lately: which of them a policy asks a point for, and where each stands.
//! It never changes a machine, and never concludes from a collection that it could not read.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use lifeboat_azure::Error;
use lifeboat_contract::work::{Cause, ReconcileMessage};
use lifeboat_planning::creation::{self, region};
use lifeboat_planning::facts::{CollectionSeen, Owner, UnknownBecause};
use lifeboat_planning::id::{self, MachineKey};
use lifeboat_planning::policy::{self, BackupPolicy, Choice, Mode, OnCreate, PointEntry};
use lifeboat_planning::sweep::{self, Candidate, Standing};

use super::{PARALLEL, SweepError, Turn};
use crate::budget::{self, Budget};
use crate::estate_judge::SeenMachine;
use crate::lifeboat::Lifeboat;
use crate::observe;
use crate::policies::InForce;
use crate::queue;
use crate::record::SweepRecord;
use crate::sweep_cursor::{Cursor, OpenCreation};

/// A new machine in scope, with where its collection would be and what it follows.
pub struct Found {
    candidate: Candidate,
    key: MachineKey,
    subscription: String,
    group: String,
    follows: Follows,
}

/// What a new machine has to do with the policies.
enum Follows {
    /// One policy.
    One {
        /// Its name.
        policy: String,
        /// The name of its entry that asks for a point on creation.
        entry: String,
        /// Its mode.
        mode: Mode,
    },
    /// Several of the same highest priority. Its creation is held open, so that it gets its point once one of them is changed; a
    /// look says so once for each bundle.
    Equal {
        /// A look has said so.
        told: bool,
    },
}

/// The rule that looks back furthest, of those that ask for a point on creation.
pub fn widest<'a>(policies: impl Iterator<Item = &'a BackupPolicy>) -> Option<OnCreate> {
    policies.flat_map(|policy| &policy.points).filter_map(|entry| entry.on_create).max_by_key(|rule| rule.within)
}

/// The machine, where it was created lately and a policy covers it and it is not settled.
pub fn new_machine(
    lifeboat: &Lifeboat,
    in_force: &InForce,
    record: &SweepRecord,
    cursor: &Cursor,
    machine: &SeenMachine,
) -> Option<Found> {
    let created_at = machine.created_at?;
    let key = settled_key(&machine.key, &in_force.digest);
    let settled = record.settled.contains_key(&key) || cursor.found.settled.contains_key(&key);
    let (follows, rule) = follows(in_force, machine, settled)?;
    let is_new = creation::is_new(created_at, record.known_since, rule);
    let region = region(&machine.about.location);
    if !is_new || !lifeboat.settings.owned_regions.contains(&region) {
        return None;
    }
    let candidate = Candidate { id: machine.id.clone(), vm_id: machine.vm_id.clone(), created_at };
    let (subscription, group) = (machine.about.subscription.clone(), id::points_group(&region));
    Some(Found { candidate, key: machine.key.clone(), subscription, group, follows })
}

/// New machines without their point: a look is queued for each. What is settled is remembered in the cursor. Gives the machines for
/// which a look is queued.
pub async fn queue_new(
    lifeboat: &Lifeboat,
    owner: &Owner,
    found: Vec<Found>,
    cursor: &mut Cursor,
    turn: &mut Turn<'_>,
) -> Result<HashSet<String>, SweepError> {
    let mut queued = HashSet::new();
    let digest = cursor.digest.clone();
    for (found, standing) in standings(lifeboat, found, owner).await? {
        if matches!(found.follows, Follows::Equal { .. }) {
            cursor.found.equal.count(&found.candidate.id);
        }
        match standing {
            Standing::Protected | Standing::UsedUp => {
                cursor.found.settled.insert(settled_key(&found.key, &digest), found.candidate.created_at);
            }
            Standing::Open if matches!(found.follows, Follows::Equal { told: true }) => {
                keep_open(cursor, found.candidate)
            }
            Standing::Open => {
                turn.keep().await?;
                let message = ReconcileMessage::new(found.candidate.id.clone(), Cause::Swept { sweep: cursor.number });
                queue::send(&lifeboat.sender, &message, None).await?;
                queued.insert(found.candidate.id.clone());
                cursor.found.created += 1;
                let reports_only = matches!(found.follows, Follows::One { mode: Mode::Report, .. });
                // Told once is told: nothing will be made.
                if reports_only || matches!(found.follows, Follows::Equal { .. }) {
                    cursor.found.settled.insert(settled_key(&found.key, &digest), found.candidate.created_at);
                }
                if !reports_only {
                    keep_open(cursor, found.candidate);
                }
            }
        }
    }
    Ok(queued)
}

/// Notes a creation that still lacks its point, if it is the oldest that holds the sweep back.
fn keep_open(cursor: &mut Cursor, open: Candidate) {
    let older = cursor.found.oldest_open.as_ref().is_none_or(|known| open.created_at < known.created_at);
    if older && sweep::holds_back(cursor.started_at, open.created_at) {
        let Candidate { id, vm_id, created_at } = open;
        cursor.found.oldest_open = Some(OpenCreation { machine: id, vm_id, created_at });
    }
}

/// What a machine follows, and the rule that says whether it is new. None when it asks for nothing, or nothing more.
fn follows(in_force: &InForce, machine: &SeenMachine, settled: bool) -> Option<(Follows, OnCreate)> {
    match policy::choose(&in_force.policies, &machine.about) {
        Choice::None => None,
        Choice::One(_) if settled => None,
        Choice::One(policy) => {
            let asks = |entry: &PointEntry| {
                let (policy, mode) = (policy.name.clone(), policy.mode);
                Some((Follows::One { policy, entry: entry.name.clone(), mode }, entry.on_create?))
            };
            policy.points.iter().find_map(asks)
        }
        Choice::Equal(equals) => Some((Follows::Equal { told: settled }, widest(equals.into_iter())?)),
    }
}

/// What is settled is settled under one policy document: another one looks again.
fn settled_key(key: &MachineKey, digest: &str) -> String {
    format!("{key}-{}", digest.get(..16).unwrap_or(digest))
}

/// Where each stands, by what Azure says of its collection. What cannot be read stays open.
async fn standings(lifeboat: &Lifeboat, found: Vec<Found>, owner: &Owner) -> Result<Vec<(Found, Standing)>, Error> {
    let spent = &AtomicBool::new(false);
    let look = |found: Found| async move {
        let Follows::One { policy, entry, .. } = &found.follows else { return Ok((found, Standing::Open)) };
        let name = id::collection(&found.key);
        // With no read left for now the rest stays open, and the looks of their own have their turn.
        if spent.load(Ordering::Relaxed)
            || budget::wait_for(lifeboat, &Budget::looks(&found.subscription)).await.is_some()
        {
            spent.store(true, Ordering::Relaxed);
            return Ok((found, Standing::Open));
        }
        let seen = match observe::collection(lifeboat, &found.subscription, &found.group, &name).await {
            Ok(seen) => seen,
            Err(error) if error.is_not_yet() => CollectionSeen::Unknown(UnknownBecause::NotAsked),
            Err(error) => return Err(error),
        };
        let standing = sweep::standing(policy, entry, &found.candidate, &seen, owner);
        Ok((found, standing))
    };
    stream::iter(found).map(look).buffer_unordered(PARALLEL).try_collect().await
}
