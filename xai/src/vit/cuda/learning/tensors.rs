//! Every tensor of a model as a device has it: with the zeros that it is filled up with, and where it learns.
//!
//! Filled places stay zero: what they are multiplied with on the way there and on the way back is zero, so their gradient is.

use kernels::cuda::{Address, Region, Storage, as_bytes};

use crate::Error;
use crate::vit::Model;
use crate::vit::cuda::{Engine, failed};
use crate::vit::layers::Parameter;

/// Tensors of the gradient begin at multiples of so many values: 256 bytes.
pub(super) const ALIGNMENT: usize = 64;

/// Places along one side of a tensor: groups of `each`, with zeros behind every group up to `filled`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Axis {
    groups: usize,
    each: usize,
    filled: usize,
}

impl Axis {
    fn plain(len: usize) -> Self {
        Self::filled(1, len, len)
    }

    fn filled(groups: usize, each: usize, filled: usize) -> Self {
        Self { groups, each, filled }
    }

    fn len(self) -> usize {
        self.groups * self.filled
    }

    /// Where the values stand.
    fn places(self) -> impl Iterator<Item = usize> {
        (0..self.groups).flat_map(move |group| group * self.filled..group * self.filled + self.each)
    }
}

/// One tensor.
#[derive(Debug)]
pub(super) struct Tensor {
    pub name: String,
    pub is_matrix: bool,
    rows: Axis,
    columns: Axis,
    /// Where it learns, as f32.
    pub master: Address,
    /// What products read in its place, and in which storage; or none.
    pub copy: Option<(Address, Storage)>,
}

impl Tensor {
    /// Values on the device.
    pub fn len(&self) -> usize {
        self.rows.len() * self.columns.len()
    }

    /// Values (rows, columns) with zeros filled in.
    pub fn spread(&self, values: &[f32]) -> Vec<f32> {
        let mut all = vec![0.0; self.len()];
        let places = self.rows.places().flat_map(|row| self.columns.places().map(move |column| row * self.columns.len() + column));
        places.zip(values).for_each(|(place, &value)| all[place] = value);
        all
    }

    /// The values without the zeros.
    pub fn gathered(&self, all: &[f32]) -> Vec<f32> {
        let places = self.rows.places().flat_map(|row| self.columns.places().map(move |column| row * self.columns.len() + column));
        places.map(|place| all[place]).collect()
    }
}

/// All tensors in the order of their ranges, and the memory of those that do not learn where the engine has them.
pub(super) fn lay(engine: &Engine, model: &Model) -> Result<(Vec<Tensor>, Region), Error> {
    let named = model.weights.named();
    let mut tensors: Vec<Tensor> = named.iter().rev().map(|(name, parameter)| tensor(engine, model, name, *parameter)).collect();
    let is_homeless = |tensor: &Tensor| !tensor.master.is_some();
    let bytes = tensors.iter().filter(|tensor| is_homeless(tensor)).map(|tensor| 4 * tensor.len().next_multiple_of(ALIGNMENT)).sum();
    let region = engine.arena.take(bytes).map_err(failed)?;
    let mut at = region.at();
    for (tensor, (_, parameter)) in tensors.iter_mut().zip(named.iter().rev()).filter(|(tensor, _)| is_homeless(tensor)) {
        tensor.master = at;
        at = at.plus(4 * tensor.len().next_multiple_of(ALIGNMENT));
        engine.queue.upload(tensor.master, as_bytes(&tensor.spread(&parameter.to_rows()))).map_err(failed)?;
    }
    Ok((tensors, region))
}

fn tensor(engine: &Engine, model: &Model, name: &str, parameter: Parameter<f32>) -> Tensor {
    let shape = parameter.shape();
    let is_matrix = shape.len() == 2 && name.ends_with(".weight");
    // A weight is (inputs, outputs) here and (outputs, inputs) on the device.
    let (rows, columns) = match shape.as_slice() {
        [inputs, outputs] if is_matrix => (*outputs, *inputs),
        [rows, columns] => (*rows, *columns),
        _ => (shape.iter().product(), 1),
    };
    let (rows, columns) = sides(engine, model, name, (rows, columns));
    let (at, storage) = of_engine(engine, name, is_matrix);
    let (master, copy) = match storage {
        Storage::F32 => (at, None),
        _ if at.is_some() => (Address::NONE, Some((at, storage))),
        _ => (Address::NONE, None),
    };
    Tensor { name: name.to_owned(), is_matrix, rows, columns, master, copy }
}

/// The sides of a tensor (rows, columns) with what they are filled up to; biases are filled as the rows of their weight.
fn sides(engine: &Engine, model: &Model, name: &str, (rows, columns): (usize, usize)) -> (Axis, Axis) {
    let (config, on) = (&model.config, &engine.weights);
    let heads = |thirds: usize| Axis::filled(thirds * config.num_attention_heads, config.head_width(), on.head_width);
    let (plain_rows, plain_columns) = (Axis::plain(rows), Axis::plain(columns));
    let layer = name.trim_end_matches(".weight").trim_end_matches(".bias");
    let is_weight = name.ends_with(".weight");
    match layer.rsplit('.').next().unwrap_or(layer) {
        "patch_embedding" if is_weight => (plain_rows, Axis::filled(1, columns, on.patch.inputs)),
        "qkv" => (heads(3), plain_columns),
        "projection" if is_weight => (plain_rows, heads(1)),
        "fc1" if !name.starts_with("head") => (Axis::filled(1, rows, rows.next_multiple_of(8)), plain_columns),
        "fc2" if is_weight && !name.starts_with("head") => (plain_rows, Axis::filled(1, columns, columns.next_multiple_of(8))),
        "head" | "out" => (Axis::filled(1, rows, rows.next_multiple_of(Storage::F32.pack())), plain_columns),
        _ => (plain_rows, plain_columns),
    }
}

/// Where the engine has a tensor, and in which storage; the head's, tokens and positions are made of several or folded there.
fn of_engine(engine: &Engine, name: &str, is_matrix: bool) -> (Address, Storage) {
    let on = &engine.weights;
    let storage = if is_matrix { engine.storage } else { Storage::F32 };
    let (layer, part) = name.rsplit_once('.').unwrap_or((name, ""));
    let of_norm = |norm: kernels::layer_norm::cuda::Affine| if part == "weight" { norm.gain } else { norm.bias };
    let of_dense = |dense: crate::vit::cuda::weights::Dense| if part == "weight" { dense.weight } else { dense.bias };
    let at = match layer.split('.').collect::<Vec<_>>().as_slice() {
        ["patch_embedding"] => of_dense(on.patch),
        ["norm"] => of_norm(on.norm),
        ["blocks", index, layer] => {
            let block = index.parse().ok().and_then(|index: usize| on.blocks.get(index));
            let mlp = block.and_then(|block| block.mlp);
            match (*layer, block, mlp) {
                ("norm1", Some(block), _) => of_norm(block.norm1),
                ("qkv", Some(block), _) => of_dense(block.qkv),
                ("projection", Some(block), _) => of_dense(block.projection),
                ("norm2", _, Some(mlp)) => of_norm(mlp.norm),
                ("fc1", _, Some(mlp)) => of_dense(mlp.fc1),
                ("fc2", _, Some(mlp)) => of_dense(mlp.fc2),
                _ => Address::NONE,
            }
        }
        _ => Address::NONE,
    };
    (at, storage)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spread_is_gathered_again() {
        let (rows, columns) = (Axis::filled(2, 2, 3), Axis::filled(1, 2, 4));
        let tensor = Tensor { name: String::new(), is_matrix: true, rows, columns, master: Address::NONE, copy: None };
        let values: Vec<f32> = (1..=8).map(|value| value as f32).collect();
        let all = tensor.spread(&values);
        assert_eq!(all.len(), 24);
        assert_eq!(all[..12], [1.0, 2.0, 0.0, 0.0, 3.0, 4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(tensor.gathered(&all), values);
    }
}
