//! What a message on the queue `sagas` asks for: an evaluation, or a step of a saga.
//! It never takes a step: this release has nobody who could, and says so.

use lifeboat_contract::sagas::{Ask, SagasError, SagasMessage};

use crate::declaration::{self, DeclarationError};
use crate::lifeboat::{Lifeboat, Report};

/// Why a message was not taken care of.
#[derive(Debug, thiserror::Error)]
pub enum WokenError {
    /// It is not one that this release reads: it stays on the queue until it is dead-lettered and seen.
    #[error("the message was not understood")]
    NotUnderstood(#[from] SagasError),
    /// The region could not be evaluated. The message comes again.
    #[error(transparent)]
    Declaration(#[from] DeclarationError),
    /// Repeating is pointless with this release: it stays until it is dead-lettered and seen.
    #[error(
        "sagas are not executed by this release: look {look} at that of the recovery plan {recovery_plan} was not taken"
    )]
    NotExecuted {
        /// The recovery plan.
        recovery_plan: String,
        /// The look.
        look: u64,
    },
}

/// Takes care of one message.
pub async fn run(lifeboat: &Lifeboat, body: &[u8]) -> Result<Report, WokenError> {
    match SagasMessage::decode(body)?.ask {
        Ask::Evaluate { region, .. } => {
            Ok(declaration::evaluate(lifeboat, &region, &format!("SagaWoken {region}")).await?)
        }
        Ask::Step { recovery_plan, look } => Err(WokenError::NotExecuted { recovery_plan, look }),
    }
}
