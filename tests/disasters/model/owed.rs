//! Which duties there are in the world as it is, and since when: of declarations, of sagas, and of orders.
//! It never looks at the clock: `duties` does, and for the old region a doubt owes nothing.

use super::approvals::{Arrived, is_about_declaration};
use super::bounds::{
    ASK_SECONDS_MAX, DECIDED_SECONDS_MAX, FENCE_SECONDS_MAX, OLD_ENDPOINT_SECONDS_MAX, OLD_SIDE_LOOK_SECONDS,
    ONE_DEALLOCATION_SECONDS, ORDER_SECONDS_MAX, REMINDER_SECONDS_MAX, SILENT_SECONDS_MAX, SUSPECTED_SECONDS_MAX,
    TELL_SECONDS_MAX,
};
use super::duties::Duty;
use super::fencing::recovered;
use super::history::{About, By, OrderKind, Power, Time};
use super::points::{chosen, left};
use super::saga::Saga;
use super::world::{PlanWorld, World};
use super::wrong::Promise;

/// All that is owed.
pub fn owed(world: &World) -> Vec<Duty> {
    let mut duties = Duties { all: Vec::new() };
    for plan in world.plans.values() {
        of_declaration(plan, world.read_since, &mut duties);
        for saga in &plan.sagas {
            of_telling(saga, &mut duties);
            if saga.is_unfinished() && world.changes_stopped.is_none() {
                let before = duties.all.len();
                of_saga(world, plan, saga, &mut duties);
                of_old_side(world, plan, saga, &mut duties);
                of_traffic(world, plan, saga, &mut duties);
                of_another_point(plan, saga, &mut duties);
                duties.all[before..].iter_mut().for_each(|duty| duty.from = duty.from.max(world.changes_resumed));
            }
        }
    }
    for arrived in &world.orders {
        of_order(world, arrived, &mut duties);
    }
    duties.all
}

/// The list in the making.
struct Duties {
    all: Vec<Duty>,
}

impl Duties {
    fn owe(&mut self, promise: Promise, whose: &str, from: Time, seconds: i64, words: String) {
        self.all.push(Duty { key: format!("{promise:?} {whose} {words}"), from, seconds, promise, words });
    }
}

fn of_declaration(plan: &PlanWorld, read_since: Time, duties: &mut Duties) {
    let (name, sources) = (&plan.plan.name, &plan.sources);
    let unfinished = plan.unfinished().is_some();
    let Some((incident, opened)) = &plan.incident else {
        // While a saga is unfinished its people know of the region.
        let ended = plan.sagas.iter().filter_map(|saga| saga.ended).max();
        if let Some(since) = sources.surely_any.since.filter(|_| !unfinished) {
            let since = ended.map_or(since, |ended| ended.max(since));
            let words = format!("evidence stands for {} and nothing suspected was told", plan.plan.from);
            duties.owe(Promise::SuspectedInTime, name, since, SUSPECTED_SECONDS_MAX, words);
        }
        return;
    };
    if unfinished {
        return;
    }
    let began = plan.sagas.iter().any(|saga| saga.incident == *incident);
    if let (Some(since), By::Approval | By::Rules) = (sources.surely_enough.since, plan.plan.by) {
        // What may count can have been there earlier: a decision of then is one.
        let earliest = sources.enough.since.unwrap_or(since) + plan.plan.window;
        let decided = plan.confirmed || plan.decided.is_some_and(|decided| decided >= earliest);
        if !decided && !began {
            let words = format!("the evidence stood for the whole window of {incident} and nothing was decided");
            let seconds = plan.plan.window + DECIDED_SECONDS_MAX;
            duties.owe(Promise::DecidedInTime, name, since.max(*opened - seconds), seconds, words);
        }
    }
    if let Some(since) = sources.recovered.since {
        let words = format!("{incident} is over and was not closed");
        // Absence is not recovery: of a time in which nobody read the region nothing is known.
        duties.owe(
            Promise::IncidentClosed,
            name,
            since.max(*opened).max(read_since),
            plan.plan.cooldown + TELL_SECONDS_MAX,
            words,
        );
    }
}

fn of_telling(saga: &Saga, duties: &mut Duties) {
    if !saga.told_started {
        let words = format!("that {} started was not told", saga.id);
        duties.owe(Promise::SaysWhich, &saga.id, saga.begun, TELL_SECONDS_MAX, words);
    }
    if let Some(ended) = saga.ended.filter(|_| !saga.told_end) {
        let words = format!("how {} ended was not told", saga.id);
        duties.owe(Promise::SaysWhich, &saga.id, ended, TELL_SECONDS_MAX, words);
    }
    for question in saga.open_questions().filter(|question| question.about == About::Commit) {
        if saga.is_unfinished() {
            let words = format!("{} waits for commit and nobody was reminded", saga.id);
            duties.owe(Promise::Reminds, &saga.id, question.last_asked, REMINDER_SECONDS_MAX, words);
        }
    }
}

/// Whether only the old region is waited for, which has no bound and which nothing else waits for (runbooks §1, rule 8).
pub fn waits_for_old_region(world: &World, plan: &PlanWorld, saga: &Saga) -> bool {
    let committed = plan.members().all(|member| saga.moves_of(&member.item).committed.is_some());
    committed && world.region(&plan.plan.from).answers_since.is_none()
}

fn of_saga(world: &World, plan: &PlanWorld, saga: &Saga, duties: &mut Duties) {
    if saga.open_questions().next().is_some() {
        return;
    }
    let id = &saga.id;
    let answers_since = world.region(&plan.plan.from).answers_since.unwrap_or(saga.begun);
    let moved = saga.progress.max(answers_since);
    if !waits_for_old_region(world, plan, saga) {
        let wait = plan.plan.groups.iter().map(|group| group.wait).max().unwrap_or(0);
        let words = format!("{id} neither goes on nor asks");
        duties.owe(Promise::FinishesOrUndoes, id, moved, SILENT_SECONDS_MAX + wait, words);
    }
    if saga.past_no_return().is_some() || saga.aborted.is_some() {
        return;
    }
    let since = saga.last_answer().unwrap_or(saga.begun);
    match recovered(plan, saga) {
        Some(at) if !saga.was_asked(About::Recovered, at) => {
            let words = format!("the region of {id} recovered and nobody was asked");
            duties.owe(Promise::RecoveryStops, id, at, ASK_SECONDS_MAX, words);
        }
        _ => {
            let words = format!("{id} waits for the failed region");
            let wait = plan.plan.groups.first().map_or(0, |group| group.wait);
            duties.owe(Promise::BoundedWait, id, since, FENCE_SECONDS_MAX + wait, words);
        }
    }
}

/// From the first failover on, an old machine that runs where ARM answers is stopped within one look and one deallocation.
fn of_old_side(world: &World, plan: &PlanWorld, saga: &Saga, duties: &mut Duties) {
    let (Some(answers), Some(no_return)) = (world.region(&plan.plan.from).answers_since, saga.past_no_return()) else {
        return;
    };
    for old in plan.members().map(|member| &member.old) {
        let machine = world.machine(old);
        if machine.power != Some(Power::Running) || machine.started_by_person {
            continue;
        }
        let since = answers.max(machine.since).max(no_return);
        match machine.stop_accepted.filter(|stop| *stop >= since) {
            None => {
                let words = format!("{old} runs and its stop was not sent");
                duties.owe(Promise::StopInTime, &saga.id, since, OLD_SIDE_LOOK_SECONDS, words);
            }
            // The stop was acknowledged: if the machine runs on, the stop is sent again or a person asked.
            Some(stop) if saga.questions.iter().all(|question| question.last_asked < stop) => {
                let words = format!("{old} runs on after its stop");
                let seconds = ONE_DEALLOCATION_SECONDS + OLD_SIDE_LOOK_SECONDS;
                duties.owe(Promise::StopInTime, &saga.id, stop, seconds, words);
            }
            Some(_) => {}
        }
    }
}

/// Once all runs and the target is online, the old endpoint is disabled.
fn of_traffic(world: &World, plan: &PlanWorld, saga: &Saga, duties: &mut Duties) {
    let new: Vec<_> = plan.members().map(|member| world.machine(&member.new)).collect();
    let run = new.iter().all(|machine| machine.power == Some(Power::Running));
    let asked = saga.open_questions().next().is_some();
    let Some(no_return) = saga.past_no_return().filter(|_| run && !asked) else { return };
    let run_since = new.iter().map(|machine| machine.since).max().unwrap_or(no_return);
    let waits: i64 = plan.plan.groups.iter().map(|group| group.wait).sum();
    for traffic in &plan.plan.traffic {
        let endpoint = |name: &str| world.endpoint(&traffic.profile, name).copied();
        let (Some(old), Some(target)) = (endpoint(&traffic.from), endpoint(&traffic.to)) else { continue };
        if old.enabled && target.online {
            let since = target.since.max(run_since).max(no_return).max(saga.last_answer().unwrap_or(no_return));
            let words = format!("{} is online and {} still enabled", traffic.to, traffic.from);
            duties.owe(Promise::TrafficMoves, &saga.id, since, OLD_ENDPOINT_SECONDS_MAX + waits, words);
        }
    }
}

/// A person chose another recovery point before the commit: each member that was failed over is given one.
fn of_another_point(plan: &PlanWorld, saga: &Saga, duties: &mut Duties) {
    let Some((since, last)) = chosen(saga) else { return };
    for item in left(plan, saga, since) {
        let words = format!("another point was chosen and {item} is not given it");
        duties.owe(Promise::PointChosen, &saga.id, last, ORDER_SECONDS_MAX, words);
    }
}

/// What must be refused is refused and said, and what can be done begins or is refused with the reason.
fn of_order(world: &World, arrived: &Arrived, duties: &mut Duties) {
    let order = &arrived.order;
    if arrived.refused || arrived.used {
        return;
    }
    let one_is_enough = world.plans.get(&order.plan).is_some_and(|plan| plan.plan.approvals < 2);
    let (owed, words) = match (arrived.fault, order.kind) {
        (Some(fault), _) => (true, format!("{} was not refused: {fault}", order.id)),
        _ if order.dry_run => (false, String::new()),
        (None, OrderKind::Approve | OrderKind::StartFailover)
            if order.kind == OrderKind::StartFailover || is_about_declaration(order) =>
        {
            (one_is_enough, format!("{} neither began a saga nor was refused", order.id))
        }
        (None, OrderKind::Reject) if is_about_declaration(order) => (false, String::new()),
        (None, OrderKind::StopChanges | OrderKind::ResumeChanges) => {
            (true, format!("the switch does not stand as {} orders, and it was not refused", order.id))
        }
        (None, _) => (!arrived.heard, format!("{} means nothing here and was not refused", order.id)),
    };
    if owed {
        duties.owe(Promise::OrdersAnswered, &order.id, arrived.at, ORDER_SECONDS_MAX, words);
    }
}
