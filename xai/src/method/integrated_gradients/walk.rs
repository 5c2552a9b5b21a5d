//! Gradients along the path, taken and gathered where the model is: on the processor in `f64`, or on its device.

use ndarray::{Array2, Array3};

use super::Path;
use crate::Error;
use crate::method::gradient::{ChannelReduction, reduce};
use crate::method::passes::Passes;
use crate::vit::cuda::{Gather, Variants};

/// A point of the path with its weight in the sum; of no use where gradients are kept.
pub(super) type Point = (f64, f64);

/// What a pass found at a point.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visit {
    pub at: f64,
    pub score: f64,
    /// `(x − x₀)·gradient`: the derivative of the score along the path; zero where gradients are only summed.
    pub slope: f64,
}

/// A path, and the gradients of the points that were visited.
pub(super) struct Walk<'a> {
    pub path: &'a Path,
    gathered: Gathered<'a>,
}

enum Gathered<'a> {
    /// `Σ weight·gradient`, (C, H, W).
    Summed(Array3<f64>),
    /// `x − x₀`, and the gradient of every visit, (C, H, W).
    Kept(Array3<f64>, Vec<Array3<f32>>),
    OnDevice(Variants<'a>),
}

impl<'a> Walk<'a> {
    /// Sums gradients with the weights of their points.
    pub fn summing<'m: 'a>(passes: &Passes<'m>, path: &'a Path) -> Result<Self, Error> {
        Self::new(passes, path, Gather::Weighted, || Gathered::Summed(Array3::zeros(path.from.dim())))
    }

    /// Keeps every gradient.
    pub fn keeping<'m: 'a>(passes: &Passes<'m>, path: &'a Path) -> Result<Self, Error> {
        Self::new(passes, path, Gather::Kept, || Gathered::Kept(path.difference(), Vec::new()))
    }

    fn new<'m: 'a>(passes: &Passes<'m>, path: &'a Path, gather: Gather, here: impl FnOnce() -> Gathered<'a>) -> Result<Self, Error> {
        let on_device = Variants::along(passes.vit(), [path.from.view(), path.to.view()], path.target, gather)?;
        Ok(Self { path, gathered: on_device.map_or_else(here, Gathered::OnDevice) })
    }

    /// Takes the gradients at points, in their order.
    pub fn visit(&mut self, passes: &mut Passes, points: &[Point]) -> Result<Vec<Visit>, Error> {
        let Self { path, gathered } = self;
        if let Gathered::OnDevice(variants) = gathered {
            return visit_on_device(variants, passes, points);
        }
        let (mut left, mut visits) = (points.iter(), Vec::with_capacity(points.len()));
        passes.gradients(path.target, points.iter().map(|(at, _)| path.point(*at)), |score, gradient| {
            let (at, weight) = left.next().copied().unwrap_or_default();
            let mut slope = 0.0;
            match gathered {
                Gathered::Summed(sum) => sum.zip_mut_with(&gradient, |sum: &mut f64, &value| *sum += weight * f64::from(value)),
                Gathered::Kept(difference, kept) => {
                    slope = difference.iter().zip(gradient).map(|(difference, &value)| difference * f64::from(value)).sum();
                    kept.push(gradient.to_owned());
                }
                Gathered::OnDevice(_) => {}
            }
            visits.push(Visit { at, score, slope });
        })?;
        Ok(visits)
    }

    /// `(x − x₀)·Σ weight·gradient`, (H, W), and what it sums to over all channels; `weights` are those of the visits where gradients
    /// were kept.
    pub fn attribution(self, weights: &[f64], channels: ChannelReduction) -> Result<(Array2<f32>, f64), Error> {
        let mean_gradient = match self.gathered {
            Gathered::OnDevice(variants) => return variants.attribution(weights, channels.into()),
            Gathered::Summed(sum) => sum,
            Gathered::Kept(difference, kept) => {
                let mut sum = Array3::zeros(difference.dim());
                for (gradient, weight) in kept.iter().zip(weights) {
                    sum.zip_mut_with(gradient, |sum: &mut f64, &value| *sum += weight * f64::from(value));
                }
                sum
            }
        };
        let product = mean_gradient * self.path.difference();
        Ok((reduce(product.mapv(|value| value as f32).view(), channels), product.sum()))
    }
}

fn visit_on_device(variants: &mut Variants, passes: &mut Passes, points: &[Point]) -> Result<Vec<Visit>, Error> {
    let mut visits = Vec::with_capacity(points.len());
    while visits.len() < points.len() {
        let left = &points[visits.len()..];
        let found = variants.visit(left)?;
        passes.made(found.len(), variants.at_once());
        visits.extend(left.iter().zip(found).map(|((at, _), (score, slope))| Visit { at: *at, score, slope }));
    }
    Ok(visits)
}
