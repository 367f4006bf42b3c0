//! What an order would come to: what is read is what carrying it out would read, and what is refused would be refused then.
//! It never changes anything, in Azure or in the store.

use lifeboat_contract::command::{Approve, CloseBreaker, Freeze, Of, OfPoint, Order, Reject, SetMode, StartFailover};
use lifeboat_planning::policy::Mode;

use super::approvals::{self, Approval, Next, OrderRecord, OrdersRecord};
use super::perform::{
    Came, Given, asks_nobody, in_force, kind_of, lapsed_on_the_way, mode_of, needs_of, waits_in_vain,
};
use super::refusal::Refusal;
use super::saga::{self, Verified};
use crate::{assumptions, breakers, declaration, freeze, holds, stop};

/// What would be done, one line each, or why it would be refused.
pub(super) async fn would(given: &Given<'_>, order: &Order) -> Came {
    match order {
        Order::Hold(order) => point(given, order, "would be held").await,
        Order::ReleaseHold(order) => point(given, order, "would be released").await,
        Order::CloseBreaker(order) => close(given, order).await,
        Order::SetMode(order) => set_mode(given, order).await,
        Order::Freeze(order) => set_freeze(given, order).await,
        Order::StopChanges(_) => match stop::in_force(&given.lifeboat.store).await? {
            Some(stop) => line(format!("all changes are stopped already, since {}", stop.stopped_at)),
            None => line("all changes would be stopped".to_owned()),
        },
        Order::ResumeChanges(_) => match stop::in_force(&given.lifeboat.store).await? {
            Some(stop) => line(format!("changes, which are stopped since {}, would go on", stop.stopped_at)),
            None => line("changes are not stopped: nothing would change".to_owned()),
        },
        Order::StartFailover(start) => start_failover(given, start).await,
        Order::Approve(approve) => approved(given, order, approve).await,
        Order::Reject(reject) => rejected(given, order, reject).await,
        Order::Abort(_) | Order::CommitFailover(_) => of_saga(given, order).await,
    }
}

fn line(text: String) -> Came {
    Ok(Ok(vec![text]))
}

async fn point(given: &Given<'_>, order: &OfPoint, what: &str) -> Came {
    match holds::is_ours(given.lifeboat, &order.point).await {
        Ok(()) => line(format!("{} {what}", order.point)),
        Err(error) if error.is_refusal() => Ok(Err(Refusal::Hold(error))),
        Err(error) => Err(error.into()),
    }
}

async fn close(given: &Given<'_>, order: &CloseBreaker) -> Came {
    let kind = kind_of(order.counter);
    let open = breakers::open(&given.lifeboat.store).await?;
    let is_open = open.iter().any(|counter| counter.policy == order.policy && counter.kind == kind);
    let what = format!("the breaker of {kind} of the policy {}", order.policy);
    line(if is_open { format!("{what} would be closed") } else { format!("{what} is not open: nothing would change") })
}

async fn set_mode(given: &Given<'_>, order: &SetMode) -> Came {
    let in_force = in_force(given).await?;
    let Some(policy) = in_force.policies.iter().find(|policy| policy.name == order.policy) else {
        return Ok(Err(Refusal::NoPolicy(order.policy.clone())));
    };
    let now = match policy.mode {
        Mode::Report => "report",
        Mode::Enforce => "enforce",
    };
    let mode = mode_of(order.mode);
    line(format!("the policy {}, which is followed in {now}, would be followed in {mode}", order.policy))
}

async fn set_freeze(given: &Given<'_>, order: &Freeze) -> Came {
    let is_frozen = freeze::is_frozen(&given.lifeboat.store).await;
    let what = "deletions, repairs and vault policy writes";
    line(match (order.frozen, is_frozen) {
        (true, false) => format!("{what} would rest"),
        (false, true) => format!("{what} would go on"),
        (true, true) => format!("{what} rest already: nothing would change"),
        (false, false) => format!("{what} do not rest: nothing would change"),
    })
}

async fn start_failover(given: &Given<'_>, start: &StartFailover) -> Came {
    let in_force = in_force(given).await?;
    let Some(plan) = in_force.recovery_plans.iter().find(|plan| plan.name == start.recovery_plan) else {
        return Ok(Err(Refusal::NoRecoveryPlan(start.recovery_plan.clone())));
    };
    if let Some(late) = lapsed_on_the_way(given, &plan.name).await? {
        return late;
    }
    if let Some(vain) = waits_in_vain(given, plan, &start.digest).await? {
        return Ok(Err(vain));
    }
    let order = OrderRecord::waiting(given.id, given.by, given.now, start, needs_of(plan));
    let mut orders = orders(given, &plan.name).await?;
    next(given, orders.begin(order, given.now)).await
}

async fn approved(given: &Given<'_>, order: &Order, approve: &Approve) -> Came {
    let approval = Approval { by: given.by.to_owned(), at: given.now, id: given.id.to_owned() };
    let plan = &approve.recovery_plan;
    let in_force = in_force(given).await?;
    let Some(found) = in_force.recovery_plans.iter().find(|one| one.name == *plan) else {
        return Ok(Err(Refusal::NoRecoveryPlan(plan.clone())));
    };
    if matches!(approve.of, Of::Order(_) | Of::Incident(_))
        && let Some(late) = lapsed_on_the_way(given, plan).await?
    {
        return late;
    }
    match &approve.of {
        Of::Question(_) => of_saga(given, order).await,
        Of::Order(id) => next(given, orders(given, plan).await?.approve(id, &approve.digest, approval)).await,
        Of::Incident(incident) => {
            if let Some(no) = asks_nobody(found) {
                return Ok(Err(no));
            }
            if let Some(vain) = waits_in_vain(given, found, &approve.digest).await? {
                return Ok(Err(vain));
            }
            let needs = found.declaration.approvals.max(1);
            let mut orders = orders(given, plan).await?;
            next(given, orders.approve_incident(incident, approve, needs, approval)).await
        }
        Of::Assumptions(_) if approve.digest != assumptions::digest() => {
            Ok(Err(Refusal::OtherAssumptions(assumptions::digest())))
        }
        Of::Assumptions(_) => {
            let assumed = assumptions::entries().len();
            line(format!("{plan}: {assumed} assumed behaviours would be approved of, until their list changes"))
        }
    }
}

async fn rejected(given: &Given<'_>, order: &Order, reject: &Reject) -> Came {
    let (store, plan) = (&given.lifeboat.store, &reject.recovery_plan);
    match &reject.of {
        Of::Question(_) => of_saga(given, order).await,
        Of::Order(id) => match orders(given, plan).await?.reject(id, given.by, given.now) {
            Ok(()) => line(format!("the order {id} would be rejected")),
            Err(refusal) => Ok(Err(refusal)),
        },
        Of::Incident(id) => match declaration::record::open_incident(store, plan).await? {
            Some(open) if open.to_string() == *id => {
                line(format!("what is asked in the incident {id} would be rejected"))
            }
            open => Ok(Err(Refusal::NoIncident { id: id.clone(), open })),
        },
        Of::Assumptions(_) => line(format!("{plan}: what is assumed would not be approved of any more")),
    }
}

/// What would come of an order that is complete, or what it would wait for.
async fn next(given: &Given<'_>, next: Result<Next, Refusal>) -> Came {
    match next {
        Err(refusal) => Ok(Err(refusal)),
        Ok(Next::Waits(missing, until)) => {
            line(format!("the order would be recorded; {missing} others would have to approve it, until {until}"))
        }
        Ok(Next::Deliver(order)) => foreseen(given, order.into()).await,
    }
}

async fn of_saga(given: &Given<'_>, order: &Order) -> Came {
    let name = order.recovery_plan().unwrap_or_default();
    if !in_force(given).await?.recovery_plans.iter().any(|plan| plan.name == name) {
        return Ok(Err(Refusal::NoRecoveryPlan(name.to_owned())));
    }
    foreseen(given, Verified::of(given.id, order, given.by)).await
}

async fn foreseen(given: &Given<'_>, order: Verified) -> Came {
    Ok(saga::foreseen(given.lifeboat, &order, given.now).await?.map_err(Refusal::from))
}

/// The orders of a recovery plan, to try on.
async fn orders(given: &Given<'_>, plan: &str) -> Result<OrdersRecord, super::NotTaken> {
    let known = approvals::read(&given.lifeboat.store, plan).await?;
    Ok(known.unwrap_or_else(|| OrdersRecord::new(plan)))
}
