//! The promises by name, and a wrong as it is said to people: when, which promise, what happened.
//! It never decides: the judges do.

use std::fmt;

use super::history::Time;

/// What is promised; `README.md` names the source of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Promise {
    OneSaga,
    OncePerIncident,
    ConditionsRecorded,
    RealEvidence,
    WholeWindow,
    ConditionsMet,
    RulesOnlyWhereAsked,
    FenceRequired,
    FenceNamed,
    FenceFirst,
    StopInTime,
    StopFirst,
    OldTakesNoTraffic,
    AnEndpointEnabled,
    OnlineFirst,
    MembersFirst,
    GroupsInOrder,
    FailoverOnce,
    PointChosen,
    CommitOrdered,
    OldDisksSaved,
    OldMayGo,
    NoUndo,
    Abort,
    Approved,
    Epoch,
    SavedFirst,
    NothingKeptOrMade,
    DueGoes,
    IncidentClosed,
    SuspectedInTime,
    DecidedInTime,
    RecoveryStops,
    FinishesOrUndoes,
    SaysWhich,
    BoundedWait,
    TrafficMoves,
    Reminds,
    OrdersAnswered,
    StableIds,
    ChangesStopped,
    InOrderOfTime,
}

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    pub at: Time,
    pub promise: Promise,
    pub words: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {}: {:?}: {}", self.at, self.promise, self.words)
    }
}

/// The wrongs found so far.
#[derive(Default)]
pub struct Wrongs {
    pub found: Vec<Wrong>,
}

impl Wrongs {
    pub fn say(&mut self, at: Time, promise: Promise, words: impl Into<String>) {
        self.found.push(Wrong { at, promise, words: words.into() });
    }

    /// Says it if it is so.
    pub fn say_if(&mut self, wrong: bool, at: Time, promise: Promise, words: impl FnOnce() -> String) {
        if wrong {
            self.say(at, promise, words());
        }
    }
}
