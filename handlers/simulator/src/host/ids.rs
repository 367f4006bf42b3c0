//! Ids of workers, invocations, traces: the same for the same seed, different from host to host.
//! It never asks the system for randomness.

use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

pub(super) struct Ids {
    seed: u64,
    next: AtomicU64,
}

impl Ids {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, next: AtomicU64::new(0) }
    }

    /// A GUID in the form of random ones.
    pub(super) fn guid(&self) -> String {
        uuid::Builder::from_random_bytes(self.bytes()).into_uuid().to_string()
    }

    /// Hexadecimal digits: 32 for a trace, 16 for a span.
    pub(super) fn hex(&self, digits: usize) -> String {
        let text: String = self.bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        text.chars().take(digits).collect()
    }

    fn bytes(&self) -> [u8; 16] {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let hash = Sha256::new().chain_update(self.seed.to_be_bytes()).chain_update(number.to_be_bytes()).finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        bytes
    }
}
