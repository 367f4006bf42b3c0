//! What one needs to reach Azure: the transport, the credential, the clock, the dice and the trace.
//!
//! It never opens a connection or asks for a token by itself.

use azure_core::{credentials::TokenCredential, http::HttpClient};
use jiff::Timestamp;
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Tells the wall time, for the expiry of tokens and for HTTP dates; waiting goes by `tokio::time`.
pub type WallClock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Gives the W3C `traceparent` of the work in hand, if there is any.
pub type TraceParent = fn() -> Option<String>;

/// Everything that the clients of this crate share.
#[derive(Clone)]
pub struct Access {
    /// Sends requests. The only seam: a simulated Azure is put in here.
    pub transport: Arc<dyn HttpClient>,
    /// Gives tokens.
    pub credential: Arc<dyn TokenCredential>,
    /// Tells the wall time.
    pub now: WallClock,
    /// Spreads retries and makes request ids.
    pub random: Random,
    /// Continues the caller's trace, where there is one.
    pub traceparent: Option<TraceParent>,
}

impl Access {
    /// Puts the parts together; no trace.
    pub fn new(
        transport: Arc<dyn HttpClient>,
        credential: Arc<dyn TokenCredential>,
        now: WallClock,
        random: Random,
    ) -> Self {
        Self { transport, credential, now, random, traceparent: None }
    }

    /// Continues the caller's trace in every request.
    #[must_use]
    pub fn with_traceparent(mut self, hook: TraceParent) -> Self {
        self.traceparent = Some(hook);
        self
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").finish_non_exhaustive()
    }
}

/// The one source of randomness: the same seed gives the same numbers in the same order.
///
/// Clones share the sequence. It is for spreading and for ids, not for secrets.
#[derive(Clone, Debug)]
pub struct Random(Arc<AtomicU64>);

impl Random {
    /// A sequence that can be repeated.
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(AtomicU64::new(seed)))
    }

    /// A sequence of its own, from the system's entropy.
    pub fn from_system() -> Self {
        let (high, low) = uuid::Uuid::new_v4().as_u64_pair();
        Self::seeded(high ^ low.rotate_left(32))
    }

    /// The next number (SplitMix64).
    pub fn next_u64(&self) -> u64 {
        const STEP: u64 = 0x9E37_79B9_7F4A_7C15; // the odd number nearest to 2^64 / φ: every state is visited once
        let mut z = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A new id in the form of a version 4 UUID.
    pub fn uuid(&self) -> uuid::Uuid {
        let mut bytes = [0_u8; 16];
        bytes[..8].copy_from_slice(&self.next_u64().to_be_bytes());
        bytes[8..].copy_from_slice(&self.next_u64().to_be_bytes());
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// A number from 0 up to, but not including, 1.
    pub(crate) fn fraction(&self) -> f64 {
        const BITS: u32 = 53; // what an f64 holds exactly
        (self.next_u64() >> (u64::BITS - BITS)) as f64 / (1_u64 << BITS) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_sequence() {
        let (a, b) = (Random::seeded(7), Random::seeded(7));
        assert_eq!((a.next_u64(), a.uuid(), a.next_u64()), (b.next_u64(), b.uuid(), b.next_u64()));
        assert_ne!(Random::from_system().next_u64(), Random::from_system().next_u64());
        assert!((0..1000).all(|_| (0.0..1.0).contains(&a.fraction())));
    }
}
