//! The dice that a seed throws, and how many seeds a test runs. The same seed, the same run.
//! It never draws from anything else.

/// SplitMix64.
pub struct Dice(pub u64);

/// What sets apart dice that are thrown beside those of a seed.
const BESIDE: u64 = 0x5851_F42D_4C95_7F2D;

impl Dice {
    /// Dice of a seed beside its first ones: what is drawn from them moves nothing that was drawn before.
    pub fn beside(seed: u64) -> Self {
        Self(seed ^ BESIDE)
    }

    /// A number below this.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound.max(1)
    }

    /// A number of both and between.
    pub fn between(&mut self, least: i64, most: i64) -> i64 {
        least + i64::try_from(self.below((most - least + 1).unsigned_abs())).unwrap_or(0)
    }

    /// So often in a hundred.
    pub fn percent(&mut self, often: u64) -> bool {
        self.below(100) < often
    }

    /// One of these.
    pub fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.below(all.len() as u64)).unwrap_or(0)]
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
