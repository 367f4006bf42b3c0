//! Operations that Azure finishes later: where to ask, and what the answer means.
//!
//! It never builds or changes a status URL, never logs one (they are signed), and never waits unless told to. It never
//! takes a status for the truth about a resource: an operation may say `Succeeded` before its resource is there, and its
//! status may be forgotten after its end. Whoever needs to know reads the resource: [`ArmClient::settle`].
//!
//! ```text
//! 200/201/202 ─ Azure-AsyncOperation ─► 200 {status}      Succeeded | Failed | Canceled | another word = running
//!             │                         200 without one, 404: Location is asked, if there is one; else unclear
//!             └ Location ─────────────► 202 running       200, 201, 204 done, 404 unclear, another 4xx failed
//! ```

use crate::{
    arm::{ArmClient, Call},
    error::{Error, ErrorKind},
    json,
    operations::{Harm, Operation},
    retry::{self, Repeat},
    said,
    transport::{Answer, Latest},
};
use azure_core::http::Url;
use std::{fmt, time::Duration};
use tokio::time::Instant;

/// Reading the state of an operation. No document of a provider lists the path: Azure gives the whole URL.
const STATUS: Operation = Operation {
    action: "Microsoft.Compute/locations/operations/read",
    method: "GET",
    path: "",
    api_version: "",
    document: "",
    harm: Harm::Nothing,
    evidence: &["arm-async-body", "arm-async-failed", "arm-location", "arm-status-host", "arm-async-lies"],
};

/// The longest status URL that is followed, in bytes; recorded ones are over 4 KB.
const MAX_URL_BYTES: usize = 16 * 1024;
/// How long to wait between two polls when Azure does not say; restore points take 7 to 46 s.
const POLL: Duration = Duration::from_secs(10);
/// The shortest wait between two polls: polls are reads, and cost.
const SHORTEST_POLL: Duration = Duration::from_secs(1);

/// Azure took the work and will finish it later.
#[derive(Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Where to ask, verbatim. It is signed: keep it out of logs.
    pub status_url: String,
    /// When to ask, by Azure's word.
    pub retry_after: Option<Duration>,
    by: Answers,
    /// The `Location` beside an `Azure-AsyncOperation`.
    location: Option<String>,
}

/// What Azure said to an order to act or to delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acted {
    /// It is done.
    Done,
    /// It was taken and will be finished later; where to ask, if Azure said so.
    Begun(Option<Accepted>),
    /// There was nothing of that name to delete. That is not yet the proof which *gone* needs.
    NotThere,
}

impl Acted {
    /// What an answer that is a success says.
    pub(crate) fn read(operation: &'static Operation, answer: &Answer, now: jiff::Timestamp) -> Self {
        match (answer.status, Accepted::read(answer, now)) {
            (204, _) if operation.method == "DELETE" => Self::NotThere,
            (204, _) | (200, None) => Self::Done,
            (_, accepted) => Self::Begun(accepted),
        }
    }
}

/// How the status URL answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answers {
    /// `Azure-AsyncOperation`: by a status in the body.
    InBody,
    /// `Location`: by the HTTP status.
    ByStatus,
}

/// Where an operation stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperationState {
    /// Not finished.
    Running {
        /// When to ask again, by Azure's word.
        retry_after: Option<Duration>,
    },
    /// Finished.
    Succeeded,
    /// Failed.
    Failed {
        /// Azure's code, if it gave one.
        code: Option<String>,
        /// Azure's message, bounded and cleaned.
        message: Option<String>,
    },
    /// Canceled by somebody.
    Canceled,
    /// The status says nothing that can be relied on: it has no word in it, or is not kept any more. Read the resource.
    Unclear,
}

/// How what was waited for ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled<T> {
    /// The resource is as it should be.
    There(T),
    /// The operation failed or was canceled.
    Ended(OperationState),
    /// Not finished in the time given.
    Running,
}

impl Accepted {
    /// What an answer says about how it goes on; `Azure-AsyncOperation` is preferred, as ARM's guide asks.
    pub(crate) fn read(answer: &Answer, now: jiff::Timestamp) -> Option<Self> {
        let header = |name| answer.header(name).filter(|url| url.len() <= MAX_URL_BYTES).map(str::to_owned);
        let (asynchronous, location) = (header("azure-asyncoperation"), header("location"));
        let retry_after = retry::retry_after(answer, now);
        match (asynchronous, location) {
            (Some(status_url), location) => Some(Self { status_url, retry_after, by: Answers::InBody, location }),
            (None, Some(status_url)) => Some(Self { status_url, retry_after, by: Answers::ByStatus, location: None }),
            (None, None) => None,
        }
    }

    /// The second place to ask, where there is one.
    fn fallback(&self) -> Option<Self> {
        let status_url = self.location.clone()?;
        Some(Self { status_url, retry_after: self.retry_after, by: Answers::ByStatus, location: None })
    }
}

impl ArmClient {
    /// Orders something to be done or deleted, under a latest moment.
    pub(crate) async fn act(
        &self,
        operation: &'static Operation,
        parameters: &[&str],
        query: &[(&str, &str)],
        repeat: Repeat,
        latest: Latest,
    ) -> Result<Acted, Error> {
        let url = self.url(operation, parameters, query)?;
        let answer = self.send(&Call::change(operation, url, None, repeat, Some(latest))).await?;
        Ok(Acted::read(operation, &answer, self.wall_now()))
    }

    /// Asks once where an operation stands, at both places if the first says nothing. A repeat is safe.
    pub async fn operation_state(&self, accepted: &Accepted) -> Result<OperationState, Error> {
        match (self.ask(accepted).await?, accepted.fallback()) {
            (OperationState::Unclear, Some(fallback)) => self.ask(&fallback).await,
            (state, _) => Ok(state),
        }
    }

    async fn ask(&self, accepted: &Accepted) -> Result<OperationState, Error> {
        let url: Url = self.followed(STATUS.action, &accepted.status_url)?;
        self.ask_by(accepted.by, &Call::read(&STATUS, url)).await
    }

    /// Asks once where an operation stands whose result answers by its status alone: 202 while it runs.
    pub(crate) async fn state_by_status(&self, call: &Call) -> Result<OperationState, Error> {
        self.ask_by(Answers::ByStatus, call).await
    }

    async fn ask_by(&self, by: Answers, call: &Call) -> Result<OperationState, Error> {
        match self.send(call).await {
            Ok(answer) => state(by, &answer, self.wall_now()),
            // Not kept any more, or never known: it tells nothing about the resource.
            Err(error) if error.kind == ErrorKind::NotFound => Ok(OperationState::Unclear),
            // A `Location` tells of a failed operation by a 4xx of its own.
            Err(error) if by == Answers::ByStatus && matches!(error.kind, ErrorKind::Refused | ErrorKind::Conflict) => {
                let (code, message) = (error.code().map(str::to_owned), error.message().map(str::to_owned));
                Ok(OperationState::Failed { code, message })
            }
            Err(error) => Err(error),
        }
    }

    /// Asks until an operation ends, at most so long: for tests and for people who watch. An invocation never waits.
    pub async fn wait(&self, accepted: &Accepted, at_most: Duration) -> Result<OperationState, Error> {
        let until = Instant::now() + at_most;
        let mut pause = accepted.retry_after;
        loop {
            let next = Instant::now() + pause.unwrap_or(POLL).max(SHORTEST_POLL);
            if next > until {
                return Ok(OperationState::Running { retry_after: pause });
            }
            tokio::time::sleep_until(next).await;
            match self.operation_state(accepted).await? {
                OperationState::Running { retry_after } => pause = retry_after,
                ended => return Ok(ended),
            }
        }
    }

    /// Waits for a resource, at most so long: `look` reads it and gives it back once it is as it should be. The operation's
    /// word only spares looks while it runs; its `Succeeded` is followed by looks until the resource is there.
    pub async fn settle<T>(
        &self,
        accepted: Option<&Accepted>,
        at_most: Duration,
        mut look: impl AsyncFnMut() -> Result<Option<T>, Error>,
    ) -> Result<Settled<T>, Error> {
        let until = Instant::now() + at_most;
        if let Some(accepted) = accepted {
            match self.wait(accepted, at_most).await? {
                OperationState::Running { .. } => return Ok(Settled::Running),
                OperationState::Succeeded | OperationState::Unclear => {}
                ended => return Ok(Settled::Ended(ended)),
            }
        }
        loop {
            if let Some(there) = look().await? {
                return Ok(Settled::There(there));
            }
            if Instant::now() + POLL > until {
                return Ok(Settled::Running);
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

impl fmt::Debug for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accepted").field("retry_after", &self.retry_after).field("by", &self.by).finish_non_exhaustive()
    }
}

/// What an answer of a status URL means.
fn state(by: Answers, answer: &Answer, now: jiff::Timestamp) -> Result<OperationState, Error> {
    let running = OperationState::Running { retry_after: retry::retry_after(answer, now) };
    match (by, answer.status) {
        (Answers::ByStatus, 202) => Ok(running),
        (Answers::ByStatus, _) => Ok(OperationState::Succeeded),
        (Answers::InBody, 204) => Ok(OperationState::Unclear),
        (Answers::InBody, 202) if answer.body.is_empty() => Ok(running),
        (Answers::InBody, _) => Ok(read_body(&crate::arm::decode(STATUS.action, answer)?, running)),
    }
}

/// What the body of an `Azure-AsyncOperation` answer says.
pub(crate) fn read_body(body: &serde_json::Value, running: OperationState) -> OperationState {
    match json::text(body, "/status").unwrap_or_default() {
        "" => OperationState::Unclear,
        status if status.eq_ignore_ascii_case("Succeeded") => OperationState::Succeeded,
        status if status.eq_ignore_ascii_case("Failed") => OperationState::Failed {
            code: json::string(body, "/error/code"),
            message: json::text(body, "/error/message").map(said::clean),
        },
        status if status.eq_ignore_ascii_case("Canceled") || status.eq_ignore_ascii_case("Cancelled") => {
            OperationState::Canceled
        }
        _ => running,
    }
}

#[cfg(test)]
mod tests;
