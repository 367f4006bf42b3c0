//! Backup policies as decided on: what a document asks for, as types that cannot be wrong.
//! It never reads a document; `contract` does.

mod canonical;
mod choice;
mod glob;
mod matching;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use jiff::SignedDuration;

use crate::retention::Keep;
use crate::schedule::Schedule;

pub use choice::{Choice, choose};
pub use glob::{Case, Glob};
pub use matching::{Conforming, Location, MachineAttributes, Match, Os, Reach, asks_age, matches, reach};

/// True when one of the policies asks how old a machine's newest point is.
pub fn ask_age(policies: &[BackupPolicy]) -> bool {
    policies.iter().any(|policy| asks_age(&policy.matches))
}

/// A backup policy: which machines, and what they shall have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupPolicy {
    /// The document's `metadata.name`; part of every point's derived name.
    pub name: String,
    /// Whether effects are performed or only told.
    pub mode: Mode,
    /// The policy with the highest is followed; a machine with two of the same highest is left alone.
    pub priority: i32,
    /// The machines it covers.
    pub matches: Match,
    /// The newest conforming point of a machine may be so old; older is an alarm.
    pub rpo: Option<SignedDuration>,
    /// Protection in an Azure Backup vault.
    pub vault: Option<VaultRule>,
    /// Lifeboat's own points.
    pub points: Vec<PointEntry>,
    /// Bounds of what is done in a day.
    pub limits: Limits,
}

/// Whether a policy's effects are performed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Plan and tell, change nothing.
    #[default]
    Report,
    /// Plan and perform.
    Enforce,
}

/// Protection in Azure Backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultRule {
    /// Where; the first that is for the machine's region counts.
    pub placement: Vec<Placement>,
    /// What is done where somebody changed it.
    pub on_drift: OnDrift,
}

/// The vault for one region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The machines' region; the vault's is the same (azure.md C.1).
    pub location: Location,
    /// The vault's name, in the machine's subscription.
    pub vault: String,
    /// The machine's tag whose value names the vault policy, asked first.
    pub vault_policy_from_tag: Option<String>,
    /// The vault policy where no tag names one.
    pub vault_policy: Option<String>,
}

/// What is done where somebody stopped protection or changed the vault policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnDrift {
    /// It is told.
    #[default]
    Report,
}

/// One entry of `points`: what is made, when, and how long it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointEntry {
    /// The entry's name: unique in its policy, short, part of Azure names.
    pub name: String,
    /// What it makes.
    pub kind: PointKind,
    /// The least consistency that a point needs to conform.
    pub at_least: AtLeast,
    /// When points are made. Its zone's days, weeks, months and years are those of `keep`; without a schedule, UTC's.
    pub schedule: Option<Schedule>,
    /// The point that a new machine gets.
    pub on_create: Option<OnCreate>,
    /// How long points are kept; without it, for ever.
    pub keep: Option<Keep>,
    /// Data disks that are left out.
    pub exclude_disks: Option<DiskMatch>,
    /// What becomes of the points when their machine is gone.
    pub when_machine_deleted: WhenMachineDeleted,
}

/// What an entry makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PointKind {
    /// A VM restore point: atomic over the machine's disks.
    RestorePoint,
    /// An incremental snapshot of each disk: a set, which is not atomic.
    Snapshot,
}

/// A consistency that is asked for, from least to most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum AtLeast {
    /// As after a power cut.
    #[default]
    Crash,
    /// File systems are whole.
    FileSystem,
    /// Applications wrote out what they held.
    Application,
}

/// A point for each machine that is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnCreate {
    /// How long before the last completed sweep a machine may have been created and still count as new.
    pub within: SignedDuration,
}

/// Which data disks; never the OS disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiskMatch {
    /// Those with such a tag.
    Tag {
        /// The tag's key.
        key: String,
        /// What its value looks like.
        value: Glob,
    },
}

/// What becomes of the points of a machine that is gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenMachineDeleted {
    /// All stay for two weeks; then all but the newest restorable one are due.
    #[default]
    KeepLast,
}

/// Bounds beyond normal turnover, over any 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Points that may expire.
    pub expire_per_day: u32,
    /// Points that may expire, as a share of the policy's points; the larger of both counts.
    pub expire_percent_per_day: u32,
    /// Machines whose protection in a vault may be begun.
    pub new_protections_per_day: u32,
}

impl Default for Limits {
    /// What the design's example asks for.
    fn default() -> Self {
        Self { expire_per_day: 200, expire_percent_per_day: 10, new_protections_per_day: 500 }
    }
}

impl PointEntry {
    /// The entry as bytes to be hashed: the same for two entries exactly when they ask for the same.
    ///
    /// Lengths stand before texts, so that no name can pass for a field; a later field is added at the end, only where set, so
    /// that entries without it keep their digest. What is kept is not in it: keeping longer makes no other points.
    pub fn canonical(&self) -> String {
        let kind = match self.kind {
            PointKind::RestorePoint => "restorePoint",
            PointKind::Snapshot => "snapshot",
        };
        let mut text = format!("point/1\nname:{}:{}\nkind:{kind}\n", self.name.len(), self.name);
        if let Some(on_create) = self.on_create {
            text.push_str(&format!("onCreate.within:{}s\n", on_create.within.as_secs()));
        }
        match self.at_least {
            AtLeast::Crash => {}
            AtLeast::FileSystem => text.push_str("consistency.atLeast:fileSystem\n"),
            AtLeast::Application => text.push_str("consistency.atLeast:application\n"),
        }
        if let Some(DiskMatch::Tag { key, value }) = &self.exclude_disks {
            // Azure takes keys without regard to case, and so do we.
            let (key, value) = (key.to_lowercase(), value.pattern());
            text.push_str(&format!("excludeDisks.tag:{}:{key}:{}:{value}\n", key.len(), value.len()));
        }
        if let Some(schedule) = &self.schedule {
            text.push_str(&format!("schedule:{schedule}\n"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canonical_form_of_an_entry_is_fixed_and_tells_entries_apart() {
        let entry = |name: &str, hours: Option<i64>| PointEntry {
            name: name.into(),
            kind: PointKind::RestorePoint,
            at_least: AtLeast::Crash,
            schedule: None,
            keep: None,
            on_create: hours.map(|h| OnCreate { within: SignedDuration::from_hours(h) }),
            exclude_disks: None,
            when_machine_deleted: WhenMachineDeleted::KeepLast,
        };
        assert_eq!(
            entry("daily", Some(24)).canonical(),
            "point/1\nname:5:daily\nkind:restorePoint\nonCreate.within:86400s\n"
        );
        let base = entry("daily", Some(24));
        let tag = DiskMatch::Tag { key: "backup".into(), value: Glob::new("no", Case::Sensitive) };
        for other in [
            entry("daily", None),
            entry("daily", Some(23)),
            entry("weekly", Some(24)),
            PointEntry { kind: PointKind::Snapshot, ..base.clone() },
            PointEntry { at_least: AtLeast::Application, ..base.clone() },
            PointEntry { exclude_disks: Some(tag), ..base.clone() },
        ] {
            assert_ne!(other.canonical(), base.canonical(), "{other:?}");
        }
        let keep = Some(Keep { daily: 7, ..Keep::default() });
        assert_eq!(PointEntry { keep, ..base.clone() }.canonical(), base.canonical(), "what is kept is no part of it");
    }
}
