//! Judges the declaration: what is told of a region, what a decision records, and by which right a saga begins.
//! It never judges what the saga does then.

use super::approvals::counted_for_start;
use super::bounds::{
    EVIDENCE_AGE_SECONDS_MAX, FRESH_READ_SECONDS_MAX, KNOWN_SECONDS, LATEST_MOMENT_SECONDS, READINESS_SECONDS_MAX,
    TELL_SECONDS_MAX,
};
use super::history::{By, Condition, Event, RegionState, Time, Told, Weighed, What};
use super::world::{PlanWorld, World};
use super::wrong::{Promise, Wrongs};

/// What stands in each decision (design §8).
const ALWAYS_RECORDED: [Condition; 8] = [
    Condition::Evidence,
    Condition::FreshRead,
    Condition::TargetHealthy,
    Condition::Ready,
    Condition::NoCooldown,
    Condition::DataLoss,
    Condition::Fence,
    Condition::MembersAllow,
];

/// What stands in a decision by rules beside them.
const RECORDED_BY_RULES: [Condition; 2] = [Condition::ReportedAndMeasured, Condition::StandingApproval];

/// Judges one event in the world as it was before it.
pub fn judge(world: &World, event: &Event, wrongs: &mut Wrongs) {
    let at = event.at;
    match &event.what {
        // What is told again was judged the first time.
        What::Told { id, told } if !world.told.contains_key(id) => judge_told(world, told, at, wrongs),
        What::Begun { plan, saga, incident, by_rules } => {
            let Some(plan) = world.plans.get(plan) else {
                wrongs.say(at, Promise::ConditionsRecorded, format!("saga {saga} began for a plan that never was"));
                return;
            };
            judge_begun(plan, saga, incident, at, wrongs);
            if *by_rules {
                judge_rules(world, plan, saga, incident, at, wrongs);
            } else {
                judge_persons(world, plan, saga, at, wrongs);
            }
        }
        _ => {}
    }
}

fn judge_told(world: &World, told: &Told, at: Time, wrongs: &mut Wrongs) {
    // It is told some time after it was decided, and later where the topic, the store or a controller was in trouble.
    let late = TELL_SECONDS_MAX + world.calm.troubled(at - EVIDENCE_AGE_SECONDS_MAX, at);
    match told {
        Told::Suspected { plan, incident } => {
            let Some(known) = world.plans.get(plan) else { return };
            let stood = known.sources.any.had_stood(0, at, late);
            wrongs.say_if(!stood, at, Promise::RealEvidence, || {
                format!("{incident} was opened though no evidence counts for {}", known.plan.from)
            });
            if let Some((open, _)) = known.incident.as_ref().filter(|(open, _)| open != incident) {
                wrongs.say(at, Promise::OncePerIncident, format!("{incident} was opened while {open} is not closed"));
            }
        }
        Told::Confirmed { plan, incident } => {
            let Some(known) = world.plans.get(plan) else { return };
            let whole = known.sources.enough.had_stood(known.plan.window, at, late);
            wrongs.say_if(!whole, at, Promise::WholeWindow, || {
                format!("{incident} was confirmed though no {} sources stood for the window", known.plan.at_least)
            });
        }
        Told::Closed { plan, incident } => {
            let Some(known) = world.plans.get(plan) else { return };
            let calm = known.sources.recovered_of_sure.had_stood(known.plan.cooldown, at, late);
            wrongs.say_if(!calm, at, Promise::IncidentClosed, || {
                format!("{incident} was closed before recovery and cool-down")
            });
        }
        _ => {}
    }
}

/// What holds of each saga, whoever wants it.
fn judge_begun(plan: &PlanWorld, saga: &str, incident: &str, at: Time, wrongs: &mut Wrongs) {
    if let Some(other) = plan.unfinished() {
        wrongs.say(at, Promise::OneSaga, format!("saga {saga} began while {} was not ended", other.id));
    }
    let moved = plan.sagas.iter().find(|one| one.incident == incident && one.past_no_return().is_some());
    if let Some(moved) = moved {
        wrongs.say(at, Promise::OncePerIncident, format!("saga {saga} began though {} failed over already", moved.id));
    }
    let recorded = recorded_now(plan, at);
    for condition in ALWAYS_RECORDED {
        wrongs.say_if(!is_recorded(recorded, condition), at, Promise::ConditionsRecorded, || {
            format!("saga {saga} began without {condition:?} recorded with its value")
        });
    }
    wrongs.say_if(is_unmet(recorded, Condition::MembersAllow), at, Promise::ConditionsMet, || {
        format!("saga {saga} began though a member does not allow failover")
    });
}

/// What the decision of now recorded: the conditions are read again when an order arrives (design §8), so an older one is none.
fn recorded_now(plan: &PlanWorld, at: Time) -> &[Weighed] {
    let recorded = plan.recorded.as_ref().filter(|(since, _)| at - since <= KNOWN_SECONDS);
    recorded.map_or(&[][..], |(_, conditions)| conditions)
}

fn is_recorded(recorded: &[Weighed], condition: Condition) -> bool {
    recorded.iter().any(|weighed| weighed.condition == condition && !weighed.value.is_empty())
}

fn is_unmet(recorded: &[Weighed], condition: Condition) -> bool {
    recorded.iter().any(|weighed| weighed.condition == condition && !weighed.met)
}

fn judge_persons(world: &World, plan: &PlanWorld, saga: &str, at: Time, wrongs: &mut Wrongs) {
    wrongs.say_if(counted_for_start(world, &plan.plan.name, at).is_empty(), at, Promise::Approved, || {
        format!("saga {saga} began without the {} that it needs", needed(plan))
    });
}

fn needed(plan: &PlanWorld) -> &'static str {
    if plan.plan.approvals < 2 { "order or approval" } else { "two approvals" }
}

/// What holds of a declaration by rules: all is met, as it was recorded and in truth.
fn judge_rules(world: &World, plan: &PlanWorld, saga: &str, incident: &str, at: Time, wrongs: &mut Wrongs) {
    wrongs.say_if(plan.plan.by != By::Rules, at, Promise::RulesOnlyWhereAsked, || {
        format!("saga {saga} began by rules though the plan says {:?}", plan.plan.by)
    });
    let again = plan.sagas.iter().any(|one| one.incident == incident && one.past_no_return().is_none());
    wrongs
        .say_if(again, at, Promise::OncePerIncident, || format!("saga {saga} is the second of its incident by rules"));
    let recorded = recorded_now(plan, at);
    for condition in RECORDED_BY_RULES {
        wrongs.say_if(!is_recorded(recorded, condition), at, Promise::ConditionsRecorded, || {
            format!("saga {saga} began by rules without {condition:?} recorded with its value")
        });
    }
    for weighed in recorded.iter().filter(|weighed| !weighed.met) {
        // With `bestEffort` rules may go on where the old side cannot be stopped.
        if weighed.condition != Condition::Fence || plan.plan.fence_required {
            wrongs.say(
                at,
                Promise::ConditionsMet,
                format!("saga {saga} began by rules with {:?} unmet", weighed.condition),
            );
        }
    }
    let whole = plan.sources.enough_for_rules.had_stood(plan.plan.window, at, LATEST_MOMENT_SECONDS);
    wrongs.say_if(!whole, at, Promise::WholeWindow, || {
        format!("saga {saga} began by rules though no reported and measured source stood for the whole window")
    });
    for (wrong, words) in untrue_of_rules(world, plan, at) {
        wrongs.say_if(wrong, at, Promise::ConditionsMet, || format!("saga {saga} began by rules though {words}"));
    }
}

/// What was not so in truth, for longer than Lifeboat may not know it.
fn untrue_of_rules(world: &World, plan: &PlanWorld, at: Time) -> [(bool, &'static str); 6] {
    let target = world.region(&plan.plan.to);
    let ill = target.state != RegionState::Up && target.up_until.is_none_or(|until| at - until > KNOWN_SECONDS);
    let unready = !plan.ready && plan.ready_until.is_none_or(|until| at - until > READINESS_SECONDS_MAX);
    let ended = plan.sagas.iter().filter_map(|saga| saga.ended).max();
    let stale = world.health_read.is_none_or(|read| at - read > FRESH_READ_SECONDS_MAX);
    let loss = data_loss(plan, at);
    [
        (ill, "the target region was not healthy"),
        (unready, "the plan was not ready"),
        (ended.is_some_and(|ended| at - ended < plan.plan.cooldown), "its cool-down was not over"),
        (stale, "Resource Health had not been read afresh"),
        (loss.is_some_and(|loss| loss > plan.plan.max_data_loss), "more would be lost than maxDataLoss"),
        (!plan.standing_approval, "no standing approval stood"),
    ]
}

/// The moment that the source stopped serving less the newest usable point, of the member that loses most; none if either is not told.
fn data_loss(plan: &PlanWorld, at: Time) -> Option<i64> {
    let stopped = plan.sources.stopped_serving(at)?;
    let points = plan.members().filter_map(|member| plan.newest.get(&member.item.to_lowercase()));
    points.map(|point| stopped - point).max()
}
