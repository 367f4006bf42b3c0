//! The document of `lifeboat plan`: what the handler would do now, for each machine and effect what, why, and what is refused.
//! It never gathers what it says; whoever looks fills it in. It orders nothing: the handler looks for itself.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

/// The version of the document; a field is added without a new one, a changed meaning needs one.
pub const VERSION: u32 = 1;

/// What the handler would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanDocument {
    /// The version of this form.
    pub version: u32,
    /// When it was looked.
    pub at: Timestamp,
    /// The deployment whose handler would do it.
    pub deployment: String,
    /// The id of its estate record; none where no store was asked.
    pub estate: Option<String>,
    /// The policies that it goes by.
    pub policies: PoliciesUsed,
    /// What holds everything up, or is good to know of all: one line each.
    pub notes: Vec<String>,
    /// Subscriptions whose machines may not all be seen: what is not there may be there all the same.
    pub unseen: Vec<String>,
    /// The machines of which something is to be said, in the order of their ids.
    pub machines: Vec<MachinePlan>,
    /// The others, counted.
    pub quiet: Quiet,
    /// What the next sweep of expiry would delete.
    pub expiry: ExpiryPlan,
}

/// The policies that a plan goes by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PoliciesUsed {
    /// Where they are from.
    pub from: PoliciesFrom,
    /// The digest of their bundle.
    pub digest: String,
    /// Their names.
    pub names: Vec<String>,
}

/// Where policies are from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum PoliciesFrom {
    /// They are in force.
    Store,
    /// They are files of whoever asks: what they would do.
    Files,
}

/// What is to be done about one machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MachinePlan {
    /// Its ARM id.
    pub machine: String,
    /// The policy that it follows.
    pub policy: Option<String>,
    /// What the handler would do, in this order.
    pub effects: Vec<PlannedStep>,
    /// What it would do if the policy did more than report, or changes were not stopped.
    pub would: Vec<PlannedStep>,
    /// What it would not do, and why.
    pub refusals: Vec<RefusalSaid>,
    /// What the audit has against it; the handler would do nothing of it.
    pub audit: Vec<String>,
    /// When the handler would look again.
    pub look_again_at: Option<Timestamp>,
    /// Why nothing is known of it.
    pub unread: Option<String>,
}

/// One effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedStep {
    /// What it is told apart by, as in the ledger.
    pub key: String,
    /// What it is, in the ledger's words.
    pub what: String,
    /// Why it is done.
    pub why: String,
    /// What is done instead of what the policy asks for first, and why.
    pub instead: Option<String>,
}

/// Something that is not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RefusalSaid {
    /// Why.
    pub why: String,
    /// Nothing changes by itself: a person's turn.
    pub needs_person: bool,
}

/// Machines of which nothing is to be said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Quiet {
    /// How many, by what there is to say.
    pub by_reason: BTreeMap<String, usize>,
    /// Machines that were not looked at, because one plan looks at no more.
    pub not_looked_at: usize,
}

/// What the next sweep of expiry would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExpiryPlan {
    /// Why it would delete nothing at all.
    pub withheld: Option<String>,
    /// Points that are due or would be, oldest first.
    pub points: Vec<PointDue>,
    /// All points that were seen, by verdict.
    pub verdicts: BTreeMap<String, usize>,
    /// Machines whose points could not be read, with the reason.
    pub unread: BTreeMap<String, String>,
    /// Collections that were not read, because one plan reads no more.
    pub not_read: usize,
}

/// A point that no rule keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PointDue {
    /// ARM id of the machine that it is of.
    pub machine: String,
    /// Its name; of a set of snapshots the name of the first.
    pub point: String,
    /// The moment that its content is of.
    pub at: Timestamp,
    /// The policy that made it.
    pub policy: String,
    /// Every reason for which it goes.
    pub reasons: Vec<String>,
    /// What would be deleted.
    pub effects: Vec<PlannedStep>,
    /// Why the next sweep would leave it there all the same.
    pub left: Option<String>,
}

impl PlanDocument {
    /// True when all was read, nothing needs a person and the audit has nothing against it.
    pub fn holds(&self) -> bool {
        self.unseen.is_empty() && self.machines.iter().all(MachinePlan::holds) && self.expiry.unread.is_empty()
    }
}

impl MachinePlan {
    fn holds(&self) -> bool {
        self.unread.is_none() && self.audit.is_empty() && !self.refusals.iter().any(|refusal| refusal.needs_person)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_holds_unless_something_needs_a_person_or_was_not_read() {
        let document = |machines: Vec<MachinePlan>, expiry: ExpiryPlan| PlanDocument {
            version: VERSION,
            at: Timestamp::UNIX_EPOCH,
            deployment: String::new(),
            estate: None,
            policies: PoliciesUsed { from: PoliciesFrom::Store, digest: String::new(), names: Vec::new() },
            notes: Vec::new(),
            unseen: Vec::new(),
            machines,
            quiet: Quiet::default(),
            expiry,
        };
        let refused = |needs_person| MachinePlan {
            refusals: vec![RefusalSaid { why: String::new(), needs_person }],
            ..MachinePlan::default()
        };
        assert!(document(vec![refused(false)], ExpiryPlan::default()).holds());
        assert!(!document(vec![refused(true)], ExpiryPlan::default()).holds());
        let unread = MachinePlan { unread: Some(String::new()), ..MachinePlan::default() };
        assert!(!document(vec![unread], ExpiryPlan::default()).holds());
        let audited = MachinePlan { audit: vec![String::new()], ..MachinePlan::default() };
        assert!(!document(vec![audited], ExpiryPlan::default()).holds());
        let points = ExpiryPlan { unread: [(String::new(), String::new())].into(), ..ExpiryPlan::default() };
        assert!(!document(Vec::new(), points).holds());
        let unseen = PlanDocument { unseen: vec![String::new()], ..document(Vec::new(), ExpiryPlan::default()) };
        assert!(!unseen.holds());
    }
}
