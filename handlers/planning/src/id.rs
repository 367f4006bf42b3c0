//! Derived names: what Lifeboat makes is named by what it is for, so that doing it twice is doing it once.
//! It never parses an Azure id; whoever speaks Azure does.
//!
//! ```text
//! group       lifeboat-points-<region>
//! collection  lb-<hash of vmId and machine id>
//! point       lb-<entry>-oncreate-<attempt>-<hash of policy and entry>-<hash of vmId>
//! ```

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;
use sha2::{Digest, Sha256};

/// The longest name that Lifeboat gives: what every point type of Azure takes (restore points and snapshots: 80 characters).
pub const NAME_CHARS_MAX: usize = 80;
/// Hex digits of a name's hashes: 64 bits, so that two of a million machines share one with odds of one to tens of millions,
/// and a shared one is still told apart by the tags of the collection and its source.
const HASH_CHARS: usize = 16;
/// The resource group for points, per subscription and region: not the machine's, because there they would die with it.
pub const POINTS_GROUP_PREFIX: &str = "lifeboat-points-";

/// A short hash over parts; the parts are kept apart, so that `ab`,`c` and `a`,`bc` differ.
pub fn hash(parts: &[&str]) -> String {
    let mut sha = Sha256::new();
    for part in parts {
        sha.update((part.len() as u64).to_be_bytes());
        sha.update(part.as_bytes());
    }
    hex(&sha.finalize())[..HASH_CHARS].to_string()
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
        text
    })
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
    format!("lb-{key}")
}

/// The name of an on-creation restore point, and what is read back from one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnCreateName {
    /// The policy's entry.
    pub entry: String,
    /// 1, 2, …: a failed point keeps its name as evidence, so each attempt has its own.
    pub attempt: u32,
    /// Hash of policy and entry.
    pub rule: String,
    /// Hash of the `vmId`.
    pub machine: String,
}

impl OnCreateName {
    /// The name of one attempt of one entry for one machine.
    pub fn new(policy: &str, entry: &str, vm_id: &str, attempt: u32) -> Self {
        Self {
            entry: entry.to_string(),
            attempt,
            rule: hash(&[policy, entry]),
            machine: hash(&[&vm_id.to_lowercase()]),
        }
    }

    /// Reads a name back; `None` when it is not one of ours.
    pub fn parse(name: &str) -> Option<Self> {
        let rest = name.strip_prefix("lb-")?;
        let (rest, machine) = rest.rsplit_once('-')?;
        let (rest, rule) = rest.rsplit_once('-')?;
        let (rest, attempt) = rest.rsplit_once('-')?;
        let entry = rest.strip_suffix("-oncreate")?;
        let is_hash = |text: &str| text.len() == HASH_CHARS && text.bytes().all(|b| b.is_ascii_hexdigit());
        let attempt = attempt.parse().ok().filter(|n| *n > 0)?;
        (!entry.is_empty() && is_hash(rule) && is_hash(machine)).then(|| Self {
            entry: entry.to_string(),
            attempt,
            rule: rule.to_string(),
            machine: machine.to_string(),
        })
    }

    /// True when both stand for the same slot of the same entry and machine, whatever the attempt.
    pub fn same_slot(&self, other: &Self) -> bool {
        self.rule == other.rule && self.machine == other.machine && self.entry == other.entry
    }
}

impl fmt::Display for OnCreateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lb-{}-oncreate-{}-{}-{}", self.entry, self.attempt, self.rule, self.machine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_as_what_it_was_made_of() {
        let name = OnCreateName::new("production", "daily-2", "6F9619FF-8B86-D011-B42D-00CF4FC964FF", 12);
        assert_eq!(OnCreateName::parse(&name.to_string()), Some(name.clone()));
        assert!(name.to_string().len() <= NAME_CHARS_MAX);
    }

    #[test]
    fn the_longest_entry_and_attempt_still_fit() {
        let name = OnCreateName::new("p", &"e".repeat(20), "v", u32::MAX);
        assert!(name.to_string().len() <= NAME_CHARS_MAX, "{}", name.to_string().len());
    }

    #[test]
    fn names_of_others_are_not_read_as_ours() {
        for name in [
            "",
            "lb",
            "lb-daily-oncreate-1",
            "backup-2026",
            "lb-x-oncreate-0-0123456789abcdef-0123456789abcdef",
            "lb--oncreate-1-0123456789abcdef-0123456789abcdef",
            "lb-x-oncreate-1-0123-0123456789abcdef",
        ] {
            assert_eq!(OnCreateName::parse(name), None, "{name}");
        }
    }

    #[test]
    fn a_machine_made_again_under_its_name_has_another_key() {
        assert_ne!(MachineKey::new("a", "/vm/1"), MachineKey::new("b", "/vm/1"));
        assert_eq!(MachineKey::new("A", "/VM/1"), MachineKey::new("a", "/vm/1"));
    }
}
