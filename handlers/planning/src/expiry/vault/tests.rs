//! What is said of points in a vault, state by state.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use jiff::Timestamp;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn point(name: &str, day: &str) -> VaultPoint {
    VaultPoint {
        name: name.to_string(),
        at: Some(at(&[day, "T02:00:00Z"].concat())),
        expires_at: None,
        rule: None,
        soft_deleted: false,
        tiers: Tiers { vault: true, ..Tiers::default() },
    }
}

fn kept(count: i64, unit: &str) -> Option<KeptFor> {
    Some(KeptFor { count, unit: unit.to_string() })
}

fn item() -> VaultItem {
    let retention = Retention {
        daily: kept(30, "Days"),
        weekly: kept(12, "Weeks"),
        yearly: kept(1, "Years"),
        snapshot_days: Some(2),
        ..Retention::default()
    };
    VaultItem {
        id: String::new(),
        state: ItemState::Protected,
        deleted: None,
        deleted_kept_days: Some(14),
        immutability: Immutability::Off,
        policy: VaultPolicyRead::Read { name: "DefaultPolicy".to_string(), retention },
        machine_created_at: Some(at("2026-01-01T00:00:00Z")),
        points: vec![point("1", "2026-11-20"), point("2", "2026-11-21")],
    }
}

fn words(item: &VaultItem, index: usize) -> Vec<&'static str> {
    let verdicts = verdicts(item, at("2026-11-22T10:00:00Z"));
    verdicts[index].reasons.iter().map(VaultReason::word).collect()
}

#[test]
fn a_protected_items_points_go_by_the_vault_policy_or_with_the_item() {
    let item = item();
    assert_eq!(words(&item, 0), ["notOurs", "byVaultPolicy", "deletedWithItem"]);
    assert_eq!(words(&item, 1), ["notOurs", "byVaultPolicy", "newest", "deletedWithItem"]);
    let verdicts = verdicts(&item, at("2026-11-22T10:00:00Z"));
    assert!(verdicts.iter().all(|verdict| verdict.kind == Kind::Foreign));
    let said: Vec<String> = verdicts[0].reasons.iter().map(ToString::to_string).collect();
    assert_eq!(
        said[1],
        "vault policy DefaultPolicy keeps daily points for 30 days, weekly points for 12 weeks, yearly points for 1 years"
    );
    assert!(said[2].ends_with("gone for good after 14 days"), "{}", said[2]);
}

#[test]
fn azures_own_day_for_a_point_is_told_with_its_rule_and_whether_it_has_passed() {
    let mut item = item();
    item.points[0].expires_at = Some(at("2026-12-22T00:00:00Z"));
    item.points[0].rule = Some("On-Demand".to_string());
    assert_eq!(words(&item, 0), ["notOurs", "goesAt", "byVaultPolicy", "deletedWithItem"]);
    item.points[0].expires_at = Some(at("2026-11-21T00:00:00Z"));
    assert_eq!(words(&item, 0), ["notOurs", "outlived", "byVaultPolicy", "deletedWithItem"]);
}

#[test]
fn nothing_goes_by_time_while_protection_is_stopped_or_paused_and_suspended_points_do() {
    for (state, own) in [
        (ItemState::ProtectionStopped, vec!["stopped"]),
        (ItemState::ProtectionPaused, vec!["paused"]),
        (ItemState::Other, vec!["stateUnknown"]),
        (ItemState::BackupsSuspended, vec!["suspended", "byVaultPolicy"]),
        (ItemState::ProtectionError, vec!["byVaultPolicy"]),
    ] {
        let mut item = VaultItem { state, ..item() };
        item.points[0].expires_at = None;
        let expected = [vec!["notOurs"], own, vec!["deletedWithItem"]].concat();
        assert_eq!(words(&item, 0), expected, "{state:?}");
    }
}

#[test]
fn a_deleted_item_says_when_all_of_it_is_gone_whichever_time_azure_tells() {
    for (told, days, ends) in [
        (Some("2026-11-20T00:00:00Z"), Some(14), Some("2026-12-04T00:00:00Z")),
        (Some("2026-12-04T00:00:00Z"), Some(14), Some("2026-12-04T00:00:00Z")),
        (Some("2026-11-20T00:00:00Z"), None, None),
        (None, Some(14), None),
    ] {
        let mut item = VaultItem { state: ItemState::ProtectionStopped, deleted: Some(told.map(at)), ..item() };
        item.deleted_kept_days = days;
        item.points[0].soft_deleted = true;
        let verdicts = verdicts(&item, at("2026-11-22T10:00:00Z"));
        let expected = vec![VaultReason::NotOurs, VaultReason::ItemDeleted { ends_at: ends.map(at) }];
        assert_eq!(verdicts[0].reasons, expected, "{told:?} {days:?}");
    }
}

#[test]
fn an_immutable_vault_is_told_in_place_of_an_early_end_and_one_not_read_is_not_taken_for_either() {
    for immutability in [Immutability::Unlocked, Immutability::Locked, Immutability::Unknown] {
        let item = VaultItem { immutability, ..item() };
        assert_eq!(words(&item, 0), ["notOurs", "byVaultPolicy", "immutable"]);
    }
}

#[test]
fn tiers_are_told_where_they_matter() {
    let with = |snapshot, vault, archive| {
        let mut item = item();
        item.points[0].tiers = Tiers { snapshot, vault, archive };
        words(&item, 0)[1..3].to_vec()
    };
    assert_eq!(with(true, true, false), ["snapshotBeside", "byVaultPolicy"]);
    assert_eq!(with(true, false, false), ["snapshotAlone", "byVaultPolicy"]);
    assert_eq!(with(false, false, true), ["archived", "byVaultPolicy"]);
    assert_eq!(with(false, false, false), ["inNoTier", "byVaultPolicy"]);
}

#[test]
fn a_point_of_a_predecessor_and_one_that_was_let_go_say_so() {
    let mut item = item();
    item.machine_created_at = Some(at("2026-11-20T12:00:00Z"));
    item.points[0].soft_deleted = true;
    assert_eq!(words(&item, 0), ["notOurs", "olderThanMachine", "pointDeleted", "byVaultPolicy", "deletedWithItem"]);
    assert!(!words(&item, 1).contains(&"olderThanMachine"));
}

#[test]
fn a_vault_policy_that_is_not_there_or_not_read_keeps_its_own_words() {
    let none = VaultItem { policy: VaultPolicyRead::NotSet, ..item() };
    assert_eq!(words(&none, 0)[1], "noVaultPolicy");
    let policy = VaultPolicyRead::Unknown(UnknownBecause::NotPermitted);
    let unread = VaultItem { policy, ..item() };
    assert_eq!(words(&unread, 0)[1], "vaultPolicyUnknown");
    let policy = VaultPolicyRead::Read { name: "odd".to_string(), retention: Retention::default() };
    let odd = VaultItem { policy, ..item() };
    let said = verdicts(&odd, at("2026-11-22T10:00:00Z"))[0].reasons[1].to_string();
    assert_eq!(said, "vault policy odd has no rule that we know to keep by");
}
