//! The conditions of a declaration, each with its value, met or not.
//! It never leaves one out: what is not met is a recorded refusal, and what is met says by what.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use jiff::{SignedDuration, Timestamp};

use super::facts::{Facts, FenceSeen, Readiness, SagaSeen};
use super::loss::Loss;
use super::sources::{Source, Standing};
use super::{Declaration, Incident};
use crate::recovery::{By, Evidence, Fence, RecoveryPlan};
use crate::signal::{Class, Origin};

/// How old a read of Resource Health may be: it is asked every minute, and two answers may be late.
pub const READ_FRESH_FOR: SignedDuration = SignedDuration::from_mins(3);
/// How old a look at the recovery plan's readiness may be: one is every half hour, and one may be missed.
pub const READY_FOR: SignedDuration = SignedDuration::from_mins(65);

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// What was found.
    pub value: Value,
    /// Whether that is enough.
    pub met: bool,
    /// For what it is needed.
    pub needed_for: NeededFor,
}

/// For what a condition is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NeededFor {
    /// For every declaration; only a person's order that names it passes it.
    Confirming,
    /// For one that the rules make alone.
    Rules,
}

/// A condition's name: what an order names to pass it, and what stands in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// Enough sources fail.
    Sources,
    /// They have failed together for the whole window.
    Window,
    /// Resource Health was read whole just now.
    FreshRead,
    /// The region that takes over is well.
    TargetHealthy,
    /// The recovery plan is ready.
    Ready,
    /// No failover lies too short a time back.
    NoCooldown,
    /// No more is lost than may be.
    DataLoss,
    /// No failover was begun for this incident.
    OncePerIncident,
    /// No saga of the recovery plan is unfinished.
    NoSaga,
    /// One source reports and one measures.
    BothClasses,
    /// The old side can be stopped, or need not be.
    FencePossible,
    /// A person approved of what is assumed.
    StandingApproval,
    /// No person said no to what is asked in this incident.
    NotRejected,
}

/// What was found of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// The origins that fail and count, and how many it takes.
    Sources(Vec<Origin>, u32),
    /// Since when enough of them fail together, how long that is, how long it takes.
    Window(Option<Timestamp>, SignedDuration, SignedDuration),
    /// When Resource Health last answered whole.
    FreshRead(Option<Timestamp>),
    /// The origins that fail at the target, or failed and fell silent; `None` where it was not read freshly.
    TargetHealthy(Option<Vec<Origin>>),
    /// What the last look at readiness said.
    Ready(Readiness),
    /// Until when no other failover begins.
    NoCooldown(Option<Timestamp>),
    /// The estimate, and the most that may be lost.
    DataLoss(Loss, SignedDuration),
    /// When a failover was begun for this incident.
    OncePerIncident(Option<Timestamp>),
    /// The saga.
    NoSaga(SagaSeen),
    /// How many reported and how many measured sources fail, since when both do, and how long that takes: a probe that fails at the end of a
    /// window of reports alone has not stood in it.
    BothClasses(usize, usize, Option<Timestamp>, SignedDuration),
    /// What is known of the fence, and what the recovery plan asks.
    FencePossible(FenceSeen, Fence),
    /// The assumed entries that nobody has approved of.
    StandingApproval(Vec<String>),
    /// When a person said no.
    NotRejected(Option<Timestamp>),
}

/// All conditions, in the order they are shown.
pub(super) fn conditions(
    state: &Declaration,
    plan: &RecoveryPlan,
    facts: &Facts<'_>,
    seen: &Seen,
    now: Timestamp,
) -> Vec<Condition> {
    let rules = &plan.declaration;
    let failing = seen.failing(&rules.evidence);
    let fresh = facts.signals.read_at.is_some_and(|at| now.duration_since(at) <= READ_FRESH_FOR);
    let mut all = Vec::new();
    let mut needs = |value, met| all.push(Condition { value, met, needed_for: NeededFor::Confirming });

    let enough = failing.len() >= rules.evidence.at_least as usize;
    needs(Value::Sources(failing.clone(), rules.evidence.at_least), enough);
    let together = state.together_since.map_or(SignedDuration::ZERO, |since| now.duration_since(since));
    let whole = state.together_since.is_some() && together >= rules.evidence.window;
    needs(Value::Window(state.together_since, together, rules.evidence.window), whole);
    needs(Value::FreshRead(facts.signals.read_at), fresh);
    // What failed there and fell silent is not known to be well.
    let unwell = |s: &&Source| matches!(s.standing, Standing::Failing | Standing::Silent);
    let at_target: Vec<Origin> = seen.target.iter().filter(unwell).map(|s| s.origin).collect();
    let well = fresh && at_target.is_empty();
    needs(Value::TargetHealthy(fresh.then_some(at_target)), well);
    let ready = matches!(facts.readiness, Readiness::Ready { at } if now.duration_since(at) <= READY_FOR);
    needs(Value::Ready(facts.readiness), ready);
    let until = state.failover_ended_at.and_then(|ended| ended.checked_add(rules.cooldown).ok());
    needs(Value::NoCooldown(until.filter(|until| *until > now)), until.is_none_or(|until| until <= now));
    let affordable = seen.loss.span().is_some_and(|span| span <= rules.max_data_loss);
    needs(Value::DataLoss(seen.loss, rules.max_data_loss), affordable);
    let begun = state.incident.as_ref().and_then(|incident| incident.failover_begun_at);
    needs(Value::OncePerIncident(begun), begun.is_none());
    needs(Value::NoSaga(facts.saga), !matches!(facts.saga, SagaSeen::Running { .. }));

    let of = |class| failing.iter().filter(|origin| origin.class() == class).count();
    let (reported, measured) = (of(Class::Reported), of(Class::Measured));
    let mut rules_need = |value, met| all.push(Condition { value, met, needed_for: NeededFor::Rules });
    let both = state.both_since.is_some_and(|since| now.duration_since(since) >= rules.evidence.window);
    let both_since = Value::BothClasses(reported, measured, state.both_since, rules.evidence.window);
    rules_need(both_since, reported > 0 && measured > 0 && both);
    let fence = facts.fence != FenceSeen::Impossible || rules.fence == Fence::BestEffort;
    rules_need(Value::FencePossible(facts.fence, rules.fence), fence);
    let unapproved = facts.assumed.unapproved();
    let approved = unapproved.is_empty();
    rules_need(Value::StandingApproval(unapproved), approved);
    let is_of = |incident: &Incident| facts.rejected.filter(|rejected| rejected.incident == incident.opened_at);
    let rejected = state.incident.as_ref().and_then(is_of).map(|rejected| rejected.at);
    rules_need(Value::NotRejected(rejected), rejected.is_none());
    if rules.by != By::Rules {
        all.retain(|condition| condition.needed_for == NeededFor::Confirming);
    }
    all
}

/// True when all that is needed for this is met, or named among `passed`. What nobody may pass is not passed.
pub(super) fn holds(conditions: &[Condition], needed_for: NeededFor, passed: &BTreeSet<Name>) -> bool {
    conditions
        .iter()
        .filter(|condition| condition.needed_for == needed_for)
        .all(|condition| condition.met || (condition.is_passable() && passed.contains(&condition.name())))
}

/// What the sources say at one look.
pub(super) struct Seen {
    /// Of the region that may be lost.
    pub source: Vec<Source>,
    /// Of the region that takes over.
    pub target: Vec<Source>,
    /// What would be lost.
    pub loss: Loss,
}

impl Seen {
    /// The origins that fail and count.
    pub(super) fn failing(&self, rules: &Evidence) -> Vec<Origin> {
        let counts = |s: &&Source| s.standing == Standing::Failing && rules.counts(s.origin);
        self.source.iter().filter(counts).map(|s| s.origin).collect()
    }
}

impl Condition {
    /// Its name.
    pub const fn name(&self) -> Name {
        match &self.value {
            Value::Sources(..) => Name::Sources,
            Value::Window(..) => Name::Window,
            Value::FreshRead(_) => Name::FreshRead,
            Value::TargetHealthy(_) => Name::TargetHealthy,
            Value::Ready(_) => Name::Ready,
            Value::NoCooldown(_) => Name::NoCooldown,
            Value::DataLoss(..) => Name::DataLoss,
            Value::OncePerIncident(_) => Name::OncePerIncident,
            Value::NoSaga(_) => Name::NoSaga,
            Value::BothClasses(..) => Name::BothClasses,
            Value::FencePossible(..) => Name::FencePossible,
            Value::StandingApproval(_) => Name::StandingApproval,
            Value::NotRejected(_) => Name::NotRejected,
        }
    }

    /// False for what no order passes: a member that does not allow failover, and a second saga.
    pub const fn is_passable(&self) -> bool {
        !matches!(&self.value, Value::Ready(Readiness::MemberRefuses { .. }) | Value::NoSaga(_))
    }
}

impl Name {
    /// All of them, in the order they are shown.
    pub const ALL: [Self; 13] = [
        Self::Sources,
        Self::Window,
        Self::FreshRead,
        Self::TargetHealthy,
        Self::Ready,
        Self::NoCooldown,
        Self::DataLoss,
        Self::OncePerIncident,
        Self::NoSaga,
        Self::BothClasses,
        Self::FencePossible,
        Self::StandingApproval,
        Self::NotRejected,
    ];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sources => "sources",
            Self::Window => "window",
            Self::FreshRead => "freshRead",
            Self::TargetHealthy => "targetHealthy",
            Self::Ready => "ready",
            Self::NoCooldown => "noCooldown",
            Self::DataLoss => "dataLoss",
            Self::OncePerIncident => "oncePerIncident",
            Self::NoSaga => "noSaga",
            Self::BothClasses => "bothClasses",
            Self::FencePossible => "fencePossible",
            Self::StandingApproval => "standingApproval",
            Self::NotRejected => "notRejected",
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
