//! Reads the ledgers out of the simulated store and verifies each against the head that is kept apart.
//! It never asks the product which ledgers there are.

use jiff::Timestamp;
use lifeboat_execution::ledger::{self, Body, Entry, Fault, Head, OutcomeResult};
use lifeboat_simulator::azure::blobs::Blobs;

use crate::rig::CONTAINER;

/// One machine's chain.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// The name of its blob.
    pub name: String,
    /// Its entries, verified.
    pub bodies: Vec<Body>,
    /// Whether its head is that of the last entry.
    pub sealed: bool,
}

impl Ledger {
    /// The machine that it is about.
    pub fn machine(&self) -> &str {
        self.bodies.first().map_or("", |body| body.machine.as_str())
    }

    /// Effects of decisions that nobody ever answered for.
    pub fn unanswered(&self) -> Vec<String> {
        let mut open: Vec<String> = Vec::new();
        for body in &self.bodies {
            match &body.entry {
                Entry::Decision(decision) if decision.audit.is_empty() => {
                    open.extend(decision.effects.iter().map(|effect| effect.key.clone()));
                }
                Entry::Outcome { effect, .. } => open.retain(|key| key != effect),
                Entry::Decision(_) | Entry::Verified { .. } => {}
            }
        }
        open
    }

    /// Whether the making of this point was written down as decided no later than the point was begun.
    pub fn decided(&self, point: &str, begun: Timestamp) -> bool {
        self.bodies.iter().filter(|body| body.at <= begun).any(|body| match &body.entry {
            Entry::Decision(decision) => decision.effects.iter().any(|effect| effect.what.contains(point)),
            Entry::Outcome { .. } | Entry::Verified { .. } => false,
        })
    }

    /// Points that were read as succeeded.
    pub fn verified(&self) -> usize {
        self.bodies.iter().filter(|body| matches!(body.entry, Entry::Verified { succeeded: true, .. })).count()
    }

    /// Outcomes of this kind.
    pub fn outcomes(&self, wanted: OutcomeResult) -> usize {
        self.bodies
            .iter()
            .filter(|body| matches!(body.entry, Entry::Outcome { result, .. } if result == wanted))
            .count()
    }
}

/// All ledgers of the store, in the order of their names, or the first fault.
pub fn read_all(blobs: &Blobs) -> Result<Vec<Ledger>, (String, Fault)> {
    let names =
        blobs.names(CONTAINER).into_iter().filter(|name| name.starts_with("ledger/") && name.ends_with(".jsonl"));
    let read = |name: String| {
        let text = blobs.bytes(CONTAINER, &name).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let kept = blobs.bytes(CONTAINER, &name.replace(".jsonl", ".head.json"));
        let kept: Option<Head> = kept.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let bodies = ledger::verify(&text, kept.as_ref()).map_err(|fault| (name.clone(), fault))?;
        // A blob that was made and never written to, because its maker was stopped, has no head and needs none.
        let sealed = kept.map(|head| head.seq) == bodies.last().map(|last| last.seq);
        Ok(Ledger { name, bodies, sealed })
    };
    names.map(read).collect()
}
