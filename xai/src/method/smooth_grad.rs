//! `SmoothGrad` (Smilkov et al. 2017, arXiv 1706.03825) and its kin: statistics of the gradient over noisy copies of a picture.
//!
//! With `g_i = ∂score(x + σ·ε_i)/∂x`, `ε_i` standard normal and `σ = noise·(max x − min x)`:
//! the mean `1/n·Σ g_i`, the mean square `1/n·Σ g_i²` (`SmoothGrad`², Hooker et al. 2019), or the variance
//! `1/n·Σ (g_i − ḡ)²` (`VarGrad`, Adebayo et al. 2018). Channels become one after the statistic.
//! Mean and squares are gathered sample by sample (Welford 1962), in `f64` or, where a CUDA device gathers them, in f32: no sample is
//! stored. On a device the picture is uploaded once, noise is made beside its patches, and only the map comes back.

use ndarray::{Array2, Array3, ArrayView3, Zip};
use serde::{Deserialize, Serialize};

use super::gradient::{ChannelReduction, reduce};
use super::passes::{Passes, Progress};
use crate::vit::cuda::Variants;
use crate::{Error, Target, Trace};

/// What is told of the gradients of all samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    /// Their mean: `SmoothGrad`.
    Mean,
    /// The mean of their squares: `SmoothGrad`².
    MeanSquare,
    /// Their variance, divided by the number of samples: `VarGrad`.
    Variance,
}

impl From<Statistic> for kernels::saliency::Statistic {
    fn from(statistic: Statistic) -> Self {
        match statistic {
            Statistic::Mean => Self::Mean,
            Statistic::MeanSquare => Self::MeanSquare,
            Statistic::Variance => Self::Variance,
        }
    }
}

/// Settings of `SmoothGrad` and its kin.
///
/// ```
/// use xai::{explain, Batch, HeadKind, Method, SmoothGrad, Target, Vit, VitConfig};
/// let vit = Vit::random(VitConfig::tiny_for_tests(), HeadKind::Linear(2), 1)?;
/// let batch = Batch::new(ndarray::Array4::from_shape_fn((1, 3, 8, 12), |(_, _, y, x)| (y * x) as f32 / 90.0))?;
/// let map = |settings| -> Result<_, xai::Error> {
///     let method = Method::SmoothGrad(settings);
///     Ok(explain(&vit.trace(&batch, method.probe())?, Target::Class(1), &method)?.remove(0).values)
/// };
/// let settings = SmoothGrad { samples: 4, ..SmoothGrad::smilkov_2017() };
/// assert_eq!(map(settings)?, map(settings)?); // the seed decides
/// assert_ne!(map(settings)?, map(SmoothGrad { seed: 8, ..settings })?);
/// # Ok::<(), xai::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SmoothGrad {
    /// What is told of the samples.
    pub statistic: Statistic,
    /// Noisy copies of a picture, 1 to 4096; each costs a forward and a backward pass.
    pub samples: usize,
    /// Deviation of the noise as a share of the picture's own range of prepared values, 0 to 1.
    pub noise: f32,
    /// What the noise is drawn from: one seed, one picture, one map.
    pub seed: u64,
    /// How channels become one.
    pub channels: ChannelReduction,
}

impl SmoothGrad {
    /// The paper: 50 samples with noise of 10 to 20 % of the range, here 15 %.
    pub fn smilkov_2017() -> Self {
        Self { statistic: Statistic::Mean, samples: 50, noise: 0.15, seed: 0, channels: ChannelReduction::MaxAbs }
    }

    /// `SmoothGrad`² with the same samples (Hooker et al., `NeurIPS` 2019, arXiv 1806.10758).
    pub fn hooker_2019() -> Self {
        Self { statistic: Statistic::MeanSquare, ..Self::smilkov_2017() }
    }

    /// `VarGrad` with the same samples (Adebayo et al. 2018, arXiv 1810.03307).
    pub fn adebayo_2018() -> Self {
        Self { statistic: Statistic::Variance, ..Self::smilkov_2017() }
    }

    /// The standard normal deviates (C, H, W) that sample `sample` adds, before they are scaled by `σ`:
    /// the same for every picture, whatever its batch.
    pub fn noise_of(&self, sample: usize, shape: (usize, usize, usize)) -> Array3<f32> {
        let mut values = kernels::patchify::noise(self.seed, sample, shape.0 * shape.1 * shape.2).into_iter();
        Array3::from_shape_simple_fn(shape, || values.next().unwrap_or_default())
    }

    /// `σ` for a picture (C, H, W).
    pub fn deviation(&self, picture: ArrayView3<f32>) -> f32 {
        let (low, high) = picture.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &value| (low.min(value), high.max(value)));
        self.noise * (high - low)
    }

    pub(super) fn validate(&self) -> Result<(), Error> {
        let sane = (1..=4096).contains(&self.samples) && (0.0..=1.0).contains(&self.noise);
        if sane {
            return Ok(());
        }
        Err(Error::Shape {
            what: "SmoothGrad's samples and noise".into(),
            expected: "1 to 4096 samples and a share of the range in 0 to 1".into(),
            found: format!("{} and {}", self.samples, self.noise),
        })
    }
}

/// One map an image, and how many samples a device's passes had at once.
pub(super) fn maps(
    trace: &Trace,
    target: Target,
    settings: &SmoothGrad,
    watch: &mut dyn FnMut(Progress),
) -> Result<(Vec<Array2<f32>>, Option<usize>), Error> {
    settings.validate()?;
    let targets = trace.resolve(target)?;
    let mut passes = Passes::new(trace, settings.samples, watch);
    let pictures = trace.batch().pixels();
    let maps: Result<_, _> =
        pictures.outer_iter().zip(targets).map(|(picture, target)| map(&mut passes, picture, target, settings)).collect();
    Ok((maps?, passes.at_once()))
}

/// One picture's map. The target is what the clean picture decided: noise does not change the question.
pub(super) fn map(passes: &mut Passes, picture: ArrayView3<f32>, target: Target, settings: &SmoothGrad) -> Result<Array2<f32>, Error> {
    let deviation = settings.deviation(picture);
    if let Some(mut variants) = Variants::noisy(passes.vit(), picture, (settings.seed, deviation), target)? {
        while variants.made() < settings.samples {
            let before = variants.made();
            variants.fold(settings.samples - before)?;
            passes.made(variants.made() - before, variants.at_once());
        }
        return variants.statistic(settings.statistic.into(), settings.channels.into());
    }
    let noisy = |sample| &picture + &(settings.noise_of(sample, picture.dim()) * deviation);
    let mut moments = Moments::new(picture.dim());
    passes.gradients(target, (0..settings.samples).map(noisy), |_, gradient| moments.add(gradient))?;
    Ok(reduce(moments.read(settings.statistic).view(), settings.channels))
}

/// Running mean and sum of squared differences from it.
pub(super) struct Moments {
    count: f64,
    mean: Array3<f64>,
    squares: Array3<f64>,
}

impl Moments {
    pub fn new(shape: (usize, usize, usize)) -> Self {
        Self { count: 0.0, mean: Array3::zeros(shape), squares: Array3::zeros(shape) }
    }

    pub fn add(&mut self, gradient: ArrayView3<f32>) {
        self.count += 1.0;
        let share = 1.0 / self.count;
        Zip::from(&mut self.mean).and(&mut self.squares).and(gradient).for_each(|mean, squares, &value| {
            let apart = f64::from(value) - *mean;
            *mean += share * apart;
            *squares += apart * (f64::from(value) - *mean);
        });
    }

    pub fn read(self, statistic: Statistic) -> Array3<f32> {
        let variance = self.squares / self.count;
        let found = match statistic {
            Statistic::Mean => self.mean,
            Statistic::MeanSquare => variance + self.mean.mapv(|mean| mean * mean),
            Statistic::Variance => variance,
        };
        found.mapv(|value| value as f32)
    }
}
