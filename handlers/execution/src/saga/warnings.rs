//! Warnings that Azure told beside the success of what was ordered: which of them are news since a saga was taken further.
//! It never decides: a warning holds up nothing (rule 3).

use std::collections::BTreeMap;

use lifeboat_planning::saga::Saga;
use lifeboat_planning::saga::failover::Failover;

/// How many were known of each member.
pub type Heard = BTreeMap<String, usize>;

/// One that is news.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The member.
    pub member: String,
    /// Its number among the member's, which stays.
    pub number: usize,
    /// In words.
    pub text: String,
}

/// How many are known of each member.
pub fn heard(saga: &Saga<Failover>) -> Heard {
    saga.runbook.memory.members.iter().map(|(name, of)| (name.clone(), of.warnings.len())).collect()
}

/// Those that are not among these.
pub fn news(before: &Heard, saga: &Saga<Failover>) -> Vec<Warning> {
    let members = saga.runbook.memory.members.iter();
    let of = |(name, of): (&String, &lifeboat_planning::saga::failover::OfMember)| {
        let known = before.get(name).copied().unwrap_or_default();
        let new = of.warnings.iter().enumerate().skip(known);
        new.map(|(number, text)| Warning { member: name.clone(), number, text: text.clone() }).collect::<Vec<_>>()
    };
    members.flat_map(of).collect()
}

impl Warning {
    /// As it is told.
    pub fn words(&self) -> String {
        format!("{}: a warning beside success: {}", self.member, self.text)
    }
}
