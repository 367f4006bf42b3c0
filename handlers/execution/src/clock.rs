//! The one place that knows the time: of day from the wall, or an epoch plus tokio's paused time.
//! It never waits; waiting is tokio's, so that `rehearse` and every test run the production code in virtual time.

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Where the time comes from.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    epoch: Option<(Timestamp, Instant)>,
}

impl Clock {
    /// The wall's time.
    pub fn wall() -> Self {
        Self { epoch: None }
    }

    /// `epoch` now, moving with tokio's time: virtual under a paused runtime.
    pub fn starting_at(epoch: Timestamp) -> Self {
        Self { epoch: Some((epoch, Instant::now())) }
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        match self.epoch {
            None => wall_now(),
            Some((epoch, start)) => {
                let passed = SignedDuration::try_from(start.elapsed()).unwrap_or(SignedDuration::MAX);
                epoch.checked_add(passed).unwrap_or(Timestamp::MAX)
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the wall clock")]
fn wall_now() -> Timestamp {
    Timestamp::now()
}
