//! What is missing at the end of a calm, and what nobody can demand there.
//! They never judge what was done on the way.

use super::*;

/// A machine with points of four days, and the fifth day's sweeps every hour until nine; `change` happens at midnight.
pub fn fifth_day(policy: Policy, change: impl FnOnce(&mut Story), points: bool) -> Story {
    let mut story = Story::with_points(policy);
    change(&mut story);
    for hour in 1..=9 {
        story.now = T0 + hour * HOUR;
        if hour == 2 && points {
            story.make("today", "vm", Slot::At(T0 + 2 * HOUR));
        }
        story.now = T0 + hour * HOUR + 300;
        story.sweep();
    }
    story
}

/// Keeps all of them, so that nothing is due.
pub fn keeping() -> Policy {
    with_entry(|entry| entry.keep = Some(Keep { daily: Some(30), ..Keep::default() }))
}

#[test]
fn the_newest_slot_has_its_point() {
    assert_healthy(&fifth_day(keeping(), |_| (), true).calm(9));
    assert_wrong(&fifth_day(keeping(), |_| (), false).calm(9), "no point for slot 2026-01-05T02:00:00Z");
    // A calm that is too short, or none, demands nothing.
    assert_healthy(&fifth_day(keeping(), |_| (), false).calm(1));
}

#[test]
fn three_failed_attempts_use_a_slot_up() {
    let attempts = |count: i64| {
        let mut story = fifth_day(keeping(), |_| (), false);
        for attempt in 0..count {
            let point = format!("try-{attempt}");
            story.begin(&point, "vm", Slot::At(T0 + 2 * HOUR));
            story.after(60).fail(&point);
        }
        story.calm(9)
    };
    assert_wrong(&attempts(2), "no point for slot");
    assert_healthy(&attempts(3));
}

#[test]
fn nobody_demands_points_where_nothing_may_be_changed() {
    let other = Policy { name: "other".to_owned(), ..keeping() };
    for what in [
        What::Stopped { stopped: true },
        What::StoreLost,
        What::Policies(vec![keeping(), other]),
        What::Policies(vec![Policy { enforce: false, ..keeping() }]),
        What::MachineGone { vm_id: "vm".to_owned() },
        What::Tagged { vm_id: "vm".to_owned(), env: "test".to_owned() },
    ] {
        assert_healthy(&fifth_day(keeping(), |story| story.push(what.clone()), false).calm(9));
    }
}

#[test]
fn application_consistent_points_are_demanded_where_the_agent_is_ready() {
    let application = Policy { entries: vec![Entry { crash: false, ..keeping().entries[0].clone() }], ..keeping() };
    let ready = |agent: bool| {
        let change = |story: &mut Story| {
            let (vm_id, name, env) = ("vm".to_owned(), "vm".to_owned(), "prod".to_owned());
            let subscription = "s1".to_owned();
            story.push(What::Machine { vm_id, subscription, name, env, created: T0 - 365 * DAY, disks: 1, agent });
        };
        fifth_day(application.clone(), change, false).calm(9)
    };
    assert_wrong(&ready(true), "no point for slot");
    assert_healthy(&ready(false));
}

#[test]
fn a_new_machine_has_its_point_on_creation() {
    let created = |made: bool, entry: fn(&mut Entry)| {
        let new = |story: &mut Story| {
            story.after(60).machine("new", "prod", T0 + 60);
            if made {
                story.after(60).make("first", "new", Slot::OnCreate);
            }
        };
        let mut policy = keeping();
        entry(&mut policy.entries[0]);
        fifth_day(policy, new, true).calm(9)
    };
    let weekly =
        |entry: &mut Entry| entry.schedule = Some(Schedule { weekdays: vec![6], ..schedule(0, &[2], Zone::Utc) });
    let missing = created(false, weekly);
    assert!(missing.iter().any(|wrong| wrong.contains("machine new") && wrong.contains("no point on creation")));
    assert!(!created(true, weekly).iter().any(|wrong| wrong.contains("on creation")));
    assert!(!created(false, |entry| entry.on_create_within = None).iter().any(|wrong| wrong.contains("on creation")));
}

#[test]
fn nobody_demands_a_point_on_creation_after_an_outage_longer_than_its_window() {
    let calm_after = |hours: i64| {
        let weekly =
            |entry: &mut Entry| entry.schedule = Some(Schedule { weekdays: vec![6], ..schedule(0, &[2], Zone::Utc) });
        let mut story = Story::of(with_entry(weekly));
        story.after(60).machine("new", "prod", T0 + 60);
        story.after((hours + 9) * HOUR).sweep();
        story.calm(9)
    };
    assert_wrong(&calm_after(20), "no point on creation");
    assert_healthy(&calm_after(30));
}

#[test]
fn a_machine_is_protected_unless_a_person_stopped_it_or_the_limit_did() {
    let with_vault = Policy { vault: Some(("vault".to_owned(), "daily".to_owned())), ..keeping() };
    let end = |change: fn(&mut Story)| fifth_day(with_vault.clone(), change, true).calm(9);
    assert_wrong(&end(|_| ()), "not protected in vault vault");
    assert_healthy(&end(|story| story.protect("vm", Hand::Lifeboat)));
    assert_healthy(&end(|story| story.push(What::ProtectionStopped { vm_id: "vm".to_owned(), by: Hand::Person })));
    let used_up = end(|story| {
        for machine in 0..5 {
            let vm_id = format!("other-{machine}");
            story.machine(&vm_id, "prod", T0 - DAY);
            story.protect(&vm_id, Hand::Lifeboat);
            story.push(What::MachineGone { vm_id });
        }
    });
    assert_healthy(&used_up);
}

#[test]
fn due_points_go_within_the_calm() {
    let wrongs = fifth_day(policy(), |_| (), true).calm(9);
    assert_eq!(wrongs.len(), 3, "{wrongs:#?}");
    assert!(wrongs.iter().all(|wrong| wrong.contains("due since 2026-01-05T07:05:00Z")), "{wrongs:#?}");
    let gone = fifth_day(
        policy(),
        |story| {
            story.now = T0;
            story.delete("old-1");
            story.delete("old-2");
        },
        false,
    );
    assert!(!gone.calm(9).iter().any(|wrong| wrong.contains("due since")));
}

#[test]
fn nobody_demands_a_deletion_that_something_stands_in_the_way_of() {
    let due = |policy: Policy, change: fn(&mut Story)| {
        let wrongs = fifth_day(policy, change, true).calm(9);
        wrongs.iter().filter(|wrong| wrong.contains("due since")).count()
    };
    assert_eq!(due(policy(), |story| story.push(What::Held { point: "old-1".to_owned(), held: true })), 2);
    assert_eq!(due(policy(), |story| story.push(What::Locked { point: "old-1".to_owned(), locked: true })), 2);
    let refused = |story: &mut Story| {
        story.push(What::DeleteSent { point: "old-2".to_owned(), by: Hand::Lifeboat, accepted: false });
    };
    assert_eq!(due(policy(), refused), 2);
    // Three are due, and the limits let two go: one of each day goes in any case.
    let limited = Policy { expire_per_day: 1, ..policy() };
    assert_eq!(due(limited.clone(), |_| ()), 1);
    assert_eq!(due(limited, |story| story.delete("old-1")), 0);
    assert_eq!(due(policy(), |story| story.push(What::StoreBack)), 0);
    assert_eq!(due(policy(), |story| story.push(What::PoliciesUnreadable)), 0);
    assert_eq!(due(policy(), |story| story.push(What::ClocksApart { apart: true })), 0);
    assert_eq!(due(policy(), |story| story.push(What::Tagged { vm_id: "vm".to_owned(), env: "test".to_owned() })), 0);
}

#[test]
fn nobody_demands_deletions_of_a_breaker_that_may_be_open() {
    let end = |closed: bool| {
        let mut story = super::deleting::many_deletions((5, 0), 6);
        story.after(2 * DAY);
        if closed {
            story.push(What::BreakerClosed { policy: "production".to_owned() });
        }
        for _ in 0..5 {
            story.after(HOUR).sweep();
        }
        let wrongs = story.calm(5);
        wrongs.iter().filter(|wrong| wrong.contains("nothing went in 24 hours")).count()
    };
    assert_eq!((end(false), end(true)), (0, 1));
}

#[test]
fn a_point_exactly_as_old_as_within_may_go_and_need_not() {
    let within = Keep { within: Some(3 * DAY), ..Keep::default() };
    let policy = with_entry(|entry| entry.keep = Some(within));
    let wrongs = fifth_day(policy.clone(), |_| (), false).calm(9);
    let demanded: Vec<&Wrong> = wrongs.iter().filter(|wrong| wrong.contains("due since")).collect();
    assert!(matches!(demanded[..], [one] if one.contains("old-1")), "{demanded:#?}");
    let mut story = Story::with_points(policy);
    story.after(HOUR).delete("old-2");
    assert_healthy(&story.done());
}

#[test]
fn a_deletion_that_was_begun_is_finished() {
    let end = |finished: bool| {
        let change = |story: &mut Story| {
            story.push(What::DeleteSent { point: "old-1".to_owned(), by: Hand::Lifeboat, accepted: true });
            if finished {
                story.after(5).lose("old-1");
            }
        };
        let wrongs = fifth_day(policy(), change, true).calm(9);
        wrongs.iter().filter(|wrong| wrong.contains("its deletion is not finished")).count()
    };
    assert_eq!((end(false), end(true)), (1, 0));
}

#[test]
fn of_a_gone_machine_all_but_the_newest_go_in_the_end() {
    let gone_for = |days: i64| {
        let mut story = Story::with_points(policy());
        story.push(What::MachineGone { vm_id: "vm".to_owned() });
        story.after(days * DAY);
        for _ in 0..5 {
            story.after(HOUR).sweep();
        }
        story.calm(5)
    };
    assert_eq!(gone_for(17).len(), 4);
    assert_healthy(&gone_for(14));
}

#[test]
fn an_empty_history_is_healthy_and_one_that_goes_back_is_not() {
    assert_healthy(&judge(&[], T0));
    let mut story = Story::of(keeping());
    story.after(-1).sweep();
    assert_wrong(&story.done(), "goes back in time");
}
