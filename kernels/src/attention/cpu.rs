//! Attention on the CPU: a task owns some queries of one image and walks its heads, so nothing is shared between tasks.

use rayon::prelude::*;

use super::{Fused, HeadFusion, Shape};
use crate::Real;
use crate::matmul::{Parallelism, View, matmul};
use crate::simd::vectorised;

/// Queries of one task at most: enough to keep the products busy, few enough to feed every core.
const QUERIES: usize = 64;

/// Queries of one task: an even number of tasks of nearly the same size, whatever the threads, so that bits do not depend on them.
fn queries(tokens: usize) -> usize {
    tokens.div_ceil(tokens.div_ceil(QUERIES).next_multiple_of(2))
}

/// Which third of the packed buffer.
#[derive(Clone, Copy)]
pub(super) enum Part {
    Query,
    Key,
    Value,
}

/// The columns of one head in the rows `from..from + rows` of one image.
pub(super) fn head_of<T>(shape: Shape, qkv: &[T], part: Part, (image, head): (usize, usize), from: usize, rows: usize) -> View<&[T]> {
    let stride = 3 * shape.width();
    let start = (image * shape.tokens + from) * stride + part as usize * shape.width() + head * shape.head_width;
    View::rows(&qkv[start..], rows, shape.head_width, stride)
}

/// Fills `scores` (rows, tokens) with `q·kᵀ/√d` for the queries `from..from + rows`.
pub(super) fn scores<T: Real>(shape: Shape, qkv: &[T], at: (usize, usize), from: usize, rows: usize, scores: &mut [T]) {
    let queries = head_of(shape, qkv, Part::Query, at, from, rows);
    let keys = head_of(shape, qkv, Part::Key, at, 0, shape.tokens).transposed();
    matmul(shape.scale(), queries, keys, T::ZERO, View::rows(scores, rows, shape.tokens, shape.tokens), Parallelism::None);
}

pub(super) fn forward<T: Real>(shape: Shape, qkv: &[T], context: &mut [T], log_sum_exp: &mut [T], fused: Option<Fused<T>>) {
    let Shape { tokens, heads, .. } = shape;
    let (fusion, map) = fused.map_or((HeadFusion::Mean, &mut [][..]), |f| (f.fusion, f.map));
    let tasks: Vec<_> = tasks(shape, context, shape.width())
        .zip(tasks(shape, log_sum_exp, heads))
        .zip(tasks(shape, map, tokens).chain(std::iter::repeat_with(|| (0, 0, Default::default()))))
        .collect();
    tasks.into_par_iter().for_each_init(Vec::new, |scratch, ((context, log_sum_exp), map)| {
        let (image, from, context) = context;
        let task = Task { shape, image, from, rows: context.len() / shape.width() };
        scratch.resize(task.rows * tokens, T::ZERO);
        task.run(qkv, context, log_sum_exp.2, (fusion, map.2), scratch);
    });
}

/// Cuts a buffer with `width` values per token into (image, first query, its part).
pub(super) fn tasks<T>(shape: Shape, buffer: &mut [T], width: usize) -> impl Iterator<Item = (usize, usize, &mut [T])> {
    let queries = queries(shape.tokens);
    buffer.chunks_mut(shape.tokens * width).enumerate().flat_map(move |(image, part)| {
        part.chunks_mut(queries * width).enumerate().map(move |(block, part)| (image, block * queries, part))
    })
}

struct Task {
    shape: Shape,
    image: usize,
    from: usize,
    rows: usize,
}

impl Task {
    fn run<T: Real>(
        &self,
        qkv: &[T],
        context: &mut [T],
        log_sum_exp: &mut [T],
        (fusion, map): (HeadFusion, &mut [T]),
        probabilities: &mut [T],
    ) {
        let Shape { tokens, heads, head_width, .. } = self.shape;
        for head in 0..heads {
            let at = (self.image, head);
            scores(self.shape, qkv, at, self.from, self.rows, probabilities);
            for (row, values) in probabilities.chunks_mut(tokens).enumerate() {
                log_sum_exp[row * heads + head] = softmax(values);
            }
            let values = head_of(self.shape, qkv, Part::Value, at, 0, tokens);
            let weights = View::rows(&*probabilities, self.rows, tokens, tokens);
            let out = View::rows(&mut context[head * head_width..], self.rows, head_width, self.shape.width());
            matmul(T::ONE, weights, values, T::ZERO, out, Parallelism::None);
            fuse(fusion, (head, heads), probabilities, map);
        }
    }
}

/// Replaces a row of scores by their softmax and returns its log-sum-exp.
pub(super) fn softmax<T: Real>(row: &mut [T]) -> T {
    vectorised(
        #[inline(always)]
        || {
            let highest = fold(row, row[0], T::max);
            let mut lanes = [T::ZERO; 16];
            for chunk in row.chunks_mut(16) {
                for (value, lane) in chunk.iter_mut().zip(&mut lanes) {
                    *value = (*value - highest).exp();
                    *lane += *value;
                }
            }
            let total: T = lanes.into_iter().sum();
            let inverse = T::ONE / total;
            row.iter_mut().for_each(|value| *value *= inverse);
            highest + total.ln()
        },
    )
}

#[inline(always)]
fn fold<T: Real>(row: &[T], start: T, merge: impl Fn(T, T) -> T) -> T {
    let mut lanes = [start; 16];
    for chunk in row.chunks(16) {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane = merge(*lane, value);
        }
    }
    lanes.into_iter().fold(start, merge)
}

/// Folds the map of head `head` into `map`; an empty `map` asks for nothing.
pub(super) fn fuse<T: Real>(fusion: HeadFusion, (head, heads): (usize, usize), probabilities: &[T], map: &mut [T]) {
    let share = T::from_f64(1.0 / heads as f64);
    match (fusion, head) {
        (HeadFusion::Mean, 0) => merge(probabilities, map, |_, p| p * share),
        (HeadFusion::Mean, _) => merge(probabilities, map, |m, p| p.mul_add(share, m)),
        (HeadFusion::Max | HeadFusion::Min, 0) => merge(probabilities, map, |_, p| p),
        (HeadFusion::Max, _) => merge(probabilities, map, T::max),
        (HeadFusion::Min, _) => merge(probabilities, map, T::min),
    }
}

fn merge<T: Real>(probabilities: &[T], map: &mut [T], merge: impl Fn(T, T) -> T) {
    vectorised(
        #[inline(always)]
        || map.iter_mut().zip(probabilities).for_each(|(m, &p)| *m = merge(*m, p)),
    );
}
