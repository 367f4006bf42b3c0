//! A failover as it is shown, of records as they are stored.

use jiff::Timestamp;
use lifeboat_planning::saga::{Ask, Phase};

use super::*;
use crate::saga::record::SagaRecord;

const RECORD: &[u8] = include_bytes!("../../../golden/saga-v1.json");

/// What is shown of the stored record, after its progress was changed so.
fn shown(change: impl Fn(&str) -> String) -> Shown {
    let mut record: SagaRecord = serde_json::from_slice(RECORD).expect("reads");
    record.progress = change(&record.progress);
    Shown::of(&record.saga().expect("its progress reads"), record.began_at, record.ended_at)
}

fn stands(shown: &Shown, lane: usize, name: &str) -> StepStands {
    let step = shown.lanes[lane].steps.iter().find(|step| step.name == name);
    step.unwrap_or_else(|| panic!("{name} is no step")).stands
}

fn at(text: &str) -> Option<Timestamp> {
    Some(text.parse().expect("a time"))
}

#[test]
fn each_step_stands_as_its_progress_says_and_who_waits_for_it_is_told() {
    let shown = shown(str::to_owned);
    assert_eq!((shown.from.as_str(), shown.to.as_str()), ("westeurope", "northeurope"));
    assert!(shown.past_no_return);
    for (name, expected) in [
        ("preflight", StepStands::Done),
        ("group web: fail over", StepStands::Done),
        ("another point", StepStands::Nothing),
        ("word to commit", StepStands::Asks),
        ("commit", StepStands::NotYet),
    ] {
        assert_eq!(stands(&shown, 0, name), expected, "{name}");
    }
    assert_eq!(stands(&shown, 1, "stop the old machines"), StepStands::Going);
    assert_eq!(stands(&shown, 1, "save the old disks"), StepStands::NotYet);
    let question = shown.questions().next().expect("a question");
    assert_eq!((question.number, question.ask), (2, Ask::Commit));
    let step = &shown.lanes[0].steps[1];
    assert_eq!((step.name.as_str(), step.since), ("fence", at("2026-11-22T10:01:00Z")));
    let DoesShown::Tasks(tasks) = &step.does else { panic!("{step:?}") };
    assert_eq!((tasks.len(), tasks[0].stands), (3, Stands::GivenUp));
    assert_eq!(tasks[0].why.as_deref(), Some("the time for it has passed"));
}

#[test]
fn members_and_endpoints_stand_as_the_last_look_at_them_found() {
    let shown = shown(str::to_owned);
    let names: Vec<&str> = shown.groups.iter().map(|group| group.name.as_str()).collect();
    assert_eq!(names, ["data", "web"]);
    let member = &shown.groups[0].members[0];
    assert_eq!((member.name.as_str(), member.point_at), ("db-1", at("2026-11-22T10:01:00Z")));
    // The fence was gone on without, and the old side is looked at until it is stopped.
    assert_eq!(member.stopped, Stands::Going);
    assert_eq!((member.failed_over, member.running, member.committed), (Stands::Done, Stands::Done, Stands::NotYet));
    let moved = &shown.traffic[0];
    assert_eq!((moved.profile.as_str(), moved.from.as_str(), moved.to.as_str()), ("tm-shop", "weu", "neu"));
    assert_eq!((moved.enabled, moved.disabled, moved.answers), (Stands::Done, Stands::Done, Stands::Done));
}

#[test]
fn a_failover_that_is_being_undone_tells_which_steps_are_and_which_are_still_to_be() {
    // It failed at the first group, before anything was accepted.
    let undoing = shown(|progress| {
        let kept = progress.lines().take_while(|line| !line.starts_with("lane")).map(|line| match line {
            "phase forward" => "phase back fence\nbecause aborted a person",
            line => line,
        });
        let times = "2026-11-22T10:06:05Z";
        let rest = format!(
            "lane group data: fail over\nlane stop the old machines\n\
             step forward {times} over preflight\nstep forward {times} over fence\n\
             task done yes 1 2 {times} {times} {times} {times} - db-1\n\
             step forward {times} open group data: fail over\ntask look no 0 1 {times} {times} - - - db-1\n\
             step back {times} open fence\ntask looking no 0 1 {times} {times} - - - db-1\n"
        );
        format!("{}\n{rest}", kept.collect::<Vec<_>>().join("\n"))
    });
    assert!(matches!(undoing.phase, Phase::Undoing(..)));
    assert_eq!(stands(&undoing, 0, "preflight"), StepStands::Done);
    assert_eq!(stands(&undoing, 0, "fence"), StepStands::Undoing);
    assert_eq!(stands(&undoing, 0, "group web: fail over"), StepStands::NotYet);
    assert_eq!(undoing.groups[0].members[0].stopped, Stands::Undoing);
    let DoesShown::Tasks(tasks) = &undoing.lanes[0].steps[1].does else { panic!("tasks") };
    assert_eq!(tasks[0].change.as_deref(), Some("start the old machine db-1 again, if it ran before"));
}
