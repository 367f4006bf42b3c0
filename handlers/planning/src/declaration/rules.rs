//! What a recovery plan says of declarations, with the field names of its document.
//! It never reads a document.

use alloc::collections::BTreeSet;
use alloc::string::String;
use core::fmt;
use jiff::SignedDuration;

use crate::signal::{Class, Origin};

/// A recovery plan, as far as a declaration needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// `metadata.name`.
    pub plan: String,
    /// `spec.from`: the region that may be lost.
    pub from: String,
    /// `spec.to`: the region that takes over.
    pub to: String,
    /// `spec.declaration`.
    pub rules: Rules,
}

/// `spec.declaration`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Who declares.
    pub by: By,
    /// How many persons approve besides the one who asks.
    pub approvals: u8,
    /// What it takes.
    pub evidence: Evidence,
    /// How long after a failover no other one begins.
    pub cooldown: SignedDuration,
    /// What rules may do when the old side cannot be stopped.
    pub fence: Fence,
    /// The most that may be lost.
    pub max_data_loss: SignedDuration,
}

/// `spec.declaration.evidence`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Which of what Azure reports counts.
    pub reported: BTreeSet<Origin>,
    /// Which of what is measured counts.
    pub measured: BTreeSet<Origin>,
    /// How many sources must fail together, each origin one.
    pub at_least: u32,
    /// How long together.
    pub r#for: SignedDuration,
}

/// `spec.declaration.by`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// A person alone: Lifeboat only shows.
    Person,
    /// Lifeboat asks, a person approves.
    Approval,
    /// The rules, when all of them are met.
    Rules,
}

/// `spec.declaration.fence`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fence {
    /// Without a fence nothing by rules.
    Required,
    /// Rules go on without one.
    BestEffort,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            by: By::Approval,
            approvals: 1,
            evidence: Evidence::default(),
            cooldown: SignedDuration::from_hours(6),
            fence: Fence::Required,
            max_data_loss: SignedDuration::from_mins(15),
        }
    }
}

impl Default for Evidence {
    fn default() -> Self {
        Self {
            reported: [Origin::ServiceHealth, Origin::ResourceHealth].into(),
            measured: [Origin::Probe, Origin::MetricAlert].into(),
            at_least: 2,
            r#for: SignedDuration::from_mins(10),
        }
    }
}

impl Evidence {
    /// True when this origin counts for the recovery plan.
    pub fn counts(&self, origin: Origin) -> bool {
        match origin.class() {
            Class::Reported => self.reported.contains(&origin),
            Class::Measured => self.measured.contains(&origin),
        }
    }
}

impl By {
    /// The word that documents have for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Approval => "approval",
            Self::Rules => "rules",
        }
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Fence {
    /// The word that documents have for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::BestEffort => "bestEffort",
        }
    }
}

impl fmt::Display for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
