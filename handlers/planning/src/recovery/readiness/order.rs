//! The order of a recovery plan's failover, from what was saved of it while all was well.
//! It never reads anything anew: the saga's preflight does, before anything is done.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use jiff::{SignedDuration, Timestamp};

use crate::recovery::{Action, RecoveryPlan};
use crate::saga::failover::{self, FailoverOrder, Fence, Member, PointChoice, Unmet};

/// What was saved of the path: which machines there are, and what stands for them.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedPath {
    /// The digest of the recovery plan that it was saved for.
    pub digest: String,
    /// The groups, in order.
    pub groups: Vec<SavedGroup>,
    /// ARM ids of the profiles, by their names in lower case.
    pub profiles: BTreeMap<String, String>,
}

/// The members of a group.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedGroup {
    /// Its name.
    pub name: String,
    /// Its members.
    pub members: Vec<Arc<Member>>,
}

/// What a person, or the rules, say with an order.
#[derive(Clone, Debug, PartialEq)]
pub struct Ordered {
    /// The saga's id: derived from recovery plan and incident.
    pub id: String,
    /// When it was ordered.
    pub at: Timestamp,
    /// Which recovery point is taken.
    pub point: PointChoice,
    /// What holds when the old machines cannot be stopped.
    pub fence: Fence,
    /// When the source stopped serving.
    pub stopped_serving_at: Timestamp,
    /// The largest loss that was approved; the recovery plan's own where nobody approved of more.
    pub loss_max: Option<SignedDuration>,
    /// Unmet conditions that the order names and passes.
    pub passed: Vec<Unmet>,
    /// Who has answered with the order that the old machines may be deleted, once their disks are saved.
    pub protect_back: Option<String>,
}

impl Ordered {
    /// An order as it would be given now, for what is only shown.
    pub fn as_of(plan: &str, now: Timestamp) -> Self {
        Self {
            id: plan.to_string(),
            at: now,
            point: PointChoice::Latest,
            fence: Fence::Required,
            stopped_serving_at: now,
            loss_max: None,
            passed: Vec::new(),
            protect_back: None,
        }
    }
}

/// Why no order can be made of what was saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderRefused {
    /// It was saved for the recovery plan as it was before: its members may be others.
    OtherPlan,
    /// A group was saved without members, or not at all.
    NoMembers(String),
    /// Where a profile is was not saved.
    NoProfile(String),
}

/// The order. The same words give the same order, so that a repeat is the same saga.
///
/// # Errors
/// What was saved does not fit the recovery plan.
pub fn order(plan: &RecoveryPlan, saved: &SavedPath, ordered: &Ordered) -> Result<FailoverOrder, OrderRefused> {
    if saved.digest != plan.digest() {
        return Err(OrderRefused::OtherPlan);
    }
    let groups: Result<Vec<failover::Group>, OrderRefused> = plan
        .groups
        .iter()
        .map(|group| {
            let found = saved.groups.iter().find(|own| own.name == group.name).filter(|own| !own.members.is_empty());
            let found = found.ok_or_else(|| OrderRefused::NoMembers(group.name.clone()))?;
            Ok(failover::Group {
                name: group.name.clone(),
                before: group.before.iter().map(action).collect(),
                members: found.members.clone(),
                after: group.after.iter().map(action).collect(),
            })
        })
        .collect();
    let traffic: Result<Vec<Arc<failover::Traffic>>, OrderRefused> = plan
        .traffic
        .iter()
        .map(|traffic| {
            let profile = saved.profiles.get(&traffic.profile.to_lowercase()).cloned();
            let profile = profile.ok_or_else(|| OrderRefused::NoProfile(traffic.profile.clone()))?;
            let verify = Some((traffic.verify.url.clone(), traffic.verify.within));
            let (from, to) = (traffic.from.clone(), traffic.to.clone());
            Ok(Arc::new(failover::Traffic { profile, from, to, verify }))
        })
        .collect();
    Ok(FailoverOrder {
        id: ordered.id.clone(),
        plan: plan.name.clone(),
        from: String::from(plan.from.as_str()),
        to: String::from(plan.to.as_str()),
        ordered_at: ordered.at,
        groups: groups?,
        traffic: traffic?,
        point: ordered.point,
        fence: ordered.fence,
        stopped_serving_at: ordered.stopped_serving_at,
        loss_max: ordered.loss_max.unwrap_or(plan.declaration.max_data_loss),
        passed: ordered.passed.clone(),
        protect_back: ordered.protect_back.clone(),
    })
}

fn action(action: &Action) -> failover::Action {
    match action {
        Action::Wait(time) => failover::Action::Wait(*time),
        Action::Approve(question) => failover::Action::Approve(question.clone()),
    }
}

impl fmt::Display for OrderRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherPlan => f.write_str("what was saved is of the recovery plan as it was before"),
            Self::NoMembers(group) => write!(f, "no member of group {group} was saved"),
            Self::NoProfile(profile) => write!(f, "where profile {profile} is was not saved"),
        }
    }
}
