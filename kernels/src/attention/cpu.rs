//! Attention on the CPU: keys and values of every head are packed once, then every task takes 32 queries of one image
//! through all heads, so nothing is shared between tasks.
//!
//! Scores are made transposed, (keys, 32 queries): one vector lane is one query, so the softmax needs no sums across
//! lanes, and the result is already the panel that the product with the values reads.

use std::ops::Range;
use std::sync::Mutex;

use rayon::prelude::*;

use super::blocks::{Part, multiply, pack_panel, pack_strips, start};
use super::{Fused, HeadFusion, Shape};
use crate::linear::panels::WIDTH;
use crate::linear::{Tile, exact_tile, shares};
use crate::simd::vectorised;
use crate::workspace::{Corner, corner, level};
use crate::{Real, Workspace};

/// Context and log-sum-exp, the fused map, or all of them.
pub(super) fn forward<T: Real>(
    shape: Shape,
    qkv: &[T],
    results: Option<(&mut [T], &mut [T])>,
    fused: Option<Fused<T>>,
    workspace: &mut Workspace<T>,
) {
    let (fusion, map) = fused.map_or((HeadFusion::Mean, None), |fused| (fused.fusion, Some(fused.map)));
    let heads = Heads::pack(shape, qkv, workspace);
    let outputs = Outputs {
        results: results.map(|(context, log_sum_exp)| (context.as_mut_ptr(), log_sum_exp.as_mut_ptr())),
        map: map.map(<[T]>::as_mut_ptr),
    };
    let blocks = blocks(shape.tokens);
    (0..shape.images * blocks.len()).into_par_iter().for_each(|task| {
        let queries = blocks.get(task % blocks.len());
        Task { heads: &heads, image: task / blocks.len(), queries, fusion }.run(&outputs);
    });
    level(&mut workspace.corners);
}

/// How queries are dealt to tasks: in blocks of at most 32.
struct Blocks {
    tokens: usize,
    width: usize,
}

impl Blocks {
    fn len(&self) -> usize {
        self.tokens.div_ceil(self.width)
    }

    fn get(&self, block: usize) -> Range<usize> {
        block * self.width..self.tokens.min((block + 1) * self.width)
    }
}

/// As many blocks as keep every thread busy to the end; a query's bits do not depend on its block.
fn blocks(tokens: usize) -> Blocks {
    let least = tokens.div_ceil(WIDTH).max(1);
    let threads = rayon::current_num_threads();
    let even = if threads <= 2 * least { least.next_multiple_of(threads) } else { least };
    Blocks { tokens, width: tokens.div_ceil(even).max(1) }
}

/// The keys and values of all images and heads, packed.
struct Heads<'a, T: Real> {
    shape: Shape,
    qkv: &'a [T],
    /// For each image and head strips of keys, (strip, head width, its keys).
    keys: &'a [T],
    /// For each image and head (tokens, head width).
    values: &'a [T],
    tile: Tile<T>,
    most: usize,
    corners: &'a [Mutex<Corner<T>>],
}

impl<'a, T: Real> Heads<'a, T> {
    fn pack(shape: Shape, qkv: &'a [T], workspace: &'a mut Workspace<T>) -> Self {
        let Workspace { instructions, heads: [keys, values], corners, .. } = workspace;
        let (tile, most) = exact_tile(*instructions);
        let (keys, values) = (keys.at_least(shape.context_len()), values.at_least(shape.context_len()));
        let of_head = (shape.tokens * shape.head_width).max(1);
        let both = keys.par_chunks_mut(of_head).zip(values.par_chunks_mut(of_head)).enumerate();
        both.with_min_len(4).for_each(|(index, (keys, values))| {
            let at = (index / shape.heads, index % shape.heads);
            let row = |part, token| &qkv[start(shape, part, at, token)..][..shape.head_width];
            values.chunks_mut(shape.head_width).enumerate().for_each(|(token, to)| to.copy_from_slice(row(Part::Value, token)));
            pack_strips(keys, most, (shape.tokens, shape.head_width), |token| row(Part::Key, token));
        });
        Self { shape, qkv, keys, values, tile, most, corners }
    }
}

/// Where results go; every task writes rows of its own.
struct Outputs<T> {
    /// Context and log-sum-exp.
    results: Option<(*mut T, *mut T)>,
    map: Option<*mut T>,
}

// SAFETY: the pointers stem from slices that are borrowed mutably while tasks run; every task writes the rows of its own queries.
unsafe impl<T: Sync> Sync for Outputs<T> {}

/// Some queries of one image, all heads.
struct Task<'a, T: Real> {
    heads: &'a Heads<'a, T>,
    image: usize,
    queries: Range<usize>,
    fusion: HeadFusion,
}

impl<T: Real> Task<'_, T> {
    fn run(&self, outputs: &Outputs<T>) {
        let Shape { tokens, heads, head_width, .. } = self.heads.shape;
        let corner = &mut *corner(self.heads.corners);
        let queries = corner.panel.at_least(head_width * WIDTH);
        let scores = corner.results.at_least(tokens * WIDTH);
        let map = corner.map.at_least(if outputs.map.is_some() { tokens * WIDTH } else { 0 });
        let context = corner.context.at_least(head_width * WIDTH);
        for head in 0..heads {
            self.pack_queries(head, queries);
            self.score(head, queries, scores);
            let (log_sum_exp, inverse) = exponentials(scores);
            fuse(self.fusion, (head, heads), scores, &inverse, map);
            if let Some(results) = outputs.results {
                self.gather(head, scores, context);
                self.store(head, results, (context, &log_sum_exp, &inverse));
            }
        }
        if let Some(to) = outputs.map {
            self.store_map(map, to);
        }
    }

    fn store(&self, head: usize, (to, to_log): (*mut T, *mut T), (context, log_sum_exp, inverse): (&[T], &[T; WIDTH], &[T; WIDTH])) {
        let Shape { tokens, heads, head_width, .. } = self.heads.shape;
        for (lane, query) in self.queries.clone().enumerate() {
            let at = (self.image * tokens + query) * heads + head;
            // SAFETY: the row is one of this task's queries, so no other task writes it, and it lies inside the outputs,
            // whose lengths were checked where attention was asked for.
            let to = unsafe {
                *to_log.add(at) = log_sum_exp[lane];
                std::slice::from_raw_parts_mut(to.add(at * head_width), head_width)
            };
            to.iter_mut().zip(context[lane..].iter().step_by(WIDTH)).for_each(|(to, &sum)| *to = sum * inverse[lane]);
        }
    }

    /// The block's queries of one head, times `1/√d`, as a panel (head width, 32).
    fn pack_queries(&self, head: usize, panel: &mut [T]) {
        let shape = self.heads.shape;
        let row = |lane: usize| start(shape, Part::Query, (self.image, head), self.queries.start + lane);
        pack_panel(panel, self.queries.len(), shape.scale(), |lane| &self.heads.qkv[row(lane)..][..shape.head_width]);
    }

    /// `scores (keys, 32) ← K·Qᵀ`.
    fn score(&self, head: usize, queries: &[T], scores: &mut [T]) {
        let Shape { tokens, heads, head_width, .. } = self.heads.shape;
        let keys = &self.heads.keys[(self.image * heads + head) * tokens * head_width..][..tokens * head_width];
        let mut first = 0;
        for rows in shares(tokens, self.heads.most) {
            let (a, c) = (&keys[first * head_width..][..rows * head_width], &mut scores[first * WIDTH..][..rows * WIDTH]);
            multiply(self.heads.tile, (rows, head_width), (a, rows), queries, c);
            first += rows;
        }
    }

    /// `context (head width, 32) ← Vᵀ·weights (keys, 32)`.
    fn gather(&self, head: usize, weights: &[T], context: &mut [T]) {
        let Shape { tokens, heads, head_width, .. } = self.heads.shape;
        let values = &self.heads.values[(self.image * heads + head) * tokens * head_width..][..tokens * head_width];
        let mut first = 0;
        for rows in shares(head_width, self.heads.most) {
            let c = &mut context[first * WIDTH..][..rows * WIDTH];
            multiply(self.heads.tile, (rows, tokens), (&values[first..], head_width), weights, c);
            first += rows;
        }
    }

    fn store_map(&self, map: &[T], to: *mut T) {
        let tokens = self.heads.shape.tokens;
        for (lane, query) in self.queries.clone().enumerate() {
            // SAFETY: as in `store`: the row is one of this task's queries and lies inside the map.
            let row = unsafe { std::slice::from_raw_parts_mut(to.add((self.image * tokens + query) * tokens), tokens) };
            row.iter_mut().zip(map[lane..].iter().step_by(WIDTH)).for_each(|(to, &value)| *to = value);
        }
    }
}

/// Replaces scores (keys, 32) by `exp(score − highest)`; returns each query's log-sum-exp and the reciprocal of its sum.
fn exponentials<T: Real>(scores: &mut [T]) -> ([T; WIDTH], [T; WIDTH]) {
    let (mut highest, mut total) = ([T::ZERO; WIDTH], [T::ZERO; WIDTH]);
    vectorised(
        #[inline(always)]
        || {
            highest.copy_from_slice(&scores[..WIDTH]);
            // Chunks whose length the compiler does not know become vector loops; known lengths it unrolls into single values.
            for row in scores.chunks(WIDTH) {
                highest.iter_mut().zip(row).for_each(|(highest, &score)| *highest = T::max(*highest, score));
            }
            for row in scores.chunks_mut(WIDTH) {
                row.iter_mut().zip(&highest).for_each(|(score, &highest)| *score = (*score - highest).exp());
                total.iter_mut().zip(&*row).for_each(|(total, &weight)| *total += weight);
            }
        },
    );
    let log_sum_exp = std::array::from_fn(|lane| highest[lane] + total[lane].ln());
    (log_sum_exp, total.map(|total| T::ONE / total))
}

/// Folds head `head` into `map` (keys, 32); an empty `map` asks for nothing.
fn fuse<T: Real>(fusion: HeadFusion, (head, heads): (usize, usize), weights: &[T], inverse: &[T; WIDTH], map: &mut [T]) {
    let share = T::from_f64(1.0 / heads as f64);
    let scaled = inverse.map(|inverse| inverse * share);
    match (fusion, head) {
        (HeadFusion::Mean, 0) => merge(weights, &scaled, map, |_, weight, inverse| weight * inverse),
        (HeadFusion::Mean, _) => merge(weights, &scaled, map, |map, weight, inverse| weight.mul_add(inverse, map)),
        (HeadFusion::Max | HeadFusion::Min, 0) => merge(weights, inverse, map, |_, weight, inverse| weight * inverse),
        (HeadFusion::Max, _) => merge(weights, inverse, map, |map, weight, inverse| T::max(map, weight * inverse)),
        (HeadFusion::Min, _) => merge(weights, inverse, map, |map, weight, inverse| T::min(map, weight * inverse)),
    }
}

fn merge<T: Real>(weights: &[T], inverse: &[T; WIDTH], map: &mut [T], merge: impl Fn(T, T, T) -> T) {
    vectorised(
        #[inline(always)]
        || {
            for (map, weights) in map.chunks_mut(WIDTH).zip(weights.chunks(WIDTH)) {
                map.iter_mut().zip(weights).zip(inverse).for_each(|((map, &weight), &inverse)| *map = merge(*map, weight, inverse));
            }
        },
    );
}
