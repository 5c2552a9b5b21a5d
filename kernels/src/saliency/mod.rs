//! Gradients at the pixels to maps: channels reduced, moments over samples, sums along a path.
//!
//! `SmoothGrad` and its kin (Smilkov et al. 2017; Hooker et al. 2019; Adebayo et al. 2018) read the mean and the squares of gradients
//! over noisy samples, integrated gradients (Sundararajan et al. 2017) a weighted sum along a path times `picture − baseline`.
//! All of them gather one gradient after the other and store none.

mod cpu;
pub mod cuda;

use crate::error::expect_len;
use crate::patchify::Shape;
use crate::{Error, Real};

/// How the channels of a pixel become one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reduction {
    /// Largest absolute value.
    MaxAbs,
    /// Euclidean length.
    Length,
    /// Signed sum.
    Sum,
}

/// What is told of the gradients of all samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Statistic {
    /// Their mean.
    Mean,
    /// The mean of their squares.
    MeanSquare,
    /// Their variance, divided by the number of samples.
    Variance,
}

/// Mean and sum of squared differences from it, over the gradients folded in so far (Welford 1962).
#[derive(Debug, Clone, Default)]
pub struct Moments<T> {
    /// Mean of each value.
    pub mean: Vec<T>,
    /// Sum over gradients of `(g − mean)²`.
    pub squares: Vec<T>,
    folded: usize,
}

impl<T: Real> Moments<T> {
    /// Nothing folded in yet, for gradients of `count` values.
    pub fn zero(count: usize) -> Self {
        Self { mean: vec![T::ZERO; count], squares: vec![T::ZERO; count], folded: 0 }
    }

    /// Folds in gradients (samples, count), one after the other.
    ///
    /// ```
    /// let mut moments = kernels::saliency::Moments::zero(1);
    /// moments.fold(&[1.0f64, 2.0, 6.0]).unwrap();
    /// assert_eq!((moments.mean[0], moments.squares[0]), (3.0, 14.0));
    /// ```
    pub fn fold(&mut self, gradients: &[T]) -> Result<(), Error> {
        expect_len("saliency", "gradients", gradients, whole(gradients, self.mean.len()))?;
        cpu::fold(self, gradients);
        Ok(())
    }

    /// A statistic of each value; not a number where nothing was folded in.
    ///
    /// ```
    /// use kernels::saliency::{Moments, Statistic};
    /// let mut moments = Moments::zero(1);
    /// moments.fold(&[1.0f64, 2.0, 6.0]).unwrap();
    /// let [square, variance] = [Statistic::MeanSquare, Statistic::Variance].map(|statistic| moments.read(statistic)[0]);
    /// assert!((square - 41.0 / 3.0).abs() < 1e-14 && (variance - 14.0 / 3.0).abs() < 1e-14);
    /// ```
    pub fn read(&self, statistic: Statistic) -> Vec<T> {
        cpu::read(self, statistic)
    }
}

/// `sum += Σ_s weights[s]·gradients[s]` for `gradients` (samples, count) and `sum` (count).
pub fn accumulate<T: Real>(weights: &[T], gradients: &[T], sum: &mut [T]) -> Result<(), Error> {
    expect_len("saliency", "gradients", gradients, weights.len() * sum.len())?;
    cpu::accumulate(weights, gradients, sum);
    Ok(())
}

/// `sum ← sum·moved` with `moved = picture − baseline`; returns what the attribution sums to.
///
/// By the path's theorem that is what the score gained from the baseline to the picture, up to the steps' error.
pub fn attribute<T: Real>(moved: &[T], sum: &mut [T]) -> Result<f64, Error> {
    expect_len("saliency", "moved", moved, sum.len())?;
    Ok(cpu::attribute(moved, sum))
}

/// Fills `map` (images, rows·size, cols·size) from values in the order of patches (images, rows·cols, channels·size·size).
///
/// ```
/// use kernels::{patchify::Shape, saliency::{reduce, Reduction}};
/// let shape = Shape { images: 1, channels: 2, rows: 1, cols: 1, size: 1 };
/// let mut map = [0.0f32];
/// reduce(shape, Reduction::Length, &[3.0, -4.0], &mut map).unwrap();
/// assert_eq!(map, [5.0]);
/// ```
pub fn reduce<T: Real>(shape: Shape, reduction: Reduction, values: &[T], map: &mut [T]) -> Result<(), Error> {
    expect_len("saliency", "values", values, shape.total())?;
    expect_len("saliency", "map", map, shape.total().checked_div(shape.channels).unwrap_or(0))?;
    cpu::reduce(shape, reduction, values, map);
    Ok(())
}

/// Values of the whole gradients in `gradients`.
fn whole<T>(gradients: &[T], count: usize) -> usize {
    gradients.len().checked_rem(count).map_or(0, |rest| gradients.len() - rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Tolerance, assert_close, seeded};
    use crate::patchify::unpatchify;

    #[test]
    fn moments_are_the_same_in_one_piece_and_in_two() {
        let gradients = seeded::<f64>(1, 7 * 5);
        let (mut whole, mut parts) = (Moments::zero(5), Moments::zero(5));
        whole.fold(&gradients).unwrap();
        parts.fold(&gradients[..15]).unwrap();
        parts.fold(&gradients[15..]).unwrap();
        assert_eq!((&whole.mean, &whole.squares), (&parts.mean, &parts.squares));
        let column: Vec<f64> = gradients.iter().copied().skip(2).step_by(5).collect();
        let mean = column.iter().sum::<f64>() / 7.0;
        let squares = column.iter().map(|v| (v - mean).powi(2)).sum();
        assert_close("mean and squares", &[whole.mean[2], whole.squares[2]], &[mean, squares], Tolerance::absolute(1e-14));
        assert!(whole.fold(&gradients[..6]).is_err());
    }

    #[test]
    fn a_map_is_what_its_pixels_say() {
        let shape = Shape { images: 2, channels: 3, rows: 2, cols: 3, size: 4 };
        let (values, area) = (seeded::<f64>(2, shape.total()), shape.total() / 6);
        let (mut pixels, mut map) = (vec![0.0; shape.total()], vec![0.0; shape.total() / 3]);
        unpatchify(shape, &values, &mut pixels).unwrap();
        reduce(shape, Reduction::Sum, &values, &mut map).unwrap();
        let channels = |index: usize| (0..3).map(move |channel| (index / area * 3 + channel) * area + index % area);
        let expected: Vec<f64> = (0..map.len()).map(|index| channels(index).map(|at| pixels[at]).sum()).collect();
        assert_close("map", &map, &expected, Tolerance::absolute(1e-14));
    }

    #[test]
    fn a_linear_score_is_attributed_whole() {
        let (gradient, moved) = (seeded::<f64>(3, 6), seeded::<f64>(4, 6));
        let mut sum = vec![0.0; 6];
        accumulate(&[0.25, 0.75], &[&gradient[..], &gradient[..]].concat(), &mut sum).unwrap();
        let gained: f64 = gradient.iter().zip(&moved).map(|(g, m)| g * m).sum();
        assert!((attribute(&moved, &mut sum).unwrap() - gained).abs() < 1e-14);
    }
}
