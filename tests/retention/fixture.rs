//! The fixture of dates and the table of policies, as text files read into what is judged.
//! It never judges.

use std::path::PathBuf;

use jiff::Timestamp;
use lifeboat_contract::keep::{
    AtLeast, DatedPoint, Keep, PointSeen, Presence, Question, TimeZone, WhenMachineDeleted, read_dates, read_keep, zone,
};

/// When the fixture is judged.
pub const NOW: &str = "2025-01-15T12:00:00Z";
/// Where its points are made.
pub const ZONE: &str = "Europe/Berlin";

/// The folder of this test.
pub fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/retention"))
}

/// A file of this test's folder.
pub fn text(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).expect("a file of the fixture")
}

/// A time of the fixture's own text.
pub fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// The dates.
pub struct Dates(Vec<DatedPoint>);

impl Dates {
    /// All of the fixture.
    pub fn read() -> Self {
        Self(read_dates(&text("dates.txt")).expect("the fixture is understood"))
    }

    /// As they are judged.
    pub fn seen(&self) -> Vec<PointSeen<'_>> {
        let zone = zone(ZONE).expect("a zone");
        self.0.iter().map(|point| point.seen(point.at(&zone).expect("every time has its offset"))).collect()
    }
}

/// One line of the table of policies.
pub struct Case {
    /// The name of its golden file.
    pub name: String,
    /// As it was written.
    pub asked: String,
    /// Its rules.
    pub keep: Option<Keep>,
    zone: TimeZone,
    machine: Presence,
    deleted_by_hand: bool,
    at_least: AtLeast,
}

impl Case {
    /// The table.
    pub fn all() -> Vec<Self> {
        let table = text("policies.txt");
        table.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(Self::read).collect()
    }

    fn read(line: &str) -> Self {
        let (name, asked) = line.split_once(' ').expect("a name and rules");
        let mut words = asked.split_whitespace();
        let rules = words.next().expect("rules");
        let mut case = Self {
            name: name.to_owned(),
            asked: asked.trim().to_owned(),
            keep: (rules != "-").then(|| read_keep(rules).expect("rules are understood")),
            zone: zone(ZONE).expect("a zone"),
            machine: Presence::Living,
            deleted_by_hand: false,
            at_least: AtLeast::Crash,
        };
        for word in words {
            match word.split_once('=').unwrap_or((word, "")) {
                ("zone", name) => case.zone = zone(name).expect("a zone"),
                ("gone", since) => case.machine = Presence::GoneSince(time(since)),
                ("unknown", "") => case.machine = Presence::Unknown,
                ("by-hand", "") => case.deleted_by_hand = true,
                ("at-least", "application") => case.at_least = AtLeast::Application,
                ("at-least", "crash") => case.at_least = AtLeast::Crash,
                other => panic!("{other:?} means nothing"),
            }
        }
        case
    }

    /// What is asked at a time.
    pub fn question(&self, now: Timestamp) -> Question<'_> {
        Question {
            keep: self.keep.as_ref(),
            zone: &self.zone,
            at_least: self.at_least,
            machine: self.machine,
            when_gone: WhenMachineDeleted::KeepLast,
            deleted_by_hand: self.deleted_by_hand,
            now,
        }
    }

    /// True where the clock decides: how long a machine has been gone.
    pub fn asks_the_clock(&self) -> bool {
        matches!(self.machine, Presence::GoneSince(_))
    }
}
