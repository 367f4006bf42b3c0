//! What ARM knows: subscriptions, groups, resources, operations, and what will happen to them and when.
//! It never waits: whoever holds it says what time it is, and everything due until then has happened.
//!
//! ```text
//! a call ──► resource in a passing state + a step that is due later ──settle(now)──► resource in its next state
//!                                                                        ├─► Resource Graph, after its lag
//!                                                                        └─► events, to be published
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::call::{Call, Cause, Failure};
use super::collections::Collection;
use super::event_grid::{Outcome, Raised, Verb};
use super::graph::{GraphIndex, Listed};
use super::groups::{Deletion, Group};
use super::health::Health;
use super::ids::{Names, key};
use super::latencies::Latencies;
use super::locks::Locks;
use super::machines::Machine;
use super::networks::Network;
use super::operations::Operations;
use super::power::Power;
use super::public_addresses::PublicAddress;
use super::recovery::{self, Recovery, RecoveryStep};
use super::restore_points;
use super::sizes::Sizes;
use super::subscriptions::Subscription;
use super::traffic::Traffic;
use super::vaults::{self, VaultStep, Vaults};
use super::volume::{Kind, Volume};

/// Everything.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) seed: u64,
    pub(crate) names: Names,
    pub(crate) latencies: Latencies,
    pub(crate) page_size: usize,
    pub(crate) subscriptions: BTreeMap<String, Arc<Subscription>>,
    pub(crate) groups: BTreeMap<String, Arc<Group>>,
    pub(crate) machines: BTreeMap<String, Arc<Machine>>,
    pub(crate) disks: BTreeMap<String, Arc<Volume>>,
    pub(crate) snapshots: BTreeMap<String, Arc<Volume>>,
    /// When incremental snapshots of a disk were begun lately, by the disk's unique id.
    pub(crate) snapshot_times: BTreeMap<String, Vec<Timestamp>>,
    pub(crate) collections: BTreeMap<String, Collection>,
    pub(crate) operations: Operations,
    pub(crate) group_deletions: BTreeMap<String, Deletion>,
    pub(crate) locks: Locks,
    pub(crate) sizes: Sizes,
    pub(crate) health: Health,
    pub(crate) vaults: Vaults,
    pub(crate) networks: BTreeMap<String, Network>,
    pub(crate) public_addresses: BTreeMap<String, PublicAddress>,
    pub(crate) traffic: Traffic,
    pub(crate) recovery: Recovery,
    pub(crate) graph: GraphIndex,
    /// Points that ARM accepted, ever.
    pub(crate) points_created: u64,
    /// Events that were raised and not yet taken for publishing.
    pub(crate) raised: Vec<Raised>,
    due: BTreeMap<(Timestamp, u64), Step>,
    steps: u64,
    /// Times of new steps that nobody waits for yet.
    fresh: Vec<Timestamp>,
}

/// What happens to a resource at a later moment. An operation's name is the first part where there is one.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A machine's creation or change ends.
    MachineDone { operation: String, machine: String, cause: Cause, failure: Option<Failure> },
    /// The guest agent reports for the first time.
    AgentReady { machine: String, vm_id: String },
    /// A machine is gone.
    MachineGone { operation: String, machine: String, cause: Cause },
    /// A point is half made: here it can fail.
    PointHalfway { operation: String, collection: String, point: String, cause: Cause },
    /// A point ends.
    PointDone { operation: String, collection: String, point: String, cause: Cause, failure: Option<Failure> },
    /// A point is gone.
    PointGone { operation: String, collection: String, point: String, cause: Cause },
    /// A collection is gone, and all its points with it.
    CollectionGone { operation: String, collection: String, cause: Cause },
    /// A machine's power is what was asked, or what it was.
    PowerDone { operation: String, machine: String, power: Power, cause: Cause, failure: Option<Failure> },
    /// A disk's or snapshot's creation or change ends.
    VolumeDone { operation: String, kind: Kind, volume: String, cause: Cause, failure: Option<Failure> },
    /// A disk or snapshot is gone.
    VolumeGone { operation: String, kind: Kind, volume: String, cause: Cause },
    /// A snapshot is copied whole.
    SnapshotCopied { snapshot: String },
    /// A signed URL is good.
    AccessGranted { operation: String, kind: Kind, volume: String, until: Timestamp },
    /// A signed URL is no longer good.
    AccessEnds { operation: String, kind: Kind, volume: String, until: Timestamp },
    /// A group is gone with all that was in it, or stays because it was told to.
    GroupGone { group: String, cause: Cause, failure: Option<Failure> },
    /// Something happens to a vault or in it.
    Vault(VaultStep),
    /// Something happens in Site Recovery.
    Recovery(RecoveryStep),
}

impl Step {
    /// The entries of the evidence register that steps rest on.
    pub(crate) const EVIDENCE: [&str; 15] = [
        "vm-put",
        "vm-agent",
        "vm-delete",
        "point-failed",
        "point-states",
        "point-delete",
        "collection-delete",
        "vm-power",
        "disk-put",
        "disk-delete",
        "snapshot-put",
        "snapshot-delete",
        "snapshot-copy-start",
        "snapshot-open-access",
        "group-delete",
    ];

    /// All of them, those of vaults and of Site Recovery too.
    pub(crate) fn entries() -> impl Iterator<Item = &'static str> {
        Self::EVIDENCE.iter().chain(&VaultStep::EVIDENCE).chain(&RecoveryStep::EVIDENCE).copied()
    }

    /// The entry that this one rests on: one of [`Self::entries`].
    pub(crate) fn evidence(&self) -> &'static str {
        match self {
            Self::MachineDone { .. } => "vm-put",
            Self::AgentReady { .. } => "vm-agent",
            Self::MachineGone { .. } => "vm-delete",
            Self::PointHalfway { .. } => "point-failed",
            Self::PointDone { .. } => "point-states",
            Self::PointGone { .. } => "point-delete",
            Self::CollectionGone { .. } => "collection-delete",
            Self::PowerDone { .. } => "vm-power",
            Self::VolumeDone { kind: Kind::Disk, .. } => "disk-put",
            Self::VolumeDone { kind: Kind::Snapshot, .. } => "snapshot-put",
            Self::VolumeGone { kind: Kind::Disk, .. } => "disk-delete",
            Self::VolumeGone { kind: Kind::Snapshot, .. } => "snapshot-delete",
            Self::SnapshotCopied { .. } => "snapshot-copy-start",
            Self::AccessGranted { .. } | Self::AccessEnds { .. } => "snapshot-open-access",
            Self::GroupGone { .. } => "group-delete",
            Self::Vault(step) => step.evidence(),
            Self::Recovery(step) => step.evidence(),
        }
    }
}

impl State {
    pub(crate) fn new(seed: u64, latencies: Latencies, page_size: usize, graph_lag: SignedDuration) -> Self {
        Self {
            seed,
            names: Names::new(seed),
            latencies,
            page_size,
            subscriptions: BTreeMap::new(),
            groups: BTreeMap::new(),
            machines: BTreeMap::new(),
            disks: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            snapshot_times: BTreeMap::new(),
            collections: BTreeMap::new(),
            operations: Operations::default(),
            group_deletions: BTreeMap::new(),
            locks: Locks::new(),
            sizes: Sizes::default(),
            health: Health::default(),
            vaults: Vaults::default(),
            networks: BTreeMap::new(),
            public_addresses: BTreeMap::new(),
            traffic: Traffic::default(),
            recovery: Recovery::default(),
            graph: GraphIndex::new(graph_lag),
            points_created: 0,
            raised: Vec::new(),
            due: BTreeMap::new(),
            steps: 0,
            fresh: Vec::new(),
        }
    }

    /// Lets everything happen that is due.
    pub(crate) fn settle(&mut self, now: Timestamp) {
        while let Some(entry) = self.due.first_entry() {
            let at = entry.key().0;
            if at > now {
                break;
            }
            let step = entry.remove();
            self.pass(at);
            self.happen(step, at);
        }
        self.pass(now);
        self.graph.settle(now);
        self.operations.forget_old(now);
    }

    /// Lets go on what needs no step: probes and replication.
    fn pass(&mut self, now: Timestamp) {
        self.probe(now);
        self.replicate(now);
    }

    /// Something happens later.
    pub(crate) fn later(&mut self, at: Timestamp, step: Step) {
        assert!(Step::entries().any(|id| id == step.evidence()), "a step names an entry that is not listed");
        self.steps += 1;
        self.due.insert((at, self.steps), step);
        self.fresh.push(at);
    }

    /// Something happens so many scaled milliseconds after `now`.
    pub(crate) fn after(&mut self, now: Timestamp, milliseconds: u32, step: Step) -> Timestamp {
        let at = now.checked_add(self.latencies.scaled(milliseconds)).unwrap_or(Timestamp::MAX);
        self.later(at, step);
        at
    }

    /// When the next thing happens.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.due.keys().next().map(|&(at, _)| at)
    }

    /// How many things will happen by themselves.
    #[cfg(test)]
    pub(crate) fn plans(&self) -> usize {
        self.due.len()
    }

    /// The times of steps that were added since the last look.
    pub(crate) fn take_fresh(&mut self) -> Vec<Timestamp> {
        std::mem::take(&mut self.fresh)
    }

    /// Tells Resource Graph that a resource is now so, or gone.
    pub(crate) fn list(&mut self, id: &str, row: Option<Arc<dyn Listed>>, now: Timestamp) {
        self.graph.record(key(id), row, now);
    }

    /// Raises an event about a resource.
    pub(crate) fn raise(&mut self, verb: Verb, outcome: Outcome, id: &str, cause: &Cause, at: Timestamp) {
        let event = Raised {
            id: self.names.guid(),
            at,
            verb,
            outcome,
            resource: id.to_owned(),
            operation_name: cause.action.to_owned(),
            cause: cause.clone(),
        };
        self.raised.push(event);
    }

    /// The steps' failure on order, and its time.
    pub(crate) fn ordered_failure(call: &Call) -> Option<(Timestamp, Failure)> {
        let (seconds, failure) = call.fails.clone()?;
        let at = call.now.checked_add(SignedDuration::from_secs(seconds.into())).unwrap_or(Timestamp::MAX);
        Some((at, failure))
    }

    /// Whether a top-level resource of this id exists.
    pub(crate) fn has(&self, id: &str) -> bool {
        let key = key(id);
        self.machines.contains_key(&key)
            || self.disks.contains_key(&key)
            || self.snapshots.contains_key(&key)
            || self.collections.contains_key(&key)
            || self.vaults.has(&key)
            || self.networks.contains_key(&key)
            || self.public_addresses.contains_key(&key)
            || self.traffic.has(&key)
    }

    /// The region of a top-level resource.
    pub(crate) fn region_of(&self, id: &str) -> Option<String> {
        let key = key(id);
        let machine = self.machines.get(&key).map(|machine| &machine.location);
        let disk = || self.disks.get(&key).or_else(|| self.snapshots.get(&key)).map(|disk| &disk.location);
        let collection = || self.collections.get(&key).map(|collection| &collection.about.location);
        let network = || self.networks.get(&key).map(|network| &network.location);
        let address = || self.public_addresses.get(&key).map(|address| &address.location);
        let vault = || self.vaults.region(&key);
        machine
            .or_else(disk)
            .or_else(collection)
            .or_else(network)
            .or_else(address)
            .or_else(vault)
            .map(|region| region.to_ascii_lowercase())
    }

    fn happen(&mut self, step: Step, at: Timestamp) {
        match step {
            Step::MachineDone { operation, machine, cause, failure } => {
                self.machine_done(&operation, &machine, &cause, failure, at);
            }
            Step::AgentReady { machine, vm_id } => self.agent_reports(&machine, &vm_id, at),
            Step::MachineGone { operation, machine, cause } => self.machine_gone(&operation, &machine, &cause, at),
            Step::PointHalfway { operation, collection, point, cause } => {
                restore_points::halfway(self, operation, collection, point, cause, at);
            }
            Step::PointDone { operation, collection, point, cause, failure } => {
                restore_points::done(self, &operation, &collection, &point, &cause, failure, at);
            }
            Step::PointGone { operation, collection, point, cause } => {
                restore_points::gone(self, &operation, &collection, &point, &cause, at);
            }
            Step::CollectionGone { operation, collection, cause } => {
                self.collection_gone(&operation, &collection, &cause, at);
            }
            Step::PowerDone { operation, machine, power, cause, failure } => {
                self.power_done(&operation, &machine, power, &cause, failure, at);
            }
            Step::VolumeDone { operation, kind, volume, cause, failure } => {
                self.volume_done(&operation, (kind, &volume), &cause, failure, at);
            }
            Step::VolumeGone { operation, kind, volume, cause } => {
                self.volume_gone(&operation, (kind, &volume), &cause, at);
            }
            Step::SnapshotCopied { snapshot } => self.snapshot_copied(&snapshot, at),
            Step::AccessGranted { operation, kind, volume, until } => {
                self.access_granted(&operation, kind, &volume, until, at);
            }
            Step::AccessEnds { operation, kind, volume, until } => {
                self.access_ends(&operation, kind, &volume, until, at);
            }
            Step::GroupGone { group, cause, failure } => self.group_gone(&group, &cause, failure, at),
            Step::Vault(step) => vaults::happen(self, step, at),
            Step::Recovery(step) => recovery::happen(self, step, at),
        }
    }
}
