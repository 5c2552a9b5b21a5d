//! A small random generator whose numbers never change with a dependency's version.

/// `SplitMix64`: 64 bits of state, period 2^64, for resampling; not for secrets.
///
/// Source: Steele, Lea and Flood 2014, *Fast splittable pseudorandom number generators*.
///
/// ```
/// use reports::statistics::SplitMix64;
///
/// let (mut a, mut b) = (SplitMix64::new(7), SplitMix64::new(7));
/// assert_eq!(a.next_u64(), b.next_u64());
/// assert!(a.below(std::num::NonZeroU64::new(6).unwrap()) < 6);
/// ```
#[derive(Debug, Clone)]
pub struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    /// Starts from a seed; equal seeds give equal numbers.
    pub fn new(seed: u64) -> SplitMix64 {
        SplitMix64 { state: seed }
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A uniform number from 0 up to, not including, `bound`.
    ///
    /// Multiply and shift; the few draws that would favour some numbers are rejected (Lemire 2019).
    pub fn below(&mut self, bound: std::num::NonZeroU64) -> u64 {
        let bound = bound.get();
        let unfair = bound.wrapping_neg() % bound; // 2^64 mod bound
        loop {
            let product = u128::from(self.next_u64()) * u128::from(bound);
            if product as u64 >= unfair {
                return (product >> 64) as u64;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use super::*;

    #[test]
    fn known_sequence() {
        // The published test vector of the generator for seed 1234567.
        let mut random = SplitMix64::new(1_234_567);
        let drawn = [(); 3].map(|()| random.next_u64());
        assert_eq!(drawn, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn draws_below_a_bound_are_even() {
        let mut random = SplitMix64::new(1);
        let mut counts = [0_u32; 7];
        for _ in 0..70_000 {
            counts[random.below(NonZeroU64::new(7).unwrap()) as usize] += 1;
        }
        // Expected 10 000 each, standard deviation 93: five of them.
        assert!(counts.iter().all(|count| count.abs_diff(10_000) < 465), "{counts:?}");
    }

    #[test]
    fn the_largest_bound_is_served() {
        let mut random = SplitMix64::new(1);
        assert!(random.below(NonZeroU64::MAX) < u64::MAX);
        assert_eq!(random.below(NonZeroU64::MIN), 0);
    }
}
