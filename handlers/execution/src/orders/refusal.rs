//! Why an order is refused. A refused order is told and over: nobody sends it again for us.
//! It never says what stood in a token.

use jiff::Timestamp;
use lifeboat_azure::entra::Unverified;
use lifeboat_contract::command;

use super::saga::NotDelivered;
use crate::holds::HoldError;

/// Why an order is refused.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It is not a command as it stands, or it lapsed.
    #[error(transparent)]
    Form(#[from] command::Refusal),
    /// It needs somebody with a name.
    #[error("this needs a person with a name: an access token for Lifeboat is missing")]
    NoToken,
    /// The token is not one to go by.
    #[error("the access token is not taken: {0}")]
    Token(Unverified),
    /// Nobody can have a name here.
    #[error(
        "this deployment knows no directory, so that nobody has a name here: set LIFEBOAT_TENANT_ID and LIFEBOAT_AUDIENCE"
    )]
    NoDirectory,
    /// The person may not order it.
    #[error("the person {person} has not the app role {role}")]
    Role {
        /// Object id of the person.
        person: String,
        /// The role that it takes.
        role: &'static str,
    },
    /// The token came with another command before.
    #[error("the access token came with another command before: each command needs one of its own")]
    TokenUsed,
    /// Another command of that id was taken.
    #[error("a command that says something else was taken under this id before")]
    IdTaken,
    /// The point cannot be held or released.
    #[error(transparent)]
    Hold(HoldError),
    /// The policy is not in force.
    #[error("no policy of this name is in force: {0}")]
    NoPolicy(String),
    /// The recovery plan is not in force.
    #[error("no recovery plan of this name is in force: {0}")]
    NoRecoveryPlan(String),
    /// No order of that id waits.
    #[error("no order of this id waits for an approval: {0}")]
    NoOrder(String),
    /// A person said no.
    #[error("a person said no to what was asked in the incident {0}: it takes an order to fail over all the same")]
    IncidentRejected(String),
    /// No such incident is open.
    #[error("the incident {id} is not open: {}", open.map_or("none is".to_owned(), |open| format!("{open} is")))]
    NoIncident {
        /// The one that was named.
        id: String,
        /// The one that is open.
        open: Option<Timestamp>,
    },
    /// The recovery plan only shows.
    #[error("the declaration of the recovery plan {0} only shows, and asks nobody: it takes an order to fail over")]
    AsksNobody(String),
    /// Another order waits.
    #[error("another order for this recovery plan waits for approvals until {until}: {id}")]
    OrderWaits {
        /// Its id.
        id: String,
        /// When it lapses.
        until: Timestamp,
    },
    /// The order lapsed before it was approved by enough.
    #[error("the order lapsed at {at}: what it was decided on is too old")]
    OrderLapsed {
        /// When.
        at: Timestamp,
    },
    /// The requester approves what he ordered.
    #[error("who gives an order is not one of those who approve it")]
    OwnOrder,
    /// One person approves twice.
    #[error("this person has approved it before: two approvals are two persons")]
    SamePerson,
    /// Something else was shown.
    #[error("the digest is another one: what was shown to one who approves is not what was ordered")]
    OtherDigest,
    /// Another list of assumed behaviours was shown.
    #[error("the digest is not that of what is assumed now, which is {0}")]
    OtherAssumptions(String),
    /// Another order was taken after it, and carried out before it.
    #[error("another order, taken at {at}, came after this one and was carried out before it: that one stands")]
    Overtaken {
        /// When the other was taken.
        at: Timestamp,
    },
    /// It is delivered, and what carries it out refuses it.
    #[error(transparent)]
    NotDelivered(#[from] NotDelivered),
}

/// What a refusal is about, for whoever answers a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concerns {
    /// The order's form.
    Form,
    /// Who gives it.
    Name,
    /// What they may do.
    Right,
    /// How things stand.
    State,
}

impl Refusal {
    /// What it is about.
    pub fn concerns(&self) -> Concerns {
        match self {
            Self::Form(_) => Concerns::Form,
            Self::NoToken | Self::Token(_) | Self::TokenUsed => Concerns::Name,
            Self::NoDirectory | Self::Role { .. } | Self::OwnOrder | Self::SamePerson => Concerns::Right,
            Self::IdTaken
            | Self::Hold(_)
            | Self::NoPolicy(_)
            | Self::NoRecoveryPlan(_)
            | Self::NoOrder(_)
            | Self::IncidentRejected(_)
            | Self::NoIncident { .. }
            | Self::AsksNobody(_)
            | Self::OrderWaits { .. }
            | Self::OrderLapsed { .. }
            | Self::OtherDigest
            | Self::OtherAssumptions(_)
            | Self::Overtaken { .. }
            | Self::NotDelivered(_) => Concerns::State,
        }
    }

    /// The field that is at fault, where one is.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Form(refusal) => refusal.path(),
            Self::NoToken | Self::Token(_) | Self::TokenUsed => Some("token"),
            Self::IdTaken => Some("id"),
            Self::NoPolicy(_) => Some("data.policy"),
            Self::NoRecoveryPlan(_) => Some("data.recoveryPlan"),
            Self::NoOrder(_) | Self::NoIncident { .. } | Self::AsksNobody(_) => Some("data.of"),
            Self::OtherDigest | Self::OtherAssumptions(_) => Some("data.digest"),
            _ => None,
        }
    }
}
