//! Why a point stays or goes: each reason a value, and all the reasons of a point a set of them.
//! It never decides; the rules put reasons into the set, and the set's roles give the verdict.

use core::fmt;

/// A reason for a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Reason {
    /// Not ours.
    NotOurs,
    /// No policy that could be read says what to keep.
    NoPolicy,
    /// The entry has no rule to keep by.
    NoRules,
    /// Among the newest that `last` counts.
    Last,
    /// The newest of an hour that `hourly` counts.
    Hourly,
    /// The newest of a day that `daily` counts.
    Daily,
    /// The newest of a week that `weekly` counts.
    Weekly,
    /// The newest of a month that `monthly` counts.
    Monthly,
    /// The newest of a year that `yearly` counts.
    Yearly,
    /// Close enough to the newest point for `within`.
    Within,
    /// Fewer than `min` would be left without it.
    Min,
    /// There is no other restorable point of this machine and entry.
    OnlyRestorable,
    /// A disk has no other restorable point.
    LastOfDisk,
    /// The machine has not been gone for long.
    GoneLately,
    /// The newest restorable point of a machine that is gone.
    NewestOfGone,
    /// Its time is in the future.
    Future,
    /// It is being made.
    InProgress,
    /// It is not copied whole.
    NotWhole,
    /// It failed, and is kept as evidence.
    Evidence,
    /// A person holds it.
    Held,
    /// It is locked.
    Locked,
    /// Somebody has access to its content.
    OpenAccess,
    /// Something is being copied from it.
    Copying,
    /// A saga works with it.
    UsedBySaga,
    /// What could stand in the way was not read.
    BarriersUnknown,
    /// It is being deleted already.
    Deleting,
    /// The machine's state is not known.
    MachineUnknown,
    /// People deleted points of this machine and entry by hand.
    DeletedByHand,
    /// Several policies of the same highest priority match the machine.
    EqualPriorities,
    /// No policy matches the machine any more.
    OutOfScope,
    /// The policy that the machine follows only reports.
    MachineReported,
    /// Its region, or the recovery plan that the machine belongs to, has an open incident, or whether it has is not known.
    Incident,
    /// No rule keeps it.
    NoRuleKeeps,
    /// The machine has been gone for so long that only its newest restorable point stays.
    MachineGone,
    /// It failed, and a restorable point has long been made since.
    FailedLongAgo,
    /// It is less consistent than asked.
    LessConsistent,
}

/// What a reason does to a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The point is not ours.
    Foreign,
    /// It keeps the point.
    Keeps,
    /// It stands in the way of the point's end.
    Blocks,
    /// It lets the point go, unless another reason is against it.
    Due,
    /// It is worth telling and decides nothing.
    Note,
}

/// A set of reasons.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Reasons(u64);

impl Reason {
    /// Every reason, in the order in which they are told.
    pub const ALL: [Self; 36] = [
        Self::NotOurs,
        Self::NoPolicy,
        Self::NoRules,
        Self::Last,
        Self::Hourly,
        Self::Daily,
        Self::Weekly,
        Self::Monthly,
        Self::Yearly,
        Self::Within,
        Self::Min,
        Self::OnlyRestorable,
        Self::LastOfDisk,
        Self::GoneLately,
        Self::NewestOfGone,
        Self::Future,
        Self::InProgress,
        Self::NotWhole,
        Self::Evidence,
        Self::Held,
        Self::Locked,
        Self::OpenAccess,
        Self::Copying,
        Self::UsedBySaga,
        Self::BarriersUnknown,
        Self::Deleting,
        Self::MachineUnknown,
        Self::DeletedByHand,
        Self::EqualPriorities,
        Self::OutOfScope,
        Self::MachineReported,
        Self::Incident,
        Self::NoRuleKeeps,
        Self::MachineGone,
        Self::FailedLongAgo,
        Self::LessConsistent,
    ];

    /// What it does to a verdict.
    pub const fn role(self) -> Role {
        match self {
            Self::NotOurs => Role::Foreign,
            Self::NoPolicy
            | Self::NoRules
            | Self::Last
            | Self::Hourly
            | Self::Daily
            | Self::Weekly
            | Self::Monthly
            | Self::Yearly
            | Self::Within
            | Self::Min
            | Self::OnlyRestorable
            | Self::LastOfDisk
            | Self::GoneLately
            | Self::NewestOfGone
            | Self::Future
            | Self::InProgress
            | Self::NotWhole
            | Self::Evidence => Role::Keeps,
            Self::Held
            | Self::Locked
            | Self::OpenAccess
            | Self::Copying
            | Self::UsedBySaga
            | Self::BarriersUnknown
            | Self::Deleting
            | Self::MachineUnknown
            | Self::DeletedByHand
            | Self::EqualPriorities
            | Self::OutOfScope
            | Self::MachineReported
            | Self::Incident => Role::Blocks,
            Self::NoRuleKeeps | Self::MachineGone | Self::FailedLongAgo => Role::Due,
            Self::LessConsistent => Role::Note,
        }
    }

    /// The word for it: what records and programs read. A word once given stays.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NotOurs => "notOurs",
            Self::NoPolicy => "noPolicy",
            Self::NoRules => "noRules",
            Self::Last => "last",
            Self::Hourly => "hourly",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
            Self::Yearly => "yearly",
            Self::Within => "within",
            Self::Min => "min",
            Self::OnlyRestorable => "onlyRestorable",
            Self::LastOfDisk => "lastOfDisk",
            Self::GoneLately => "goneLately",
            Self::NewestOfGone => "newestOfGone",
            Self::Future => "future",
            Self::InProgress => "inProgress",
            Self::NotWhole => "notWhole",
            Self::Evidence => "evidence",
            Self::Held => "held",
            Self::Locked => "locked",
            Self::OpenAccess => "openAccess",
            Self::Copying => "copying",
            Self::UsedBySaga => "usedBySaga",
            Self::BarriersUnknown => "barriersUnknown",
            Self::Deleting => "deleting",
            Self::MachineUnknown => "machineUnknown",
            Self::DeletedByHand => "deletedByHand",
            Self::EqualPriorities => "equalPriorities",
            Self::OutOfScope => "outOfScope",
            Self::MachineReported => "machineReported",
            Self::Incident => "incident",
            Self::NoRuleKeeps => "noRuleKeeps",
            Self::MachineGone => "machineGone",
            Self::FailedLongAgo => "failedLongAgo",
            Self::LessConsistent => "lessConsistent",
        }
    }

    const fn bit(self) -> u64 {
        1 << self as u8
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotOurs => "it is not ours",
            Self::NoPolicy => "no policy that could be read says what to keep",
            Self::NoRules => "the policy has no rule to keep by",
            Self::Last => "last: one of the newest",
            Self::Hourly => "hourly: the newest of its hour",
            Self::Daily => "daily: the newest of its day",
            Self::Weekly => "weekly: the newest of its week",
            Self::Monthly => "monthly: the newest of its month",
            Self::Yearly => "yearly: the newest of its year",
            Self::Within => "within: close enough to the newest point",
            Self::Min => "min: too few would be left without it",
            Self::OnlyRestorable => "it is the only restorable point",
            Self::LastOfDisk => "a disk has no other restorable point",
            Self::GoneLately => "the machine was first seen gone less than 14 days ago",
            Self::NewestOfGone => "it is the newest restorable point of a machine that is gone",
            Self::Future => "its time is in the future",
            Self::InProgress => "it is being made",
            Self::NotWhole => "it is not copied whole",
            Self::Evidence => "it failed, and no restorable point is a week newer",
            Self::Held => "a person holds it",
            Self::Locked => "it is locked",
            Self::OpenAccess => "somebody has access to its content by a signed address",
            Self::Copying => "something is being copied from it",
            Self::UsedBySaga => "an operation under way works with it",
            Self::BarriersUnknown => "holds, locks or uses of it could not be read",
            Self::Deleting => "it is being deleted already",
            Self::MachineUnknown => "the machine's state is not known",
            Self::DeletedByHand => {
                "points were deleted by hand, or may have been before the store was adopted, and fewer than two restorable ones are left"
            }
            Self::EqualPriorities => {
                "several policies of the same highest priority match the machine, and nothing is changed on it"
            }
            Self::OutOfScope => "no policy matches the machine any more, and nothing is changed on it",
            Self::MachineReported => "the policy that the machine follows only reports",
            Self::Incident => {
                "its region or its recovery plan has an open incident, or whether it has could not be read: nothing is deleted"
            }
            Self::NoRuleKeeps => "no rule keeps it",
            Self::MachineGone => "the machine has been gone for 14 days",
            Self::FailedLongAgo => "it failed, and a restorable point is a week newer",
            Self::LessConsistent => "less consistent than asked, which changes nothing here",
        })
    }
}

impl Reasons {
    /// No reason.
    pub const NONE: Self = Self(0);

    /// The same with one more.
    #[must_use]
    pub const fn with(self, reason: Reason) -> Self {
        Self(self.0 | reason.bit())
    }

    /// Adds one.
    pub fn add(&mut self, reason: Reason) {
        self.0 |= reason.bit();
    }

    /// True when it is among them.
    pub const fn has(self, reason: Reason) -> bool {
        self.0 & reason.bit() != 0
    }

    /// True when one of them has the role.
    pub fn any(self, role: Role) -> bool {
        self.0 & mask(role) != 0
    }

    /// True when there is one against the point's end.
    pub fn stays(self) -> bool {
        self.0 & (KEEPS | BLOCKS) != 0
    }

    /// Each of them, in the order of [`Reason::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Reason> {
        Reason::ALL.into_iter().filter(move |reason| self.has(*reason))
    }
}

/// The bits of each role, so that a verdict takes no loop.
const KEEPS: u64 = bits(Role::Keeps);
const BLOCKS: u64 = bits(Role::Blocks);
const DUE: u64 = bits(Role::Due);
const FOREIGN: u64 = bits(Role::Foreign);
const NOTES: u64 = bits(Role::Note);

const fn mask(role: Role) -> u64 {
    match role {
        Role::Keeps => KEEPS,
        Role::Blocks => BLOCKS,
        Role::Due => DUE,
        Role::Foreign => FOREIGN,
        Role::Note => NOTES,
    }
}

const fn bits(role: Role) -> u64 {
    let (mut bits, mut at) = (0, 0);
    while at < Reason::ALL.len() {
        if Reason::ALL[at].role() as u8 == role as u8 {
            bits |= Reason::ALL[at].bit();
        }
        at += 1;
    }
    bits
}

impl FromIterator<Reason> for Reasons {
    fn from_iter<T: IntoIterator<Item = Reason>>(reasons: T) -> Self {
        reasons.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Display for Reasons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, reason) in self.iter().enumerate() {
            if at > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{reason}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Reasons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
