//! What the engine promises of every saga, each as one fact.

use std::rc::Rc;

use jiff::SignedDuration;
use lifeboat_planning::saga::{
    ATTEMPTS_MAX, Ask, At, Choice, Effect, End, Event, Notice, OrderRefused, Outcome, Phase, SETTLE_SECS, Saga, State,
    Way, What, step, steps,
};

use crate::harness::{Driver, Fault, Planted, World, goes_on, silent};
use crate::trial::{Switches, Trial};

fn planted(step: &str, task: &str, fault: Fault, times: u32) -> Vec<Planted> {
    vec![Planted { step: step.into(), task: task.into(), way: Way::Forward, fault, times }]
}

fn begun(faults: Vec<Planted>) -> Driver<Switches> {
    let mut driver = Driver::new(Switches::default());
    driver.planted = faults;
    driver
}

fn at(name: &str) -> impl Fn(&Driver<Switches>) -> bool {
    move |driver| driver.saga.progress.lanes[0].at == At::Step(name.into())
}

fn abort() -> What<Trial> {
    What::Abort { by: "ops".into() }
}

fn refused(driver: &Driver<Switches>) -> Vec<OrderRefused> {
    let refusals = driver.told.iter().filter_map(|notice| match notice {
        Notice::OrderRefused(why) => Some(*why),
        _ => None,
    });
    refusals.collect()
}

#[test]
fn who_has_lost_the_lease_changes_nothing() {
    let mut driver = begun(Vec::new());
    driver.run_until(at("wait"));
    driver.dies(None);
    for what in [abort(), What::Recovered, What::Woken] {
        let (after, effects) = step(driver.saga.clone(), Event { epoch: driver.epoch - 1, what }, driver.now);
        assert_eq!((&after, effects.len()), (&driver.saga, 0));
    }
}

#[test]
fn who_takes_over_looks_again_and_sends_nothing_blindly() {
    let (saga, effects) = step(
        Saga::new(Trial, 1),
        Event { epoch: 1, what: What::Woken },
        Driver::<Switches>::new(Switches::default()).now,
    );
    let (_, again) =
        step(saga, Event { epoch: 2, what: What::Woken }, Driver::<Switches>::new(Switches::default()).now);
    let looks = |effects: &[Effect<Trial>]| effects.iter().filter(|effect| matches!(effect, Effect::Look(..))).count();
    assert_eq!((looks(&effects), effects.len()), (1, 1));
    assert_eq!((looks(&again), again.len()), (1, 1));
}

#[test]
fn an_outcome_that_is_not_awaited_falls_on_the_floor() {
    let mut driver = begun(Vec::new());
    driver.run_until(at("wait"));
    let epoch = driver.epoch;
    let tag =
        |way, number| lifeboat_planning::saga::Tag { epoch, step: "turn three".into(), task: "a".into(), way, number };
    for way in [Way::Forward, Way::Back] {
        for number in 0..6 {
            for what in [
                What::Observed(tag(way, number), false),
                What::NotObserved(tag(way, number)),
                What::Answered(tag(way, number), Outcome::Refused("late".into())),
            ] {
                let (after, effects) = step(driver.saga.clone(), Event { epoch, what }, driver.now);
                assert!(effects.is_empty() && after == driver.saga, "{way:?} {number}");
            }
        }
    }
}

#[test]
fn answers_that_come_together_count_as_those_that_come_one_by_one() {
    let driver = begun(Vec::new());
    let now = driver.now;
    let answers = |effects: &[Effect<Trial>]| -> Vec<What<Trial>> {
        let answer = |effect: &Effect<Trial>| match effect {
            Effect::Look(tag, _) => Some(What::Observed(tag.clone(), false)),
            Effect::Change(tag, _) => Some(What::Answered(tag.clone(), Outcome::Accepted)),
            Effect::Tell(_) => None,
        };
        effects.iter().filter_map(answer).collect()
    };
    let (mut together, mut wanted) = steps(driver.saga.clone(), 1, [What::Woken], now);
    for _ in 0..3 {
        let mut one_by_one = (together.clone(), Vec::new());
        for what in answers(&wanted) {
            let (saga, effects) = step(one_by_one.0, Event { epoch: 1, what }, now);
            one_by_one.0 = saga;
            one_by_one.1.extend(effects);
        }
        (together, wanted) = steps(together, 1, answers(&wanted), now);
        assert_eq!((&together, &wanted), (&one_by_one.0, &one_by_one.1));
    }
    assert!(wanted.is_empty() && together.look_again_at.is_some(), "two switches are turned, the rest waits");
}

#[test]
fn a_wait_is_a_moment_to_look_again_and_nothing_else() {
    let mut driver = begun(Vec::new());
    driver.run_until(at("wait"));
    let (saga, effects) = step(driver.saga.clone(), Event { epoch: 1, what: What::Woken }, driver.now);
    assert_eq!(saga.look_again_at, Some(driver.now + SignedDuration::from_secs(90)));
    assert!(effects.is_empty());
}

#[test]
fn a_step_that_this_release_does_not_know_asks_a_person_and_does_nothing() {
    let text = begun(Vec::new()).saga.to_text().replace("lane look first", "lane polish the brass");
    let mut driver = begun(Vec::new());
    driver.saga = Saga::from_text(Trial, &text).expect("readable");
    driver.person = Rc::new(silent);
    driver.dies_saved();
    driver.run();
    let question = driver.saga.questions().next().expect("a question").clone();
    assert_eq!((question.ask, question.step.as_str()), (Ask::UnknownStep, "polish the brass"));
    assert_eq!(driver.world.state(), "", "nothing was done");
    let answer = |choice| What::Answer { question: question.number, choice, pick: None, by: "ops".into() };
    let mut again = driver.clone();
    again.feed(answer(Choice::Again));
    assert_eq!(again.saga.questions().next().map(|it| it.ask), Some(Ask::UnknownStep), "asked again");
    driver.feed(answer(Choice::End));
    assert_eq!(driver.saga.progress.phase, Phase::Ended(End::Left));
}

#[test]
fn a_step_that_was_done_and_is_unknown_now_asks_too() {
    let mut driver = begun(Vec::new());
    driver.run_until(at("wait"));
    let text = driver.saga.to_text().replace("over turn three", "over turn the tables");
    driver.saga = Saga::from_text(Trial, &text).expect("readable");
    driver.person = Rc::new(silent);
    driver.dies_saved();
    driver.run();
    assert_eq!(driver.saga.questions().next().map(|it| it.ask), Some(Ask::UnknownStep));
}

#[test]
fn an_abort_before_the_point_of_no_return_undoes_wherever_it_comes() {
    for name in ["turn three", "wait", "ask", "turn one, or ask", "turn one, or not"] {
        let mut driver = begun(Vec::new());
        driver.run_until(at(name));
        driver.feed(abort());
        driver.run();
        assert_eq!(driver.saga.progress.phase, Phase::Ended(End::Undone), "{name}");
        assert_eq!(driver.world.state(), "", "{name}");
        driver.feed(abort());
        assert_eq!(refused(&driver), [OrderRefused::Ended]);
    }
}

#[test]
fn an_abort_after_the_point_of_no_return_is_refused_and_says_why() {
    let mut driver = begun(Vec::new());
    driver.run_until(at("afterwards"));
    driver.feed(abort());
    assert_eq!(refused(&driver), [OrderRefused::PastNoReturn]);
    assert!(OrderRefused::PastNoReturn.to_string().contains("take another recovery point, or fail back"));
    driver.run();
    assert_eq!(driver.saga.progress.phase, Phase::Ended(End::Done));
}

#[test]
fn an_abort_while_an_answer_is_missing_waits_until_it_is_known_what_came_of_it() {
    for (fault, end) in [(Fault::AnswerLost, End::Done), (Fault::Lost, End::Undone)] {
        let mut driver =
            begun(["f", "g", "h"].into_iter().flat_map(|task| planted("no way back", task, fault, 9)).collect());
        driver.run_until(at("no way back"));
        let perhaps = |driver: &Driver<Switches>| {
            let step = driver.saga.progress.steps.get(&(Way::Forward, "no way back".into()));
            step.is_some_and(|step| step.tasks.values().any(|task| task.state == State::Changing))
        };
        driver.run_until(perhaps);
        let sent_at = driver.now;
        driver.feed(abort());
        assert!(matches!(driver.saga.progress.phase, Phase::Forward), "nothing is undone yet");
        driver.run();
        assert_eq!(driver.saga.progress.phase, Phase::Ended(end), "{fault:?}");
        if end == End::Undone {
            assert!(
                driver.now >= sent_at + SignedDuration::from_secs(SETTLE_SECS),
                "it was undone before that could be known"
            );
            assert_eq!(driver.world.state(), "");
        } else {
            assert_eq!(refused(&driver), [OrderRefused::PastNoReturn]);
        }
    }
}

#[test]
fn a_region_that_comes_back_before_the_point_of_no_return_stops_the_saga_which_asks() {
    for (choice, end) in [(Choice::GoOn, End::Done), (Choice::Undo, End::Undone)] {
        let mut driver = begun(Vec::new());
        driver.run_until(at("turn one, or ask"));
        driver.person = Rc::new(silent);
        driver.feed(What::Recovered);
        driver.run();
        let question = driver.saga.questions().next().expect("a question").clone();
        assert_eq!((question.ask, &*question.choices), (Ask::Recovered, &[Choice::GoOn, Choice::Undo][..]));
        let before = driver.world.state();
        assert!(before.starts_with("a b c"), "nothing more was begun: {before}");
        driver.feed(What::Answer { question: question.number, choice, pick: None, by: "ops".into() });
        driver.person = Rc::new(goes_on);
        driver.run();
        assert_eq!(driver.saga.progress.phase, Phase::Ended(end));
    }
}

#[test]
fn a_region_that_comes_back_after_it_is_told_of_and_stops_nothing() {
    let mut driver = begun(Vec::new());
    driver.run_until(at("afterwards"));
    driver.feed(What::Recovered);
    assert!(driver.told.contains(&Notice::GoesOnThoughRecovered));
    driver.run();
    assert_eq!(driver.saga.progress.phase, Phase::Ended(End::Done));
}

#[test]
fn a_change_that_does_nothing_is_sent_three_times_and_not_once_more() {
    let mut driver = begun(planted("turn three", "b", Fault::Lies, u32::MAX));
    driver.run();
    assert_eq!(u32::MAX - driver.planted[0].times, ATTEMPTS_MAX);
    assert_eq!(driver.saga.progress.phase, Phase::Ended(End::Undone));
}

#[test]
fn a_watch_sends_its_change_as_often_as_it_is_seen_undone() {
    let mut driver = begun(planted("watch", "j", Fault::Lost, 3 * ATTEMPTS_MAX));
    driver.run();
    assert_eq!((driver.planted[0].times, &driver.saga.progress.phase), (0, &Phase::Ended(End::Done)));
}

#[test]
fn a_change_that_may_not_be_sent_now_is_no_attempt_and_is_bounded_by_its_time() {
    let mut driver = begun(planted("turn three", "b", Fault::NotNow, 20));
    driver.run();
    assert_eq!(driver.saga.progress.phase, Phase::Ended(End::Done));
    let mut driver = begun(planted("turn three", "b", Fault::NotNow, u32::MAX));
    driver.run();
    assert_eq!(driver.saga.progress.phase, Phase::Ended(End::Undone));
}

#[test]
fn an_open_question_is_repeated_daily_and_takes_only_what_it_offers() {
    let mut driver = begun(Vec::new());
    driver.run_until(at("ask"));
    driver.person = Rc::new(silent);
    driver.run();
    let question = driver.saga.questions().next().expect("a question").clone();
    for day in 1..=3 {
        driver.now = driver.saga.look_again_at.expect("a reminder");
        driver.feed(What::Woken);
        let reminded = driver.told.iter().filter(|notice| matches!(notice, Notice::Reminded(..))).count();
        assert_eq!(reminded, day);
    }
    let answer = |number, choice| What::Answer { question: number, choice, pick: None, by: "ops".into() };
    driver.feed(answer(question.number + 1, Choice::GoOn));
    driver.feed(answer(question.number, Choice::End));
    assert_eq!(refused(&driver), [OrderRefused::NoSuchQuestion, OrderRefused::NotOffered]);
    driver.feed(answer(question.number, Choice::GoOn));
    driver.feed(answer(question.number, Choice::GoOn));
    assert_eq!(refused(&driver)[2..], [OrderRefused::NoSuchQuestion], "answered twice is answered once");
}

#[test]
fn what_was_gone_on_without_is_missing_for_those_that_need_it_and_they_say_so() {
    let mut driver = begun(planted("afterwards", "i", Fault::Refused, u32::MAX));
    driver.person = Rc::new(|question| match question.ask {
        Ask::Failed => Some(Choice::GoOn),
        Ask::NeedMissing => None,
        _ => goes_on(question),
    });
    driver.run();
    let question = driver.saga.questions().next().expect("a question");
    assert_eq!((question.ask, question.words.as_str()), (Ask::NeedMissing, "afterwards"));
}

#[test]
fn stored_progress_is_read_as_it_was_written_and_nothing_else_is() {
    let golden = include_str!("golden/progress.txt");
    let saga = Saga::from_text(Trial, golden).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(saga.to_text(), golden, "a release writes what its predecessor reads");
    for (at, line) in golden.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        let text = golden.replacen(line, &format!("{first}x {rest}"), 1);
        let error = Saga::from_text(Trial, &text).expect_err(line);
        assert_eq!(error.line, at + 1, "{line}");
    }
    assert!(Saga::from_text(Trial, "").is_err());
}
