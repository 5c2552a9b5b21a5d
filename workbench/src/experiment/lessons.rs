//! Pictures as the model sees them, drawn once and kept, turned at random when learned from.

use datasets::synthetic::Cohort;
use ndarray::{Array4, s};
use rayon::prelude::*;
use xai::{Batch, Error, Preprocessor, cancellation};

use crate::progress;

/// Prepared pictures with their classes.
pub struct Lessons {
    pictures: Vec<Batch>,
    labels: Vec<usize>,
}

impl Lessons {
    /// Draws and prepares the images `indices` of a cohort.
    pub fn draw(cohort: &Cohort, indices: &[usize], preprocessor: &Preprocessor, what: &str) -> anyhow::Result<Self> {
        let bar = progress::bar(what, indices.len());
        let prepare = |&index: &usize| {
            cancellation::check()?;
            let drawn = cohort.sample(index).ok_or_else(|| anyhow::anyhow!("the cohort has no image {index}"))?;
            bar.add(1);
            Ok((preprocessor.prepare(&drawn.image)?, drawn.class.index()))
        };
        let drawn: Vec<_> = indices.par_iter().map(prepare).collect::<anyhow::Result<_>>()?;
        drop(bar);
        let (pictures, labels) = drawn.into_iter().unzip();
        Ok(Self { pictures, labels })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// The class of each.
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// Some pictures as they are.
    pub fn batch(&self, which: &[usize]) -> Result<Batch, Error> {
        Batch::stack(&which.iter().map(|&index| self.pictures[index].clone()).collect::<Vec<_>>())
    }

    /// Some pictures, each flipped and transposed as `turns` says: a lesson has no up or down.
    pub fn turned_batch(&self, which: &[usize], turns: &[u64]) -> Result<Batch, Error> {
        let turned = which.iter().zip(turns).map(|(&index, &symmetry)| turn(&self.pictures[index], symmetry));
        Batch::stack(&turned.collect::<Result<Vec<_>, _>>()?)
    }
}

/// One of the eight symmetries of a square picture; one that is not square is flipped only.
fn turn(picture: &Batch, symmetry: u64) -> Result<Batch, Error> {
    let mut pixels = picture.pixels();
    let (height, width) = picture.size();
    if symmetry & 1 == 1 {
        pixels = pixels.slice_move(s![.., .., ..;-1, ..]);
    }
    if symmetry & 2 == 2 {
        pixels = pixels.slice_move(s![.., .., .., ..;-1]);
    }
    if symmetry & 4 == 4 && height == width {
        pixels = pixels.permuted_axes([0, 1, 3, 2]);
    }
    Batch::new(Array4::from_shape_vec(pixels.dim(), pixels.iter().copied().collect()).unwrap_or_else(|_| pixels.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eight_turns_are_all_different_and_keep_the_colours() {
        let picture = Batch::new(Array4::from_shape_fn((1, 3, 2, 2), |(_, c, y, x)| (c * 4 + y * 2 + x) as f32)).unwrap();
        let turned: Vec<_> = (0..8).map(|symmetry| turn(&picture, symmetry).unwrap()).collect();
        for (index, one) in turned.iter().enumerate() {
            assert!(turned[..index].iter().all(|other| other != one), "turn {index} is another one again");
            assert_eq!(one.pixels().sum(), picture.pixels().sum());
        }
    }
}
