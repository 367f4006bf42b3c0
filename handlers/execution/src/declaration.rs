//! Declarations in the running handler: of each recovery plan, what is remembered, looked at anew with each evaluation of a region.
//! It never decides (`planning::declaration` does), and begins a failover only where that is decided and written down.
//!
//! ```text
//! signals of both regions, fleets ─► facts ─► planning ─► ledger: what moved ─► declarations/<plan>.json ─► tell
//!                     a person's word ──┘                                                              └─► begin the saga
//! ```

mod begin;
mod events;
pub mod record;
mod saga;
mod seen;
pub mod shown;
mod tell;
pub mod word;
pub mod would;

use jiff::Timestamp;
use lifeboat_contract::declaration::condition;
use lifeboat_planning::declaration::{Act, Decision, Declaration, Facts, FenceSeen, NeededFor, Shown, settle};
use lifeboat_planning::id::MachineKey;
use lifeboat_planning::recovery::RecoveryPlan;
use lifeboat_planning::saga::failover::FailoverOrder;

use crate::alarms::{self, Cause, Machines, Raised};
use crate::chain::{Chain, ChainError};
use crate::estate::{self, EstateError};
use crate::foresee::with_causes;
use crate::ledger::{self, Entry};
use crate::lifeboat::{Lifeboat, Report};
use crate::policies::PolicyError;
use crate::queue::QueueError;
use crate::readiness::NoOrder;
use crate::saga::SagaError;
use crate::signals::doors;
use crate::swap::SwapError;
use record::{Put, Record};
use seen::{Seen, see};
use shown::StoredTakes;
use word::{NotGiven, Word};

/// Tries of one evaluation: others may write the same record at the same moment, and then what they wrote is looked at anew.
const TRIES_MAX: u32 = 5;
/// What is known of stopping the old side: nothing tries it before the saga does, which asks a person where it cannot.
const FENCE_SEEN: FenceSeen = FenceSeen::NotTried;

/// Why a region could not be evaluated. Repeating is safe; the poll of the next minute does.
#[derive(Debug, thiserror::Error)]
pub enum DeclarationError {
    /// Without an estate record nothing is written.
    #[error(transparent)]
    Estate(#[from] EstateError),
    /// Which recovery plans there are is not known.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The store did not give or take a record.
    #[error("the declaration could not be read or written")]
    Store(#[from] SwapError),
    /// The recovery plan's ledger cannot be written to.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The recovery plan's saga cannot be read, or not be told that the region came back.
    #[error(transparent)]
    Saga(#[from] SagaError),
    /// The saga's next look is not queued.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// Others wrote each time.
    #[error("others evaluated the recovery plan {TRIES_MAX} times in a row")]
    Busy,
}

/// What came of one look.
#[derive(Debug, Default)]
struct Came {
    lines: Vec<String>,
    /// What came of a person's word, where one was given.
    given: Option<Result<(), NotGiven>>,
}

/// Evaluates every recovery plan in force that names the region, on either side. What fails for one holds up no other.
pub async fn evaluate(lifeboat: &Lifeboat, region: &str, cause: &str) -> Result<Report, DeclarationError> {
    let names = |plan: &RecoveryPlan| plan.from.is(region) || plan.to.is(region);
    evaluate_those(lifeboat, names, cause).await
}

/// Evaluates all recovery plans in force.
pub async fn evaluate_all(lifeboat: &Lifeboat, cause: &str) -> Result<Report, DeclarationError> {
    evaluate_those(lifeboat, |_| true, cause).await
}

async fn evaluate_those(
    lifeboat: &Lifeboat,
    which: impl Fn(&RecoveryPlan) -> bool,
    cause: &str,
) -> Result<Report, DeclarationError> {
    estate::required(&lifeboat.store, &lifeboat.settings.deployment).await?;
    let plans = doors::recovery_plans(lifeboat).await?;
    let mut report = Report::default();
    let mut failed = None;
    for plan in plans.iter().filter(|plan| which(plan)) {
        match evaluate_one(lifeboat, plan, cause, None).await {
            Ok(came) => report.lines.extend(came.lines),
            Err(error) => {
                let text = with_causes(&error);
                tracing::error!(recovery_plan = plan.name, "the recovery plan could not be evaluated: {text}");
                if matches!(error, DeclarationError::Store(SwapError::Record(_))) {
                    let what = format!("the recovery plan {} cannot be evaluated: {text}", plan.name);
                    let (cause, machines) = (Cause::StoreUnreadable, Machines::Also(&[]));
                    let raised = Raised { cause, policy: None, what, machines };
                    alarms::raise(&lifeboat.outbox, &raised, lifeboat.clock.now()).await;
                }
                failed = Some(error);
            }
        }
    }
    failed.map_or(Ok(report), Err)
}

/// Evaluates a recovery plan with a person's word to fail over: conditions are read again, and what came of it is recorded. A repeat is
/// safe: a failover that this word began is not begun again.
pub async fn give(
    lifeboat: &Lifeboat,
    plan: &RecoveryPlan,
    word: &Word,
) -> Result<Result<Vec<String>, NotGiven>, DeclarationError> {
    estate::required(&lifeboat.store, &lifeboat.settings.deployment).await?;
    let cause = format!("{} by {}", word.id, word.by);
    let came = evaluate_one(lifeboat, plan, &cause, Some(word)).await?;
    match came.given {
        Some(Err(why)) => Ok(Err(why)),
        Some(Ok(())) => Ok(Ok(came.lines)),
        // Somebody whose clock is ahead has looked: this one comes again.
        None => Err(DeclarationError::Busy),
    }
}

/// Looks at one recovery plan: saved before anybody is told, and before a failover is begun.
async fn evaluate_one(
    lifeboat: &Lifeboat,
    plan: &RecoveryPlan,
    cause: &str,
    word: Option<&Word>,
) -> Result<Came, DeclarationError> {
    let now = lifeboat.clock.now();
    let seen = see(lifeboat, plan, now).await?;
    for _ in 0..TRIES_MAX {
        let known = record::read(&lifeboat.store, &plan.name).await?;
        let (known, etag) = known.map_or((None, None), |(record, etag)| (Some(record), Some(etag)));
        let before = known.as_ref().map(record::Record::declaration).unwrap_or_default();
        if known.as_ref().is_some_and(|record| record.evaluated_at > now) {
            return Ok(Came { lines: vec![format!("{}: somebody has looked since", plan.name)], given: None });
        }
        let decided = decide(lifeboat, plan, (&seen, &before, known.as_ref()), word, now).await?;
        let Decided { after, decisions, shows, .. } = &decided;
        let last_act = known.as_ref().and_then(record::Record::last_act);
        let news: Vec<&Decision> = decisions.iter().filter(|one| is_news(one, last_act.as_deref())).collect();
        if !write_down(lifeboat, plan, &seen.digest, cause, &news).await? {
            continue;
        }
        let mut record = Record::of(plan, after, (&seen.digest, &seen.members), now);
        record.remember(known.as_ref(), decisions, &news, shows);
        record.takes = seen.takes.map(StoredTakes::from);
        if let (Some(word), Some(Err(why))) = (word, &decided.given) {
            record.refuse(word, why);
        }
        let (events, told) = (events::of(plan, &before, after, &news, (shows, seen.takes)), record.recovery_told);
        match record::write(&lifeboat.outbox, record, etag, &events).await? {
            Put::Written => {
                let mut lines = tell::tell(lifeboat, plan, after, (&news, decisions)).await;
                lines.extend(saga::recovered(lifeboat, plan, (after, decisions), told).await?);
                saga::first_look(lifeboat, plan, seen.saga).await?;
                let mut given = decided.given;
                if let Some(order) = decided.order {
                    match begin::begin(lifeboat, plan, order, word).await? {
                        Ok(begun) => lines.extend(begun),
                        Err(why) => given = word.map(|_| Err(why)),
                    }
                }
                return Ok(Came { lines, given });
            }
            Put::Raced => {}
        }
    }
    Err(DeclarationError::Busy)
}

/// What is decided at one look.
struct Decided {
    after: Declaration,
    decisions: Vec<Decision>,
    shows: Shown,
    given: Option<Result<(), NotGiven>>,
    order: Option<(FailoverOrder, Timestamp)>,
}

/// Decides, with the word where what it was given on still holds; without it where it does not, or nothing could be begun.
async fn decide(
    lifeboat: &Lifeboat,
    plan: &RecoveryPlan,
    (seen, before, known): (&Seen, &Declaration, Option<&Record>),
    word: Option<&Word>,
    now: Timestamp,
) -> Result<Decided, DeclarationError> {
    let (mut after, mut decisions) = look(before, plan, seen, None, now);
    let shows = Shown::of(&plan.digest(), &decisions, FENCE_SEEN);
    let mut given = None;
    if let Some(word) = word {
        let mut held = word.still_holds(known, &shows, now);
        if held.is_ok() {
            let with_it = look(before, plan, seen, Some(word), now);
            held = word.came_of(&with_it.1);
            if let (Ok(()), Some(start)) = (&held, begin::start_of(&with_it.1)) {
                let opened_at = begin::opened(start);
                match begin::order(lifeboat, plan, start, Some(word)).await {
                    Ok(order) => {
                        let (after, decisions) = with_it;
                        return Ok(Decided {
                            after,
                            decisions,
                            shows,
                            given: Some(Ok(())),
                            order: Some((order, opened_at)),
                        });
                    }
                    Err(NoOrder::Store(error)) => return Err(error.into()),
                    Err(why) => held = Err(NotGiven::NoOrder(why)),
                }
            } else {
                // That it was refused, and on which conditions, is recorded.
                (after, decisions) = with_it;
            }
        }
        given = Some(held);
    }
    let order = match begin::start_of(&decisions) {
        None => None,
        Some(start) => match begin::order(lifeboat, plan, start, None).await {
            Ok(order) => Some((order, begin::opened(start))),
            Err(NoOrder::Store(error)) => return Err(error.into()),
            Err(why) => {
                tracing::error!(
                    recovery_plan = plan.name,
                    "the rules would begin a failover, and it cannot begin: {why}"
                );
                None
            }
        },
    };
    Ok(Decided { after, decisions, shows, given, order })
}

/// One look, by what this release can see: nothing tries the fence before a saga does.
fn look(
    before: &Declaration,
    plan: &RecoveryPlan,
    seen: &Seen,
    word: Option<&Word>,
    now: Timestamp,
) -> (Declaration, Vec<Decision>) {
    let word = word.map(|word| lifeboat_planning::declaration::Word { passes: word.passes.clone() });
    let facts = Facts {
        signals: &seen.signals,
        machines: seen.machines,
        target_machines: seen.target_machines,
        readiness: seen.readiness,
        point_at: seen.point_at,
        fence: FENCE_SEEN,
        assumed: &seen.assumed,
        rejected: seen.rejected,
        saga: saga::of(seen.saga, before),
        saga_began_at: seen.saga.map(|stored| stored.began_at),
        word: word.as_ref(),
    };
    settle(before, plan, &facts, now)
}

/// A decision that says something that the one before it did not.
fn is_news(decision: &Decision, last_act: Option<&str>) -> bool {
    decision.from != decision.to || (decision.act != Act::Nothing && last_act != Some(decision.act.word()))
}

/// The key of a recovery plan's ledger: no machine's, because no machine has such an id.
pub fn ledger_key(plan: &str) -> MachineKey {
    MachineKey::new("", &ledger_subject(plan))
}

/// What the lines of a recovery plan's ledger are about.
pub fn ledger_subject(plan: &str) -> String {
    format!("recoveryPlans/{plan}")
}

/// Adds what is decided to the recovery plan's ledger, with each condition that is not met as a refusal. False where somebody else
/// added at the same moment: what they decided has to be read first.
async fn write_down(
    lifeboat: &Lifeboat,
    plan: &RecoveryPlan,
    digest: &str,
    cause: &str,
    news: &[&Decision],
) -> Result<bool, DeclarationError> {
    if news.is_empty() {
        return Ok(true);
    }
    let (key, subject) = (ledger_key(&plan.name), ledger_subject(&plan.name));
    let mut chain = Chain::open(&lifeboat.outbox, lifeboat.clock, &key, &subject).await?;
    for decision in news {
        match chain.add(entry(plan, digest, cause, decision)).await {
            Ok(()) => {}
            Err(ChainError::Store(error)) if error.kind == lifeboat_azure::ErrorKind::Conflict => return Ok(false),
            Err(error) => return Err(error.into()),
        }
    }
    chain.seal().await?;
    Ok(true)
}

fn entry(plan: &RecoveryPlan, digest: &str, cause: &str, decision: &Decision) -> Entry {
    let unmet = decision.conditions.iter().filter(|one| !one.met);
    let refusal = |one: &lifeboat_planning::declaration::Condition| {
        let rules = if one.needed_for == NeededFor::Rules { ", for rules" } else { "" };
        format!("{}{rules}: {}", one.name().word(), condition(one))
    };
    Entry::Decision(ledger::Decision {
        cause: format!("{cause}: {} → {}, {}", decision.from, decision.to, decision.act),
        look: 1,
        policy: plan.name.clone(),
        policy_digest: digest.to_owned(),
        refusals: unmet.map(refusal).collect(),
        ..ledger::Decision::default()
    })
}
