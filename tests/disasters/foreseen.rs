//! Combinations that cannot happen, each with its reason.
//! It never names one that is only rare.

use crate::cases::{At, Kill, Place, Stage};

use Place::{
    AwaitingApproval, Confirmed, Declared, FailedOver, GroupWait, GroupWord, NeedsToProtect, NewestPoints, Normal,
    Preflight, Protect, Running, StopOld, Suspected, Verify, WordToCommit, WordToProtect,
};

/// Places and kinds of call that do not meet, and why.
const KILLS: [(&[Place], At, &str); 4] = [
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
    (&[Declared], At::Queue, "the first look is queued when the failover is written"),
];

/// Why a kill cannot happen, if so.
pub fn kill(kill: Kill) -> Option<&'static str> {
    let found = KILLS.iter().find(|(places, at, _)| places.contains(&kill.place) && *at == kill.at);
    found.map(|(_, _, why)| *why)
}

/// Why a plan cannot come to a place in a stage, if so.
pub fn stage(place: Place, stage: Stage) -> Option<&'static str> {
    match (place, stage) {
        (Normal, Stage::LostAgain) => Some("it is well again only after those who said otherwise took it back"),
        (Confirmed | AwaitingApproval | Suspected, Stage::Calm) => Some("nobody says anything of the region"),
        (StopOld, Stage::Calm | Stage::Lie) => {
            Some("where the old side answers all along its machines are stopped long before the commit is done")
        }
        (FailedOver | Protect | WordToProtect | NeedsToProtect, Stage::Lost) => {
            Some("the other way is protected only after the old side has answered")
        }
        (WordToProtect, Stage::LostAgain) => Some("the old side has answered in the very look that leads there"),
        (FailedOver, Stage::Ill | Stage::LostAgain) => {
            Some("the other way takes an hour to be protected, and no region stays ill or lost so long here")
        }
        _ => None,
    }
}
