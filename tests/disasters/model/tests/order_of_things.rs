//! Stories of two controllers, of how sagas end, and of what is told of them.
//! It never repeats what a failover does.

use super::super::history::{Call, RegionState, Told, What};
use super::super::wrong::{Promise, Wrong};
use super::story::{MINUTE, Story, names, plan};
use super::{assert_healthy, assert_wrong, whole};

fn started() -> Story {
    let mut story = Story::of(plan());
    story.region_lost();
    story.reach_start();
    story
}

/// B takes the saga over, and then this one fails the database over.
fn after_takeover(controller: &str, saves: Option<u64>) -> Vec<Wrong> {
    let mut story = started();
    story.controller = "B".to_owned();
    story.save(2);
    story.controller = controller.to_owned();
    if let Some(epoch) = saves {
        story.after(MINUTE).save(epoch);
    }
    story.fail_over("db");
    story.ended()
}

#[test]
fn a_stale_epoch_is_never_accepted_after_the_newer_one_was_saved() {
    assert_healthy(&after_takeover("B", None));
    assert_wrong(&after_takeover("A", None), Promise::Epoch);
    // Taken back, it is the newest again.
    assert_healthy(&after_takeover("A", Some(3)));
}

#[test]
fn epochs_only_rise_and_each_is_one_controllers() {
    let wrongs = after_takeover("A", Some(1));
    assert!(wrongs.iter().any(|wrong| wrong.words.contains("after epoch 2")), "{wrongs:#?}");
    assert_wrong(&after_takeover("A", Some(2)), Promise::Epoch);
}

#[test]
fn nothing_is_sent_without_a_saga_that_is_saved_and_not_ended() {
    assert_wrong(&after_takeover("C", None), Promise::SavedFirst);
    let before = |begins: bool| {
        let mut story = Story::of(plan());
        story.region_lost();
        story.confirm();
        if begins {
            story.begin(true);
        }
        story.fail_over("db");
        story.ended()
    };
    assert_healthy(&before(true));
    assert_wrong(&before(false), Promise::SavedFirst);
}

#[test]
fn a_failover_touches_its_own_members_only() {
    let stops = |machine: &str| {
        let mut story = started();
        story.call(Call::Deallocate { machine: machine.to_owned() });
        story.ended()
    };
    assert_healthy(&stops("/weu/db"));
    assert_wrong(&stops("/weu/other"), Promise::SavedFirst);
}

#[test]
fn an_event_has_one_id_and_an_id_one_event() {
    let told = |id: &str, told: Told| {
        let mut story = started();
        story.push(What::Told { id: id.to_owned(), told });
        story.ended()
    };
    let started = || Told::Started { saga: "saga-1".to_owned() };
    assert_healthy(&told("event-3", started()));
    assert_wrong(&told("event-9", started()), Promise::StableIds);
    let step = Told::Step { saga: "saga-1".to_owned(), step: "fence".to_owned() };
    assert_wrong(&told("event-3", step), Promise::StableIds);
}

/// The saga ends before anything was failed over, with the old machines stopped, or started again.
fn undone(starts: bool) -> Vec<Wrong> {
    let mut story = started();
    story.region("westeurope", RegionState::Up);
    story.stop_old();
    if starts {
        for name in names() {
            story.call(Call::Start { machine: format!("/weu/{name}") });
        }
    }
    story.push(What::Ended { saga: "saga-1".to_owned(), undone: true });
    story.tell(Told::Failed { saga: "saga-1".to_owned() });
    story.ended()
}

#[test]
fn a_saga_that_is_undone_leaves_no_machine_stopped() {
    assert_healthy(&undone(true));
    assert_wrong(&undone(false), Promise::FinishesOrUndoes);
}

#[test]
fn a_saga_that_was_undone_is_never_told_to_be_completed() {
    let told = |told: Told| {
        let mut story = started();
        story.push(What::Ended { saga: "saga-1".to_owned(), undone: true });
        story.tell(told);
        story.ended()
    };
    assert_healthy(&told(Told::Failed { saga: "saga-1".to_owned() }));
    assert_wrong(&told(Told::Completed { saga: "saga-1".to_owned() }), Promise::SaysWhich);
}

#[test]
fn a_saga_begins_only_for_a_plan_that_there_is() {
    let mut story = started();
    let (plan, saga, incident) = ("other".to_owned(), "saga-2".to_owned(), "i-2".to_owned());
    story.push(What::Begun { plan, saga, incident, by_rules: true });
    assert_wrong(&story.ended(), Promise::ConditionsRecorded);
}

#[test]
fn after_the_point_of_no_return_no_saga_ends_as_undone() {
    let mut story = started();
    story.fail_over("db");
    story.push(What::Ended { saga: "saga-1".to_owned(), undone: true });
    story.tell(Told::Failed { saga: "saga-1".to_owned() });
    assert_wrong(&story.ended(), Promise::NoUndo);
}

#[test]
fn a_saga_goes_through_only_with_all_committed_and_the_target_serving() {
    let ends = |committed: bool| {
        let mut story = started();
        story.reach_commit();
        if committed {
            story.reach_committed();
        }
        story.push(What::Ended { saga: "saga-1".to_owned(), undone: false });
        story.tell(Told::Completed { saga: "saga-1".to_owned() });
        story.ended()
    };
    assert_healthy(&ends(true));
    assert_wrong(&ends(false), Promise::FinishesOrUndoes);
    let mut story = started();
    story.tell(Told::Completed { saga: "saga-1".to_owned() });
    assert_wrong(&story.ended(), Promise::SaysWhich);
}

#[test]
fn what_is_told_of_the_end_is_how_it_ended() {
    let told = |told: Told| {
        let mut story = whole(plan());
        story.events.pop();
        story.tell(told);
        story.ended()
    };
    assert_healthy(&told(Told::Completed { saga: "saga-1".to_owned() }));
    assert_wrong(&told(Told::Failed { saga: "saga-1".to_owned() }), Promise::SaysWhich);
    assert_wrong(&told(Told::Started { saga: "saga-7".to_owned() }), Promise::SaysWhich);
}
