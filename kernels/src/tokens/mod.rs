//! Rows of tokens: put together of patches and the tokens before them, cut to the leading ones, pooled into what a head reads.
//!
//! Tokens are (images, tokens, width). What is pooled is a list of [`Part`]s, each the mean of some neighbouring tokens.

mod cpu;
pub mod cuda;

use crate::error::expect_len;
use crate::{Error, Real};

/// Neighbouring tokens whose mean is read; one token is the mean of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The first of them.
    pub first: usize,
    /// How many.
    pub count: usize,
}

/// Extents of rows of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Images in the batch.
    pub images: usize,
    /// Tokens of an image.
    pub tokens: usize,
    /// Values of a token.
    pub width: usize,
}

impl Shape {
    /// Values of the batch.
    pub fn total(self) -> usize {
        self.images * self.tokens * self.width
    }
}

/// `tokens[b] = [special; patches[b] + positions]` with `special` (S, width), `patches` (images, P, width), `positions` (P, width).
pub fn join<T: Real>(shape: Shape, special: &[T], patches: &[T], positions: &[T], tokens: &mut [T]) -> Result<(), Error> {
    let count = (shape.tokens * shape.width).saturating_sub(special.len());
    expect_len("tokens", "positions", positions, count)?;
    expect_len("tokens", "patches", patches, shape.images * count)?;
    expect_len("tokens", "tokens", tokens, shape.total())?;
    cpu::join(shape, special, patches, positions, tokens);
    Ok(())
}

/// `to[b][t] = from[b][first + t]`, zero where `from` has no such token; `to` has `count` tokens an image.
///
/// ```
/// use kernels::tokens::{Shape, cut};
/// let shape = Shape { images: 2, tokens: 2, width: 1 };
/// let mut leading = [0.0; 2];
/// cut(shape, &[1.0, 2.0, 3.0, 4.0], 0, &mut leading).unwrap();
/// assert_eq!(leading, [1.0, 3.0]);
/// ```
pub fn cut<T: Real>(shape: Shape, from: &[T], first: usize, to: &mut [T]) -> Result<(), Error> {
    expect_len("tokens", "from", from, shape.total())?;
    expect_len("tokens", "to", to, to.len() / (shape.images * shape.width).max(1) * shape.images * shape.width)?;
    cpu::cut(shape, from, first, to);
    Ok(())
}

/// `pooled[b] = [mean of part 1, mean of part 2, …]`, (images, parts·width).
pub fn pool<T: Real>(shape: Shape, parts: &[Part], tokens: &[T], pooled: &mut [T]) -> Result<(), Error> {
    expect_len("tokens", "tokens", tokens, shape.total())?;
    expect_len("tokens", "pooled", pooled, shape.images * parts.len() * shape.width)?;
    cpu::pool(shape, parts, tokens, pooled);
    Ok(())
}

/// The gradient at the tokens from the one at what was pooled; tokens that no part reads have none.
pub fn pool_backward<T: Real>(shape: Shape, parts: &[Part], dpooled: &[T], dtokens: &mut [T]) -> Result<(), Error> {
    expect_len("tokens", "dpooled", dpooled, shape.images * parts.len() * shape.width)?;
    expect_len("tokens", "dtokens", dtokens, shape.total())?;
    cpu::pool_backward(shape, parts, dpooled, dtokens);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape { images: 2, tokens: 3, width: 2 };
    const PARTS: [Part; 2] = [Part { first: 0, count: 1 }, Part { first: 1, count: 2 }];

    #[test]
    fn a_cut_beyond_the_end_is_zero() {
        let from: Vec<f64> = (1..=12).map(f64::from).collect();
        let mut to = vec![9.0; 8];
        cut(SHAPE, &from, 2, &mut to).unwrap();
        assert_eq!(to, [5.0, 6.0, 0.0, 0.0, 11.0, 12.0, 0.0, 0.0]);
    }

    #[test]
    fn pooling_and_its_gradient_are_each_others_transpose() {
        let (x, d) = (crate::check::seeded::<f64>(1, 12), crate::check::seeded::<f64>(2, 8));
        let (mut pooled, mut back) = (vec![0.0; 8], vec![0.0; 12]);
        pool(SHAPE, &PARTS, &x, &mut pooled).unwrap();
        pool_backward(SHAPE, &PARTS, &d, &mut back).unwrap();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        assert!((dot(&pooled, &d) - dot(&x, &back)).abs() < 1e-12);
        assert!((pooled[2] - (x[2] + x[4]) / 2.0).abs() < 1e-12);
    }

    #[test]
    fn special_tokens_stand_before_patches() {
        let mut tokens = vec![0.0; 12];
        join(SHAPE, &[1.0, 2.0], &[10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0], &[0.1, 0.2, 0.3, 0.4], &mut tokens).unwrap();
        assert_eq!(tokens, [1.0, 2.0, 10.1, 20.2, 30.3, 40.4, 1.0, 2.0, 50.1, 60.2, 70.3, 80.4]);
    }
}
