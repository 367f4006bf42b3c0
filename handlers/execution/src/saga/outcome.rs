//! What Azure's answer to a change means for the saga: accepted, refused, not now, or nobody knows.
//! It never takes silence for a refusal: what may have been done is looked at, and not sent again before that.

use std::time::Duration;

use jiff::SignedDuration;
use lifeboat_azure::{Error, ErrorKind};
use lifeboat_planning::saga::Outcome;

use crate::ledger::OutcomeResult;

/// The pause after what passes by itself and of which Azure does not say when: a look of the saga.
const PAUSE: SignedDuration = SignedDuration::from_secs(15);
/// Azure's own words in an outcome, at most: enough for a code and its sentence.
const WORDS_CHARS_MAX: usize = 400;

/// What became of a call.
pub fn of(sent: Result<(), Error>) -> Outcome {
    let Err(error) = sent else { return Outcome::Accepted };
    if error.maybe_done() {
        return Outcome::NoAnswer;
    }
    match error.kind {
        // Nothing was done, and the same call may be made again.
        ErrorKind::Busy
        | ErrorKind::Throttled
        | ErrorKind::Transient
        | ErrorKind::Connection
        | ErrorKind::TooLate
        | ErrorKind::Unauthorized => Outcome::NotNow(pause(error.retry_after())),
        ErrorKind::NotFound
        | ErrorKind::Forbidden
        | ErrorKind::AlreadyExists
        | ErrorKind::Conflict
        | ErrorKind::Refused
        | ErrorKind::Malformed
        | ErrorKind::Assumed
        | ErrorKind::Limit => Outcome::Refused(words(&error)),
    }
}

fn pause(asked: Option<Duration>) -> SignedDuration {
    asked.and_then(|asked| SignedDuration::try_from(asked).ok()).unwrap_or(PAUSE)
}

/// Azure's code and sentence on one line, bounded.
fn words(error: &Error) -> String {
    let chain = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    let text = chain.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    let code = error.code().map(|code| format!("{code}: ")).unwrap_or_default();
    format!("{code}{text}").chars().map(|c| if c.is_control() { ' ' } else { c }).take(WORDS_CHARS_MAX).collect()
}

/// The same as the ledger keeps it.
pub fn in_ledger(outcome: &Outcome) -> (OutcomeResult, String) {
    match outcome {
        Outcome::Accepted => (OutcomeResult::Done, String::new()),
        Outcome::Refused(words) => (OutcomeResult::Refused, words.clone()),
        Outcome::NotNow(pause) => (OutcomeResult::NotYet, format!("again in {} s", pause.as_secs())),
        Outcome::NoAnswer => (OutcomeResult::Unanswered, String::new()),
    }
}
