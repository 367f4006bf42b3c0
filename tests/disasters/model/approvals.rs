//! Which orders count: for the start of a saga, as an answer to its questions, or not at all and why.
//! It never asks what Lifeboat made of an order, but for one that Lifeboat refused: that one counts no more.

use std::collections::{BTreeMap, BTreeSet};

use super::bounds::{APPROVAL_SECONDS_MAX, ORDER_SECONDS_MAX};
use super::history::{By, Condition, Order, OrderKind, Time};
use super::world::{PlanWorld, World};

/// An order that arrived for the first time.
#[derive(Clone, Debug)]
pub struct Arrived {
    pub order: Order,
    pub at: Time,
    /// Why it cannot count, if so.
    pub fault: Option<&'static str>,
    /// Whether it answered or aborted something.
    pub heard: bool,
    /// Whether a saga was begun by it, so that none begins by it again, or the switch stands as it says.
    pub used: bool,
    pub refused: bool,
    /// Its sender was told that it was carried out.
    pub done: bool,
}

/// Takes an order in: the same id twice is one order.
pub fn arrive(world: &mut World, order: &Order, at: Time) {
    if world.orders.iter().any(|known| known.order.id == order.id) {
        return;
    }
    let mut order = order.clone();
    let fault = fault_of(world, &order, at);
    // Whoever approves of an order approves of what it passes by name (design §8).
    if let Some(start) = approved_by(world, &order) {
        order.passes = start.order.passes.clone();
    }
    let mut heard = false;
    let is_so = match order.kind {
        OrderKind::StopChanges => world.changes_stopped.is_some(),
        OrderKind::ResumeChanges => world.changes_stopped.is_none(),
        _ => false,
    };
    if fault.is_none()
        && !order.dry_run
        && let Some(plan) = world.plans.get_mut(&order.plan)
    {
        let named = |id: &str| order.saga.as_ref().is_none_or(|saga| saga == id);
        for saga in plan.sagas.iter_mut().filter(|saga| saga.is_unfinished() && named(&saga.id)) {
            heard |= saga.hear(&order, at);
        }
    }
    world.orders.push(Arrived { order, at, fault, heard, used: is_so, refused: false, done: false });
}

/// The switch stands so: what ordered that was acted on.
pub fn switched(world: &mut World, stopped: bool) {
    let kind = if stopped { OrderKind::StopChanges } else { OrderKind::ResumeChanges };
    world.orders.iter_mut().filter(|one| one.order.kind == kind).for_each(|one| one.used = true);
}

/// Lifeboat carried it out.
pub fn done(world: &mut World, id: &str) {
    world.orders.iter_mut().filter(|arrived| arrived.order.id == id).for_each(|arrived| arrived.done = true);
}

/// A no and a yes that are on their way together have no order between them: a no holds from when its sender was told so, and at the latest
/// when any order is to be acted on.
fn holds(no: &Arrived, at: Time) -> bool {
    no.done || at - no.at > ORDER_SECONDS_MAX
}

/// Lifeboat refused it.
pub fn refuse(world: &mut World, id: &str) {
    let Some(arrived) = world.orders.iter_mut().find(|arrived| arrived.order.id == id) else { return };
    arrived.refused = true;
    let plan = arrived.order.plan.clone();
    for saga in world.plans.get_mut(&plan).into_iter().flat_map(|plan| &mut plan.sagas) {
        saga.unhear(id);
    }
}

/// Why it cannot count, whatever it wants.
fn fault_of(world: &World, order: &Order, at: Time) -> Option<&'static str> {
    // What only adds safety is taken from any holder of the right to send (design §9).
    if order.kind == OrderKind::StopChanges {
        return order.expires.is_some_and(|expires| expires < at).then_some("it had expired");
    }
    let Some(plan) = world.plans.get(&order.plan) else { return Some("no such plan") };
    if !order.token {
        return Some("its token is not good");
    }
    if !order.role {
        return Some("its sender has no such role");
    }
    if order.expires.is_some_and(|expires| expires < at) {
        return Some("it had expired");
    }
    let declares = order.kind == OrderKind::StartFailover || is_about_declaration(order);
    let unknown = order.kind == OrderKind::Approve && order.approves.is_some() && approved_by(world, order).is_none();
    match declares {
        true if unknown => Some("the order that it approves of is not there, or another digest was shown for it"),
        true => fault_of_digest(plan, &order.digest, at),
        false => None,
    }
}

/// The order to fail over that an approval is about: a good one, on the same digest.
fn approved_by<'a>(world: &'a World, order: &Order) -> Option<&'a Arrived> {
    let named = order.approves.as_ref()?;
    world.orders.iter().find(|one| {
        let good = one.fault.is_none() && !(one.refused || one.order.dry_run);
        one.order.id == *named && one.order.kind == OrderKind::StartFailover && one.order.digest == order.digest && good
    })
}

pub fn is_about_declaration(order: &Order) -> bool {
    matches!(order.kind, OrderKind::Approve | OrderKind::Reject) && order.question.is_none()
}

fn fault_of_digest(plan: &PlanWorld, digest: &str, at: Time) -> Option<&'static str> {
    let Some(shown) = plan.shown.iter().rfind(|shown| shown.digest == digest) else {
        return Some("nobody was shown its digest");
    };
    if at - shown.at > APPROVAL_SECONDS_MAX {
        return Some("what it names was shown more than 60 minutes before");
    }
    is_closed(plan, shown.incident.as_ref()).then_some("its incident was closed")
}

fn is_closed(plan: &PlanWorld, incident: Option<&String>) -> bool {
    incident.is_some_and(|incident| plan.closed.iter().any(|(closed, _)| closed == incident))
}

/// The orders by which a saga of the plan may begin now; none if no orders allow it.
pub fn counted_for_start(world: &World, plan: &str, at: Time) -> Vec<Arrived> {
    let Some(plan) = world.plans.get(plan) else { return Vec::new() };
    let valid: Vec<&Arrived> = world.orders.iter().filter(|one| may_count(world, plan, one, at)).collect();
    let rejected = |one: &Arrived| {
        let is_no = |other: &Arrived| other.order.kind == OrderKind::Reject && holds(other, at);
        let after = |other: &&&Arrived| is_no(other) && other.at >= one.at;
        valid.iter().filter(after).any(|other| other.order.digest == one.order.digest)
    };
    let of_kind = |kind: OrderKind| valid.iter().filter(move |one| one.order.kind == kind && !rejected(one));
    let passes = |one: &&&Arrived| passes_unmet(plan, one);
    if plan.plan.approvals < 2 {
        // The order of a person with the role is itself the approval (design §8).
        let start = of_kind(OrderKind::StartFailover).find(passes);
        let asked = plan.plan.by != By::Person;
        let approval = of_kind(OrderKind::Approve).find(|one| asked && passes(one));
        return start.or(approval).map(|one| vec![(*one).clone()]).unwrap_or_default();
    }
    let requesters: BTreeSet<&str> = of_kind(OrderKind::StartFailover).map(|one| one.order.by.as_str()).collect();
    if requesters.is_empty() && plan.plan.by == By::Person {
        return Vec::new();
    }
    // Two who approve approve of one thing: the same digest, and the same order if it is one.
    let mut by_digest: BTreeMap<(&str, Option<&str>), BTreeMap<&str, &Arrived>> = BTreeMap::new();
    for one in of_kind(OrderKind::Approve).filter(|one| passes(one)) {
        if !requesters.contains(one.order.by.as_str()) {
            let of = (one.order.digest.as_str(), one.order.approves.as_deref());
            by_digest.entry(of).or_default().insert(&one.order.by, one);
        }
    }
    let enough = by_digest.into_values().find(|persons| persons.len() >= plan.plan.approvals);
    let approvals = enough.into_iter().flatten().map(|(_, one)| one.clone());
    let mut counted: Vec<Arrived> = approvals.collect();
    if !counted.is_empty() {
        // The request is used up with them, so that it cannot begin another saga.
        counted.extend(of_kind(OrderKind::StartFailover).map(|one| (*one).clone()));
    }
    counted
}

/// The ids of all orders that could still begin a saga of the plan.
pub fn waiting(world: &World, plan: &str, at: Time) -> Vec<String> {
    let Some(plan) = world.plans.get(plan) else { return Vec::new() };
    let orders = world.orders.iter().filter(|one| may_count(world, plan, one, at));
    orders.map(|one| one.order.id.clone()).collect()
}

fn may_count(world: &World, plan: &PlanWorld, one: &Arrived, at: Time) -> bool {
    let order = &one.order;
    let declares = order.kind == OrderKind::StartFailover || is_about_declaration(order);
    let shown = plan.shown.iter().rfind(|shown| shown.digest == order.digest);
    declares
        && order.plan == plan.plan.name
        && (order.approves.is_none() || order.kind == OrderKind::Reject || approved_by(world, order).is_some())
        && one.fault.is_none()
        && !(order.dry_run || one.used || one.refused)
        && at - one.at <= APPROVAL_SECONDS_MAX
        && shown.is_some_and(|shown| !is_closed(plan, shown.incident.as_ref()))
}

/// What the decision found unmet is passed only by name, and only as it was shown: what came since is worse (design §8).
fn passes_unmet(plan: &PlanWorld, one: &Arrived) -> bool {
    let shown = plan.shown.iter().rfind(|shown| shown.digest == one.order.digest);
    let unmet = |condition: &Condition| {
        *condition != Condition::MembersAllow
            && one.order.passes.contains(condition)
            && shown.is_some_and(|shown| shown.unmet.contains(condition))
    };
    unmet_of(plan).iter().all(unmet)
}

/// What the last recorded decision found unmet, of what is asked of a person's declaration too.
pub fn unmet_of(plan: &PlanWorld) -> Vec<Condition> {
    let conditions = plan.recorded.iter().flat_map(|(_, conditions)| conditions);
    let only_by_rules = [Condition::ReportedAndMeasured, Condition::StandingApproval];
    conditions
        .filter(|weighed| !weighed.met && !only_by_rules.contains(&weighed.condition))
        .map(|weighed| weighed.condition)
        .collect()
}

/// The approvals among what counted; where one was enough, the order itself.
fn approving(counted: &[Arrived]) -> impl Iterator<Item = &Arrived> {
    let several = counted.len() > 1;
    counted.iter().filter(move |one| !several || one.order.kind == OrderKind::Approve)
}

/// What all of them pass by name.
pub fn passed_by_all(counted: &[Arrived]) -> BTreeSet<Condition> {
    let sets = approving(counted).map(|one| one.order.passes.iter().copied().collect::<BTreeSet<Condition>>());
    sets.reduce(|one, other| &one & &other).unwrap_or_default()
}

/// Whether all of them contain the answer that the old machines may go.
pub fn say_old_may_go(counted: &[Arrived]) -> bool {
    !counted.is_empty() && approving(counted).all(|one| one.order.old_may_go)
}
