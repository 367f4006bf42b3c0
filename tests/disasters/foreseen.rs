//! Combinations that cannot happen, each with its reason.
//! It never names one that is only rare.

use crate::cases::{At, Kill, Place, Stage};
use crate::script::Lie;

use Place::{
    AwaitingApproval, Confirmed, Declared, FailedOver, GroupWait, GroupWord, NeedsToProtect, NewestPoints, Normal,
    Preflight, Running, StopOld, Suspected, Verify, WordToCommit, WordToProtect,
};

/// What the handler is known to do wrong and no seed plays until it is mended. It is printed with each run.
pub const KNOWN: [&str; 1] = [
    "a machine that failed by the platform and is then read as stopped by its user stays evidence of Resource Health for half an hour: what \
     does not count is not taken for a newer word, so that machines which people stop in a short outage can confirm it",
];

/// Whether a lie beside an outage leads to what is known.
pub fn is_known(lie: Lie) -> bool {
    lie == Lie::StoppedByUser
}

/// Places and kinds of call that do not meet, and why.
const KILLS: [(&[Place], At, &str); 8] = [
    (
        &[Normal, Suspected, Confirmed, AwaitingApproval, Declared, FailedOver],
        At::Change,
        "nothing of Azure is changed but by a failover",
    ),
    (
        &[Preflight, NewestPoints, GroupWord, GroupWait, Running, Verify, WordToCommit, NeedsToProtect, WordToProtect],
        At::Change,
        "the step changes nothing of Azure, and what is changed beside it is another step's",
    ),
    (&[Normal, Suspected, Confirmed, AwaitingApproval, FailedOver], At::SaveSaga, "there is no failover to save"),
    (&[Declared], At::SaveDeclaration, "it is declared by that very write"),
    (&[Declared], At::Ledger, "it was written down before it was declared"),
    (&[Declared], At::Look, "the failover is begun by what was read before"),
    (&[Declared], At::Queue, "the first look is queued when the failover is written"),
    (&[Declared], At::Tell, "what was written is told when the failover is begun"),
];

/// Why a kill cannot happen, if so.
pub fn kill(kill: Kill) -> Option<&'static str> {
    let found = KILLS.iter().find(|(places, at, _)| places.contains(&kill.place) && *at == kill.at);
    found.map(|(_, _, why)| *why).or_else(|| closing(kill))
}

fn closing(kill: Kill) -> Option<&'static str> {
    (kill.place == FailedOver && kill.at == At::Ledger).then_some(
        "while the workload serves elsewhere nobody says that the old region is well, and nothing is decided",
    )
}

/// Why a plan cannot come to a place in a stage, if so.
pub fn stage(place: Place, stage: Stage) -> Option<&'static str> {
    match (place, stage) {
        (Normal, Stage::Lie | Stage::Ill | Stage::Lost | Stage::LostAgain) => {
            Some("it is well again only after those who said otherwise took it back")
        }
        (Confirmed | AwaitingApproval | Suspected, Stage::Calm) => Some("nobody says anything of the region"),
        (StopOld, Stage::Calm | Stage::Lie | Stage::Back) => {
            Some("where the old side answers its machines are stopped long before the commit is done")
        }
        _ => None,
    }
}
