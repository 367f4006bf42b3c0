//! The order of a failover as it is stored: what was asked for, with all that was read when it was.
//! It never changes once it is written, and never says how far the saga is.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use lifeboat_planning::saga::failover::{Action, FailoverOrder, Fence, Group, Member, PointChoice, Traffic, Unmet};
use serde::{Deserialize, Serialize};

/// An order, as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderRecord {
    from: String,
    to: String,
    ordered_at: Timestamp,
    groups: Vec<GroupRecord>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    traffic: Vec<TrafficRecord>,
    point: PointRecord,
    fence: FenceRecord,
    stopped_serving_at: Timestamp,
    loss_max_secs: i64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    passed: Vec<UnmetRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    protect_back: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct GroupRecord {
    name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    before: Vec<ActionRecord>,
    members: Vec<MemberRecord>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    after: Vec<ActionRecord>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum ActionRecord {
    WaitSecs(i64),
    Approve(String),
}

/// A member, as orders and saved copies store it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MemberRecord {
    /// What it is called, unique in the recovery plan.
    pub name: String,
    /// ARM id of its replicated item.
    pub item: String,
    /// ARM id of the machine.
    pub old: String,
    /// Its `vmId`.
    pub old_vm_id: String,
    /// ARM ids of the networks that it is in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub old_networks: Vec<String>,
    /// ARM id of the machine to be.
    pub target: String,
    /// What the machine has and the machine to be will not, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_carried: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TrafficRecord {
    profile: String,
    from: String,
    to: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    verify: Option<VerifyRecord>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct VerifyRecord {
    url: String,
    within_secs: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum PointRecord {
    Latest,
    LatestProcessed,
    ApplicationConsistent,
    At(Timestamp),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum FenceRecord {
    Required,
    ImpossibleAccepted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum UnmetRecord {
    Health,
    Loss,
}

impl OrderRecord {
    /// As it is stored.
    pub fn of(order: &FailoverOrder) -> Self {
        Self {
            from: order.from.clone(),
            to: order.to.clone(),
            ordered_at: order.ordered_at,
            groups: order.groups.iter().map(GroupRecord::of).collect(),
            traffic: order.traffic.iter().map(|it| TrafficRecord::of(it)).collect(),
            point: match order.point {
                PointChoice::Latest => PointRecord::Latest,
                PointChoice::LatestProcessed => PointRecord::LatestProcessed,
                PointChoice::ApplicationConsistent => PointRecord::ApplicationConsistent,
                PointChoice::At(moment) => PointRecord::At(moment),
            },
            fence: match order.fence {
                Fence::Required => FenceRecord::Required,
                Fence::ImpossibleAccepted => FenceRecord::ImpossibleAccepted,
            },
            stopped_serving_at: order.stopped_serving_at,
            loss_max_secs: order.loss_max.as_secs(),
            passed: order.passed.iter().map(unmet).collect(),
            protect_back: order.protect_back.clone(),
        }
    }

    /// The order again, of the saga with this id and recovery plan.
    pub fn order(&self, id: &str, plan: &str) -> FailoverOrder {
        FailoverOrder {
            id: id.to_owned(),
            plan: plan.to_owned(),
            from: self.from.clone(),
            to: self.to.clone(),
            ordered_at: self.ordered_at,
            groups: self.groups.iter().map(GroupRecord::group).collect(),
            traffic: self.traffic.iter().map(|it| Arc::new(it.traffic())).collect(),
            point: match self.point {
                PointRecord::Latest => PointChoice::Latest,
                PointRecord::LatestProcessed => PointChoice::LatestProcessed,
                PointRecord::ApplicationConsistent => PointChoice::ApplicationConsistent,
                PointRecord::At(moment) => PointChoice::At(moment),
            },
            fence: match self.fence {
                FenceRecord::Required => Fence::Required,
                FenceRecord::ImpossibleAccepted => Fence::ImpossibleAccepted,
            },
            stopped_serving_at: self.stopped_serving_at,
            loss_max: SignedDuration::from_secs(self.loss_max_secs),
            passed: self.passed.iter().map(passed).collect(),
            protect_back: self.protect_back.clone(),
        }
    }
}

impl GroupRecord {
    fn of(group: &Group) -> Self {
        Self {
            name: group.name.clone(),
            before: group.before.iter().map(ActionRecord::of).collect(),
            members: group.members.iter().map(|it| MemberRecord::of(it)).collect(),
            after: group.after.iter().map(ActionRecord::of).collect(),
        }
    }

    fn group(&self) -> Group {
        Group {
            name: self.name.clone(),
            before: self.before.iter().map(ActionRecord::action).collect(),
            members: self.members.iter().map(|it| Arc::new(it.member())).collect(),
            after: self.after.iter().map(ActionRecord::action).collect(),
        }
    }
}

impl ActionRecord {
    fn of(action: &Action) -> Self {
        match action {
            Action::Wait(wait) => Self::WaitSecs(wait.as_secs()),
            Action::Approve(words) => Self::Approve(words.clone()),
        }
    }

    fn action(&self) -> Action {
        match self {
            Self::WaitSecs(secs) => Action::Wait(SignedDuration::from_secs(*secs)),
            Self::Approve(words) => Action::Approve(words.clone()),
        }
    }
}

impl MemberRecord {
    fn of(it: &Member) -> Self {
        Self {
            name: it.name.clone(),
            item: it.item.clone(),
            old: it.old.clone(),
            old_vm_id: it.old_vm_id.clone(),
            old_networks: it.old_networks.clone(),
            target: it.target.clone(),
            not_carried: it.not_carried.clone(),
        }
    }

    /// As planning has it.
    pub fn member(&self) -> Member {
        Member {
            name: self.name.clone(),
            item: self.item.clone(),
            old: self.old.clone(),
            old_vm_id: self.old_vm_id.clone(),
            old_networks: self.old_networks.clone(),
            target: self.target.clone(),
            not_carried: self.not_carried.clone(),
        }
    }
}

impl TrafficRecord {
    fn of(it: &Traffic) -> Self {
        let verify = it.verify.as_ref();
        Self {
            profile: it.profile.clone(),
            from: it.from.clone(),
            to: it.to.clone(),
            verify: verify.map(|(url, within)| VerifyRecord { url: url.clone(), within_secs: within.as_secs() }),
        }
    }

    fn traffic(&self) -> Traffic {
        let verify = self.verify.as_ref();
        Traffic {
            profile: self.profile.clone(),
            from: self.from.clone(),
            to: self.to.clone(),
            verify: verify.map(|it| (it.url.clone(), SignedDuration::from_secs(it.within_secs))),
        }
    }
}

fn unmet(unmet: &Unmet) -> UnmetRecord {
    match unmet {
        Unmet::Health => UnmetRecord::Health,
        Unmet::Loss => UnmetRecord::Loss,
    }
}

fn passed(unmet: &UnmetRecord) -> Unmet {
    match unmet {
        UnmetRecord::Health => Unmet::Health,
        UnmetRecord::Loss => Unmet::Loss,
    }
}
