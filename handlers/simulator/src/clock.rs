//! The one clock of the simulator: an epoch plus tokio's time plus jumps on order.
//! It never drifts by itself: under tokio's paused time it is virtual, otherwise it follows the machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// A shared clock; clones show the same time.
#[derive(Clone, Debug)]
pub struct Clock {
    epoch: Timestamp,
    start: Instant,
    jumped_ms: Arc<AtomicI64>,
}

impl Clock {
    /// A clock that shows `epoch` now and then follows tokio's time. Needs a tokio runtime only to wait.
    pub fn starting_at(epoch: Timestamp) -> Self {
        Self { epoch, start: Instant::now(), jumped_ms: Arc::default() }
    }

    /// A clock that shows the time of day: for stand-ins that serve real processes.
    pub fn wall() -> Self {
        Self::starting_at(time_of_day())
    }

    /// The simulated time now.
    pub fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.start.elapsed()).unwrap_or(SignedDuration::MAX);
        let jumped = SignedDuration::from_millis(self.jumped_ms.load(Ordering::SeqCst));
        self.epoch.checked_add(passed).and_then(|at| at.checked_add(jumped)).unwrap_or(Timestamp::MAX)
    }

    /// Moves the clock forward (or back) without letting tokio's time pass.
    pub fn jump(&self, by: SignedDuration) {
        let ms = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.jumped_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// Waits until `at`; returns at once when it has passed.
    pub async fn sleep_until(&self, at: Timestamp) {
        while let Ok(left) = Duration::try_from(at.duration_since(self.now())) {
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left).await;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the simulator's one place that reads the wall clock")]
fn time_of_day() -> Timestamp {
    Timestamp::now()
}
