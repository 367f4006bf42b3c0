//! The sweep: finds by Resource Graph the new machines that events missed, and queues a look at each.
//! It never changes a machine; it moves `known_since` only when all it found is queued, and never two sweeps run at once.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::stream::{self, StreamExt, TryStreamExt};
use lifeboat_azure::blobs::Condition;
use lifeboat_azure::error::Gone;
use lifeboat_azure::{Error, ResourceId, graph, machines};
use lifeboat_contract::work::{Cause, ReconcileMessage};
use lifeboat_planning::creation::{self, region};
use lifeboat_planning::facts::{CollectionSeen, Owner, UnknownBecause};
use lifeboat_planning::id::{self, MachineKey};
use lifeboat_planning::policy::{self, BackupPolicy, Choice, MachineAttributes, Mode, OnCreate, PointEntry};
use lifeboat_planning::sweep::{self, Candidate, Standing};

use crate::budget::{self, Budget};
use crate::estate::{self, EstateError};
use crate::estate_sweep::{self, Swept};
use crate::event::PolicySweep;
use crate::lifeboat::{Lifeboat, Report};
use crate::policies::{self, InForce, PolicyError};
use crate::queue::{self, QueueError};
use crate::record::SweepRecord;
use crate::sweep_record::{self, SweepRecordError};
use crate::watch;
use crate::{observe, observe::row_attributes};

/// The lease that keeps two sweeps apart.
const LEASE: &str = "leases/policy-sweep";
/// How long it lasts: a sweep renews it before each of its phases.
const LEASE_SECS: u32 = 60;
/// Name of a group and a machine that nobody makes.
const PROBE: &str = "lifeboat-probe-that-is-not-there";
/// Collections read and messages sent at a time: a hundredth of what ARM grants a second would be too few, all at once too many.
const PARALLEL: usize = 8;

/// Why a sweep was not completed. Repeating is safe; the next one starts where this one started.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// Azure or the store did not answer.
    #[error("the sweep could not read what it needs")]
    Azure(#[from] Error),
    /// There is no estate to go by.
    #[error(transparent)]
    Estate(#[from] EstateError),
    /// No policy can be followed.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The sweep's own record.
    #[error(transparent)]
    Record(#[from] SweepRecordError),
    /// A look could not be queued.
    #[error(transparent)]
    Queue(#[from] QueueError),
}

/// A new machine in scope, with where its collection would be and what it follows.
struct Found {
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

/// Runs one sweep.
pub async fn run(lifeboat: &Lifeboat, event: PolicySweep) -> Result<Report, SweepError> {
    // Before anything is written: a store that is not ours, or is not what it was, is left as it is.
    let owner = estate::required(&lifeboat.store, &lifeboat.settings.deployment).await?.owner();
    let lease = match lifeboat.store.lease(LEASE, LEASE_SECS).await {
        Ok(lease) => lease,
        Err(error) if error.is_lease_taken() => return Ok(Report::line("another sweep is under way")),
        Err(error) => return Err(error.into()),
    };
    if event.past_due {
        tracing::warn!(last = ?event.last, "the sweep is past due");
    }
    let done = sweep(lifeboat, &owner).await;
    if let Err(error) = lifeboat.store.release(&lease).await {
        tracing::warn!(error = %error, "the sweep's lease could not be released; it runs out by itself");
    }
    done
}

async fn sweep(lifeboat: &Lifeboat, owner: &Owner) -> Result<Report, SweepError> {
    let started_at = lifeboat.clock.now();
    let (mut record, etag) = sweep_record::read_or_start(&lifeboat.store, started_at).await?;
    watch::sweep_begins(lifeboat, record.completed_at, started_at).await;
    let read = policies::in_force(&lifeboat.store, &lifeboat.policies).await;
    watch::policies(lifeboat, read.as_deref(), started_at).await;
    let in_force = read?;
    let number = record.number + 1;
    let mut already = HashSet::new();
    let created = created(lifeboat, &in_force, owner, &mut record, number, &mut already).await?;
    record.unreadable = unreadable(lifeboat).await;
    let widest = widest(in_force.policies.iter());
    if record.unreadable.is_empty() {
        record.known_since = sweep::known_since_after(started_at, record.known_since, &created.open);
    }
    record.forget_settled_before(widest.map_or(started_at, |widest| sweep::window_start(record.known_since, widest)));
    let swept = estate_sweep::run(lifeboat, &in_force, number, &already).await?;
    let completed_at = lifeboat.clock.now();
    let record = SweepRecord {
        number,
        started_at: Some(started_at),
        completed_at: Some(completed_at),
        seen: created.seen.max(swept.covered),
        open: created.queued,
        ..record
    };
    sweep_record::write(&lifeboat.store, &record, Condition::IfMatch(etag)).await?;
    watch::sweep_ends(lifeboat, &created.equal, completed_at).await;
    let (seen, queued) = (created.seen, created.queued);
    let mut report =
        Report::line(format!("sweep {number}: {seen} new machines in scope, {queued} without a point are queued"));
    if swept.covered > 0 {
        let Swept { covered, queued, left } = swept;
        report
            .lines
            .push(format!("{covered} machines are covered, {queued} need a look and are queued, {left} are left"));
    }
    Ok(report)
}

/// What a sweep found of machines that were created lately.
#[derive(Default)]
struct Created {
    seen: u64,
    queued: u64,
    open: Vec<Candidate>,
    equal: Vec<String>,
}

/// New machines without their point: a look is queued for each. What is settled is remembered in the record.
async fn created(
    lifeboat: &Lifeboat,
    in_force: &InForce,
    owner: &Owner,
    record: &mut SweepRecord,
    number: u64,
    already: &mut HashSet<String>,
) -> Result<Created, SweepError> {
    let Some(widest) = widest(in_force.policies.iter()) else { return Ok(Created::default()) };
    let (seen, found) = new_machines(lifeboat, in_force, record, widest).await?;
    let mut created = Created { seen, ..Created::default() };
    for (found, standing) in standings(lifeboat, found, owner).await? {
        if matches!(found.follows, Follows::Equal { .. }) {
            created.equal.push(found.candidate.id.clone());
        }
        match standing {
            Standing::Protected | Standing::UsedUp => {
                record.settled.insert(settled_key(&found.key, &in_force.digest), found.candidate.created_at);
            }
            Standing::Open if matches!(found.follows, Follows::Equal { told: true }) => {
                created.open.push(found.candidate);
            }
            Standing::Open => {
                let message = ReconcileMessage::new(found.candidate.id.clone(), Cause::Swept { sweep: number });
                queue::send(&lifeboat.sender, &message, None).await?;
                already.insert(found.candidate.id.clone());
                created.queued += 1;
                let reports_only = matches!(found.follows, Follows::One { mode: Mode::Report, .. });
                // Told once is told: nothing will be made.
                if reports_only || matches!(found.follows, Follows::Equal { .. }) {
                    record.settled.insert(settled_key(&found.key, &in_force.digest), found.candidate.created_at);
                }
                if !reports_only {
                    created.open.push(found.candidate);
                }
            }
        }
    }
    Ok(created)
}

/// The rule that looks back furthest, of those that ask for a point on creation.
fn widest<'a>(policies: impl Iterator<Item = &'a BackupPolicy>) -> Option<OnCreate> {
    policies.flat_map(|policy| &policy.points).filter_map(|entry| entry.on_create).max_by_key(|rule| rule.within)
}

/// The machines created lately that a policy covers and that are not settled, and how many were seen at all.
async fn new_machines(
    lifeboat: &Lifeboat,
    in_force: &InForce,
    record: &SweepRecord,
    widest: OnCreate,
) -> Result<(u64, Vec<Found>), Error> {
    let since = sweep::window_start(record.known_since, widest);
    let rows = graph::machines_created_since(&lifeboat.arm, &lifeboat.settings.subscriptions, since).await?;
    let seen = rows.len() as u64;
    let found = rows.into_iter().filter_map(|row| {
        let about = row_attributes(&row);
        let region = region(&about.location);
        if !lifeboat.settings.owned_regions.contains(&region) {
            return None;
        }
        let candidate = Candidate { id: row.id, vm_id: row.vm_id, created_at: row.time_created? };
        let key = MachineKey::new(&candidate.vm_id, &candidate.id);
        let group = id::points_group(&region);
        let settled = record.settled.contains_key(&settled_key(&key, &in_force.digest));
        let (follows, rule) = follows(in_force, &about, settled)?;
        let is_new = creation::is_new(candidate.created_at, record.known_since, rule);
        is_new.then_some(Found { candidate, key, subscription: about.subscription, group, follows })
    });
    Ok((seen, found.collect()))
}

/// What a machine follows, and the rule that says whether it is new. None when it asks for nothing, or nothing more.
fn follows(in_force: &InForce, about: &MachineAttributes, settled: bool) -> Option<(Follows, OnCreate)> {
    match policy::choose(&in_force.policies, about) {
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

/// The subscriptions whose machines we cannot be shown to see. Resource Graph leaves out what one may not read, without a word
/// (*assumed*), so that a lost right looks like no machines at all: a machine that cannot exist is asked for instead, and only
/// ARM's own 404 shows that the right to read machines is there.
pub async fn unreadable(lifeboat: &Lifeboat) -> Vec<String> {
    let ask = |subscription: &String| {
        let subscription = subscription.clone();
        async move {
            let probe =
                ResourceId::of_resource(&subscription, PROBE, "Microsoft.Compute/virtualMachines", PROBE).ok()?;
            let shown = match machines::get(&lifeboat.arm, &probe).await {
                Ok(_) => true,
                Err(error) => error.gone().is_some_and(|gone| gone != Gone::Unproven),
            };
            if !shown {
                tracing::error!(
                    subscription,
                    "the machines of the subscription may not all be seen: the sweep proves nothing"
                );
            }
            (!shown).then_some(subscription)
        }
    };
    let asked = stream::iter(&lifeboat.settings.subscriptions).map(ask).buffer_unordered(PARALLEL);
    let mut unreadable: Vec<String> = asked.filter_map(std::future::ready).collect().await;
    unreadable.sort();
    unreadable
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
