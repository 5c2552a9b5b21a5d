//! Products on a device: which way they take, and launches of the kernels in `cuda.cu`.

use crate::activation::{self, Activation};
use crate::cuda::{Address, Fault, Queue, Storage, arguments, run};

arguments! {
    /// As in `cuda.cu`; [`Product`] fills it.
    Linear {
        /// (rows, depth), or turned.
        left: Address,
        /// (columns, depth), or turned.
        right: Address,
        /// (rows, columns).
        y: Address,
        /// The same as f32.
        wide: Address,
        /// (columns).
        bias: Address,
        /// (rows, columns).
        residual: Address,
        /// (rows, columns).
        before: Address,
        /// (splits, rows, columns).
        partials: Address,
        /// Of the result.
        rows: i32,
        /// Of the result.
        columns: i32,
        /// What is summed over.
        depth: i32,
        /// Parts of the depth.
        splits: i32,
        /// What follows.
        then: i32,
        /// Which function.
        activation: i32,
    }
}

/// Which product; weights are (outputs, inputs).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Product {
    /// `Y = X·Wᵀ` from `X` (rows, inputs) and `W`: rows, outputs, inputs.
    Forward,
    /// `dX = dY·W` from `dY` (rows, outputs) and `W`: rows, inputs, outputs.
    Backward,
    /// `dW += dYᵀ·X` as f32, from `dY` (rows, outputs) and `X` (rows, inputs): outputs, inputs, rows.
    Weights,
}

/// What becomes of the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Written to these places, after the residual there, if any, was added.
    Store {
        /// In the storage of the factors.
        to: Address,
        /// What is added; may be `to`.
        residual: Address,
    },
    /// Written as f32.
    Wide(Address),
    /// Passed through an activation.
    Activate {
        /// Which.
        activation: Activation,
        /// Where what enters it is written; or none.
        before: Address,
        /// Where what leaves it is written.
        to: Address,
    },
    /// Multiplied with the activation's derivative.
    Gate {
        /// Of which.
        activation: Activation,
        /// What entered it.
        before: Address,
        /// Where the result is written.
        to: Address,
    },
}

/// Factors, and the extents of the result in the order that [`Product`] names.
#[derive(Debug, Clone, Copy)]
pub struct Factors {
    /// The left factor.
    pub left: Address,
    /// The right one.
    pub right: Address,
    /// (columns) as f32; or none.
    pub bias: Address,
    /// Rows, columns, and what is summed over; columns and depth are multiples of a pack, of `Weights` rows and columns are.
    pub extents: [usize; 3],
}

/// A product with all that belongs to it.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// Of the factors.
    pub storage: Storage,
    /// Which.
    pub product: Product,
    /// Of what.
    pub factors: Factors,
    /// What becomes of it.
    pub then: Then,
}

/// Memory for the parts of a product whose depth is split: f32 values.
#[derive(Debug, Clone, Copy)]
pub struct Scratch {
    /// Where it is.
    pub at: Address,
    /// How many values it has room for.
    pub values: usize,
}

/// Steps that a part of the depth has at least: with fewer, summing parts costs what splitting saves.
const FEWEST_STEPS: usize = 4;
const MOST_SPLITS: usize = 8;
const STAGES: usize = 4;

/// How a product is laid out over a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Side of a block's tile, 64 or 128.
    pub tile: usize,
    /// Parts of the depth, one after the other in memory.
    pub splits: usize,
}

impl Layout {
    /// Large tiles where they fill the device, small ones where they do not, and the depth in parts where even those do not.
    ///
    /// Architectures before `sm_80` have shared memory for small tiles only.
    pub fn of(queue: &dyn Queue, storage: Storage, [rows, columns, depth]: [usize; 3], room: usize) -> Self {
        let blocks = |tile: usize| rows.div_ceil(tile) * columns.div_ceil(tile);
        let there = queue.multiprocessors();
        if queue.capability() >= 80 && blocks(128) >= there {
            return Self { tile: 128, splits: 1 };
        }
        let steps = depth.div_ceil(64 / storage.bytes());
        let wanted = (there / blocks(64).max(1)).clamp(1, MOST_SPLITS).min(steps / FEWEST_STEPS);
        let fitting = room / (rows * columns).max(1);
        // A part without a step would be read before it is written by nobody; this many parts have one each.
        let splits = wanted.min(fitting).max(1);
        Self { tile: 64, splits: steps.div_ceil(steps.div_ceil(splits).max(1)).max(1) }
    }
}

/// Starts the product: the best way that the device has ([`Queue::product`]), else with own kernels.
///
/// # Errors
/// As for [`Queue::launch`].
pub fn product(queue: &dyn Queue, storage: Storage, product: Product, factors: Factors, then: Then, scratch: Scratch) -> Result<(), Fault> {
    let asked = Asked { storage, product, factors, then };
    if queue.product(&asked)? { Ok(()) } else { own(queue, &asked, scratch) }
}

/// Starts the product with the kernels of `cuda.cu`.
///
/// # Errors
/// As for [`Queue::launch`].
pub fn own(queue: &dyn Queue, asked: &Asked, scratch: Scratch) -> Result<(), Fault> {
    let Asked { storage, product, factors, then } = *asked;
    launch(queue, storage, product, Layout::of(queue, storage, factors.extents, scratch.values), structure(product, factors, then, scratch))
}

/// Starts the product in a given layout.
///
/// # Errors
/// As for [`Queue::launch`].
pub fn launch(queue: &dyn Queue, storage: Storage, product: Product, layout: Layout, mut linear: Linear) -> Result<(), Fault> {
    let Layout { tile, splits } = layout;
    linear.splits = splits as i32;
    let (rows, columns) = (linear.rows as usize, linear.columns as usize);
    let wide = storage == Storage::F32 && tile == 128;
    let how = ([columns.div_ceil(tile), rows.div_ceil(tile), splits], if wide { 256 } else { 128 }, shared(storage, product, tile));
    run(queue, ("linear", storage, kernel(product, tile)), how, &linear)?;
    if splits == 1 {
        return Ok(());
    }
    run(queue, ("linear", storage, "linear_sum"), ([(rows * columns / storage.pack()).div_ceil(256), 1, 1], 256, 0), &linear)
}

fn kernel(product: Product, tile: usize) -> &'static str {
    match (product, tile) {
        (Product::Forward, 128) => "linear_forward_128",
        (Product::Forward, _) => "linear_forward_64",
        (Product::Backward, 128) => "linear_backward_128",
        (Product::Backward, _) => "linear_backward_64",
        (Product::Weights, 128) => "linear_weights_128",
        (Product::Weights, _) => "linear_weights_64",
    }
}

/// Bytes of all stages: of both operands 64 bytes of the depth, and what keeps their rows in different banks.
fn shared(storage: Storage, product: Product, tile: usize) -> usize {
    let chunk = 64 / storage.bytes();
    let straight = tile * (chunk + storage.pack());
    let turned = chunk * (tile + 8);
    let values = match product {
        Product::Forward => 2 * straight,
        Product::Backward => straight + turned,
        Product::Weights => 2 * turned,
    };
    STAGES * values * storage.bytes()
}

/// The arguments of a product in one part.
pub fn structure(product: Product, factors: Factors, then: Then, scratch: Scratch) -> Linear {
    let Factors { left, right, bias, extents: [rows, columns, depth] } = factors;
    let none = Address::NONE;
    let code = activation::cuda::code;
    let gather = product == Product::Weights;
    let (y, wide, residual, before, then, activation) = match then {
        Then::Store { to, residual } => (to, none, residual, none, 0, 0),
        Then::Wide(to) => (none, to, none, none, if gather { 3 } else { 0 }, 0),
        Then::Activate { activation, before, to } => (to, none, none, before, 1, code(activation)),
        Then::Gate { activation, before, to } => (to, none, none, before, 2, code(activation)),
    };
    let (rows, columns, depth) = (rows as i32, columns as i32, depth as i32);
    let partials = scratch.at;
    Linear { left, right, y, wide, bias, residual, before, partials, rows, columns, depth, splits: 1, then, activation }
}
