//! Carries one order out: one arm for each. Each is harmless when it is done twice, because who is cut off does it again.
//! No choices are made here but what the order itself says.

use jiff::Timestamp;
use lifeboat_contract::command::{
    Approve, CloseBreaker, CounterName, Freeze, ModeName, Of, OfPoint, Order, Reject, SetMode, StartFailover, Why,
};
use lifeboat_planning::recovery::{By, RecoveryPlan};

use super::NotTaken;
use super::approvals::{self, Approval, Next, OrderRecord};
use super::refusal::Refusal;
use super::saga::{self, Verified};
use crate::counters::Kind;
use crate::holds::{Hold, confirmed_from};
use crate::lifeboat::Lifeboat;
use crate::policies::{self, InForce};
use crate::swap::SwapError;
use crate::{assumptions, breakers, declaration, freeze, holds, modes, stop};

/// An order, whose it is and when it came.
pub(super) struct Given<'a> {
    pub lifeboat: &'a Lifeboat,
    pub id: &'a str,
    pub by: &'a str,
    /// When its sender gave it.
    pub given_at: Timestamp,
    /// When it was taken first: where copies of it came, one of which was cut off or held up, all of them go by that moment.
    pub taken_at: Timestamp,
    pub now: Timestamp,
}

/// What was done, one line each, or why it is refused.
pub(super) type Came = Result<Result<Vec<String>, Refusal>, NotTaken>;

/// Carries an order out.
pub(super) async fn perform(given: &Given<'_>, order: &Order) -> Came {
    match order {
        Order::Hold(order) => hold(given, order).await,
        Order::ReleaseHold(order) => release(given, order).await,
        Order::CloseBreaker(order) => close(given, order).await,
        Order::SetMode(order) => set_mode(given, order).await,
        Order::Freeze(order) => set_freeze(given, order).await,
        Order::StopChanges(why) => stop_changes(given, why).await,
        Order::ResumeChanges(_) => resume_changes(given).await,
        Order::StartFailover(start) => start_failover(given, start).await,
        Order::Approve(approve) => approved(given, order, approve).await,
        Order::Reject(reject) => rejected(given, order, reject).await,
        Order::Abort(_) | Order::CommitFailover(_) => of_plan(given, order).await,
    }
}

fn line(text: String) -> Came {
    Ok(Ok(vec![text]))
}

async fn hold(given: &Given<'_>, order: &OfPoint) -> Came {
    let hold = Hold::new(&order.point, &order.reason, given.id, given.taken_at);
    match holds::hold(given.lifeboat, hold).await {
        Ok(hold) => {
            // Its tag was written just now, however long ago the order was taken first: what was on its way until then may still act.
            let certain = confirmed_from(given.lifeboat.clock.now());
            line(format!("{} is held (hold {}); it is certain from {certain} on", hold.point, hold.id))
        }
        Err(error) if error.is_refusal() => Ok(Err(Refusal::Hold(error))),
        Err(error) => Err(error.into()),
    }
}

async fn release(given: &Given<'_>, order: &OfPoint) -> Came {
    match holds::release(given.lifeboat, &order.point, given.by, given.taken_at).await {
        Ok(0) => line(format!("{} was not held", order.point)),
        Ok(holds) => line(format!("{} is released: {holds} holds of it ended", order.point)),
        Err(error) if error.is_refusal() => Ok(Err(Refusal::Hold(error))),
        Err(error) => Err(error.into()),
    }
}

async fn close(given: &Given<'_>, order: &CloseBreaker) -> Came {
    let kind = kind_of(order.counter);
    let closed = breakers::close(&given.lifeboat.outbox, &order.policy, kind, given.by, given.taken_at).await?;
    let what = format!("the breaker of {kind} of the policy {}", order.policy);
    line(if closed {
        format!("{what} is closed; what was counted stays counted")
    } else {
        format!("{what} was not open")
    })
}

pub(super) fn kind_of(counter: CounterName) -> Kind {
    match counter {
        CounterName::Expiry => Kind::Expiry,
        CounterName::Protection => Kind::Protection,
    }
}

/// A mode, as people are told.
pub(super) fn mode_of(mode: ModeName) -> &'static str {
    match mode {
        ModeName::Report => "report",
        ModeName::Enforce => "enforce",
        ModeName::AsWritten => "the mode of its document",
    }
}

async fn set_mode(given: &Given<'_>, order: &SetMode) -> Came {
    let in_force = in_force(given).await?;
    if !in_force.policies.iter().any(|policy| policy.name == order.policy) {
        return Ok(Err(Refusal::NoPolicy(order.policy.clone())));
    }
    let ordered = |enforce| Some(modes::Ordered { enforce, at: given.taken_at, by: given.by.to_owned() });
    let mode = mode_of(order.mode);
    let ordered = match order.mode {
        ModeName::Report => ordered(false),
        ModeName::Enforce => ordered(true),
        ModeName::AsWritten => None,
    };
    let set = modes::set(&given.lifeboat.store, &in_force, &order.policy, ordered, given.taken_at).await?;
    if let Err(at) = set {
        return Ok(Err(Refusal::Overtaken { at }));
    }
    line(format!("the policy {} is followed in {mode} from now on", order.policy))
}

async fn set_freeze(given: &Given<'_>, order: &Freeze) -> Came {
    let changed = freeze::set(&given.lifeboat.store, order.frozen, given.by, &order.reason, given.taken_at).await?;
    let what = if order.frozen {
        "deletions, repairs and vault policy writes rest"
    } else {
        "deletions, repairs and vault policy writes go on"
    };
    match changed {
        Ok(true) => line(format!("{what} from now on")),
        Ok(false) => line(format!("{what} already")),
        Err(at) => Ok(Err(Refusal::Overtaken { at })),
    }
}

async fn stop_changes(given: &Given<'_>, why: &Why) -> Came {
    let stop = stop::stop(&given.lifeboat.store, &why.reason, given.now).await?;
    line(format!("all changes are stopped since {}; it is certain from {} on", stop.stopped_at, stop.confirmed_from()))
}

async fn resume_changes(given: &Given<'_>) -> Came {
    match stop::resume(&given.lifeboat.store, given.by, given.taken_at).await? {
        Ok(true) => line("changes go on from now on".to_owned()),
        Ok(false) => line("changes were not stopped".to_owned()),
        Err(at) => Ok(Err(Refusal::Overtaken { at })),
    }
}

/// How many others must approve an order to fail over.
pub(super) fn needs_of(plan: &RecoveryPlan) -> u8 {
    if plan.declaration.approvals > 1 { plan.declaration.approvals } else { 0 }
}

/// Why an order that others must approve would wait for nothing, and keep others from being given; one that waits for nobody is looked at
/// when it is handed on.
pub(super) async fn waits_in_vain(
    given: &Given<'_>,
    plan: &RecoveryPlan,
    digest: &str,
) -> Result<Option<Refusal>, SwapError> {
    if needs_of(plan) == 0 {
        return Ok(None);
    }
    let why = declaration::word::waits_in_vain(&given.lifeboat.store, &plan.name, digest, given.now).await?;
    Ok(why.map(|why| saga::NotDelivered::NotGiven(why).into()))
}

/// What comes of an order to fail over, or an approval of one, that comes more than an hour after it was given: it lapsed on its way, for what
/// its sender was shown is no longer what is so. One that the failover took, and of which that was not remembered, is done.
pub(super) async fn lapsed_on_the_way(given: &Given<'_>, plan: &str) -> Result<Option<Came>, SwapError> {
    let at = given.given_at.checked_add(approvals::LAPSES_AFTER).unwrap_or(Timestamp::MAX);
    if given.now < at {
        return Ok(None);
    }
    let orders = approvals::read(&given.lifeboat.store, plan).await?;
    let delivered = orders.as_ref().and_then(|orders| orders.delivered(given.id));
    let Some(order) = delivered else { return Ok(Some(Ok(Err(Refusal::OrderLapsed { at })))) };
    Ok(Some(match saga::took(given.lifeboat, plan, &order.id).await {
        Err(error) => Err(error),
        Ok(true) => line(format!("{plan}: the failover took this order before")),
        Ok(false) => Ok(Err(Refusal::OrderLapsed { at })),
    }))
}

/// Why no approval of a declaration is taken, whatever stands in it.
pub(super) fn asks_nobody(plan: &RecoveryPlan) -> Option<Refusal> {
    (plan.declaration.by == By::Person).then(|| Refusal::AsksNobody(plan.name.clone()))
}

/// An order of a person with the role is itself the approval, where the recovery plan does not ask for two.
async fn start_failover(given: &Given<'_>, start: &StartFailover) -> Came {
    if let Some(late) = lapsed_on_the_way(given, &start.recovery_plan).await? {
        return late;
    }
    let in_force = in_force(given).await?;
    let Some(plan) = in_force.recovery_plans.iter().find(|plan| plan.name == start.recovery_plan) else {
        return Ok(Err(Refusal::NoRecoveryPlan(start.recovery_plan.clone())));
    };
    if let Some(vain) = waits_in_vain(given, plan, &start.digest).await? {
        return Ok(Err(vain));
    }
    let order = OrderRecord::waiting(given.id, given.by, given.now, start, needs_of(plan));
    let begun = approvals::change(&given.lifeboat.store, &plan.name, |orders| orders.begin(order.clone(), given.now));
    next(given, begun.await?).await
}

async fn approved(given: &Given<'_>, order: &Order, approve: &Approve) -> Came {
    let approval = Approval { by: given.by.to_owned(), at: given.now, id: given.id.to_owned() };
    let (store, plan) = (&given.lifeboat.store, &approve.recovery_plan);
    if matches!(approve.of, Of::Order(_) | Of::Incident(_))
        && let Some(late) = lapsed_on_the_way(given, plan).await?
    {
        return late;
    }
    match &approve.of {
        Of::Question(_) => of_plan(given, order).await,
        Of::Order(id) => {
            let approved =
                approvals::change(store, plan, |orders| orders.approve(id, &approve.digest, approval.clone()));
            next(given, approved.await?).await
        }
        Of::Incident(incident) => {
            let in_force = in_force(given).await?;
            let Some(found) = in_force.recovery_plans.iter().find(|one| one.name == *plan) else {
                return Ok(Err(Refusal::NoRecoveryPlan(plan.clone())));
            };
            if let Some(no) = asks_nobody(found) {
                return Ok(Err(no));
            }
            if let Some(vain) = waits_in_vain(given, found, &approve.digest).await? {
                return Ok(Err(vain));
            }
            let needs = found.declaration.approvals.max(1);
            let approved = approvals::change(store, plan, |orders| {
                orders.approve_incident(incident, approve, needs, approval.clone())
            });
            next(given, approved.await?).await
        }
        Of::Assumptions(_) => {
            if !in_force(given).await?.recovery_plans.iter().any(|one| one.name == *plan) {
                return Ok(Err(Refusal::NoRecoveryPlan(plan.clone())));
            }
            if approve.digest != assumptions::digest() {
                return Ok(Err(Refusal::OtherAssumptions(assumptions::digest())));
            }
            if let Err(at) = assumptions::set(store, plan, true, given.by, given.taken_at).await? {
                return Ok(Err(Refusal::Overtaken { at }));
            }
            line(format!("{plan}: what is assumed is approved of, until the list of it changes"))
        }
    }
}

async fn rejected(given: &Given<'_>, order: &Order, reject: &Reject) -> Came {
    let (store, plan) = (&given.lifeboat.store, &reject.recovery_plan);
    let (rejected, what) = match &reject.of {
        Of::Question(_) => return of_plan(given, order).await,
        Of::Order(id) => {
            let rejected = approvals::change(store, plan, |orders| orders.reject(id, given.by, given.now));
            (rejected.await?, format!("the order {id} is rejected"))
        }
        Of::Incident(id) => {
            let open = declaration::record::open_incident(store, plan).await?;
            if open.map(|at| at.to_string()).as_ref() != Some(id) {
                return Ok(Err(Refusal::NoIncident { id: id.clone(), open }));
            }
            let says = approvals::of_incident(plan, &reject.reason);
            let rejected = approvals::change(store, plan, |orders| {
                orders.reject_incident(id, given.id, says.clone(), given.by, given.now);
                Ok(())
            });
            (rejected.await?, format!("what was asked in the incident {id} is rejected"))
        }
        Of::Assumptions(_) => {
            let set = assumptions::set(store, plan, false, given.by, given.taken_at).await?;
            (
                set.map_err(|at| Refusal::Overtaken { at }),
                format!("{plan}: what is assumed is not approved of any more"),
            )
        }
    };
    match rejected {
        Ok(()) => line(what),
        Err(refusal) => Ok(Err(refusal)),
    }
}

/// Hands an order on, or says what it waits for.
async fn next(given: &Given<'_>, next: Result<Next, Refusal>) -> Came {
    match next {
        Err(refusal) => Ok(Err(refusal)),
        Ok(Next::Waits(missing, until)) => {
            line(format!("the order is recorded; {missing} others must approve it, until {until}"))
        }
        Ok(Next::Deliver(order)) => deliver(given, order.into()).await,
    }
}

/// Hands an order about a recovery plan in force on as it is.
async fn of_plan(given: &Given<'_>, order: &Order) -> Came {
    let name = order.recovery_plan().unwrap_or_default();
    if !in_force(given).await?.recovery_plans.iter().any(|plan| plan.name == name) {
        return Ok(Err(Refusal::NoRecoveryPlan(name.to_owned())));
    }
    deliver(given, Verified::of(given.id, order, given.by)).await
}

async fn deliver(given: &Given<'_>, order: Verified) -> Came {
    Ok(saga::deliver(given.lifeboat, &order).await?.map_err(Refusal::from))
}

pub(super) async fn in_force(given: &Given<'_>) -> Result<std::sync::Arc<InForce>, NotTaken> {
    Ok(policies::in_force(&given.lifeboat.store, &given.lifeboat.policies).await?)
}
