//! Stories of a declaration by rules: its sources, its window and its conditions.
//! It never goes beyond the start of a saga, but for a fence that nobody saw.

use super::super::history::{By, Condition, Origin, Plan, Power, RegionState, Told, What};
use super::super::wrong::Promise;
use super::story::{HOUR, MINUTE, Story, T0, names, plan};
use super::{assert_healthy, assert_wrong};

/// Begun by rules at the end of this.
fn begun(plan: Plan, before: impl FnOnce(&mut Story)) -> Vec<super::Wrong> {
    let mut story = Story::of(plan);
    before(&mut story);
    story.begin(true);
    story.ended()
}

fn reported_and(other: Origin, minutes: i64) -> Vec<super::Wrong> {
    begun(plan(), |story| {
        story.region_lost();
        for _ in 0..minutes {
            story.hear(other, true);
            story.push(What::HealthRead);
            story.after(MINUTE);
        }
        story.record(&[]);
    })
}

#[test]
fn by_rules_one_source_is_reported_and_one_measured() {
    assert_healthy(&reported_and(Origin::Probe, 11));
    assert_healthy(&reported_and(Origin::MetricAlert, 11));
    assert_wrong(&reported_and(Origin::ResourceHealth, 11), Promise::WholeWindow);
    // Many messages of one source are one source.
    assert_wrong(&reported_and(Origin::ServiceHealth, 11), Promise::WholeWindow);
}

#[test]
fn by_rules_the_sources_stand_for_the_whole_window() {
    assert_wrong(&reported_and(Origin::Probe, 9), Promise::WholeWindow);
    let flapping = |good: bool| {
        begun(plan(), |story| {
            story.region_lost();
            story.probe(6);
            story.hear(Origin::Probe, !good);
            story.after(MINUTE).probe(6);
            story.record(&[]);
        })
    };
    assert_healthy(&flapping(false));
    assert_wrong(&flapping(true), Promise::WholeWindow);
}

#[test]
fn a_probe_that_is_silent_says_nothing_any_more() {
    let silent_for = |seconds: i64| {
        begun(plan(), |story| {
            story.region_lost();
            story.probe(6);
            story.after(seconds).probe(6);
            story.record(&[]);
        })
    };
    assert_healthy(&silent_for(2 * MINUTE));
    assert_wrong(&silent_for(6 * MINUTE), Promise::WholeWindow);
}

#[test]
fn a_late_or_doubled_message_changes_nothing() {
    let resolved_then = |said: i64, id: &str| {
        begun(plan(), |story| {
            story.region_lost();
            story.probe(3);
            story.hear(Origin::ServiceHealth, false);
            let mut active = story.evidence(Origin::ServiceHealth, true);
            (active.id, active.said) = (id.to_owned(), story.now + said);
            story.push(What::Evidence(active));
            story.probe(11);
            story.record(&[]);
        })
    };
    assert_healthy(&resolved_then(1, "an-update"));
    assert_wrong(&resolved_then(-300, "an-update"), Promise::WholeWindow);
    let first = format!("ServiceHealth-{}", T0 + MINUTE);
    assert_wrong(&resolved_then(1, &first), Promise::WholeWindow);
}

#[test]
fn by_rules_no_condition_is_unmet() {
    let unmet = |plan: Plan, unmet: &[Condition]| {
        begun(plan, |story| {
            story.region_lost();
            story.confirm();
            story.record(unmet);
        })
    };
    assert_healthy(&unmet(plan(), &[]));
    assert_healthy(&unmet(plan(), &[Condition::Fence]));
    let required = Plan { fence_required: true, ..plan() };
    assert_wrong(&unmet(required, &[Condition::Fence]), Promise::ConditionsMet);
    for condition in [Condition::Ready, Condition::DataLoss, Condition::MembersAllow, Condition::StandingApproval] {
        assert_wrong(&unmet(plan(), &[condition]), Promise::ConditionsMet);
    }
}

#[test]
fn each_condition_is_recorded_with_its_value_before_a_saga_begins() {
    let without = |drop: bool, condition: Condition| {
        begun(plan(), |story| {
            story.region_lost();
            story.confirm();
            for event in &mut story.events {
                let What::Recorded { conditions, .. } = &mut event.what else { continue };
                if drop {
                    conditions.retain(|weighed| weighed.condition != condition);
                } else {
                    let weighed = conditions.iter_mut().find(|weighed| weighed.condition == condition);
                    weighed.unwrap().value.clear();
                }
            }
        })
    };
    for condition in [Condition::Evidence, Condition::DataLoss, Condition::Fence, Condition::ReportedAndMeasured] {
        assert_wrong(&without(true, condition), Promise::ConditionsRecorded);
        assert_wrong(&without(false, condition), Promise::ConditionsRecorded);
    }
}

/// Begun by rules, with this change of the world before the window.
fn begun_after(change: impl FnOnce(&mut Story)) -> Vec<super::Wrong> {
    begun(plan(), |story| {
        story.region_lost();
        change(story);
        story.confirm();
    })
}

#[test]
fn by_rules_the_target_is_healthy_in_truth() {
    let ill = |healed: bool| {
        begun_after(|story| {
            story.region("northeurope", RegionState::Throttled);
            if healed {
                story.after(10).region("northeurope", RegionState::Up);
            }
        })
    };
    assert_healthy(&ill(true));
    assert_wrong(&ill(false), Promise::ConditionsMet);
}

#[test]
fn by_rules_the_plan_is_ready_by_a_run_that_is_no_older_than_half_an_hour() {
    let unready_for = |seconds: i64| {
        begun(plan(), |story| {
            story.push(What::Ready { plan: "shop".to_owned(), ready: false });
            story.after(seconds).region_lost();
            story.confirm();
        })
    };
    assert_healthy(&unready_for(10 * MINUTE));
    assert_wrong(&unready_for(HOUR), Promise::ConditionsMet);
}

#[test]
fn by_rules_a_standing_approval_stands() {
    let void =
        |stands: bool| begun_after(|story| story.push(What::StandingApproval { plan: "shop".to_owned(), stands }));
    assert_healthy(&void(true));
    assert_wrong(&void(false), Promise::ConditionsMet);
}

#[test]
fn by_rules_resource_health_was_read_afresh() {
    let read_before = |seconds: i64| {
        begun(plan(), |story| {
            story.region_lost();
            story.hear(Origin::MetricAlert, true);
            story.after(11 * MINUTE).push(What::HealthRead);
            story.record(&[]);
            story.after(seconds).record(&[]);
        })
    };
    assert_healthy(&read_before(MINUTE));
    assert_wrong(&read_before(4 * MINUTE), Promise::ConditionsMet);
}

#[test]
fn data_loss_counts_to_the_moment_when_the_source_stopped_serving() {
    let newest_at = |seconds: i64| {
        begun_after(|story| {
            for name in names() {
                story.push(What::NewestPoint { item: name.to_owned(), time: T0 - seconds });
            }
            story.after(HOUR);
        })
    };
    // An hour of waiting loses nothing more.
    assert_healthy(&newest_at(15 * MINUTE));
    assert_wrong(&newest_at(16 * MINUTE), Promise::ConditionsMet);
}

#[test]
fn by_rules_no_cool_down_runs() {
    let again_after = |seconds: i64| {
        let mut story = Story::of(plan());
        story.region_lost();
        story.reach_start();
        story.push(What::Ended { saga: "saga-1".to_owned(), undone: true });
        story.tell(Told::Failed { saga: "saga-1".to_owned() });
        story.hear(Origin::ServiceHealth, false);
        story.hear(Origin::Probe, false);
        story.after(seconds);
        let (plan, incident) = ("shop".to_owned(), "i-1".to_owned());
        story.tell(Told::Closed { plan: plan.clone(), incident });
        story.hear(Origin::ServiceHealth, true);
        story.tell(Told::Suspected { plan: plan.clone(), incident: "i-2".to_owned() });
        story.probe(11);
        story.record(&[]);
        let (saga, incident) = ("saga-2".to_owned(), "i-2".to_owned());
        story.push(What::Begun { plan, saga: saga.clone(), incident, by_rules: true });
        story.tell(Told::Started { saga });
        story.ended()
    };
    assert_healthy(&again_after(6 * HOUR));
    let wrongs = again_after(5 * HOUR);
    assert!(wrongs.iter().any(|wrong| wrong.words.contains("cool-down was not over")), "{wrongs:#?}");
}

#[test]
fn rules_declare_only_where_the_plan_says_so() {
    for by in [By::Approval, By::Person] {
        let wrongs = begun(Plan { by, ..plan() }, |story| {
            story.region_lost();
            story.confirm();
        });
        assert_wrong(&wrongs, Promise::RulesOnlyWhereAsked);
    }
}

#[test]
fn at_most_one_saga_of_a_plan_is_unfinished_and_none_fails_over_twice_for_an_incident() {
    let mut story = Story::of(plan());
    story.region_lost();
    story.reach_start();
    story.push(What::HealthRead);
    story.record(&[]);
    let (saga, incident) = ("saga-2".to_owned(), "i-2".to_owned());
    story.push(What::Begun { plan: "shop".to_owned(), saga, incident, by_rules: true });
    assert_wrong(&story.ended(), Promise::OneSaga);

    let mut story = super::whole(plan());
    story.hear(Origin::ServiceHealth, true);
    story.probe(11);
    story.record(&[]);
    story.saga = "saga-2".to_owned();
    story.begin(true);
    assert!(story.ended().iter().any(|wrong| wrong.promise == Promise::OncePerIncident));
}

#[test]
fn a_machine_that_stopped_by_itself_is_no_fence() {
    // The fence counts as met in what was recorded, and in truth nobody could see the machines stopped.
    let mut story = Story::of(Plan { fence_required: true, ..plan() });
    story.region_lost();
    for name in names() {
        story.power(&format!("/weu/{name}"), Power::Deallocated);
    }
    story.reach_start();
    story.move_groups();
    assert_wrong(&story.ended(), Promise::FenceRequired);
}
