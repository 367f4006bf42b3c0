//! Deletions: each promise about what must not go, broken once, and kept beside it.
//! They never demand that anything be done.

use super::*;

/// A week of restorable points and the day's deletion of the oldest; `change` happens before it.
fn deletion_of(point: &str, change: impl FnOnce(&mut Story)) -> Vec<Wrong> {
    let mut story = Story::with_points(policy());
    story.after(3 * HOUR);
    change(&mut story);
    story.delete(point);
    story.done()
}

#[test]
fn points_that_all_rules_release_may_go() {
    assert_healthy(&deletion_of("old-1", |_| ()));
    assert_healthy(&deletion_of("old-1", |story| story.delete("old-2")));
}

#[test]
fn a_point_that_a_rule_keeps_must_stay() {
    assert_wrong(&deletion_of("old-3", |_| ()), "deleted although keep rules held it: daily");
    assert_wrong(&deletion_of("old-5", |_| ()), "deleted although keep rules held it: daily");
}

#[test]
fn within_counts_from_the_newest_point_and_not_from_the_clock() {
    let within = Keep { within: Some(2 * DAY), ..Keep::default() };
    let mut story = Story::with_points(with_entry(|entry| entry.keep = Some(within)));
    story.after(60 * DAY).delete("old-2");
    assert_healthy(&story.done());
    story.delete("old-4");
    assert_wrong(&story.done(), "keep rules held it: within");
}

#[test]
fn a_decision_may_rest_on_the_points_of_ten_minutes_ago() {
    let lose_two = |seconds: i64| {
        deletion_of("old-2", |story| {
            story.lose("old-4");
            story.lose("old-5");
            story.after(seconds);
        })
    };
    assert_healthy(&lose_two(300));
    assert_wrong(&lose_two(700), "keep rules held it: daily");
}

#[test]
fn without_keep_or_with_an_empty_one_nothing_goes() {
    for keep in [None, Some(Keep::default())] {
        let mut story = Story::with_points(with_entry(|entry| entry.keep = keep));
        story.after(HOUR).delete("old-1");
        assert_wrong(&story.done(), "its entry says nothing of what may go");
    }
}

#[test]
fn the_last_restorable_ones_stay() {
    let min = Keep { last: Some(1), min: Some(3), ..Keep::default() };
    let mut story = Story::with_points(with_entry(|entry| entry.keep = Some(min)));
    story.after(HOUR);
    story.delete("old-1");
    story.delete("old-2");
    assert_healthy(&story.done());
    story.delete("old-3");
    assert_wrong(&story.done(), "the deletion leaves 2 restorable, at least 3 must stay");
}

#[test]
fn deletions_under_way_count_as_done_and_unfinished_points_do_not_count() {
    let mut story = Story::of(with_entry(|entry| entry.keep = Some(Keep { last: Some(1), ..Keep::default() })));
    story.past("one", "vm", T0 - 46 * HOUR);
    story.past("two", "vm", T0 - 22 * HOUR);
    story.after(2 * HOUR + 60).begin("three", "vm", Slot::At(T0 + 2 * HOUR));
    story.after(HOUR);
    for point in ["one", "two"] {
        story.push(What::DeleteSent { point: point.to_owned(), by: Hand::Lifeboat, accepted: true });
        story.after(1000);
    }
    let wrongs = story.done();
    assert!(
        wrongs.iter().any(|wrong| wrong.contains("point two") && wrong.contains("leaves 0 restorable")),
        "{wrongs:#?}"
    );
}

#[test]
fn what_lifeboat_did_not_make_is_never_asked_to_go() {
    for accepted in [true, false] {
        let wrongs = deletion_of("old-1", |story| {
            let (point, vm_id) = ("foreign".to_owned(), "vm".to_owned());
            let (entry, slot) = (String::new(), Slot::OnCreate);
            story.push(What::Begun { point, vm_id, by: Hand::Person, ours: false, entry, slot, attempt: 0 });
            story.push(What::DeleteSent { point: "foreign".to_owned(), by: Hand::Lifeboat, accepted });
        });
        assert_wrong(&wrongs, "what Lifeboat did not make");
    }
    let wrongs = deletion_of("nothing", |_| ());
    assert_wrong(&wrongs, "a point that never was");
}

#[test]
fn a_foreign_point_never_stands_in_for_the_last_one() {
    let mut story = Story::of(policy());
    story.past("only", "vm", T0 - 10 * DAY);
    let (point, vm_id, entry) = ("foreign".to_owned(), "vm".to_owned(), "daily".to_owned());
    story.push(What::Begun { point, vm_id, by: Hand::Person, ours: false, entry, slot: Slot::OnCreate, attempt: 0 });
    story.after(60).succeed("foreign");
    story.after(HOUR).delete("only");
    assert!(story.done().iter().any(|wrong| wrong.contains("leaves 0 restorable")));
}

#[test]
fn held_and_locked_points_stay() {
    let held = |seconds: i64| {
        deletion_of("old-1", |story| {
            story.push(What::Held { point: "old-1".to_owned(), held: true });
            story.after(seconds);
        })
    };
    assert_healthy(&held(30));
    assert_wrong(&held(60), "a person held it");
    let locked = |locked: bool| {
        deletion_of("old-1", |story| {
            story.push(What::Locked { point: "old-1".to_owned(), locked: true });
            story.after(1).push(What::Locked { point: "old-1".to_owned(), locked });
        })
    };
    assert_wrong(&locked(true), "a lock stood over it");
    assert_healthy(&locked(false));
}

#[test]
fn nothing_goes_while_changes_are_forbidden() {
    let permission_lost = |lost: bool| What::PermissionLost { subscription: "s1".to_owned(), lost };
    let cases = [
        (What::Stopped { stopped: true }, What::Stopped { stopped: false }, "all changes were stopped"),
        (permission_lost(true), permission_lost(false), "the permission was lost"),
        (What::ClocksApart { apart: true }, What::ClocksApart { apart: false }, "differed by more than five minutes"),
    ];
    for (on, off, says) in cases {
        let switched = |seconds: i64, ends: bool| {
            deletion_of("old-1", |story| {
                story.push(on.clone());
                story.after(seconds);
                if ends {
                    story.push(off.clone());
                }
            })
        };
        assert_wrong(&switched(100, false), says);
        assert_healthy(&switched(100, true));
        assert_healthy(&switched(20, false));
    }
}

#[test]
fn nothing_goes_while_the_store_is_lost_nor_for_a_day_after_it_is_back() {
    assert_wrong(
        &deletion_of("old-1", |story| {
            story.push(What::StoreLost);
            story.after(HOUR);
        }),
        "the store was lost",
    );
    let back_for = |seconds: i64| {
        deletion_of("old-1", |story| {
            story.push(What::StoreLost);
            story.after(HOUR).push(What::StoreBack);
            story.after(seconds);
        })
    };
    assert_wrong(&back_for(DAY - 301), "adopted less than 24 hours before");
    assert_healthy(&back_for(DAY));
}

#[test]
fn nothing_goes_without_a_readable_enforcing_policy_that_is_in_force() {
    let other = Policy { name: "other".to_owned(), entries: Vec::new(), ..policy() };
    let cases = [
        (What::PoliciesUnreadable, "could not be read"),
        (What::Policies(Vec::new()), "its policy is not there any more"),
        (What::Policies(vec![Policy { name: "renamed".to_owned(), ..policy() }]), "its policy is not there any more"),
        (What::Policies(vec![Policy { enforce: false, ..policy() }]), "its policy only reports"),
        (What::Policies(vec![Policy { entries: Vec::new(), ..policy() }]), "has no such entry any more"),
        (What::Policies(vec![policy(), other.clone()]), "equal top priority"),
        (What::Policies(vec![policy(), Policy { priority: 200, ..other }]), "not the one in force"),
        (What::Tagged { vm_id: "vm".to_owned(), env: "test".to_owned() }, "not the one in force"),
    ];
    for (what, says) in cases {
        let changed = |seconds: i64| {
            deletion_of("old-1", |story| {
                story.push(what.clone());
                story.after(seconds);
            })
        };
        assert_wrong(&changed(700), says);
        assert_healthy(&changed(500));
    }
}

#[test]
fn of_a_gone_machine_all_stay_for_fourteen_days_and_then_the_newest() {
    let gone_for = |point: &str, seconds: i64| {
        deletion_of(point, |story| {
            story.push(What::MachineGone { vm_id: "vm".to_owned() });
            story.after(seconds);
        })
    };
    assert_healthy(&gone_for("old-1", 300));
    assert_wrong(&gone_for("old-1", 14 * DAY - 301), "gone for less than 14 days");
    assert_healthy(&gone_for("old-4", 14 * DAY));
    assert_wrong(&gone_for("old-5", 14 * DAY), "among the newest that stay of a gone machine");
}

#[test]
fn a_newer_point_that_failed_never_stands_in_for_the_newest_of_a_gone_machine() {
    let wrongs = deletion_of("old-5", |story| {
        story.begin("tried", "vm", Slot::At(T0 + 2 * HOUR));
        story.after(60).fail("tried");
        story.push(What::MachineGone { vm_id: "vm".to_owned() });
        story.after(15 * DAY);
    });
    assert_wrong(&wrongs, "among the newest that stay of a gone machine");
}

#[test]
fn a_machine_made_again_under_the_same_name_is_another_machine() {
    let mut story = Story::with_points(policy());
    story.push(What::MachineGone { vm_id: "vm".to_owned() });
    let (vm_id, name, env) = ("vm-2".to_owned(), "vm".to_owned(), "prod".to_owned());
    let subscription = "s1".to_owned();
    story.push(What::Machine { vm_id, subscription, name, env, created: T0, disks: 1, agent: true });
    story.after(HOUR).delete("old-1");
    assert_wrong(&story.done(), "gone for less than 14 days");
}

#[test]
fn a_point_under_way_and_the_newest_failed_one_stay() {
    let story = |fails: bool, later: bool| {
        let mut story = Story::with_points(policy());
        story.after(2 * HOUR + DAY).begin("tried", "vm", Slot::At(T0 + DAY + 2 * HOUR));
        if fails {
            story.after(60).fail("tried");
        }
        if later {
            story.after(60).make("again", "vm", Slot::At(T0 + DAY + 2 * HOUR));
        }
        story.after(HOUR).delete("tried");
        story.done()
    };
    assert_wrong(&story(false, false), "still being made");
    assert_wrong(&story(true, false), "it failed and no restorable point came after it");
    assert_healthy(&story(true, true));
}

#[test]
fn after_people_deleted_by_hand_two_restorable_points_must_be_seen() {
    let story = |again: bool| {
        let mut story = Story::of(policy());
        story.past("one", "vm", T0 - 70 * HOUR);
        story.after(2 * HOUR).begin("tried", "vm", Slot::At(T0 + 2 * HOUR));
        story.after(60).fail("tried");
        story.after(60).make("two", "vm", Slot::At(T0 + 2 * HOUR));
        story.after(HOUR).lose("one");
        if again {
            story.after(23 * HOUR).make("three", "vm", Slot::At(T0 + 26 * HOUR));
        }
        story.after(HOUR).delete("tried");
        story.done()
    };
    assert_wrong(&story(false), "people had deleted by hand");
    assert_healthy(&story(true));
}

/// Thirty older points of one machine, of which one stays, and `count` deletions a minute apart.
pub fn many_deletions(limits: (u32, u32), count: i64) -> Story {
    let mut policy = with_entry(|entry| entry.keep = Some(Keep { last: Some(1), ..Keep::default() }));
    (policy.expire_per_day, policy.expire_percent_per_day) = limits;
    let mut story = Story::of(policy);
    for day in 1..=30 {
        story.past(&format!("old-{day}"), "vm", T0 - 40 * DAY + day * DAY);
    }
    story.after(HOUR);
    for day in 1..=count {
        story.after(60).delete(&format!("old-{day}"));
    }
    story
}

#[test]
fn over_any_day_no_more_goes_than_turnover_and_the_larger_limit() {
    assert_healthy(&many_deletions((5, 0), 6).done());
    assert_wrong(&many_deletions((5, 0), 7).done(), "the limits allow 5");
    assert_healthy(&many_deletions((5, 20), 7).done());
    assert_wrong(&many_deletions((5, 20), 8).done(), "the limits allow 6");
    let mut next_day = many_deletions((5, 0), 6);
    next_day.after(DAY).delete("old-7");
    assert_healthy(&next_day.done());
}

#[test]
fn turnover_is_what_was_made_in_the_last_day() {
    let made_before = |hours: i64| {
        let mut policy = with_entry(|entry| entry.keep = Some(Keep { last: Some(1), ..Keep::default() }));
        (policy.expire_per_day, policy.expire_percent_per_day) = (0, 0);
        let mut story = Story::with_points(policy);
        for point in 1..=3 {
            story.past(&format!("new-{point}"), "vm", T0 - hours * HOUR + point);
        }
        story.after(60);
        for point in 1..=3 {
            story.after(60).delete(&format!("old-{point}"));
        }
        story.done()
    };
    assert_healthy(&made_before(20));
    let wrongs = made_before(30);
    assert_eq!(wrongs.iter().filter(|wrong| wrong.contains("the limits allow 0")).count(), 2, "{wrongs:#?}");
}

#[test]
fn a_breaker_stays_open_until_a_person_closes_it() {
    let story = |close: bool| {
        let mut story = many_deletions((5, 0), 6);
        story.after(HOUR).sweep();
        if close {
            story.push(What::BreakerClosed { policy: "production".to_owned() });
        }
        story.after(2 * DAY).delete("old-7");
        story.after(60).delete("old-8");
        story.done()
    };
    assert_wrong(&story(false), "the breaker had opened");
    assert_healthy(&story(true));
}

#[test]
fn a_point_whose_policy_never_was_stays() {
    let wrongs = deletion_of("stray", |story| {
        let (point, vm_id, entry) = ("stray".to_owned(), "vm".to_owned(), "unheard-of".to_owned());
        story.push(What::Past { point, vm_id, entry, slot: Slot::OnCreate, created: T0 - 90 * DAY });
    });
    assert_wrong(&wrongs, "no policy in force ever had its entry");
}

#[test]
fn what_people_delete_is_not_judged() {
    let mut story = Story::with_points(policy());
    for point in 1..=5 {
        let point = format!("old-{point}");
        story.push(What::DeleteSent { point: point.clone(), by: Hand::Person, accepted: true });
        story.lose(&point);
    }
    assert_healthy(&story.done());
}
