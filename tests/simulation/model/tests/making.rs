//! Points begun, protections, backups and other calls: each promise broken once, and kept beside it.
//! They never demand that anything be done.

use super::super::calls::{Purpose, purpose};
use super::*;

const SLOT: Time = T0 + 2 * HOUR;

/// A machine, `change`, and the point of the day's slot at its time.
fn point_after(change: impl FnOnce(&mut Story)) -> Vec<Wrong> {
    let mut story = Story::of(policy());
    story.after(HOUR);
    change(&mut story);
    story.now = story.now.max(SLOT + 60);
    story.make("made", "vm", Slot::At(SLOT));
    story.done()
}

#[test]
fn a_point_of_its_slot_is_as_it_should_be() {
    assert_healthy(&point_after(|_| ()));
}

#[test]
fn no_point_is_made_without_a_policy_that_enforces_it() {
    let other = Policy { name: "other".to_owned(), ..policy() };
    let cases = [
        (What::Policies(Vec::new()), "no policy was in force"),
        (What::Policies(vec![Policy { enforce: false, ..policy() }]), "only reports"),
        (What::Policies(vec![policy(), other]), "equal top priority"),
        (What::Policies(vec![Policy { entries: Vec::new(), ..policy() }]), "has no such entry"),
        (What::Policies(vec![with_entry(|entry| entry.schedule = None)]), "has no schedule"),
        (What::Tagged { vm_id: "vm".to_owned(), env: "test".to_owned() }, "no policy was in force"),
        (What::MachineGone { vm_id: "vm".to_owned() }, "was not there"),
        (What::Stopped { stopped: true }, "all changes were stopped"),
        (What::StoreLost, "the store was lost"),
        (What::PermissionLost { subscription: "s1".to_owned(), lost: true }, "the permission was lost"),
    ];
    for (what, says) in cases {
        assert_wrong(&point_after(|story| story.push(what.clone())), says);
        // What changed a moment ago may not have been seen.
        let recent = point_after(|story| {
            story.now = SLOT + 30;
            story.push(what.clone());
        });
        assert_healthy(&recent);
    }
    assert_healthy(&point_after(|story| story.push(What::PoliciesUnreadable)));
    assert_healthy(&point_after(|story| story.push(What::ClocksApart { apart: true })));
}

#[test]
fn a_machine_that_nobody_knows_gets_no_point() {
    let mut story = Story::of(policy());
    story.after(3 * HOUR).begin("made", "nobody", Slot::At(SLOT));
    assert_wrong(&story.done(), "the machine was not there");
}

#[test]
fn a_slot_has_one_point_until_it_failed_or_is_gone() {
    let second = |change: fn(&mut Story)| {
        let mut story = Story::of(policy());
        story.after(2 * HOUR).begin("first", "vm", Slot::At(SLOT));
        change(story.after(60));
        story.after(60).begin("second", "vm", Slot::At(SLOT));
        story.done()
    };
    assert_wrong(&second(|_| ()), "begun although first stands for the same slot");
    assert_wrong(&second(|story| story.succeed("first")), "begun although first stands for the same slot");
    assert_healthy(&second(|story| story.fail("first")));
    assert_healthy(&second(|story| story.lose("first")));
}

#[test]
fn the_same_request_once_more_makes_nothing() {
    assert_healthy(&point_after(|story| {
        story.now = SLOT + 10;
        story.begin("made", "vm", Slot::At(SLOT));
    }));
}

#[test]
fn an_hour_that_clocks_show_twice_gives_its_slot_once() {
    let policy = with_entry(|entry| entry.schedule = Some(schedule(30, &[2], Zone::Berlin)));
    let mut story = Story::of(policy);
    for (point, slot) in [("first", at(2026, 10, 25, 0, 30)), ("second", at(2026, 10, 25, 1, 30))] {
        story.now = slot + 60;
        story.make(point, "vm", Slot::At(slot));
    }
    assert_wrong(&story.done(), "begun although first stands for the same slot");
}

#[test]
fn slots_are_those_of_the_schedule_and_not_begun_early() {
    let begun = |slot: Time, at: Time| {
        let mut story = Story::of(policy());
        story.after(at - T0).begin("made", "vm", Slot::At(slot));
        story.done()
    };
    assert_wrong(&begun(SLOT + 60, SLOT + HOUR), "the schedule has no such slot");
    assert_wrong(&begun(SLOT, SLOT - 301), "the slot's time had not come");
    assert_healthy(&begun(SLOT, SLOT - 300));
    assert_healthy(&begun(SLOT, SLOT + 24 * HOUR));
    assert_wrong(&begun(SLOT, SLOT + 26 * HOUR), "only the newest is made up");
}

#[test]
fn points_on_creation_are_for_machines_created_while_known() {
    let created = |ago: i64, change: fn(&mut Story)| {
        let mut story = Story::of(policy());
        story.after(3 * DAY).push(What::Swept { expiry: false });
        story.after(HOUR);
        change(&mut story);
        let created = story.now - ago;
        story.machine("new", "prod", created);
        story.after(60).make("made", "new", Slot::OnCreate);
        story.done()
    };
    assert_healthy(&created(60, |_| ()));
    assert_healthy(&created(20 * HOUR, |_| ()));
    assert_wrong(&created(30 * HOUR, |_| ()), "before the time that the window reaches back to");
    let asks_nothing = with_entry(|entry| entry.on_create_within = None);
    let mut story = Story::of(asks_nothing);
    story.after(DAY).machine("new", "prod", T0 + DAY);
    story.after(60).make("made", "new", Slot::OnCreate);
    assert_wrong(&story.done(), "asks for no point on creation");
}

#[test]
fn a_machine_that_has_one_of_the_entry_gets_none_on_creation() {
    let mut story = Story::of(policy());
    story.after(HOUR).machine("new", "prod", T0 + HOUR);
    story.after(HOUR + 60).make("scheduled", "new", Slot::At(SLOT));
    story.after(60).begin("soon-after", "new", Slot::OnCreate);
    assert_healthy(&story.done());
    story.after(60).fail("soon-after");
    story.after(HOUR).begin("again", "new", Slot::OnCreate);
    assert_wrong(&story.done(), "although scheduled of the same entry is restorable");
}

#[test]
fn a_policy_that_comes_later_makes_no_points_on_creation_for_old_machines() {
    let mut story = Story { events: Vec::new(), now: T0 };
    story.push(What::Policies(Vec::new()));
    story.machine("vm", "prod", T0 - HOUR);
    story.after(5 * DAY).push(What::Swept { expiry: false });
    story.after(HOUR).push(What::Policies(vec![policy()]));
    story.after(60).make("made", "vm", Slot::OnCreate);
    assert_wrong(&story.done(), "before the time that the window reaches back to");
}

fn with_vault() -> Policy {
    Policy { vault: Some(("vault".to_owned(), "daily".to_owned())), ..policy() }
}

#[test]
fn protection_is_for_machines_whose_policy_names_the_vault() {
    let mut story = Story::of(with_vault());
    story.after(HOUR).protect("vm", Hand::Lifeboat);
    story.after(60).push(What::BackupBegun { vm_id: "vm".to_owned(), by: Hand::Lifeboat });
    assert_healthy(&story.done());
    let mut story = Story::of(policy());
    story.after(HOUR).protect("vm", Hand::Lifeboat);
    assert_wrong(&story.done(), "names no such vault");
    let mut story = Story::of(Policy { enforce: false, ..with_vault() });
    story.after(HOUR).protect("vm", Hand::Lifeboat);
    assert_wrong(&story.done(), "only reports");
}

#[test]
fn what_a_person_stopped_is_left_alone() {
    let story = |by: Hand| {
        let mut story = Story::of(with_vault());
        story.protect("vm", Hand::Person);
        story.after(HOUR).push(What::ProtectionStopped { vm_id: "vm".to_owned(), by: Hand::Person });
        story.after(HOUR).protect("vm", by);
        story.done()
    };
    assert_wrong(&story(Hand::Lifeboat), "a person had stopped its protection");
    assert_healthy(&story(Hand::Person));
    // A person's word ends it: asking for the same once more is nobody's harm.
    let mut story = Story::of(with_vault());
    story.push(What::ProtectionStopped { vm_id: "vm".to_owned(), by: Hand::Person });
    story.after(HOUR).protect("vm", Hand::Person);
    story.after(HOUR).protect("vm", Hand::Lifeboat);
    assert_healthy(&story.done());
    let mut story = Story::of(with_vault());
    story.protect("vm", Hand::Person);
    story.push(What::ProtectionStopped { vm_id: "vm".to_owned(), by: Hand::Lifeboat });
    assert_wrong(&story.done(), "stopped by Lifeboat");
}

#[test]
fn one_machine_has_one_vault() {
    let mut story = Story::of(with_vault());
    story.push(What::Protected { vm_id: "vm".to_owned(), vault: "elsewhere".to_owned(), by: Hand::Person });
    story.after(HOUR).protect("vm", Hand::Lifeboat);
    assert_wrong(&story.done(), "another vault protects it");
}

#[test]
fn no_more_protections_are_begun_in_a_day_than_allowed() {
    let story = |count: usize| {
        let mut story = Story::of(with_vault());
        for machine in 0..count {
            story.machine(&format!("vm-{machine}"), "prod", T0 - DAY);
        }
        for machine in 0..count {
            story.after(60).protect(&format!("vm-{machine}"), Hand::Lifeboat);
            story.protect(&format!("vm-{machine}"), Hand::Lifeboat);
        }
        story.done()
    };
    assert_healthy(&story(5));
    assert_wrong(&story(6), "6 protections begun in 24 hours");
}

#[test]
fn only_the_first_backup_is_lifeboats() {
    let mut story = Story::of(with_vault());
    let backup = || What::BackupBegun { vm_id: "vm".to_owned(), by: Hand::Lifeboat };
    story.push(backup());
    assert_wrong(&story.done(), "nothing protects it");
    let mut story = Story::of(with_vault());
    story.protect("vm", Hand::Lifeboat);
    story.push(backup());
    story.after(HOUR).push(What::VaultPoint { vm_id: "vm".to_owned() });
    story.after(HOUR).push(backup());
    assert_wrong(&story.done(), "only the first backup");
}

#[test]
fn only_the_calls_of_the_list_change_anything() {
    let group = "/subscriptions/s1/resourceGroups/lifeboat-points-westeurope";
    let compute = format!("{group}/providers/Microsoft.Compute");
    let item = "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/v/backupFabrics/Azure\
                /protectionContainers/c/protectedItems/i";
    let known = [
        (format!("PUT {group}?api-version=2021-04-01"), Purpose::Change),
        (format!("PUT https://management.azure.com{compute}/restorePointCollections/c"), Purpose::Change),
        (format!("PUT {compute}/snapshots/s"), Purpose::Change),
        (
            format!("PATCH {compute}/restorePointCollections/c/providers/Microsoft.Resources/tags/default"),
            Purpose::Hold,
        ),
        (format!("PUT {item}"), Purpose::Change),
        (format!("POST {item}/backup"), Purpose::Change),
        (
            "POST /subscriptions/s1/providers/Microsoft.RecoveryServices/locations/westeurope/backupStatus".to_owned(),
            Purpose::Read,
        ),
        ("POST /providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01".to_owned(), Purpose::Read),
    ];
    for (call, expected) in known {
        assert_eq!(purpose(&call), Some(expected), "{call}");
    }
    let unknown = [
        format!("DELETE {group}"),
        format!("DELETE {compute}/restorePointCollections/c"),
        format!("PATCH {group}"),
        format!("PUT {item}/extra"),
        "PUT /subscriptions/s1/resourceGroups/lifeboat-points-".to_owned(),
        "PUT /subscriptions/s1/resourceGroups/production".to_owned(),
        "PUT /subscriptions/s1/resourceGroups/production/providers/Microsoft.Compute/snapshots/s".to_owned(),
        format!("POST {item}/stop"),
        "nonsense".to_owned(),
    ];
    for call in unknown {
        assert_eq!(purpose(&call), None, "{call}");
    }
}

#[test]
fn other_changes_are_judged_by_when_they_were_made() {
    let call = |path: &str| What::OtherChange { call: format!("PUT /subscriptions/s1/resourceGroups/{path}") };
    let story = |policies: Policy, before: Option<What>, path: &str| {
        let mut story = Story::of(policies);
        before.into_iter().for_each(|what| story.push(what));
        story.after(HOUR).push(call(path));
        story.done()
    };
    let group = "lifeboat-points-westeurope";
    assert_healthy(&story(policy(), None, group));
    assert_wrong(&story(policy(), None, "production"), "a change for which there is no reason");
    assert_wrong(&story(policy(), Some(What::StoreLost), group), "the store was lost");
    assert_wrong(&story(Policy { enforce: false, ..policy() }, None, group), "no policy enforces anything");
}
