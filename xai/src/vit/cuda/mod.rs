//! The same forward and backward passes on a CUDA device, on top of the kernels that `kernels` launches.
//!
//! Read the files in this order: `weights` (what lies on the device), `places` (where a pass keeps its numbers), `input`, `forward`,
//! `attend`, `backward`, `passed`, `maps` and `pulled` (what the rest of the crate sees of a pass), `variants` (passes of a method's own),
//! `learning`. The structure is that of the engine on the CPU, with what a device asks for: LayerScale is folded into weights, heads and
//! hidden layers are filled up with zeros to the widths that kernels have, and the launches of a pass are recorded once for each shape
//! and replayed.

mod attend;
mod backward;
mod forward;
mod input;
pub(crate) mod learning;
mod maps;
mod passed;
mod places;
mod pulled;
mod replay;
#[cfg(all(test, unix))]
pub(crate) mod tests;
mod variants;
mod weights;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kernels::cuda::driver::Driver;
use kernels::cuda::{Address, Arena, Fault, Queue, Region, Storage, as_bytes, as_bytes_mut, decode};
use kernels::linear::cuda::Scratch;

use super::config::VitConfig;
use super::embedding;
use super::forward::Keep;
use super::weights::Weights;
use crate::{Error, Patches, Precision};
pub(crate) use input::Pictures;
pub(crate) use passed::Passed;
use places::Sizes;
pub(crate) use pulled::Pulled;
use replay::Replays;
pub(crate) use variants::{Gather, Variants};
use weights::OnDevice;

/// What gradients are multiplied with where they are kept as f16, whose smallest normal number is 6·10⁻⁵.
const F16_GRADIENTS: f32 = 4096.0;

/// A model on a device.
#[derive(Debug)]
pub(crate) struct Engine {
    pub queue: Arc<dyn Queue>,
    pub storage: Storage,
    arena: Arena,
    weights: OnDevice,
    /// For products whose depth is split; passes take turns with it.
    partials: Region,
    /// Positions and the tokens before the patches, for every grid that was asked for.
    grids: Mutex<HashMap<(usize, usize), Arc<Grid>>>,
    /// One pass at a time: launches of two would mix in what is recorded.
    turn: Mutex<Replays>,
}

/// What is added to the patches of a grid, and what stands before them, as f32.
#[derive(Debug)]
struct Grid {
    /// (P, D), then (S, D).
    region: Region,
    positions: usize,
}

impl Engine {
    /// Brings a model onto the device of this ordinal; bf16 is f16 on devices that lack it.
    pub fn open(ordinal: usize, config: &VitConfig, weights: &Weights<f32>, precision: Precision) -> Result<Self, Error> {
        let driver = Driver::open(ordinal).map_err(|fault| kernels::Error::Cuda { ordinal, fault })?;
        let storage = match precision {
            Precision::F32 => Storage::F32,
            Precision::Bf16 if driver.capability() < 80 => Storage::F16,
            Precision::Bf16 => Storage::Bf16,
        };
        Self::on(Arc::new(driver), storage, config, weights)
    }

    /// Brings a model onto a device.
    pub fn on(queue: Arc<dyn Queue>, storage: Storage, config: &VitConfig, weights: &Weights<f32>) -> Result<Self, Error> {
        let arena = Arena::new(queue.clone());
        let weights = OnDevice::upload(&arena, storage, config, weights)?;
        let partials = arena.take(4 * partials(&*queue)).map_err(failed)?;
        Ok(Self { queue, storage, arena, weights, partials, grids: Mutex::default(), turn: Mutex::default() })
    }

    /// The most bytes of the device that it held since this was last asked for.
    pub fn most_bytes(&self) -> usize {
        self.arena.most_bytes()
    }

    fn scratch(&self) -> Scratch {
        Scratch { at: self.partials.at(), values: partials(&*self.queue) }
    }

    /// Gradients are this much larger than they are.
    fn gradient_scale(&self) -> f32 {
        if self.storage == Storage::F16 { F16_GRADIENTS } else { 1.0 }
    }

    fn sizes(&self, config: &VitConfig, (images, patches): (usize, Patches), keep: Keep) -> Sizes {
        Sizes::new(config, &self.weights, self.storage, (images, patches), keep)
    }

    /// Uploads numbers as f32.
    fn put(&self, at: Address, values: &[f32]) -> Result<(), Error> {
        self.queue.upload(at, as_bytes(values)).map_err(failed)
    }

    /// Downloads numbers.
    fn get(&self, storage: Storage, at: Address, count: usize) -> Result<Vec<f32>, Error> {
        if storage == Storage::F32 {
            let mut values = vec![0.0; count];
            self.queue.download(at, as_bytes_mut(&mut values)).map_err(failed)?;
            return Ok(values);
        }
        let mut bytes = vec![0; count * storage.bytes()];
        self.queue.download(at, &mut bytes).map_err(failed)?;
        Ok(decode(storage, &bytes))
    }

    fn turn(&self) -> MutexGuard<'_, Replays> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Positions for a grid of patches, made and uploaded when it is first asked for.
    fn grid(&self, config: &VitConfig, weights: &Weights<f32>, patches: Patches) -> Result<Arc<Grid>, Error> {
        let mut grids = self.grids.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(grid) = grids.get(&(patches.rows, patches.cols)) {
            return Ok(grid.clone());
        }
        let table = embedding::positions(config, weights, patches)?;
        let (of_special, of_patches) = table.split_at(config.positioned() * config.hidden_size);
        let mut special = weights.special_tokens();
        special.iter_mut().zip(of_special).for_each(|(token, &position)| *token += position);
        let values = [of_patches, &special].concat();
        let grid = Arc::new(Grid { region: self.arena.take(4 * values.len()).map_err(failed)?, positions: of_patches.len() });
        self.put(grid.region.at(), &values)?;
        grids.insert((patches.rows, patches.cols), grid.clone());
        Ok(grid)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.turn.get_mut().unwrap_or_else(PoisonError::into_inner).forget(&*self.queue);
    }
}

/// Values of f32 for products whose depth is split: none of them has more tiles of 64 by 64, in all its parts, than the device has
/// multiprocessors.
fn partials(queue: &dyn Queue) -> usize {
    queue.multiprocessors() * 64 * 64
}

/// A device's fault as an error of the crate.
pub(super) fn failed(fault: Fault) -> Error {
    Error::Kernel(fault.into())
}
