//! The turn of a sweep: its lease, renewed while it works, and the time that it has.
//! It never lets a sweep go on that may not be the only one, or that the host would kill.

use std::time::Duration;

use lifeboat_azure::blobs::{Lease, Store};
use lifeboat_azure::{Error, ErrorKind};
use tokio::time::Instant;

use super::SweepError;

/// The lease that keeps two sweeps apart.
const LEASE: &str = "leases/policy-sweep";
/// How long it lasts without being renewed: the longest that Blob Storage gives.
const LEASE_SECS: u32 = 60;
/// After this long it is renewed before the next step. The longest step, a message that the queue does not take, holds 25 s.
const RENEWED_AFTER: Duration = Duration::from_secs(15);
/// How long one sweep works: the host kills an invocation after ten minutes (`functionTimeout` in host.json), and no step takes two.
const SWEEP_TIME_MAX: Duration = Duration::from_secs(8 * 60);

/// A sweep's turn.
#[derive(Debug)]
pub struct Turn<'a> {
    store: &'a Store,
    lease: Lease,
    renewed_at: Instant,
    ends_at: Instant,
}

impl<'a> Turn<'a> {
    /// Takes the lease; none when another sweep has it.
    pub async fn take(store: &'a Store) -> Result<Option<Self>, Error> {
        let now = Instant::now();
        match store.lease(LEASE, LEASE_SECS).await {
            Ok(lease) => Ok(Some(Self { store, lease, renewed_at: now, ends_at: now + SWEEP_TIME_MAX })),
            Err(error) if error.is_lease_taken() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// To be called before each step: renews the lease where it is time, and ends the sweep where its time or its lease is over.
    pub async fn keep(&mut self) -> Result<(), SweepError> {
        let now = Instant::now();
        if now >= self.ends_at {
            return Err(SweepError::OutOfTime);
        }
        if now.duration_since(self.renewed_at) < RENEWED_AFTER {
            return Ok(());
        }
        match self.store.renew(&self.lease).await {
            Ok(()) => {
                self.renewed_at = now;
                Ok(())
            }
            Err(Error { kind: ErrorKind::Conflict | ErrorKind::Busy, .. }) => Err(SweepError::LeaseLost),
            Err(error) => Err(error.into()),
        }
    }

    /// Gives the lease back.
    pub async fn end(self) {
        if let Err(error) = self.store.release(&self.lease).await {
            tracing::warn!(error = %error, "the sweep's lease could not be released; it runs out by itself");
        }
    }
}
