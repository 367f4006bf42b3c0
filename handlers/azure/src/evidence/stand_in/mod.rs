//! Beliefs that only a stand-in for Azure rests on: what tests take for Azure's answer where the client takes any.
//!
//! They stand in the same register, so that a belief is one entry wherever it is used.

mod arm;
mod backup;
mod compute;
mod graph;
mod recovery;
mod store;
mod traffic;

use super::Entry;

pub(super) const ENTRIES: [&[Entry]; 7] = [
    arm::ENTRIES,
    backup::ENTRIES,
    compute::ENTRIES,
    graph::ENTRIES,
    store::ENTRIES,
    traffic::ENTRIES,
    recovery::ENTRIES,
];
