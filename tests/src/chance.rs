//! Chance that can be repeated.

/// A seeded generator. `SEED=n` in the environment repeats what an earlier test printed.
pub struct Chance(u64);

impl Chance {
    /// From `SEED`, else from the time. The seed is printed: the test harness shows it on a failure.
    #[expect(clippy::print_stdout, reason = "shown by the test harness when the test fails")]
    pub fn from_environment() -> Chance {
        let given = std::env::var("SEED").ok().and_then(|text| text.parse().ok());
        let seed = given.unwrap_or_else(|| std::time::UNIX_EPOCH.elapsed().map_or(1, |it| it.subsec_nanos().into()));
        println!("SEED={seed}");
        Chance(seed)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        // SplitMix64: one addition and a mix; even for seeds that differ in one bit.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}
