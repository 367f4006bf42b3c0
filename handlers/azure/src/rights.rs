//! Which right is missing, where, and which built-in role grants it.
//!
//! It never asks Azure, and never names a role that grants more than a deployment should have: Contributor and Owner.

use std::fmt;

/// A right that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The RBAC action.
    pub action: String,
    /// Where it is missing, as Azure names it.
    pub scope: Option<String>,
    /// The built-in role that grants it; none where only a custom role does.
    pub role: Option<&'static str>,
}

/// Which role grants what begins so (or, where it ends so, what ends so). The first that fits is taken: the narrow ones
/// stand first. From the table of built-in roles; *Assumed* for nothing.
const ROLES: [(Part, &str); 10] = [
    (Part::End("/read"), "Reader"),
    (Part::Start("Microsoft.Compute/snapshots/"), "Disk Snapshot Contributor"),
    (Part::Start("Microsoft.Compute/disks/beginGetAccess/"), "Disk Snapshot Contributor"),
    (Part::Start("Microsoft.Compute/virtualMachines/"), "Virtual Machine Contributor"),
    (Part::Start("Microsoft.Compute/disks/"), "Virtual Machine Contributor"),
    (Part::Start("Microsoft.Resources/tags/"), "Tag Contributor"),
    (Part::Start("Microsoft.RecoveryServices/Vaults/backupFabrics/"), "Backup Operator"),
    (Part::Start("Microsoft.RecoveryServices/locations/backup"), "Backup Operator"),
    (Part::Start("Microsoft.RecoveryServices/Vaults/replicationFabrics/"), "Site Recovery Operator"),
    (Part::Start("Microsoft.Network/trafficManagerProfiles/"), "Traffic Manager Contributor"),
];

enum Part {
    Start(&'static str),
    End(&'static str),
}

/// The built-in role that grants an action; none where a custom role is needed.
pub fn role_for(action: &str) -> Option<&'static str> {
    let action = action.to_lowercase();
    let fits = |part: &Part| match part {
        Part::Start(start) => action.starts_with(&start.to_lowercase()),
        Part::End(end) => action.ends_with(end),
    };
    ROLES.iter().find(|(part, _)| fits(part)).map(|(_, role)| *role)
}

impl Missing {
    pub(crate) fn new(action: &str, scope: Option<&str>) -> Self {
        Self { action: action.to_owned(), scope: scope.map(str::to_owned), role: role_for(action) }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scope = self.scope.as_deref().unwrap_or("what was asked for");
        write!(f, "`{}` is missing over {scope}: ", self.action)?;
        match self.role {
            Some(role) => write!(f, "the role `{role}` grants it"),
            None => f.write_str("a custom role with that action is needed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::role_for;
    use crate::operations;

    #[test]
    fn every_operation_has_its_role_or_needs_a_custom_one() {
        let custom: Vec<&str> = operations::ALL
            .iter()
            .filter(|operation| role_for(operation.action).is_none())
            .map(|operation| operation.action)
            .collect();
        assert_eq!(
            custom,
            [
                "Microsoft.Resources/subscriptions/resourceGroups/write",
                "Microsoft.Compute/restorePointCollections/write",
                "Microsoft.Compute/restorePointCollections/restorePoints/write",
                "Microsoft.Compute/restorePointCollections/restorePoints/delete",
            ]
        );
        assert_eq!(
            role_for("microsoft.compute/VIRTUALMACHINES/deallocate/action"),
            Some("Virtual Machine Contributor")
        );
        assert_eq!(role_for("Microsoft.Compute/snapshots/delete"), Some("Disk Snapshot Contributor"));
        assert_eq!(role_for("Microsoft.Compute/snapshots/read"), Some("Reader"));
        assert_eq!(role_for("Microsoft.RecoveryServices/Vaults/backupJobs/read"), Some("Reader"));
        let enable = "Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/protectedItems/write";
        assert_eq!(role_for(enable), Some("Backup Operator"));
        assert_eq!(
            role_for(
                operations::ALL.iter().find(|one| one.action.ends_with("/unplannedFailover/action")).unwrap().action
            ),
            Some("Site Recovery Operator")
        );
        assert_eq!(
            role_for("Microsoft.Network/trafficManagerProfiles/externalEndpoints/write"),
            Some("Traffic Manager Contributor")
        );
    }
}
