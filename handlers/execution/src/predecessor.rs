//! The machine that an ARM id last stood for: kept, so that what was begun for it is answered for when it is gone, or when
//! another machine has its id.
//! It never decides anything about a machine; it finishes the account of what was decided.
//!
//! ```text
//! first look at a machine ─► record (id → vmId, region), before its first decision
//! its id is gone, or stands for another ─► ledger of the recorded one ─► its collection is read ─► outcomes
//! ```

use lifeboat_azure::blobs::Condition;
use lifeboat_azure::{Error, ResourceId};
use lifeboat_planning::facts::{CollectionSeen, Machine, MachineSeen, PointState};
use lifeboat_planning::id::{self, MachineKey, OnCreateName, hash};

use crate::chain::Chain;
use crate::lifeboat::{Lifeboat, Report};
use crate::observe;
use crate::reconcile::{NotNow, account};
use crate::record::{MACHINE_VERSION, MachineRecord, RecordError};

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

/// Answers for what was begun for the machine that this id stood for before, if it is not the one that is there now, and then
/// keeps the one that is there. True when something of the former one is still under way.
pub async fn settle(
    lifeboat: &Lifeboat,
    machine_id: &ResourceId,
    machine: &MachineSeen,
    chain_is_new: bool,
    report: &mut Report,
) -> Result<bool, NotNow> {
    match machine {
        MachineSeen::Unknown(_) => Ok(false),
        MachineSeen::Gone => match read(lifeboat, machine_id).await? {
            Some(former) => answer_for(lifeboat, machine_id, &former, report).await,
            None => Ok(false),
        },
        MachineSeen::Present(_) if !chain_is_new => Ok(false),
        MachineSeen::Present(machine) => {
            let former = read(lifeboat, machine_id).await?;
            let other = former.filter(|former| !former.vm_id.eq_ignore_ascii_case(&machine.vm_id));
            let under_way = match other {
                Some(former) => answer_for(lifeboat, machine_id, &former, report).await?,
                None => false,
            };
            // Not before the former one is done with: its record is the only way back to it.
            if !under_way {
                write(lifeboat, machine_id, machine).await?;
            }
            Ok(under_way)
        }
    }
}

/// What became of the former machine's effects and points, by what is there now.
async fn answer_for(
    lifeboat: &Lifeboat,
    machine_id: &ResourceId,
    former: &MachineRecord,
    report: &mut Report,
) -> Result<bool, NotNow> {
    let key = MachineKey::new(&former.vm_id, machine_id.as_str());
    let mut chain = Chain::open(&lifeboat.store, lifeboat.clock, &key, &former.machine).await?;
    if chain.last_act().is_none() {
        return Ok(false);
    }
    let group = id::points_group(&former.region);
    let seen = observe::collection(lifeboat, machine_id.subscription(), &group, &id::collection(&key)).await?;
    account(&mut chain, &seen, report).await?;
    let open = !chain.unanswered().is_empty();
    chain.seal().await?;
    Ok(open || has_point_in_progress(&seen))
}

fn has_point_in_progress(seen: &CollectionSeen) -> bool {
    let CollectionSeen::Present(collection) = seen else { return false };
    let ours = collection.points.iter().filter(|point| OnCreateName::parse(&point.name).is_some());
    ours.into_iter().any(|point| point.state == PointState::InProgress)
}

fn blob_name(machine_id: &ResourceId) -> String {
    format!("machines/{}.json", hash(&[&machine_id.as_str().to_lowercase()]))
}

async fn read(lifeboat: &Lifeboat, machine_id: &ResourceId) -> Result<Option<MachineRecord>, PredecessorError> {
    let name = blob_name(machine_id);
    let Some((bytes, _)) = lifeboat.store.get(&name).await? else { return Ok(None) };
    Ok(Some(MachineRecord::read(&name, &bytes)?))
}

async fn write(lifeboat: &Lifeboat, machine_id: &ResourceId, machine: &Machine) -> Result<(), PredecessorError> {
    let record = MachineRecord {
        version: MACHINE_VERSION,
        machine: machine_id.as_str().to_owned(),
        vm_id: machine.vm_id.clone(),
        region: lifeboat_planning::creation::region(&machine.about.location),
    };
    let bytes = serde_json::to_vec(&record)?;
    // The machine's lease is held, so nobody else writes it.
    lifeboat.store.put(&blob_name(machine_id), bytes.into(), Condition::Any).await?;
    Ok(())
}
