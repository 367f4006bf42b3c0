//! What a command orders, as types that cannot be wrong. It decides nothing: who may order it, and whether it is done, others say.

use std::collections::BTreeSet;

use jiff::Timestamp;
use lifeboat_planning::declaration::Name;
use lifeboat_planning::saga::Choice;
use lifeboat_planning::saga::failover::PointChoice;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::words;

/// What a command orders. The JSON of each is the `data` of its command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Fail over by a recovery plan.
    StartFailover(StartFailover),
    /// Yes to an order, a declaration or a question.
    Approve(Approve),
    /// No to one.
    Reject(Reject),
    /// Undo a running failover.
    Abort(Abort),
    /// The failover is good.
    CommitFailover(CommitFailover),
    /// Keep a point.
    Hold(OfPoint),
    /// Let a held point go by its rules again.
    ReleaseHold(OfPoint),
    /// Close a breaker.
    CloseBreaker(CloseBreaker),
    /// Follow a policy in another mode.
    SetMode(SetMode),
    /// Stop deletions, repairs and vault policy writes, or let them go on.
    Freeze(Freeze),
    /// Stop all changes.
    StopChanges(Why),
    /// Let changes go on.
    ResumeChanges(Why),
}

/// An order to fail over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StartFailover {
    /// The recovery plan's name.
    pub recovery_plan: String,
    /// The digest of what was shown.
    pub digest: String,
    /// Which recovery point.
    #[serde(default, skip_serializing_if = "Point::is_latest")]
    pub point: Point,
    /// Conditions that are passed though they are not met.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub passes: BTreeSet<Passed>,
    /// The answer, ahead of the question, that it is protected the other way once the old disks are saved: Site Recovery deletes the old
    /// machines then.
    #[serde(default, skip_serializing_if = "is_not")]
    pub protect_back: bool,
    /// Why, in a person's words.
    pub reason: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_not(said: &bool) -> bool {
    !said
}

/// An approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Approve {
    /// The recovery plan's name.
    pub recovery_plan: String,
    /// The digest of what was shown.
    pub digest: String,
    /// What is approved.
    pub of: Of,
    /// Which answer to a question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<Answer>,
    /// Which recovery point.
    #[serde(default, skip_serializing_if = "Point::is_latest")]
    pub point: Point,
    /// Conditions that are passed though they are not met.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub passes: BTreeSet<Passed>,
    /// The answer, ahead of the question, that it is protected the other way, as in [`StartFailover`].
    #[serde(default, skip_serializing_if = "is_not")]
    pub protect_back: bool,
    /// Why, in a person's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A rejection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reject {
    /// The recovery plan's name.
    pub recovery_plan: String,
    /// What is rejected.
    pub of: Of,
    /// Which answer to a question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<Answer>,
    /// Why, in a person's words.
    pub reason: String,
}

/// What an approval or a rejection is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Of {
    /// The order that came as the command of this id.
    Order(String),
    /// The declaration that waits in the incident of this id.
    Incident(String),
    /// The question of this number, from 1.
    Question(u32),
    /// The recovery plan's list of assumed behaviours. Always true.
    Assumptions(bool),
}

/// An order to undo a running failover.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Abort {
    /// The recovery plan's name.
    pub recovery_plan: String,
    /// Why, in a person's words.
    pub reason: String,
}

/// The word that a failover is good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommitFailover {
    /// The recovery plan's name.
    pub recovery_plan: String,
    /// The digest of what was shown.
    pub digest: String,
    /// Why, in a person's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// An order about a recovery point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OfPoint {
    /// Its ARM id.
    pub point: String,
    /// Why, in a person's words.
    pub reason: String,
}

/// An order to close a breaker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CloseBreaker {
    /// The policy's name.
    pub policy: String,
    /// Which counter.
    pub counter: CounterName,
    /// Why, in a person's words.
    pub reason: String,
}

/// A counter with a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CounterName {
    /// Points deleted.
    Expiry,
    /// Machines whose protection in a vault was begun.
    Protection,
}

/// An order to follow a policy in a mode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetMode {
    /// The policy's name.
    pub policy: String,
    /// The mode.
    pub mode: ModeName,
    /// Why, in a person's words.
    pub reason: String,
}

/// A mode that may be ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ModeName {
    /// Plan and tell, change nothing.
    Report,
    /// Plan and perform.
    Enforce,
    /// As the document says: an earlier order ends.
    AsWritten,
}

/// An order to freeze or to thaw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Freeze {
    /// Whether deletions, repairs and vault policy writes are stopped from now on.
    pub frozen: bool,
    /// Why, in a person's words.
    pub reason: String,
}

/// An order that says nothing but why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Why {
    /// Why, in a person's words.
    pub reason: String,
}

/// Which recovery point is wanted: a word, or a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point(pub PointChoice);

impl Default for Point {
    fn default() -> Self {
        Self(PointChoice::Latest)
    }
}

impl Point {
    fn is_latest(&self) -> bool {
        self.0 == PointChoice::Latest
    }
}

impl Serialize for Point {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            PointChoice::Latest => serializer.serialize_str(words::POINTS[0]),
            PointChoice::LatestProcessed => serializer.serialize_str(words::POINTS[1]),
            PointChoice::ApplicationConsistent => serializer.serialize_str(words::POINTS[2]),
            PointChoice::At(moment) => moment.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Point {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let kinds = [PointChoice::Latest, PointChoice::LatestProcessed, PointChoice::ApplicationConsistent];
        match words::POINTS.iter().position(|word| *word == text) {
            Some(at) => Ok(Self(kinds[at])),
            None => {
                text.parse::<Timestamp>().map(|moment| Self(PointChoice::At(moment))).map_err(serde::de::Error::custom)
            }
        }
    }
}

/// A condition that an order passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Passed(pub Name);

impl Serialize for Passed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.word())
    }
}

impl<'de> Deserialize<'de> for Passed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        words::condition(&word).map(Self).ok_or_else(|| serde::de::Error::custom("no condition"))
    }
}

/// An answer to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer(pub Choice);

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.word())
    }
}

impl<'de> Deserialize<'de> for Answer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        words::choice(&word).map(Self).ok_or_else(|| serde::de::Error::custom("no answer"))
    }
}

impl Order {
    /// The command's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::StartFailover(_) => "StartFailover",
            Self::Approve(_) => "Approve",
            Self::Reject(_) => "Reject",
            Self::Abort(_) => "Abort",
            Self::CommitFailover(_) => "CommitFailover",
            Self::Hold(_) => "Hold",
            Self::ReleaseHold(_) => "ReleaseHold",
            Self::CloseBreaker(_) => "CloseBreaker",
            Self::SetMode(_) => "SetMode",
            Self::Freeze(_) => "Freeze",
            Self::StopChanges(_) => "StopChanges",
            Self::ResumeChanges(_) => "ResumeChanges",
        }
    }

    /// True when it only adds safety, so that nobody has to say who they are: nothing is approved, deleted, moved, released or
    /// let go on by it.
    pub fn only_adds_safety(&self) -> bool {
        match self {
            Self::Hold(_) | Self::StopChanges(_) => true,
            Self::StartFailover(_)
            | Self::Approve(_)
            | Self::Reject(_)
            | Self::Abort(_)
            | Self::CommitFailover(_)
            | Self::ReleaseHold(_)
            | Self::CloseBreaker(_)
            | Self::SetMode(_)
            | Self::Freeze(_)
            | Self::ResumeChanges(_) => false,
        }
    }

    /// The recovery plan that it is about.
    pub fn recovery_plan(&self) -> Option<&str> {
        match self {
            Self::StartFailover(order) => Some(&order.recovery_plan),
            Self::Approve(order) => Some(&order.recovery_plan),
            Self::Reject(order) => Some(&order.recovery_plan),
            Self::Abort(order) => Some(&order.recovery_plan),
            Self::CommitFailover(order) => Some(&order.recovery_plan),
            _ => None,
        }
    }

    /// The order of this name whose `data` this is; nothing where the name is none of ours.
    pub(super) fn read(name: &str, data: &serde_json::Value) -> Option<Result<Self, serde_json::Error>> {
        fn of<'a, T: Deserialize<'a>>(
            data: &'a serde_json::Value,
            order: fn(T) -> Order,
        ) -> Result<Order, serde_json::Error> {
            T::deserialize(data).map(order)
        }
        Some(match name {
            "StartFailover" => of(data, Self::StartFailover),
            "Approve" => of(data, Self::Approve),
            "Reject" => of(data, Self::Reject),
            "Abort" => of(data, Self::Abort),
            "CommitFailover" => of(data, Self::CommitFailover),
            "Hold" => of(data, Self::Hold),
            "ReleaseHold" => of(data, Self::ReleaseHold),
            "CloseBreaker" => of(data, Self::CloseBreaker),
            "SetMode" => of(data, Self::SetMode),
            "Freeze" => of(data, Self::Freeze),
            "StopChanges" => of(data, Self::StopChanges),
            "ResumeChanges" => of(data, Self::ResumeChanges),
            _ => return None,
        })
    }

    /// The `data` of its command.
    pub fn data(&self) -> serde_json::Value {
        let data = match self {
            Self::StartFailover(order) => serde_json::to_value(order),
            Self::Approve(order) => serde_json::to_value(order),
            Self::Reject(order) => serde_json::to_value(order),
            Self::Abort(order) => serde_json::to_value(order),
            Self::CommitFailover(order) => serde_json::to_value(order),
            Self::Hold(order) | Self::ReleaseHold(order) => serde_json::to_value(order),
            Self::CloseBreaker(order) => serde_json::to_value(order),
            Self::SetMode(order) => serde_json::to_value(order),
            Self::Freeze(order) => serde_json::to_value(order),
            Self::StopChanges(order) | Self::ResumeChanges(order) => serde_json::to_value(order),
        };
        // No map of these has a key that is no text, which is all that can fail.
        data.unwrap_or_default()
    }
}
