//! Rows laid out for a product, each normalised on the way where that is asked for.

use std::ops::Range;

use rayon::prelude::*;

use super::super::Input;
use super::super::panels::{STEP, from_bf16, to_bf16};
use crate::layer_norm::{Moments, normalise};
use crate::simd::vectorised;
use crate::{Buffer, Real};

/// Values that are read of one row before the next row's turn: the strip they go to stays in the first cache.
const PIECE: usize = 64;
/// Most rows of a strip or a tile.
const MOST: usize = 16;

/// Strips of at most `most` rows, each (inputs, its rows).
pub(super) fn as_they_are<'b, T: Real>(
    input: Input<T>,
    rows: Range<usize>,
    inputs: usize,
    most: usize,
    buffer: &'b mut Buffer<T>,
) -> &'b [T] {
    let packed = buffer.at_least(rows.len() * inputs);
    strips(packed, inputs, rows.len(), most).for_each(|(first, count, strip)| {
        pieces(input, inputs, rows.start + first, count, |row, start, piece| {
            strip[start * count + row..].iter_mut().step_by(count).zip(piece).for_each(|(to, &value)| *to = value);
        });
    });
    packed
}

/// As [`as_they_are`], every value rounded to bf16.
pub(super) fn widened<'b, T: Real>(input: Input<T>, rows: Range<usize>, inputs: usize, most: usize, buffer: &'b mut Buffer<T>) -> &'b [T] {
    let packed = buffer.at_least(rows.len() * inputs);
    let round = |value: T| T::from_f64(from_bf16(to_bf16(value.to_f64() as f32)).into());
    strips(packed, inputs, rows.len(), most).for_each(|(first, count, strip)| {
        pieces(input, inputs, rows.start + first, count, |row, start, piece| {
            strip[start * count + row..].iter_mut().step_by(count).zip(piece).for_each(|(to, &value)| *to = round(value));
        });
    });
    packed
}

/// Strips of at most `most` rows, each (inputs/2, its rows, 2) in bf16, the inputs padded to whole steps with zeros.
pub(super) fn in_pairs<'b, T: Real>(
    input: Input<T>,
    rows: Range<usize>,
    inputs: usize,
    most: usize,
    buffer: &'b mut Buffer<u16>,
) -> &'b [u16] {
    let padded = inputs.next_multiple_of(STEP);
    let packed = buffer.at_least(rows.len() * padded);
    strips(packed, padded, rows.len(), most).for_each(|(first, count, strip)| {
        strip[inputs / 2 * 2 * count..].fill(0);
        pieces(input, inputs, rows.start + first, count, |row, start, piece| {
            for (pair, values) in piece.chunks(2).enumerate() {
                let at = (start / 2 + pair) * 2 * count + 2 * row;
                values.iter().enumerate().for_each(|(i, value)| strip[at + i] = to_bf16(value.to_f64() as f32));
            }
        });
    });
    packed
}

/// Cuts packed rows into strips: (first row, rows, the strip).
fn strips<T: Send>(packed: &mut [T], width: usize, rows: usize, most: usize) -> impl ParallelIterator<Item = (usize, usize, &mut [T])> {
    let count = rows.div_ceil(most).max(1);
    let (longer, rows_of_shorter) = (rows % count, rows / count);
    let (first, second) = packed.split_at_mut(longer * (rows_of_shorter + 1) * width);
    let shorter = move |(index, strip)| (longer * (rows_of_shorter + 1) + index * rows_of_shorter, rows_of_shorter, strip);
    let of_longer = move |(index, strip)| (index * (rows_of_shorter + 1), rows_of_shorter + 1, strip);
    let first = first.par_chunks_mut((rows_of_shorter + 1) * width).enumerate().map(of_longer);
    first.chain(second.par_chunks_mut((rows_of_shorter * width).max(1)).enumerate().map(shorter))
}

/// How rows are dealt to pairs of tiles: as evenly as can be, at most 16 to a tile.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pairing {
    /// Pairs of tiles.
    pub pairs: usize,
    /// Rows of the first and of the second tile of every pair; the last pair may hold fewer that count.
    pub rows: (usize, usize),
}

impl Pairing {
    pub fn new(rows: usize) -> Self {
        let pairs = rows.div_ceil(2 * MOST).max(1);
        let of_pair = rows.div_ceil(pairs);
        Self { pairs, rows: (of_pair.div_ceil(2), (of_pair / 2).max(1)) }
    }

    /// Rows of a pair.
    pub fn of_pair(self) -> usize {
        self.rows.0 + self.rows.1
    }

    /// First row of a tile, and its rows among `rows`.
    fn of_tile(self, tile: usize, rows: usize) -> (usize, usize) {
        let second = tile % 2;
        let first = tile / 2 * self.of_pair() + second * self.rows.0;
        let most = if second == 0 { self.rows.0 } else { self.rows.1 };
        (first, most.min(rows.saturating_sub(first)))
    }
}

/// Pairs of tiles (pairs, steps, 2, 16, 32) of bf16: what a step reads lies in one piece.
#[cfg(target_arch = "x86_64")]
pub(super) fn in_tiles<'b, T: Real>(input: Input<T>, rows: Range<usize>, inputs: usize, buffer: &'b mut Buffer<u16>) -> &'b [u16] {
    // SAFETY: this layout is only asked for where AVX-512 was found.
    tiles(input, rows, inputs, buffer, 1, |values, to| unsafe { super::amx::round_row(super::as_f32(values), to) })
}

/// Pairs of tiles (pairs, steps, 2, 3, 16, 32) of the bf16 parts of f32: the three parts of a number add up to it exactly.
#[cfg(target_arch = "x86_64")]
pub(super) fn in_parts<'b, T: Real>(input: Input<T>, rows: Range<usize>, inputs: usize, buffer: &'b mut Buffer<u16>) -> &'b [u16] {
    // SAFETY: this layout is only asked for where AVX-512 was found.
    tiles(input, rows, inputs, buffer, 3, |values, to| unsafe { super::amx::split_row(super::as_f32(values), to) })
}

/// `convert` turns at most 32 values of a row into one row of each part's tile; a tile is 512 values.
#[cfg(target_arch = "x86_64")]
fn tiles<'b, T: Real>(
    input: Input<T>,
    rows: Range<usize>,
    inputs: usize,
    buffer: &'b mut Buffer<u16>,
    parts: usize,
    convert: impl Fn(&[T], &mut [u16]) + Sync,
) -> &'b [u16] {
    let pairing = Pairing::new(rows.len());
    let (steps, of_step) = (inputs.div_ceil(STEP), parts * MOST * STEP);
    let packed = buffer.at_least(2 * pairing.pairs * steps * of_step);
    let shared = Shared(packed.as_mut_ptr());
    (0..2 * pairing.pairs).into_par_iter().for_each(|tile| {
        let (first, count) = pairing.of_tile(tile, rows.len());
        pieces(input, inputs, rows.start + first, count, |row, start, piece| {
            for (step, values) in piece.chunks(STEP).enumerate() {
                let at = ((tile / 2 * steps + start / STEP + step) * 2 + tile % 2) * of_step;
                // SAFETY: the tile's part of this step lies inside `packed`, and no other task writes this tile.
                convert(values, &mut unsafe { shared.tile(at, of_step) }[row * STEP..]);
            }
        });
    });
    packed
}

/// Memory in which every task writes tiles of its own.
#[cfg(target_arch = "x86_64")]
struct Shared(*mut u16);

// SAFETY: tasks write different tiles, as `tile` demands.
#[cfg(target_arch = "x86_64")]
unsafe impl Sync for Shared {}

#[cfg(target_arch = "x86_64")]
impl Shared {
    /// # Safety
    /// The values are inside the memory, and nobody else writes or reads them meanwhile.
    unsafe fn tile<'t>(&self, at: usize, len: usize) -> &'t mut [u16] {
        // SAFETY: the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(at), len) }
    }
}

/// Calls `take(row, start, values)` for `count` rows from `first` on, piece by piece; normalised where asked.
fn pieces<T: Real>(input: Input<T>, inputs: usize, first: usize, count: usize, mut take: impl FnMut(usize, usize, &[T])) {
    let row = |row: usize| &input.values()[(first + row) * inputs..][..inputs];
    let mut moments = [Moments::default(); MOST];
    if let Input::Normed(_, affine) = input {
        moments[..count].iter_mut().enumerate().for_each(|(at, moments)| *moments = Moments::of(row(at), affine.eps));
    }
    vectorised(
        #[inline(always)]
        || {
            let mut normed = [T::ZERO; PIECE];
            for start in (0..inputs).step_by(PIECE) {
                let columns = start..inputs.min(start + PIECE);
                for (at, &moments) in moments[..count].iter().enumerate() {
                    let values = &row(at)[columns.clone()];
                    let Input::Normed(_, affine) = input else {
                        take(at, start, values);
                        continue;
                    };
                    let normed = &mut normed[..values.len()];
                    normalise(moments, values, &affine.gain[columns.clone()], &affine.bias[columns.clone()], normed);
                    take(at, start, normed);
                }
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_one_place_in_the_tiles() {
        for rows in [1, 2, 15, 16, 17, 31, 32, 33, 145, 197, 257, 320] {
            let pairing = Pairing::new(rows);
            let places: Vec<_> = (0..2 * pairing.pairs)
                .flat_map(|tile| {
                    let (first, count) = pairing.of_tile(tile, rows);
                    assert!(count <= MOST);
                    first..first + count
                })
                .collect();
            assert_eq!(places, (0..rows).collect::<Vec<_>>(), "{rows} rows");
        }
    }
}
