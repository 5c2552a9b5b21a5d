//! Products in tile registers (AMX): 16 × 32 values of bf16 times 32 × 16, sums in f32.
//!
//! f32 weights are multiplied as f32: each number is the exact sum of three bf16 numbers (high, middle, low: 24 bits), and
//! of the nine products of parts the six that reach beyond 2⁻²⁴ of the result are taken. A panel is split while the block
//! before it is multiplied, by the vector units that the tiles leave idle, so weights lie in memory once, as f32.
//!
//! Registers: 0 to 3 hold the sums of two row tiles by two column tiles, 4 and 5 row tiles, 6 and 7 column tiles.
//! The compiler knows nothing of tile registers and uses none, so they keep their values between the pieces of assembly.

mod split;
mod tiles;

use std::ops::Range;

use super::super::panels::{self, STEP, WIDTH};
use super::rows::Pairing;
use super::{Path, Product, as_f32, as_f32_mut};
use crate::Real;
use crate::workspace::Corner;
use split::Splitter;
pub(super) use split::{round_row, split_row};
use tiles::{Configured, Sums};

/// bf16 values of a row tile or column tile: 16 × 32.
const TILE: usize = 512;
/// Parts of an f32.
const PARTS: usize = 3;
/// Most steps of 32 inputs before the next panel.
const BLOCK: usize = 16;
/// The same where nothing is split: blocks are smaller in memory.
const ROUNDED_BLOCK: usize = 16;

/// f32 weights, split on the way.
pub(super) struct Split<'a, T> {
    weight: &'a [T],
    inputs: usize,
    outputs: usize,
    pairing: Pairing,
    packed: &'a [u16],
}

/// A block of a panel: where it lies, and how many of its inputs are there.
#[derive(Clone, Copy)]
struct Piece {
    values: *const f32,
    inputs: usize,
}

impl<'a, T: Real> Split<'a, T> {
    pub fn new(weight: &'a [T], product: &Product<T>, rows: usize, packed: &'a [u16]) -> Self {
        Self { weight, inputs: product.inputs, outputs: product.outputs, pairing: Pairing::new(rows), packed }
    }

    fn steps(&self) -> usize {
        self.inputs.div_ceil(STEP)
    }

    /// Blocks of a panel, all of nearly the same size.
    fn blocks(&self) -> usize {
        self.steps().div_ceil(BLOCK).max(1)
    }

    /// The panel as it lies, or widened to 32 outputs where it is the narrow last one.
    fn panel(&self, panel: usize, widened: *const f32) -> *const f32 {
        let (start, width) = panels::panel(self.inputs, self.outputs, panel * WIDTH);
        if width == WIDTH { as_f32(&self.weight[start..]).as_ptr() } else { widened }
    }

    fn widen(&self, panel: usize, widened: &mut [f32]) {
        let (start, width) = panels::panel(self.inputs, self.outputs, panel * WIDTH);
        if width < WIDTH {
            for (wide, narrow) in widened.chunks_mut(WIDTH).zip(as_f32(&self.weight[start..]).chunks(width)) {
                wide[..width].copy_from_slice(narrow);
                wide[width..].fill(0.0);
            }
        }
    }

    /// The block `index` of a group: all its panels at the first steps, then all at the next.
    fn piece(&self, panels: &Range<usize>, index: usize, widened: *const f32) -> (Range<usize>, usize, Piece) {
        let (block, at) = (index / panels.len(), index % panels.len());
        let start = |block| block * self.steps() / self.blocks();
        let steps = start(block)..start(block + 1);
        let values = self.panel(panels.start + at, widened).wrapping_add(steps.start * STEP * WIDTH);
        let inputs = self.inputs - steps.start * STEP;
        (steps, at, Piece { values, inputs })
    }
}

impl<T: Real> Path<T> for Split<'_, T> {
    fn result_rows(&self) -> usize {
        self.pairing.pairs * self.pairing.of_pair()
    }

    fn multiply(&self, panels: Range<usize>, corner: &mut Corner<T>) {
        let per_panel = Path::<T>::result_rows(self) * WIDTH;
        let results = as_f32_mut(corner.results.at_least(panels.len() * per_panel));
        let widened = as_f32_mut(corner.panel.at_least(self.inputs * WIDTH));
        self.widen(panels.end - 1, widened);
        let widened = widened.as_ptr();
        let of_block = BLOCK * PARTS * 2 * TILE;
        let (mut now, mut next) = corner.parts.at_least(2 * of_block).split_at_mut(of_block);
        let blocks = self.blocks() * panels.len();
        let tiles = Configured::new(self.pairing.rows);
        let (steps, _, piece) = self.piece(&panels, 0, widened);
        // SAFETY: here and below, `piece` lies in the weight or the widened panel; `now` and `next` hold a block each.
        unsafe { Splitter::new(piece.values, piece.inputs, steps.len(), now).finish() };
        for block in 0..blocks {
            let (steps, at, _) = self.piece(&panels, block, widened);
            let splitter = (block + 1 < blocks).then(|| {
                let (steps, _, piece) = self.piece(&panels, block + 1, widened);
                // SAFETY: as above.
                unsafe { Splitter::new(piece.values, piece.inputs, steps.len(), next) }
            });
            let splitter = splitter.unwrap_or_else(Splitter::idle);
            self.pairs(&tiles, steps, now, splitter, &mut results[at * per_panel..][..per_panel]);
            std::mem::swap(&mut now, &mut next);
        }
    }
}

impl<T: Real> Split<'_, T> {
    /// Every pair of row tiles times one split block, while the next block is split.
    fn pairs(&self, tiles: &Configured, steps: Range<usize>, parts: &[u16], mut splitter: Splitter, results: &mut [f32]) {
        let of_step = 2 * PARTS * TILE;
        let share = splitter.left().div_ceil(self.pairing.pairs * steps.len() * tiles::GROUPS);
        for pair in 0..self.pairing.pairs {
            let rows = &self.packed[(pair * self.steps() + steps.start) * of_step..][..steps.len() * of_step];
            let sums = Sums::new(results, pair, self.pairing);
            // SAFETY: tiles are configured; the row tiles, the block and the sums hold what the configuration reads.
            unsafe {
                sums.begin(tiles, steps.start > 0);
                sums.add_split(tiles, steps.len(), rows.as_ptr(), parts.as_ptr(), &mut splitter, share);
                sums.end(tiles);
            }
        }
        // SAFETY: as where it was made.
        unsafe { splitter.finish() };
    }
}

/// bf16 weights, multiplied where they lie.
pub(super) struct Rounded<'a> {
    weight: &'a [u16],
    steps: usize,
    pairing: Pairing,
    packed: &'a [u16],
}

impl<'a> Rounded<'a> {
    pub fn new<T: Real>(weight: &'a [u16], product: &Product<T>, rows: usize, packed: &'a [u16]) -> Self {
        Self { weight, steps: product.inputs.div_ceil(STEP), pairing: Pairing::new(rows), packed }
    }
}

impl<T: Real> Path<T> for Rounded<'_> {
    fn result_rows(&self) -> usize {
        self.pairing.pairs * self.pairing.of_pair()
    }

    fn multiply(&self, panels: Range<usize>, corner: &mut Corner<T>) {
        let per_panel = Path::<T>::result_rows(self) * WIDTH;
        let results = as_f32_mut(corner.results.at_least(panels.len() * per_panel));
        let tiles = Configured::new(self.pairing.rows);
        for first in (0..self.steps).step_by(ROUNDED_BLOCK) {
            let steps = first..self.steps.min(first + ROUNDED_BLOCK);
            for (panel, results) in panels.clone().zip(results.chunks_mut(per_panel)) {
                let block = &self.weight[(panel * self.steps + steps.start) * 2 * TILE..];
                for pair in 0..self.pairing.pairs {
                    let rows = &self.packed[(pair * self.steps + steps.start) * 2 * TILE..][..steps.len() * 2 * TILE];
                    let lines = steps.len() * 2 * TILE * 2 / 64;
                    let share = lines.div_ceil(self.pairing.pairs);
                    let ahead = block.as_ptr().wrapping_add((self.steps * 2 * TILE) + pair * share * 32);
                    let sums = Sums::new(results, pair, self.pairing);
                    // SAFETY: tiles are configured; the row tiles, the block and the sums hold what the configuration reads.
                    unsafe {
                        sums.begin(&tiles, steps.start > 0);
                        sums.add_rounded(&tiles, steps.len(), rows.as_ptr(), block.as_ptr(), (ahead, share.div_ceil(steps.len())));
                        sums.end(&tiles);
                    }
                }
            }
        }
    }
}
