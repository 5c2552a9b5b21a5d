//! Seeded random weights, for speed and size questions that need no trained model.

use kernels::Real;
use rayon::prelude::*;

use super::config::VitConfig;
use super::head::HeadKind;
use super::layers::ParameterMut;
use super::weights::Weights;

/// Matrices, the tokens beside the patches and positions from N(0, 0.02²) as the reference initialises them, biases 0, gains 1, LayerScale 1.
pub(crate) fn weights<T: Real>(config: &VitConfig, head: HeadKind, seed: u64) -> Weights<T> {
    let mut weights = Weights::zeros(config, head);
    weights.named_mut().into_par_iter().enumerate().for_each(|(index, (name, tensor))| {
        fill(&name, tensor, seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ ((index as u64) << 32));
    });
    weights
}

fn fill<T: Real>(name: &str, mut tensor: ParameterMut<T>, seed: u64) {
    let shape = tensor.as_ref().shape();
    let is_gain = shape.len() == 1 && (name.ends_with("weight") || name.ends_with("running_var"));
    if is_gain || name.contains("scale") {
        tensor.values().fill(T::ONE);
    } else if shape.len() == 2 || name.ends_with("_token") {
        let mut normal = Normal::new(seed);
        tensor.values().iter_mut().for_each(|value| *value = T::from_f64(0.02 * normal.next()));
    }
}

/// Standard normal numbers by Box and Muller from SplitMix64.
struct Normal {
    state: u64,
    spare: Option<f64>,
}

impl Normal {
    fn new(seed: u64) -> Self {
        Self { state: seed, spare: None }
    }

    fn uniform(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn next(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        let (sin, cos) = (std::f64::consts::TAU * self.uniform()).sin_cos();
        self.spare = Some(radius * sin);
        radius * cos
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_standard_normal_and_repeat() {
        let draw = |seed| {
            let mut normal = Normal::new(seed);
            (0..20_000).map(|_| normal.next()).collect::<Vec<_>>()
        };
        let numbers = draw(1);
        let mean = numbers.iter().sum::<f64>() / 2e4;
        let variance = numbers.iter().map(|x| x * x).sum::<f64>() / 2e4;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.04, "mean {mean}, variance {variance}");
        assert_eq!(numbers, draw(1));
        assert_ne!(numbers, draw(2));
    }
}
