//! Derived names: what Lifeboat makes is named by what it is for, so that doing it twice is doing it once.
//! It never parses an Azure id; whoever speaks Azure does.
//!
//! ```text
//! group       lifeboat-points-<region>
//! collection  lb-<hash of vmId and machine id>
//! point       lb-<entry>-<slot>-<attempt>-<hash of policy and entry>-<hash of what it is of>
//! slot        oncreate | yyyymmddthhmmz, in UTC
//! ```

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;
use sha2::{Digest, Sha256};

use crate::schedule::Slot;

/// The longest name that Lifeboat gives: what every point type of Azure takes (restore points and snapshots: 80 characters).
pub const NAME_CHARS_MAX: usize = 80;
/// Hex digits of a name's hashes: 64 bits, so that two of a million machines share one with odds of one to tens of millions,
/// and a shared one is still told apart by the tags of the collection and its source.
const HASH_CHARS: usize = 16;
/// The resource group for points, per subscription and region: not the machine's, because there they would die with it.
pub const POINTS_GROUP_PREFIX: &str = "lifeboat-points-";
/// What the name of a collection begins with.
const COLLECTION_PREFIX: &str = "lb-";
/// What stands for the slot in the name of a point on creation: one word, because hyphens part the fields.
const ON_CREATE_IN_NAMES: &str = "oncreate";

/// A short hash over parts; the parts are kept apart, so that `ab`,`c` and `a`,`bc` differ.
pub fn hash(parts: &[&str]) -> String {
    let mut sha = Sha256::new();
    for part in parts {
        sha.update((part.len() as u64).to_be_bytes());
        sha.update(part.as_bytes());
    }
    // Two digits a byte: the rest of the hash need not be spelt.
    hex(&sha.finalize()[..HASH_CHARS / 2])
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let mut text = String::with_capacity(bytes.len() * 2);
    text.extend(digits.map(|digit| char::from(DIGITS[usize::from(digit)])));
    text
}

/// What one machine is told apart by: its `vmId` and its ARM id, both without regard to case.
///
/// A machine made again under the same name has another `vmId`; a moved one keeps its `vmId` under another id and gets a
/// collection of its own, because a collection's source is fixed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MachineKey(String);

impl MachineKey {
    /// The key of the machine with this `vmId` under this ARM id.
    pub fn new(vm_id: &str, machine_id: &str) -> Self {
        Self(hash(&[&vm_id.to_lowercase(), &machine_id.to_lowercase()]))
    }

    /// The key in the name of a machine's collection; `None` when it is not a name of ours.
    pub fn of_collection(name: &str) -> Option<Self> {
        let text = name.strip_prefix(COLLECTION_PREFIX)?;
        let is_key = text.len() == HASH_CHARS && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        is_key.then(|| Self(text.to_string()))
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MachineKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of the points' resource group of a region.
pub fn points_group(region: &str) -> String {
    format!("{POINTS_GROUP_PREFIX}{}", region.to_lowercase())
}

/// The name of a machine's restore point collection.
pub fn collection(key: &MachineKey) -> String {
    format!("{COLLECTION_PREFIX}{key}")
}

/// What a point's name says its source is: for a restore point, which is of a whole machine, a hash of its `vmId`.
///
/// Region and machine need not be told apart further: a machine's collection does that.
pub fn machine_source(vm_id: &str) -> String {
    hash(&[&vm_id.to_lowercase()])
}

/// What a point's name says its source is where the point is of one disk and lies in this region: a snapshot, or a copy of one.
pub fn disk_source(vm_id: &str, disk: &str, region: &str) -> String {
    hash(&[&vm_id.to_lowercase(), &disk.to_lowercase(), &region.to_lowercase()])
}

/// What a point stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SlotName {
    /// The creation of its machine.
    OnCreate,
    /// A moment of its entry's schedule.
    At(Slot),
}

/// The name of a point, and what is read back from one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointName {
    /// The policy's entry.
    pub entry: String,
    /// What it stands for.
    pub slot: SlotName,
    /// 1, 2, …: a failed point keeps its name as evidence, so each attempt has its own.
    pub attempt: u32,
    /// Hash of policy and entry.
    pub rule: String,
    /// Hash of what it is of: [`machine_source`] or [`disk_source`].
    pub source: String,
}

impl PointName {
    /// The name of one attempt at one slot of one entry for one source.
    pub fn new(policy: &str, entry: &str, slot: SlotName, source: String, attempt: u32) -> Self {
        Self { entry: entry.to_string(), slot, attempt, rule: hash(&[policy, entry]), source }
    }

    /// The name of one attempt at the point that a new machine gets.
    pub fn on_create(policy: &str, entry: &str, vm_id: &str, attempt: u32) -> Self {
        Self::new(policy, entry, SlotName::OnCreate, machine_source(vm_id), attempt)
    }

    /// The name of one attempt at a scheduled restore point of a machine.
    pub fn scheduled(policy: &str, entry: &str, slot: Slot, vm_id: &str, attempt: u32) -> Self {
        Self::new(policy, entry, SlotName::At(slot), machine_source(vm_id), attempt)
    }

    /// Reads a name back; `None` when it is not one of ours. What is read spells itself as it was written.
    pub fn parse(name: &str) -> Option<Self> {
        let rest = name.strip_prefix("lb-")?;
        let (rest, source) = rest.rsplit_once('-')?;
        let (rest, rule) = rest.rsplit_once('-')?;
        let (rest, attempt) = rest.rsplit_once('-')?;
        let (entry, slot) = rest.rsplit_once('-')?;
        let slot = SlotName::parse_in_name(slot)?;
        let is_hash = |text: &str| text.len() == HASH_CHARS && text.bytes().all(|b| b.is_ascii_hexdigit());
        // A sign or a zero in front would be a second spelling of one attempt.
        let attempt = attempt.starts_with(|c| matches!(c, '1'..='9')).then(|| attempt.parse().ok())??;
        (!entry.is_empty() && is_hash(rule) && is_hash(source)).then(|| Self {
            entry: entry.to_string(),
            slot,
            attempt,
            rule: rule.to_string(),
            source: source.to_string(),
        })
    }

    /// True when both stand for the same slot of the same entry and source, whatever the attempt.
    pub fn same_slot(&self, other: &Self) -> bool {
        self.slot == other.slot && self.same_entry(other)
    }

    /// True when both are of the same entry and source, whatever the slot and the attempt.
    pub fn same_entry(&self, other: &Self) -> bool {
        self.rule == other.rule && self.source == other.source && self.entry == other.entry
    }
}

impl SlotName {
    fn parse_in_name(text: &str) -> Option<Self> {
        match text {
            ON_CREATE_IN_NAMES => Some(Self::OnCreate),
            _ => Slot::parse_in_name(text).map(Self::At),
        }
    }
}

/// As it is said to people: `on-create`, `20261122T0200Z`.
impl fmt::Display for SlotName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OnCreate => f.write_str("on-create"),
            Self::At(slot) => slot.fmt(f),
        }
    }
}

impl fmt::Display for PointName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lb-{}-", self.entry)?;
        match self.slot {
            SlotName::OnCreate => f.write_str(ON_CREATE_IN_NAMES)?,
            SlotName::At(slot) => slot.in_name().fmt(f)?,
        }
        write!(f, "-{}-{}-{}", self.attempt, self.rule, self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VM_ID: &str = "6F9619FF-8B86-D011-B42D-00CF4FC964FF";
    /// The longest entry name that a policy may have (`contract`).
    const LONGEST_ENTRY: &str = "eeeeeeeeeeeeeeeeeeee";

    fn slot(text: &str) -> Slot {
        Slot::parse(text).unwrap()
    }

    #[test]
    fn a_name_reads_back_as_what_it_was_made_of() {
        for name in [
            PointName::on_create("production", "daily-2", VM_ID, 12),
            PointName::scheduled("production", "daily-2", slot("20261122T0200Z"), VM_ID, 1),
            PointName::new("p", "oncreate", SlotName::OnCreate, disk_source(VM_ID, "/disk", "westeurope"), 3),
            PointName::scheduled("p", "20261122t0200z-1", slot("20261122T0200Z"), VM_ID, 1),
        ] {
            assert_eq!(PointName::parse(&name.to_string()), Some(name.clone()));
            assert!(name.to_string().len() <= NAME_CHARS_MAX);
        }
    }

    #[test]
    fn names_that_earlier_releases_gave_are_given_and_read_unchanged() {
        let name = PointName::on_create("production", "daily", VM_ID, 1).to_string();
        assert_eq!(name, "lb-daily-oncreate-1-f6182477310afaa0-0e8f0a2edd49a905");
        assert_eq!(PointName::parse(&name).map(|name| name.slot), Some(SlotName::OnCreate));
    }

    #[test]
    fn a_scheduled_point_says_its_slot_in_utc() {
        let name = PointName::scheduled("production", "daily", slot("20261122T0200Z"), VM_ID, 2);
        assert!(name.to_string().starts_with("lb-daily-20261122t0200z-2-"), "{name}");
        assert_eq!(name.slot.to_string(), "20261122T0200Z");
    }

    #[test]
    fn the_longest_entry_and_attempt_still_fit() {
        // Ten million attempts at one slot are more than any bound on attempts lets through.
        let name = PointName::scheduled("p", LONGEST_ENTRY, slot("20261122T0200Z"), "v", 9_999_999);
        assert_eq!(name.to_string().len(), NAME_CHARS_MAX);
        let name = PointName::on_create("p", LONGEST_ENTRY, "v", u32::MAX);
        assert!(name.to_string().len() <= NAME_CHARS_MAX, "{}", name.to_string().len());
    }

    #[test]
    fn one_slot_is_told_from_another_and_not_by_its_attempt() {
        let name = |slot: SlotName, attempt| PointName::new("p", "e", slot, machine_source("v"), attempt);
        let at = |text| SlotName::At(slot(text));
        let first = name(at("20261122T0200Z"), 1);
        assert!(first.same_slot(&name(at("20261122T0200Z"), 2)));
        assert!(!first.same_slot(&name(at("20261122T0201Z"), 1)));
        assert!(!first.same_slot(&name(SlotName::OnCreate, 1)));
        assert!(first.same_entry(&name(SlotName::OnCreate, 1)));
    }

    #[test]
    fn a_disk_has_a_source_of_its_own_in_each_region() {
        let here = disk_source("v", "/disks/OS", "westeurope");
        assert_eq!(here, disk_source("V", "/DISKS/os", "WestEurope"));
        for other in [
            machine_source("v"),
            disk_source("v", "/disks/os", "northeurope"),
            disk_source("w", "/disks/os", "westeurope"),
        ] {
            assert_ne!(here, other);
        }
    }

    #[test]
    fn names_of_others_are_not_read_as_ours() {
        for name in [
            "",
            "lb",
            "lb-daily-oncreate-1",
            "backup-2026",
            "lb-x-oncreate-0-0123456789abcdef-0123456789abcdef",
            "lb-x-oncreate-+1-0123456789abcdef-0123456789abcdef",
            "lb-x-oncreate-01-0123456789abcdef-0123456789abcdef",
            "lb--oncreate-1-0123456789abcdef-0123456789abcdef",
            "lb-x-oncreate-1-0123-0123456789abcdef",
            "lb-x-20261122T0200Z-1-0123456789abcdef-0123456789abcdef",
            "lb-x-20261322t0200z-1-0123456789abcdef-0123456789abcdef",
            "lb-x-weekly-1-0123456789abcdef-0123456789abcdef",
            "lb-20261122t0200z-1-0123456789abcdef-0123456789abcdef",
        ] {
            assert_eq!(PointName::parse(name), None, "{name}");
        }
    }

    #[test]
    fn a_machine_made_again_under_its_name_has_another_key() {
        assert_ne!(MachineKey::new("a", "/vm/1"), MachineKey::new("b", "/vm/1"));
        assert_eq!(MachineKey::new("A", "/VM/1"), MachineKey::new("a", "/vm/1"));
    }
}
