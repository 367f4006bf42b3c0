//! What differs from seed to seed of the recovery plan and its machines, as the document says it and as the model is told it.
//! It never draws lots: `script` does.

use lifeboat_planning::saga::failover::Member as Placed;
use lifeboat_tests::failing_over::{ENDPOINTS, OTHER, PLAN, URL};
use lifeboat_tests::rig::LOCATION;

use crate::model::history::{By, Group, Member, Origin, Plan, Traffic};

/// The name of the traffic profile.
const PROFILE: &str = "tm-shop";
const MINUTE_SECS: i64 = 60;
const HOUR_SECS: i64 = 3_600;

/// A recovery plan.
#[derive(Clone, Debug)]
pub struct Shape {
    /// Who declares.
    pub by: By,
    /// Persons who approve: 1 or 2.
    pub approvals: usize,
    /// `fence: required`, else `bestEffort`.
    pub fence_required: bool,
    /// For how long the evidence has to stand.
    pub window_mins: i64,
    /// How long no other failover begins, and an incident stays open.
    pub cooldown_hours: i64,
    /// The most that may be lost.
    pub loss_mins: i64,
    /// The groups.
    pub groups: Vec<GroupShape>,
    /// Machines of the region that are no members.
    pub bystanders: usize,
    /// Whether the rules have a standing approval.
    pub standing_approval: bool,
    /// Whether a policy makes points of the machines and lets them expire.
    pub keeps: bool,
}

/// A group.
#[derive(Clone, Debug)]
pub struct GroupShape {
    /// Its name, with which its machines' names begin.
    pub name: &'static str,
    /// How many machines.
    pub machines: usize,
    /// Whether a person is asked before it.
    pub approve: bool,
    /// Minutes that are waited after it.
    pub wait_mins: i64,
}

impl GroupShape {
    /// The names of its machines.
    pub fn names(&self) -> impl Iterator<Item = String> {
        (1..=self.machines).map(|number| format!("{}-{number}", self.name))
    }
}

impl Shape {
    /// One that a person orders: two groups, three machines.
    pub fn plain() -> Self {
        let group = |name, machines, wait_mins| GroupShape { name, machines, approve: false, wait_mins };
        Self {
            by: By::Person,
            approvals: 1,
            fence_required: true,
            window_mins: 5,
            cooldown_hours: 1,
            loss_mins: 60,
            groups: vec![group("db", 2, 1), group("web", 1, 0)],
            bystanders: 0,
            standing_approval: false,
            keeps: false,
        }
    }

    /// The document.
    pub fn document(&self) -> String {
        let by = match self.by {
            By::Person => "person",
            By::Approval => "approval",
            By::Rules => "rules",
        };
        let fence = if self.fence_required { "required" } else { "bestEffort" };
        let groups: String = self.groups.iter().map(group_document).collect();
        let (from, to) = ENDPOINTS;
        let Self { approvals, window_mins, cooldown_hours, loss_mins, .. } = self;
        format!(
            "apiVersion: lifeboat/v1\nkind: RecoveryPlan\nmetadata: {{ name: {PLAN} }}\nspec:\n  from: {LOCATION}\n  to: {OTHER}\n  \
             replication: siteRecovery\n  groups:\n{groups}  traffic:\n    - {{ profile: {PROFILE}, from: {from}, to: {to}, verify: \
             {{ url: \"{URL}\", within: 5m }} }}\n  declaration:\n    by: {by}\n    approvals: {approvals}\n    evidence: {{ reported: [ \
             serviceHealth, resourceHealth ], measured: [ probe, metricAlert ], atLeast: 2, for: {window_mins}m }}\n    cooldown: \
             {cooldown_hours}h\n    fence: {fence}\n    maxDataLoss: {loss_mins}m\n"
        )
    }

    /// The plan as the model is told it; `placed` are its members in the order of the groups.
    pub fn plan(&self, profile: &str, placed: &[Placed], disks: impl Fn(&str) -> Vec<String>) -> Plan {
        let mut placed = placed.iter();
        let mut before = 0;
        let mut groups = Vec::new();
        for group in &self.groups {
            let members = placed.by_ref().take(group.machines).map(|one| Member {
                item: one.name.clone(),
                old: one.old.clone(),
                new: one.target.clone(),
                disks: disks(&one.old),
            });
            let wait = before * MINUTE_SECS;
            groups.push(Group {
                name: group.name.to_owned(),
                members: members.collect(),
                approve: group.approve,
                wait,
            });
            before = group.wait_mins;
        }
        let (from, to) = ENDPOINTS;
        Plan {
            name: PLAN.to_owned(),
            from: LOCATION.to_owned(),
            to: OTHER.to_owned(),
            groups,
            traffic: vec![Traffic { profile: profile.to_owned(), from: from.to_owned(), to: to.to_owned() }],
            by: self.by,
            approvals: self.approvals,
            origins: vec![Origin::ServiceHealth, Origin::ResourceHealth, Origin::Probe, Origin::MetricAlert],
            at_least: 2,
            window: self.window_mins * MINUTE_SECS,
            cooldown: self.cooldown_hours * HOUR_SECS,
            fence_required: self.fence_required,
            max_data_loss: self.loss_mins * MINUTE_SECS,
        }
    }
}

fn group_document(group: &GroupShape) -> String {
    let name = group.name;
    let before = if group.approve { ", before: [ { approve: \"Is it whole?\" } ]" } else { "" };
    let after = match group.wait_mins {
        0 => String::new(),
        mins => format!(", after: [ {{ wait: {mins}m }} ]"),
    };
    format!("    - {{ name: {name}, members: {{ name: '{name}-*' }}{before}{after} }}\n")
}
