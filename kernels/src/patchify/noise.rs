//! Normal deviates by counter: the n-th number of the m-th sample needs none of those before it.
//!
//! Philox 4x32 with ten rounds (Salmon, Moraes, Dror and Shaw, SC 2011) makes uniform bits of a counter and a key;
//! Box and Muller (1958) make normal deviates of them. So a sample is the same whatever batch, thread or order it comes in.

use std::f64::consts::TAU;

const ROUNDS: usize = 10;
const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
/// The golden ratio and the square root of three, as fractions of 2^32.
const KEY_STEPS: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// The first `count` standard normal deviates of one sample: what `SmoothGrad` adds to the values of a picture (C, H, W), in their order.
///
/// This is the one definition of the noise. `patchify/cuda_variants.cu` makes the same numbers of the same bits in f32, to a few units
/// of the last place.
///
/// ```
/// use kernels::patchify::noise;
/// assert_eq!(noise(7, 2, 100)[..10], noise(7, 2, 10));
/// assert_ne!(noise(7, 2, 10), noise(7, 3, 10));
/// ```
pub fn noise(seed: u64, sample: usize, count: usize) -> Vec<f32> {
    let four = |block: usize| deviates(philox(words(block as u64, sample as u64), [seed as u32, (seed >> 32) as u32]));
    let mut values: Vec<f32> = (0..count.div_ceil(4)).flat_map(four).collect();
    values.truncate(count);
    values
}

fn words(low: u64, high: u64) -> [u32; 4] {
    [low as u32, (low >> 32) as u32, high as u32, (high >> 32) as u32]
}

fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..ROUNDS {
        let [first, second] = [(0, 0), (1, 2)].map(|(of, word)| u64::from(MULTIPLIERS[of]) * u64::from(counter[word]));
        counter = [(second >> 32) as u32 ^ counter[1] ^ key[0], second as u32, (first >> 32) as u32 ^ counter[3] ^ key[1], first as u32];
        key = [key[0].wrapping_add(KEY_STEPS[0]), key[1].wrapping_add(KEY_STEPS[1])];
    }
    counter
}

/// Two pairs of Box and Muller.
fn deviates([a, b, c, d]: [u32; 4]) -> [f32; 4] {
    // Half a step away from zero, so that the logarithm is finite.
    let uniform = |bits: u32| (f64::from(bits) + 0.5) / 4_294_967_296.0;
    let pair = |radius: u32, angle: u32| {
        let (radius, angle) = ((-2.0 * uniform(radius).ln()).sqrt(), TAU * uniform(angle));
        [(radius * angle.cos()) as f32, (radius * angle.sin()) as f32]
    };
    let ([first, second], [third, fourth]) = (pair(a, b), pair(c, d));
    [first, second, third, fourth]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The known answers that the authors of Philox publish beside their code.
    #[test]
    fn philox_gives_its_known_answers() {
        assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(philox([u32::MAX; 4], [u32::MAX; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        let pi = ([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]);
        assert_eq!(philox(pi.0, pi.1), [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]);
    }

    /// Of n deviates the mean is within 4/√n of 0, the variance within 4·√(2/n) of 1, the share beyond 1.96 near 5 %.
    #[test]
    fn deviates_are_standard_normal() {
        let values: Vec<f64> = (0..8).flat_map(|sample| noise(7, sample, 3 * 64 * 64)).map(f64::from).collect();
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let moment = |power: i32| values.iter().map(|value| (value - mean).powi(power)).sum::<f64>() / count;
        assert!(mean.abs() < 4.0 / count.sqrt(), "mean {mean}");
        assert!((moment(2) - 1.0).abs() < 4.0 * (2.0 / count).sqrt(), "variance {}", moment(2));
        assert!((moment(4) - 3.0).abs() < 4.0 * (96.0 / count).sqrt(), "fourth moment {}", moment(4));
        let beyond = values.iter().filter(|value| value.abs() > 1.959_964).count() as f64 / count;
        assert!((beyond - 0.05).abs() < 4.0 * (0.05 * 0.95 / count).sqrt(), "beyond 1.96: {beyond}");
        let apart: f64 = values.windows(2).map(|pair| pair[0] * pair[1]).sum::<f64>() / count;
        assert!(apart.abs() < 4.0 / count.sqrt(), "neighbours correlate by {apart}");
    }

    #[test]
    fn seeds_and_samples_share_nothing_and_a_sample_repeats() {
        let count = 3 * 5 * 7;
        assert_eq!(noise(1, 2, count), noise(1, 2, count));
        for other in [noise(1, 3, count), noise(2, 2, count), noise(1 + (1 << 32), 2, count)] {
            let same = noise(1, 2, count).iter().zip(&other).filter(|(a, b)| a == b).count();
            assert_eq!(same, 0, "two samples share numbers");
        }
    }
}
