//! Launches of `cuda_hopper.cu`: products by warpgroups, for capability 90 and storage of 16 bits.
//!
//! These kernels have met no hardware. A device takes them where they are asked for by name ([`products`](crate::cuda::products)), and
//! after they were [proven](crate::cuda::proof::warpgroups) there against those of `cuda.cu`.

use super::cuda::{Factors, Product, Scratch, Then, structure};
use crate::activation::Activation;
use crate::cuda::{Address, Fault, Queue, Storage, run};

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
    pub fn of(queue: &dyn Queue, storage: Storage, product: Product, [rows, columns, depth]: [usize; 3], then: Then) -> Option<Self> {
        let there = queue.multiprocessors();
        let blocks = |tile: Self| rows.div_ceil(ROWS) * columns.div_ceil(tile.columns());
        if !exists(queue, storage, product) || blocks(Self::Narrow) < there {
            return None;
        }
        // Cycles of a wave: its steps, and the way out, which only two blocks together hide as far as they have issue slots for both.
        let (steps, out) = (depth.div_ceil(CHUNK), way_out(then));
        let wide = blocks(Self::Wide).div_ceil(there) * (1024 * steps + out);
        let narrow = blocks(Self::Narrow).div_ceil(2 * there) * (1280 * steps).max(544 * steps + out);
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

/// Cycles in which 128 by 256 sums leave, counted in the assembled code: issue slots of each scheduler, which are more than the 2048 cycles
/// of shared memory, and without an activation about what 64 KiB take at a multiprocessor's share of the memory.
fn way_out(then: Then) -> usize {
    match then {
        Then::Activate { activation: Activation::Gelu | Activation::GeluTanh, .. } => 10_200,
        Then::Gate { activation: Activation::Gelu | Activation::GeluTanh, .. } => 12_700,
        _ => 3600,
    }
}

/// Whether there is a kernel for this at all.
pub(crate) fn exists(queue: &dyn Queue, storage: Storage, product: Product) -> bool {
    queue.capability() == 90 && storage != Storage::F32 && product != Product::Weights
}

/// Starts the product if this is the way for it ([`Tile::of`]); false where it is not, and nothing was started.
///
/// # Errors
/// As for [`Queue::launch`].
pub fn product(queue: &dyn Queue, storage: Storage, product: Product, factors: Factors, then: Then) -> Result<bool, Fault> {
    let Some(tile) = Tile::of(queue, storage, product, factors.extents, then) else { return Ok(false) };
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
