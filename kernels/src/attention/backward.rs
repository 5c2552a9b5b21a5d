//! Gradients of attention with respect to Q, K and V, and the read-outs that explanations take on the way.
//!
//! Per head, with `dO` the gradient at its context: `dA = dO·Vᵀ`, `dS = A ∘ (dA − rowsum(A ∘ dA))`,
//! `dQ = dS·K/√d`, `dK = dSᵀ·Q/√d`, `dV = Aᵀ·dO`.

use rayon::prelude::*;

use super::Shape;
use super::cpu::Part;
use super::maps::{head_of, probabilities_of};
use crate::error::expect_len;
use crate::matmul::{Parallelism, View, matmul};
use crate::simd::vectorised;
use crate::{Error, Real, Workspace};

/// What to gather while the maps and their gradients pass by; empty slices ask for nothing.
#[derive(Debug)]
pub struct ReadOuts<'a, T> {
    /// The relevance row `r` (images, tokens) as it stands above this layer.
    pub row: &'a [T],
    /// Replaced by `r·E_h[(dA ∘ A)⁺]` (images, tokens): what this layer adds to the row.
    pub row_step: &'a mut [T],
    /// Replaced by `dA` (images, heads, tokens, tokens).
    pub map_gradients: &'a mut [T],
}

impl<T> Default for ReadOuts<'_, T> {
    fn default() -> Self {
        Self { row: &[], row_step: &mut [], map_gradients: &mut [] }
    }
}

/// Fills `dqkv` (images, tokens, 3·width) from `dcontext` (images, tokens, width).
pub fn backward<T: Real>(
    shape: Shape,
    qkv: &[T],
    log_sum_exp: &[T],
    dcontext: &[T],
    dqkv: &mut [T],
    read_outs: ReadOuts<T>,
    workspace: &mut Workspace<T>,
) -> Result<(), Error> {
    let _ = workspace;
    check(shape, (qkv, log_sum_exp), dcontext, dqkv, &read_outs)?;
    let per_head = HeadGradient::<T>::len(shape);
    let mut by_head = vec![T::ZERO; shape.images * shape.heads * per_head];
    let size = shape.tokens * shape.tokens;
    let no_maps = read_outs.map_gradients.is_empty();
    let kept = read_outs.map_gradients.chunks_mut(size).map(Some).chain(std::iter::repeat_with(|| None));
    let tasks: Vec<_> = by_head.chunks_mut(per_head).zip(kept).enumerate().collect();
    tasks.into_par_iter().for_each_init(Vec::new, |scratch, (index, (gradient, kept))| {
        let at = (index / shape.heads, index % shape.heads);
        let row = read_outs.row.get(at.0 * shape.tokens..(at.0 + 1) * shape.tokens).unwrap_or(&[]);
        scratch.resize(2 * size, T::ZERO);
        let (map, other) = scratch.split_at_mut(size);
        let map_gradient = kept.unwrap_or(other);
        debug_assert!(no_maps || map_gradient.len() == size);
        HeadGradient { shape, at, gradient }.run((qkv, log_sum_exp), dcontext, row, map, map_gradient);
    });
    gather(shape, &by_head, dqkv);
    sum_rows(shape, &by_head, read_outs.row_step);
    Ok(())
}

/// One head's share of the gradients: dQ, dK, dV (tokens, head width) and its relevance row (tokens), one after the other.
struct HeadGradient<'a, T> {
    shape: Shape,
    at: (usize, usize),
    gradient: &'a mut [T],
}

impl<T: Real> HeadGradient<'_, T> {
    fn len(shape: Shape) -> usize {
        shape.tokens * (3 * shape.head_width + 1)
    }

    fn run(self, (qkv, log_sum_exp): (&[T], &[T]), dcontext: &[T], row: &[T], map: &mut [T], dmap: &mut [T]) {
        let Shape { tokens, head_width, .. } = self.shape;
        let part = |part| head_of(self.shape, qkv, part, self.at);
        let start = self.at.0 * tokens * self.shape.width() + self.at.1 * head_width;
        let dcontext = View::rows(&dcontext[start..], tokens, head_width, self.shape.width());
        probabilities_of(self.shape, qkv, log_sum_exp, self.at, map);
        matmul(T::ONE, dcontext, part(Part::Value).transposed(), T::ZERO, View::square(&mut *dmap, tokens), Parallelism::None);

        let mut parts = self.gradient.chunks_mut(tokens * head_width);
        let [dq, dk, dv, relevance] = [(); 4].map(|()| parts.next().unwrap_or_default());
        let out = |m| View::rows(m, tokens, head_width, head_width);
        matmul(T::ONE, View::square(&*map, tokens).transposed(), dcontext, T::ZERO, out(dv), Parallelism::None);
        if !row.is_empty() {
            relevance_row(map, dmap, row, relevance);
        }
        softmax_gradient(map, dmap, tokens);
        let scale = self.shape.scale();
        matmul(scale, View::square(&*map, tokens), part(Part::Key), T::ZERO, out(dq), Parallelism::None);
        matmul(scale, View::square(&*map, tokens).transposed(), part(Part::Query), T::ZERO, out(dk), Parallelism::None);
    }
}

/// `relevance_j = Σ_i row_i·max(A_ij·dA_ij, 0)`.
fn relevance_row<T: Real>(map: &[T], dmap: &[T], row: &[T], relevance: &mut [T]) {
    let tokens = row.len();
    let lines = map.chunks(tokens).zip(dmap.chunks(tokens)).zip(row);
    for ((map, dmap), &weight) in lines {
        vectorised(
            #[inline(always)]
            || {
                for ((sum, &a), &g) in relevance.iter_mut().zip(map).zip(dmap) {
                    *sum += weight * T::max(a * g, T::ZERO);
                }
            },
        );
    }
}

/// Turns `map` from `A` into `dS`.
fn softmax_gradient<T: Real>(map: &mut [T], dmap: &[T], tokens: usize) {
    for (map, dmap) in map.chunks_mut(tokens).zip(dmap.chunks(tokens)) {
        vectorised(
            #[inline(always)]
            || {
                let mut lanes = [T::ZERO; 16];
                for (map, dmap) in map.chunks(16).zip(dmap.chunks(16)) {
                    for ((lane, &a), &g) in lanes.iter_mut().zip(map).zip(dmap) {
                        *lane = a.mul_add(g, *lane);
                    }
                }
                let total: T = lanes.into_iter().sum();
                map.iter_mut().zip(dmap).for_each(|(a, &g)| *a *= g - total);
            },
        );
    }
}

/// Lays the heads' gradients side by side into the packed layout.
fn gather<T: Real>(shape: Shape, by_head: &[T], dqkv: &mut [T]) {
    let Shape { tokens, heads, head_width, .. } = shape;
    dqkv.par_chunks_mut(3 * shape.width()).enumerate().for_each(|(at, packed)| {
        let (image, token) = (at / tokens, at % tokens);
        for (slot, packed) in packed.chunks_mut(head_width).enumerate() {
            let (part, head) = (slot / heads, slot % heads);
            let start = (image * heads + head) * HeadGradient::<T>::len(shape) + (part * tokens + token) * head_width;
            packed.copy_from_slice(&by_head[start..start + head_width]);
        }
    });
}

/// Means the heads' relevance rows in the order of the heads.
fn sum_rows<T: Real>(shape: Shape, by_head: &[T], row_step: &mut [T]) {
    let share = T::from_f64(1.0 / shape.heads as f64);
    let per_head = HeadGradient::<T>::len(shape);
    for (step, of_image) in row_step.chunks_mut(shape.tokens).zip(by_head.chunks(shape.heads * per_head)) {
        step.fill(T::ZERO);
        for of_head in of_image.chunks(per_head) {
            let relevance = &of_head[per_head - shape.tokens..];
            step.iter_mut().zip(relevance).for_each(|(sum, &value)| *sum += share * value);
        }
    }
}

fn check<T: Real>(
    shape: Shape,
    (qkv, log_sum_exp): (&[T], &[T]),
    dcontext: &[T],
    dqkv: &[T],
    read_outs: &ReadOuts<T>,
) -> Result<(), Error> {
    let wanted = |slice: &[T], len| if slice.is_empty() { 0 } else { len };
    expect_len("attention", "qkv", qkv, shape.qkv_len())?;
    expect_len("attention", "log_sum_exp", log_sum_exp, shape.log_sum_exp_len())?;
    expect_len("attention", "dcontext", dcontext, shape.context_len())?;
    expect_len("attention", "dqkv", dqkv, shape.qkv_len())?;
    expect_len("attention", "row", read_outs.row, read_outs.row_step.len())?;
    expect_len("attention", "row_step", read_outs.row_step, wanted(read_outs.row_step, shape.images * shape.tokens))?;
    expect_len("attention", "map_gradients", read_outs.map_gradients, wanted(read_outs.map_gradients, shape.maps_len()))
}
