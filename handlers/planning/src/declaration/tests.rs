//! What holds of every declaration. The truth table of histories stands with the readers, in `contract`.

use alloc::string::String;
use alloc::vec::Vec;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::policy::{Location, Match};
use crate::recovery::{self, Fence, Group, Measured, Replication, Reported};
use crate::signal::{About, Signal, Signals, State, Told};

fn at(minutes: i64) -> Timestamp {
    let base: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
    base.checked_add(SignedDuration::from_mins(minutes)).unwrap()
}

fn evidence() -> Evidence {
    Evidence {
        reported: [Reported::ServiceHealth, Reported::ResourceHealth].into(),
        measured: [Measured::Probe, Measured::MetricAlert].into(),
        alerts: ["shop-availability".into()].into(),
        at_least: 2,
        window: SignedDuration::from_mins(10),
    }
}

fn plan(by: By) -> RecoveryPlan {
    RecoveryPlan {
        name: "shop".into(),
        from: Location::new("West Europe"),
        to: Location::new("North Europe"),
        replication: Replication::SiteRecovery,
        groups: [Group { name: "all".into(), members: Match::All([].into()), before: [].into(), after: [].into() }]
            .into(),
        traffic: Vec::new(),
        declaration: recovery::Declaration {
            by,
            approvals: 1,
            evidence: evidence(),
            cooldown: SignedDuration::from_hours(6),
            fence: Fence::Required,
            max_data_loss: SignedDuration::from_mins(15),
        },
    }
}

fn said(origin: Origin, matter: &str, state: State, minute: i64) -> Signal {
    Signal {
        origin,
        region: "westeurope".into(),
        about: About::Region { matter: matter.into(), service: String::new() },
        state,
        since: None,
        said_at: at(minute),
        told: Told::Reading,
    }
}

/// An estate in which all is well but what the signals say.
fn facts<'a>(signals: &'a Signals, assumed: &'a Assumed, now: Timestamp) -> Facts<'a> {
    Facts {
        signals,
        machines: 5,
        target_machines: 3,
        readiness: Readiness::Ready { at: now },
        point_at: Some(at(-1)),
        fence: FenceSeen::NotTried,
        assumed,
        rejected: None,
        saga: SagaSeen::None,
        saga_began_at: None,
        word: None,
    }
}

/// Every minute of an outage that an incident and a probe tell of, from minute 0 on, until the last one.
fn outage(plan: &RecoveryPlan, minutes: i64) -> (Declaration, Signals) {
    let (mut state, mut signals, assumed) = (
        Declaration::default(),
        Signals::default(),
        Assumed { entries: BTreeSet::new(), approved: Some(BTreeSet::new()) },
    );
    for minute in 0..=minutes {
        signals.take(&[said(Origin::ServiceHealth, "NA0F-1", State::Failing, minute)], at(minute));
        signals.take(&[said(Origin::Probe, "front", State::Failing, minute)], at(minute));
        signals.read_whole(at(minute));
        state = settle(&state, plan, &facts(&signals, &assumed, at(minute)), at(minute)).0;
    }
    (state, signals)
}

#[test]
fn every_condition_is_told_at_every_look_by_its_name() {
    let (signals, assumed) = (Signals::default(), Assumed::default());
    for (by, count) in [(By::Person, 9), (By::Approval, 9), (By::Rules, 13)] {
        let (_, decision) = step(&Declaration::default(), &plan(by), &facts(&signals, &assumed, at(0)), at(0));
        let names: BTreeSet<Name> = decision.conditions.iter().map(Condition::name).collect();
        assert_eq!((decision.conditions.len(), names.len()), (count, count));
    }
}

#[test]
fn suspected_is_told_with_the_first_evidence_and_confirmed_with_the_end_of_the_window() {
    let approval = plan(By::Approval);
    assert_eq!(outage(&approval, 0).0.phase, Phase::Suspected);
    let window = approval.declaration.evidence.window.as_mins();
    // The probe is evidence with its second failure, a minute later.
    assert_eq!(outage(&approval, window).0.phase, Phase::Suspected);
    assert_eq!(outage(&approval, window + 1).0.phase, Phase::AwaitingApproval);
}

#[test]
fn a_standing_approval_of_another_list_is_none() {
    let entries: BTreeSet<String> = ["a".into(), "b".into()].into();
    let other: BTreeSet<String> = ["a".into()].into();
    let more: BTreeSet<String> = ["a".into(), "b".into(), "c".into()].into();
    for (approved, left) in [(Some(entries.clone()), 0), (Some(other), 2), (Some(more), 2), (None, 2)] {
        assert_eq!(Assumed { entries: entries.clone(), approved }.unapproved().len(), left);
    }
}

#[test]
fn what_was_to_begin_is_read_again_until_it_has_begun() {
    let rules = plan(By::Rules);
    let (state, signals) = outage(&rules, 20);
    assert_eq!(state.phase, Phase::FailingOver);
    let assumed = Assumed { entries: BTreeSet::new(), approved: Some(BTreeSet::new()) };
    let (_, decision) = step(&state, &rules, &facts(&signals, &assumed, at(20)), at(20));
    assert_eq!((decision.to, decision.act), (Phase::FailingOver, Act::Start), "beginning again is harmless");
    let gone = Facts { readiness: Readiness::Unknown, ..facts(&signals, &assumed, at(20)) };
    let (_, decision) = step(&state, &rules, &gone, at(20));
    assert_eq!((decision.to, decision.act), (Phase::Suspected, Act::StepBack));
}

#[test]
fn what_a_person_ordered_and_has_not_begun_is_never_begun_by_rules() {
    let assumed = Assumed { entries: BTreeSet::new(), approved: Some(BTreeSet::new()) };
    for by in [By::Person, By::Approval] {
        let (state, signals) = outage(&plan(by), 20);
        let word = Word { passes: BTreeSet::new() };
        let ordered = Facts { word: Some(&word), ..facts(&signals, &assumed, at(20)) };
        let (state, decision) = step(&state, &plan(by), &ordered, at(20));
        assert_eq!((decision.to, decision.act), (Phase::FailingOver, Act::Start));
        let (_, decision) = step(&state, &plan(by), &facts(&signals, &assumed, at(21)), at(21));
        assert_eq!((decision.to, decision.act), (Phase::Suspected, Act::StepBack), "{by:?}");
    }
}

#[test]
fn a_persons_no_holds_the_rules_up_for_its_incident_and_no_other() {
    let rules = plan(By::Rules);
    let (state, signals) = outage(&rules, 20);
    let opened_at = state.incident.as_ref().expect("an incident").opened_at;
    let assumed = Assumed { entries: BTreeSet::new(), approved: Some(BTreeSet::new()) };
    let asked = Declaration { phase: Phase::AwaitingApproval, ..state };
    let act = |incident| {
        let rejected = Some(Rejected { incident, at: at(19) });
        let (_, decision) = step(&asked, &rules, &Facts { rejected, ..facts(&signals, &assumed, at(20)) }, at(20));
        let unmet: Vec<Name> = decision.conditions.iter().filter(|one| !one.met).map(Condition::name).collect();
        (decision.act, unmet)
    };
    assert_eq!(act(opened_at), (Act::Nothing, vec![Name::NotRejected]));
    assert_eq!(act(at(-9)), (Act::Start, vec![]), "it was said of an earlier incident");
    let (rejected, word) = (Some(Rejected { incident: opened_at, at: at(19) }), Word::default());
    let ordered = Facts { rejected, word: Some(&word), ..facts(&signals, &assumed, at(20)) };
    assert_eq!(step(&asked, &rules, &ordered, at(20)).1.act, Act::Start, "a person's own order is a person's");
}

#[test]
fn a_saga_that_a_person_began_is_followed_from_any_phase() {
    let person = plan(By::Person);
    let (signals, assumed) = (Signals::default(), Assumed::default());
    let running = Facts { saga: SagaSeen::Running { accepted: false }, ..facts(&signals, &assumed, at(0)) };
    let (state, decision) = step(&Declaration::default(), &person, &running, at(0));
    assert_eq!((decision.to, decision.act), (Phase::FailingOver, Act::Follow));
    assert_eq!(state.incident.expect("an incident").failover_begun_at, Some(at(0)));
}

#[test]
fn a_region_that_is_well_by_the_first_look_after_a_failover_was_begun_stops_it() {
    let (rules, assumed) = (plan(By::Rules), Assumed::default());
    let mut signals = Signals::default();
    signals.take(&[said(Origin::ServiceHealth, "NA0F-1", State::Failing, 0)], at(0));
    signals.read_whole(at(0));
    let (suspected, _) = step(&Declaration::default(), &rules, &facts(&signals, &assumed, at(0)), at(0));
    let declared = Declaration { phase: Phase::FailingOver, ..suspected };
    signals.take(&[said(Origin::ServiceHealth, "NA0F-1", State::Well, 2)], at(2));
    signals.read_whole(at(2));
    let act = |began| {
        let (saga, saga_began_at) = (SagaSeen::Running { accepted: false }, Some(at(began)));
        step(&declared, &rules, &Facts { saga, saga_began_at, ..facts(&signals, &assumed, at(2)) }, at(2)).1.act
    };
    assert_eq!(act(1), Act::StopAndAsk, "it was begun a minute before");
    assert_eq!(act(2), Act::Nothing, "it was well when it was begun");
}

#[test]
fn an_incident_that_a_person_opened_while_all_was_well_is_recovered_from_its_beginning() {
    let (person, assumed) = (plan(By::Person), Assumed::default());
    let (mut signals, mut state) = (Signals::default(), Declaration::default());
    let mut look = |saga, minute| {
        signals.read_whole(at(minute));
        state = step(&state, &person, &Facts { saga, ..facts(&signals, &assumed, at(minute)) }, at(minute)).0;
        state.incident.as_ref().and_then(|incident| incident.recovered_at)
    };
    (0..40).for_each(|minute| assert_eq!(look(SagaSeen::None, minute), None, "no incident"));
    look(SagaSeen::Running { accepted: false }, 40);
    assert_eq!(look(SagaSeen::Running { accepted: true }, 41), Some(at(40)), "and not from before it");
}

#[test]
fn a_machine_that_was_stopped_and_is_named_no_more_is_no_part_of_the_fleet() {
    let mut signals = Signals::default();
    let said = |name: &str, state, minute| Signal {
        about: About::Machine(name.to_owned()),
        ..said(Origin::ResourceHealth, name, state, minute)
    };
    let read = |signals: &mut Signals, names: [(&str, State); 2], minute| {
        let all: Vec<Signal> = names.iter().map(|(name, state)| said(name, *state, minute)).collect();
        signals.take(&all, at(minute));
        signals.read_whole(at(minute));
    };
    let failing = |signals: &Signals, minute| {
        let region = sources::Region { name: "westeurope", machines: 2, alerts: None, failing_before: &[] };
        let all = sources::sources(signals, region, at(minute));
        let health = all.iter().find(|source| source.origin == Origin::ResourceHealth).expect("a source");
        (health.standing, health.share)
    };
    for (state, minute) in [(State::Well, -1), (State::Excused, 0)] {
        signals.take(&["old-1", "old-2", "old-3"].map(|name| said(name, state, minute)), at(minute));
    }
    read(&mut signals, [("by-1", State::Well), ("by-2", State::Well)], 0);
    read(&mut signals, [("by-1", State::Failing), ("by-2", State::Failing)], 1);
    assert_eq!(failing(&signals, 1), (Standing::Uneasy, Some(Share { failing: 2, of: 5 })));
    read(&mut signals, [("by-1", State::Failing), ("by-2", State::Failing)], 3);
    assert_eq!(failing(&signals, 3), (Standing::Failing, Some(Share { failing: 2, of: 2 })));
}

#[test]
fn an_alert_rule_speaks_for_the_recovery_plan_that_names_it_alone_and_bad_news_of_the_target_for_all() {
    let (plan, assumed) = (plan(By::Approval), Assumed::default());
    let fired = |region: &str, rule: &str| Signal {
        region: region.into(),
        about: About::Region { matter: "m-1".into(), service: rule.into() },
        ..said(Origin::MetricAlert, "m-1", State::Failing, 0)
    };
    let looked = |signal: Signal| {
        let mut signals = Signals::default();
        signals.take(&[signal], at(0));
        signals.read_whole(at(0));
        let (state, decision) = step(&Declaration::default(), &plan, &facts(&signals, &assumed, at(0)), at(0));
        let healthy = decision.conditions.iter().find(|condition| condition.name() == Name::TargetHealthy);
        (state.phase, healthy.map(|condition| condition.met))
    };
    assert_eq!(looked(fired("westeurope", "shop-availability")), (Phase::Suspected, Some(true)));
    assert_eq!(looked(fired("westeurope", "another-plans")), (Phase::Normal, Some(true)));
    assert_eq!(looked(fired("northeurope", "another-plans")), (Phase::Normal, Some(false)));
}

#[test]
fn evidence_is_told_that_comes_after_a_failover_of_a_well_region_was_undone() {
    let (approval, assumed) = (plan(By::Approval), Assumed::default());
    let (mut signals, mut state) = (Signals::default(), Declaration::default());
    let mut looks = |saga, signals: &Signals, minute| {
        let facts = Facts { saga, ..facts(signals, &assumed, at(minute)) };
        let (after, decisions) = settle(&state, &approval, &facts, at(minute));
        state = after;
        decisions.iter().map(|one| one.act).collect::<Vec<Act>>()
    };
    signals.read_whole(at(0));
    assert_eq!(looks(SagaSeen::Running { accepted: false }, &signals, 0), [Act::Follow]);
    assert_eq!(looks(SagaSeen::Undone, &signals, 1), [Act::TellUndone, Act::Nothing]);
    signals.take(&[said(Origin::ServiceHealth, "NA0F-1", State::Failing, 2)], at(2));
    assert_eq!(looks(SagaSeen::None, &signals, 2), [Act::TellSuspected, Act::Nothing]);
}

#[test]
fn the_incident_has_its_own_beginning_and_its_senders_join_it() {
    let (state, _) = outage(&plan(By::Approval), 15);
    let incident = state.incident.expect("an incident");
    assert_eq!(incident.opened_at, at(0));
    let origins: BTreeSet<Origin> = incident.senders.iter().map(|(origin, _)| *origin).collect();
    assert_eq!(origins, [Origin::ServiceHealth, Origin::Probe].into());
}

#[test]
fn the_loss_is_from_the_point_to_the_first_evidence_or_the_last_good_probe() {
    let rules = evidence();
    let source = |since, standing| {
        alloc::vec![Source { origin: Origin::ServiceHealth, standing, since, share: None, names: Vec::new() }]
    };
    let failing = loss::loss(&source(Some(at(10)), Standing::Failing), &rules, Some(at(30)), Some(at(4)));
    assert_eq!(
        (failing.span(), failing.by),
        (Some(SignedDuration::from_mins(6)), StoppedBy::Evidence(Origin::ServiceHealth))
    );
    let silent = loss::loss(&source(None, Standing::Silent), &rules, Some(at(30)), Some(at(4)));
    assert_eq!((silent.span(), silent.by), (Some(SignedDuration::from_mins(26)), StoppedBy::LastGoodProbe));
    let after = loss::loss(&source(Some(at(10)), Standing::Failing), &rules, None, Some(at(12)));
    assert_eq!(after.span(), Some(SignedDuration::ZERO));
    assert_eq!(loss::loss(&source(Some(at(10)), Standing::Failing), &rules, None, None).span(), None);
    assert_eq!(loss::loss(&[], &rules, None, Some(at(1))).span(), None);
}

/// Anything that may be heard in a minute.
fn any_signal() -> impl Strategy<Value = (Origin, u8, State)> {
    let states = [State::Failing, State::Failing, State::Well, State::Unavailable, State::PlatformFault];
    (prop::sample::select(Origin::ALL.to_vec()), 0u8..3, prop::sample::select(states.to_vec()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_heard_nothing_begins_without_its_conditions_and_looking_again_changes_nothing(
        minutes in prop::collection::vec((prop::collection::vec(any_signal(), 0..3), any::<bool>(), any::<bool>()), 1..60),
        by in prop::sample::select(alloc::vec![By::Person, By::Approval, By::Rules]),
        approved in any::<bool>(),
        ready in any::<bool>(),
    ) {
        let plan = plan(by);
        let entries: BTreeSet<String> = ["an entry".into()].into();
        let assumed = Assumed { approved: approved.then(|| entries.clone()), entries };
        let (mut state, mut signals) = (Declaration::default(), Signals::default());
        for (minute, (heard, read, fence)) in (0i64..).zip(minutes) {
            for (origin, matter, fails) in heard {
                signals.take(&[said(origin, ["a", "b", "c"][usize::from(matter)], fails, minute)], at(minute));
            }
            if read {
                signals.read_whole(at(minute));
            }
            let readiness = if ready { Readiness::Ready { at: at(minute) } } else { Readiness::Unknown };
            let fence = if fence { FenceSeen::NotTried } else { FenceSeen::Impossible };
            let facts = Facts { readiness, fence, ..facts(&signals, &assumed, at(minute)) };
            let (after, decisions) = settle(&state, &plan, &facts, at(minute));
            for decision in &decisions {
                let all = |needed| decision.conditions.iter().filter(|one| one.needed_for == needed).all(|one| one.met);
                if decision.act == Act::Start {
                    prop_assert!(by == By::Rules && ready && approved);
                    prop_assert!(all(NeededFor::Confirming));
                    prop_assert!(all(NeededFor::Rules));
                }
                if decision.to == Phase::Confirmed {
                    prop_assert!(all(NeededFor::Confirming));
                }
            }
            prop_assert!(after.phase == Phase::Normal || after.incident.is_some());
            let (again, quiet) = settle(&after, &plan, &facts, at(minute));
            prop_assert_eq!(&again, &after);
            prop_assert!(quiet.iter().all(|decision| decision.from == decision.to));
            state = after;
        }
    }

    #[test]
    fn silence_alone_never_moves_anything_but_a_question_that_lost_its_ground(minutes in 1i64..600) {
        let approval = plan(By::Approval);
        let (mut state, mut signals) = outage(&approval, 5);
        prop_assert_eq!(state.phase, Phase::Suspected);
        let assumed = Assumed::default();
        for minute in 6..6 + minutes {
            signals.read_whole(at(minute));
            signals.age(at(minute));
            state = settle(&state, &approval, &facts(&signals, &assumed, at(minute)), at(minute)).0;
            prop_assert_eq!(state.phase, Phase::Suspected);
        }
    }
}
