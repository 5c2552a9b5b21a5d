//! Gradients of attention with respect to Q, K and V, and the read-outs that explanations take on the way.
//!
//! Per head, with `dO` the gradient at its context: `dA = dO·Vᵀ`, `dS = A ∘ (dA − rowsum(A ∘ dA))`,
//! `dQ = dS·K/√d`, `dK = dSᵀ·Q/√d`, `dV = Aᵀ·dO`. The row sums are `dO·O`, so one walk over the keys is enough.
//!
//! A task takes one head of one image through blocks of 32 keys, one vector lane a key. The only square it keeps is `dS`,
//! one for each thread, whatever the heads.

use std::ops::Range;

use rayon::prelude::*;

use super::blocks::{Part, multiply, pack_panel, pack_strips, start};
use super::elements::{add_row, probabilities, softmax_gradient, sum_rows, turn};
use super::{RowRule, Shape};
use crate::error::expect_len;
use crate::linear::panels::WIDTH;
use crate::linear::{Tile, exact_tile, shares};
use crate::workspace::{Corner, corner, level};
use crate::{Error, Real, Workspace};

/// What [`super::forward`] read and filled.
#[derive(Debug, Clone, Copy)]
pub struct Forward<'a, T> {
    /// (images, tokens, 3·width).
    pub qkv: &'a [T],
    /// (images, tokens, heads).
    pub log_sum_exp: &'a [T],
    /// (images, tokens, width).
    pub context: &'a [T],
}

/// What to gather while the maps and their gradients pass by; empty slices ask for nothing.
#[derive(Debug)]
pub struct ReadOuts<'a, T> {
    /// What the row gathers.
    pub rule: RowRule,
    /// The row `r` (images, tokens) as it stands above this layer.
    pub row: &'a [T],
    /// Replaced by the row's step (images, tokens).
    pub row_step: &'a mut [T],
    /// Replaced by `dA` (images, heads, tokens, tokens).
    pub map_gradients: &'a mut [T],
}

impl<T> Default for ReadOuts<'_, T> {
    fn default() -> Self {
        Self { rule: RowRule::default(), row: &[], row_step: &mut [], map_gradients: &mut [] }
    }
}

/// Fills `dqkv` (images, tokens, 3·width) from `dcontext` (images, tokens, width).
pub fn backward<T: Real>(
    shape: Shape,
    forward: Forward<T>,
    dcontext: &[T],
    dqkv: &mut [T],
    read_outs: ReadOuts<T>,
    workspace: &mut Workspace<T>,
) -> Result<(), Error> {
    check(shape, forward, dcontext, dqkv, &read_outs)?;
    let Workspace { instructions, heads: [rows, _], corners, .. } = workspace;
    let (tile, most) = exact_tile(*instructions);
    let rows = rows.at_least(shape.images * shape.heads * shape.tokens);
    let outputs =
        Outputs { dqkv: dqkv.as_mut_ptr(), maps: (!read_outs.map_gradients.is_empty()).then_some(read_outs.map_gradients.as_mut_ptr()) };
    rows.par_chunks_mut(shape.tokens.max(1)).enumerate().for_each(|(index, relevance)| {
        let at = (index / shape.heads, index % shape.heads);
        let row = read_outs.row.get(at.0 * shape.tokens..(at.0 + 1) * shape.tokens).unwrap_or(&[]);
        let head = Head { shape, at, forward, dcontext, row: (read_outs.rule, row), tile, most };
        head.run(&outputs, relevance, &mut corner(corners));
    });
    sum_rows(shape, rows, read_outs.row_step);
    level(corners);
    Ok(())
}

/// Where results go; every task writes what belongs to its head.
struct Outputs<T> {
    dqkv: *mut T,
    maps: Option<*mut T>,
}

// SAFETY: the pointers stem from slices that are borrowed mutably while tasks run; every task writes columns of its own head.
unsafe impl<T: Sync> Sync for Outputs<T> {}

/// One head of one image.
struct Head<'a, T: Real> {
    shape: Shape,
    at: (usize, usize),
    forward: Forward<'a, T>,
    dcontext: &'a [T],
    row: (RowRule, &'a [T]),
    tile: Tile<T>,
    most: usize,
}

/// The buffers of one block of keys.
struct Block<'a, T> {
    /// Keys, values and results, each (head width, 32).
    panels: [&'a mut [T]; 3],
    /// `A`, then `dS`, (queries, 32).
    scores: &'a mut [T],
    /// `dA`, (queries, 32).
    gradients: &'a mut [T],
}

/// What a head's queries bring: strips of queries and of gradients, log-sum-exps, and `dO·O`.
struct Queries<'a, T> {
    strips: &'a [T],
    dcontext: &'a [T],
    log_sum_exp: &'a [T],
    dots: &'a [T],
}

impl<T: Real> Head<'_, T> {
    fn run(&self, outputs: &Outputs<T>, relevance: &mut [T], corner: &mut Corner<T>) {
        let Shape { tokens, head_width, .. } = self.shape;
        let Corner { results, map, panel, context, strips, square, .. } = corner;
        let queries = self.pack(strips.at_least(2 * tokens * head_width), context.at_least(2 * tokens));
        let square = square.at_least(tokens.next_multiple_of(WIDTH) * tokens);
        let (keys, rest) = panel.at_least(3 * head_width * WIDTH).split_at_mut(head_width * WIDTH);
        let (values, to) = rest.split_at_mut(head_width * WIDTH);
        let (scores, gradients) = (results.at_least(tokens * WIDTH), map.at_least(tokens * WIDTH));
        let mut block = Block { panels: [keys, values, to], scores, gradients };
        for first in (0..tokens).step_by(WIDTH) {
            let count = WIDTH.min(tokens - first);
            self.maps(first..first + count, &queries, &mut block);
            let mut sums = [T::ZERO; WIDTH];
            probabilities(block.scores, queries.log_sum_exp);
            add_row(self.row.0, (block.scores, block.gradients), self.row.1, &mut sums);
            relevance[first..first + count].copy_from_slice(&sums[..count]);
            if let Some(maps) = outputs.maps {
                self.store_map(first..first + count, block.gradients, maps);
            }
            // dVᵀ = dOᵀ·A and dKᵀ = Qᵀ·dS, 32 keys at a time.
            self.product(|query| self.dcontext(query), self.shape.width(), block.scores, block.panels[2]);
            self.store(Part::Value, first..first + count, (block.panels[2], T::ONE), outputs);
            softmax_gradient(block.scores, block.gradients, queries.dots);
            self.product(|query| self.part(Part::Query, query), 3 * self.shape.width(), block.scores, block.panels[2]);
            self.store(Part::Key, first..first + count, (block.panels[2], self.shape.scale()), outputs);
            turn(first..first + count, block.scores, square);
        }
        for (panel, first) in square.chunks(tokens * WIDTH).zip((0..tokens).step_by(WIDTH)) {
            // dQᵀ = Kᵀ·dSᵀ, 32 queries at a time.
            self.product(|key| self.part(Part::Key, key), 3 * self.shape.width(), panel, block.panels[2]);
            self.store(Part::Query, first..tokens.min(first + WIDTH), (block.panels[2], self.shape.scale()), outputs);
        }
    }

    fn part(&self, part: Part, token: usize) -> &[T] {
        &self.forward.qkv[start(self.shape, part, self.at, token)..][..self.shape.head_width]
    }

    fn dcontext(&self, token: usize) -> &[T] {
        let Shape { tokens, heads, head_width, .. } = self.shape;
        &self.dcontext[((self.at.0 * tokens + token) * heads + self.at.1) * head_width..][..head_width]
    }

    fn pack<'b>(&self, strips: &'b mut [T], numbers: &'b mut [T]) -> Queries<'b, T> {
        let Shape { tokens, heads, head_width, .. } = self.shape;
        let (queries, dcontext) = strips.split_at_mut(tokens * head_width);
        pack_strips(queries, self.most, (tokens, head_width), |query| self.part(Part::Query, query));
        pack_strips(dcontext, self.most, (tokens, head_width), |query| self.dcontext(query));
        let (log_sum_exp, dots) = numbers.split_at_mut(tokens);
        for (query, (log_sum_exp, dot)) in log_sum_exp.iter_mut().zip(&mut *dots).enumerate() {
            let at = (self.at.0 * tokens + query) * heads + self.at.1;
            *log_sum_exp = self.forward.log_sum_exp[at];
            *dot = self.dcontext(query).iter().zip(&self.forward.context[at * head_width..]).map(|(&g, &o)| g * o).sum();
        }
        Queries { strips: queries, dcontext, log_sum_exp, dots }
    }

    /// Scores `S` and `dA` of some keys, both (queries, 32).
    fn maps(&self, columns: Range<usize>, queries: &Queries<T>, block: &mut Block<T>) {
        let Shape { tokens, head_width, .. } = self.shape;
        let [keys, values, _] = &mut block.panels;
        pack_panel(keys, columns.len(), self.shape.scale(), |lane| self.part(Part::Key, columns.start + lane));
        pack_panel(values, columns.len(), T::ONE, |lane| self.part(Part::Value, columns.start + lane));
        let mut row = 0;
        for rows in shares(tokens, self.most) {
            let (from, to) = (row * head_width..(row + rows) * head_width, row * WIDTH..(row + rows) * WIDTH);
            let shape = (rows, head_width);
            multiply(self.tile, shape, (&queries.strips[from.clone()], rows), keys, &mut block.scores[to.clone()]);
            multiply(self.tile, shape, (&queries.dcontext[from], rows), values, &mut block.gradients[to]);
            row += rows;
        }
    }

    /// `to (head width, 32) ← Σ_token row(token)ᵀ·panel[token]`; the rows of neighbouring tokens lie `step` apart.
    fn product<'b>(&'b self, row: impl Fn(usize) -> &'b [T], step: usize, panel: &[T], to: &mut [T]) {
        let Shape { tokens, head_width, .. } = self.shape;
        // From the first token's row to the end of the last one's: neighbours lie in one slice.
        let whole = |first: usize| -> &[T] {
            let from = row(0)[first..].as_ptr();
            // SAFETY: rows of tokens lie `step` apart in one slice, and the last of them is there.
            unsafe { std::slice::from_raw_parts(from, (tokens - 1) * step + head_width - first) }
        };
        let mut first = 0;
        for rows in shares(head_width, self.most) {
            multiply(self.tile, (rows, tokens), (whole(first), step), panel, &mut to[first * WIDTH..(first + rows) * WIDTH]);
            first += rows;
        }
    }

    /// Writes a transposed result (head width, 32) into the rows of some tokens.
    fn store(&self, part: Part, tokens: Range<usize>, (from, scale): (&[T], T), outputs: &Outputs<T>) {
        for (lane, token) in tokens.enumerate() {
            let at = start(self.shape, part, self.at, token);
            // SAFETY: these columns belong to this task's head and lie inside `dqkv`, whose length was checked.
            let row = unsafe { std::slice::from_raw_parts_mut(outputs.dqkv.add(at), self.shape.head_width) };
            row.iter_mut().zip(from[lane..].iter().step_by(WIDTH)).for_each(|(to, &value)| *to = value * scale);
        }
    }

    fn store_map(&self, keys: Range<usize>, gradients: &[T], maps: *mut T) {
        let Shape { tokens, heads, .. } = self.shape;
        for (query, values) in gradients.chunks(WIDTH).take(tokens).enumerate() {
            let at = ((self.at.0 * heads + self.at.1) * tokens + query) * tokens + keys.start;
            // SAFETY: this map belongs to this task's head and lies inside the maps, whose length was checked.
            let row = unsafe { std::slice::from_raw_parts_mut(maps.add(at), keys.len()) };
            row.copy_from_slice(&values[..keys.len()]);
        }
    }
}

fn check<T: Real>(shape: Shape, forward: Forward<T>, dcontext: &[T], dqkv: &[T], read_outs: &ReadOuts<T>) -> Result<(), Error> {
    let wanted = |slice: &[T], len| if slice.is_empty() { 0 } else { len };
    expect_len("attention", "qkv", forward.qkv, shape.qkv_len())?;
    expect_len("attention", "log_sum_exp", forward.log_sum_exp, shape.log_sum_exp_len())?;
    expect_len("attention", "context", forward.context, shape.context_len())?;
    expect_len("attention", "dcontext", dcontext, shape.context_len())?;
    expect_len("attention", "dqkv", dqkv, shape.qkv_len())?;
    expect_len("attention", "row", read_outs.row, read_outs.row_step.len())?;
    expect_len("attention", "row_step", read_outs.row_step, wanted(read_outs.row_step, shape.images * shape.tokens))?;
    expect_len("attention", "map_gradients", read_outs.map_gradients, wanted(read_outs.map_gradients, shape.maps_len()))
}
