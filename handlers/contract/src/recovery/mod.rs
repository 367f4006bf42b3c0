//! Recovery plans: strict YAML in, a recovery plan to decide on out, or every problem found, each with its place. How a document is
//! read, and sets of them, is `policy`'s.
//! It never guesses: what is agreed and not acted on in this release is an error and never passed over.
//!
//! Reading refuses what contradicts itself, so that no recovery plan exists that does; `judge` is asked by `check` alone, and tells what
//! can never be met, or hardly.

mod alerts;
mod declaration;
mod document;
mod fault;
pub(crate) mod form;
mod groups;
mod judge;
mod overlap;
mod traffic;
mod url;

pub(crate) use document::read as read_root;
pub use fault::{NoUrl, RecoveryFault};
pub use form::{ACTIONS_MAX, GROUPS_MAX, TRAFFIC_MAX};
pub(crate) use judge::judge;
pub use lifeboat_planning::recovery::RecoveryPlan;
pub use url::{Reached, address_reached, is_tcp};

use crate::policy::{Problem, form::RECOVERY_PLAN, root_of};

/// What everybody is told who has recovery plans read: a promise nobody keeps is worse than none.
pub const NO_WAY_BACK: &str = "this release fails over by recovery plans, and neither fails back nor drills yet";

/// Reads the one recovery plan of a file. `file` is the name that problems give; problems come in the order of the document.
///
/// An error never comes without a problem. As many problems as possible are collected in one pass; where the text is no YAML
/// at all, only the first place is known.
pub fn read_recovery_plan(text: &str, file: &str) -> Result<RecoveryPlan, Vec<Problem>> {
    read_root(&root_of(text, file)?, file, &[RECOVERY_PLAN])
}
