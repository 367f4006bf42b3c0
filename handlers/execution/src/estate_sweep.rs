//! Holds the whole estate against the policies: machines by Resource Graph, items by vault, points by the catalogue. Pages, not machines.
//! It never reads a machine and never changes one; whoever needs something is looked at.
//!
//! ```text
//! Graph: machines ─┐
//! vaults: items ───┼─► what is known of each ─► planning::needs ─► queue reconcile
//! catalogue ───────┘                        └─► older than `rpo` ─► alarm of the policy
//! ```

use std::collections::{BTreeMap, HashSet};

use futures::stream::{self, StreamExt, TryStreamExt};
use jiff::{SignedDuration, Timestamp};
use lifeboat_azure::graph::{self, MachineRow};
use lifeboat_contract::work::{Cause, ReconcileMessage};
use lifeboat_planning::creation::region;
use lifeboat_planning::id::MachineKey;
use lifeboat_planning::needs::{self, Known, Need, Sweep};
use lifeboat_planning::policy::{self, AtLeast, BackupPolicy, Choice, Conforming, MachineAttributes};
use lifeboat_planning::schedule::Slot;

use crate::alarms::{self, Machines, Raised};
use crate::catalogue::{self, Consistency, Entry, Shard, State};
use crate::lifeboat::Lifeboat;
use crate::observe::row_attributes;
use crate::policies::InForce;
use crate::policy_sweep::SweepError;
use crate::queue;
use crate::vault_lists::{self, VaultLists};

/// Looks queued by one sweep, at most: what Azure's budgets let be looked at until the next one is less. The rest is found again.
const QUEUED_MAX: usize = 2_000;
/// Shards read at a time: the whole catalogue of a large estate is hundreds of megabytes.
const SHARDS_AT_A_TIME: usize = 8;
/// A machine younger than this is not held against `rpo`: Resource Graph lags, and its first point has its own window.
const YOUNG: SignedDuration = SignedDuration::from_hours(1);

/// What a sweep of the estate came to.
#[derive(Debug, Default)]
pub struct Swept {
    /// Machines that a policy covers.
    pub covered: u64,
    /// Looks that were queued.
    pub queued: u64,
    /// Looks that were left to the next sweep.
    pub left: u64,
}

/// What is seen of the estate beside the catalogue.
struct Seen<'a> {
    sweep: Sweep<'a>,
    policies: &'a [BackupPolicy],
    lists: VaultLists,
    asks_conforming: bool,
    now: Timestamp,
    /// Alarms about protection that are open, and close with it: cause, policy, machine.
    alarmed: HashSet<(alarms::Cause, String, String)>,
}

/// Sweeps the estate. `already` are machines for which this sweep has queued a look.
pub async fn run(
    lifeboat: &Lifeboat,
    in_force: &InForce,
    number: u64,
    already: &HashSet<String>,
) -> Result<Swept, SweepError> {
    let now = lifeboat.clock.now();
    let sweep = Sweep::new(&in_force.policies, now);
    let has_rpo = in_force.policies.iter().any(|policy| policy.rpo.is_some());
    if !sweep.has_work() && !has_rpo {
        return Ok(Swept::default());
    }
    let rows = owned(lifeboat, graph::all_machines(&lifeboat.arm, &lifeboat.settings.subscriptions).await?);
    let asks_conforming = policy::ask_age(&in_force.policies);
    let lists = vault_lists::read(lifeboat, &in_force.policies, &rows, asks_conforming).await;
    let alarmed = alarmed(lifeboat).await;
    let seen = Seen { sweep, policies: &in_force.policies, lists, asks_conforming, now, alarmed };
    let mut by_shard: Vec<Vec<MachineRow>> = (0..catalogue::SHARDS).map(|_| Vec::new()).collect();
    for row in rows {
        by_shard[catalogue::shard_of(&row.vm_id)].push(row);
    }
    let (mut swept, mut needy, mut found) = (Swept::default(), Vec::new(), Found::default());
    let present = catalogue::present(&lifeboat.store).await?;
    let with_machines: Vec<(usize, Vec<MachineRow>)> =
        by_shard.into_iter().enumerate().filter(|(_, rows)| !rows.is_empty()).collect();
    let reads: Vec<_> = with_machines
        .into_iter()
        .map(|(number, rows)| {
            let is_there = present.contains(&number);
            async move {
                let shard = if is_there { catalogue::read(&lifeboat.store, number).await? } else { Shard::default() };
                Ok::<_, SweepError>((shard, rows))
            }
        })
        .collect();
    let mut shards = stream::iter(reads).buffered(SHARDS_AT_A_TIME);
    while let Some((shard, rows)) = shards.try_next().await? {
        for row in rows {
            judge(&seen, &row, &shard, &mut swept, &mut needy, &mut found);
        }
    }
    for machine in needy.into_iter().filter(|machine| !already.contains(machine)) {
        if usize::try_from(swept.queued).unwrap_or(usize::MAX) >= QUEUED_MAX {
            swept.left += 1;
            continue;
        }
        queue::send(&lifeboat.sender, &ReconcileMessage::new(machine, Cause::Swept { sweep: number }), None).await?;
        swept.queued += 1;
    }
    tell_breaches(lifeboat, &in_force.policies, found.breached, now).await;
    for (cause, policy, machine) in found.over {
        if let Err(error) = alarms::clear(&lifeboat.store, cause, Some(&policy), &machine, now).await {
            tracing::warn!(error = %error, policy, "an alarm could not be closed");
        }
    }
    Ok(swept)
}

/// What is told of machines.
#[derive(Default)]
struct Found {
    /// Machines without a young point, by policy.
    breached: BTreeMap<String, Vec<String>>,
    /// Alarms that are over: cause, policy, machine.
    over: Vec<(alarms::Cause, String, String)>,
}

/// The open alarms about protection, which no look closes once the machine is protected: none is needed then.
async fn alarmed(lifeboat: &Lifeboat) -> HashSet<(alarms::Cause, String, String)> {
    let open = alarms::open(&lifeboat.store).await.unwrap_or_default().into_iter();
    let about = |cause| matches!(cause, alarms::Cause::BackupJobFailed | alarms::Cause::ProtectionChanged);
    let of_protection = open.filter(|alarm| about(alarm.cause));
    let each = of_protection.flat_map(|alarm| {
        let policy = alarm.policy.unwrap_or_default();
        alarm.machines.into_iter().map(move |machine| (alarm.cause, policy.clone(), machine))
    });
    each.collect()
}

/// The machines that are this deployment's to change.
fn owned(lifeboat: &Lifeboat, rows: Vec<MachineRow>) -> Vec<MachineRow> {
    rows.into_iter().filter(|row| lifeboat.settings.owned_regions.contains(&region(&row.location))).collect()
}

/// Holds one machine against the policies.
fn judge(
    seen: &Seen<'_>,
    row: &MachineRow,
    shard: &Shard,
    swept: &mut Swept,
    needy: &mut Vec<String>,
    found: &mut Found,
) {
    let key = MachineKey::new(&row.vm_id, &row.id);
    let entry = shard.machines.get(&key);
    let about = MachineAttributes { conforming: conforming(seen, row, entry), ..row_attributes(row) };
    // Of a machine whose points were never read nobody knows whether a condition on their age holds: a look tells.
    if seen.asks_conforming && entry.is_none() {
        needy.push(row.id.clone());
        return;
    }
    let Choice::One(policy) = policy::choose(seen.policies, &about) else { return };
    swept.covered += 1;
    let succeeded: Option<Vec<(String, Slot)>> = entry.map(|entry| {
        let whole = entry.points.iter().filter(|point| point.2 == State::Succeeded);
        whole.filter_map(|point| needs::slot_of(&point.0)).collect()
    });
    let vault = needs::vault_of(policy, &about);
    let of_vault = vault.and_then(|(name, _)| seen.lists.of(&row.subscription, name));
    let created_at = row.time_created.unwrap_or(Timestamp::MIN);
    let known = Known {
        key: &key,
        created_at,
        succeeded: succeeded.as_deref(),
        look_at: entry.map(|entry| entry.look_at),
        item: of_vault.and_then(|items| items.get(&row.id.to_lowercase())),
        vault_policy: vault.and_then(|(_, policy)| policy),
    };
    match seen.sweep.need(policy, known) {
        None if known.item.is_some() && policy.vault.is_some() && seen.sweep.is_protected(known) => {
            for cause in [alarms::Cause::BackupJobFailed, alarms::Cause::ProtectionChanged] {
                let alarm = (cause, policy.name.clone(), row.id.clone());
                found.over.extend(seen.alarmed.contains(&alarm).then_some(alarm));
            }
        }
        None => {}
        // A vault whose list could not be read says nothing of who is protected in it.
        Some(Need::Protection) if vault.is_some() && of_vault.is_none() && seen.lists.failed => {}
        Some(Need::Slot | Need::Protection) => needy.push(row.id.clone()),
    }
    let young = seen.now.duration_since(created_at) < YOUNG;
    if let Some(rpo) = policy.rpo.filter(|_| !young)
        && breaches(seen, policy, rpo, entry, known)
    {
        found.breached.entry(policy.name.clone()).or_default().push(row.id.clone());
    }
}

/// How old the newest point is, of whoever made it: by the catalogue, and by the lists of vaults where all of them were read.
fn conforming(seen: &Seen<'_>, row: &MachineRow, entry: Option<&Entry>) -> Conforming {
    let Some(entry) = entry.filter(|_| seen.asks_conforming && !seen.lists.failed) else { return Conforming::Unknown };
    let own = newest(entry, AtLeast::Crash);
    let in_vaults = seen.lists.newest_point(&row.id.to_lowercase());
    match own.max(in_vaults) {
        Some(at) => Conforming::Age(seen.now.duration_since(at)),
        None => Conforming::Never,
    }
}

/// When the newest point was made that succeeded and is at least so consistent.
fn newest(entry: &Entry, at_least: AtLeast) -> Option<Timestamp> {
    let conforms = |point: &&catalogue::Seen| {
        let reached = match point.3 {
            Consistency::Application => Some(AtLeast::Application),
            Consistency::FileSystem => Some(AtLeast::FileSystem),
            Consistency::Crash => Some(AtLeast::Crash),
            Consistency::NotSaid => None,
        };
        point.2 == State::Succeeded && reached.is_some_and(|reached| reached >= at_least)
    };
    let times = entry.points.iter().filter(conforms).filter_map(|point| Timestamp::from_second(point.1).ok());
    times.max()
}

/// True when the newest conforming point is older than `rpo`. What was never read is not taken for breached; the look that reads
/// it is queued by the same sweep.
fn breaches(
    seen: &Seen<'_>,
    policy: &BackupPolicy,
    rpo: SignedDuration,
    entry: Option<&Entry>,
    known: Known<'_>,
) -> bool {
    let at_least = policy.points.iter().map(|entry| entry.at_least).min().unwrap_or_default();
    if entry.is_none() && !policy.points.is_empty() {
        return false;
    }
    let own = entry.and_then(|entry| newest(entry, at_least));
    let in_vault = known.item.and_then(|item| item.newest_point);
    own.max(in_vault).is_none_or(|at| seen.now.duration_since(at) > rpo)
}

/// One alarm a policy, which names the machines and closes itself.
async fn tell_breaches(
    lifeboat: &Lifeboat,
    policies: &[BackupPolicy],
    breached: BTreeMap<String, Vec<String>>,
    now: Timestamp,
) {
    for policy in policies.iter().filter(|policy| policy.rpo.is_some()) {
        let name = Some(policy.name.as_str());
        match breached.get(&policy.name) {
            Some(machines) => {
                let what = format!("{} machines have no conforming point young enough", machines.len());
                let machines = Machines::All(machines);
                alarms::raise(
                    &lifeboat.store,
                    &Raised { cause: alarms::Cause::RpoBreached, policy: name, what, machines },
                    now,
                )
                .await;
            }
            None => {
                if let Err(error) = alarms::settle(&lifeboat.store, alarms::Cause::RpoBreached, name, now).await {
                    tracing::warn!(error = %error, policy = policy.name, "an alarm could not be closed");
                }
            }
        }
    }
}
