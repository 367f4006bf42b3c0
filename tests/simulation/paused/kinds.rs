//! The kinds of calls by which an instance changes something, and what makes each harmless when it comes late.
//! It never trusts that a request was dropped: the calls that left are looked at.

use lifeboat_tests::instance::Place;
use lifeboat_tests::tap::{Call, Service};

use super::scenes::Scene;

/// Questions that are asked by POST.
const QUESTIONS: [&str; 2] = ["/backupstatus", "/backupprevalidateprotection"];

/// What a call would change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Group,
    Collection,
    RestorePoint,
    SecondAttempt,
    Snapshot,
    Discovery,
    Protection,
    FirstBackup,
    DeletionOfPoint,
    DeletionOfSnapshot,
    HoldTag,
    LedgerEntry,
    LedgerHead,
    Counter,
    Catalogue,
    Alarm,
    PolicySweepRecord,
    ExpirySweepRecord,
    ExpiryMemory,
    MachineRecord,
    HoldRecord,
    Budget,
    Lease,
    Message,
    OtherRecord,
}

/// All that a stop must have been met at.
pub const KINDS: [Kind; 24] = [
    Kind::Group,
    Kind::Collection,
    Kind::RestorePoint,
    Kind::SecondAttempt,
    Kind::Snapshot,
    Kind::Discovery,
    Kind::Protection,
    Kind::FirstBackup,
    Kind::DeletionOfPoint,
    Kind::DeletionOfSnapshot,
    Kind::HoldTag,
    Kind::LedgerEntry,
    Kind::LedgerHead,
    Kind::Counter,
    Kind::Catalogue,
    Kind::Alarm,
    Kind::PolicySweepRecord,
    Kind::ExpirySweepRecord,
    Kind::ExpiryMemory,
    Kind::MachineRecord,
    Kind::HoldRecord,
    Kind::Budget,
    Kind::Lease,
    Kind::Message,
];

/// Whether a call would change something.
pub fn changes(call: &Call) -> bool {
    let path = call.path.to_ascii_lowercase();
    call.writes() && !QUESTIONS.iter().any(|question| path.ends_with(question))
}

impl Kind {
    /// Whether it is looked at in this scene, though another one had it: changes of Azure in each, the ledger where much is decided.
    pub fn is_looked_at_again(self, scene: Scene) -> bool {
        self < Self::LedgerEntry || (self == Self::LedgerEntry && scene.deletes())
    }

    /// What a call would change.
    pub fn of(call: &Call, scene: Scene) -> Self {
        let path = call.path.to_ascii_lowercase();
        match call.service {
            Service::Bus | Service::Identity => Self::Message,
            Service::Blobs => Self::of_store(&path, &call.query),
            Service::Arm => match (call.method.as_str(), scene) {
                ("DELETE", _) if path.contains("/restorepoints/") => Self::DeletionOfPoint,
                ("DELETE", _) => Self::DeletionOfSnapshot,
                ("PATCH", _) => Self::HoldTag,
                ("POST", _) if path.ends_with("/backup") => Self::FirstBackup,
                ("POST", _) => Self::Discovery,
                _ if path.contains("/protecteditems/") => Self::Protection,
                _ if path.contains("/snapshots/") => Self::Snapshot,
                (_, Scene::SecondAttempt) if path.contains("/restorepoints/") => Self::SecondAttempt,
                _ if path.contains("/restorepoints/") => Self::RestorePoint,
                _ if path.contains("/restorepointcollections/") => Self::Collection,
                _ => Self::Group,
            },
        }
    }

    fn of_store(path: &str, query: &str) -> Self {
        let name = path.trim_start_matches("/lifeboat/");
        let folder = name.split(['/', '%']).next().unwrap_or_default();
        match folder {
            _ if query.contains("comp=lease") => Self::Lease,
            "ledger" if name.ends_with(".head.json") => Self::LedgerHead,
            "ledger" => Self::LedgerEntry,
            "counters" => Self::Counter,
            "catalogue" => Self::Catalogue,
            "alarms" => Self::Alarm,
            "sweeps" if name.ends_with("expiry.json") => Self::ExpirySweepRecord,
            "sweeps" => Self::PolicySweepRecord,
            "expiry" => Self::ExpiryMemory,
            "machines" => Self::MachineRecord,
            "holds" => Self::HoldRecord,
            "budgets" => Self::Budget,
            "leases" => Self::Lease,
            _ => Self::OtherRecord,
        }
    }
}

/// What a request that comes late must not do, by the calls that left after the instance went on: a change of Azure is dropped when
/// its latest moment was checked after the stop, and a record that others wrote meanwhile is not written over.
pub fn was_harmless(scene: Scene, place: Place, call: &Call, late: &[Call], others: &[Call]) -> Result<(), String> {
    let again = late.iter().find(|one| one.method == call.method && one.path == call.path && one.query == call.query);
    let kind = Kind::of(call, scene);
    // A hold takes its latest moment after its last check: a tag that is merged adds safety, whenever it comes.
    if call.service == Service::Arm && place == Place::Answer && kind != Kind::HoldTag {
        return match again {
            Some(_) => Err("it was sent after its latest moment".to_owned()),
            None => Ok(()),
        };
    }
    if call.service != Service::Blobs || !leaves_something(call) {
        return Ok(());
    }
    let written = |one: &&Call| one.path == call.path && leaves_something(one) && done(one);
    match (again, others.iter().find(written)) {
        (Some(again), Some(_)) if done(again) && kind != Kind::LedgerHead => {
            Err("it wrote over what others had written meanwhile".to_owned())
        }
        _ => Ok(()),
    }
}

fn done(call: &Call) -> bool {
    call.status.is_some_and(|status| status < 300)
}

/// Whether a call to the store leaves something behind: a lease runs out.
fn leaves_something(call: &Call) -> bool {
    call.writes() && !call.query.contains("comp=lease")
}
