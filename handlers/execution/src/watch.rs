//! Raises and closes the alarms that looks and sweeps give cause for.
//! It never decides what is done about a machine, and no failure of its own holds up a look or a sweep.

use jiff::{SignedDuration, Timestamp};
use lifeboat_planning::facts::UnknownBecause;
use lifeboat_planning::refusal::Refusal;

use crate::alarms::{self, Cause, Machines, Raised, Tally};
use crate::lifeboat::Lifeboat;
use crate::policies::{InForce, PolicyError};
use crate::swap::SwapError;

/// A sweep is overdue after three of its periods.
pub const SWEEP_OVERDUE: SignedDuration = SignedDuration::from_mins(15);
/// Azure's clock and ours may differ by this: beyond it nothing is deleted (design §10).
pub const SKEW_MAX: SignedDuration = SignedDuration::from_mins(5);

/// The cause that a refusal is an alarm for, and whether the alarm is about the policy.
fn cause(refusal: &Refusal) -> Option<(Cause, bool)> {
    match refusal {
        Refusal::EqualPriorities => Some((Cause::EqualPriorities, false)),
        Refusal::AttemptsUsedUp => Some((Cause::AttemptsUsedUp, true)),
        Refusal::CollectionForeign => Some((Cause::ForeignEstate, false)),
        Refusal::BackupJobFailed(_) => Some((Cause::BackupJobFailed, true)),
        Refusal::NoPlacement
        | Refusal::NoVault
        | Refusal::SeveralVaults
        | Refusal::VaultInOtherRegion
        | Refusal::NoVaultPolicy
        | Refusal::VaultPolicyNotNamed
        | Refusal::VaultPolicyNotForMachines
        | Refusal::VaultPolicyFull => Some((Cause::NoVault, true)),
        Refusal::ProtectedElsewhere
        | Refusal::ProtectionStopped
        | Refusal::ItemSoftDeleted
        | Refusal::ItemStateUnknown
        | Refusal::ItemOfPredecessor
        | Refusal::OtherVaultPolicy => Some((Cause::ProtectionChanged, true)),
        Refusal::PreCheckFailed(_) => Some((Cause::Unsupported, true)),
        Refusal::EphemeralOsDisk | Refusal::DisksWithoutSnapshots | Refusal::NeedsAgent => {
            Some((Cause::Unsupported, true))
        }
        Refusal::MachineUnknown(_) | Refusal::CollectionUnknown(_) | Refusal::SnapshotsUnknown(_) => {
            Some((Cause::NotPermitted, false))
        }
        _ => None,
    }
}

/// Refusals whose alarm is closed for a machine when a look no longer has them. Between equals the sweep sees all machines at once.
const CLOSED_BY_LOOKS: [Refusal; 23] = [
    Refusal::AttemptsUsedUp,
    Refusal::CollectionForeign,
    Refusal::NoPlacement,
    Refusal::NoVault,
    Refusal::SeveralVaults,
    Refusal::VaultInOtherRegion,
    Refusal::NoVaultPolicy,
    Refusal::VaultPolicyNotNamed,
    Refusal::VaultPolicyNotForMachines,
    Refusal::VaultPolicyFull,
    Refusal::ProtectedElsewhere,
    Refusal::ProtectionStopped,
    Refusal::ItemSoftDeleted,
    Refusal::ItemStateUnknown,
    Refusal::ItemOfPredecessor,
    Refusal::OtherVaultPolicy,
    Refusal::EphemeralOsDisk,
    Refusal::DisksWithoutSnapshots,
    Refusal::MachineUnknown(UnknownBecause::NotPermitted),
    Refusal::MachineUnknown(UnknownBecause::SubscriptionNotEnabled),
    Refusal::MachineUnknown(UnknownBecause::NotFoundUnproven),
    Refusal::CollectionUnknown(UnknownBecause::NotPermitted),
    Refusal::CollectionUnknown(UnknownBecause::NotFoundUnproven),
];

/// What a look came to.
#[derive(Debug)]
pub struct Looked<'a> {
    /// ARM id of the machine.
    pub machine: &'a str,
    /// The policy that it follows.
    pub policy: Option<&'a str>,
    /// What was refused.
    pub refusals: &'a [Refusal],
    /// What the audit found.
    pub audit: &'a [String],
    /// The policy and the refusals of the decision before, as the ledger has them.
    pub before: Option<(String, Vec<String>)>,
}

/// The alarms of one look: what was refused, what the audit found, and what is over since the decision before.
pub async fn look(lifeboat: &Lifeboat, looked: Looked<'_>) {
    let now = lifeboat.clock.now();
    let machines = [looked.machine.to_owned()];
    for refusal in looked.refusals.iter().filter(|refusal| refusal.alarms()) {
        let Some((cause, of_policy)) = cause(refusal) else { continue };
        let policy = looked.policy.filter(|_| of_policy);
        let raised = Raised { cause, policy, what: refusal.to_string(), machines: Machines::Also(&machines) };
        alarms::raise(&lifeboat.outbox, &raised, now).await;
    }
    if let Some(first) = looked.audit.first() {
        let what = format!("the audit refused a plan: {first}");
        let raised = Raised { cause: Cause::AuditRefused, policy: None, what, machines: Machines::Also(&machines) };
        alarms::raise(&lifeboat.outbox, &raised, now).await;
    }
    let Some((policy, before)) = &looked.before else { return };
    for refusal in CLOSED_BY_LOOKS.iter().filter(|refusal| before.contains(&refusal.to_string())) {
        let Some((over, of_policy)) = cause(refusal).filter(|_| !looked.refusals.contains(refusal)) else { continue };
        let policy = Some(policy.as_str()).filter(|_| of_policy);
        told(over, alarms::clear(&lifeboat.outbox, over, policy, looked.machine, now).await);
    }
}

/// The alarm for a sweep that comes late, before it begins.
pub async fn sweep_begins(lifeboat: &Lifeboat, last_completed_at: Option<Timestamp>, now: Timestamp) {
    let Some(last) = last_completed_at.filter(|last| now.duration_since(*last) > SWEEP_OVERDUE) else { return };
    let what = format!("no sweep was completed since {last}");
    let raised = Raised { cause: Cause::SweepOverdue, policy: None, what, machines: Machines::All(&[]) };
    alarms::raise(&lifeboat.outbox, &raised, now).await;
}

/// The alarms of a completed sweep: machines that equals match, and what is over with it.
pub async fn sweep_ends(lifeboat: &Lifeboat, equal: &Tally, now: Timestamp) {
    settle(lifeboat, Cause::SweepOverdue, now).await;
    if equal.total == 0 {
        settle(lifeboat, Cause::EqualPriorities, now).await;
    } else {
        let (what, machines) = (Refusal::EqualPriorities.to_string(), Machines::Tallied(equal));
        let raised = Raised { cause: Cause::EqualPriorities, policy: None, what, machines };
        alarms::raise(&lifeboat.outbox, &raised, now).await;
    }
    match lifeboat.arm.clock_skew() {
        Some(skew) if skew.abs() > SKEW_MAX => {
            let what = format!("Azure's clock is {} s from ours: nothing is deleted", skew.as_secs());
            let raised = Raised { cause: Cause::ClockSkew, policy: None, what, machines: Machines::All(&[]) };
            alarms::raise(&lifeboat.outbox, &raised, now).await;
        }
        Some(_) => settle(lifeboat, Cause::ClockSkew, now).await,
        None => {}
    }
}

/// The alarm for policies that cannot be read, raised and closed by sweeps.
pub async fn policies(lifeboat: &Lifeboat, read: Result<&InForce, &PolicyError>, now: Timestamp) {
    let what = match read {
        Ok(InForce { not_read: None, .. }) => return settle(lifeboat, Cause::PolicyUnreadable, now).await,
        // Whether they can be read is not known then.
        Err(PolicyError::Store { .. }) => return,
        Ok(InForce { not_read: Some(not_read), .. }) => {
            format!("{} cannot be read; the last good policies are in force", not_read.document)
        }
        Err(error @ (PolicyError::Missing { .. } | PolicyError::Unreadable { .. })) => error.to_string(),
    };
    let raised = Raised { cause: Cause::PolicyUnreadable, policy: None, what, machines: Machines::All(&[]) };
    alarms::raise(&lifeboat.outbox, &raised, now).await;
}

/// True when the clocks agree well enough for deleting. Not heard of Azure's clock yet is not agreed.
pub fn clocks_agree(lifeboat: &Lifeboat) -> bool {
    lifeboat.arm.clock_skew().is_some_and(|skew| skew.abs() <= SKEW_MAX)
}

async fn settle(lifeboat: &Lifeboat, cause: Cause, now: Timestamp) {
    told(cause, alarms::settle(&lifeboat.outbox, cause, None, now).await);
}

fn told(cause: Cause, done: Result<(), SwapError>) {
    if let Err(error) = done {
        tracing::warn!(error = %error, %cause, "an alarm could not be closed; the next sweep or look does");
    }
}
