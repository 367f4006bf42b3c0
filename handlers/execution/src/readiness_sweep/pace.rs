//! The pace at which one sweep of readiness reads: what ARM takes of one principal in one subscription, and less.
//! It never holds up what is asked in the region that may be lost, which has a bound of its own; that counts all the same.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Reads that may be asked at once: ARM's bucket holds 250 (azure.md D.1), and a sweep is not alone with it.
const AT_FIRST: u32 = 150;
/// From one read to the next after that: ARM's bucket gains 25 a second.
const EACH: Duration = Duration::from_millis(50);

/// When the next read may be asked.
#[derive(Debug, Default)]
pub struct Pace {
    /// When all reads so far would be over, one after the other.
    over_at: Mutex<Option<Instant>>,
}

impl Pace {
    /// Counts a read; when it may be asked.
    pub fn counted(&self) -> Instant {
        let now = Instant::now();
        let mut over_at = self.over_at.lock().unwrap_or_else(PoisonError::into_inner);
        let next = over_at.map_or(now, |at| at.max(now)) + EACH;
        *over_at = Some(next);
        next.checked_sub(EACH * AT_FIRST).map_or(now, |at| at.max(now))
    }

    /// Waits until the next read may be asked.
    pub async fn turn(&self) {
        tokio::time::sleep_until(self.counted()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_bucket_full_is_asked_at_once_and_then_twenty_a_second() {
        let (pace, began) = (Pace::default(), Instant::now());
        for _ in 0..AT_FIRST {
            pace.turn().await;
        }
        assert_eq!(began.elapsed(), Duration::ZERO);
        for _ in 0..1_000 {
            pace.turn().await;
        }
        assert_eq!(began.elapsed().as_secs(), 50);
        tokio::time::sleep(Duration::from_secs(60)).await;
        let again = Instant::now();
        for _ in 0..2 * AT_FIRST {
            pace.turn().await;
        }
        assert_eq!(again.elapsed().as_millis(), 7_500, "who rested has one bucket full, however long");
    }
}
