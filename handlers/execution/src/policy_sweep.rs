//! The sweep: finds by Resource Graph the machines that need something and the new ones that events missed, and queues a look at each.
//! It never changes a machine; it moves `known_since` only when the whole estate is judged, and never two sweeps run at once.
//!
//! ```text
//! lease ─► cursor: begin, or go on ─► part: observe, judge, queue, save the cursor ─► … ─► complete: record, alarms
//! ```
//!
//! A part is some subscriptions. A sweep that is killed, or runs out of its time or of Resource Graph's budget, goes on at the first part
//! that is not saved; what it queued of that part before is queued under the same message ids, and dropped.

mod creations;
mod turn;

use futures::stream::{self, StreamExt as _};
use jiff::Timestamp;
use lifeboat_azure::blobs::{Condition, ETag};
use lifeboat_azure::error::Gone;
use lifeboat_azure::{Error, ErrorKind, ResourceId, graph, machines};
use lifeboat_planning::creation::region;
use lifeboat_planning::facts::Owner;
use lifeboat_planning::policy::OnCreate;
use lifeboat_planning::sweep::{self, Candidate};

use crate::estate::{self, EstateError};
use crate::estate_judge::SeenMachine;
use crate::estate_sweep::{self, EstateSweep};
use crate::event::PolicySweep;
use crate::lifeboat::{Lifeboat, Report};
use crate::policies::{self, InForce, PolicyError};
use crate::queue::QueueError;
use crate::record::SweepRecord;
use crate::saga_woken;
use crate::sweep_cursor::{self, Cursor, PART_SUBSCRIPTIONS, RESUMED_PART_SUBSCRIPTIONS};
use crate::sweep_record::{self, SweepRecordError};
use crate::watch;

pub use turn::Turn;

/// Name of a group and a machine that nobody makes.
const PROBE: &str = "lifeboat-probe-that-is-not-there";
/// Questions asked at a time: a hundredth of what ARM grants a second would be too few, all at once too many.
const PARALLEL: usize = 8;

/// Why a sweep was not completed. Repeating is safe; the next one goes on where this one ended.
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
    /// Another sweep has taken the lease: this one was away for too long.
    #[error("another sweep has taken over: this one stops")]
    LeaseLost,
    /// The time of one invocation is over.
    #[error("the sweep's time is over")]
    OutOfTime,
}

/// Runs one sweep, or goes on with one.
pub async fn run(lifeboat: &Lifeboat, event: PolicySweep) -> Result<Report, SweepError> {
    // Before anything is written: a store that is not ours, or is not what it was, is left as it is.
    let owner = estate::required(&lifeboat.store, &lifeboat.settings.deployment).await?.owner();
    let Some(mut turn) = Turn::take(&lifeboat.store).await? else {
        return Ok(Report::line("another sweep is under way"));
    };
    if event.past_due {
        tracing::warn!(last = ?event.last, "the sweep is past due");
    }
    // Before all else: a failover must not wait for a sweep that cannot be completed.
    let woken = saga_woken::wake_overslept(lifeboat).await;
    let done = sweep(lifeboat, &owner, &mut turn).await;
    turn.end().await;
    done.map(|report| Report { lines: woken.into_iter().chain(report.lines).collect() })
}

/// What all parts of a sweep have in common.
struct Sweep<'a> {
    lifeboat: &'a Lifeboat,
    in_force: &'a InForce,
    owner: &'a Owner,
    record: &'a SweepRecord,
    estate: Option<EstateSweep<'a>>,
    widest: Option<OnCreate>,
}

async fn sweep(lifeboat: &Lifeboat, owner: &Owner, turn: &mut Turn<'_>) -> Result<Report, SweepError> {
    let now = lifeboat.clock.now();
    let (record, etag) = sweep_record::read_or_start(&lifeboat.store, now).await?;
    watch::sweep_begins(lifeboat, record.completed_at, now).await;
    let read = policies::in_force(&lifeboat.store, &lifeboat.policies).await;
    watch::policies(lifeboat, read.as_deref(), now).await;
    let in_force = read?;
    let scope = sweep_cursor::scope(&lifeboat.settings.subscriptions);
    let (known, condition) = Cursor::read(&lifeboat.store).await?;
    let (mut cursor, resumed) = Cursor::resume(known, record.number, &in_force.digest, &scope, now);
    // Saved before the first look is queued: whoever comes next knows this sweep's number.
    let mut condition = if resumed { condition } else { saved(lifeboat, &cursor, condition).await? };
    let size = if resumed { RESUMED_PART_SUBSCRIPTIONS } else { PART_SUBSCRIPTIONS };
    if !cursor.part(&scope, 1).is_empty() {
        let estate = estate_sweep::prepare(lifeboat, &in_force, turn).await?;
        let widest = creations::widest(in_force.policies.iter());
        let mut sweep = Sweep { lifeboat, in_force: &in_force, owner, record: &record, estate, widest };
        loop {
            let part = cursor.part(&scope, size);
            if part.is_empty() {
                break;
            }
            cursor = match sweep.part(&part, cursor.clone(), turn).await {
                Ok(cursor) => cursor,
                Err(error) if passes(&error) => return Ok(goes_on(&cursor, &scope, &error)),
                Err(error) => return Err(error),
            };
            turn.keep().await?;
            condition = saved(lifeboat, &cursor, condition).await?;
        }
    }
    complete(lifeboat, &in_force, record, etag, cursor).await
}

/// Saves the cursor. A sweep that finds another one's stops.
async fn saved(lifeboat: &Lifeboat, cursor: &Cursor, condition: Condition) -> Result<Condition, SweepError> {
    let etag: Option<ETag> = cursor.save(&lifeboat.store, condition).await?;
    etag.map(Condition::IfMatch).ok_or(SweepError::LeaseLost)
}

/// True for what was to be expected, and is over by the next sweep: the invocation's time, and Azure's budgets.
fn passes(error: &SweepError) -> bool {
    match error {
        SweepError::OutOfTime => true,
        SweepError::Azure(error) => error.kind == ErrorKind::Throttled,
        SweepError::Estate(_)
        | SweepError::Policy(_)
        | SweepError::Record(_)
        | SweepError::Queue(_)
        | SweepError::LeaseLost => false,
    }
}

/// The report of a sweep that the next one goes on with.
fn goes_on(cursor: &Cursor, scope: &[String], why: &SweepError) -> Report {
    tracing::warn!(error = %why, sweep = cursor.number, "the sweep goes on next time");
    let judged = scope.iter().filter(|subscription| cursor.observed.contains_key(*subscription)).count();
    let (number, all) = (cursor.number, scope.len());
    Report::line(format!("sweep {number}: {judged} of {all} subscriptions are judged, the next one goes on"))
}

impl Sweep<'_> {
    /// Judges some subscriptions. What comes back is the cursor after them; until it is saved nothing of them counts.
    async fn part(
        &mut self,
        subscriptions: &[String],
        mut cursor: Cursor,
        turn: &mut Turn<'_>,
    ) -> Result<Cursor, SweepError> {
        turn.keep().await?;
        let observed_at = self.lifeboat.clock.now();
        cursor.found.unreadable.extend(unreadable_of(self.lifeboat, subscriptions).await);
        let since = self.widest.map(|widest| sweep::window_start(self.record.known_since, widest));
        let (mut part, mut new) = (estate_sweep::Part::default(), Vec::new());
        if self.estate.is_some() || since.is_some() {
            // The whole estate's listing has the new machines in it.
            let only = if self.estate.is_some() { None } else { since };
            let mut pages = graph::machines(&self.lifeboat.arm, subscriptions, only);
            while let Some(rows) = pages.next().await? {
                let mut machines: Vec<SeenMachine> = rows.into_iter().map(SeenMachine::from).collect();
                let lately = |machine: &&SeenMachine| {
                    since.is_some_and(|since| machine.created_at.is_some_and(|created_at| created_at >= since))
                };
                for machine in machines.iter().filter(lately) {
                    cursor.found.seen += 1;
                    let (in_force, record) = (self.in_force, self.record);
                    new.extend(creations::new_machine(self.lifeboat, in_force, record, &cursor, machine));
                }
                if let Some(estate) = &self.estate {
                    machines.retain(|machine| self.is_owned(machine));
                    estate.page(&mut part, &mut machines, observed_at).await;
                }
                turn.keep().await?;
            }
        }
        let already = creations::queue_new(self.lifeboat, self.owner, new, &mut cursor, turn).await?;
        if let Some(estate) = &mut self.estate {
            estate.end(part, &mut cursor, &already, turn).await?;
        }
        cursor.observed.extend(subscriptions.iter().map(|subscription| (subscription.clone(), observed_at)));
        Ok(cursor)
    }

    /// True for a machine that is this deployment's to change.
    fn is_owned(&self, machine: &SeenMachine) -> bool {
        self.lifeboat.settings.owned_regions.contains(&region(&machine.about.location))
    }
}

/// The whole estate is judged: what was found goes into the sweep's record, and alarms are raised and closed by it.
async fn complete(
    lifeboat: &Lifeboat,
    in_force: &InForce,
    mut record: SweepRecord,
    etag: ETag,
    cursor: Cursor,
) -> Result<Report, SweepError> {
    let Cursor { number, started_at, found, .. } = cursor;
    record.unreadable = found.unreadable;
    record.unreadable.sort();
    record.settled.extend(found.settled);
    if record.unreadable.is_empty() {
        let open = found.oldest_open.map(|open| Candidate {
            id: open.machine,
            vm_id: open.vm_id,
            created_at: open.created_at,
        });
        record.known_since = sweep::known_since_after(started_at, record.known_since, open.as_slice());
    }
    let window = creations::widest(in_force.policies.iter());
    record.forget_settled_before(window.map_or(started_at, |widest| sweep::window_start(record.known_since, widest)));
    let completed_at: Timestamp = lifeboat.clock.now();
    let record = SweepRecord {
        number,
        started_at: Some(started_at),
        completed_at: Some(completed_at),
        seen: found.seen.max(found.covered),
        open: found.created,
        ..record
    };
    // Before the sweep counts as completed: one that is killed here tells it again.
    estate_sweep::tell_breaches(lifeboat, &in_force.policies, &found.breached, completed_at).await;
    sweep_record::write(&lifeboat.store, &record, Condition::IfMatch(etag)).await?;
    watch::sweep_ends(lifeboat, &found.equal, completed_at).await;
    let (seen, created) = (found.seen, found.created);
    let mut report =
        Report::line(format!("sweep {number}: {seen} new machines in scope, {created} without a point are queued"));
    if found.covered > 0 {
        let (covered, queued, left) = (found.covered, found.queued, found.left);
        report
            .lines
            .push(format!("{covered} machines are covered, {queued} need a look and are queued, {left} are left"));
    }
    Ok(report)
}

/// The subscriptions whose machines we cannot be shown to see. Resource Graph leaves out what one may not read, without a word
/// (*assumed*), so that a lost right looks like no machines at all: a machine that cannot exist is asked for instead, and only
/// ARM's own 404 shows that the right to read machines is there.
pub async fn unreadable(lifeboat: &Lifeboat) -> Vec<String> {
    unreadable_of(lifeboat, &lifeboat.settings.subscriptions).await
}

/// Those of these subscriptions whose machines we cannot be shown to see.
async fn unreadable_of(lifeboat: &Lifeboat, subscriptions: &[String]) -> Vec<String> {
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
    let asked = stream::iter(subscriptions).map(ask).buffer_unordered(PARALLEL);
    let mut unreadable: Vec<String> = asked.filter_map(std::future::ready).collect().await;
    unreadable.sort();
    unreadable
}
