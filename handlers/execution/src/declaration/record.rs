//! A recovery plan's declaration in the store: where it stands, what is remembered, and the decisions that moved it, each with every
//! condition and its value.
//! It never decides, and never writes over what it has not read.

use std::collections::BTreeSet;

use jiff::Timestamp;
use lifeboat_azure::ErrorKind;
use lifeboat_azure::blobs::{Condition, ETag, Store};
use lifeboat_contract::declaration::decision_as_json;
use lifeboat_contract::events::Event;
use lifeboat_planning::declaration::{Decision, Declaration, Incident, Phase, Shown};
use lifeboat_planning::recovery::RecoveryPlan;
use lifeboat_planning::signal::Origin;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::shown::{self, StoredShown, StoredTakes};
use super::word::{NotGiven, Word};
use crate::outbox::{self, Outbox, Proof, Tells};
use crate::record::read_up_to;
use crate::signals::stored::OriginWord;
use crate::swap::SwapError;

/// The version of [`Record`] that this release writes.
pub const VERSION: u32 = 1;
/// Where the records lie.
pub const FOLDER: &str = "declarations/";
/// Decisions that moved, kept in the record: an incident has some ten, and the ledger has all.
pub const MOVES_KEPT_MAX: usize = 50;
/// Refused words kept in the record, the newest: a word counts for an hour, and no two persons send so many in it.
const REFUSED_KEPT_MAX: usize = 50;

/// What is kept of a recovery plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Version of the record.
    pub version: u32,
    /// The recovery plan.
    pub recovery_plan: String,
    /// The region that may be lost.
    pub from: String,
    /// The region that takes over.
    pub to: String,
    /// The bundle that it was evaluated by.
    pub digest: String,
    /// When it was evaluated last.
    pub evaluated_at: Timestamp,
    /// Where it stands.
    #[serde(with = "PhaseWord")]
    pub phase: Phase,
    /// The open incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<StoredIncident>,
    /// The origins that failed at the last look.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failing: Vec<OriginName>,
    /// Since when enough sources fail together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub together_since: Option<Timestamp>,
    /// Since when one that reports and one that measures fail together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub both_since: Option<Timestamp>,
    /// Since when the region is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub well_since: Option<Timestamp>,
    /// Since when it was well when its saga was last told so: once for each recovery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_told: Option<Timestamp>,
    /// When the last failover ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failover_ended_at: Option<Timestamp>,
    /// Names of its members in `from`, by which they are known on the other side as well; in lower case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
    /// How long a failover would take, as far as that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub takes: Option<StoredTakes>,
    /// The last decision, with every condition and its value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Value>,
    /// Decisions that moved it or asked for something, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moves: Vec<Value>,
    /// What people were shown within the last hour, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shown: Vec<StoredShown>,
    /// Words that were refused, oldest first: a second copy of one, that was held up, begins nothing after its sender was told no.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusedWord>,
    /// What its changes tell other systems: the newest events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outbox: Vec<Value>,
}

/// A person's word that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefusedWord {
    /// Id of its command.
    pub id: String,
    /// Why, as it was told.
    pub why: String,
}

impl Tells for Record {
    fn outbox(&mut self) -> &mut Vec<Value> {
        &mut self.outbox
    }
}

/// When the open incident of a recovery plan opened, which names it; none where none is open.
pub async fn open_incident(store: &Store, plan: &str) -> Result<Option<Timestamp>, SwapError> {
    let read = read(store, plan).await?;
    Ok(read.and_then(|(record, _)| record.incident).map(|incident| incident.opened_at))
}

/// An open incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredIncident {
    /// When it opened.
    pub opened_at: Timestamp,
    /// A person opened it by an order, and that anything fails was not told yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_order_alone: bool,
    /// Its senders' names for what failed.
    pub senders: Vec<Sender>,
    /// When a failover was begun for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failover_begun_at: Option<Timestamp>,
    /// Since when the region counts as recovered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovered_at: Option<Timestamp>,
}

/// A sender's name for what failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// Whose.
    pub origin: OriginName,
    /// The name.
    pub name: String,
}

/// A condition of the last decision, as it was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionKept {
    /// Its name, which an order passes it by.
    pub name: String,
    /// Whether it is met.
    pub met: bool,
    /// Whether only the rules need it.
    pub for_rules: bool,
    /// What was found.
    pub value: String,
}

/// An origin, by the word that documents have for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OriginName(#[serde(with = "OriginWord")] pub Origin);

/// The words of records: those of [`Phase::word`].
#[derive(Serialize, Deserialize)]
#[serde(remote = "Phase")]
enum PhaseWord {
    Normal,
    Suspected,
    Confirmed,
    AwaitingApproval,
    FailingOver,
    FailedOver,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is written.
    Written,
    /// Somebody else wrote since it was read.
    Raced,
}

/// The blob of a recovery plan's declaration.
pub fn blob_name(plan: &str) -> String {
    format!("{FOLDER}{plan}.json")
}

/// What is kept of a recovery plan; none before its first evaluation.
pub async fn read(store: &Store, plan: &str) -> Result<Option<(Record, ETag)>, SwapError> {
    read_blob(store, &blob_name(plan)).await
}

/// The same, by the name of its blob.
pub async fn read_blob(store: &Store, name: &str) -> Result<Option<(Record, ETag)>, SwapError> {
    let Some((bytes, etag)) = store.get(name).await? else { return Ok(None) };
    Ok(Some((read_up_to(VERSION, name, &bytes)?, etag)))
}

/// Writes a record over the one that was read, and in the same write what it tells.
pub async fn write(
    outbox: &Outbox,
    mut record: Record,
    over: Option<ETag>,
    events: &[Event],
) -> Result<Put, SwapError> {
    let events: Vec<Value> = events.iter().filter(|_| outbox.is_on()).map(Event::to_json).collect();
    outbox::carry(record.outbox(), &events);
    let (name, bytes) = (blob_name(&record.recovery_plan), serde_json::to_vec(&record).map_err(SwapError::Unwritable)?);
    let condition = over.map_or(Condition::IfAbsent, Condition::IfMatch);
    let announcement = outbox.announce(&Proof::record(&name), &events, record.evaluated_at).await;
    match outbox.store().put(&name, bytes.into(), condition).await {
        Ok(_) => {
            outbox.written(announcement);
            Ok(Put::Written)
        }
        // An announcement of what nobody wrote leads to nothing, and is dropped when it is old.
        Err(error) if matches!(error.kind, ErrorKind::Conflict | ErrorKind::AlreadyExists) => Ok(Put::Raced),
        Err(error) => Err(error.into()),
    }
}

impl Record {
    /// The record of a declaration as of now.
    pub fn of(
        plan: &RecoveryPlan,
        declaration: &Declaration,
        (digest, members): (&str, &[String]),
        now: Timestamp,
    ) -> Self {
        let Declaration { phase, incident, failing, together_since, both_since, well_since, failover_ended_at } =
            declaration;
        Self {
            version: VERSION,
            recovery_plan: plan.name.clone(),
            from: plan.from.as_str().to_owned(),
            to: plan.to.as_str().to_owned(),
            digest: digest.to_owned(),
            evaluated_at: now,
            phase: *phase,
            incident: incident.as_ref().map(StoredIncident::of),
            failing: failing.iter().copied().map(OriginName).collect(),
            together_since: *together_since,
            both_since: *both_since,
            well_since: *well_since,
            recovery_told: None,
            failover_ended_at: *failover_ended_at,
            members: members.to_vec(),
            takes: None,
            last: None,
            moves: Vec::new(),
            shown: Vec::new(),
            refused: Vec::new(),
            outbox: Vec::new(),
        }
    }

    /// Keeps the decisions of this evaluation, and those before it that were news.
    pub fn remember(&mut self, before: Option<&Self>, decisions: &[Decision], news: &[&Decision], shows: &Shown) {
        self.shown =
            shown::add(before.map(|before| before.shown.as_slice()).unwrap_or_default(), shows, self.evaluated_at);
        self.last = decisions.last().map(decision_as_json);
        self.recovery_told = before.and_then(|before| before.recovery_told);
        self.moves = before.map(|before| before.moves.clone()).unwrap_or_default();
        self.moves.extend(news.iter().map(|one| decision_as_json(one)));
        self.moves.drain(..self.moves.len().saturating_sub(MOVES_KEPT_MAX));
        self.outbox = before.map(|before| before.outbox.clone()).unwrap_or_default();
        self.refused = before.map(|before| before.refused.clone()).unwrap_or_default();
        // A fleet that cannot be read takes nobody out of the recovery plan.
        if let Some(before) = before.filter(|_| self.members.is_empty()) {
            self.members.clone_from(&before.members);
        }
    }

    /// Keeps a word that is refused by this evaluation.
    pub fn refuse(&mut self, word: &Word, why: &NotGiven) {
        if self.refusal_of(word).is_none() {
            self.refused.push(RefusedWord { id: word.id.clone(), why: why.to_string() });
            self.refused.drain(..self.refused.len().saturating_sub(REFUSED_KEPT_MAX));
        }
    }

    /// Why a word was refused, if it was.
    pub fn refusal_of(&self, word: &Word) -> Option<&str> {
        self.refused.iter().find(|refused| refused.id == word.id).map(|refused| refused.why.as_str())
    }

    /// The conditions of the last decision, in the order they are shown.
    pub fn conditions(&self) -> Vec<ConditionKept> {
        let kept = self.last.as_ref().and_then(|last| last["conditions"].as_array()).into_iter().flatten();
        let kept = kept.map(|one| {
            let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
            ConditionKept {
                name: text("name"),
                met: one["met"] == true,
                for_rules: one["neededFor"] == "rules",
                value: text("value"),
            }
        });
        kept.collect()
    }

    /// What an order or an approval names now: the digest of what was shown last.
    pub fn digest_shown(&self) -> Option<&str> {
        self.shown.last().map(|shown| shown.digest.as_str())
    }

    /// What the last decision that was news asked for.
    pub fn last_act(&self) -> Option<String> {
        self.moves.last().and_then(|last| last["act"].as_str()).map(ToOwned::to_owned)
    }

    /// The declaration as `planning` has it.
    pub fn declaration(&self) -> Declaration {
        Declaration {
            phase: self.phase,
            incident: self.incident.as_ref().map(StoredIncident::incident),
            failing: self.failing.iter().map(|name| name.0).collect(),
            together_since: self.together_since,
            both_since: self.both_since,
            well_since: self.well_since,
            failover_ended_at: self.failover_ended_at,
        }
    }
}

impl StoredIncident {
    fn of(incident: &Incident) -> Self {
        let sender = |(origin, name): &(Origin, String)| Sender { origin: OriginName(*origin), name: name.clone() };
        Self {
            opened_at: incident.opened_at,
            by_order_alone: !incident.suspected,
            senders: incident.senders.iter().map(sender).collect(),
            failover_begun_at: incident.failover_begun_at,
            recovered_at: incident.recovered_at,
        }
    }

    fn incident(&self) -> Incident {
        let senders: BTreeSet<(Origin, String)> =
            self.senders.iter().map(|sender| (sender.origin.0, sender.name.clone())).collect();
        Incident {
            opened_at: self.opened_at,
            suspected: !self.by_order_alone,
            senders,
            failover_begun_at: self.failover_begun_at,
            recovered_at: self.recovered_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_reads_as_it_was_written() {
        let golden = include_bytes!("../../golden/declaration-v1.json");
        let record: Record = read_up_to(VERSION, "golden", golden).expect("reads");
        let written: serde_json::Value = serde_json::to_value(&record).expect("writes");
        assert_eq!(written, serde_json::from_slice::<serde_json::Value>(golden).expect("JSON"));
        assert_eq!(record.last_act().as_deref(), Some("tellSuspected"));
        assert_eq!(record.outbox.len(), 1);
        let declaration = record.declaration();
        let again = StoredIncident::of(declaration.incident.as_ref().expect("an incident"));
        assert_eq!(Some(again), record.incident, "what `planning` is given says the same");
        for phase in Phase::ALL {
            let record = Record { phase, ..record.clone() };
            assert_eq!(serde_json::to_value(&record).expect("writes")["phase"], phase.word());
        }
    }
}
