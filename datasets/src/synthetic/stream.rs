//! Counter-based random numbers: the n-th number of a stream depends on its key and on n alone.

/// A stream of random numbers; forks are independent of how many numbers their parent has given.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    key: u64,
    count: u64,
}

impl Stream {
    pub(crate) fn new(seed: u64) -> Stream {
        Stream { key: mixed(seed ^ 0x50E1_1C1D_5EED_0001), count: 0 }
    }

    /// An independent stream for one purpose, so that a change in one part of a picture leaves the others as they were.
    pub(crate) fn fork(&self, purpose: &str) -> Stream {
        let name = purpose.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3));
        Stream { key: mixed(self.key ^ name), count: 0 }
    }

    /// 64 random bits (`SplitMix64`: Steele, Lea and Flood 2014).
    pub(crate) fn bits(&mut self) -> u64 {
        self.count += 1;
        mixed(self.key.wrapping_add(self.count.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
    }

    /// Uniform in [0, 1), on a grid of 2^-24.
    pub(crate) fn unit(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / 16_777_216.0
    }

    /// Uniform in [low, high).
    pub(crate) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// In [low, high), more often small: the square of a uniform.
    pub(crate) fn mostly_low(&mut self, low: f32, high: f32) -> f32 {
        let u = self.unit();
        low + (high - low) * u * u
    }

    /// Mean 0, deviation 1, bell-shaped and bounded by ±√12 (sum of four uniforms).
    pub(crate) fn normal(&mut self) -> f32 {
        let sum: f32 = (0..4).map(|_| self.unit()).sum();
        (sum - 2.0) * 1.732_050_8
    }

    /// True with the given probability.
    pub(crate) fn chance(&mut self, probability: f32) -> bool {
        self.unit() < probability
    }

    /// Uniform in 0..n; 0 when n is 0.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.bits()) * n as u128) >> 64) as usize
    }

    /// Uniform in low..=high.
    pub(crate) fn count(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high - low + 1)
    }

    /// Fisher and Yates.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// Index drawn in proportion to the weights; the last index when they sum to nothing.
    pub(crate) fn weighted(&mut self, weights: &[f32]) -> usize {
        let mut left = self.unit() * weights.iter().sum::<f32>();
        for (index, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return index;
            }
        }
        weights.len().saturating_sub(1)
    }
}

fn mixed(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fork_does_not_depend_on_numbers_already_taken() {
        let mut parent = Stream::new(5);
        let early = parent.fork("skin").bits();
        parent.bits();
        assert_eq!(parent.fork("skin").bits(), early);
        assert_ne!(parent.fork("hair").bits(), early);
        assert_ne!(Stream::new(6).fork("skin").bits(), early);
    }

    #[test]
    fn moments_are_those_promised() {
        let mut stream = Stream::new(11);
        let n = 40_000;
        let (mut mean, mut square, mut flat) = (0.0_f64, 0.0_f64, 0.0_f64);
        for _ in 0..n {
            let z = f64::from(stream.normal());
            mean += z / f64::from(n);
            square += z * z / f64::from(n);
            flat += f64::from(stream.unit()) / f64::from(n);
        }
        assert!(mean.abs() <= 0.02 && (square - 1.0).abs() <= 0.03 && (flat - 0.5).abs() <= 0.01, "{mean} {square} {flat}");
    }

    #[test]
    fn weights_are_followed_and_bounds_kept() {
        let mut stream = Stream::new(3);
        let mut seen = [0_usize; 3];
        for _ in 0..9_000 {
            seen[stream.weighted(&[1.0, 0.0, 2.0])] += 1;
            assert!(stream.below(5) < 5);
            assert!((2..=4).contains(&stream.count(2, 4)));
        }
        assert_eq!(seen[1], 0);
        assert!((2_700..3_300).contains(&seen[0]), "{seen:?}");
        assert_eq!(stream.below(0), 0);
    }
}
