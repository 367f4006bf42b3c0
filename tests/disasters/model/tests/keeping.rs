//! Stories of points that fall due: they stay while an incident is open or a saga is at their machine, and go afterwards.
//! It never speaks of what is made.

use super::super::history::{Call, Hand, Origin, Plan, Power, RegionState, Told, What};
use super::super::wrong::{Promise, Wrong};
use super::story::{HOUR, MINUTE, Story, asking, plan};
use super::{assert_healthy, assert_wrong, whole};

/// A point of this machine falls due.
fn fall_due(story: &mut Story, machine: &str, region: &str) {
    let (point, machine, region) = ("p".to_owned(), machine.to_owned(), region.to_owned());
    story.push(What::PointDue { point, machine, region });
}

/// A sweep of expiry that takes a minute, and deletes the point or not.
fn sweep(story: &mut Story, machine: &str, region: &str, deletes: bool) {
    let began = story.now;
    story.after(MINUTE);
    if deletes {
        let (point, machine, region) = ("p".to_owned(), machine.to_owned(), region.to_owned());
        story.call(Call::DeletePoint { point, machine, region });
    }
    story.push(What::Swept { began });
}

/// An incident in which a point falls due, and which is over.
fn closed(machine: &str, region: &str) -> Story {
    let mut story = Story::of(Plan { at_least: 3, cooldown: HOUR, ..asking() });
    story.hear(Origin::ServiceHealth, true);
    story.suspect();
    fall_due(&mut story, machine, region);
    sweep(&mut story, machine, region, false);
    sweep(&mut story, machine, region, false);
    story.hear(Origin::ServiceHealth, false);
    story.after(HOUR + MINUTE).tell(Told::Closed { plan: "shop".to_owned(), incident: "i-1".to_owned() });
    story
}

fn swept_after(machine: &str, region: &str, deletes: &[bool], with: impl FnOnce(&mut Story)) -> Vec<Wrong> {
    let mut story = closed(machine, region);
    with(&mut story);
    for deletes in deletes {
        sweep(story.after(HOUR), machine, region, *deletes);
    }
    story.ended()
}

#[test]
fn what_is_due_goes_with_the_second_sweep_after_the_incident() {
    for (machine, region) in [("/weu/db", "westeurope"), ("/weu/other", "westeurope"), ("/neu/db", "northeurope")] {
        let nothing = |_: &mut Story| ();
        assert_healthy(&swept_after(machine, region, &[true], nothing));
        assert_healthy(&swept_after(machine, region, &[false, true], nothing));
        assert_healthy(&swept_after(machine, region, &[false], nothing));
        assert_wrong(&swept_after(machine, region, &[false, false], nothing), Promise::DueGoes);
    }
}

#[test]
fn what_bars_a_point_bars_it_afterwards_too() {
    let left = |with: fn(&mut Story)| swept_after("/weu/db", "westeurope", &[false, false], with);
    assert_healthy(&left(|story| story.push(What::ChangesStopped { stopped: true })));
    assert_healthy(&left(|story| story.region("westeurope", RegionState::Throttled)));
    assert_healthy(&left(|story| story.push(What::Fault { name: "store".to_owned(), on: true })));
    // Two weeks more.
    assert_healthy(&left(|story| story.power("/weu/db", Power::Gone)));
    assert_wrong(&left(|story| story.power("/weu/web-1", Power::Gone)), Promise::DueGoes);
}

#[test]
fn a_sweep_of_a_moment_in_a_fault_leaves_what_nobody_was_told_that_it_is_barred() {
    let left = |fault: bool| {
        let mut story = closed("/weu/db", "westeurope");
        story.push(What::Fault { name: "topic".to_owned(), on: fault });
        for _ in 0..3 {
            let began = story.after(HOUR).now;
            story.push(What::Swept { began });
        }
        story.ended()
    };
    assert_healthy(&left(true));
    assert_wrong(&left(false), Promise::DueGoes);
}

#[test]
fn no_point_that_is_due_goes_in_an_incident_nor_of_a_member_in_a_saga() {
    let deleted = |machine: &str, region: &str, saga: bool| {
        let mut story = Story::of(if saga { plan() } else { Plan { at_least: 3, ..asking() } });
        if saga {
            story.region_lost();
            story.reach_start();
        } else {
            story.hear(Origin::ServiceHealth, true);
            story.suspect();
        }
        fall_due(&mut story, machine, region);
        sweep(&mut story, machine, region, true);
        story.ended()
    };
    for saga in [true, false] {
        for (machine, region) in [("/weu/db", "westeurope"), ("/weu/other", "westeurope"), ("/neu/db", "northeurope")] {
            assert_wrong(&deleted(machine, region, saga), Promise::NothingKeptOrMade);
        }
        assert_healthy(&deleted("/neu/other", "northeurope", saga));
    }
}

#[test]
fn a_person_may_delete_whatever_it_is() {
    let mut story = closed("/weu/db", "westeurope");
    let (point, machine, region) = ("p".to_owned(), "/weu/db".to_owned(), "westeurope".to_owned());
    story.push(What::Accepted { by: Hand::Person, call: Call::DeletePoint { point, machine, region } });
    for _ in 0..3 {
        sweep(story.after(HOUR), "/weu/db", "westeurope", false);
    }
    assert_healthy(&story.ended());
}

#[test]
fn while_a_saga_is_unfinished_its_members_points_stay_though_they_are_due() {
    let mut story = whole(plan());
    fall_due(&mut story, "/neu/db", "northeurope");
    for _ in 0..3 {
        // The incident is still open.
        sweep(story.after(MINUTE), "/neu/db", "northeurope", false);
    }
    assert_healthy(&story.ended());
}
