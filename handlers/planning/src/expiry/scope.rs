//! Whether anything may be deleted of a living machine: what the policies in force say of the machine as it is today.
//! It never decides about a machine that is gone: that one follows nothing any more, and its points follow their names.
//!
//! A point follows the policy that its name says. But where several policies of the same highest priority match the machine, where none
//! does, or where the one that does only reports, nothing is changed on it, and nothing of it is deleted by another policy's word either.

use alloc::string::String;
use alloc::vec::Vec;
use jiff::SignedDuration;

use crate::policy::{self, BackupPolicy, Choice, Conforming, MachineAttributes, Mode};
use crate::retention::Reason;

/// What the policies in force say of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    bar: Option<Reason>,
    /// Policies that only report, whose own points are told as what would go.
    reports: Vec<String>,
    /// An incident is open that concerns the machine, or whether one is could not be learned.
    incident: bool,
}

impl Scope {
    /// Of a machine that was seen. Where a policy asks how old the newest conforming point is, its own points would end its hold on
    /// the machine: such a policy counts as followed with and without one.
    pub fn of(policies: &[BackupPolicy], machine: &MachineAttributes) -> Self {
        let (mut enforced, mut equal, mut reports) = (false, false, Vec::new());
        for conforming in [Conforming::Never, Conforming::Age(SignedDuration::ZERO)] {
            match policy::choose(policies, &MachineAttributes { conforming, ..machine.clone() }) {
                Choice::None => {}
                Choice::Equal(_) => equal = true,
                Choice::One(policy) if policy.mode == Mode::Enforce => enforced = true,
                Choice::One(policy) => reports.push(policy.name.clone()),
            }
        }
        let bar = match (equal, enforced, reports.is_empty()) {
            (true, ..) => Some(Reason::EqualPriorities),
            (false, true, _) => None,
            (false, false, false) => Some(Reason::MachineReported),
            (false, false, true) => Some(Reason::OutOfScope),
        };
        Self { bar, reports, incident: false }
    }

    /// Of a machine that was not seen, or of which it is not known what it follows.
    pub const fn unknown() -> Self {
        Self { bar: Some(Reason::MachineUnknown), reports: Vec::new(), incident: false }
    }

    /// The same while an incident concerns the machine: nothing of it goes, wherever the machine is and whatever policies say.
    #[must_use]
    pub fn during_incident(self) -> Self {
        Self { incident: true, ..self }
    }

    /// What stands in the way of every point of the machine, also where it is gone.
    pub fn bars_all(&self) -> Option<Reason> {
        self.incident.then_some(Reason::Incident)
    }

    /// What stands in the way of the points of a policy; none where they may go.
    pub fn bars(&self, policy: &str) -> Option<Reason> {
        let told_as_would = self.bar == Some(Reason::MachineReported) && self.reports.iter().any(|own| own == policy);
        self.bar.filter(|_| !told_as_would)
    }
}
