//! How long what is due may stay in an estate of so many collections that one sweep need not read them all.
//! They never judge what was done on the way.

use super::*;

/// What is left of the five points of `vm`: two are due from the beginning.
const DUE: usize = 2;

/// A policy of which nothing is made within these days, and so many points may go in each.
fn weekly(expire_per_day: u32) -> Policy {
    let mut policy =
        with_entry(|entry| entry.schedule = Some(Schedule { weekdays: vec![6], ..schedule(0, &[2], Zone::Utc) }));
    policy.expire_per_day = expire_per_day;
    policy.expire_percent_per_day = 0;
    policy
}

/// So many machines, the two due points of one among them.
fn crowd(policy: Policy, machines: usize) -> Story {
    let mut story = Story::with_points(policy);
    for number in 1..machines {
        let vm_id = format!("vm-{number}");
        story.machine(&vm_id, "prod", T0 - 365 * DAY);
        story.past(&format!("only-{number}"), &vm_id, T0 - DAY);
    }
    story
}

/// The wrongs that name what is due after so many sweeps, all of them calm.
fn overdue(mut story: Story, sweeps: i64) -> Vec<Wrong> {
    for _ in 0..sweeps {
        story.after(HOUR).sweep();
    }
    let wrongs = story.calm(sweeps);
    wrongs.into_iter().filter(|wrong| wrong.contains("due since")).collect()
}

#[test]
fn a_small_estate_keeps_nothing_due_past_two_sweeps() {
    // The first of them is where it was seen to be due.
    assert_healthy(&overdue(crowd(weekly(10), 30), 2));
    let wrongs = overdue(crowd(weekly(10), 30), 3);
    assert_eq!(wrongs.len(), DUE, "{wrongs:#?}");
    assert!(wrongs.iter().all(|wrong| wrong.contains("still there after 2 more sweeps")), "{wrongs:#?}");
}

#[test]
fn an_estate_of_a_thousand_may_keep_what_is_due_for_a_day_of_sweeps_and_no_longer() {
    assert_healthy(&overdue(crowd(weekly(10), 1_000), 25));
    let wrongs = overdue(crowd(weekly(10), 1_000), 26);
    assert_eq!(wrongs.len(), DUE, "{wrongs:#?}");
    assert!(wrongs.iter().all(|wrong| wrong.contains("still there after 25 more sweeps")), "{wrongs:#?}");
    let mut gone = crowd(weekly(10), 1_000);
    gone.after(HOUR).delete("old-1");
    gone.delete("old-2");
    assert_healthy(&overdue(gone, 26));
}

#[test]
fn the_bound_grows_with_the_collections_and_an_estate_that_one_sweep_reads_has_none_of_it() {
    for (machines, sweeps) in [(1, 3), (30, 3), (41, 3), (42, 4), (83, 4), (84, 5), (500, 14), (2_000, 50)] {
        assert_healthy(&overdue(crowd(weekly(10), machines), sweeps - 1));
        assert_eq!(overdue(crowd(weekly(10), machines), sweeps).len(), DUE, "{machines} machines");
    }
}

#[test]
fn machines_without_points_make_no_crowd() {
    let mut story = crowd(weekly(10), 30);
    for number in 0..1_000 {
        story.machine(&format!("empty-{number}"), "prod", T0 - 365 * DAY);
    }
    assert_eq!(overdue(story, 3).len(), DUE);
}

/// Ten points of a crowd went, as many as the limit lets go, and a person closed the breaker; so many hours of sweeps later.
fn after_the_limit(hours: i64) -> Vec<Wrong> {
    let mut story = Story::with_points(weekly(10));
    for number in 1..1_000 {
        let vm_id = format!("vm-{number}");
        story.machine(&vm_id, "prod", T0 - 365 * DAY);
        let more = if number <= 10 { 4 } else { 1 };
        for day in 1..=more {
            story.past(&format!("{vm_id}-{day}"), &vm_id, T0 - 5 * DAY + day * DAY);
        }
    }
    for number in 1..=10 {
        story.after(60).delete(&format!("vm-{number}-1"));
    }
    story.after(60).push(What::BreakerClosed { policy: "production".to_owned() });
    overdue(story, hours)
}

#[test]
fn nobody_demands_of_a_crowd_what_the_limit_held_back_for_part_of_the_round() {
    // The round of 24 sweeps begins free of what went only when a day has passed since.
    assert_healthy(&after_the_limit(26));
    assert_healthy(&after_the_limit(47));
    assert_eq!(after_the_limit(48).len(), DUE);
}

#[test]
fn of_a_crowd_in_which_more_is_due_than_the_limit_lets_go_something_goes_within_a_round() {
    assert_healthy(&overdue(crowd(weekly(0), 1_000), 25));
    assert_wrong(&overdue(crowd(weekly(0), 1_000), 26), "nothing went in a round and 24 hours");
    let mut one = crowd(weekly(0), 1_000);
    one.after(HOUR).delete("old-1");
    assert_healthy(&overdue(one, 26));
}
