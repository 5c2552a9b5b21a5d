//! Parity on fresh random numbers: every kernel against its definition in `f64`, and the engine against the processor's.

mod attention;
mod engine;
mod fused;
mod products;
mod rollout;
mod rows;

use kernels::cuda::{Fault, Storage, modules};

use super::arrays::Memory;
use super::gates::Gates;
pub use engine::{hold, on};

/// Kernels' files that [`kernels`] runs.
const DRIVEN: [&str; 12] = [
    "attention",
    "attention_backward",
    "attention_fused",
    "attention_map",
    "layer_norm",
    "layer_norm_wide",
    "linear",
    "patchify_values",
    "rollout",
    "rollout_explicit",
    "rollout_rows",
    "tokens",
];

/// Rows, tokens or images.
const RAGGED: [usize; 8] = [1, 17, 64, 65, 145, 197, 257, 577];
const RAGGED_QUICK: [usize; 2] = [1, 17];

/// What the cases of one kind of storage share.
pub struct Lab<'a> {
    pub memory: &'a Memory,
    pub storage: Storage,
    pub seed: u64,
    pub quick: bool,
}

impl Lab<'_> {
    /// Seeded numbers in [−1, 1), others for each `place`.
    pub fn numbers(&self, place: u64, count: usize) -> Vec<f64> {
        kernels::check::seeded(self.seed.wrapping_mul(31).wrapping_add(place), count)
    }

    /// How far a kernel's results may lie from their definition.
    pub fn limit(&self) -> f64 {
        limit(self.storage)
    }
}

/// The relative distance that is allowed for results kept so.
pub fn limit(storage: Storage) -> f64 {
    match storage {
        Storage::F32 => 1e-5,
        Storage::F16 | Storage::Bf16 => 1e-2,
    }
}

/// A case at one size: what it is called, and how it is run.
type Case = (&'static str, fn(&Lab, usize, &mut Gates) -> Result<(), Fault>);

const CASES: [Case; 10] = [
    ("products forward", products::forward),
    ("products backward", products::backward),
    ("products for weights", products::weights),
    ("attention", attention::forward_and_map),
    ("attention with its map", fused::on_the_way),
    ("attention backward", attention::backward),
    ("layer norm", rows::layer_norm),
    ("tokens and patches", rows::tokens_and_patches),
    ("rollout", rollout::row),
    ("rollout, all rows", rollout::product),
];

/// Runs every kernel that Rust launches at ragged sizes; `step` is told after each case.
pub fn kernels(memory: &Memory, storages: &[Storage], (seed, quick): (u64, bool), gates: &mut Gates, step: &dyn Fn()) {
    let sizes: &[usize] = if quick { &RAGGED_QUICK } else { &RAGGED };
    for &storage in storages {
        for (index, &size) in sizes.iter().enumerate() {
            let lab = Lab { memory, storage, seed: seed.wrapping_add(1000 * index as u64), quick };
            for (name, case) in CASES {
                if let Err(fault) = case(&lab, size, gates) {
                    gates.fault(format!("{name}, {size}"), storage, fault);
                }
                step();
            }
        }
    }
}

/// Steps that [`kernels`] tells of.
pub fn steps(storages: usize, quick: bool) -> usize {
    storages * CASES.len() * if quick { RAGGED_QUICK.len() } else { RAGGED.len() }
}

/// Kernels that are only run inside whole passes here, if at all.
pub fn not_driven() -> Vec<&'static str> {
    modules::names().into_iter().filter(|name| !DRIVEN.contains(name)).collect()
}
