//! What this crate believes about Azure, and on what ground: the register, a file for each provider.
//!
//! It never decides anything; it is read by people, by tests, and by the gate of assumptions.

mod arm;
mod backup;
mod blobs;
mod bus;
mod disks;
mod event_topic;
mod failover;
mod graph;
mod health;
mod identity;
mod machines;
mod recovery;
mod resources;
mod restore_points;
mod signals;
mod stand_in;

/// How well something is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// Seen in a recording of real traffic.
    Recorded,
    /// In a document or a page of Microsoft's, or in the source of its libraries.
    Documented,
    /// Neither: the safe reading was chosen.
    Assumed,
}

/// One belief.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Short and stable.
    pub id: &'static str,
    /// What is believed.
    pub behaviour: &'static str,
    /// How well it is known.
    pub grade: Grade,
    /// Where from, or why this reading is the safe one. What is recorded names its recordings.
    pub source: &'static str,
}

const fn entry(id: &'static str, grade: Grade, behaviour: &'static str, source: &'static str) -> Entry {
    Entry { id, behaviour, grade, source }
}

/// All of them, by provider.
pub const EVIDENCE: &[&[Entry]] = &[
    arm::ENTRIES,
    resources::ENTRIES,
    machines::ENTRIES,
    disks::ENTRIES,
    restore_points::ENTRIES,
    backup::ENTRIES[0],
    backup::ENTRIES[1],
    backup::ENTRIES[2],
    backup::ENTRIES[3],
    failover::ENTRIES,
    recovery::ENTRIES,
    graph::ENTRIES,
    health::ENTRIES,
    signals::ENTRIES,
    blobs::ENTRIES,
    bus::ENTRIES,
    event_topic::ENTRIES,
    identity::ENTRIES,
    stand_in::ENTRIES[0],
    stand_in::ENTRIES[1],
    stand_in::ENTRIES[2],
    stand_in::ENTRIES[3],
    stand_in::ENTRIES[4],
    stand_in::ENTRIES[5],
    stand_in::ENTRIES[6],
];

/// All of them in a row.
pub fn entries() -> impl Iterator<Item = &'static Entry> {
    EVIDENCE.iter().copied().flatten()
}

/// What a failover rests on and nobody has seen or documented: what it is declared by, and what its steps do.
pub fn assumed_by_failovers() -> impl Iterator<Item = &'static Entry> {
    let rested_on = [
        signals::ENTRIES,
        health::ENTRIES,
        machines::ENTRIES,
        restore_points::ENTRIES,
        failover::ENTRIES,
        recovery::ENTRIES,
    ];
    rested_on.into_iter().flatten().filter(|entry| entry.grade == Grade::Assumed)
}

/// The entry of that id.
pub fn find(id: &str) -> Option<&'static Entry> {
    entries().find(|entry| entry.id == id)
}

#[cfg(test)]
mod tests {
    use super::{Grade, entries};
    use crate::proof::data::folder;
    use std::collections::HashSet;

    #[test]
    fn every_entry_has_an_id_of_its_own_and_a_source() {
        let mut seen = HashSet::new();
        for entry in entries() {
            assert!(seen.insert(entry.id), "{} stands twice", entry.id);
            assert!(!entry.behaviour.is_empty() && !entry.source.is_empty(), "{}", entry.id);
        }
    }

    #[test]
    fn what_is_recorded_names_recordings_that_are_there() {
        let folder = folder();
        for entry in entries().filter(|entry| entry.grade == Grade::Recorded) {
            let words = entry.source.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.')));
            let tapes: Vec<&str> = words.filter(|word| word.ends_with(".jsonl")).collect();
            assert!(!tapes.is_empty(), "{} names no recording", entry.id);
            for tape in tapes {
                let there = folder.as_ref().is_none_or(|folder| folder.join("recordings").join(tape).is_file());
                assert!(there, "{}: {tape} is not there", entry.id);
            }
        }
    }
}
