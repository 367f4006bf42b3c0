//! What happens to an estate, what goes wrong meanwhile, where the handler dies: each by its name, and which meet in which seed.
//! It never leaves it to chance which pairs are met: the number of a seed says so.

use lifeboat_tests::tap::{Call, Fate, Service};

/// What people do, and what becomes of machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transition {
    Create,
    Delete,
    Recreate,
    Update,
    IntoScope,
    OutOfScope,
    AgentOff,
    AgentOn,
    RetentionChanged,
    PoliciesEmptied,
    BundleUnreadable,
    BreakerClosed,
    Hold,
    Release,
    Lock,
    Unlock,
    PointByHand,
    PointTakenByHand,
    ProtectionStopped,
    MassDeletion,
    Stop,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    BackupsFail,
    PointsFail,
    ClockAhead,
    ClockBehind,
    EventLost,
    EventTwice,
    EventLate,
    MessageLost,
    Throttled,
    Error500,
    ResetBefore,
    ResetAfter,
    StoreError,
    StoreReset,
    StoreSlow,
    StoreWiped,
    StoreReplaced,
    QueueError,
    VaultFull,
    PermissionLost,
    PermissionLostInOne,
    LockAppears,
    HostLost,
}

/// At which kind of call the handler dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum At {
    ArmRead,
    ArmQuery,
    ArmPut,
    ArmDelete,
    BlobRead,
    BlobWrite,
    Lease,
    LedgerEntry,
    QueueSend,
    Token,
}

/// Where the handler dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kill {
    /// At what.
    pub at: At,
    /// After the call was carried out.
    pub after: bool,
}

/// One thing that happens, with what goes wrong or where the handler dies, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Case {
    /// What happens.
    pub transition: Transition,
    /// What goes wrong.
    pub fault: Option<Fault>,
    /// Where the handler dies.
    pub kill: Option<Kill>,
}

/// What meets in one stretch of a seed: several things happen while one goes wrong.
#[derive(Clone, Debug)]
pub struct Stretch {
    /// What happens.
    pub transitions: Vec<Transition>,
    /// What goes wrong.
    pub fault: Option<Fault>,
    /// Where the handler dies.
    pub kill: Option<Kill>,
}

/// How many things happen in one stretch.
const AT_ONCE: usize = 3;

pub const TRANSITIONS: [Transition; 21] = [
    Transition::Create,
    Transition::Delete,
    Transition::Recreate,
    Transition::Update,
    Transition::IntoScope,
    Transition::OutOfScope,
    Transition::AgentOff,
    Transition::AgentOn,
    Transition::RetentionChanged,
    Transition::PoliciesEmptied,
    Transition::BundleUnreadable,
    Transition::BreakerClosed,
    Transition::Hold,
    Transition::Release,
    Transition::Lock,
    Transition::Unlock,
    Transition::PointByHand,
    Transition::PointTakenByHand,
    Transition::ProtectionStopped,
    Transition::MassDeletion,
    Transition::Stop,
];

pub const FAULTS: [Fault; 23] = [
    Fault::BackupsFail,
    Fault::PointsFail,
    Fault::ClockAhead,
    Fault::ClockBehind,
    Fault::EventLost,
    Fault::EventTwice,
    Fault::EventLate,
    Fault::MessageLost,
    Fault::Throttled,
    Fault::Error500,
    Fault::ResetBefore,
    Fault::ResetAfter,
    Fault::StoreError,
    Fault::StoreReset,
    Fault::StoreSlow,
    Fault::StoreWiped,
    Fault::StoreReplaced,
    Fault::QueueError,
    Fault::VaultFull,
    Fault::PermissionLost,
    Fault::PermissionLostInOne,
    Fault::LockAppears,
    Fault::HostLost,
];

pub const PLACES: [At; 10] = [
    At::ArmRead,
    At::ArmQuery,
    At::ArmPut,
    At::ArmDelete,
    At::BlobRead,
    At::BlobWrite,
    At::Lease,
    At::LedgerEntry,
    At::QueueSend,
    At::Token,
];

/// All kill points: before and after each kind of call.
pub fn kills() -> Vec<Kill> {
    PLACES.iter().flat_map(|&at| [false, true].map(|after| Kill { at, after })).collect()
}

/// What goes wrong, or where the handler dies, or both.
pub type Trouble = (Option<Fault>, Option<Kill>);

/// The troubles of an ordinary run: each fault, and each kill point.
pub fn troubles() -> Vec<Trouble> {
    let faults = FAULTS.iter().map(|&fault| (Some(fault), None));
    faults.chain(kills().into_iter().map(|kill| (None, Some(kill)))).collect()
}

/// The troubles of the triple product.
fn both() -> Vec<Trouble> {
    FAULTS.iter().flat_map(|&fault| kills().into_iter().map(move |kill| (Some(fault), Some(kill)))).collect()
}

/// How many stretches meet every case once.
pub fn stretches(triples: bool) -> u64 {
    let troubles = if triples { both().len() } else { troubles().len() };
    (troubles * TRANSITIONS.len().div_ceil(AT_ONCE)) as u64
}

/// The stretch of a number. Each round over all of them puts other things together.
pub fn stretch(number: u64, triples: bool) -> Stretch {
    let troubles = if triples { both() } else { troubles() };
    let groups = TRANSITIONS.len().div_ceil(AT_ONCE) as u64;
    let round = number / stretches(triples);
    // Staggered, so that one seed has different troubles.
    let (group, place) = (number % groups, number / groups + 17 * (number % groups));
    let (fault, kill) = troubles[usize::try_from(place).unwrap_or(0) % troubles.len()];
    let transitions = (0..AT_ONCE as u64)
        .map(|nth| {
            // Each is in one group a round, and beside others in the next.
            let at = nth * groups + (group + nth * round) % groups;
            TRANSITIONS[usize::try_from(at).unwrap_or(0) % TRANSITIONS.len()]
        })
        .collect();
    Stretch { transitions, fault, kill }
}

/// All cases.
pub fn all(triples: bool) -> Vec<Case> {
    let troubles = if triples { both() } else { troubles() };
    let each = |(fault, kill)| TRANSITIONS.map(|transition| Case { transition, fault, kill });
    troubles.into_iter().flat_map(each).collect()
}

impl Stretch {
    /// Whether it is about protection in a vault.
    pub fn needs_vault(&self) -> bool {
        matches!(self.fault, Some(Fault::BackupsFail | Fault::VaultFull))
            || self.transitions.contains(&Transition::ProtectionStopped)
    }

    /// Whether it is about one of several subscriptions.
    pub fn needs_second(&self) -> bool {
        self.fault == Some(Fault::PermissionLostInOne)
    }

    /// Its cases.
    pub fn cases(&self) -> impl Iterator<Item = Case> {
        self.transitions.iter().map(|&transition| Case { transition, fault: self.fault, kill: self.kill })
    }
}

impl Transition {
    /// Whether it silences Lifeboat: then it comes after a first sweep, so that the trouble finds something to strike.
    pub fn silences(self) -> bool {
        matches!(self, Self::PoliciesEmptied | Self::BundleUnreadable | Self::Stop | Self::MassDeletion)
    }
}

impl At {
    /// Whether a call is of this kind.
    pub fn is(self, call: &Call) -> bool {
        let lease = call.query.contains("comp=lease");
        let query = call.path.to_ascii_lowercase().contains("resourcegraph");
        // Names of blobs are sent with their slashes encoded.
        let ledger = call.path.contains("/ledger%2F");
        match self {
            Self::ArmRead => call.service == Service::Arm && call.method == "GET",
            Self::ArmQuery => query,
            Self::ArmPut => call.service == Service::Arm && call.writes() && call.method != "DELETE",
            Self::ArmDelete => call.service == Service::Arm && call.method == "DELETE",
            Self::BlobRead => call.service == Service::Blobs && !call.writes(),
            Self::BlobWrite => call.service == Service::Blobs && call.writes() && !lease && !ledger,
            Self::Lease => call.service == Service::Blobs && lease,
            Self::LedgerEntry => call.service == Service::Blobs && call.writes() && ledger && !lease,
            Self::QueueSend => call.service == Service::Bus,
            Self::Token => call.service == Service::Identity,
        }
    }

    /// Whether there are many such calls, so that it pays to let some pass first.
    pub fn is_frequent(self) -> bool {
        matches!(self, Self::ArmRead | Self::BlobRead | Self::BlobWrite | Self::Lease | Self::LedgerEntry)
    }
}

impl Kill {
    /// What becomes of the handler there.
    pub fn fate(self) -> Fate {
        if self.after { Fate::DieAfter } else { Fate::DieBefore }
    }
}
