//! Matrix product on strided views: `C ← alpha·A·B + beta·C`.
//!
//! `A` is (m, k), `B` is (k, n), `C` is (m, n); a view is a slice with a shape and two strides, so transposes and the
//! columns of one attention head cost nothing.

mod cpu;

pub use gemm::Parallelism;

use crate::Real;

/// A matrix that lies in a slice.
#[derive(Debug, Clone, Copy)]
pub struct View<S> {
    data: S,
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<S> View<S> {
    /// Rows one after the other: element (i, j) at `i·stride + j`.
    pub fn rows(data: S, rows: usize, cols: usize, stride: usize) -> Self {
        Self { data, rows, cols, row_stride: stride, col_stride: 1 }
    }

    /// A square matrix without gaps.
    pub fn square(data: S, side: usize) -> Self {
        Self::rows(data, side, side, side)
    }

    /// The same matrix with rows and columns exchanged.
    pub fn transposed(self) -> Self {
        Self { data: self.data, rows: self.cols, cols: self.rows, row_stride: self.col_stride, col_stride: self.row_stride }
    }

    /// Values that the slice must hold at least.
    fn extent(&self) -> usize {
        if self.rows == 0 || self.cols == 0 {
            return 0;
        }
        (self.rows - 1) * self.row_stride + (self.cols - 1) * self.col_stride + 1
    }
}

/// `c ← alpha·a·b + beta·c`.
///
/// # Panics
/// When shapes do not fit or a view reaches beyond its slice: both are mistakes of the calling kernel, never of input.
///
/// ```
/// use kernels::matmul::{matmul, Parallelism, View};
/// let (a, b, mut c) = ([1.0f32, 2.0], [3.0f32, 4.0], [10.0f32]);
/// let column = View::rows(&b[..], 1, 2, 2).transposed();
/// matmul(1.0, View::rows(&a[..], 1, 2, 2), column, 1.0, View::rows(&mut c[..], 1, 1, 1), Parallelism::None);
/// assert_eq!(c, [10.0 + 1.0 * 3.0 + 2.0 * 4.0]);
/// ```
pub fn matmul<T: Real>(alpha: T, a: View<&[T]>, b: View<&[T]>, beta: T, c: View<&mut [T]>, threads: Parallelism) {
    assert!(a.rows == c.rows && a.cols == b.rows && b.cols == c.cols, "matmul: shapes do not fit");
    assert!(a.extent() <= a.data.len() && b.extent() <= b.data.len() && c.extent() <= c.data.len(), "matmul: a view is too long");
    cpu::matmul(alpha, a, b, beta, c, threads);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Tolerance, assert_close, seeded};

    fn by_definition(a: &[f64], b: &[f64], (m, k, n): (usize, usize, usize)) -> Vec<f64> {
        let dot = |i: usize, j: usize| (0..k).map(|p| a[i * k + p] * b[p * n + j]).sum();
        (0..m * n).map(|at| dot(at / n, at % n)).collect()
    }

    #[test]
    fn agrees_with_the_definition_for_ragged_shapes() {
        for (m, k, n) in [(1, 1, 1), (1, 7, 5), (3, 5, 1), (17, 33, 9), (64, 64, 64), (65, 129, 31)] {
            let (a, b) = (seeded::<f32>(1, m * k), seeded::<f32>(2, k * n));
            let wide = |v: &[f32]| v.iter().map(|x| f64::from(*x)).collect::<Vec<_>>();
            let expected = by_definition(&wide(&a), &wide(&b), (m, k, n));
            for threads in [Parallelism::None, Parallelism::Rayon(0)] {
                let mut c = vec![f32::NAN; m * n];
                matmul(1.0, View::rows(&a, m, k, k), View::rows(&b, k, n, n), 0.0, View::rows(&mut c, m, n, n), threads);
                assert_close(&format!("{m}x{k}x{n}"), &c, &expected, Tolerance::both(1e-5));
            }
        }
    }

    #[test]
    fn accumulates_and_scales() {
        let mut c = [1.0f64; 4];
        let identity = [1.0, 0.0, 0.0, 1.0];
        matmul(3.0, View::rows(&identity, 2, 2, 2), View::rows(&identity, 2, 2, 2), 2.0, View::rows(&mut c, 2, 2, 2), Parallelism::None);
        assert_eq!(c, [5.0, 2.0, 2.0, 5.0]);
    }

    #[test]
    #[should_panic(expected = "too long")]
    fn a_view_beyond_its_slice_is_refused() {
        let a = [1.0f32; 3];
        matmul(1.0, View::rows(&a, 2, 2, 2), View::rows(&a, 2, 1, 1), 0.0, View::rows(&mut [0.0; 2], 2, 1, 1), Parallelism::None);
    }

    #[test]
    fn threads_do_not_change_bits() {
        let (m, k, n) = (145, 1030, 257);
        let (a, b) = (seeded::<f32>(1, m * k), seeded::<f32>(2, k * n));
        let product = |threads| {
            let mut c = vec![0.0; m * n];
            matmul(1.0, View::rows(&a, m, k, k), View::rows(&b[..], n, k, k).transposed(), 0.0, View::rows(&mut c, m, n, n), threads);
            c
        };
        assert_eq!(product(Parallelism::None), product(Parallelism::Rayon(0)));
    }
}
