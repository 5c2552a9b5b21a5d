//! Maps made again from Q, K and the log-sum-exp: `A_ij = exp(q_i·k_j/√d − lse_i)`.

use rayon::prelude::*;

use super::cpu::{fuse, scores, softmax, tasks};
use super::{HeadFusion, Shape};
use crate::error::expect_len;
use crate::simd::vectorised;
use crate::{Error, Real};

/// Fills `maps` (images, heads, tokens, tokens) with every head's attention probabilities.
pub fn probabilities<T: Real>(shape: Shape, qkv: &[T], log_sum_exp: &[T], maps: &mut [T]) -> Result<(), Error> {
    expect_len("attention", "qkv", qkv, shape.qkv_len())?;
    expect_len("attention", "log_sum_exp", log_sum_exp, shape.log_sum_exp_len())?;
    expect_len("attention", "maps", maps, shape.maps_len())?;
    maps.par_chunks_mut(shape.tokens * shape.tokens).enumerate().for_each(|(index, map)| {
        probabilities_of(shape, qkv, log_sum_exp, (index / shape.heads, index % shape.heads), map);
    });
    Ok(())
}

/// Fills `map` (images, tokens, tokens) with the maps of all heads fused into one: the same bits as on the way in [`super::forward`].
pub fn fused_map<T: Real>(shape: Shape, qkv: &[T], fusion: HeadFusion, map: &mut [T]) -> Result<(), Error> {
    expect_len("attention", "qkv", qkv, shape.qkv_len())?;
    expect_len("attention", "map", map, shape.fused_len())?;
    let tasks: Vec<_> = tasks(shape, map, shape.tokens).collect();
    tasks.into_par_iter().for_each_init(Vec::new, |scratch, (image, from, map)| {
        scratch.resize(map.len(), T::ZERO);
        for head in 0..shape.heads {
            scores(shape, qkv, (image, head), from, map.len() / shape.tokens, scratch);
            scratch.chunks_mut(shape.tokens).for_each(|row| {
                softmax(row);
            });
            fuse(fusion, (head, shape.heads), scratch, map);
        }
    });
    Ok(())
}

/// Fills `map` (tokens, tokens) with the probabilities of one head of one image.
pub(super) fn probabilities_of<T: Real>(shape: Shape, qkv: &[T], log_sum_exp: &[T], at: (usize, usize), map: &mut [T]) {
    let Shape { tokens, heads, .. } = shape;
    scores(shape, qkv, at, 0, tokens, map);
    for (row, values) in map.chunks_mut(tokens).enumerate() {
        let log_sum = log_sum_exp[(at.0 * tokens + row) * heads + at.1];
        vectorised(
            #[inline(always)]
            || values.iter_mut().for_each(|value| *value = (*value - log_sum).exp()),
        );
    }
}
