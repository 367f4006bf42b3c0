//! What `lifeboat keep` reads: rules of keeping, and points as lines of text. And the verdicts' own words, passed on.
//! It never decides which points stay; `planning::retention` does, and it never reads a file.

mod dates;
mod rules;

pub use dates::{DATES_MAX, DatedPoint, DatesProblem, LineFault, When, read_dates};
pub use rules::{EntryRules, RulesProblem, entries_of_rules, read_keep, zone};

pub use jiff::tz::TimeZone;
pub use lifeboat_planning::policy::{AtLeast, PointKind, WhenMachineDeleted};
pub use lifeboat_planning::retention::{
    Barrier, Keep, Kind, Ownership, PointSeen, Presence, Question, Reason, Reasons, State, Verdict, due_oldest_first,
    verdicts,
};
