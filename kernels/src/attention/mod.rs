//! Multi-head softmax attention (Vaswani et al. 2017), its gradients, and what explanations read from it.
//!
//! Per head: `A = softmax(Q·Kᵀ/√d)`, `O = A·V`, with `Q`, `K`, `V` the columns of one packed buffer
//! (images, tokens, 3·width) as `[q | k | v]`, heads side by side in each third.
//! The log-sum-exp of every row (images, tokens, heads) is kept, so any map can be made again from Q and K:
//! nothing of size heads × tokens × tokens is stored unless it is asked for.
//!
//! Read-outs:
//! - the map fused over heads, (images, tokens, tokens), made tile by tile: [`forward`] on the way, [`fused_map`] later;
//! - a row gathered inside [`backward`] ([`RowRule`]): relevance of Chefer et al. 2021, rollout, `LeGrad`;
//! - the explicit maps of all heads and their gradients, for oracles and for those who ask.

mod backward;
mod blocks;
mod cpu;
pub mod cuda;
mod elements;
pub mod hopper;
mod maps;
#[cfg(test)]
mod tests;

pub use backward::{Forward, ReadOuts, backward};
pub use maps::{fused_map, probabilities};

use crate::error::expect_len;
use crate::{Error, Real, Workspace};

/// Shape of attention over a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Images in the batch.
    pub images: usize,
    /// Tokens of each image.
    pub tokens: usize,
    /// Heads.
    pub heads: usize,
    /// Width of one head.
    pub head_width: usize,
}

impl Shape {
    /// Width of all heads together.
    pub fn width(self) -> usize {
        self.heads * self.head_width
    }

    /// Values in (images, tokens, width).
    pub fn context_len(self) -> usize {
        self.images * self.tokens * self.width()
    }

    /// Values in (images, tokens, 3·width).
    pub fn qkv_len(self) -> usize {
        3 * self.context_len()
    }

    /// Values in (images, tokens, heads).
    pub fn log_sum_exp_len(self) -> usize {
        self.images * self.tokens * self.heads
    }

    /// Values in (images, tokens, tokens).
    pub fn fused_len(self) -> usize {
        self.images * self.tokens * self.tokens
    }

    /// Values in (images, heads, tokens, tokens).
    pub fn maps_len(self) -> usize {
        self.fused_len() * self.heads
    }

    /// `1/√head_width`, the factor of the scores.
    fn scale<T: Real>(self) -> T {
        T::from_f64(1.0 / (self.head_width as f64).sqrt())
    }
}

/// How the maps of the heads become one map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HeadFusion {
    /// Mean over heads: rows still sum to one.
    Mean,
    /// Largest value over heads.
    Max,
    /// Smallest value over heads.
    Min,
}

/// What a row `r` gathers of a layer's maps `A` and their gradients `dA` as they pass by: `step_j = E_h Σ_i r_i·f(A_ij, dA_ij)`.
///
/// Each layer's step needs nothing of the layers below, so a row goes down with the backward pass and no map is ever stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RowRule {
    /// `f = (A·dA)⁺`: relevance, `r ← r + step` (Chefer et al. 2021).
    #[default]
    Relevance,
    /// `f = A`: rollout, `r ← (r + step) / 2` (Abnar and Zuidema 2020).
    Attention,
    /// `f = (dA)⁺`: with `r_i = 1/N` what a layer adds to `LeGrad` (Bousselham et al. 2024).
    PositiveGradient,
}

/// A fused map to fill during [`forward`].
#[derive(Debug)]
pub struct Fused<'a, T> {
    /// How heads become one.
    pub fusion: HeadFusion,
    /// (images, tokens, tokens); old values are replaced.
    pub map: &'a mut [T],
}

/// Fills `context` (images, tokens, width) and `log_sum_exp` (images, tokens, heads), and the fused map if there is one.
///
/// ```
/// use kernels::attention::{forward, Fused, HeadFusion, Shape};
/// let shape = Shape { images: 1, tokens: 2, heads: 1, head_width: 1 };
/// // Zero queries attend evenly: each context is the mean of the values 4 and 8.
/// let qkv = [0.0f32, 1.0, 4.0, 0.0, 2.0, 8.0];
/// let (mut context, mut log_sum_exp, mut map) = ([0.0; 2], [0.0; 2], [0.0; 4]);
/// let fused = Fused { fusion: HeadFusion::Mean, map: &mut map };
/// forward(shape, &qkv, &mut context, &mut log_sum_exp, Some(fused), &mut kernels::Workspace::default()).unwrap();
/// assert_eq!((context, map), ([6.0, 6.0], [0.5; 4]));
/// ```
pub fn forward<T: Real>(
    shape: Shape,
    qkv: &[T],
    context: &mut [T],
    log_sum_exp: &mut [T],
    fused: Option<Fused<T>>,
    workspace: &mut Workspace<T>,
) -> Result<(), Error> {
    expect_len("attention", "qkv", qkv, shape.qkv_len())?;
    expect_len("attention", "context", context, shape.context_len())?;
    expect_len("attention", "log_sum_exp", log_sum_exp, shape.log_sum_exp_len())?;
    if let Some(fused) = &fused {
        expect_len("attention", "fused.map", fused.map, shape.fused_len())?;
    }
    cpu::forward(shape, qkv, Some((context, log_sum_exp)), fused, workspace);
    Ok(())
}
