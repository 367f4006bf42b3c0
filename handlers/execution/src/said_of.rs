//! Says in the words of the plan document why an effect is planned and what is done instead of what was asked first.
//! It never decides: what planning decided is read off the effect.

use std::fmt;

use lifeboat_contract::plan::{PlannedStep, RefusalSaid};
use lifeboat_planning::Plan;
use lifeboat_planning::effect::{Consistency, CrashBecause, Effect, PointEffect, ProtectionEffect};
use lifeboat_planning::id::PointName;

/// What is said of a machine that needs nothing where planning has no word for it: it is protected in its vault.
pub const PROTECTED: &str = "the machine is protected in its vault as its policy says";

/// Why an effect is planned.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Because {
    /// What a point is made in is not there.
    Ground,
    /// A slot wants a point.
    Wanted { entry: String, slot: String, late: bool, missed: usize },
    /// The vault does not list the machine yet.
    NotListed,
    /// No vault protects it.
    NotProtected,
    /// Its item has no point yet.
    NoPointYet,
    /// No rule keeps the point.
    NothingKeeps,
}

/// What is done instead of what was asked for first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Instead {
    /// A crash-consistent point.
    Crash(CrashBecause),
    /// Snapshots, disk by disk.
    NotAtomic { disks: usize },
}

/// The steps of a plan.
pub fn steps(effects: &[Effect], plan: &Plan) -> Vec<PlannedStep> {
    let step = |effect: &Effect| PlannedStep {
        key: effect.key(),
        what: effect.to_string(),
        why: because(effect, plan).to_string(),
        instead: instead(effect).map(|instead| instead.to_string()),
    };
    effects.iter().map(step).collect()
}

/// What a plan refuses.
pub fn refusals(plan: &Plan) -> Vec<RefusalSaid> {
    let said = plan.refusals.iter();
    said.map(|refusal| RefusalSaid { why: refusal.to_string(), needs_person: refusal.alarms() }).collect()
}

fn because(effect: &Effect, plan: &Plan) -> Because {
    let wanted = |entry: String, slot: String| Because::Wanted { entry, slot, late: plan.late, missed: plan.missed };
    match effect {
        Effect::Point(PointEffect::EnsureGroup { .. } | PointEffect::EnsureCollection { .. }) => Because::Ground,
        Effect::Point(PointEffect::CreateRestorePoint { point, .. }) => match PointName::parse(point) {
            Some(name) => wanted(name.entry, name.slot.to_string()),
            None => wanted(String::new(), String::new()),
        },
        Effect::Point(PointEffect::CreateSnapshot { tags, .. }) => wanted(tags.entry.clone(), tags.slot.clone()),
        Effect::Point(PointEffect::ExpireRestorePoint { .. } | PointEffect::ExpireSnapshot { .. }) => {
            Because::NothingKeeps
        }
        Effect::Protection(ProtectionEffect::Discover { .. }) => Because::NotListed,
        Effect::Protection(ProtectionEffect::Enable { .. }) => Because::NotProtected,
        Effect::Protection(ProtectionEffect::BackUp { .. }) => Because::NoPointYet,
    }
}

fn instead(effect: &Effect) -> Option<Instead> {
    match effect {
        Effect::Point(PointEffect::CreateRestorePoint { consistency: Consistency::Crash(because), .. }) => {
            Some(Instead::Crash(*because))
        }
        Effect::Point(PointEffect::CreateSnapshot { tags, .. }) if tags.of_disks > 1 => {
            Some(Instead::NotAtomic { disks: tags.of_disks })
        }
        Effect::Point(
            PointEffect::CreateRestorePoint { consistency: Consistency::Application, .. }
            | PointEffect::CreateSnapshot { .. }
            | PointEffect::EnsureGroup { .. }
            | PointEffect::EnsureCollection { .. }
            | PointEffect::ExpireRestorePoint { .. }
            | PointEffect::ExpireSnapshot { .. },
        )
        | Effect::Protection(_) => None,
    }
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ground => f.write_str("the point is made in it, and it is not there"),
            Self::Wanted { entry, slot, late, missed } => {
                write!(f, "`{entry}` wants a point for {slot}")?;
                if *late {
                    f.write_str(", which is late")?;
                }
                match missed {
                    0 => Ok(()),
                    1 => f.write_str("; 1 slot before it was missed"),
                    more => write!(f, "; {more} slots before it were missed"),
                }
            }
            Self::NotListed => f.write_str("the vault does not list the machine yet"),
            Self::NotProtected => f.write_str("no vault protects the machine"),
            Self::NoPointYet => f.write_str("the vault has no point of it yet"),
            Self::NothingKeeps => f.write_str("no rule keeps it"),
        }
    }
}

impl fmt::Display for Instead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crash(because) => write!(f, "crash-consistent instead of application-consistent: {because}"),
            Self::NotAtomic { disks } => write!(f, "{disks} snapshots, one a disk, that are not of one moment"),
        }
    }
}
