//! Decides, for one machine and one look: effects, verdicts, refusals, and when to look again.
//! It never fails: what cannot be decided is a refusal with its reason.

use alloc::string::String;
use alloc::vec::Vec;
use jiff::Timestamp;

use crate::creation;
use crate::effect::{Consistency, Effect, PointEffect};
use crate::enforcement::{self, Protection};
use crate::facts::{CollectionSeen, Facts, Machine, MachineSeen};
use crate::id::PointName;
use crate::look;
use crate::points::{self, Decision};
use crate::policy::{self, BackupPolicy, Mode, Reach};
use crate::refusal::Refusal;

/// Which look of which chain of work this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// Looks made before this one.
    pub look: u32,
}

/// What is decided for one look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What to do, in this order.
    pub effects: Vec<Effect>,
    /// What would be done if the policy did more than report.
    pub would: Vec<Effect>,
    /// What becomes of each point that was seen.
    pub verdicts: Vec<Verdict>,
    /// What is not done, and why.
    pub refusals: Vec<Refusal>,
    /// When to look again; `None` when nothing is left to wait for.
    pub look_again_at: Option<Timestamp>,
    /// The point comes later than the policy wants it.
    pub late: bool,
    /// Slots before the one that is made, which have no point and get none any more.
    pub missed: usize,
}

/// What becomes of a point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Name of the point.
    pub point: String,
    /// The verdict.
    pub kind: VerdictKind,
}

/// The verdict on a point. Nothing expires yet: this release deletes no points at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerdictKind {
    /// Ours, and kept.
    Keep,
    /// Not ours: reported, never touched.
    Foreign,
}

/// Plans for one machine.
pub fn plan(work: Work, policy: &BackupPolicy, facts: &Facts, now: Timestamp) -> Plan {
    let verdicts = verdicts(facts);
    let plan = match &facts.machine {
        MachineSeen::Gone => Plan::refuse(Refusal::MachineGone),
        MachineSeen::Unknown(why) => Plan::refuse(Refusal::MachineUnknown(*why)),
        MachineSeen::Present(machine) => plan_present(work, policy, machine, facts, now),
    };
    Plan { verdicts, ..plan }
}

fn plan_present(work: Work, policy: &BackupPolicy, machine: &Machine, facts: &Facts, now: Timestamp) -> Plan {
    if let Err(refusal) = in_scope(policy, machine) {
        return Plan::refuse(refusal);
    }
    if !facts.owned_regions.contains(&creation::region(&machine.about.location)) {
        return Plan::refuse(Refusal::NotOurRegion);
    }
    let parts = [points(work, policy, machine, facts, now), protection(work, policy, machine, facts, now)];
    let mut plan = parts.into_iter().flatten().fold(Plan::default(), Plan::and);
    if plan.look_again_at.is_some() && plan.effects.is_empty() && work.look >= look::LOOKS_MAX {
        plan.look_again_at = None;
        plan.refusals.push(Refusal::LooksUsedUp);
    }
    if policy.mode == Mode::Report && !plan.effects.is_empty() {
        plan.would = core::mem::take(&mut plan.effects);
        plan.look_again_at = None;
        plan.refusals.push(Refusal::ReportOnly);
    }
    plan
}

/// Lifeboat's own points: at most one slot's at a time, the first that may be made; none where the policy asks for a vault alone.
fn points(work: Work, policy: &BackupPolicy, machine: &Machine, facts: &Facts, now: Timestamp) -> Option<Plan> {
    if policy.points.is_empty() {
        return None;
    }
    let (wants, refusals) = points::wants(policy, machine, facts, now);
    let mut plan = Plan { refusals, ..Plan::default() };
    for want in &wants {
        plan = match points::decide(policy, want, machine, facts, work.look, now) {
            Decision::Settled(refusal) => plan.and(Plan::refuse(refusal)),
            Decision::Wait(refusal, at) => plan.and(Plan { look_again_at: Some(at), ..Plan::refuse(refusal) }),
            Decision::Make(effects) => {
                let begun = point_begun(&effects);
                let at = match begun {
                    Some(consistency) => look::after_begin(consistency, &machine.id, now),
                    None => look::next(0, &machine.id, now),
                };
                let (late, missed) = (want.late, want.missed.count);
                // The looks of what waits elsewhere are this plan's next one too.
                return Some(Plan { effects, late, missed, look_again_at: Some(at), ..Plan::default() });
            }
        };
    }
    plan.refusals.dedup();
    if plan.refusals.is_empty() {
        plan.refusals.push(Refusal::NothingDue);
    }
    Some(plan)
}

/// Protection in a vault, where the policy asks for it and the vault was looked at.
fn protection(work: Work, policy: &BackupPolicy, machine: &Machine, facts: &Facts, now: Timestamp) -> Option<Plan> {
    let (rule, seen) = (policy.vault.as_ref()?, facts.protection.as_ref()?);
    Some(match enforcement::decide(rule, machine, seen, work.look, now) {
        Protection::Protected => Plan::default(),
        Protection::Refused(refusal) => Plan::refuse(refusal),
        Protection::Wait(refusal, at) => Plan { look_again_at: Some(at), ..Plan::refuse(refusal) },
        Protection::Do(effects, at) => Plan { effects, look_again_at: Some(at), ..Plan::default() },
    })
}

fn point_begun(effects: &[Effect]) -> Option<Consistency> {
    effects.iter().find_map(|effect| match effect {
        Effect::Point(PointEffect::CreateRestorePoint { consistency, .. }) => Some(*consistency),
        Effect::Point(
            PointEffect::EnsureGroup { .. }
            | PointEffect::EnsureCollection { .. }
            | PointEffect::CreateSnapshot { .. }
            | PointEffect::ExpireRestorePoint { .. }
            | PointEffect::ExpireSnapshot { .. },
        )
        | Effect::Protection(_) => None,
    })
}

/// Whether the policy is for this machine at all.
pub fn in_scope(policy: &BackupPolicy, machine: &Machine) -> Result<(), Refusal> {
    match policy::reach(&policy.matches, &machine.about) {
        Reach::Outside => Err(Refusal::NoPolicyMatches),
        // Its manager replaces, scales and deletes it: a pattern that happens to cover it is no order to protect it.
        Reach::Covered if machine.about.managed_by.is_some() => Err(Refusal::ManagedElsewhere),
        Reach::Covered | Reach::Named => Ok(()),
    }
}

pub(crate) fn verdicts(facts: &Facts) -> Vec<Verdict> {
    let CollectionSeen::Present(collection) = &facts.collection else { return Vec::new() };
    let ours = facts.owner.has_made(collection);
    let verdict = |name: &String| match PointName::parse(name) {
        Some(_) if ours => VerdictKind::Keep,
        _ => VerdictKind::Foreign,
    };
    collection.points.iter().map(|point| Verdict { point: point.name.clone(), kind: verdict(&point.name) }).collect()
}

impl Plan {
    /// True when a restore point is to be made.
    pub fn makes_point(&self) -> bool {
        point_begun(&self.effects).is_some()
    }

    /// Both, one after the other: looked at again when the earlier of them asks for it.
    fn and(mut self, other: Self) -> Self {
        self.effects.extend(other.effects);
        self.refusals.extend(other.refusals);
        let looks = [self.look_again_at, other.look_again_at];
        let (late, missed) = (self.late || other.late, self.missed.max(other.missed));
        Self { late, missed, look_again_at: looks.into_iter().flatten().min(), ..self }
    }

    pub(crate) fn refuse(refusal: Refusal) -> Self {
        Self { refusals: alloc::vec![refusal], ..Self::default() }
    }
}
