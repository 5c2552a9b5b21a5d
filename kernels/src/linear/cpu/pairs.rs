//! Products of bf16 pairs with sums in f32: AVX512-BF16.

use std::arch::x86_64::*;
use std::ops::Range;

use super::super::panels::{STEP, WIDTH};
use super::{Path, Product, as_f32_mut, shares};
use crate::Real;
use crate::workspace::Corner;

/// Most rows of a strip: 28 of the 32 registers hold sums.
pub(super) const ROWS: usize = 14;
/// Pairs of inputs before the next strip: a block of a panel stays in the first cache.
const BLOCK: usize = 256;

pub(super) struct Pairs<'a> {
    weight: &'a [u16],
    /// Pairs of inputs, padding included.
    pairs: usize,
    rows: usize,
    /// Strips of rows one after the other, each (pairs, its rows, 2).
    packed: &'a [u16],
}

impl<'a> Pairs<'a> {
    pub fn new<T: Real>(weight: &'a [u16], product: &Product<T>, rows: usize, packed: &'a [u16]) -> Self {
        Self { weight, pairs: product.inputs.next_multiple_of(STEP) / 2, rows, packed }
    }

    fn block(&self, panel: usize, pairs: Range<usize>, results: &mut [f32]) {
        let b = &self.weight[(panel * self.pairs + pairs.start) * 2 * WIDTH..][..pairs.len() * 2 * WIDTH];
        let mut row = 0;
        for rows in shares(self.rows, ROWS) {
            let a = &self.packed[(row * self.pairs + pairs.start * rows) * 2..][..pairs.len() * rows * 2];
            let c = &mut results[row * WIDTH..][..rows * WIDTH];
            // SAFETY: the slices hold every element of the strip; this path is only taken where AVX512-BF16 was found.
            unsafe { strip(rows, pairs.len(), a.as_ptr(), b.as_ptr(), c.as_mut_ptr(), pairs.start > 0) };
            row += rows;
        }
    }
}

impl<T: Real> Path<T> for Pairs<'_> {
    fn result_rows(&self) -> usize {
        self.rows
    }

    fn multiply(&self, panels: Range<usize>, corner: &mut Corner<T>) {
        let per_panel = self.rows * WIDTH;
        let results = as_f32_mut(corner.results.at_least(panels.len() * per_panel));
        for start in (0..self.pairs).step_by(BLOCK) {
            let pairs = start..self.pairs.min(start + BLOCK);
            for (panel, results) in panels.clone().zip(results.chunks_mut(per_panel)) {
                self.block(panel, pairs.clone(), results);
            }
        }
    }
}

/// # Safety
/// `a` holds (pairs, rows, 2), `b` (pairs, 32, 2), `c` (rows, 32), and the processor has AVX512-BF16.
unsafe fn strip(rows: usize, pairs: usize, a: *const u16, b: *const u16, c: *mut f32, add: bool) {
    macro_rules! rows {
        ($($rows:literal)*) => {
            match rows {
                // SAFETY: the caller's promise, with the rows there are.
                $($rows => unsafe { of_rows::<$rows>(pairs, a, b, c, add) },)*
                other => unreachable!("a strip of {other} rows"),
            }
        };
    }
    rows!(1 2 3 4 5 6 7 8 9 10 11 12 13 14)
}

#[target_feature(enable = "avx512f,avx512bf16")]
unsafe fn of_rows<const ROWS: usize>(pairs: usize, mut a: *const u16, mut b: *const u16, c: *mut f32, add: bool) {
    let mut sums = [[_mm512_setzero_ps(); 2]; ROWS];
    // SAFETY: the caller's promise. A vector of 512 bits is a vector of 512 bits, whatever it holds.
    unsafe {
        for _ in 0..pairs {
            let load = |half: usize| std::mem::transmute::<__m512i, __m512bh>(_mm512_loadu_si512(b.add(half * WIDTH).cast()));
            let (left, right) = (load(0), load(1));
            for (row, sums) in sums.iter_mut().enumerate() {
                let pair = _mm512_set1_epi32(a.add(2 * row).cast::<i32>().read_unaligned());
                let pair = std::mem::transmute::<__m512i, __m512bh>(pair);
                sums[0] = _mm512_dpbf16_ps(sums[0], pair, left);
                sums[1] = _mm512_dpbf16_ps(sums[1], pair, right);
            }
            a = a.wrapping_add(2 * ROWS);
            b = b.wrapping_add(2 * WIDTH);
        }
        for (row, sums) in sums.iter().enumerate() {
            for (half, &sum) in sums.iter().enumerate() {
                let c = c.add(row * WIDTH + half * 16);
                _mm512_storeu_ps(c, if add { _mm512_add_ps(_mm512_loadu_ps(c), sum) } else { sum });
            }
        }
    }
}
