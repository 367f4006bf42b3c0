//! Holds the whole estate against the policies: machines by Resource Graph, items by vault, points by the catalogue. Pages, not machines.
//! It never reads a machine and never changes one; whoever needs something is looked at.
//!
//! ```text
//! Graph: a page of machines ─┐
//! vaults: items ─────────────┼─► estate_judge ─► queue reconcile
//! catalogue ─────────────────┘              └─► older than `rpo` ─► is it in a vault that nobody named? ─► alarm of the policy
//! ```

use std::collections::{BTreeMap, BTreeSet, HashSet};

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use lifeboat_contract::work::{Cause, ReconcileMessage};
use lifeboat_planning::policy::BackupPolicy;

use crate::alarms::{self, Machines, Raised};
use crate::catalogue;
use crate::estate_judge::{Judge, Remembered, SeenMachine};
use crate::lifeboat::Lifeboat;
use crate::policies::InForce;
use crate::policy_sweep::{SweepError, Turn};
use crate::queue;
use crate::sweep_cursor::{Breached, Cursor, Place};
use crate::vault_lists::{Discovered, VaultLists};

/// Looks queued by one sweep, at most: what Azure's budgets let be looked at until the next one is less. What is left goes first in the
/// next one.
const QUEUED_MAX: usize = 2_000;
/// Messages sent at a time: with the twenty milliseconds that each takes, two thousand take five seconds.
const SENT_AT_A_TIME: usize = 8;
/// Messages sent before the lease is seen to again.
const SENT_PER_RENEWAL: usize = 64;
/// Shards read at a time: the whole catalogue of a large estate is hundreds of megabytes.
const SHARDS_AT_A_TIME: usize = 8;

/// The sweep of the estate, as far as it is the same for all its parts.
pub struct EstateSweep<'a> {
    lifeboat: &'a Lifeboat,
    policies: &'a [BackupPolicy],
    judge: Judge<'a>,
    remembered: Remembered,
    /// Where machines are protected that no named vault has: asked once, when it is needed. None inside where Graph did not say.
    discovered: Option<Option<Discovered>>,
}

/// What a part has come to.
#[derive(Debug, Default)]
pub struct Part {
    lists: VaultLists,
    covered: u64,
    /// Machines that need a look, with their places.
    needy: Vec<(Place, String)>,
    /// Machines without a young point as far as is known.
    candidates: Vec<Candidate>,
    /// Alarms that are over: cause, policy, machine.
    over: Vec<(alarms::Cause, String, String)>,
}

/// A machine without a young point, as far as is known.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    policy: String,
    machine: String,
    subscription: String,
}

/// Prepares a sweep at this moment; none where no policy asks for anything that the estate must be held against.
pub async fn prepare<'a>(
    lifeboat: &'a Lifeboat,
    in_force: &'a InForce,
    turn: &mut Turn<'_>,
) -> Result<Option<EstateSweep<'a>>, SweepError> {
    let policies = &in_force.policies;
    if !Judge::new(policies, lifeboat.clock.now(), HashSet::new()).has_work() {
        return Ok(None);
    }
    let remembered = remembered(lifeboat, policies, turn).await?;
    let judge = Judge::new(policies, lifeboat.clock.now(), alarmed(lifeboat).await);
    Ok(Some(EstateSweep { lifeboat, policies, judge, remembered, discovered: None }))
}

/// What the catalogue says, read a few shards at a time.
async fn remembered(
    lifeboat: &Lifeboat,
    policies: &[BackupPolicy],
    turn: &mut Turn<'_>,
) -> Result<Remembered, SweepError> {
    let mut remembered = Remembered::of(policies);
    let present = catalogue::present(&lifeboat.store).await?;
    let present: Vec<usize> = present.into_iter().collect();
    for numbers in present.chunks(SHARDS_AT_A_TIME) {
        // All of them to their end before the lease is renewed: what is not polled meanwhile may have the turn that it would wait for.
        let reads: Vec<_> = numbers.iter().map(|&number| catalogue::read(&lifeboat.store, number)).collect();
        let shards: Vec<_> = stream::iter(reads).buffered(SHARDS_AT_A_TIME).try_collect().await?;
        shards.into_iter().for_each(|shard| remembered.add(shard));
        turn.keep().await?;
    }
    Ok(remembered)
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

impl EstateSweep<'_> {
    /// Judges the machines of a page, observed at `seen_at`.
    pub async fn page(&self, part: &mut Part, machines: &mut [SeenMachine], seen_at: Timestamp) {
        let subscription = |machine: &SeenMachine| machine.about.subscription.to_lowercase();
        if self.judge.asks_conforming() {
            part.lists.read_all(self.lifeboat, machines.iter().map(subscription).collect()).await;
        } else {
            let named =
                machines.iter().filter_map(|machine| Some((subscription(machine), self.judge.vault_of(machine)?)));
            let named: BTreeSet<(String, String)> = named.collect();
            part.lists.read_named(self.lifeboat, &named).await;
        }
        for machine in machines {
            let judged = self.judge.judge(machine, seen_at, &self.remembered, &part.lists);
            if judged.needs_look {
                let place = Place { subscription: subscription(machine), machine: machine.id.to_lowercase() };
                part.needy.push((place, machine.id.clone()));
            }
            let Some(policy) = judged.policy else { continue };
            part.covered += 1;
            if judged.breached {
                let (policy, subscription) = (policy.name.clone(), subscription(machine));
                part.candidates.push(Candidate { policy, machine: machine.id.clone(), subscription });
            }
            let over = judged.over.into_iter().map(|cause| (cause, policy.name.clone(), machine.id.clone()));
            part.over.extend(over);
        }
    }

    /// Ends a part: what it came to goes into the cursor, and its looks are queued. `already` are machines for which a look is queued.
    pub async fn end(
        &mut self,
        mut part: Part,
        cursor: &mut Cursor,
        already: &HashSet<String>,
        turn: &mut Turn<'_>,
    ) -> Result<(), SweepError> {
        cursor.found.covered += part.covered;
        for (policy, breached) in self.breached(&mut part).await {
            let found = cursor.found.breached.entry(policy).or_default();
            found.machines.add(breached.machines);
            found.unsure |= breached.unsure;
        }
        part.needy.retain(|(_, machine)| !already.contains(machine));
        let looks = chosen(part.needy, cursor, QUEUED_MAX);
        for looks in looks.chunks(SENT_PER_RENEWAL) {
            turn.keep().await?;
            let sender = &self.lifeboat.sender;
            let send = |machine: &String| {
                let message = ReconcileMessage::new(machine.clone(), Cause::Swept { sweep: cursor.number });
                async move { queue::send(sender, &message, None).await }
            };
            let sends: Vec<_> = looks.iter().map(send).collect();
            stream::iter(sends).buffer_unordered(SENT_AT_A_TIME).try_collect::<()>().await?;
        }
        for (cause, policy, machine) in part.over {
            let now = self.lifeboat.clock.now();
            if let Err(error) = alarms::clear(&self.lifeboat.outbox, cause, Some(&policy), &machine, now).await {
                tracing::warn!(error = %error, policy, "an alarm could not be closed");
            }
        }
        Ok(())
    }

    /// Which of the machines that seem to have no young point have none in any vault either.
    async fn breached(&mut self, part: &mut Part) -> BTreeMap<String, Breached> {
        let mut all: BTreeMap<String, Breached> = BTreeMap::new();
        if part.candidates.is_empty() {
            return all;
        }
        part.candidates.sort();
        if self.discovered.is_none() {
            let read = Discovered::read(self.lifeboat).await.inspect_err(
                |error| tracing::warn!(error = %error, "nobody said which vaults have the machines without a young point"),
            );
            self.discovered = Some(read.ok());
        }
        let discovered = self.discovered.as_ref().and_then(Option::as_ref);
        if let Some(discovered) = discovered {
            let machines = part.candidates.iter().map(|candidate| candidate.machine.to_lowercase()).collect();
            part.lists.read_holding(self.lifeboat, discovered, &machines).await;
        }
        for Candidate { policy: name, machine, subscription } in &part.candidates {
            let found = all.entry(name.clone()).or_default();
            let newest = discovered.map(|known| part.lists.newest_anywhere(known, &machine.to_lowercase()));
            let Some(Ok(newest)) = newest.filter(|_| !part.lists.failed(subscription)) else {
                found.unsure = true;
                continue;
            };
            let policy = self.policies.iter().find(|policy| policy.name == *name);
            if !policy.is_some_and(|policy| self.judge.is_young_enough(policy, newest)) {
                found.machines.count(machine);
            }
        }
        all
    }
}

/// The machines of a part, in the order of their places, that have their turn in this sweep: those from where it begins, up to its bound.
/// Where the next sweep is to begin is noted in the cursor.
///
/// The order goes round as the parts do: what comes before the sweep's beginning had its turn last, and comes last.
fn chosen(mut needy: Vec<(Place, String)>, cursor: &mut Cursor, queued_max: usize) -> Vec<String> {
    let round = |place: &Place| cursor.from.as_ref().is_some_and(|from| place.subscription < from.subscription);
    needy.sort_by(|(one, _), (other, _)| (round(one), one).cmp(&(round(other), other)));
    let left_before = |place: &Place| {
        cursor
            .from
            .as_ref()
            .is_some_and(|from| place.subscription == from.subscription && place.machine <= from.machine)
    };
    let (before, mut turn): (Vec<_>, Vec<_>) = needy.into_iter().partition(|(place, _)| left_before(place));
    let room = queued_max.saturating_sub(usize::try_from(cursor.found.queued).unwrap_or(usize::MAX));
    let after = turn.split_off(room.min(turn.len()));
    if let Some((next, _)) = after.first() {
        let start = Place { subscription: next.subscription.clone(), machine: String::new() };
        let bound = turn.last().map_or(start, |(last, _)| last.clone());
        cursor.to.get_or_insert(bound);
    }
    cursor.found.queued += turn.len() as u64;
    cursor.found.left += (before.len() + after.len()) as u64;
    turn.into_iter().map(|(_, machine)| machine).collect()
}

/// One alarm a policy, which names machines and closes itself. Told when the whole estate was judged.
pub async fn tell_breaches(
    lifeboat: &Lifeboat,
    policies: &[BackupPolicy],
    breached: &BTreeMap<String, Breached>,
    now: Timestamp,
) {
    for policy in policies.iter().filter(|policy| policy.rpo.is_some()) {
        let name = Some(policy.name.as_str());
        match breached.get(&policy.name) {
            Some(Breached { machines, .. }) if machines.total > 0 => {
                let what = format!("{} machines have no conforming point young enough", machines.total);
                let machines = Machines::Tallied(machines);
                let raised = Raised { cause: alarms::Cause::RpoBreached, policy: name, what, machines };
                alarms::raise(&lifeboat.outbox, &raised, now).await;
            }
            Some(Breached { unsure: true, .. }) => {}
            Some(_) | None => {
                if let Err(error) = alarms::settle(&lifeboat.outbox, alarms::Cause::RpoBreached, name, now).await {
                    tracing::warn!(error = %error, policy = policy.name, "an alarm could not be closed");
                }
            }
        }
    }
}
