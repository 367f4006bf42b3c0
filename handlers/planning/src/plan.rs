//! Decides, for one machine and one look: effects, verdicts, refusals, and when to look again.
//! It never fails: what cannot be decided is a refusal with its reason.

use alloc::string::String;
use alloc::vec::Vec;
use jiff::Timestamp;

use crate::creation::{self, Asked, Decision};
use crate::effect::{Consistency, Effect, PointEffect};
use crate::facts::{CollectionSeen, Facts, Machine, MachineSeen};
use crate::id::OnCreateName;
use crate::look;
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
    let Some((entry, on_create)) = policy.points.iter().find_map(|entry| entry.on_create.map(|rule| (entry, rule)))
    else {
        return Plan::refuse(Refusal::NothingOnCreate);
    };
    let asked = Asked { policy: &policy.name, entry: &entry.name, on_create };
    let late = creation::is_late(machine.created_at, on_create, now);
    match creation::decide(asked, machine, facts, work.look, now) {
        Decision::Settled(refusal) => Plan::refuse(refusal),
        Decision::Wait(refusal, _) if work.look >= look::LOOKS_MAX => {
            Plan { refusals: alloc::vec![refusal, Refusal::LooksUsedUp], ..Plan::default() }
        }
        Decision::Wait(refusal, at) => Plan { look_again_at: Some(at), ..Plan::refuse(refusal) },
        Decision::Make(effects) => match policy.mode {
            Mode::Report => Plan { would: effects, late, ..Plan::refuse(Refusal::ReportOnly) },
            Mode::Enforce => {
                let look_again_at =
                    point_begun(&effects).map(|consistency| look::after_begin(consistency, &machine.id, now));
                Plan { effects, late, look_again_at, ..Plan::default() }
            }
        },
    }
}

fn point_begun(effects: &[Effect]) -> Option<Consistency> {
    effects.iter().find_map(|Effect::Point(effect)| match effect {
        PointEffect::CreateRestorePoint { consistency, .. } => Some(*consistency),
        PointEffect::EnsureGroup { .. } | PointEffect::EnsureCollection { .. } => None,
    })
}

/// Whether the policy is for this machine at all.
pub fn in_scope(policy: &BackupPolicy, machine: &Machine) -> Result<(), Refusal> {
    match policy::reach(&policy.matches, &machine.about) {
        Reach::Outside => Err(Refusal::NoPolicyMatches),
        // Never for now, named or not: what its manager does to it has not been looked into.
        Reach::Covered | Reach::Named if machine.about.managed_by.is_some() => Err(Refusal::ManagedElsewhere),
        Reach::Covered | Reach::Named => Ok(()),
    }
}

pub(crate) fn verdicts(facts: &Facts) -> Vec<Verdict> {
    let CollectionSeen::Present(collection) = &facts.collection else { return Vec::new() };
    let ours = facts.owner.has_made(collection);
    let verdict = |name: &String| match OnCreateName::parse(name) {
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

    pub(crate) fn refuse(refusal: Refusal) -> Self {
        Self { refusals: alloc::vec![refusal], ..Self::default() }
    }
}
