//! The machine that an ARM id last stood for: kept, so that what was begun for it is answered for when it is gone, or when
//! another machine has its id.
//! It never decides anything about a machine; it finishes the account of what was decided.
//!
//! ```text
//! first look at a machine ─► record (id → vmId, region), before its first decision
//! its id is gone, or stands for another ─► ledger of the recorded one ─► its collection is read ─► outcomes
//! ```

use std::fmt;

use lifeboat_azure::blobs::{Condition, ETag};
use lifeboat_azure::{Error, ResourceId};
use lifeboat_planning::facts::{CollectionSeen, Machine, MachineSeen, PointState, SnapshotsSeen, UnknownBecause};
use lifeboat_planning::id::{self, MachineKey, PointName, hash};

use crate::account::{self, Seen};
use crate::chain::Chain;
use crate::lifeboat::{Lifeboat, Report};
use crate::observe;
use crate::observe_snapshots;
use crate::reconcile::NotNow;
use crate::record::{FormerMachine, MACHINE_VERSION, MachineRecord, RecordError};

/// Machines that had one id and are not yet answered for, at most: each is made and deleted within the time of a restore point.
const FORMER_MAX: usize = 16;

/// Why the record is not at hand.
#[derive(Debug, thiserror::Error)]
pub enum PredecessorError {
    /// The store did not answer. Repeating is safe.
    #[error("the store did not answer for the record of the machine")]
    Store(#[from] Error),
    /// It cannot be used. Repeating is pointless until somebody mends it.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// It cannot be written as JSON. A bug.
    #[error("the record of the machine cannot be written")]
    Unwritable(#[from] serde_json::Error),
}

/// What came of the machines that an id stood for before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Something of one of them is still under way.
    pub under_way: bool,
    /// What the machine that is gone leaves behind; none where it left nothing, or is not gone.
    pub left: Option<Left>,
}

/// The points of ours that a machine leaves behind. No look deletes one: the sweep of due points alone does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    vm_id: String,
    points: usize,
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.points {
            1 => write!(f, "the one point of {} stays until it is due", self.vm_id),
            points => write!(f, "the {points} points of {} stay until they are due", self.vm_id),
        }
    }
}

/// Answers for what was begun for machines that this id stood for before, and keeps the one that it stands for now.
pub async fn settle(
    lifeboat: &Lifeboat,
    machine_id: &ResourceId,
    machine: &MachineSeen,
    report: &mut Report,
) -> Result<Settled, NotNow> {
    let (kept, mut etag) = match machine {
        MachineSeen::Unknown(_) => return Ok(Settled::default()),
        MachineSeen::Gone | MachineSeen::Present(_) => read(lifeboat, machine_id).await?.unzip(),
    };
    let mut record = match (machine, kept.clone()) {
        (MachineSeen::Present(machine), kept) => standing_for(machine_id, machine, kept),
        (_, Some(kept)) => kept,
        (_, None) => return Ok(Settled::default()),
    };
    if kept.as_ref() != Some(&record) {
        // While nothing was there, looks wrote to the chain of the id itself. Whoever wrote last may have been stopped before its head,
        // and nobody opens it again: it is sealed before the record says that a machine has the id.
        let nobody = MachineKey::new("", machine_id.as_str());
        Chain::open(&lifeboat.outbox, lifeboat.clock, &nobody, machine_id.as_str()).await?.seal().await?;
        // Before its first decision: without this nothing would lead back to its ledger.
        etag = Some(write(lifeboat, machine_id, &record, etag).await?);
    }
    let listed = record.former.len();
    let mut open = Vec::new();
    for former in std::mem::take(&mut record.former) {
        if answer_for(lifeboat, machine_id, &former, report).await?.0 {
            open.push(former);
        }
    }
    let current = FormerMachine { vm_id: record.vm_id.clone(), region: record.region.clone() };
    let is_gone = matches!(machine, MachineSeen::Gone);
    let (own_under_way, points) =
        if is_gone { answer_for(lifeboat, machine_id, &current, report).await? } else { (false, 0) };
    let settled = Settled {
        under_way: own_under_way || !open.is_empty(),
        left: (points > 0).then(|| Left { vm_id: record.vm_id.clone(), points }),
    };
    record.former = open;
    if record.former.len() < listed {
        write(lifeboat, machine_id, &record, etag).await?;
    }
    Ok(settled)
}

/// The record of an id that stands for this machine; one that it stood for before becomes a former one.
fn standing_for(machine_id: &ResourceId, machine: &Machine, kept: Option<MachineRecord>) -> MachineRecord {
    let mut former = Vec::new();
    if let Some(kept) = kept {
        if kept.vm_id.eq_ignore_ascii_case(&machine.vm_id) {
            return kept;
        }
        former = kept.former;
        former.push(FormerMachine { vm_id: kept.vm_id, region: kept.region });
        if former.len() > FORMER_MAX {
            tracing::error!(
                machine = machine_id.as_str(),
                "too many machines had this id; the oldest is not answered for"
            );
            former.remove(0);
        }
    }
    MachineRecord {
        version: MACHINE_VERSION,
        machine: machine_id.as_str().to_owned(),
        vm_id: machine.vm_id.clone(),
        region: lifeboat_planning::creation::region(&machine.about.location),
        former,
    }
}

/// What became of the former machine's effects and points, by what is there now: whether something is still under way, and how many
/// points there are.
async fn answer_for(
    lifeboat: &Lifeboat,
    machine_id: &ResourceId,
    former: &FormerMachine,
    report: &mut Report,
) -> Result<(bool, usize), NotNow> {
    let key = MachineKey::new(&former.vm_id, machine_id.as_str());
    let mut chain = Chain::open(&lifeboat.outbox, lifeboat.clock, &key, machine_id.as_str()).await?;
    if chain.last_act().is_none() {
        // Whoever wrote its last entry may have been stopped before the head: nobody else comes back to this chain.
        chain.seal().await?;
        return Ok((false, 0));
    }
    let group = id::points_group(&former.region);
    let seen = observe::collection(lifeboat, machine_id.subscription(), &group, &id::collection(&key)).await?;
    let snapshots = match chain.unanswered().iter().any(|effect| account::asks_for_snapshots(&effect.what)) {
        true => observe_snapshots::in_group(lifeboat, machine_id.subscription(), &group).await?,
        false => SnapshotsSeen::Unknown(UnknownBecause::NotAsked),
    };
    let all = Seen { collection: &seen, snapshots: &snapshots, protection: None };
    account::settle(&mut chain, &all, report).await?;
    let open = !chain.unanswered().is_empty();
    chain.seal().await?;
    let states = states_of_ours(&seen);
    let there = states.iter().filter(|state| matches!(state, PointState::Succeeded | PointState::InProgress)).count();
    Ok((open || states.contains(&PointState::InProgress), there))
}

fn states_of_ours(seen: &CollectionSeen) -> Vec<PointState> {
    let CollectionSeen::Present(collection) = seen else { return Vec::new() };
    let ours = collection.points.iter().filter(|point| PointName::parse(&point.name).is_some());
    ours.map(|point| point.state).collect()
}

/// The blob of the record of what an ARM id stood for.
pub(crate) fn blob_name(machine_id: &ResourceId) -> String {
    format!("machines/{}.json", hash(&[&machine_id.as_str().to_lowercase()]))
}

async fn read(lifeboat: &Lifeboat, machine_id: &ResourceId) -> Result<Option<(MachineRecord, ETag)>, PredecessorError> {
    let name = blob_name(machine_id);
    let Some((bytes, etag)) = lifeboat.store.get(&name).await? else { return Ok(None) };
    Ok(Some((MachineRecord::read(&name, &bytes)?, etag)))
}

/// Writes the record, if it is still what was read: a look that was stopped for longer than its lease finds that another one wrote it.
async fn write(
    lifeboat: &Lifeboat,
    machine_id: &ResourceId,
    record: &MachineRecord,
    read: Option<ETag>,
) -> Result<ETag, PredecessorError> {
    let bytes = serde_json::to_vec(record)?;
    let condition = read.map_or(Condition::IfAbsent, Condition::IfMatch);
    Ok(lifeboat.store.put(&blob_name(machine_id), bytes.into(), condition).await?)
}
