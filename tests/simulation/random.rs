//! The only randomness of a life: splitmix64, so that a seed is a life for good.

/// A generator.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// Milliseconds within a span.
    pub fn span(&mut self, span_ms: i64) -> i64 {
        i64::try_from(self.below(u64::try_from(span_ms).unwrap())).unwrap()
    }

    /// True once in so many times.
    pub fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// Fisher–Yates.
    #[allow(dead_code, reason = "not every test shuffles")]
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            let pick = usize::try_from(self.below(at as u64 + 1)).unwrap();
            items.swap(at, pick);
        }
    }
}
