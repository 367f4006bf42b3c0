//! Orders to fail over that wait for others: two persons, neither of them the one who ordered, who saw the same.
//! It never counts one person twice, and never lets an order or an approval count that is older than an hour.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use lifeboat_azure::blobs::Store;
use lifeboat_contract::command::{Approve, Point, StartFailover};
use serde::{Deserialize, Serialize};

use super::refusal::Refusal;
use crate::swap::{self, Change, SwapError};

/// The version of [`OrdersRecord`] that this release writes.
pub const VERSION: u32 = 1;
/// An order or an approval counts for so long: what was shown is older then.
pub const LAPSES_AFTER: SignedDuration = SignedDuration::from_mins(60);
/// Orders kept of a recovery plan: as many as a person looks back over; the newest stay.
const KEPT_MAX: usize = 20;
/// Who ordered what the rules ask for.
const NOBODY: &str = "rules";

/// The orders for one recovery plan, newest last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrdersRecord {
    /// Version of the record.
    pub version: u32,
    /// The recovery plan's name.
    pub recovery_plan: String,
    /// The orders.
    pub orders: Vec<OrderRecord>,
}

/// An order to fail over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderRecord {
    /// Its command's id.
    pub id: String,
    /// The incident, where it is the answer to a declaration that asks: nobody gave it, and its id is that of its first approval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// Object id of who gave it.
    pub by: String,
    /// When it was taken.
    pub at: Timestamp,
    /// What it says, as it came: the digest of what was shown, the point, the conditions that it passes.
    pub says: StartFailover,
    /// Others who must approve it.
    pub needs: u8,
    /// Who did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approval>,
    /// How it ended; none while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
}

/// An approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Approval {
    /// Object id.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Its command's id.
    pub id: String,
}

/// How an order ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// How.
    pub how: How,
    /// Object id of who ended it, where a person did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// How an order ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum How {
    /// It was handed on.
    Delivered,
    /// A person said no.
    Rejected,
    /// Too few approved it in time.
    Lapsed,
}

/// What is done with an order now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is handed on, with those who approved it.
    Deliver(Box<OrderRecord>),
    /// So many more must approve it, until then.
    Waits(usize, Timestamp),
}

impl OrdersRecord {
    /// None yet.
    pub fn new(recovery_plan: &str) -> Self {
        Self { version: VERSION, recovery_plan: recovery_plan.to_owned(), orders: Vec::new() }
    }

    /// Ends what lapsed.
    fn lapse(&mut self, now: Timestamp) {
        for order in self.orders.iter_mut().filter(|order| order.ended.is_none() && order.lapses_at() <= now) {
            order.ended = Some(Ended { at: now, how: How::Lapsed, by: None });
        }
    }

    /// Takes an order. The same one again changes nothing.
    pub fn begin(&mut self, order: OrderRecord, now: Timestamp) -> Result<Next, Refusal> {
        self.lapse(now);
        if let Some(at) = self.orders.iter().position(|known| known.id == order.id) {
            return self.next(at, now);
        }
        if let Some(other) = self.orders.iter().find(|order| order.ended.is_none()) {
            return Err(Refusal::OrderWaits { id: other.id.clone(), until: other.lapses_at() });
        }
        self.push(order);
        self.next(self.orders.len() - 1, now)
    }

    /// The order that was handed on by the command of this id: its own, or an approval of it.
    pub fn delivered(&self, id: &str) -> Option<&OrderRecord> {
        let by = |order: &&OrderRecord| order.id == id || order.approvals.iter().any(|approval| approval.id == id);
        self.orders.iter().filter(|order| order.is_ended_as(How::Delivered)).find(by)
    }

    /// Takes an approval of the order of this id. The same one again, whose order was handed on by it, hands it on again.
    pub fn approve(&mut self, id: &str, digest: &str, approval: Approval) -> Result<Next, Refusal> {
        let now = approval.at;
        if let Some(order) = self.delivered(&approval.id).filter(|order| order.id == id) {
            return Ok(Next::Deliver(Box::new(order.clone())));
        }
        let at = self.waiting(id, now)?;
        let order = &mut self.orders[at];
        if order.says.digest != digest {
            return Err(Refusal::OtherDigest);
        }
        if order.by == approval.by {
            return Err(Refusal::OwnOrder);
        }
        order.approved(approval)?;
        self.next(at, now)
    }

    /// Takes an approval of the declaration that asks in this incident: nobody ordered it, so that as many are needed as the recovery
    /// plan says. All of them approve of the same.
    pub fn approve_incident(
        &mut self,
        incident: &str,
        approve: &Approve,
        needs: u8,
        approval: Approval,
    ) -> Result<Next, Refusal> {
        let now = approval.at;
        self.lapse(now);
        let of_it = |order: &OrderRecord| order.incident.as_deref() == Some(incident);
        if self.orders.iter().any(|order| of_it(order) && order.is_ended_as(How::Rejected)) {
            return Err(Refusal::IncidentRejected(incident.to_owned()));
        }
        let says = StartFailover {
            digest: approve.digest.clone(),
            point: approve.point,
            passes: approve.passes.clone(),
            protect_back: approve.protect_back,
            ..of_incident(&approve.recovery_plan, approve.reason.as_deref().unwrap_or_default())
        };
        let of_this_command = |order: &OrderRecord| order.approvals.iter().any(|known| known.id == approval.id);
        let found = self.orders.iter().rposition(|order| {
            of_it(order) && (order.ended.is_none() || order.is_ended_as(How::Delivered) && of_this_command(order))
        });
        let Some(at) = found else {
            if let Some(other) = self.orders.iter().find(|order| order.ended.is_none()) {
                return Err(Refusal::OrderWaits { id: other.id.clone(), until: other.lapses_at() });
            }
            let (id, by, approvals) = (approval.id.clone(), NOBODY.to_owned(), vec![approval]);
            let incident = Some(incident.to_owned());
            self.push(OrderRecord { id, incident, by, at: now, says, needs, approvals, ended: None });
            return self.next(self.orders.len() - 1, now);
        };
        let order = &mut self.orders[at];
        if (StartFailover { reason: String::new(), ..order.says.clone() })
            != (StartFailover { reason: String::new(), ..says })
        {
            return Err(Refusal::OtherDigest);
        }
        order.approved(approval)?;
        self.next(at, now)
    }

    /// Takes a no to the declaration that asks in this incident, by the command of this id: no approval of it counts any more.
    pub fn reject_incident(&mut self, incident: &str, id: &str, says: StartFailover, by: &str, now: Timestamp) {
        let ended = Some(Ended { at: now, how: How::Rejected, by: Some(by.to_owned()) });
        let waits = |order: &&mut OrderRecord| order.incident.as_deref() == Some(incident) && order.ended.is_none();
        if let Some(order) = self.orders.iter_mut().find(waits) {
            order.ended = ended;
            return;
        }
        let (id, by, approvals) = (id.to_owned(), NOBODY.to_owned(), Vec::new());
        let incident = Some(incident.to_owned());
        self.push(OrderRecord { id, incident, by, at: now, says, needs: 1, approvals, ended });
    }

    /// The last no to what was asked in an incident, with the incident's name, and when it was said.
    pub fn rejected(&self) -> Option<(&str, Timestamp)> {
        let no = |order: &'_ OrderRecord| order.is_ended_as(How::Rejected) && order.incident.is_some();
        let last = self.orders.iter().rfind(|order| no(order))?;
        Some((last.incident.as_deref()?, last.ended.as_ref()?.at))
    }

    fn push(&mut self, order: OrderRecord) {
        self.orders.push(order);
        while self.orders.len() > KEPT_MAX {
            // A no holds the rules up for as long as its incident is open, however many orders come after it.
            let is_no = |order: &OrderRecord| order.incident.is_some() && order.is_ended_as(How::Rejected);
            self.orders.remove(self.orders.iter().position(|order| !is_no(order)).unwrap_or_default());
        }
    }

    /// Takes a no. Whoever says it, the one who ordered too.
    pub fn reject(&mut self, id: &str, by: &str, now: Timestamp) -> Result<(), Refusal> {
        let at = self.waiting(id, now)?;
        self.orders[at].ended = Some(Ended { at: now, how: How::Rejected, by: Some(by.to_owned()) });
        Ok(())
    }

    fn waiting(&self, id: &str, now: Timestamp) -> Result<usize, Refusal> {
        let at = self.orders.iter().position(|order| order.id == id).ok_or_else(|| Refusal::NoOrder(id.to_owned()))?;
        let order = &self.orders[at];
        match &order.ended {
            Some(Ended { how: How::Lapsed, .. }) => Err(Refusal::OrderLapsed { at: order.lapses_at() }),
            Some(_) => Err(Refusal::NoOrder(id.to_owned())),
            None if order.lapses_at() <= now => Err(Refusal::OrderLapsed { at: order.lapses_at() }),
            None => Ok(at),
        }
    }

    fn next(&mut self, at: usize, now: Timestamp) -> Result<Next, Refusal> {
        let order = &mut self.orders[at];
        match &order.ended {
            Some(Ended { how: How::Delivered, .. }) => return Ok(Next::Deliver(Box::new(order.clone()))),
            Some(Ended { how: How::Lapsed, .. }) => return Err(Refusal::OrderLapsed { at: order.lapses_at() }),
            Some(_) => return Err(Refusal::NoOrder(order.id.clone())),
            None => {}
        }
        let counting = order.approvals.iter().filter(|approval| now.duration_since(approval.at) < LAPSES_AFTER).count();
        let missing = usize::from(order.needs).saturating_sub(counting);
        if missing > 0 {
            return Ok(Next::Waits(missing, order.lapses_at()));
        }
        order.ended = Some(Ended { at: now, how: How::Delivered, by: None });
        Ok(Next::Deliver(Box::new(order.clone())))
    }
}

impl OrderRecord {
    /// An order that was taken just now, which so many others must approve.
    pub fn waiting(id: &str, by: &str, at: Timestamp, says: &StartFailover, needs: u8) -> Self {
        let (id, by, says) = (id.to_owned(), by.to_owned(), says.clone());
        Self { id, incident: None, by, at, says, needs, approvals: Vec::new(), ended: None }
    }

    fn is_ended_as(&self, how: How) -> bool {
        self.ended.as_ref().is_some_and(|ended| ended.how == how)
    }

    fn approved(&mut self, approval: Approval) -> Result<(), Refusal> {
        match self.approvals.iter().find(|known| known.by == approval.by) {
            // The same command again, whose first try was cut off.
            Some(known) if known.id == approval.id => {}
            Some(_) => return Err(Refusal::SamePerson),
            None => self.approvals.push(approval),
        }
        Ok(())
    }

    /// From then on nothing of it counts.
    pub fn lapses_at(&self) -> Timestamp {
        self.at.checked_add(LAPSES_AFTER).unwrap_or(Timestamp::MAX)
    }
}

/// An order that nobody gave.
pub fn of_incident(recovery_plan: &str, reason: &str) -> StartFailover {
    StartFailover {
        recovery_plan: recovery_plan.to_owned(),
        digest: String::new(),
        point: Point::default(),
        passes: BTreeSet::new(),
        protect_back: false,
        reason: reason.to_owned(),
    }
}

/// The orders of a recovery plan; none where there never was one.
pub async fn read(store: &Store, recovery_plan: &str) -> Result<Option<OrdersRecord>, SwapError> {
    swap::read(store, &blob_name(recovery_plan), VERSION).await
}

/// The orders of a recovery plan that wait for others at this moment. Nothing is changed.
pub async fn waiting(store: &Store, recovery_plan: &str, now: Timestamp) -> Result<Vec<OrderRecord>, SwapError> {
    let record = read(store, recovery_plan).await?;
    let orders = record.map(|record| record.orders).unwrap_or_default();
    Ok(orders.into_iter().filter(|order| order.ended.is_none() && order.lapses_at() > now).collect())
}

/// The blob of a recovery plan's orders.
fn blob_name(recovery_plan: &str) -> String {
    format!("orders/plans/{recovery_plan}.json")
}

/// Changes the orders of a recovery plan. What is refused changes nothing.
pub async fn change<T>(
    store: &Store,
    recovery_plan: &str,
    mut how: impl FnMut(&mut OrdersRecord) -> Result<T, Refusal>,
) -> Result<Result<T, Refusal>, SwapError> {
    swap::swap(store, &blob_name(recovery_plan), VERSION, |known: Option<OrdersRecord>| {
        let mut record = known.unwrap_or_else(|| OrdersRecord::new(recovery_plan));
        match how(&mut record) {
            Ok(done) => Change::Write(record, Ok(done)),
            Err(refusal) => Change::Leave(Err(refusal)),
        }
    })
    .await
}

#[cfg(test)]
mod tests;
