//! Stories of commit, of protecting the other way, and of what rests while an incident is open.
//! It never speaks of the failover itself.

use super::super::history::{About, Call, Hand, OrderKind, Origin, Plan, Power, RegionState, Told, What};
use super::super::wrong::{Promise, Wrong};
use super::story::{HOUR, MINUTE, Story, asking, names, plan};
use super::{assert_healthy, assert_wrong};

fn asked_to_commit() -> Story {
    let mut story = Story::of(plan());
    story.region_lost();
    story.reach_start();
    story.reach_commit();
    story
}

#[test]
fn commit_waits_for_the_order_of_a_person() {
    let by = |kind: Option<OrderKind>, role: bool| {
        let mut story = asked_to_commit();
        if let Some(kind) = kind {
            let mut order = story.order("commit", kind, "person-1");
            (order.question, order.role) = (Some("q-commit".to_owned()), role);
            story.after(HOUR).push(What::Order(order));
        }
        story.commit();
        story.ended()
    };
    assert_healthy(&by(Some(OrderKind::CommitFailover), true));
    assert_wrong(&by(Some(OrderKind::CommitFailover), false), Promise::CommitOrdered);
    assert_wrong(&by(Some(OrderKind::Approve), true), Promise::CommitOrdered);
    assert_wrong(&by(None, true), Promise::CommitOrdered);
}

#[test]
fn an_order_to_commit_that_came_before_the_question_is_none() {
    let ordered = |early: bool| {
        let mut story = Story::of(plan());
        story.region_lost();
        story.reach_start();
        if early {
            story.send("commit", OrderKind::CommitFailover, "person-1");
            story.tell(Told::OrderRefused { order: "commit".to_owned() });
        }
        story.reach_commit();
        if !early {
            story.send("commit", OrderKind::CommitFailover, "person-1");
        }
        story.commit();
        story.ended()
    };
    assert_healthy(&ordered(false));
    assert_wrong(&ordered(true), Promise::CommitOrdered);
}

#[test]
fn commit_comes_after_traffic_and_once() {
    let without_traffic = |moved: bool| {
        let mut story = Story::of(plan());
        story.region_lost();
        story.reach_start();
        story.move_groups();
        story.enable_target();
        if moved {
            story.disable_old();
        }
        story.ask("q-commit", About::Commit);
        story.reach_committed();
        story.ended()
    };
    assert_healthy(&without_traffic(true));
    assert_wrong(&without_traffic(false), Promise::CommitOrdered);
    let mut story = asked_to_commit();
    story.reach_committed();
    story.commit();
    assert_wrong(&story.ended(), Promise::CommitOrdered);
    let mut story = asked_to_commit();
    story.events.retain(|event| !matches!(&event.what, What::JobEnded { item, .. } if item == "db"));
    story.reach_committed();
    assert_wrong(&story.ended(), Promise::CommitOrdered);
}

/// Committed, the old region back, and each thing done that protecting the other way wants, but for one.
fn other_way(without: &str) -> Vec<Wrong> {
    let mut story = asked_to_commit();
    if without == "commit" {
        story.reach_committed();
        story.events.retain(|event| {
            !matches!(event.what, What::JobEnded { ok: true, ref item, job }
            if item == "db" && job == super::super::history::Job::Commit)
        });
    } else {
        story.reach_committed();
    }
    story.after(HOUR).old_side_back();
    story.after(MINUTE).stop_old();
    if without == "stop" {
        story.power("/weu/db", Power::Running);
    }
    if without != "points" {
        story.after(MINUTE).save_old();
    }
    if without == "stopped again" {
        // The machine ran once more after its disks were saved.
        story.after(MINUTE).power("/weu/db", Power::Running);
        story.after(MINUTE).stop_old();
    }
    if without == "region" {
        story.region("westeurope", RegionState::Down);
    }
    if without != "answer" {
        story.ask("q-old", About::ProtectOtherWay);
        let kind = if without == "yes" { OrderKind::Reject } else { OrderKind::Approve };
        story.after(HOUR).answer("q-old", kind);
    }
    story.after(MINUTE);
    if without == "the first time" {
        story.call(Call::ProtectOtherWay { item: "db".to_owned() });
    }
    story.protect_other_way();
    story.ended()
}

#[test]
fn the_other_way_is_protected_only_when_the_old_machine_is_stopped_saved_and_given_up() {
    assert_healthy(&other_way("nothing"));
    assert_wrong(&other_way("points"), Promise::OldDisksSaved);
    assert_wrong(&other_way("stopped again"), Promise::OldDisksSaved);
    assert_wrong(&other_way("region"), Promise::OldDisksSaved);
    assert_wrong(&other_way("the first time"), Promise::OldDisksSaved);
    assert_wrong(&other_way("answer"), Promise::OldMayGo);
    assert_wrong(&other_way("yes"), Promise::OldMayGo);
    for without in ["commit", "stop"] {
        let wrongs = other_way(without);
        assert!(wrongs.iter().any(|wrong| wrong.promise == Promise::OldDisksSaved), "{without}: {wrongs:#?}");
    }
}

#[test]
fn each_disk_has_a_point_that_succeeded() {
    let changed = |change: fn(&mut What)| {
        let mut story = super::whole(plan());
        story.events.iter_mut().for_each(|event| change(&mut event.what));
        story.ended()
    };
    assert_healthy(&changed(|_| ()));
    let one_failed = |what: &mut What| {
        if let What::PointEnded { point, ok } = what {
            *ok = point != "saved-web-1";
        }
    };
    assert_wrong(&changed(one_failed), Promise::OldDisksSaved);
    let one_left_out = |what: &mut What| {
        if let What::Accepted { call: Call::MakePoint { disks, .. }, .. } = what {
            disks.pop();
        }
    };
    assert_wrong(&changed(one_left_out), Promise::OldDisksSaved);
}

#[test]
fn the_approval_of_the_failover_may_contain_that_the_old_machines_may_go() {
    let contains = |old_may_go: bool| {
        let mut story = Story::of(asking());
        story.region_lost();
        story.reach_approval(&[super::super::history::Condition::Fence]);
        let mut order = story.order("order", OrderKind::Approve, "person-1");
        order.old_may_go = old_may_go;
        story.push(What::Order(order));
        story.begin(false);
        story.reach_commit();
        story.reach_committed();
        story.after(HOUR).old_side_back();
        story.after(MINUTE).stop_old();
        story.save_old();
        story.protect_other_way();
        story.ended()
    };
    assert_healthy(&contains(true));
    assert_wrong(&contains(false), Promise::OldMayGo);
}

fn point_of(machine: &str, region: &str) -> [Call; 3] {
    let (point, machine, region) = ("p".to_owned(), machine.to_owned(), region.to_owned());
    [
        Call::DeletePoint { point: point.clone(), machine: machine.clone(), region: region.clone() },
        Call::MakePoint { point, machine: machine.clone(), region: region.clone(), disks: Vec::new() },
        Call::Protect { machine, region },
    ]
}

/// Suspected for so long, this is accepted.
fn while_suspected(seconds: i64, by: &Hand, call: &Call) -> Vec<Wrong> {
    let mut story = Story::of(Plan { at_least: 3, ..asking() });
    story.hear(Origin::ServiceHealth, true);
    story.suspect();
    story.after(seconds).push(What::Accepted { by: by.clone(), call: call.clone() });
    story.ended()
}

#[test]
fn nothing_expires_nor_is_made_nor_enabled_while_an_incident_is_open() {
    let controller = Hand::Controller("A".to_owned());
    for (machine, region) in [("/weu/other", "westeurope"), ("/WEU/db", "westeurope"), ("/neu/db", "northeurope")] {
        for call in point_of(machine, region) {
            assert_wrong(&while_suspected(HOUR, &controller, &call), Promise::NothingKeptOrMade);
            // The request that was under way when it was suspected.
            assert_healthy(&while_suspected(5, &controller, &call));
            assert_healthy(&while_suspected(HOUR, &Hand::Person, &call));
        }
    }
    for call in point_of("/neu/other", "northeurope") {
        assert_healthy(&while_suspected(HOUR, &controller, &call));
    }
}

#[test]
fn expiry_goes_on_when_the_incident_is_closed() {
    let after = |recovered: i64, closes: bool| {
        let mut story = Story::of(asking());
        story.hear(Origin::ServiceHealth, true);
        story.suspect();
        story.hear(Origin::ServiceHealth, false);
        story.after(recovered);
        if closes {
            story.tell(Told::Closed { plan: "shop".to_owned(), incident: "i-1".to_owned() });
        }
        for call in point_of("/weu/other", "westeurope") {
            story.after(1).call(call);
        }
        story.ended()
    };
    assert_healthy(&after(6 * HOUR, true));
    // It is closed before that is told, and never before the cool-down is over.
    assert_healthy(&after(6 * HOUR, false));
    assert_wrong(&after(6 * HOUR - 10, false), Promise::NothingKeptOrMade);
}

#[test]
fn the_new_machines_get_no_backups_while_the_incident_is_open() {
    let mut story = asked_to_commit();
    story.reach_committed();
    story.after(MINUTE);
    for name in names() {
        story.call(Call::Protect { machine: format!("/neu/{name}"), region: "northeurope".to_owned() });
    }
    assert_wrong(&story.ended(), Promise::NothingKeptOrMade);
}

#[test]
fn expiry_of_the_members_rests_while_a_saga_is_unfinished() {
    let expired = |machine: &str, call: usize| {
        let mut story = Story::of(asking());
        story.show("digest-1", &[]);
        story.send("start", OrderKind::StartFailover, "person-1");
        story.begin(false);
        story.after(MINUTE).call(point_of(machine, "westeurope")[call].clone());
        story.ended()
    };
    assert_wrong(&expired("/weu/db", 0), Promise::NothingKeptOrMade);
    // A failover by hand in a healthy region is no incident of the region.
    assert_healthy(&expired("/weu/other", 0));
    assert_healthy(&expired("/weu/db", 1));
}
