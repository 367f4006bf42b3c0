//! Seeds: which ones a test runs, and the dice that each of them throws. The same seed, the same run.
//! It never draws from anything else.

/// SplitMix64.
pub struct Dice(pub u64);

impl Dice {
    /// A number below this.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound.max(1)
    }
}

/// A number that the environment asks for.
#[expect(
    clippy::disallowed_methods,
    reason = "the environment says which seeds a test runs; no setting of the product"
)]
pub fn asked(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}
