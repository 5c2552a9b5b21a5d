//! Gradients at the pixels, alone (Simonyan, Vedaldi and Zisserman 2014) or times the pixels (Shrikumar et al. 2016).

use ndarray::{Array2, ArrayView3, Axis};
use serde::{Deserialize, Serialize};

use crate::{Error, Target, Trace};
use kernels::saliency::Reduction;

/// How the channels of a pixel become one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelReduction {
    /// Largest absolute value: never negative.
    MaxAbs,
    /// Euclidean length: never negative.
    Length,
    /// Signed sum.
    Sum,
}

impl From<ChannelReduction> for Reduction {
    fn from(channels: ChannelReduction) -> Self {
        match channels {
            ChannelReduction::MaxAbs => Self::MaxAbs,
            ChannelReduction::Length => Self::Length,
            ChannelReduction::Sum => Self::Sum,
        }
    }
}

/// `∂score/∂pixel`; the default reduces channels as the paper does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gradient {
    /// How channels become one.
    pub channels: ChannelReduction,
}

impl Default for Gradient {
    fn default() -> Self {
        Self { channels: ChannelReduction::MaxAbs }
    }
}

/// `pixel·∂score/∂pixel` on normalised pixels, so that a pixel of the mean colour has none; signed sum by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputXGradient {
    /// How channels become one.
    pub channels: ChannelReduction,
}

impl Default for InputXGradient {
    fn default() -> Self {
        Self { channels: ChannelReduction::Sum }
    }
}

pub(super) fn maps(trace: &Trace, target: Target, settings: &Gradient) -> Result<Vec<Array2<f32>>, Error> {
    if let Some(maps) = trace.reduced_gradients(target, settings.channels.into(), None)? {
        return Ok(maps);
    }
    let gradients = trace.gradients(target)?;
    Ok(gradients.pixels().outer_iter().map(|image| reduce(image, settings.channels)).collect())
}

pub(super) fn input_times(trace: &Trace, target: Target, settings: &InputXGradient) -> Result<Vec<Array2<f32>>, Error> {
    if let Some(maps) = trace.reduced_gradients(target, settings.channels.into(), Some(trace.batch()))? {
        return Ok(maps);
    }
    let product = &trace.gradients(target)?.pixels() * &trace.batch().pixels();
    Ok(product.outer_iter().map(|image| reduce(image, settings.channels)).collect())
}

/// (C, H, W) to (H, W).
pub(super) fn reduce(channels: ArrayView3<f32>, how: ChannelReduction) -> Array2<f32> {
    match how {
        ChannelReduction::MaxAbs => channels.fold_axis(Axis(0), 0.0, |&most, &value| most.max(value.abs())),
        ChannelReduction::Length => channels.mapv(|value| value * value).sum_axis(Axis(0)).mapv(f32::sqrt),
        ChannelReduction::Sum => channels.sum_axis(Axis(0)),
    }
}
