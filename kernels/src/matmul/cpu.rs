//! The product on the CPU, by the `gemm` crate with AVX-512, AVX2 or plain code chosen at run time.

use super::{Parallelism, View};
use crate::Real;

pub(super) fn matmul<T: Real>(alpha: T, a: View<&[T]>, b: View<&[T]>, beta: T, c: View<&mut [T]>, threads: Parallelism) {
    let reads_c = beta != T::ZERO;
    // SAFETY: `super::matmul` has checked (1) that shapes fit, (2) that every view stays inside its slice;
    // (3) `c` is borrowed mutably, so it overlaps neither `a` nor `b`; (4) strides are positive and below `isize::MAX`,
    // because the slices exist. When `reads_c` is false the old values of `c` are not read.
    unsafe {
        gemm::gemm(
            c.rows,
            c.cols,
            a.cols,
            c.data.as_mut_ptr(),
            c.col_stride as isize,
            c.row_stride as isize,
            reads_c,
            a.data.as_ptr(),
            a.col_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.col_stride as isize,
            b.row_stride as isize,
            beta,
            alpha,
            false,
            false,
            false,
            threads,
        );
    }
}
