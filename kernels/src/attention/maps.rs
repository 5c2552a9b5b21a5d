//! Maps made again from Q, K and the log-sum-exp: `A_ij = exp(q_i·k_j/√d − lse_i)`.

use rayon::prelude::*;

use super::blocks::{Part, start};
use super::{Fused, HeadFusion, Shape, cpu};
use crate::error::expect_len;
use crate::matmul::{Parallelism, View, matmul};
use crate::simd::vectorised;
use crate::{Error, Real, Workspace};

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
pub fn fused_map<T: Real>(shape: Shape, qkv: &[T], fusion: HeadFusion, map: &mut [T], workspace: &mut Workspace<T>) -> Result<(), Error> {
    expect_len("attention", "qkv", qkv, shape.qkv_len())?;
    expect_len("attention", "map", map, shape.fused_len())?;
    cpu::forward(shape, qkv, None, Some(Fused { fusion, map }), workspace);
    Ok(())
}

/// The columns of one head in all rows of one image.
fn head_of<T>(shape: Shape, qkv: &[T], part: Part, at: (usize, usize)) -> View<&[T]> {
    View::rows(&qkv[start(shape, part, at, 0)..], shape.tokens, shape.head_width, 3 * shape.width())
}

/// Fills `map` (tokens, tokens) with the probabilities of one head of one image.
fn probabilities_of<T: Real>(shape: Shape, qkv: &[T], log_sum_exp: &[T], at: (usize, usize), map: &mut [T]) {
    let Shape { tokens, heads, .. } = shape;
    let (queries, keys) = (head_of(shape, qkv, Part::Query, at), head_of(shape, qkv, Part::Key, at).transposed());
    matmul(shape.scale(), queries, keys, T::ZERO, View::square(&mut *map, tokens), Parallelism::None);
    for (row, values) in map.chunks_mut(tokens).enumerate() {
        let log_sum = log_sum_exp[(at.0 * tokens + row) * heads + at.1];
        vectorised(
            #[inline(always)]
            || values.iter_mut().for_each(|value| *value = (*value - log_sum).exp()),
        );
    }
}
