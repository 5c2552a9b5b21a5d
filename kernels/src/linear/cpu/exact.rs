//! Products in the numbers as they are, by the tile of the processor's widest fused multiply-add.

use std::ops::Range;

use super::super::panels::{self, WIDTH};
use super::tile::{Strip, Tile, exact_tile};
use super::{BLOCK, Path, Product, shares};
use crate::workspace::Corner;
use crate::{Instructions, Real};

pub(super) struct Exact<'a, T> {
    panels: Source<'a, T>,
    inputs: usize,
    outputs: usize,
    rows: usize,
    /// Strips of rows one after the other, each (inputs, its rows).
    packed: &'a [T],
    tile: Tile<T>,
    most: usize,
}

/// Where a panel comes from.
#[derive(Clone, Copy)]
enum Source<'a, T> {
    Full(&'a [T]),
    Bf16(&'a [u16]),
}

impl<'a, T: Real> Exact<'a, T> {
    pub fn full(weight: &'a [T], product: &Product<T>, rows: usize, packed: &'a [T], instructions: Instructions) -> Self {
        Self::new(Source::Full(weight), product, rows, packed, instructions)
    }

    pub fn widened(weight: &'a [u16], product: &Product<T>, rows: usize, packed: &'a [T], instructions: Instructions) -> Self {
        Self::new(Source::Bf16(weight), product, rows, packed, instructions)
    }

    fn new(panels: Source<'a, T>, product: &Product<T>, rows: usize, packed: &'a [T], instructions: Instructions) -> Self {
        let (tile, most) = exact_tile(instructions);
        Self { panels, inputs: product.inputs, outputs: product.outputs, rows, packed, tile, most }
    }

    /// The panel, 32 columns wide: as it lies, or made so in `widened`.
    fn panel<'b>(&'b self, panel: usize, widened: &'b mut [T]) -> &'b [T] {
        let (start, width) = panels::panel(self.inputs, self.outputs, panel * WIDTH);
        match self.panels {
            Source::Full(weight) if width == WIDTH => &weight[start..start + self.inputs * WIDTH],
            Source::Full(weight) => {
                for (wide, narrow) in widened.chunks_mut(WIDTH).zip(weight[start..].chunks(width)) {
                    wide[..width].copy_from_slice(narrow);
                    wide[width..].fill(T::ZERO);
                }
                widened
            }
            Source::Bf16(weight) => {
                let start = panel * WIDTH * self.inputs.next_multiple_of(panels::STEP);
                for (input, wide) in widened.chunks_mut(WIDTH).enumerate() {
                    let row = &weight[start + input / 2 * 2 * WIDTH + input % 2..];
                    wide.iter_mut()
                        .zip(row.iter().step_by(2))
                        .for_each(|(wide, &bits)| *wide = T::from_f64(panels::from_bf16(bits).into()));
                }
                widened
            }
        }
    }

    /// Adds the products of one panel's block of inputs to its results (rows, 32); `next` is what will be read after it.
    fn block(&self, panel: &[T], inputs: Range<usize>, results: &mut [T], next: *const u8) {
        debug_assert!(results.len() >= self.rows * WIDTH && panel.len() >= inputs.end * WIDTH);
        let strips = self.rows.div_ceil(self.most);
        let lines = (inputs.len() * WIDTH * size_of::<T>()).div_ceil(64 * strips);
        let mut row = 0;
        for (index, rows) in shares(self.rows, self.most).enumerate() {
            let a = &self.packed[row * self.inputs + inputs.start * rows..][..inputs.len() * rows];
            let strip = Strip {
                rows,
                steps: inputs.len(),
                a: a.as_ptr(),
                a_step: rows,
                b: panel[inputs.start * WIDTH..].as_ptr(),
                c: results[row * WIDTH..].as_mut_ptr(),
                add: inputs.start > 0,
                ahead: next.wrapping_add(index * lines * 64),
                lines: if next.is_null() { 0 } else { lines },
            };
            // SAFETY: (1) the slices above hold every element of the strip; (2) `shares` keeps to the most rows;
            // (3) the tile was chosen among the instructions that were found on this processor.
            unsafe { (self.tile)(&strip) };
            row += rows;
        }
    }
}

impl<T: Real> Path<T> for Exact<'_, T> {
    fn result_rows(&self) -> usize {
        self.rows
    }

    fn multiply(&self, panels: Range<usize>, corner: &mut Corner<T>) {
        let per_panel = self.rows * WIDTH;
        let results = corner.results.at_least(panels.len() * per_panel);
        let whole = |panel: usize| matches!(self.panels, Source::Full(_)) && (panel + 1) * WIDTH <= self.outputs;
        let last_whole = panels.clone().take_while(|&panel| whole(panel)).count();
        for start in (0..self.inputs).step_by(BLOCK) {
            let inputs = start..self.inputs.min(start + BLOCK);
            for (index, panel) in panels.clone().enumerate().take(last_whole) {
                let values = self.panel(panel, &mut []);
                let next = if index + 1 < last_whole { self.at(panel + 1, start) } else { self.at(panels.start, inputs.end) };
                self.block(values, inputs.clone(), &mut results[index * per_panel..][..per_panel], next);
            }
        }
        for (index, panel) in panels.enumerate().skip(last_whole) {
            let values = self.panel(panel, corner.panel.at_least(self.inputs * WIDTH));
            for start in (0..self.inputs).step_by(BLOCK) {
                let inputs = start..self.inputs.min(start + BLOCK);
                self.block(values, inputs, &mut results[index * per_panel..][..per_panel], std::ptr::null());
            }
        }
    }
}

impl<T: Real> Exact<'_, T> {
    /// Where a row of a whole panel lies; nowhere beyond the weight.
    fn at(&self, panel: usize, input: usize) -> *const u8 {
        match self.panels {
            Source::Full(weight) if input < self.inputs => {
                weight.get((panel * self.inputs + input) * WIDTH..).map_or(std::ptr::null(), |rest| rest.as_ptr().cast())
            }
            _ => std::ptr::null(),
        }
    }
}
