//! One look at one machine: lease, observe, plan, audit, save, perform, save the outcomes, say when to look again.
//! It never waits for Azure: "throttled, busy, not yet" is a scheduled message, and only a queue that takes none is a failure.
//!
//! ```text
//! message ─► lease ─► facts ─► plan ─► audit ─► ledger: decision ─► perform ─► ledger: outcomes ─► next look
//!              └ busy ──────────┴ unknown, not yet ─────────────────────────────────────────────────┘
//! ```

use std::mem::Discriminant;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use lifeboat_azure::Error;
use lifeboat_azure::blobs::Lease;
use lifeboat_azure::{Latest, ResourceId};
use lifeboat_contract::work::{Cause, ReconcileMessage, Reserved};
use lifeboat_planning::effect::{Effect, PointEffect};
use lifeboat_planning::facts::{MachineSeen, Owner};
use lifeboat_planning::id::{MachineKey, hash};
use lifeboat_planning::{Followed, Plan, Work, look};

use crate::account::{self, Seen};
use crate::budget::{self, Budget};
use crate::chain::{Chain, ChainError};
use crate::decided::{audited, decision, is_news, others_at_work, refused_before, tell};
use crate::estate::{self, EstateError};
use crate::incident::{self, Incidents};
use crate::ledger::{Decision, Entry, OutcomeResult};
use crate::lifeboat::{Lifeboat, NotDone, Report};
use crate::perform::{self, Outcome};
use crate::policies::{self, InForce, PolicyError};
use crate::predecessor::{self, PredecessorError};
use crate::sweep_record::{self, SweepRecordError};
use crate::{limits, noted, observe, queue, stop, watch};

/// How long a lease lasts: the check before an effect, the ten seconds in which it may be sent and the time-out of the request
/// pass within it, so that whoever takes over finds everything that was sent.
const LEASE_SECS: u32 = 60;
/// How long after the check that it rests on a request may be sent (design §4).
const LATEST: Duration = Duration::from_secs(10);

/// What is left to do after a look.
enum Next {
    /// Nothing.
    Nothing,
    /// Look again then.
    LookAt(Timestamp),
    /// Something was done: look then what came of it.
    FollowUpAt(Timestamp),
    /// The same look in its turn: a budget of Azure's is spent until then.
    TurnAt(Timestamp, Reserved),
}

/// Why a look could not be finished now. All of these end in another look; none is lost.
#[derive(Debug, thiserror::Error)]
pub enum NotNow {
    /// Azure's word, or its silence.
    #[error("Azure did not answer as hoped")]
    Azure(#[from] Error),
    /// Somebody else holds the machine's lease.
    #[error("another look at this machine is under way")]
    LeaseTaken,
    /// The ledger cannot be written to.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// There is no estate to go by.
    #[error(transparent)]
    Estate(#[from] EstateError),
    /// There is no policy to go by.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// Since when creations are known cannot be read.
    #[error(transparent)]
    Record(#[from] SweepRecordError),
    /// Which machine had this id before cannot be read.
    #[error(transparent)]
    Predecessor(#[from] PredecessorError),
    /// The message names no machine.
    #[error("the machine's id is not an ARM id")]
    Id,
}

/// A machine, of which nothing is made, enabled or started while an incident concerns it.
#[derive(Clone, Copy)]
struct Concerned<'a> {
    in_force: &'a InForce,
    machine: &'a MachineSeen,
}

impl Concerned<'_> {
    /// Why an incident concerns it, read now.
    async fn open(self, lifeboat: &Lifeboat) -> Option<incident::Why> {
        let incidents =
            incident::before_changes(&lifeboat.store, &self.in_force.recovery_plans, lifeboat.clock.now()).await;
        of_seen(&incidents, self.machine)
    }
}

/// Why an incident concerns a machine as it was read. What was not read is changed by nothing anyway.
pub fn of_seen(incidents: &Incidents, machine: &MachineSeen) -> Option<incident::Why> {
    let MachineSeen::Present(machine) = machine else { return None };
    let about = &machine.about;
    incidents.about(incident::Machine {
        name: &about.name,
        region: Some(&about.location),
        points_in: "",
        about: Some(about),
    })
}

/// Takes one look.
pub async fn run(lifeboat: &Lifeboat, message: &ReconcileMessage) -> Result<Report, NotDone> {
    let looked = message.look - 1;
    let mut report = Report::default();
    let next = match attempt(lifeboat, message, &mut report).await {
        Ok(next) => next,
        Err(why) => put_off(lifeboat, message, looked, &why, &mut report),
    };
    match next {
        Next::Nothing => {}
        Next::LookAt(_) | Next::FollowUpAt(_) if looked >= look::LOOKS_MAX => {
            tracing::error!(machine = %message.machine, "looked {looked} times; the sweep takes over");
            report.lines.push(format!("looked {looked} times at {}; the sweep takes over", message.machine));
        }
        // Others' looks see to it, or the machine stays open for the next sweep: a chain of looks for each sweep would only pile up.
        Next::LookAt(_) if looked == 0 && matches!(message.cause, Cause::Swept { .. }) => {
            report.lines.push("the next sweep looks again".to_owned());
        }
        Next::FollowUpAt(at) => {
            queue::send(&lifeboat.sender, &message.next_look(), Some(at)).await?;
            report.lines.push(format!("look again at {at}"));
        }
        Next::TurnAt(at, reserved) => {
            queue::send(&lifeboat.sender, &message.next_turn(reserved), Some(at)).await?;
            report.lines.push(format!("a budget of Azure's is spent; the turn of {} is at {at}", message.machine));
        }
        Next::LookAt(at) => {
            queue::send(&lifeboat.sender, &message.next_look(), Some(at)).await?;
            report.lines.push(format!("look again at {at}"));
        }
    }
    Ok(report)
}

/// A look that could not be finished: when the next one is, and who is told.
fn put_off(lifeboat: &Lifeboat, message: &ReconcileMessage, looked: u32, why: &NotNow, report: &mut Report) -> Next {
    let now = lifeboat.clock.now();
    let hopeless = match why {
        NotNow::Id | NotNow::Policy(PolicyError::Missing { .. } | PolicyError::Unreadable { .. }) => true,
        NotNow::Estate(error) => error.is_hopeless(),
        _ => false,
    };
    let chain = std::iter::successors(Some(why as &dyn std::error::Error), |error| error.source());
    let text = chain.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    match why {
        NotNow::LeaseTaken => tracing::info!(machine = %message.machine, "{text}"),
        NotNow::Azure(error) if error.is_not_yet() => tracing::info!(machine = %message.machine, "{text}"),
        _ => tracing::error!(machine = %message.machine, "{text}"),
    }
    report.lines.push(format!("{}: {text}", message.machine));
    if hopeless {
        // The sweep does not count the machine as dealt with, so it is found again once somebody has mended this.
        return Next::Nothing;
    }
    let wait = match why {
        NotNow::Azure(error) => error.retry_after(),
        _ => None,
    };
    let at = match wait.and_then(|wait| SignedDuration::try_from(wait).ok()) {
        Some(wait) => look::after(wait, looked, &message.machine, now),
        None => look::next(looked, &message.machine, now),
    };
    // The first look may be one that comes again after a stop, with effects that nobody has answered for: it is not left to a sweep,
    // which asks for no look once the point is there.
    if looked == 0 { Next::FollowUpAt(at) } else { Next::LookAt(at) }
}

async fn attempt(lifeboat: &Lifeboat, message: &ReconcileMessage, report: &mut Report) -> Result<Next, NotNow> {
    let id: ResourceId = message.machine.parse().map_err(|_| NotNow::Id)?;
    // Before anything is written: a store that is not ours, or is not what it was, is left as it is.
    let owner = estate::required(&lifeboat.store, &lifeboat.settings.deployment).await?.owner();
    if message.reserved.is_none()
        && let Some(at) = budget::wait_for(lifeboat, &Budget::looks(id.subscription())).await
    {
        return Ok(Next::TurnAt(at, Reserved::Look));
    }
    let name = format!("leases/{}", hash(&[&message.machine.to_lowercase()]));
    let mut lease = match lifeboat.store.lease(&name, LEASE_SECS).await {
        Ok(lease) => lease,
        Err(error) if error.is_lease_taken() => return Err(NotNow::LeaseTaken),
        Err(error) => return Err(error.into()),
    };
    let next = with_lease(lifeboat, message, (&id, &owner), &mut lease, report).await;
    if let Err(error) = lifeboat.store.release(&lease).await {
        // It runs out by itself; the next look finds it taken until then.
        tracing::warn!(error = %error, "the lease could not be released");
    }
    next
}

async fn with_lease(
    lifeboat: &Lifeboat,
    message: &ReconcileMessage,
    (id, owner): (&ResourceId, &Owner),
    lease: &mut Lease,
    report: &mut Report,
) -> Result<Next, NotNow> {
    let now = lifeboat.clock.now();
    let in_force = policies::in_force(&lifeboat.store, &lifeboat.policies).await?;
    let (record, _) = sweep_record::read_or_start(&lifeboat.store, now).await?;
    let asked = observe::Asked { owner, policies: &in_force.policies, known_since: record.known_since, now };
    let facts = observe::facts(lifeboat, id, asked).await?;
    let key = match &facts.machine {
        MachineSeen::Present(machine) => MachineKey::new(&machine.vm_id, &machine.id),
        MachineSeen::Gone | MachineSeen::Unknown(_) => MachineKey::new("", &message.machine),
    };
    let mut chain = Chain::open(&lifeboat.outbox, lifeboat.clock, &key, &message.machine).await?;
    let former = predecessor::settle(lifeboat, id, &facts.machine, report).await?;
    let former_under_way = former.under_way;
    account::settle(&mut chain, &Seen::of(&facts), report).await?;

    let looked = message.look - 1;
    let Followed { policy, plan } = lifeboat_planning::follow(Work { look: looked }, &in_force.policies, &facts, now);
    let of_machine = Concerned { in_force: &in_force, machine: &facts.machine };
    let plan = withheld(lifeboat, plan, of_machine).await;
    let named = policy.map_or("", |policy| policy.name.as_str());
    if !plan.effects.is_empty() && others_at_work(&chain, message, now) {
        report.lines.push("other looks are at work on it".to_owned());
        chain.seal().await?;
        return Ok(Next::Nothing);
    }
    if let Some(next) = wait_for_turn(lifeboat, message, (named, &in_force.digest), &plan, &mut chain, report).await? {
        return Ok(next);
    }
    let plan = limits::counted(lifeboat, policy, plan, now).await;
    let audit = audited(&plan, &in_force, policy, &facts);
    let mut decision = decision(message, (named, &in_force.digest), &plan, audit);
    decision.refusals.extend(former.left.map(|left| left.to_string()));
    tell(message, &plan, &decision, report);
    let looked_at = watch::Looked {
        machine: &message.machine,
        policy: policy.map(|policy| policy.name.as_str()),
        refusals: &plan.refusals,
        audit: &decision.audit,
        before: refused_before(&chain),
    };
    watch::look(lifeboat, looked_at).await;
    if is_news(&chain, &decision) {
        chain.add(Entry::Decision(decision.clone())).await?;
    }
    if !decision.audit.is_empty() {
        tracing::error!(machine = %message.machine, "the audit refused the plan: {}", decision.audit.join("; "));
        chain.seal().await?;
        return Ok(Next::Nothing);
    }
    // What came of the last decision that did something is for the looks of its cause to see.
    let acted = chain.last_act_of_looks().is_some_and(|(_, last)| last.cause == decision.cause);
    let again = perform_all(lifeboat, &plan.effects, (lease, &mut chain), looked, &message.machine, of_machine).await?;
    chain.seal().await?;
    let own_again = again.or(plan.look_again_at);
    noted::note(lifeboat, &facts, &plan, own_again, now).await;
    let former_again = former_under_way.then(|| look::next(looked, &message.machine, now));
    Ok(match own_again.or(former_again) {
        Some(at) if former_under_way => Next::FollowUpAt(at),
        Some(at) if !acted => Next::LookAt(at),
        Some(at) => Next::FollowUpAt(at),
        None => Next::Nothing,
    })
}

/// The plan, with nothing to be done where changes are stopped or an incident concerns the machine. Both are read again before each
/// effect; asked here too, so that nothing is decided that would not be done.
async fn withheld(lifeboat: &Lifeboat, plan: Plan, of_machine: Concerned<'_>) -> Plan {
    if plan.effects.is_empty() {
        return plan;
    }
    if stop::is_stopped(&lifeboat.store).await {
        return plan.stopped();
    }
    match of_machine.open(lifeboat).await {
        None => plan,
        Some(_) => plan.during_incident(),
    }
}

/// What is next where a plan makes a point and its turn at a budget of Azure's has not come.
async fn wait_for_turn(
    lifeboat: &Lifeboat,
    message: &ReconcileMessage,
    by: (&str, &str),
    plan: &Plan,
    chain: &mut Chain<'_>,
    report: &mut Report,
) -> Result<Option<Next>, NotNow> {
    if message.reserved == Some(Reserved::Point) || !plan.makes_point() {
        return Ok(None);
    }
    if let Some(at) = chain.turn_after(lifeboat.clock.now()) {
        report.lines.push(format!("its turn at a budget of Azure's is at {at}"));
        chain.seal().await?;
        return Ok(Some(Next::Nothing));
    }
    let Some(turn_at) = turn_of_point(lifeboat, plan).await else { return Ok(None) };
    let waits = Decision { turn_at: Some(turn_at), ..decision(message, by, &Plan::default(), Vec::new()) };
    chain.add(Entry::Decision(waits)).await?;
    chain.seal().await?;
    Ok(Some(Next::TurnAt(turn_at, Reserved::Point)))
}

/// When a plan that makes a point may be performed: `None` for now.
async fn turn_of_point(lifeboat: &Lifeboat, plan: &Plan) -> Option<Timestamp> {
    let place = plan.effects.iter().find_map(|effect| match effect {
        Effect::Point(PointEffect::CreateRestorePoint { place, .. }) => Some(place),
        Effect::Point(
            PointEffect::EnsureGroup { .. }
            | PointEffect::EnsureCollection { .. }
            | PointEffect::CreateSnapshot { .. }
            | PointEffect::ExpireRestorePoint { .. }
            | PointEffect::ExpireSnapshot { .. },
        )
        | Effect::Protection(_) => None,
    })?;
    budget::wait_for(lifeboat, &Budget::restore_points(&place.subscription, &place.group)).await
}

/// Performs effects in their order; of each family up to the first that does not get through. Each gets its outcome in the ledger.
async fn perform_all(
    lifeboat: &Lifeboat,
    effects: &[Effect],
    (lease, chain): (&mut Lease, &mut Chain<'_>),
    looked: u32,
    machine: &str,
    of_machine: Concerned<'_>,
) -> Result<Option<Timestamp>, NotNow> {
    let mut stopped: Vec<(Discriminant<Effect>, Outcome)> = Vec::new();
    for effect in effects {
        let family = std::mem::discriminant(effect);
        let outcome = match stopped.iter().any(|(other, _)| *other == family) {
            // What points rest on is of their family, and so with protection: one does not hold up the other.
            true => Outcome::not_sent(effect),
            false => {
                let checked = tokio::time::Instant::now();
                lifeboat.store.renew(lease).await?;
                // Read again before each effect: whoever stops changes waits for one request, not for a plan.
                if stop::is_stopped(&lifeboat.store).await || of_machine.open(lifeboat).await.is_some() {
                    Outcome::not_sent(effect)
                } else {
                    perform::perform(lifeboat, effect, Latest(checked + LATEST)).await
                }
            }
        };
        let (key, detail) = (outcome.effect.clone(), outcome.detail.clone());
        chain.add(Entry::Outcome { effect: key, result: outcome.result, detail, read: None }).await?;
        if matches!(outcome.result, OutcomeResult::Refused | OutcomeResult::NotPermitted) {
            tracing::error!(machine, "{effect}: {}", outcome.detail);
        }
        let through = matches!(outcome.result, OutcomeResult::Done | OutcomeResult::AlreadyThere);
        if !through && !stopped.iter().any(|(other, _)| *other == family) {
            stopped.push((family, outcome));
        }
    }
    let now = lifeboat.clock.now();
    let again = |(_, outcome): &(Discriminant<Effect>, Outcome)| {
        let wait = outcome.retry_after.and_then(|wait| SignedDuration::try_from(wait).ok());
        wait.map_or_else(|| look::next(looked, machine, now), |wait| look::after(wait, looked, machine, now))
    };
    Ok(stopped.iter().map(again).min())
}
