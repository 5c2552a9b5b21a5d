//! Rollout: one row through the maps of all layers, and the explicit product.

use kernels::cuda::{Address, Fault, Storage};
use kernels::rollout::cuda::{self, Push};
use kernels::rollout::cuda_explicit::{self, Multiply};
use kernels::rollout::{self, Layer, Normalise};

use super::products::refused;
use super::{Lab, limit};
use crate::cli::bench::arrays::Array;
use crate::cli::bench::gates::{Gates, off};

const LAYERS: usize = 3;

/// As they are named in what is told.
const RULES: [Normalise; 3] = [Normalise::Rows, Normalise::ColumnsByRowSums, Normalise::Nothing];

/// Maps of three layers whose rows nearly sum to one, on the device and as it has them.
fn maps(lab: &Lab, images: usize, tokens: usize) -> Result<(Array, Vec<f64>), Fault> {
    let numbers = lab.numbers(7, LAYERS * images * tokens * tokens);
    let shares: Vec<f64> = numbers.iter().map(|value| (value.abs() + 0.01) / tokens as f64).collect();
    lab.memory.put(lab.storage, &shares)
}

/// A row: of few images, and of as many as make the other way worth while.
pub fn row(lab: &Lab, tokens: usize, gates: &mut Gates) -> Result<(), Fault> {
    let many = if lab.quick { 4 } else { lab.memory.queue.multiprocessors().div_ceil(2).min(80) };
    let few_tokens = tokens <= 257;
    for images in [1, many].into_iter().filter(|&images| images == 1 || few_tokens) {
        let (maps, wide) = maps(lab, images, tokens)?;
        let start: Vec<f64> = lab.numbers(8, images * tokens).iter().map(|value| value.abs()).collect();
        for normalise in RULES {
            let (row, mut exact) = lab.memory.put(Storage::F32, &start)?;
            for map in wide.chunks(images * tokens * tokens).rev() {
                rollout::push_row(Layer { residual: 0.375, normalise }, map, &mut exact, tokens).map_err(refused)?;
            }
            let scratch = lab.memory.room(cuda::scratch(images, tokens))?;
            let [maps, row_at, scratch] = [maps.at(), row.at(), scratch.at()];
            let push = Push { maps, row: row_at, scratch, layers: LAYERS, images, tokens, residual: 0.375, normalise };
            cuda::push(&*lab.memory.queue, lab.storage, push)?;
            let what = format!("rollout of {images} rows of {tokens} tokens, {normalise:?}");
            gates.at_most(what, lab.storage, limit(Storage::F32), off(&lab.memory.read(&row)?, &exact));
        }
    }
    Ok(())
}

/// All rows of two images.
pub fn product(lab: &Lab, tokens: usize, gates: &mut Gates) -> Result<(), Fault> {
    let (images, count) = (2, 2 * tokens * tokens);
    let (maps, wide) = maps(lab, images, tokens)?;
    let [first, second] = [lab.memory.poisoned(Storage::F32, count)?, lab.memory.poisoned(Storage::F32, count)?];
    let shares = lab.memory.poisoned(Storage::F32, images * tokens)?;
    for normalise in RULES {
        let layer = Layer { residual: 0.375, normalise };
        let mut exact: Vec<f64> = (0..count).map(|at| f64::from(u8::from(at / tokens % tokens == at % tokens))).collect();
        let (mut before, mut to) = (Address::NONE, [&first, &second]);
        for (index, map) in wide.chunks(count).enumerate() {
            let mut matrix = map.to_vec();
            rollout::layer_matrix(layer, &mut matrix, tokens).map_err(refused)?;
            rollout::multiply(&matrix, &mut exact, tokens).map_err(refused)?;
            let map = maps.at().plus(index * count * lab.storage.bytes());
            let of = Multiply { map, before, product: to[0].at(), shares: shares.at(), images, tokens, layer };
            cuda_explicit::multiply(&*lab.memory.queue, lab.storage, of)?;
            (before, to) = (to[0].at(), [to[1], to[0]]);
        }
        let what = format!("rollout of all rows of {tokens} tokens, {normalise:?}");
        gates.at_most(what, lab.storage, limit(Storage::F32), off(&lab.memory.read(to[1])?, &exact));
    }
    Ok(())
}
