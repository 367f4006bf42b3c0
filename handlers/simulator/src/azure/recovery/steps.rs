//! What happens in Site Recovery at a later moment.
//! It never decides anything: each step is handed to the file of what it is about.

use jiff::Timestamp;

use super::super::state::State;
use super::items::Stage;
use super::{failover, items, operations};

/// A later step, with the names or keys of what it is about.
#[derive(Clone, Debug)]
pub(crate) enum RecoveryStep {
    /// An operation has ended, well or not.
    OperationEnds { operation: String },
    /// A failover's machine is there.
    MachineComes { operation: String },
    /// An item's initial replication comes to its next stage.
    ItemReaches { item: String, turn: u64, stage: Stage },
}

impl RecoveryStep {
    /// The entries that steps rest on.
    pub(crate) const EVIDENCE: [&'static str; 3] = ["sr-sim-operation", "sr-sim-failover", "sr-sim-initial"];

    /// The entry that this one rests on.
    pub(crate) fn evidence(&self) -> &'static str {
        match self {
            Self::OperationEnds { .. } => "sr-sim-operation",
            Self::MachineComes { .. } => "sr-sim-failover",
            Self::ItemReaches { .. } => "sr-sim-initial",
        }
    }
}

/// Lets a step happen.
pub(crate) fn happen(state: &mut State, step: RecoveryStep, at: Timestamp) {
    match step {
        RecoveryStep::OperationEnds { operation } => operations::ends(state, &operation, at),
        RecoveryStep::MachineComes { operation } => failover::machine_comes(state, &operation, at),
        RecoveryStep::ItemReaches { item, turn, stage } => items::reaches(state, &item, turn, stage, at),
    }
}
