//! Where a recovery plan can stand, how the world stands then, and at which calls a controller is killed: each by its name.
//! It never says which of them meet: `tally` counts that.

use lifeboat_tests::tap::{Call, Fate, Service};

/// Where a recovery plan stands: by its declaration, and while a failover runs by the failover's step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    Normal,
    Suspected,
    Confirmed,
    AwaitingApproval,
    /// It is declared, and the failover's record is not written yet.
    Declared,
    FailedOver,
    Preflight,
    Fence,
    NewestPoints,
    GroupWord,
    GroupWait,
    FailOver,
    Running,
    EnableTarget,
    DisableOld,
    Verify,
    AnotherPoint,
    WordToCommit,
    Commit,
    StopOld,
    SaveDisks,
    NeedsToProtect,
    WordToProtect,
    Protect,
    Undo,
}

/// The places that seeds draw from. What was added later is not among them: a seed's number stands for what it always stood for.
pub const PLACES: [Place; 24] = [
    Place::Normal,
    Place::Suspected,
    Place::Confirmed,
    Place::AwaitingApproval,
    Place::Declared,
    Place::FailedOver,
    Place::Preflight,
    Place::Fence,
    Place::NewestPoints,
    Place::GroupWord,
    Place::GroupWait,
    Place::FailOver,
    Place::Running,
    Place::EnableTarget,
    Place::DisableOld,
    Place::Verify,
    Place::WordToCommit,
    Place::Commit,
    Place::StopOld,
    Place::SaveDisks,
    Place::NeedsToProtect,
    Place::WordToProtect,
    Place::Protect,
    Place::Undo,
];

/// All places.
pub fn places() -> impl Iterator<Item = Place> {
    PLACES.into_iter().chain([Place::AnotherPoint])
}

/// How the old region stands in truth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// All is well, and nobody says otherwise.
    #[default]
    Calm,
    /// All is well, and somebody says otherwise.
    Lie,
    /// It answers late, or refuses.
    Ill,
    /// It is lost.
    Lost,
    /// It was lost or ill and is back.
    Back,
    /// It is lost again.
    LostAgain,
}

/// All stages.
pub const STAGES: [Stage; 6] = [Stage::Calm, Stage::Lie, Stage::Ill, Stage::Lost, Stage::Back, Stage::LostAgain];

/// At which kind of call a controller is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum At {
    /// The declaration is saved.
    SaveDeclaration,
    /// The failover is saved.
    SaveSaga,
    /// An entry of a ledger.
    Ledger,
    /// Another write to the store: evidence, leases, announcements, what is remembered of orders.
    Store,
    /// A change of Azure.
    Change,
    /// A read of Azure.
    Look,
    /// A message is queued.
    Queue,
    /// Events are published.
    Tell,
}

/// All of them.
pub const ATS: [At; 8] =
    [At::SaveDeclaration, At::SaveSaga, At::Ledger, At::Store, At::Change, At::Look, At::Queue, At::Tell];

/// A kill: before the request left, or when it was carried out and the answer not heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kill {
    /// Where the recovery plan stands.
    pub place: Place,
    /// At which kind of call.
    pub at: At,
    /// After it was carried out.
    pub after: bool,
}

impl Kill {
    /// What becomes of the controller.
    pub fn fate(self) -> Fate {
        if self.after { Fate::DieAfter } else { Fate::DieBefore }
    }
}

/// All kills at these places.
pub fn kills(places: impl Iterator<Item = Place>) -> impl Iterator<Item = Kill> {
    places.flat_map(|place| ATS.into_iter().flat_map(move |at| [false, true].map(|after| Kill { place, at, after })))
}

impl At {
    /// The place that a call belongs to, wherever else the plan stands: what is changed in Azure is one step's work.
    pub fn place(self, call: &Call, stands: Option<Place>) -> Option<Place> {
        if self != Self::Change {
            return stands;
        }
        let path = call.path.to_ascii_lowercase();
        let ends = |end: &str| path.ends_with(end);
        match () {
            () if ends("/unplannedfailover") => Some(Place::FailOver),
            () if ends("/applyrecoverypoint") => Some(Place::AnotherPoint),
            () if ends("/failovercommit") => Some(Place::Commit),
            () if ends("/switchprotection") => Some(Place::Protect),
            () if ends("/start") => Some(Place::Undo),
            // Old machines that run again are stopped beside whatever goes on.
            () if ends("/deallocate") && stands.is_some_and(|place| place > Place::Fence) => Some(Place::StopOld),
            () if path.contains("/restorepoint")
                || path.contains("/resourcegroups/") && call.method == "PUT" && !path.contains("/providers/") =>
            {
                Some(Place::SaveDisks)
            }
            () => stands,
        }
    }

    /// The kind of a call; none of those at which nothing can be half done.
    pub fn of(call: &Call) -> Option<Self> {
        let path = call.path.to_ascii_lowercase().replace("%2f", "/");
        Some(match call.service {
            Service::Identity => return None,
            Service::Arm if call.writes() => Self::Change,
            Service::Arm => Self::Look,
            Service::Bus if path.contains("/api/events") => Self::Tell,
            Service::Bus => Self::Queue,
            Service::Blobs if !call.writes() => return None,
            Service::Blobs if path.ends_with("/sagas/shop.json") => Self::SaveSaga,
            Service::Blobs if path.ends_with("/declarations/shop.json") => Self::SaveDeclaration,
            Service::Blobs if path.contains("/ledger/") => Self::Ledger,
            Service::Blobs => Self::Store,
        })
    }
}
