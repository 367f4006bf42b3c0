//! What a policy or a recovery plan asks for and what is there in Azure does not allow: said with names and numbers.
//! It never looks at the estate; whoever does finds these.

use jiff::{SignedDuration, Timestamp};
use lifeboat_planning::recovery::readiness::Reason;
use std::fmt;

use super::problem::{Weight, quoted, sentence};
use super::unmet::Time;

/// Machines that a message names; the others are counted.
const NAMED_MAX: usize = 3;

/// What a document asks for and the estate does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// No machine follows the policy.
    NoMachines,
    /// Several policies of the same highest priority.
    EqualPriorities {
        /// The other policies.
        others: Vec<String>,
        /// The priority of all of them.
        priority: i32,
        /// The machines that would be left alone.
        of: Covered,
    },
    /// No placement is for the region of machines that the policy covers.
    NoPlacement {
        /// The region.
        region: String,
        /// The machines.
        of: Covered,
    },
    /// The subscription of machines has no vault of that name.
    NoVault {
        /// The vault.
        vault: String,
        /// The subscription.
        subscription: String,
        /// The machines.
        of: Covered,
    },
    /// It has several of that name.
    SeveralVaults {
        /// The vault.
        vault: String,
        /// The subscription.
        subscription: String,
    },
    /// The vault is located in another region than the machines.
    VaultElsewhere {
        /// The vault.
        vault: String,
        /// Where it is.
        located: String,
        /// The machines.
        of: Covered,
    },
    /// The vault has no vault policy of that name.
    NoVaultPolicy {
        /// The vault.
        vault: String,
        /// The vault policy.
        vault_policy: String,
        /// The machines that shall have it.
        of: Covered,
    },
    /// The vault policy is for something else than machines.
    VaultPolicyNotForMachines {
        /// The vault policy.
        vault_policy: String,
    },
    /// Machines have no tag that names a vault policy, and nothing else does.
    VaultPolicyNotNamed {
        /// The tag.
        tag: String,
        /// The machines.
        of: Covered,
    },
    /// More machines than a vault or a vault policy protects.
    TooManyMachines {
        /// The vault or the vault policy.
        of: String,
        /// How many there are.
        machines: usize,
        /// How many it protects.
        most: u32,
    },
    /// More restore points in a time than Azure's budget of the subscription and region gives.
    OverBudget {
        /// How many.
        points: u64,
        /// The subscription.
        subscription: String,
        /// The region.
        region: String,
        /// The slot from which on.
        from: Timestamp,
        /// The windows of the slots together.
        within: SignedDuration,
        /// How many the budget gives in that time.
        most: u64,
    },
    /// A recovery plan could not be executed now.
    NotReady(Box<Reason>),
    /// Something could not be read, and nothing is concluded about it.
    NotRead {
        /// What.
        what: String,
        /// Why.
        because: String,
    },
}

/// Machines that something is about: how many, and the names of the first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Covered {
    count: usize,
    first: Vec<String>,
}

impl Covered {
    /// One more.
    pub fn add(&mut self, name: &str) {
        self.count += 1;
        if self.first.len() < NAMED_MAX {
            self.first.push(quoted(name));
        }
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.count
    }
}

impl Misfit {
    /// How much it weighs.
    pub fn weight(&self) -> Weight {
        match self {
            Self::NoMachines | Self::NotRead { .. } => Weight::Warning,
            // What passes by itself, or could not be read, is no fault of the document.
            Self::NotReady(reason) if !reason.is_lasting() => Weight::Warning,
            _ => Weight::Error,
        }
    }
}

impl fmt::Display for Covered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.count == 1 { "" } else { "s" };
        let more = if self.count > self.first.len() { ", …" } else { "" };
        write!(f, "{} machine{plural} ({}{more})", self.count, self.first.join(", "))
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMachines => f.write_str("no machine in scope follows this policy"),
            Self::EqualPriorities { others, priority, of } => {
                let others: Vec<String> = others.iter().map(|name| format!("`{}`", quoted(name))).collect();
                write!(f, "{of} would be left alone: {} matches with the same priority {priority}", others.join(", "))
            }
            Self::NoPlacement { region, of } => write!(f, "no placement is for {}, the region of {of}", quoted(region)),
            Self::NoVault { vault, subscription, of } => {
                write!(f, "the subscription {} has no vault `{}` for {of}", quoted(subscription), quoted(vault))
            }
            Self::SeveralVaults { vault, subscription } => {
                write!(f, "the subscription {} has several vaults `{}`", quoted(subscription), quoted(vault))
            }
            Self::VaultElsewhere { vault, located, of } => {
                write!(f, "the vault `{}` is in {} and cannot protect {of}", quoted(vault), quoted(located))
            }
            Self::NoVaultPolicy { vault, vault_policy, of } => {
                write!(f, "the vault `{}` has no vault policy `{}` for {of}", quoted(vault), quoted(vault_policy))
            }
            Self::VaultPolicyNotForMachines { vault_policy } => {
                write!(f, "the vault policy `{}` is not for virtual machines", quoted(vault_policy))
            }
            Self::VaultPolicyNotNamed { tag, of } => {
                write!(f, "no tag `{}` names the vault policy of {of}, and there is no `vaultPolicy`", quoted(tag))
            }
            Self::TooManyMachines { of, machines, most } => {
                write!(f, "{machines} machines are for `{}`, which protects {most}", quoted(of))
            }
            Self::OverBudget { points, subscription, region, from, within, most } => {
                let (region, subscription) = (quoted(region), quoted(subscription));
                write!(f, "{points} restore points are due within {} from {from} on in {region} ", Time(*within))?;
                write!(f, "of the subscription {subscription}, and Azure's budget gives {most} in that time")
            }
            Self::NotReady(reason) => write!(f, "not ready: {}", sentence(&reason.to_string())),
            Self::NotRead { what, because } => {
                write!(f, "{what} could not be read, so that nothing is said of them: {because}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_machines_are_named_and_the_others_counted() {
        let mut of = Covered::default();
        of.add("web-1");
        assert_eq!(of.to_string(), "1 machine (web-1)");
        ["web-2", "web-3", "web-4\n"].iter().for_each(|name| of.add(name));
        assert_eq!((of.count(), of.to_string().as_str()), (4, "4 machines (web-1, web-2, web-3, …)"));
    }

    #[test]
    fn what_a_budget_gives_is_said_with_the_arithmetic() {
        let misfit = Misfit::OverBudget {
            points: 5_000,
            subscription: "s".into(),
            region: "westeurope".into(),
            from: Timestamp::UNIX_EPOCH,
            within: SignedDuration::from_hours(1),
            most: 3_120,
        };
        let said = "5000 restore points are due within 1h from 1970-01-01T00:00:00Z on in westeurope of the subscription s, and Azure's \
                    budget gives 3120 in that time";
        assert_eq!((misfit.to_string().as_str(), misfit.weight()), (said, Weight::Error));
        assert_eq!(Misfit::NoMachines.weight(), Weight::Warning);
    }
}
