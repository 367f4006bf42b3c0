//! What entries of ledgers and changes of alarms tell other systems.
//! It never decides and never reads: what it says follows from what is written in the same moment.

use jiff::Timestamp;
use lifeboat_contract::events::{
    AlarmClosed, AlarmRaised, ArmId, Event, Line, List, MACHINES_MAX, Name, PointCreated, PointExpired, PointFailed,
    ProtectionEnabled, RpoBreached,
};

use crate::account::{DELETE_POINT, DELETE_SNAPSHOT, PROTECT};
use crate::alarms::{Alarm, Cause};
use crate::ledger::{Body, Decision, Entry, OutcomeResult, ReadBack};

/// What an entry of a machine's ledger tells, given the entries before it that are read.
pub fn of_entry(before: &[Body], machine: &str, entry: &Entry, at: Timestamp) -> Option<Event> {
    match entry {
        Entry::Verified { point, succeeded, consistency } => {
            let policy = deciding(before, |what| what.contains(point.as_str())).map(|(_, decision)| decision);
            Some(ended(machine, point, *succeeded, consistency.as_deref(), policy, at))
        }
        Entry::Outcome { effect, result, read, .. } => {
            let decided = before.iter().rev().find_map(|body| {
                let decision = decision_of(body)?;
                let planned = decision.effects.iter().find(|planned| planned.key == *effect)?;
                Some((body.seq, decision, planned.what.as_str()))
            });
            let (seq, decision, what) = decided?;
            match (read, result) {
                (Some(ReadBack::Gone), _) => expired(machine, what, decision, at),
                (None, OutcomeResult::Done | OutcomeResult::FoundAfterStop) if what.starts_with(PROTECT) => {
                    let told = ProtectionEnabled {
                        machine: ArmId::new(machine),
                        policy: policy_of(decision),
                        what: Line::new(what),
                    };
                    // A machine may lose its protection and get it again: the decision tells the times apart.
                    Some(Event::new(told, &seq.to_string(), at))
                }
                _ => None,
            }
        }
        Entry::Decision(_) => None,
    }
}

fn ended(
    machine: &str,
    point: &str,
    succeeded: bool,
    consistency: Option<&str>,
    decision: Option<&Decision>,
    at: Timestamp,
) -> Event {
    let (machine, name) = (ArmId::new(machine), Name::new(point));
    let policy = decision.and_then(policy_of);
    // The name of a point is one attempt's for ever.
    if succeeded {
        let consistency = consistency.map(Name::new);
        Event::new(PointCreated { machine, point: name, policy, consistency }, point, at)
    } else {
        Event::new(PointFailed { machine, point: name, policy }, point, at)
    }
}

fn expired(machine: &str, what: &str, decision: &Decision, at: Timestamp) -> Option<Event> {
    let rest = what.strip_prefix(DELETE_POINT).or_else(|| what.strip_prefix(DELETE_SNAPSHOT))?;
    let point = rest.split([' ', ',']).next().unwrap_or_default();
    let told = PointExpired { machine: ArmId::new(machine), point: Name::new(point), policy: policy_of(decision) };
    Some(Event::new(told, point, at))
}

/// The last decision with an effect that says this.
fn deciding(before: &[Body], says: impl Fn(&str) -> bool) -> Option<(u64, &Decision)> {
    before.iter().rev().find_map(|body| {
        let decision = decision_of(body)?;
        decision.effects.iter().any(|planned| says(&planned.what)).then_some((body.seq, decision))
    })
}

fn decision_of(body: &Body) -> Option<&Decision> {
    match &body.entry {
        Entry::Decision(decision) => Some(decision),
        Entry::Outcome { .. } | Entry::Verified { .. } => None,
    }
}

fn policy_of(decision: &Decision) -> Option<Name> {
    Some(Name::new(&decision.policy)).filter(|policy| !policy.as_str().is_empty())
}

/// What a change of an alarm tells: that it opened, or that it closed. That it was raised again tells nobody anything new.
pub fn of_alarm(before: Option<&Alarm>, after: &Alarm) -> Vec<Event> {
    let was_open = before.is_some_and(Alarm::is_open);
    // Since when it is open is stored with it: whoever writes the same opening again gives the same id.
    let occurrence = after.since.to_string();
    let (cause, policy) = (Name::new(after.cause.word()), after.policy.as_deref().map(Name::new));
    match after.settled_at {
        None if !was_open => {
            let machines: List<ArmId, MACHINES_MAX> = List::new(after.machines.iter().map(ArmId::new));
            let (since, machines_total) = (after.since, after.machines_total);
            let breach = policy.clone().filter(|_| after.cause == Cause::RpoBreached).map(|policy| {
                let machines = machines.clone();
                Event::new(RpoBreached { policy, since, machines, machines_total }, &occurrence, since)
            });
            let what = Line::new(&after.what);
            let raised = AlarmRaised { cause, policy, what, since, machines, machines_total };
            [Some(Event::new(raised, &occurrence, since)), breach].into_iter().flatten().collect()
        }
        Some(closed_at) if was_open => {
            let closed = AlarmClosed { cause, policy, since: after.since, closed_at, count: after.count };
            vec![Event::new(closed, &occurrence, closed_at)]
        }
        None | Some(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use lifeboat_contract::events::Happening;

    use super::*;
    use crate::ledger::{Head, PlannedEffect};

    const MACHINE: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/web-1";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn decided(what: &str) -> Vec<Body> {
        let effects = vec![PlannedEffect { key: "k".into(), what: what.into() }];
        let decision = Decision { policy: "production".into(), effects, ..Decision::default() };
        let (line, _) = Head::empty().next(at(1), MACHINE, Entry::Decision(decision)).expect("an entry");
        crate::ledger::read(&line).expect("a chain").0
    }

    fn outcome(result: OutcomeResult, read: Option<ReadBack>) -> Entry {
        Entry::Outcome { effect: "k".into(), result, detail: String::new(), read }
    }

    #[test]
    fn entries_tell_what_came_of_points_and_protection_and_nothing_else() {
        let point = "make restore point lb-a-1, crash-consistent because x";
        let verified =
            |succeeded| Entry::Verified { point: "lb-a-1".into(), succeeded, consistency: Some("Crash".into()) };
        let protect = "protect the machine in vault v by vault policy p";
        let (done, gone) = (OutcomeResult::Done, Some(ReadBack::Gone));
        for (what, entry, word) in [
            (point, verified(true), Some("point.created")),
            (point, verified(false), Some("point.failed")),
            (point, outcome(done, None), None),
            ("delete restore point lb-a-1, because x", outcome(done, None), None),
            ("delete restore point lb-a-1, because x", outcome(done, gone), Some("point.expired")),
            ("delete snapshot lb-a-1, because x", outcome(done, gone), Some("point.expired")),
            ("delete snapshot lb-a-1", outcome(OutcomeResult::NotSent, Some(ReadBack::Stays)), None),
            (protect, outcome(done, None), Some("protection.enabled")),
            (protect, outcome(OutcomeResult::FoundAfterStop, None), Some("protection.enabled")),
            (protect, outcome(OutcomeResult::Refused, None), None),
            (protect, Entry::Decision(Decision::default()), None),
        ] {
            let told = of_entry(&decided(what), MACHINE, &entry, at(9));
            assert_eq!(told.as_ref().map(|event| event.happening.word()), word, "{what}: {entry:?}");
            let again = of_entry(&decided(what), MACHINE, &entry, at(99));
            assert_eq!(told.map(|event| event.id), again.map(|event| event.id), "{what}: a retry has the same id");
        }
        let told = of_entry(&decided("delete snapshot lb-a-1, because x"), MACHINE, &outcome(done, gone), at(9));
        let Some(Happening::PointExpired(told)) = told.map(|event| event.happening) else { panic!("it expired") };
        assert_eq!((told.point.as_str(), told.policy), ("lb-a-1", Some(Name::new("production"))));
    }

    #[test]
    fn an_alarm_tells_when_it_opens_and_when_it_closes() {
        let open = Alarm {
            version: 1,
            cause: Cause::RpoBreached,
            policy: Some("production".into()),
            since: at(5),
            last: at(5),
            count: 1,
            settled_at: None,
            what: "late".into(),
            machines: vec![MACHINE.into()],
            machines_total: 1,
            outbox: Vec::new(),
        };
        let again = Alarm { count: 2, last: at(9), ..open.clone() };
        let closed = Alarm { settled_at: Some(at(12)), ..again.clone() };
        let words = |before: Option<&Alarm>, after: &Alarm| {
            of_alarm(before, after).iter().map(|event| event.happening.word()).collect::<Vec<_>>()
        };
        assert_eq!(words(None, &open), ["alarm.raised", "rpo.breached"]);
        assert_eq!(words(Some(&open), &again), [""; 0]);
        assert_eq!(words(Some(&again), &closed), ["alarm.closed"]);
        assert_eq!(words(Some(&closed), &closed), [""; 0]);
        let reopened = Alarm { since: at(20), ..open.clone() };
        assert_eq!(words(Some(&closed), &reopened), ["alarm.raised", "rpo.breached"]);
        assert_ne!(of_alarm(None, &open)[0].id, of_alarm(Some(&closed), &reopened)[0].id);
        let other = Alarm { cause: Cause::NoVault, policy: None, ..open };
        assert_eq!(words(None, &other), ["alarm.raised"]);
    }
}
