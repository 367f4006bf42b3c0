//! Operations that Azure finishes later: where to ask, and what the answer means.
//!
//! It never builds or changes a status URL, never logs one (they are signed), and never waits unless told to.
//!
//! ```text
//! 200/201/202 ─ Azure-AsyncOperation ─► 200 {status}      Succeeded | Failed | Canceled | anything else = running
//!             └ Location ─────────────► 202 running       200, 201, 204 done, 4xx failed
//! ```

use crate::{
    arm::{ArmClient, Call, decode},
    error::{Error, ErrorKind},
    json,
    operations::Operation,
    retry::{self, Repeat},
    said,
    transport::Answer,
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
}

impl Accepted {
    /// What an answer says about how it goes on; `Azure-AsyncOperation` is preferred, as ARM's guide asks.
    pub(crate) fn read(answer: &Answer, now: jiff::Timestamp) -> Option<Self> {
        let (url, by) = match (answer.header("azure-asyncoperation"), answer.header("location")) {
            (Some(url), _) => (url, Answers::InBody),
            (None, Some(url)) => (url, Answers::ByStatus),
            (None, None) => return None,
        };
        (url.len() <= MAX_URL_BYTES).then(|| Self {
            status_url: url.to_owned(),
            retry_after: retry::retry_after(answer, now),
            by,
        })
    }
}

impl ArmClient {
    /// Asks once where an operation stands. A repeat is safe.
    pub async fn operation_state(&self, accepted: &Accepted) -> Result<OperationState, Error> {
        let url: Url = self.followed(STATUS.action, &accepted.status_url)?;
        let sent = self.send(&Call { operation: &STATUS, url, body: None, repeat: Repeat::Safe, latest: None }).await;
        let answer = match (sent, accepted.by) {
            (Ok(answer), _) => answer,
            // A `Location` tells of a failed operation by a 4xx of its own.
            (Err(error), Answers::ByStatus) if matches!(error.kind, ErrorKind::Refused | ErrorKind::Conflict) => {
                return Ok(OperationState::Failed {
                    code: error.code().map(str::to_owned),
                    message: error.message().map(str::to_owned),
                });
            }
            (Err(error), _) => return Err(error),
        };
        let running = OperationState::Running { retry_after: retry::retry_after(&answer, self.wall_now()) };
        match accepted.by {
            Answers::ByStatus if answer.status == 202 => Ok(running),
            Answers::ByStatus => Ok(OperationState::Succeeded),
            Answers::InBody => Ok(read_body(&decode(STATUS.action, &answer)?, running)),
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
}

impl fmt::Debug for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accepted").field("retry_after", &self.retry_after).field("by", &self.by).finish_non_exhaustive()
    }
}

fn read_body(body: &serde_json::Value, running: OperationState) -> OperationState {
    match json::text(body, "/status").unwrap_or_default() {
        status if status.eq_ignore_ascii_case("Succeeded") => OperationState::Succeeded,
        status if status.eq_ignore_ascii_case("Failed") => OperationState::Failed {
            code: json::string(body, "/error/code"),
            message: json::text(body, "/error/message").map(said::clean),
        },
        status if status.eq_ignore_ascii_case("Canceled") => OperationState::Canceled,
        _ => running,
    }
}
