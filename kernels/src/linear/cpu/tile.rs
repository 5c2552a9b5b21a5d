//! The innermost product: some rows times one panel, 32 columns, with everything it adds up held in registers.

use std::any::TypeId;

use super::super::panels::WIDTH;
use crate::{Instructions, Real};

/// `c (rows, 32) ← a·b`, or `c ← c + a·b`, over `steps` steps; all three stay where the pointers say.
#[derive(Clone, Copy)]
pub(crate) struct Strip<T> {
    pub rows: usize,
    pub steps: usize,
    /// Element (row, step) at `step·a_step + row`.
    pub a: *const T,
    pub a_step: usize,
    /// Element (step, column) at `step·32 + column`.
    pub b: *const T,
    /// Element (row, column) at `row·32 + column`.
    pub c: *mut T,
    pub add: bool,
    /// Memory that will be read next, fetched a cache line a step for `lines` steps.
    pub ahead: *const u8,
    pub lines: usize,
}

/// A function that computes a strip.
///
/// # Safety
/// (1) The three matrices lie in memory that is valid for the time of the call, `c` for writing; (2) there are at least one
/// and at most [`tile_rows`] rows; (3) the processor has the instructions the function was chosen for.
pub(crate) type Tile<T> = unsafe fn(&Strip<T>);

/// Most rows of a strip.
pub(crate) fn tile_rows<T: Real>(instructions: Instructions) -> usize {
    exact_tile::<T>(instructions).1
}

/// The function for these instructions and numbers, and the most rows it takes.
pub(crate) fn exact_tile<T: Real>(instructions: Instructions) -> (Tile<T>, usize) {
    #[cfg(target_arch = "x86_64")]
    if TypeId::of::<T>() == TypeId::of::<f32>() && instructions >= Instructions::Avx2 {
        let (tile, rows): (Tile<f32>, usize) = match instructions {
            Instructions::Avx2 => (avx2::tile, avx2::ROWS),
            _ => (avx512::tile, avx512::ROWS),
        };
        // SAFETY: `T` is `f32`, so both are the same type.
        return (unsafe { std::mem::transmute::<Tile<f32>, Tile<T>>(tile) }, rows);
    }
    let _ = (instructions, TypeId::of::<T>());
    (portable::tile, portable::ROWS)
}

mod portable {
    use super::{Real, Strip, WIDTH};
    use crate::simd::vectorised;

    pub(super) const ROWS: usize = 8;
    /// Rows and columns of which all sums fit into the registers of a plain processor.
    const SUMS: (usize, usize) = (4, 8);

    pub(super) unsafe fn tile<T: Real>(strip: &Strip<T>) {
        vectorised(
            #[inline(always)]
            || {
                for row in (0..strip.rows).step_by(SUMS.0) {
                    for column in (0..WIDTH).step_by(SUMS.1) {
                        // SAFETY: what the caller promises of the whole strip holds for its parts.
                        unsafe { part(strip, row, column) };
                    }
                }
            },
        );
    }

    #[inline(always)]
    unsafe fn part<T: Real>(strip: &Strip<T>, row: usize, column: usize) {
        let rows = SUMS.0.min(strip.rows - row);
        let mut sums = [[T::ZERO; SUMS.1]; SUMS.0];
        for step in 0..strip.steps {
            // SAFETY: rows, steps and columns lie inside the strip.
            unsafe {
                let b = std::slice::from_raw_parts(strip.b.add(step * WIDTH + column), SUMS.1);
                for (i, sums) in sums.iter_mut().enumerate().take(rows) {
                    let a = *strip.a.add(step * strip.a_step + row + i);
                    sums.iter_mut().zip(b).for_each(|(sum, &b)| *sum = a.mul_add(b, *sum));
                }
            }
        }
        for (i, sums) in sums.iter().enumerate().take(rows) {
            // SAFETY: as above, and `c` is valid for writing.
            let c = unsafe { std::slice::from_raw_parts_mut(strip.c.add((row + i) * WIDTH + column), SUMS.1) };
            c.iter_mut().zip(sums).for_each(|(c, &sum)| *c = if strip.add { *c + sum } else { sum });
        }
    }
}

/// Two vectors of 16 columns and up to 14 rows: 28 of the 32 registers hold sums.
#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::*;

    use super::{Strip, WIDTH};

    pub(super) const ROWS: usize = 14;

    pub(super) unsafe fn tile(strip: &Strip<f32>) {
        macro_rules! rows {
            ($($rows:literal)*) => {
                match strip.rows {
                    // SAFETY: the caller's promise, with the rows there are.
                    $($rows => unsafe { rows::<$rows>(strip) },)*
                    other => unreachable!("a strip of {other} rows"),
                }
            };
        }
        rows!(1 2 3 4 5 6 7 8 9 10 11 12 13 14)
    }

    #[target_feature(enable = "avx512f")]
    unsafe fn rows<const ROWS: usize>(strip: &Strip<f32>) {
        let Strip { steps, mut a, a_step, mut b, c, add, mut ahead, lines, .. } = *strip;
        let mut sums = [[_mm512_setzero_ps(); 2]; ROWS];
        // SAFETY: the caller's promise: every element read or written lies inside the strip; a prefetch may point anywhere.
        unsafe {
            for step in 0..steps {
                if step < lines {
                    _mm_prefetch::<_MM_HINT_T1>(ahead.cast());
                    ahead = ahead.wrapping_add(64);
                }
                let (left, right) = (_mm512_loadu_ps(b), _mm512_loadu_ps(b.add(16)));
                for (row, sums) in sums.iter_mut().enumerate() {
                    let a = _mm512_set1_ps(*a.add(row));
                    sums[0] = _mm512_fmadd_ps(a, left, sums[0]);
                    sums[1] = _mm512_fmadd_ps(a, right, sums[1]);
                }
                a = a.wrapping_add(a_step);
                b = b.wrapping_add(WIDTH);
            }
            for (row, sums) in sums.iter().enumerate() {
                for (half, &sum) in sums.iter().enumerate() {
                    let c = c.add(row * WIDTH + half * 16);
                    _mm512_storeu_ps(c, if add { _mm512_add_ps(_mm512_loadu_ps(c), sum) } else { sum });
                }
            }
        }
    }
}

/// Two vectors of 8 columns and up to 6 rows, twice: 12 of the 16 registers hold sums.
#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::*;

    use super::{Strip, WIDTH};

    pub(super) const ROWS: usize = 6;

    pub(super) unsafe fn tile(strip: &Strip<f32>) {
        macro_rules! rows {
            ($($rows:literal)*) => {
                match strip.rows {
                    // SAFETY: the caller's promise, with the rows there are.
                    $($rows => unsafe { rows::<$rows>(strip, 0); rows::<$rows>(strip, 16) },)*
                    other => unreachable!("a strip of {other} rows"),
                }
            };
        }
        rows!(1 2 3 4 5 6)
    }

    #[target_feature(enable = "avx2,fma")]
    unsafe fn rows<const ROWS: usize>(strip: &Strip<f32>, column: usize) {
        let Strip { steps, mut a, a_step, b, c, add, .. } = *strip;
        let mut b = b.wrapping_add(column);
        let mut ahead = strip.ahead.wrapping_add(column * 4);
        let mut sums = [[_mm256_setzero_ps(); 2]; ROWS];
        // SAFETY: the caller's promise: every element read or written lies inside the strip; a prefetch may point anywhere.
        unsafe {
            for step in 0..steps {
                if step < strip.lines / 2 {
                    _mm_prefetch::<_MM_HINT_T1>(ahead.cast());
                    ahead = ahead.wrapping_add(128);
                }
                let (left, right) = (_mm256_loadu_ps(b), _mm256_loadu_ps(b.add(8)));
                for (row, sums) in sums.iter_mut().enumerate() {
                    let a = _mm256_set1_ps(*a.add(row));
                    sums[0] = _mm256_fmadd_ps(a, left, sums[0]);
                    sums[1] = _mm256_fmadd_ps(a, right, sums[1]);
                }
                a = a.wrapping_add(a_step);
                b = b.wrapping_add(WIDTH);
            }
            for (row, sums) in sums.iter().enumerate() {
                for (half, &sum) in sums.iter().enumerate() {
                    let c = c.add(row * WIDTH + column + half * 8);
                    _mm256_storeu_ps(c, if add { _mm256_add_ps(_mm256_loadu_ps(c), sum) } else { sum });
                }
            }
        }
    }
}
