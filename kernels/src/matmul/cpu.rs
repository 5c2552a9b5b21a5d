//! The product on the CPU, by the `gemm` crate with AVX-512, AVX2 or plain code chosen at run time.
//!
//! With several threads each takes columns of the result and runs its own product: on wide results of few rows, as a
//! vision transformer's, that is faster than sharing one product among them.

use rayon::prelude::*;

use super::{Parallelism, View};
use crate::Real;

/// Fewest columns of a thread's share: above the size from which the product's sums are cut the same way.
const NARROWEST: usize = 128;

pub(super) fn matmul<T: Real>(alpha: T, a: View<&[T]>, b: View<&[T]>, beta: T, c: View<&mut [T]>, threads: Parallelism) {
    let product =
        Product { alpha, beta, a: Operand::of(a), b: Operand::of(b), c: c.data.as_mut_ptr(), strides: (c.row_stride, c.col_stride) };
    let shares = if matches!(threads, Parallelism::None) { 1 } else { rayon::current_num_threads().min(c.cols / NARROWEST) };
    if shares < 2 {
        return product.columns(0, c.cols, threads);
    }
    let share = c.cols.div_ceil(shares).next_multiple_of(16);
    (0..c.cols.div_ceil(share)).into_par_iter().for_each(|index| {
        let from = index * share;
        product.columns(from, share.min(c.cols - from), Parallelism::None);
    });
}

/// Where a matrix lies.
#[derive(Clone, Copy)]
struct Operand<T> {
    data: *const T,
    rows: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<T> Operand<T> {
    fn of(view: View<&[T]>) -> Self {
        let View { data, rows, row_stride, col_stride, .. } = view;
        Self { data: data.as_ptr(), rows, row_stride, col_stride }
    }
}

struct Product<T> {
    alpha: T,
    beta: T,
    a: Operand<T>,
    b: Operand<T>,
    c: *mut T,
    strides: (usize, usize),
}

// SAFETY: (1) the operands behind the pointers are borrowed for as long as the product exists, `c` mutably;
// (2) threads only call `columns`, each for columns of `c` that no other thread has.
unsafe impl<T: Sync> Sync for Product<T> {}

impl<T: Real> Product<T> {
    /// Computes the columns `from..from + count` of `c`.
    fn columns(&self, from: usize, count: usize, threads: Parallelism) {
        let Self { alpha, beta, a, b, c, strides } = self;
        if a.rows == 0 || count == 0 {
            return;
        }
        let reads_c = *beta != T::ZERO;
        // SAFETY: `super::matmul` has checked (1) that shapes fit, (2) that every view stays inside its slice, and the columns
        // asked for lie inside `b` and `c`; (3) `c` is borrowed mutably, so it overlaps neither `a` nor `b`; (4) strides are
        // below `isize::MAX`, because the slices exist. When `reads_c` is false the old values of `c` are not read.
        unsafe {
            gemm::gemm(
                a.rows,
                count,
                b.rows,
                c.add(from * strides.1),
                strides.1 as isize,
                strides.0 as isize,
                reads_c,
                a.data,
                a.col_stride as isize,
                a.row_stride as isize,
                b.data.add(from * b.col_stride),
                b.col_stride as isize,
                b.row_stride as isize,
                *beta,
                *alpha,
                false,
                false,
                false,
                threads,
            );
        }
    }
}
