//! Stories of another recovery point: who asks for it, what is picked, until when, and what stands when the commit is asked about again.
//! They begin where the commit is asked about.

use super::super::history::{About, Call, Order, OrderKind, Pick, Power, What};
use super::super::wrong::{Promise, Wrong};
use super::story::{HOUR, MINUTE, Story, plan};
use super::{assert_healthy, assert_wrong};

const MEMBERS: [&str; 3] = ["db", "web-1", "web-2"];

/// The commit is asked about.
fn asked() -> Story {
    let mut story = Story::of(plan());
    story.region_lost();
    story.reach_start();
    story.reach_commit();
    story.after(MINUTE);
    story
}

fn picks(story: &mut Story, pick: Pick, change: impl FnOnce(&mut Order)) {
    let mut order = story.order("another", OrderKind::Approve, "person-1");
    (order.question, order.another_point) = (Some("q-commit".to_owned()), Some(pick));
    change(&mut order);
    story.push(What::Order(order));
    story.after(10);
}

fn take(story: &mut Story, names: &[&str], point: Option<&str>) {
    for name in names {
        story.call(Call::ChangePoint { item: (*name).to_owned(), point: point.map(str::to_owned) });
    }
}

/// Site Recovery makes these machines anew.
fn anew(story: &mut Story, names: &[&str]) {
    story.after(2 * MINUTE);
    names.iter().for_each(|name| story.power(&format!("/neu/{name}"), Power::Dead));
    story.after(2 * MINUTE);
    names.iter().for_each(|name| story.power(&format!("/neu/{name}"), Power::Running));
    story.after(10);
}

#[test]
fn another_point_is_taken_by_a_persons_answer_only() {
    let taken = |change: fn(&mut Order)| {
        let mut story = asked();
        picks(&mut story, Pick::LatestProcessed, change);
        take(&mut story, &MEMBERS, Some("point"));
        anew(&mut story, &MEMBERS);
        story.ask("q-again", About::Commit);
        story.after(HOUR).send("commit", OrderKind::CommitFailover, "person-1");
        story.after(30).commit();
        story.ended()
    };
    assert_healthy(&taken(|_| ()));
    let asks_for_none = |wrongs: Vec<Wrong>| {
        assert!(wrongs.iter().any(|wrong| wrong.promise == Promise::PointChosen), "{wrongs:#?}");
    };
    asks_for_none(taken(|order| order.token = false));
    asks_for_none(taken(|order| order.role = false));
    asks_for_none(taken(|order| order.dry_run = true));
    asks_for_none(taken(|order| order.question = Some("q-nothing".to_owned())));
    asks_for_none(taken(|order| order.another_point = None));
}

#[test]
fn the_point_that_is_taken_is_of_the_kind_that_was_picked() {
    let taken = |pick: Pick, point: Option<&str>| {
        let mut story = asked();
        picks(&mut story, pick, |_| ());
        take(&mut story, &MEMBERS, point);
        story.ended()
    };
    assert_healthy(&taken(Pick::Latest, None));
    assert_healthy(&taken(Pick::LatestProcessed, Some("point")));
    assert_wrong(&taken(Pick::Latest, Some("point")), Promise::PointChosen);
    assert_wrong(&taken(Pick::LatestProcessed, None), Promise::PointChosen);
}

#[test]
fn another_point_is_taken_between_failover_and_commit_only() {
    let committed = |name: Option<&str>| {
        let mut story = asked();
        picks(&mut story, Pick::Latest, |_| ());
        take(&mut story, &MEMBERS, None);
        anew(&mut story, &MEMBERS);
        story.ask("q-again", About::Commit);
        story.after(HOUR).send("commit", OrderKind::CommitFailover, "person-1");
        story.after(30);
        if let Some(name) = name {
            story.call(Call::Commit { item: name.to_owned() });
        }
        take(&mut story, &["db"], None);
        story.ended()
    };
    assert_healthy(&committed(None));
    assert_wrong(&committed(Some("db")), Promise::NoUndo);
    assert_wrong(&committed(Some("web-1")), Promise::NoUndo);
    let mut early = Story::of(plan());
    early.region_lost();
    early.reach_start();
    take(&mut early, &["db"], None);
    let early = early.ended();
    assert!(early.iter().any(|wrong| wrong.promise == Promise::NoUndo), "{early:#?}");
}

#[test]
fn whoever_asks_too_late_is_refused() {
    let late = |refused: bool| {
        let mut story = asked();
        story.send("commit", OrderKind::CommitFailover, "person-1");
        story.after(30).commit();
        picks(&mut story, Pick::Latest, |_| ());
        if refused {
            story.tell(super::super::history::Told::OrderRefused { order: "another".to_owned() });
        }
        story.after(HOUR);
        story.ended()
    };
    assert_healthy(&late(true));
    assert_wrong(&late(false), Promise::OrdersAnswered);
}

#[test]
fn each_member_is_given_it_and_the_commit_is_asked_about_when_all_run_from_it() {
    let again = |taken: &[&str], made: &[&str]| {
        let mut story = asked();
        picks(&mut story, Pick::Latest, |_| ());
        take(&mut story, taken, None);
        anew(&mut story, made);
        story.ask("q-again", About::Commit);
        story.ended()
    };
    assert_healthy(&again(&MEMBERS, &MEMBERS));
    assert_wrong(&again(&MEMBERS[1..], &MEMBERS[1..]), Promise::PointChosen);
    assert_wrong(&again(&MEMBERS, &MEMBERS[1..]), Promise::PointChosen);
    let forgotten = |minutes: i64| {
        let mut story = asked();
        picks(&mut story, Pick::Latest, |_| ());
        take(&mut story, &MEMBERS[1..], None);
        story.after(minutes * MINUTE);
        story.ended()
    };
    assert_healthy(&forgotten(2));
    assert_wrong(&forgotten(20), Promise::PointChosen);
}

#[test]
fn nothing_is_committed_on_the_word_for_what_ran_before() {
    let mut story = asked();
    picks(&mut story, Pick::Latest, |_| ());
    take(&mut story, &MEMBERS, None);
    anew(&mut story, &MEMBERS);
    story.commit();
    let wrongs = story.ended();
    assert!(!wrongs.is_empty() && wrongs.iter().all(|wrong| wrong.promise == Promise::CommitOrdered), "{wrongs:#?}");
}

#[test]
fn where_it_fails_a_person_picks_again_and_it_is_taken_then() {
    let picked_again = |taken: &[&str]| {
        let mut story = asked();
        picks(&mut story, Pick::Latest, |_| ());
        story.ask("q-failed", About::Failure);
        picks(&mut story, Pick::LatestProcessed, |order| {
            (order.id, order.question) = ("again".to_owned(), Some("q-failed".to_owned()));
        });
        take(&mut story, taken, Some("point"));
        anew(&mut story, taken);
        story.ask("q-again", About::Commit);
        story.ended()
    };
    assert_healthy(&picked_again(&MEMBERS));
    assert_wrong(&picked_again(&MEMBERS[1..]), Promise::PointChosen);
}
