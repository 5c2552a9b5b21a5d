//! A recorded pass, on the processor or on a device: the same numbers from either.

use kernels::attention::{self, HeadFusion};

use crate::vit::Model;
use crate::vit::cuda::{Passed, Pictures};
use crate::vit::embedding::Pixels;
use crate::vit::extent::Extent;
use crate::vit::forward::{self, Keep, Pass};
use crate::{Batch, Error, Patches};

/// A pass, where it was made.
#[derive(Debug)]
pub(crate) enum Recorded {
    Cpu(Pass<f32>),
    Cuda(Passed),
}

impl Recorded {
    /// Runs the pass where the model is.
    pub fn run(model: &Model, batch: &Batch, patches: Patches, keep: Keep) -> Result<Self, Error> {
        let Model { config, weights, arenas, .. } = model;
        match &model.engine {
            None => {
                let pixels = Pixels { data: batch.contiguous(), images: batch.len(), patches };
                forward::run(config, weights, &pixels, keep, &mut arenas.lend()).map(Self::Cpu)
            }
            Some(engine) => Passed::run(engine, config, weights, Pictures::of(batch, patches), keep).map(Self::Cuda),
        }
    }

    pub fn extent(&self) -> Extent {
        match self {
            Self::Cpu(pass) => pass.extent,
            Self::Cuda(pass) => pass.extent,
        }
    }

    pub fn logits(&self) -> &[f32] {
        match self {
            Self::Cpu(pass) => &pass.logits,
            Self::Cuda(pass) => &pass.logits,
        }
    }

    /// (B, pooled width).
    pub fn pooled(&self) -> &[f32] {
        match self {
            Self::Cpu(pass) => &pass.pooled,
            Self::Cuda(pass) => &pass.pooled,
        }
    }

    /// Passes that the batch was divided into.
    pub fn parts(&self) -> usize {
        match self {
            Self::Cpu(_) => 1,
            Self::Cuda(pass) => pass.parts(),
        }
    }

    /// Every token after the last norm, (B, N, D).
    pub fn tokens(&self, model: &Model) -> Result<Vec<f32>, Error> {
        let Model { config, weights, arenas, .. } = model;
        match self {
            Self::Cpu(pass) => forward::tokens(config, weights, pass, &mut arenas.lend()),
            Self::Cuda(pass) => {
                let (x, context) = pass.unfinished()?;
                forward::finished(config, weights, pass.extent, (x, &context), &mut arenas.lend())
            }
        }
    }

    /// A block's map fused over heads, (B, N, N): as it was kept, or made again of what was.
    pub fn fused_map(&self, model: &Model, layer: usize, fusion: HeadFusion) -> Result<Vec<f32>, Error> {
        match self {
            Self::Cuda(pass) => pass.fused_map(layer, fusion),
            Self::Cpu(pass) if !pass.fused[layer].is_empty() => Ok(pass.fused[layer].clone()),
            Self::Cpu(pass) => {
                let shape = pass.extent.attention();
                let mut map = vec![0.0; shape.fused_len()];
                attention::fused_map(shape, &pass.blocks[layer].qkv, fusion, &mut map, &mut model.arenas.lend().workspace)?;
                Ok(map)
            }
        }
    }

    /// The maps of all heads of a block, (B, H, N, N).
    pub fn maps(&self, layer: usize) -> Result<Vec<f32>, Error> {
        let shape = self.extent().attention();
        let mut maps = vec![0.0; shape.maps_len()];
        match self {
            Self::Cpu(pass) => attention::probabilities(shape, &pass.blocks[layer].qkv, &pass.blocks[layer].log_sum_exp, &mut maps)?,
            Self::Cuda(pass) => {
                let (qkv, log_sum_exp) = pass.attention(layer)?;
                attention::probabilities(shape, &qkv, &log_sum_exp, &mut maps)?;
            }
        }
        Ok(maps)
    }
}
