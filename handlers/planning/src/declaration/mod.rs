//! Decides whether a region is lost for a recovery plan, from signals, facts and the time it is told.
//! It never goes by one source, by silence or by a single machine, never twice for one incident, and never by rules what a person
//! has to approve.
//!
//! ```text
//! Normal ── a source that counts fails ──► Suspected ── every condition ──► Confirmed ─┬─ by: person    stays, shown
//!   ▲                                        ▲    │                           │        ├─ by: approval  AwaitingApproval
//!   │                                        └────┼─── a condition is lost ───┘        └─ by: rules     FailingOver, where also the
//!   └── well for RECOVERED_FOR ───────────────────┴──── also from Confirmed, AwaitingApproval           rules' own conditions hold;
//!                                                                                                       else AwaitingApproval
//! AwaitingApproval ── a person's word, conditions read again ──► FailingOver ── the saga ends ──► FailedOver, or back
//! ```
//!
//! An incident opens when Normal is left and closes when the region has been well for the cool-down. A region that is well again
//! before the first failover was accepted stops the saga, which asks; after that the saga goes on.

mod condition;
mod facts;
mod loss;
mod shown;
mod sources;
#[cfg(test)]
mod tests;
mod words;

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use jiff::{SignedDuration, Timestamp};

use crate::recovery::{By, Evidence, RecoveryPlan};
use crate::signal::{Class, Origin};
use condition::{Seen, conditions, holds};

pub use condition::{Condition, Name, NeededFor, READ_FRESH_FOR, READY_FOR, Value};
pub use facts::{Assumed, Facts, FenceSeen, Readiness, Rejected, SagaSeen, Word};
pub use loss::{Loss, StoppedBy};
pub use shown::{Shown, Worse};
pub use sources::{MACHINES_MIN, SHARE_ENTERS, SHARE_LEAVES, Share, Source, Standing};

/// How long a region must be well before it counts as recovered: longer than the usual window of evidence, so that leaving is
/// harder than entering and a flapping region stays suspected.
pub const RECOVERED_FOR: SignedDuration = SignedDuration::from_mins(15);
/// Bound on the senders' names that join an incident.
const SENDERS_MAX: usize = 100;
/// Bound on moves at one moment: from Normal to FailedOver there are five.
const MOVES_MAX: usize = 6;

/// Where a recovery plan stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Nothing that counts fails.
    #[default]
    Normal,
    /// Something that counts fails.
    Suspected,
    /// Every condition of a declaration is met.
    Confirmed,
    /// A person is asked.
    AwaitingApproval,
    /// The saga runs, or is to begin.
    FailingOver,
    /// The workload serves from the other region.
    FailedOver,
}

/// What is remembered of a recovery plan from look to look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declaration {
    /// Where it stands.
    pub phase: Phase,
    /// The open incident.
    pub incident: Option<Incident>,
    /// The origins that failed at the last look.
    pub failing: Vec<Origin>,
    /// Since when enough sources fail together.
    pub together_since: Option<Timestamp>,
    /// Since when one that reports and one that measures fail together.
    pub both_since: Option<Timestamp>,
    /// Since when the region is well, by what was read.
    pub well_since: Option<Timestamp>,
    /// When the last failover ended, by whatever end.
    pub failover_ended_at: Option<Timestamp>,
}

/// An episode of a recovery plan. Its own beginning names it; its senders' names join it and never do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// When Normal was left.
    pub opened_at: Timestamp,
    /// That something fails was told: one that a person opened by an order may not have been.
    pub suspected: bool,
    /// Its senders' names for what failed: tracking ids, alerts, probes.
    pub senders: BTreeSet<(Origin, String)>,
    /// When a failover was begun for it.
    pub failover_begun_at: Option<Timestamp>,
    /// Since when the region counts as recovered.
    pub recovered_at: Option<Timestamp>,
}

/// What is to be done about a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Nothing.
    Nothing,
    /// Tell that the region is suspected.
    TellSuspected,
    /// Tell that it is confirmed; by rule of the recovery plan a person alone acts on it.
    Show,
    /// Ask for approval, with the conditions and the loss.
    Ask,
    /// Begin the saga. Harmless when repeated: there is at most one of a recovery plan.
    Start,
    /// A person began the saga: follow it.
    Follow,
    /// A person's word does not go through: the conditions say why.
    RefuseWord,
    /// The question, or the suspicion, is void: the region has recovered.
    Withdraw,
    /// The evidence does not hold any more; what was confirmed is only suspected again.
    StepBack,
    /// The region is well before a failover was accepted: stop the saga, which asks.
    StopAndAsk,
    /// The failover is complete.
    TellFailedOver,
    /// The failover was undone.
    TellUndone,
    /// The workload is back in its own region.
    TellFailedBack,
    /// The incident is closed.
    Close,
}

/// What was decided at one moment, with all that it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// When.
    pub at: Timestamp,
    /// Where the recovery plan stood.
    pub from: Phase,
    /// Where it stands now.
    pub to: Phase,
    /// What is to be done.
    pub act: Act,
    /// Every condition with its value.
    pub conditions: Vec<Condition>,
    /// What would be lost.
    pub loss: Loss,
    /// What each origin says of the region.
    pub sources: Vec<Source>,
    /// When the incident opened that this belongs to.
    pub incident: Option<Timestamp>,
}

/// One look: at most one move. Look again until the phase stays; [`settle`] does.
pub fn step(before: &Declaration, plan: &RecoveryPlan, facts: &Facts<'_>, now: Timestamp) -> (Declaration, Decision) {
    let seen = see(before, plan, facts, now);
    let mut state = noted(before, plan, &seen, facts, now);
    let conditions = conditions(&state, plan, facts, &seen, now);
    let (to, act) = next(&state, plan, facts, &conditions, now);
    let act = moved(&mut state, to, act, plan, facts, now);
    let incident = state.incident.as_ref().or(before.incident.as_ref()).map(|incident| incident.opened_at);
    let Seen { source, loss, .. } = seen;
    let decision = Decision { at: now, from: before.phase, to, act, conditions, loss, sources: source, incident };
    (state, decision)
}

/// Looks until nothing moves: the last state, and each decision that moved or asks for something; the last one in any case.
pub fn settle(
    before: &Declaration,
    plan: &RecoveryPlan,
    facts: &Facts<'_>,
    now: Timestamp,
) -> (Declaration, Vec<Decision>) {
    let (mut state, mut decisions) = (before.clone(), Vec::new());
    for _ in 0..MOVES_MAX {
        let (after, decision) = step(&state, plan, facts, now);
        let rests = decision.from == decision.to;
        state = after;
        decisions.push(decision);
        // What is to begin needs the world's answer first.
        if rests || state.phase == Phase::FailingOver {
            break;
        }
    }
    let last = decisions.len().saturating_sub(1);
    let mut at = 0..;
    decisions.retain(|decision| {
        let is_last = at.next() == Some(last);
        is_last || decision.from != decision.to || decision.act != Act::Nothing
    });
    (state, decisions)
}

fn see(before: &Declaration, plan: &RecoveryPlan, facts: &Facts<'_>, now: Timestamp) -> Seen {
    let from = sources::Region {
        name: plan.from.as_str(),
        machines: facts.machines,
        alerts: Some(&plan.declaration.evidence.alerts),
        failing_before: &before.failing,
    };
    let to =
        sources::Region { name: plan.to.as_str(), machines: facts.target_machines, alerts: None, failing_before: &[] };
    let source = sources::sources(facts.signals, from, now);
    let target = sources::sources(facts.signals, to, now);
    let good_probe_at = facts.signals.good_probe_at(plan.from.as_str());
    let loss = loss::loss(&source, &plan.declaration.evidence, good_probe_at, facts.point_at);
    Seen { source, target, loss }
}

/// What a look adds to what is remembered, whatever is decided on it.
fn noted(before: &Declaration, plan: &RecoveryPlan, seen: &Seen, facts: &Facts<'_>, now: Timestamp) -> Declaration {
    let mut state = before.clone();
    let rules = &plan.declaration.evidence;
    let failing = seen.failing(rules);
    let enough = !failing.is_empty() && failing.len() >= rules.at_least as usize;
    state.together_since = enough.then(|| before.together_since.unwrap_or(now));
    let is_there = |class| failing.iter().any(|origin| origin.class() == class);
    let both = is_there(Class::Reported) && is_there(Class::Measured);
    state.both_since = both.then(|| before.both_since.unwrap_or(now));
    let well = is_well(seen, rules, facts, now);
    state.well_since = well.then(|| before.well_since.unwrap_or(now));
    state.failing = seen.source.iter().filter(|s| s.standing == Standing::Failing).map(|s| s.origin).collect();
    let recovered = is_recovered(&state, now);
    if let Some(incident) = &mut state.incident {
        let counted = seen.source.iter().filter(|s| failing.contains(&s.origin));
        for (origin, name) in counted.flat_map(|s| s.names.iter().map(|name| (s.origin, name))) {
            if incident.senders.len() < SENDERS_MAX {
                incident.senders.insert((origin, name.clone()));
            }
        }
        if !failing.is_empty() && !well {
            incident.recovered_at = None;
        } else if recovered {
            // A region that was well when a person opened it counts as recovered from then on.
            let since = state.well_since.map(|since| since.max(incident.opened_at));
            incident.recovered_at = incident.recovered_at.or(since);
        }
    }
    state
}

/// Well is what was said and read: who says nothing, or failed and fell silent, does not make a region well.
///
/// Machines that we stopped are not read as well, and our probes of them fail: once the fence is confirmed it takes the word of
/// another source.
fn is_well(seen: &Seen, rules: &Evidence, facts: &Facts<'_>, now: Timestamp) -> bool {
    let fenced = facts.fence == FenceSeen::Confirmed;
    let by_fence = |s: &Source| fenced && matches!(s.origin, Origin::ResourceHealth | Origin::Probe);
    let quiet = |s: &&Source| matches!(s.standing, Standing::Well | Standing::Nothing);
    let speaking: Vec<&Source> = seen.source.iter().filter(|s| rules.counts(s.origin) && !by_fence(s)).collect();
    let said = !fenced || speaking.iter().any(|s| s.standing == Standing::Well);
    let read = facts.signals.read_at.is_some_and(|at| now.duration_since(at) <= READ_FRESH_FOR);
    read && said && speaking.iter().all(quiet)
}

fn is_recovered(state: &Declaration, now: Timestamp) -> bool {
    state.well_since.is_some_and(|since| now.duration_since(since) >= RECOVERED_FOR)
}

/// Where a recovery plan goes from here, by this look.
fn next(
    state: &Declaration,
    plan: &RecoveryPlan,
    facts: &Facts<'_>,
    conditions: &[Condition],
    now: Timestamp,
) -> (Phase, Act) {
    let recovered = is_recovered(state, now);
    let none = BTreeSet::new();
    let confirmed = holds(conditions, NeededFor::Confirming, &none);
    let by_rules = confirmed && plan.declaration.by == By::Rules && holds(conditions, NeededFor::Rules, &none);
    match state.phase {
        Phase::FailingOver => failing_over(state, plan, facts, conditions, recovered),
        Phase::FailedOver if facts.saga == SagaSeen::FailedBack => (Phase::Normal, Act::TellFailedBack),
        Phase::FailedOver => (Phase::FailedOver, Act::Nothing),
        _ if matches!(facts.saga, SagaSeen::Running { .. }) => (Phase::FailingOver, Act::Follow),
        phase if facts.word.is_some() => {
            let passes = facts.word.map_or(&none, |word| &word.passes);
            let goes = holds(conditions, NeededFor::Confirming, passes);
            if goes { (Phase::FailingOver, Act::Start) } else { (phase, Act::RefuseWord) }
        }
        Phase::Normal if state.failing.iter().any(|origin| plan.declaration.evidence.counts(*origin)) => {
            (Phase::Suspected, Act::TellSuspected)
        }
        Phase::Normal => (Phase::Normal, Act::Nothing),
        _ if recovered => (Phase::Normal, Act::Withdraw),
        Phase::Suspected if confirmed => (Phase::Confirmed, Act::Show),
        Phase::Suspected => (Phase::Suspected, Act::Nothing),
        Phase::Confirmed if !confirmed => (Phase::Suspected, Act::StepBack),
        Phase::Confirmed if plan.declaration.by == By::Person => (Phase::Confirmed, Act::Nothing),
        Phase::Confirmed | Phase::AwaitingApproval if by_rules => (Phase::FailingOver, Act::Start),
        Phase::Confirmed => (Phase::AwaitingApproval, Act::Ask),
        Phase::AwaitingApproval => (Phase::AwaitingApproval, Act::Nothing),
    }
}

/// True when the region turned well after the failover was begun, and be it by the first look that sees it begun.
fn turned_well(state: &Declaration, facts: &Facts<'_>) -> bool {
    let begun = state.incident.as_ref().and_then(|incident| incident.failover_begun_at).or(facts.saga_began_at);
    begun.is_some_and(|begun| state.well_since.is_some_and(|well| well > begun))
}

fn failing_over(
    state: &Declaration,
    plan: &RecoveryPlan,
    facts: &Facts<'_>,
    conditions: &[Condition],
    recovered: bool,
) -> (Phase, Act) {
    let back = if recovered { Phase::Normal } else { Phase::Suspected };
    match facts.saga {
        // Stopping and asking is safe, so that the first good reading is enough; a failover that was accepted goes on. A region
        // that was well when a person began has not recovered.
        SagaSeen::Running { accepted: false } if turned_well(state, facts) => (Phase::FailingOver, Act::StopAndAsk),
        SagaSeen::Running { .. } => (Phase::FailingOver, Act::Nothing),
        SagaSeen::FailedOver => (Phase::FailedOver, Act::TellFailedOver),
        // Where only a failover was told of, what fails now is suspected by the same look, or by a later one, and told.
        SagaSeen::Undone if state.incident.as_ref().is_some_and(|incident| !incident.suspected) => {
            (Phase::Normal, Act::TellUndone)
        }
        SagaSeen::Undone => (back, Act::TellUndone),
        SagaSeen::FailedBack => (Phase::Normal, Act::TellFailedBack),
        // It was to begin and has not: what it rests on is read again.
        SagaSeen::None => {
            let passes = facts.word.map(|word| word.passes.clone()).unwrap_or_default();
            // By rules alone only where rules may, with what rules need. A person's word that is not here any more comes again.
            let may = plan.declaration.by == By::Rules && holds(conditions, NeededFor::Rules, &passes);
            let alone = facts.word.is_some() || may;
            if alone && holds(conditions, NeededFor::Confirming, &passes) {
                (Phase::FailingOver, Act::Start)
            } else {
                (back, Act::StepBack)
            }
        }
    }
}

/// Moves, and keeps the incident: opened when Normal is left, closed after recovery and cool-down.
fn moved(state: &mut Declaration, to: Phase, act: Act, plan: &RecoveryPlan, facts: &Facts<'_>, now: Timestamp) -> Act {
    let from = state.phase;
    state.phase = to;
    if from == Phase::Normal && to != Phase::Normal && state.incident.is_none() {
        let senders = BTreeSet::new();
        let (opened_at, suspected) = (now, false);
        state.incident = Some(Incident { opened_at, suspected, senders, failover_begun_at: None, recovered_at: None });
    }
    if let Some(incident) = &mut state.incident {
        incident.suspected |= act == Act::TellSuspected;
    }
    if let Some(incident) = &mut state.incident
        && matches!(facts.saga, SagaSeen::Running { .. })
        && to == Phase::FailingOver
    {
        incident.failover_begun_at = incident.failover_begun_at.or(facts.saga_began_at).or(Some(now));
    }
    if matches!(act, Act::TellFailedOver | Act::TellUndone | Act::TellFailedBack) {
        state.failover_ended_at = Some(now);
    }
    let rests = matches!(to, Phase::Normal | Phase::FailedOver) && act == Act::Nothing;
    let over = state.incident.as_ref().and_then(|incident| incident.recovered_at);
    let over = over.is_some_and(|at| now.duration_since(at) >= plan.declaration.cooldown);
    if rests && over {
        state.incident = None;
        return Act::Close;
    }
    act
}
