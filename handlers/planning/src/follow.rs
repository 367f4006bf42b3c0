//! Decides which of several policies a machine follows, and plans by that one.
//! It never picks between equals, and never plans by a policy whose match cannot be told.

use jiff::Timestamp;

use crate::facts::{Facts, MachineSeen};
use crate::plan::{Plan, Work, plan, verdicts};
use crate::policy::{BackupPolicy, Choice, MachineAttributes, Reach, choose, reach};
use crate::refusal::Refusal;

/// A plan, and the policy that it goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed<'a> {
    /// The policy; none where none is followed: the machine is not known, none matches, or equals do.
    pub policy: Option<&'a BackupPolicy>,
    /// The plan.
    pub plan: Plan,
}

/// Plans for one machine by the one policy that it follows.
pub fn follow<'a>(work: Work, policies: &'a [BackupPolicy], facts: &Facts, now: Timestamp) -> Followed<'a> {
    let refuse = |refusal| Followed { policy: None, plan: Plan { verdicts: verdicts(facts), ..Plan::refuse(refusal) } };
    let machine = match &facts.machine {
        MachineSeen::Present(machine) => machine,
        MachineSeen::Gone => return refuse(Refusal::MachineGone),
        MachineSeen::Unknown(why) => return refuse(Refusal::MachineUnknown(*why)),
    };
    match choose(policies, &machine.about) {
        Choice::None => refuse(none_matches(policies, &machine.about)),
        Choice::One(policy) => Followed { policy: Some(policy), plan: plan(work, policy, facts, now) },
        Choice::Equal(_) => refuse(Refusal::EqualPriorities),
    }
}

impl Plan {
    /// The plan when a person has stopped all changes: what it would do is told, and nothing is done.
    #[must_use]
    pub fn stopped(self) -> Self {
        self.withheld(Refusal::ChangesStopped)
    }

    /// The plan while an incident concerns the machine: nothing is made, enabled or started on it, and it is told what would be.
    #[must_use]
    pub fn during_incident(self) -> Self {
        self.withheld(Refusal::Incident)
    }

    fn withheld(mut self, because: Refusal) -> Self {
        self.would.append(&mut self.effects);
        self.refusals.push(because);
        self.look_again_at = None;
        self
    }
}

/// Why a machine that no policy matches is left alone: one would, were it not for what manages it, or none would.
pub fn none_matches(policies: &[BackupPolicy], machine: &MachineAttributes) -> Refusal {
    let covered = || policies.iter().any(|policy| reach(&policy.matches, machine) != Reach::Outside);
    if machine.managed_by.is_some() && covered() { Refusal::ManagedElsewhere } else { Refusal::NoPolicyMatches }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::audit::{self, Finding};
    use crate::tests::{at, facts, policy, with_machine};

    #[test]
    fn what_is_withheld_is_told_and_not_done() {
        let all = [BackupPolicy { name: "one".into(), ..policy() }];
        for (withheld, because) in
            [(Plan::stopped as fn(Plan) -> Plan, Refusal::ChangesStopped), (Plan::during_incident, Refusal::Incident)]
        {
            let plan = follow(Work { look: 0 }, &all, &facts(), at(1)).plan;
            let effects = plan.effects.clone();
            let after = withheld(plan);
            assert_eq!((after.effects.len(), after.would, after.look_again_at), (0, effects, None));
            assert_eq!(after.refusals.last(), Some(&because));
        }
    }

    #[test]
    fn of_several_policies_the_highest_is_followed_and_between_equals_nothing_is_done() {
        let named = |name: &str, priority| BackupPolicy { name: name.into(), priority, ..policy() };
        let work = Work { look: 0 };
        let all = [named("low", 1), named("high", 2), named("middle", 1)];
        let facts = facts();
        let followed = follow(work, &all, &facts, at(1));
        let policy = followed.policy.expect("one is followed");
        assert_eq!((policy.name.as_str(), followed.plan.effects.len()), ("high", 3));
        assert_eq!(audit::audit_choice(&followed.plan, &all, policy, &facts), None);
        let equals = [named("a", 2), named("b", 2)];
        let equal = follow(work, &equals, &facts, at(1));
        assert_eq!((equal.policy, equal.plan.refusals), (None, vec![Refusal::EqualPriorities]));
        let note = audit::audit_choice(&followed.plan, &equals, &equals[0], &facts).expect("a rival is found");
        assert_eq!(note.finding, Finding::NotTheHighest);
        let managed = with_machine(|m| m.about.managed_by = Some("aks".into()));
        assert_eq!(follow(work, &all, &managed, at(1)).plan.refusals, vec![Refusal::ManagedElsewhere]);
        assert_eq!(follow(work, &[], &facts, at(1)).plan.refusals, vec![Refusal::NoPolicyMatches]);
    }
}
