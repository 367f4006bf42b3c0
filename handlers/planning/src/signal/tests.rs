//! What is kept of signals: the latest word of each thread, once.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{About, FORGOTTEN_AFTER, Origin, PROBE_FAILURES_MIN, STALE_AFTER, Signal, Signals, State, Taken, Told};

fn at(minutes: i64) -> Timestamp {
    let base: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
    base.checked_add(SignedDuration::from_mins(minutes)).unwrap()
}

fn incident(state: State, said: i64, id: &str) -> Signal {
    Signal {
        origin: Origin::ServiceHealth,
        region: "westeurope".into(),
        about: About::Region { matter: "NA0F-1".into(), service: "Virtual Machines".into() },
        state,
        since: None,
        said_at: at(said),
        told: Told::Message(id.into()),
    }
}

fn machine(state: State, said: i64) -> Signal {
    Signal {
        origin: Origin::ResourceHealth,
        about: About::Machine("/vm1".into()),
        told: Told::Reading,
        ..incident(state, said, "")
    }
}

fn probe(state: State, said: i64) -> Signal {
    let about = About::Region { matter: "front".into(), service: String::new() };
    Signal { origin: Origin::Probe, about, told: Told::Reading, ..incident(state, said, "") }
}

fn state_of(signals: &Signals, origin: Origin) -> Option<State> {
    signals.threads("westeurope", origin).next().map(|(_, thread)| thread.state)
}

#[test]
fn a_message_is_heard_once_whatever_it_is_about() {
    let mut signals = Signals::default();
    let first = [
        incident(State::Failing, 0, "c1"),
        Signal { region: "northeurope".into(), ..incident(State::Failing, 0, "c1") },
    ];
    assert_eq!(signals.take(&first, at(0)), [Taken::Stands, Taken::Stands]);
    assert_eq!(signals.take(&first, at(1)), [Taken::Repeated, Taken::Repeated]);
    let (_, thread) = signals.threads("westeurope", Origin::ServiceHealth).next().unwrap();
    assert_eq!((thread.times, thread.affirmed_at), (1, at(0)), "a repeat affirms nothing");
}

#[test]
fn the_sender_s_latest_word_stands_in_whatever_order_it_comes() {
    let mut signals = Signals::default();
    signals.take(&[incident(State::Well, 10, "c2")], at(11));
    assert_eq!(signals.take(&[incident(State::Failing, 5, "c1")], at(12)), [Taken::Older]);
    assert_eq!(state_of(&signals, Origin::ServiceHealth), Some(State::Well));
}

#[test]
fn a_probe_that_was_not_heard_for_long_begins_anew() {
    let silence = Origin::Probe.stands_for().as_mins();
    for (gap, times) in [(silence, 4), (silence + 1, 1)] {
        let mut signals = Signals::default();
        for minute in [0, 1, 2, 2 + gap] {
            signals.take(&[probe(State::Failing, minute)], at(minute));
        }
        let (_, thread) = signals.threads("westeurope", Origin::Probe).next().unwrap();
        let is_evidence = thread.is_evidence(Origin::Probe, at(2 + gap));
        assert_eq!((thread.times, is_evidence), (times, times >= PROBE_FAILURES_MIN), "after {gap} min");
    }
}

#[test]
fn what_fails_must_be_news_and_what_is_well_may_come_late() {
    let late = STALE_AFTER.as_mins() + 1;
    let mut signals = Signals::default();
    assert_eq!(signals.take(&[incident(State::Failing, 0, "c1")], at(late)), [Taken::Stale]);
    assert_eq!(signals.take(&[incident(State::Well, 0, "c2")], at(late)), [Taken::Stands]);
    assert_eq!(signals.take(&[probe(State::Failing, 0)], at(late)), [Taken::Stale]);
}

#[test]
fn a_word_from_the_future_counts_as_said_now() {
    let mut signals = Signals::default();
    signals.take(&[incident(State::Failing, 600, "c1")], at(0));
    signals.take(&[incident(State::Well, 1, "c2")], at(1));
    assert_eq!(state_of(&signals, Origin::ServiceHealth), Some(State::Well));
}

#[test]
fn a_machine_fails_only_when_both_halves_are_told_near_each_other() {
    for (first, second, apart, whole) in [
        (State::Unavailable, State::PlatformFault, 1, State::Failing),
        (State::PlatformFault, State::Unavailable, 1, State::Failing),
        (State::Unavailable, State::PlatformFault, 60, State::PlatformFault),
        (State::PlatformFault, State::Unavailable, 60, State::Unavailable),
        (State::Unavailable, State::Unavailable, 1, State::Unavailable),
        (State::PlatformFault, State::PlatformFault, 1, State::PlatformFault),
    ] {
        let mut signals = Signals::default();
        signals.take(&[machine(first, 0)], at(0));
        signals.take(&[machine(second, apart)], at(apart));
        assert_eq!(state_of(&signals, Origin::ResourceHealth), Some(whole), "{first:?}, {second:?}");
        signals.take(&[machine(State::Well, apart + 1)], at(apart + 1));
        signals.take(&[machine(State::PlatformFault, apart + 2)], at(apart + 2));
        assert_eq!(state_of(&signals, Origin::ResourceHealth), Some(State::PlatformFault), "well ends both halves");
    }
}

#[test]
fn what_somebody_stopped_is_neither_evidence_nor_well_and_is_not_kept_by_itself() {
    let mut signals = Signals::default();
    assert_eq!(signals.take(&[machine(State::Excused, 0)], at(0)), [Taken::Stands]);
    assert_eq!(state_of(&signals, Origin::ResourceHealth), None);
    signals.take(&[machine(State::Failing, 1)], at(1));
    signals.take(&[machine(State::Excused, 2)], at(2));
    assert_eq!(state_of(&signals, Origin::ResourceHealth), Some(State::Excused));
    signals.take(&[machine(State::PlatformFault, 3)], at(3));
    assert_eq!(state_of(&signals, Origin::ResourceHealth), Some(State::PlatformFault), "both halves are told anew");
}

#[test]
fn a_probe_is_evidence_after_failures_in_a_row_and_only_while_it_speaks() {
    let mut signals = Signals::default();
    let is_evidence = |signals: &Signals, now| {
        signals.threads("westeurope", Origin::Probe).any(|(_, thread)| thread.is_evidence(Origin::Probe, now))
    };
    signals.take(&[probe(State::Failing, 0)], at(0));
    assert!(PROBE_FAILURES_MIN > 1 && !is_evidence(&signals, at(0)));
    signals.take(&[probe(State::Failing, 1)], at(1));
    assert!(is_evidence(&signals, at(1)));
    assert!(!is_evidence(&signals, at(1 + Origin::Probe.stands_for().as_mins() + 1)), "silence is no evidence");
    signals.take(&[probe(State::Well, 2)], at(2));
    signals.take(&[probe(State::Failing, 3)], at(3));
    assert!(!is_evidence(&signals, at(3)), "one good answer begins the row anew");
    assert_eq!(signals.good_probe_at("westeurope"), Some(at(2)));
}

#[test]
fn a_beginning_is_believed_only_within_a_day_and_never_after_it_was_said() {
    for (since, believed) in [(Some(-60), -60), (Some(-3 * 24 * 60), 0), (Some(5), 0), (None, 0)] {
        let mut signals = Signals::default();
        signals.take(&[Signal { since: since.map(at), ..incident(State::Failing, 0, "c1") }], at(2));
        let (_, thread) = signals.threads("westeurope", Origin::ServiceHealth).next().unwrap();
        assert_eq!(thread.since, at(believed), "{since:?}");
    }
}

#[test]
fn a_thread_is_forgotten_after_a_day_of_silence() {
    let mut signals = Signals::default();
    signals.take(&[incident(State::Failing, 0, "c1")], at(0));
    let day = FORGOTTEN_AFTER.as_mins();
    signals.age(at(day));
    assert_eq!(state_of(&signals, Origin::ServiceHealth), Some(State::Failing));
    signals.age(at(day + 1));
    assert_eq!(state_of(&signals, Origin::ServiceHealth), None);
}

proptest! {
    #[test]
    fn messages_in_any_order_and_number_end_in_the_same_state(
        said in prop::collection::vec((0i64..20, any::<bool>()), 1..8),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..16),
    ) {
        // A sender says one thing at a time.
        let mut by_time = said;
        by_time.sort_by_key(|(minute, _)| *minute);
        by_time.dedup_by_key(|(minute, _)| *minute);
        let messages: Vec<Signal> = by_time
            .iter()
            .map(|(minute, fails)| {
                let state = if *fails { State::Failing } else { State::Well };
                incident(state, *minute, &format!("c{minute}"))
            })
            .collect();
        let mut signals = Signals::default();
        for index in order {
            signals.take(core::slice::from_ref(index.get(&messages)), at(20));
        }
        for message in &messages {
            signals.take(core::slice::from_ref(message), at(20));
        }
        prop_assert_eq!(state_of(&signals, Origin::ServiceHealth), messages.last().map(|last| last.state));
    }
}
