//! What a cohort should be like.

use serde::{Deserialize, Serialize};

use crate::synthetic::{LARGEST_SIZE, SMALLEST_SIZE};
use crate::{Error, LesionClass};

/// How images are shared among the classes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Shares {
    /// As in the thesis: 31626 nevi to 879 squamous cell carcinomas.
    Thesis,
    /// The same number of each class.
    Balanced,
    /// In proportion to these weights, in the order of [`LesionClass::ALL`].
    Weights([f64; 7]),
}

/// A cohort's plan.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CohortPlan {
    /// Images in all.
    pub images: usize,
    /// Patients; each gets a lesion as long as there are enough.
    pub patients: usize,
    /// Which cohort.
    pub seed: u64,
    /// Side of the pictures in pixels.
    pub size: u32,
    /// Shares of the classes.
    pub shares: Shares,
}

impl Default for CohortPlan {
    /// 700 images of 450 patients at 224 pixels, in the thesis's shares.
    fn default() -> CohortPlan {
        CohortPlan { images: 700, patients: 450, seed: 2023, size: 224, shares: Shares::Thesis }
    }
}

impl CohortPlan {
    pub(super) fn check(&self) -> Result<(), Error> {
        let weights = self.weights();
        let refuse = |what: String| Err(Error::BadPlan { plan: "cohort", what });
        if self.patients == 0 && self.images > 0 {
            return refuse(format!("{} images need at least one patient; set `patients`", self.images));
        }
        if !(SMALLEST_SIZE..=LARGEST_SIZE).contains(&self.size) {
            return refuse(format!("size {} is outside {SMALLEST_SIZE} to {LARGEST_SIZE} pixels; choose one inside", self.size));
        }
        if !weights.iter().all(|w| w.is_finite() && *w >= 0.0) || weights.iter().sum::<f64>() <= 0.0 {
            return refuse(format!("weights {weights:?} must be finite, at least 0, and not all 0"));
        }
        Ok(())
    }

    /// Images a class, by the method of largest remainders: they sum to `images`.
    pub(super) fn quotas(&self) -> [usize; 7] {
        let weights = self.weights();
        let sum: f64 = weights.iter().sum();
        let exact = weights.map(|w| w / sum * self.images as f64);
        let mut quotas = exact.map(|e| e.floor() as usize);
        let mut order: Vec<usize> = (0..7).filter(|k| weights[*k] > 0.0).collect();
        order.sort_by(|a, b| exact[*b].fract().total_cmp(&exact[*a].fract()).then(a.cmp(b)));
        let short = self.images.saturating_sub(quotas.iter().sum());
        for k in order.into_iter().cycle().take(short) {
            quotas[k] += 1;
        }
        quotas
    }

    fn weights(&self) -> [f64; 7] {
        match self.shares {
            Shares::Thesis => LesionClass::ALL.map(|class| class.thesis_count() as f64),
            Shares::Balanced => [1.0; 7],
            Shares::Weights(weights) => weights,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_sum_to_the_images_and_follow_the_thesis() {
        let plan = |images, shares| CohortPlan { images, shares, ..CohortPlan::default() };
        assert_eq!(plan(47_150, Shares::Thesis).quotas(), LesionClass::ALL.map(LesionClass::thesis_count));
        assert_eq!(plan(700, Shares::Balanced).quotas(), [100; 7]);
        for images in [0, 1, 6, 100, 1_001] {
            for shares in [Shares::Thesis, Shares::Balanced, Shares::Weights([0.0, 3.0, 0.0, 1.0, 0.0, 0.0, 0.1])] {
                assert_eq!(plan(images, shares).quotas().iter().sum::<usize>(), images);
            }
        }
        assert_eq!(plan(50, Shares::Weights([0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0])).quotas()[1], 50);
    }

    #[test]
    fn plans_that_cannot_be_followed_are_refused() {
        for bad in [
            CohortPlan { patients: 0, ..CohortPlan::default() },
            CohortPlan { size: 4, ..CohortPlan::default() },
            CohortPlan { size: 100_000, ..CohortPlan::default() },
            CohortPlan { shares: Shares::Weights([0.0; 7]), ..CohortPlan::default() },
            CohortPlan { shares: Shares::Weights([f64::NAN; 7]), ..CohortPlan::default() },
            CohortPlan { shares: Shares::Weights([-1.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0]), ..CohortPlan::default() },
        ] {
            assert!(matches!(bad.check(), Err(Error::BadPlan { .. })), "{bad:?}");
        }
    }
}
