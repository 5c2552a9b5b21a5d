//! Rows of tokens on the CPU.

use super::{Part, Shape};
use crate::Real;

pub(super) fn join<T: Real>(shape: Shape, special: &[T], patches: &[T], positions: &[T], tokens: &mut [T]) {
    let (of_image, count) = (shape.tokens * shape.width, positions.len());
    for (image, to) in tokens.chunks_mut(of_image.max(1)).enumerate() {
        let patches = &patches[image * count..(image + 1) * count];
        let (before, rest) = to.split_at_mut(special.len());
        before.copy_from_slice(special);
        rest.iter_mut().zip(patches.iter().zip(positions)).for_each(|(to, (&patch, &position))| *to = patch + position);
    }
}

pub(super) fn cut<T: Real>(shape: Shape, from: &[T], first: usize, to: &mut [T]) {
    let (of_image, cut) = ((shape.tokens * shape.width).max(1), to.len() / shape.images.max(1));
    for (to, from) in to.chunks_mut(cut.max(1)).zip(from.chunks(of_image)) {
        let there = from.get(first * shape.width..).unwrap_or(&[]);
        let (filled, rest) = to.split_at_mut(there.len().min(cut));
        filled.copy_from_slice(&there[..filled.len()]);
        rest.fill(T::ZERO);
    }
}

pub(super) fn pool<T: Real>(shape: Shape, parts: &[Part], tokens: &[T], pooled: &mut [T]) {
    let Shape { tokens: count, width, .. } = shape;
    let of_images = pooled.chunks_mut((parts.len() * width).max(1)).zip(tokens.chunks((count * width).max(1)));
    for (pooled, tokens) in of_images {
        for (mean, part) in pooled.chunks_mut(width.max(1)).zip(parts) {
            mean.fill(T::ZERO);
            let rows = tokens[part.first * width..(part.first + part.count) * width].chunks(width.max(1));
            rows.for_each(|row| mean.iter_mut().zip(row).for_each(|(sum, &value)| *sum += value));
            mean.iter_mut().for_each(|sum| *sum *= share(*part));
        }
    }
}

pub(super) fn pool_backward<T: Real>(shape: Shape, parts: &[Part], dpooled: &[T], dtokens: &mut [T]) {
    let Shape { tokens: count, width, .. } = shape;
    dtokens.fill(T::ZERO);
    let of_images = dtokens.chunks_mut((count * width).max(1)).zip(dpooled.chunks((parts.len() * width).max(1)));
    for (dtokens, dpooled) in of_images {
        for (dmean, part) in dpooled.chunks(width.max(1)).zip(parts) {
            let rows = dtokens[part.first * width..(part.first + part.count) * width].chunks_mut(width.max(1));
            rows.for_each(|row| row.iter_mut().zip(dmean).for_each(|(d, &value)| *d += value * share(*part)));
        }
    }
}

fn share<T: Real>(part: Part) -> T {
    T::from_f64(1.0 / part.count.max(1) as f64)
}
