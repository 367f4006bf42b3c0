//! Decides which machines of the estate a sweep has looked at, by what is known of them without reading them.
//! It never decides what is done: a look does, on what it reads. What is not known needs a look.
//!
//! ```text
//! no policy, or equals          no look: the estate's alarm says so
//! look again later, said a look no look before that
//! seen too long ago             nothing is concluded
//! a slot's turn has come        look, where no point of it is known to have succeeded
//! protection not as asked       look
//! ```

use alloc::vec::Vec;
use jiff::Timestamp;

use crate::enforcement;
use crate::facts::vault::{Item, ItemState};
use crate::id::{MachineKey, PointName, SlotName, hash};
use crate::points::SPREAD;
use crate::policy::BackupPolicy;
use crate::schedule::{Around, Slot};
use crate::sweep;

/// The policies of a sweep with what is the same for all machines: the slots around this moment.
#[derive(Clone, Debug)]
pub struct Sweep<'a> {
    policies: Vec<(&'a BackupPolicy, Vec<Rule>)>,
    now: Timestamp,
}

/// A scheduled entry.
#[derive(Clone, Debug)]
struct Rule {
    /// The hash of policy and entry, as names have it.
    rule: alloc::string::String,
    around: Around,
}

/// What is known of a machine.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// Its key.
    pub key: &'a MachineKey,
    /// When it was observed.
    pub seen_at: Timestamp,
    /// When it was created.
    pub created_at: Timestamp,
    /// Slots of its points that succeeded, with the rule they are of; `None` where nothing was ever read.
    pub succeeded: Option<&'a [(alloc::string::String, Slot)]>,
    /// Until then the last look found nothing to do.
    pub look_at: Option<Timestamp>,
    /// Its item in the vault that the policy names, by the vault's list; `None` where the list has none, or was not read.
    pub item: Option<&'a Item>,
    /// The vault policy that it shall have, by its name.
    pub vault_policy: Option<&'a str>,
}

/// Why a machine needs a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A slot's turn has come and no point of it is known to have succeeded.
    Slot,
    /// It is not protected as the policy asks.
    Protection,
}

impl<'a> Sweep<'a> {
    /// Prepares a sweep at this moment.
    pub fn new(policies: &'a [BackupPolicy], now: Timestamp) -> Self {
        let rules = |policy: &BackupPolicy| {
            let scheduled = policy.points.iter().filter_map(|entry| Some((entry, entry.schedule.as_ref()?)));
            scheduled
                .map(|(entry, schedule)| Rule {
                    rule: hash(&[&policy.name, &entry.name]),
                    around: Around::new(schedule, now, SPREAD),
                })
                .collect()
        };
        Self { policies: policies.iter().map(|policy| (policy, rules(policy))).collect(), now }
    }

    /// True when a policy has something that is due without an event: a schedule, or protection.
    pub fn has_work(&self) -> bool {
        self.policies.iter().any(|(policy, rules)| !rules.is_empty() || policy.vault.is_some())
    }

    /// Why the machine, which follows this policy, needs a look now; `None` when it does not.
    pub fn need(&self, policy: &BackupPolicy, known: Known<'_>) -> Option<Need> {
        if known.look_at.is_some_and(|at| at > self.now) || !sweep::still_counts(known.seen_at, self.now) {
            return None;
        }
        let own = |own: &BackupPolicy| core::ptr::eq(own, policy) || own.name == policy.name;
        let (_, rules) = self.policies.iter().find(|(policy, _)| own(policy))?;
        if rules.iter().any(|rule| self.is_due(rule, known)) {
            return Some(Need::Slot);
        }
        let rule = policy.vault.as_ref()?;
        let protected = known.item.is_some_and(|item| is_as_asked(item, known));
        (!rule.placement.is_empty() && !protected).then_some(Need::Protection)
    }

    /// True when the item protects the machine as the policy asks.
    pub fn is_protected(&self, known: Known<'_>) -> bool {
        known.item.is_some_and(|item| is_as_asked(item, known))
    }

    fn is_due(&self, rule: &Rule, known: Known<'_>) -> bool {
        let served = known.succeeded.into_iter().flatten().filter(|(own, _)| *own == rule.rule).map(|(_, slot)| *slot);
        let served = served.max();
        // The usual case: the newest slot has its point, and the next one is still to come.
        if rule.around.newest().is_none_or(|newest| served >= Some(newest)) {
            return false;
        }
        let due = rule.around.due(served, known.created_at, known.key);
        due.is_some_and(|due| due.slot.at() <= self.now && due.is_now(self.now))
    }
}

/// The rule and the slot of a point's name, where it is a scheduled one of ours.
pub fn slot_of(name: &str) -> Option<(alloc::string::String, Slot)> {
    let name = PointName::parse(name)?;
    match name.slot {
        SlotName::At(slot) => Some((name.rule, slot)),
        SlotName::OnCreate => None,
    }
}

/// True when the item protects this machine by the vault policy that it shall have.
fn is_as_asked(item: &Item, known: Known<'_>) -> bool {
    let by_policy = match (known.vault_policy, &item.vault_policy) {
        (Some(wanted), Some(own)) => own.rsplit('/').next().is_some_and(|own| own.eq_ignore_ascii_case(wanted)),
        _ => false,
    };
    let newer = item.newest_point.is_some_and(|at| at >= known.created_at);
    item.state == ItemState::Protected && !item.soft_deleted && newer && by_policy
}

/// The vault and the vault policy that a machine shall have, by their names.
pub fn vault_of<'a>(
    policy: &'a BackupPolicy,
    machine: &'a crate::policy::MachineAttributes,
) -> Option<(&'a str, Option<&'a str>)> {
    let placement = enforcement::placement(policy.vault.as_ref()?, machine)?;
    Some((&placement.vault, enforcement::vault_policy_name(placement, machine)))
}

#[cfg(test)]
mod tests {
    use alloc::string::String;
    use alloc::vec;
    use jiff::SignedDuration;
    use jiff::tz::TimeZone;

    use super::*;
    use crate::policy::*;
    use crate::schedule::{Cron, Days, Field, Schedule};

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn policy(vault: bool) -> BackupPolicy {
        let cron = Cron::new(
            [0].into_iter().collect(),
            [2].into_iter().collect(),
            Days::Every,
            Field::Month.range().collect(),
        );
        let entry = PointEntry {
            name: "daily".into(),
            kind: PointKind::RestorePoint,
            at_least: AtLeast::Crash,
            schedule: Some(Schedule::new(cron.expect("a schedule"), TimeZone::UTC)),
            on_create: None,
            keep: None,
            exclude_disks: None,
            when_machine_deleted: WhenMachineDeleted::KeepLast,
        };
        let placement = Placement {
            location: Location::new("westeurope"),
            vault: "rsv".into(),
            vault_policy_from_tag: None,
            vault_policy: Some("Gold".into()),
        };
        BackupPolicy {
            name: "production".into(),
            mode: Mode::Enforce,
            priority: 0,
            matches: Match::Name(Glob::new("*", Case::Insensitive)),
            rpo: None,
            vault: vault.then(|| VaultRule { placement: vec![placement], on_drift: OnDrift::Report }),
            points: if vault { vec![] } else { vec![entry] },
            limits: Limits::default(),
        }
    }

    fn known<'a>(key: &'a MachineKey, succeeded: Option<&'a [(String, Slot)]>) -> Known<'a> {
        let created_at = at("2026-11-01T00:00:00Z");
        let seen_at = at("2026-11-22T03:00:00Z");
        Known { key, seen_at, created_at, succeeded, look_at: None, item: None, vault_policy: Some("gold") }
    }

    #[test]
    fn a_slot_needs_a_look_from_its_turn_until_its_point_is_known() {
        let (policy, key) = (policy(false), MachineKey::new("v", "/vm"));
        let rule = hash(&["production", "daily"]);
        let slots = |text: &str| vec![(rule.clone(), Slot::parse(text).expect("a slot"))];
        let (before, served) = (slots("20261121T0200Z"), slots("20261122T0200Z"));
        let need = |now: &str, known| Sweep::new(core::slice::from_ref(&policy), at(now)).need(&policy, known);
        assert_eq!(need("2026-11-22T01:59:00Z", known(&key, Some(&before))), None);
        assert_eq!(need("2026-11-22T03:00:00Z", known(&key, Some(&before))), Some(Need::Slot));
        assert_eq!(need("2026-11-22T03:00:00Z", known(&key, Some(&served))), None);
        assert_eq!(need("2026-11-22T03:00:00Z", known(&key, None)), Some(Need::Slot), "nothing was ever read");
        let other = vec![(hash(&["production", "other"]), served[0].1)];
        assert_eq!(need("2026-11-22T03:00:00Z", known(&key, Some(&other))), Some(Need::Slot));
        let later = Known { look_at: Some(at("2026-11-22T03:01:00Z")), ..known(&key, Some(&before)) };
        assert_eq!(need("2026-11-22T03:00:00Z", later), None, "a look has said when");
        assert_eq!(need("2026-11-22T03:01:00Z", later), Some(Need::Slot));
        assert_eq!(need("2026-11-22T04:00:00Z", known(&key, None)), Some(Need::Slot));
        assert_eq!(need("2026-11-22T04:00:01Z", known(&key, None)), None, "seen too long ago");
    }

    #[test]
    fn protection_needs_a_look_until_it_is_as_asked() {
        let (policy, key) = (policy(true), MachineKey::new("v", "/vm"));
        let now = at("2026-11-22T03:00:00Z");
        let sweep = Sweep::new(core::slice::from_ref(&policy), now);
        let item = Item {
            id: "/item".into(),
            state: ItemState::Protected,
            vault_policy: Some("/vaults/rsv/backupPolicies/Gold".into()),
            soft_deleted: false,
            newest_point: Some(now - SignedDuration::from_hours(1)),
        };
        let with = |item: &Item| sweep.need(&policy, Known { item: Some(item), ..known(&key, None) });
        assert_eq!(sweep.need(&policy, known(&key, None)), Some(Need::Protection));
        assert_eq!(with(&item), None);
        for other in [
            Item { state: ItemState::IrPending, ..item.clone() },
            Item { newest_point: None, ..item.clone() },
            Item { newest_point: Some(at("2026-10-01T00:00:00Z")), ..item.clone() },
            Item { soft_deleted: true, ..item.clone() },
            Item { vault_policy: Some("/vaults/rsv/backupPolicies/Silver".into()), ..item.clone() },
        ] {
            assert_eq!(with(&other), Some(Need::Protection), "{other:?}");
        }
    }
}
