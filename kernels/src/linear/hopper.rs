//! Launches of `cuda_hopper.cu`: products by warpgroups, for capability 90 and storage of 16 bits.
//!
//! These kernels have met no hardware. A device takes them where they are asked for by name ([`products`](crate::cuda::products)), and
//! after [`agrees`] has proven them there against those of `cuda.cu`.

use super::cuda::{Factors, Layout, Product, Scratch, Then, launch as launch_twin, structure};
use crate::check::seeded;
use crate::cuda::{Address, Fault, Queue, Storage, decode, encode, run};

/// Rows of a block's tile.
const ROWS: usize = 128;
/// How deep a step is.
const CHUNK: usize = 64;

/// Columns of a block's tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tile {
    /// 128, two blocks on a multiprocessor.
    Narrow,
    /// 256, one.
    Wide,
}

impl Tile {
    /// The tile that is predicted to be done first, which is not measured; none where the product is left to the twin in `cuda.cu`: other
    /// devices, f32, gradients of weights, and products whose tiles do not fill the device.
    pub fn of(queue: &dyn Queue, storage: Storage, product: Product, [rows, columns, depth]: [usize; 3]) -> Option<Self> {
        let there = queue.multiprocessors();
        let blocks = |tile: Self| rows.div_ceil(ROWS) * columns.div_ceil(tile.columns());
        if !exists(queue, storage, product) || blocks(Self::Narrow) < there {
            return None;
        }
        // Cycles: a wave's steps, and the way out, which only two blocks together hide.
        let steps = depth.div_ceil(CHUNK);
        let wide = blocks(Self::Wide).div_ceil(there) * (1024 * steps + 3600);
        let narrow = blocks(Self::Narrow).div_ceil(2 * there) * (1280 * steps);
        Some(if wide <= narrow { Self::Wide } else { Self::Narrow })
    }

    fn columns(self) -> usize {
        match self {
            Self::Narrow => 128,
            Self::Wide => 256,
        }
    }

    /// Bytes of all stages, three of two blocks or four of one, and what brings them to a multiple of 1024.
    fn shared(self) -> usize {
        let stages = if self == Self::Narrow { 3 } else { 4 };
        stages * (ROWS + self.columns()) * CHUNK * 2 + 1024
    }
}

/// Whether there is a kernel for this at all.
fn exists(queue: &dyn Queue, storage: Storage, product: Product) -> bool {
    queue.capability() == 90 && storage != Storage::F32 && product != Product::Weights
}

/// Starts the product if this is the way for it ([`Tile::of`]); false where it is not, and nothing was started.
///
/// # Errors
/// As for [`Queue::launch`].
pub fn product(queue: &dyn Queue, storage: Storage, product: Product, factors: Factors, then: Then) -> Result<bool, Fault> {
    let Some(tile) = Tile::of(queue, storage, product, factors.extents) else { return Ok(false) };
    launch(queue, storage, product, tile, (factors, then))
}

/// The same in a given tile, however little of the device that fills: for proofs. False where there is no such kernel.
///
/// # Errors
/// As for [`Queue::launch`].
pub fn launch(queue: &dyn Queue, storage: Storage, product: Product, tile: Tile, (factors, then): (Factors, Then)) -> Result<bool, Fault> {
    if !exists(queue, storage, product) {
        return Ok(false);
    }
    let kernel = match (product, tile) {
        (Product::Forward, Tile::Narrow) => "linear_hopper_forward_128",
        (Product::Forward, Tile::Wide) => "linear_hopper_forward_256",
        (_, Tile::Narrow) => "linear_hopper_backward_128",
        (_, Tile::Wide) => "linear_hopper_backward_256",
    };
    let [rows, columns, _] = factors.extents;
    let grid = [columns.div_ceil(tile.columns()), rows.div_ceil(ROWS), 1];
    let linear = structure(product, factors, then, NO_SCRATCH);
    run(queue, ("linear_hopper", storage, kernel), (grid, 256, tile.shared()), &linear).map(|()| true)
}

const NO_SCRATCH: Scratch = Scratch { at: Address::NONE, values: 0 };

/// Rows, columns and depth of the proof: more than one tile each way, none of them whole, and more steps than stages.
const PROOF: [usize; 3] = [150, 264, 392];

/// How far f32 sums of the same products may lie apart, in their order alone: relative to the largest.
const APART: f32 = 1e-4;

/// Whether both tiles of this product give on this device what the twin in `cuda.cu` gives; false also where there is no such kernel.
///
/// Synchronises; for a device's first use, not while launches are recorded. A kernel that a device cannot bear ends in its fault.
///
/// # Errors
/// As for [`Queue::allocate`], [`Queue::launch`] and [`Queue::download`].
pub fn agrees(queue: &dyn Queue, storage: Storage, product: Product) -> Result<bool, Fault> {
    if !exists(queue, storage, product) {
        return Ok(false);
    }
    let [rows, columns, depth] = PROOF;
    let bytes = [rows * depth * storage.bytes(), columns * depth * storage.bytes(), rows * columns * 4];
    let at = queue.allocate(bytes.iter().map(|bytes| bytes.next_multiple_of(256)).sum())?;
    let agreed = compared(queue, storage, product, at, bytes);
    queue.free(at);
    agreed
}

fn compared(queue: &dyn Queue, storage: Storage, product: Product, left: Address, bytes: [usize; 3]) -> Result<bool, Fault> {
    let after = |at: Address, bytes: usize| Address(at.0 + bytes.next_multiple_of(256) as u64);
    let right = after(left, bytes[0]);
    let wide = after(right, bytes[1]);
    for (seed, at, bytes) in [(1, left, bytes[0]), (2, right, bytes[1])] {
        queue.upload(at, &encode(storage, &seeded::<f32>(seed, bytes / storage.bytes())))?;
    }
    let factors = Factors { left, right, bias: Address::NONE, extents: PROOF };
    let then = Then::Wide(wide);
    let sums = |start: &dyn Fn() -> Result<(), Fault>| {
        queue.upload(wide, &vec![0xff; bytes[2]])?;
        start()?;
        let mut found = vec![0; bytes[2]];
        queue.download(wide, &mut found)?;
        Ok(decode::<f32>(Storage::F32, &found))
    };
    let twin =
        sums(&|| launch_twin(queue, storage, product, Layout { tile: 64, splits: 1 }, structure(product, factors, then, NO_SCRATCH)))?;
    for tile in [Tile::Narrow, Tile::Wide] {
        if !near(&sums(&|| launch(queue, storage, product, tile, (factors, then)).map(|_| ()))?, &twin, APART) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether all values are numbers that lie within `apart` of their twins, relative to the largest of those.
pub(crate) fn near(found: &[f32], twins: &[f32], apart: f32) -> bool {
    let most = twins.iter().fold(0.0, |most: f32, twin| most.max(twin.abs()));
    found.len() == twins.len() && most > 0.0 && found.iter().zip(twins).all(|(a, b)| (a - b).abs() <= apart * most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_near_is_found() {
        let twins = [1.0, -2.0, 0.5];
        assert!(near(&[1.0, -2.0001, 0.5], &twins, 1e-4));
        assert!(!near(&[1.0, -2.001, 0.5], &twins, 1e-4));
        assert!(!near(&[1.0, f32::NAN, 0.5], &twins, 1e-4) && !near(&[1.0, -2.0], &twins, 1e-4));
        assert!(!near(&[0.0; 3], &[0.0; 3], 1e-4), "zeros prove nothing");
        assert!(!near(&[1.0; 3], &[f32::NAN; 3], 1e-4));
    }
}
