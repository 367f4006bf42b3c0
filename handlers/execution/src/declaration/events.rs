//! What a declaration tells other systems: that a region is suspected, counts as lost or answers again, and that a person is asked.
//! It never decides and never reads: what it says follows from what is written in the same moment.

use jiff::Timestamp;
use lifeboat_contract::declaration::{condition, source};
use lifeboat_contract::events::{
    ApprovalAsked, Event, FailoverRefused, Line, List, Name, REASONS_MAX, RegionConfirmed, RegionRecovered,
    RegionSuspected,
};
use lifeboat_planning::declaration::{Act, Decision, Declaration, Shown, Source, Standing};
use lifeboat_planning::recovery::RecoveryPlan;
use lifeboat_planning::saga::Takes;

use crate::orders::approvals::LAPSES_AFTER;

/// The events of one evaluation. Their ids rest on the incident's opening and on the moment that is stored with the move: the record
/// is written under a condition, so that of two who evaluate at once, or of one who does it again, only one has moved it.
pub fn of(
    plan: &RecoveryPlan,
    before: &Declaration,
    after: &Declaration,
    news: &[&Decision],
    shown: (&Shown, Option<Takes>),
) -> Vec<Event> {
    let decided = news.iter().filter_map(|decision| of_decision(plan, decision, shown));
    decided.chain(recovered(plan, before, after)).collect()
}

fn of_decision(plan: &RecoveryPlan, decision: &Decision, (shows, takes): (&Shown, Option<Takes>)) -> Option<Event> {
    let (recovery_plan, region) = (Name::new(&plan.name), Name::new(plan.from.as_str()));
    let at = decision.at;
    let incident = decision.incident.map(incident);
    let occurrence = format!("{}/{at}", incident.as_ref().map(Name::as_str).unwrap_or_default());
    let (since, evidence) = (since(decision), evidence(decision));
    let data_loss_seconds = decision.loss.span().and_then(|lost| u64::try_from(lost.as_secs()).ok());
    match decision.act {
        Act::TellSuspected => {
            let told = RegionSuspected { recovery_plan, region, incident: incident?, since, evidence };
            Some(Event::new(told, &occurrence, at))
        }
        Act::Show => {
            let told =
                RegionConfirmed { recovery_plan, region, incident: incident?, since, evidence, data_loss_seconds };
            Some(Event::new(told, &occurrence, at))
        }
        Act::Ask => {
            let question = format!("fail {} over from {} to {}?", plan.name, plan.from.as_str(), plan.to.as_str());
            let told = ApprovalAsked {
                recovery_plan,
                incident: incident?,
                digest: Name::new(shows.digest()),
                question: Line::new(question),
                approvals: u64::from(plan.declaration.approvals),
                until: at.checked_add(LAPSES_AFTER).unwrap_or(Timestamp::MAX),
                data_loss_seconds,
                takes_seconds: takes.and_then(|takes| u64::try_from(takes.usually.as_secs()).ok()),
            };
            Some(Event::new(told, &occurrence, at))
        }
        Act::RefuseWord => {
            let unmet = decision.conditions.iter().filter(|one| !one.met);
            let unmet = List::new(unmet.map(|one| Line::new(format!("{}: {}", one.name().word(), condition(one)))));
            Some(Event::new(FailoverRefused { recovery_plan, incident, unmet }, &occurrence, at))
        }
        _ => None,
    }
}

/// That the region answers again: told once for each time, when the incident first says so.
fn recovered(plan: &RecoveryPlan, before: &Declaration, after: &Declaration) -> Option<Event> {
    let opened_at = before.incident.as_ref().or(after.incident.as_ref())?.opened_at;
    let known = before.incident.as_ref().and_then(|incident| incident.recovered_at);
    let at = match &after.incident {
        Some(incident) => incident.recovered_at?,
        // An incident closes after recovery alone.
        None => after.well_since?,
    };
    let told = RegionRecovered {
        recovery_plan: Name::new(&plan.name),
        region: Name::new(plan.from.as_str()),
        incident: incident(opened_at),
    };
    known.is_none().then(|| Event::new(told, &format!("{opened_at}/{at}"), at))
}

/// An incident is known by when it opened.
fn incident(opened_at: Timestamp) -> Name {
    Name::new(opened_at.to_string())
}

fn failing(decision: &Decision) -> impl Iterator<Item = &Source> {
    decision.sources.iter().filter(|one| one.standing == Standing::Failing)
}

fn evidence(decision: &Decision) -> List<Line, REASONS_MAX> {
    List::new(failing(decision).map(|one| Line::new(source(one))))
}

fn since(decision: &Decision) -> Timestamp {
    failing(decision).filter_map(|one| one.since).min().unwrap_or(decision.at)
}
