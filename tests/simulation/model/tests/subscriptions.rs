//! Several subscriptions, of which one is lost: what may not be done there may be done elsewhere, and is demanded elsewhere.
//! They never ask what the rules of keeping say: the machines and points of both subscriptions are alike.

use super::ends::{fifth_day, keeping};
use super::*;

const SLOT: Time = T0 + 2 * HOUR;

/// A machine `other` in the second subscription, with five older points like those of `vm`, `other-1` to `other-5`.
fn add_other(story: &mut Story) {
    story.machine_in("s2", "other", "prod", T0 - 365 * DAY);
    for day in 1..=5 {
        story.past(&format!("other-{day}"), "other", T0 - 5 * DAY + day * DAY + 2 * HOUR - DAY);
    }
}

/// Both machines with their points, the first subscription lost for so many seconds, and then `change`.
fn lost_for(seconds: i64, policy: Policy, change: impl FnOnce(&mut Story)) -> Vec<Wrong> {
    let mut story = Story::with_points(policy);
    add_other(&mut story);
    story.now = SLOT + 60 - seconds;
    story.permission_lost("S1", true);
    story.now = SLOT + 60;
    change(&mut story);
    story.done()
}

fn with_vault() -> Policy {
    Policy { vault: Some(("vault".to_owned(), "daily".to_owned())), ..keeping() }
}

/// What is in force, and what is then done to a machine of the lost subscription or another.
type Act<'a> = (Policy, &'a dyn Fn(&mut Story, bool));

#[test]
fn nothing_is_changed_in_the_lost_subscription_and_all_goes_on_in_another() {
    let backup = |vm_id: &str| What::BackupBegun { vm_id: vm_id.to_owned(), by: Hand::Lifeboat };
    let changes: [Act<'_>; 4] = [
        (policy(), &|story, lost| story.delete(if lost { "old-1" } else { "other-1" })),
        (policy(), &|story, lost| story.make("made", if lost { "vm" } else { "other" }, Slot::At(SLOT))),
        (with_vault(), &|story, lost| story.protect(if lost { "vm" } else { "other" }, Hand::Lifeboat)),
        (with_vault(), &|story, lost| {
            let vm_id = if lost { "vm" } else { "other" };
            story.protect(vm_id, Hand::Person);
            story.push(backup(vm_id));
        }),
    ];
    for (policy, change) in changes {
        assert_wrong(&lost_for(100, policy.clone(), |story| change(story, true)), "the permission was lost");
        assert_healthy(&lost_for(100, policy.clone(), |story| change(story, false)));
        assert_healthy(&lost_for(30, policy.clone(), |story| change(story, true)));
        let back = lost_for(100, policy, |story| {
            story.permission_lost("s1", false);
            change(story, true);
        });
        assert_healthy(&back);
    }
}

#[test]
fn points_stay_in_the_subscription_that_their_machine_left() {
    let moved = |point: &str| {
        let mut story = Story::with_points(policy());
        story.after(HOUR).machine_in("s2", "vm", "prod", T0 - 365 * DAY);
        story.permission_lost("s1", true);
        story.now = SLOT + 60;
        match point {
            "made" => story.make(point, "vm", Slot::At(SLOT)),
            _ => story.delete(point),
        }
        story.done()
    };
    assert_healthy(&moved("made"));
    assert_wrong(&moved("old-1"), "the permission was lost");
}

#[test]
fn calls_that_name_no_machine_are_judged_by_the_subscription_in_their_path() {
    let story = |lost: &[&str], subscription: &str| {
        let mut story = Story::of(policy());
        story.machine_in("s2", "other", "prod", T0 - 365 * DAY);
        lost.iter().for_each(|subscription| story.permission_lost(subscription, true));
        let call = format!("PUT /subscriptions/{subscription}/resourceGroups/lifeboat-points-westeurope?api-version=1");
        story.after(HOUR).push(What::OtherChange { call });
        story.done()
    };
    assert_wrong(&story(&["s1"], "S1"), "the permission was lost");
    assert_healthy(&story(&["s1"], "s2"));
    assert_healthy(&story(&["s1"], "s10"));
    // A subscription without machines, where a vault may be: there is a reason while one with machines is not lost.
    assert_healthy(&story(&["s1"], "s3"));
    assert_wrong(&story(&["s3"], "s3"), "the permission was lost");
    assert_wrong(&story(&["s1", "s2"], "s3"), "the permission was lost");
}

#[test]
fn the_newest_slot_is_demanded_of_machines_in_subscriptions_that_are_not_lost() {
    let end = |changes: &[(&str, bool)]| {
        let change = |story: &mut Story| {
            story.machine_in("s2", "other", "prod", T0 - 365 * DAY);
            for (subscription, lost) in changes {
                story.after(60).permission_lost(subscription, *lost);
            }
        };
        fifth_day(keeping(), change, false).calm(9)
    };
    assert_wrong(&end(&[("s1", true)]), "machine other, entry daily: no point for slot");
    assert_wrong(&end(&[("s2", true)]), "machine vm, entry daily: no point for slot");
    assert_healthy(&end(&[("s1", true), ("s2", true)]));
    assert_eq!(end(&[("s1", true), ("s1", false)]).len(), 2);
}

#[test]
fn due_points_are_demanded_where_nothing_is_lost_within_limits_that_count_everywhere() {
    let due = |policy: Policy, lost: bool| {
        let change = |story: &mut Story| {
            add_other(story);
            story.permission_lost("s1", lost);
        };
        let wrongs = fifth_day(policy, change, false).calm(9);
        let due = wrongs.iter().filter(|wrong| wrong.contains("due since"));
        let of_other = due.clone().filter(|wrong| wrong.contains("of machine other")).count();
        (due.count(), of_other)
    };
    assert_eq!(due(policy(), false), (4, 2));
    assert_eq!(due(policy(), true), (2, 2));
    // Four are due, and the limits let three go: which ones is open, but not that nothing went.
    assert_eq!(due(Policy { expire_per_day: 2, ..policy() }, true), (1, 1));
    // The share of what can be read is one of five: with it and the turnover two of the four.
    let share = Policy { expire_per_day: 0, expire_percent_per_day: 30, ..policy() };
    assert_eq!((due(share.clone(), false).0, due(share, true)), (4, (1, 1)));
}

#[test]
fn a_begun_deletion_is_finished_where_nothing_is_lost() {
    let end = |lost: &str| {
        let change = |story: &mut Story| {
            add_other(story);
            for point in ["old-1", "other-1"] {
                story.push(What::DeleteSent { point: point.to_owned(), by: Hand::Lifeboat, accepted: true });
            }
            story.permission_lost(lost, true);
        };
        let wrongs = fifth_day(policy(), change, false).calm(9);
        wrongs.into_iter().filter(|wrong| wrong.contains("its deletion is not finished")).collect::<Vec<Wrong>>()
    };
    assert_wrong(&end("s1"), "point other-1");
    assert_wrong(&end("s2"), "point old-1");
}

#[test]
fn protection_is_demanded_elsewhere_unless_the_limit_may_be_used_up_by_the_lost_ones() {
    let end = |waiting: i64| {
        let change = |story: &mut Story| {
            story.machine_in("s2", "other", "prod", T0 - 365 * DAY);
            for machine in 1..waiting {
                story.machine(&format!("vm-{machine}"), "prod", T0 - 365 * DAY);
            }
            story.permission_lost("s1", true);
        };
        let wrongs = fifth_day(with_vault(), change, false).calm(9);
        wrongs.into_iter().filter(|wrong| wrong.contains("not protected")).collect::<Vec<Wrong>>()
    };
    assert_wrong(&end(4), "machine other: not protected in vault vault");
    assert_healthy(&end(5));
}

#[test]
fn a_gone_machine_may_have_moved_to_where_nothing_can_be_read() {
    let due = |lost: bool| {
        let mut story = Story::with_points(policy());
        story.machine_in("s2", "other", "prod", T0 - 365 * DAY);
        story.push(What::MachineGone { vm_id: "vm".to_owned() });
        story.permission_lost("s2", lost);
        story.after(17 * DAY);
        for _ in 0..5 {
            story.after(HOUR).sweep();
        }
        story.calm(5).iter().filter(|wrong| wrong.contains("due since")).count()
    };
    assert_eq!((due(false), due(true)), (4, 0));
}

#[test]
fn a_breaker_opens_by_what_could_be_read() {
    let story = |lost: &str| {
        let mut story = super::deleting::many_deletions((5, 0), 6);
        story.permission_lost(lost, true);
        story.after(HOUR).sweep();
        story.permission_lost(lost, false);
        story.after(2 * DAY).delete("old-7");
        story.after(60).delete("old-8");
        story.done()
    };
    assert_wrong(&story("s2"), "the breaker had opened");
    assert_healthy(&story("s1"));
}
