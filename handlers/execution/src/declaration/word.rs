//! A person's word to fail over: on what it was given, and whether that still holds.
//! It never checks who gave it: whoever hands it on did.

use jiff::Timestamp;
use lifeboat_azure::blobs::Store;
use lifeboat_planning::declaration::{Act, Decision, Name, Phase, Shown, Worse};
use lifeboat_planning::saga::failover::PointChoice;

use super::record::{self, Record};
use super::shown::{self, StoredShown};
use crate::readiness::NoOrder;
use crate::swap::SwapError;

/// A word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Id of the command.
    pub id: String,
    /// In words: who gave it, and who approved it.
    pub by: String,
    /// The digest of what was shown.
    pub digest: String,
    /// The incident that it is about, where it names one.
    pub incident: Option<String>,
    /// The conditions that it passes.
    pub passes: std::collections::BTreeSet<Name>,
    /// Which recovery point.
    pub point: PointChoice,
    /// It is the answer to the question about protecting the other way too.
    pub protect_back: bool,
}

/// Why a word does not go through.
#[derive(Debug, thiserror::Error)]
pub enum NotGiven {
    /// Nothing was shown with this digest.
    #[error(
        "nothing with this digest was shown within the last hour: what is shown now has the digest {}",
        now.as_deref().unwrap_or("that its first evaluation will give it")
    )]
    NotShown {
        /// What is shown now.
        now: Option<String>,
    },
    /// Something got worse.
    #[error("since it was shown something got worse: {}", joined(.0))]
    Worse(Vec<Worse>),
    /// The incident is not the open one.
    #[error("the incident {0} is not open")]
    OtherIncident(String),
    /// Conditions are not met, and the word does not pass them, or nobody may.
    #[error("conditions are not met that the order does not name, or that no order passes: {}", joined(.0))]
    Unmet(Vec<Name>),
    /// It was done.
    #[error("the workload serves from the other region already")]
    FailedOver,
    /// It was refused before.
    #[error("{0}")]
    Before(String),
    /// A saga runs already.
    #[error("a failover of this recovery plan is under way")]
    UnderWay,
    /// Nothing can be made of what was saved.
    #[error("the failover cannot begin: {0}")]
    NoOrder(NoOrder),
}

impl Word {
    /// Whether what it was given on still holds. A word that was refused is over, whatever holds since: its sender was told so.
    pub(super) fn still_holds(&self, known: Option<&Record>, is: &Shown, now: Timestamp) -> Result<(), NotGiven> {
        if let Some(why) = known.and_then(|known| known.refusal_of(self)) {
            return Err(NotGiven::Before(why.to_owned()));
        }
        let shown = known.map(|record| record.shown.as_slice()).unwrap_or_default();
        let found = was_shown(shown, &self.digest, now)?;
        if let Some(incident) = &self.incident
            && Some(incident) != is.incident.map(|at| at.to_string()).as_ref()
        {
            return Err(NotGiven::OtherIncident(incident.clone()));
        }
        let worse = found.shown().worse(is, now.duration_since(found.until));
        if worse.is_empty() { Ok(()) } else { Err(NotGiven::Worse(worse)) }
    }

    /// What came of it, by the decisions that were made with it.
    pub(super) fn came_of(&self, decisions: &[Decision]) -> Result<(), NotGiven> {
        let Some(last) = decisions.last() else { return Err(NotGiven::Unmet(Vec::new())) };
        if decisions.iter().any(|decision| decision.act == Act::Start) {
            return Ok(());
        }
        if last.to == Phase::FailedOver {
            return Err(NotGiven::FailedOver);
        }
        let stays = |one: &&lifeboat_planning::declaration::Condition| {
            !(one.met || one.is_passable() && self.passes.contains(&one.name()))
        };
        let unmet: Vec<Name> = last.conditions.iter().filter(stays).map(|one| one.name()).collect();
        if unmet.is_empty() || unmet.contains(&Name::NoSaga) {
            return Err(NotGiven::UnderWay);
        }
        Err(NotGiven::Unmet(unmet))
    }
}

/// Why an order that has to wait for others would wait for nothing: its digest was never shown, or of an incident that is closed. A recovery
/// plan that was never evaluated has shown nothing yet.
pub async fn waits_in_vain(
    store: &Store,
    plan: &str,
    digest: &str,
    now: Timestamp,
) -> Result<Option<NotGiven>, SwapError> {
    let Some((record, _)) = record::read(store, plan).await? else { return Ok(None) };
    let open = record.incident.as_ref().map(|incident| incident.opened_at);
    Ok(match was_shown(&record.shown, digest, now) {
        Ok(shown) => {
            let over = shown.incident.filter(|shown| Some(*shown) != open);
            over.map(|incident| NotGiven::OtherIncident(incident.to_string()))
        }
        Err(why) => Some(why),
    })
}

/// What was shown with this digest within the hour.
fn was_shown<'a>(known: &'a [StoredShown], digest: &str, now: Timestamp) -> Result<&'a StoredShown, NotGiven> {
    let newest = || known.last().map(|last| last.digest.clone());
    shown::find(known, digest, now).ok_or_else(|| NotGiven::NotShown { now: newest() })
}

fn joined(all: &[impl ToString]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
