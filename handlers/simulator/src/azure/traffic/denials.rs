//! The refusals of Traffic Manager, each with the entry of the evidence register that says how well it is known.
//! It never decides when to refuse.

use super::super::errors::ArmError;

/// What stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TrafficDenial {
    ProfileMissing,
    EndpointMissing,
    NameTaken,
    PriorityTaken,
    KindNotModelled,
}

impl TrafficDenial {
    /// The entries that refusals rest on.
    pub(crate) const EVIDENCE: [&'static str; 2] = ["tm-sim-refusals", "tm-sim-nested"];

    /// The refusal about this. *Assumed* (`tm-sim-refusals`): every code and wording; rules are documented. Nested endpoints
    /// (`tm-sim-nested`) are refused because they are not built here, which Azure does not.
    pub(crate) fn error(self, about: &str) -> ArmError {
        let (status, code, message) = match self {
            Self::ProfileMissing => (404, "NotFound", format!("The profile '{about}' is not found.")),
            Self::EndpointMissing => (404, "NotFound", format!("The endpoint '{about}' is not found.")),
            Self::NameTaken => (400, "BadRequest", format!("The DNS name '{about}' is already in use.")),
            Self::PriorityTaken => (
                400,
                "BadRequest",
                format!("The priority '{about}' is already used by another endpoint of the profile."),
            ),
            Self::KindNotModelled => {
                (400, "BadRequest", format!("Endpoints of the kind '{about}' are not known to this simulated service."))
            }
        };
        ArmError::new(status, code, message)
    }
}
