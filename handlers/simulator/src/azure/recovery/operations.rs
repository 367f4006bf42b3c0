//! Operations of Site Recovery: accepted with 202, asked for by their names, and carried out when they end.
//! It never carries out what was told to fail, and an operation is also a job of the same name (recorded).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::call::{Answer, Call, Cause, Failure};
use super::super::errors::ArmError;
use super::super::ids::key;
use super::super::state::{State, Step};
use super::items::Replica;
use super::jobs::Scenario;
use super::switching::Turn;
use super::{RecoveryDenial, RecoveryStep, failover, items, own_id, switching};

/// What callers are told to wait between polls, in seconds (documented by the examples; the recorder left the header out).
const RETRY_SECONDS: u32 = 30;

/// What is true once an operation has ended well.
#[derive(Clone, Debug)]
pub(super) enum Effect {
    Nothing,
    /// A thing is there, under its key.
    Make {
        at: String,
        body: Value,
    },
    /// A thing is gone, with all below it.
    Drop {
        at: String,
    },
    /// An item is there, under its key.
    Enable {
        at: String,
        item: Box<Replica>,
    },
    /// An item is gone.
    Disable {
        at: String,
    },
    /// An item runs in the other region, from this point.
    FailOver {
        at: String,
        point: String,
    },
    /// An item's failover is final.
    Commit {
        at: String,
    },
    /// An item runs from another point.
    ChangePoint {
        at: String,
        point: String,
    },
    /// An item is protected the other way.
    Switch(Box<Turn>),
}

/// An operation.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(super) name: String,
    /// The vault's id, as Site Recovery writes it.
    pub(super) vault: String,
    pub(super) scenario: Scenario,
    pub(super) started: Timestamp,
    pub(super) ends: Timestamp,
    pub(super) failure: Option<Failure>,
    /// What went otherwise than asked, though it ended well: an error beside `Succeeded` (recorded).
    pub(super) warning: Option<Failure>,
    pub(super) effect: Effect,
    pub(super) cause: Cause,
    /// What it is about: an identifier and a name.
    pub(super) object: (String, String),
}

impl Operation {
    /// The same with nothing to do.
    pub(super) fn without_effect(&self) -> Self {
        Self { effect: Effect::Nothing, ..self.clone() }
    }

    pub(super) fn word(&self, now: Timestamp) -> &'static str {
        match (self.ends <= now, &self.failure) {
            (false, _) => "InProgress",
            (true, None) => "Succeeded",
            (true, Some(_)) => "Failed",
        }
    }

    /// The error that is told beside the state, where there is one.
    pub(super) fn told(&self, now: Timestamp) -> Option<&Failure> {
        (self.ends <= now).then(|| self.failure.as_ref().or(self.warning.as_ref())).flatten()
    }
}

impl State {
    /// Begins an operation whose results hang on `below`, a path below the vault.
    pub(super) fn begin_recovery(
        &mut self,
        call: &Call,
        scenario: Scenario,
        below: &str,
        object: (String, String),
        effect: Effect,
    ) -> (String, Answer) {
        let name = self.names.guid();
        let usual = call.now.checked_add(self.latencies.scaled(scenario.milliseconds())).unwrap_or(Timestamp::MAX);
        let (ends, failure) = Self::ordered_failure(call).map_or((usual, None), |(at, failure)| (at, Some(failure)));
        let version = call.query("api-version").unwrap_or_default();
        let url = |path: &str| format!("{}{}?api-version={version}", call.base, own_id(call, path));
        let answer = Answer::empty(202)
            .with_header("azure-asyncoperation", url(&format!("/replicationOperationStatus/{name}")))
            .with_header("location", url(&format!("{below}/operationresults/{name}")))
            .with_header("retry-after", RETRY_SECONDS.to_string());
        let operation = Operation {
            name: name.clone(),
            vault: own_id(call, ""),
            scenario,
            started: call.now,
            ends,
            failure,
            warning: None,
            effect,
            cause: call.cause(true),
            object,
        };
        self.recovery.operations.insert(name.clone(), operation);
        self.later(ends, Step::Recovery(RecoveryStep::OperationEnds { operation: name.clone() }));
        (name, answer)
    }
}

/// Carries an operation out, or lets go what it held.
pub(super) fn ends(state: &mut State, operation: &str, at: Timestamp) {
    let Some(found) = state.recovery.operations.get_mut(operation) else { return };
    let effect = std::mem::replace(&mut found.effect, Effect::Nothing);
    let found = found.clone();
    let cause = found.cause.clone();
    if let Some(item) = effect.item().and_then(|item| state.recovery.items.get_mut(item)) {
        item.running = None;
    }
    if found.failure.is_some() {
        return;
    }
    match effect {
        Effect::Nothing => {}
        Effect::Make { at, body } => drop(state.recovery.things.insert(at, body)),
        Effect::Drop { at } => {
            let below = format!("{at}/");
            state.recovery.things.retain(|id, _| *id != at && !id.starts_with(&below));
            state.recovery.items.retain(|id, _| !id.starts_with(&below));
        }
        Effect::Enable { at: place, item } => items::enabled(state, place, *item, at),
        Effect::Disable { at } => drop(state.recovery.items.remove(&at)),
        Effect::FailOver { at: item, point } => failover::failed_over(state, &item, point, (&found, at)),
        Effect::Commit { at } => failover::committed(state, &at),
        Effect::ChangePoint { at: item, point } => failover::point_changed(state, &item, point, &cause, at),
        Effect::Switch(turn) => switching::switched(state, *turn, &cause, at),
    }
}

impl Effect {
    /// The item that it waits on.
    fn item(&self) -> Option<&String> {
        match self {
            Self::Nothing | Self::Make { .. } | Self::Drop { .. } | Self::Enable { .. } => None,
            Self::Disable { at } | Self::FailOver { at, .. } | Self::Commit { at } | Self::ChangePoint { at, .. } => {
                Some(at)
            }
            Self::Switch(turn) => Some(&turn.at),
        }
    }
}

/// `GET …/replicationOperationStatus/{name}`: 200 always (recorded).
pub(crate) fn status(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let found = known(state, call)?;
    let ended = found.ends <= call.now;
    let error = found.told(call.now);
    let answer = Answer::new(
        200,
        json!({
            "error": error.map(|one| json!({ "code": one.code, "message": one.message, "details": null })),
            "id": null,
            "name": found.name,
            "properties": null,
            "status": found.word(call.now),
            "startTime": seven(found.started),
            // Whole seconds, written with seven decimals (recorded).
            "endTime": ended.then(|| found.ends.strftime("%Y-%m-%dT%H:%M:%S.0000000Z").to_string()),
            "percentComplete": null,
        }),
    );
    Ok(if ended { answer } else { answer.with_header("retry-after", RETRY_SECONDS.to_string()) })
}

/// `GET …/operationresults/{name}`. *Assumed* (`sr-sim-results`): 202 while it runs, then 204; no tape asks it.
pub(crate) fn results(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let found = known(state, call)?;
    if found.ends > call.now {
        let location = format!("{}{}?{}", call.base, call.path, call.raw_query);
        let answer = Answer::empty(202).with_header("location", location);
        return Ok(answer.with_header("retry-after", RETRY_SECONDS.to_string()));
    }
    match &found.failure {
        Some(failure) => Err(ArmError::new(409, &failure.code, failure.message.clone())),
        None => Ok(Answer::empty(204)),
    }
}

fn known<'a>(state: &'a State, call: &Call) -> Result<&'a Operation, ArmError> {
    let name = super::last(&call.path).to_ascii_lowercase();
    let vault = key(&own_id(call, ""));
    let found = state.recovery.operations.get(&name).filter(|found| key(&found.vault) == vault);
    found.ok_or_else(|| RecoveryDenial::Missing.error(&name))
}

/// A time with seven decimals (recorded).
pub(super) fn seven(at: Timestamp) -> String {
    let ticks = at.subsec_nanosecond().unsigned_abs() / 100;
    format!("{}.{ticks:07}Z", at.strftime("%Y-%m-%dT%H:%M:%S"))
}
