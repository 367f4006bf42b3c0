//! The refusals of Site Recovery, each with the entry of the evidence register that says how well it is known.
//! It never decides when to refuse.

use super::super::errors::ArmError;

/// What stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecoveryDenial {
    Missing,
    OtherProvider,
    NotAllowed,
    PointMissing,
    Direction,
    MachineMissing,
    DiskMissing,
    PolicyMissing,
    ContainerMissing,
    NotPaired,
    OtherContainer,
    AlreadyThere,
}

impl RecoveryDenial {
    /// The entries that refusals rest on.
    pub(crate) const EVIDENCE: [&'static str; 2] = ["sr-sim-refusals", "sr-sim-providers"];

    /// The refusal about this. *Assumed* (`sr-sim-refusals`): every status, code and wording; no tape has a refused call.
    /// Other providers than Azure to Azure (`sr-sim-providers`) are refused because they are not built here.
    pub(crate) fn error(self, about: &str) -> ArmError {
        let (status, code, message) = match self {
            Self::Missing => (404, "NotFound", format!("'{about}' is not found.")),
            Self::OtherProvider => {
                (400, "ProviderNotModelled", format!("The provider '{about}' is not known to this simulated service."))
            }
            Self::NotAllowed => (400, "OperationNotAllowed", format!("The operation is not allowed on '{about}' now.")),
            Self::PointMissing => (400, "RecoveryPointNotFound", format!("The recovery point '{about}' is not found.")),
            Self::Direction => (400, "InvalidParameter", format!("The failover direction '{about}' is not possible.")),
            Self::MachineMissing => (400, "InvalidParameter", format!("The machine '{about}' is not found.")),
            Self::DiskMissing => (400, "InvalidParameter", format!("The disk '{about}' is not one of the machine.")),
            Self::PolicyMissing => (400, "InvalidParameter", format!("The policy '{about}' is not found.")),
            Self::ContainerMissing => (400, "InvalidParameter", format!("The container '{about}' is not found.")),
            Self::NotPaired => (400, "InvalidParameter", format!("The container '{about}' is not mapped for this.")),
            Self::OtherContainer => (
                400,
                "InvalidParameter",
                format!("The item is not in the container '{about}', which must take it back."),
            ),
            Self::AlreadyThere => (409, "Conflict", format!("'{about}' is there already, as another one.")),
        };
        ArmError::new(status, code, message)
    }
}
