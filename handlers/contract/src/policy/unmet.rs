//! What a policy asks for and can never have, or hardly: said with the arithmetic.
//! It never finds any of it; whoever judges does.

use jiff::SignedDuration;
use lifeboat_planning::policy::PointKind;
use std::fmt;

use super::problem::{First, Weight, quoted};

/// What a policy asks for and can never have, or hardly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unmet {
    /// More points than Azure holds.
    TooManyPoints {
        /// Of which kind.
        kind: PointKind,
        /// How many Azure holds.
        most: u64,
        /// What each entry of this kind comes to.
        shares: Vec<Share>,
    },
    /// A rule that asks for more points in a time than the schedule makes.
    FinerThanSchedule {
        /// The rule.
        rule: Rule,
        /// The shortest time from one slot to the next.
        gap: SignedDuration,
    },
    /// Points are further apart than the RPO allows.
    RpoBelowGap {
        /// The longest time from one point to the next.
        gap: SignedDuration,
        /// Between all points, not only between some.
        always: bool,
        /// Backups in a vault, whose times are not ours, may fill it.
        vault: bool,
    },
    /// An RPO where nothing makes points again and again.
    RpoWithoutSchedule,
    /// Points come, and none ever goes.
    NothingExpires {
        /// Of which kind.
        kind: PointKind,
        /// How many Azure holds.
        most: u64,
        /// After so many days there are so many.
        days: u64,
    },
    /// More restore points in an hour than Azure makes of a machine.
    TooOften {
        /// How many the schedule asks for.
        slots: usize,
        /// How many Azure makes.
        most: usize,
    },
    /// A consistency that this kind never has.
    NeverConsistent(PointKind),
    /// Two policies of one priority for the very same machines: both would leave them alone.
    SameMatch {
        /// The other policy's name.
        policy: String,
        /// Where it is.
        first: First,
        /// The priority of both.
        priority: i32,
    },
}

/// What an entry's rules come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The entry's name.
    pub entry: String,
    /// Each rule with the points that it keeps beyond those of the finer ones.
    pub parts: Vec<(Rule, u64)>,
}

/// A rule of `keep`, from the finest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// The newest.
    Last,
    /// All within a time.
    Within,
    /// One an hour.
    Hourly,
    /// One a day.
    Daily,
    /// One a week.
    Weekly,
    /// One a month.
    Monthly,
    /// One a year.
    Yearly,
    /// The floor under the others, where it is higher than all of them.
    Min,
}

impl Unmet {
    /// How much it weighs.
    pub fn weight(&self) -> Weight {
        match self {
            Self::NothingExpires { .. } => Weight::Warning,
            Self::RpoBelowGap { always, vault, .. } if !always || *vault => Weight::Warning,
            _ => Weight::Error,
        }
    }
}

impl Share {
    /// How many points.
    pub fn total(&self) -> u64 {
        self.parts.iter().map(|(_, count)| count).sum()
    }
}

impl Rule {
    /// The field's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Last => "last",
            Self::Within => "within",
            Self::Hourly => "hourly",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
            Self::Yearly => "yearly",
            Self::Min => "min",
        }
    }
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyPoints { kind, most, shares } => {
                let total: u64 = shares.iter().map(Share::total).sum();
                write!(f, "this keeps at least {total} {}, and Azure holds {most}: ", each(*kind))?;
                sum(f, shares)
            }
            Self::FinerThanSchedule { rule, gap } => {
                write!(f, "`{}` is finer than the schedule, whose slots are {} apart or more", rule.name(), Time(*gap))
            }
            Self::RpoBelowGap { gap, always, vault } => {
                let how_far = if *always { "are" } else { "are up to" };
                write!(f, "the points of the schedule {how_far} {} apart", Time(*gap))?;
                f.write_str(if *vault { ", which only the vault's own backups could make up for" } else { "" })
            }
            Self::RpoWithoutSchedule => {
                f.write_str("no entry has a schedule and there is no vault: points only grow older")
            }
            Self::NothingExpires { kind, most, days } => {
                write!(f, "there is no `keep`: every point stays, and the {most} {} that Azure holds ", each(*kind))?;
                write!(f, "are there after {days} day{}", if *days == 1 { "" } else { "s" })
            }
            Self::TooOften { slots, most } => {
                write!(
                    f,
                    "the schedule has {slots} slots in an hour, and Azure makes {most} restore points of a machine"
                )
            }
            Self::NeverConsistent(kind) => match kind {
                PointKind::RestorePoint => f.write_str("a restore point never has this consistency"),
                PointKind::Snapshot => {
                    f.write_str("a snapshot is made without the guest and is crash-consistent at most")
                }
            },
            Self::SameMatch { policy, first, priority } => write!(
                f,
                "the policy `{}` ({first}) is for the same machines with the same priority {priority}: they would be left alone",
                quoted(policy)
            ),
        }
    }
}

/// `7 daily + 9 more monthly`, for several entries with their names.
fn sum(f: &mut fmt::Formatter<'_>, shares: &[Share]) -> fmt::Result {
    for (i, share) in shares.iter().enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        if shares.len() > 1 {
            write!(f, "`{}` ", quoted(&share.entry))?;
        }
        for (i, (rule, count)) in share.parts.iter().enumerate() {
            match i {
                0 => write!(f, "{count} {}", rule.name())?,
                _ => write!(f, " + {count} more {}", rule.name())?,
            }
        }
    }
    Ok(())
}

fn each(kind: PointKind) -> &'static str {
    match kind {
        PointKind::RestorePoint => "restore points of a machine",
        PointKind::Snapshot => "snapshots of a disk",
    }
}

/// A time as people write it, in the largest unit in which it is whole.
pub struct Time(pub SignedDuration);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.0.as_mins();
        match (minutes % (24 * 60), minutes % 60) {
            // A day is called so only where there are several: `24h` is how an RPO is written.
            (0, _) if minutes > 24 * 60 => write!(f, "{}d", minutes / (24 * 60)),
            (_, 0) => write!(f, "{}h", minutes / 60),
            _ => write!(f, "{minutes}m"),
        }
    }
}
