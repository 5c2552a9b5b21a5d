//! Weights as kernels read them: (outputs, inputs), in the storage of the device, with everything folded in that is constant.

use kernels::attention::cuda::filled_width;
use kernels::cuda::{Address, Arena, Fault, Region, Storage, encode};
use kernels::layer_norm::cuda::Affine;

use super::failed;
use crate::Error;
use crate::vit::config::VitConfig;
use crate::vit::layers::{Linear, Norm, Tensor};
use crate::vit::weights::{Block, Mlp, PatchNorms, Weights};

/// A linear layer on the device.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dense {
    /// (outputs, inputs).
    pub weight: Address,
    /// (outputs) as f32; or none.
    pub bias: Address,
    pub inputs: usize,
    pub outputs: usize,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct BlockOnDevice {
    pub norm1: Affine,
    pub qkv: Dense,
    pub projection: Dense,
    pub mlp: Option<MlpOnDevice>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct MlpOnDevice {
    pub norm: Affine,
    pub fc1: Dense,
    pub fc2: Dense,
}

/// All of a model's weights in one region.
#[derive(Debug)]
pub(super) struct OnDevice {
    /// Width of a head, with its zeros.
    pub head_width: usize,
    pub patch: Dense,
    pub patch_norms: Option<[Affine; 2]>,
    pub blocks: Vec<BlockOnDevice>,
    pub norm: Affine,
    /// Always f32.
    pub head: Vec<Dense>,
    _region: Region,
}

/// Where weights go: counted first, then uploaded.
struct Sink<'a> {
    arena: &'a Arena,
    storage: Storage,
    /// Where they begin; nothing while they are counted.
    start: Option<Address>,
    bytes: usize,
}

impl OnDevice {
    pub fn upload(arena: &Arena, storage: Storage, config: &VitConfig, weights: &Weights<f32>) -> Result<Self, Error> {
        let head_width = expect_served(config, storage)?;
        let mut count = Sink { arena, storage, start: None, bytes: 0 };
        count.all(config, weights, head_width).map_err(failed)?;
        let region = arena.take(count.bytes).map_err(failed)?;
        let mut sink = Sink { arena, storage, start: Some(region.at()), bytes: 0 };
        let (patch, patch_norms, blocks, norm, head) = sink.all(config, weights, head_width).map_err(failed)?;
        Ok(Self { head_width, patch, patch_norms, blocks, norm, head, _region: region })
    }
}

/// Patches are filled up to a multiple of this, in every storage.
const PATCH_PACK: usize = 8;

/// The filled width of heads, where the device's kernels can run the architecture.
fn expect_served(config: &VitConfig, storage: Storage) -> Result<usize, Error> {
    let unsupported = |what: String| Err(failed(Fault::Unsupported(format!("{what}; use the CPU for this model"))));
    let pack = storage.pack();
    if !config.hidden_size.is_multiple_of(pack) {
        return unsupported(format!("tokens of {} values: kernels of {storage} take multiples of {pack}", config.hidden_size));
    }
    // Rows of patches are filled up with zeros, and a norm would count those.
    let patch = config.patch_len();
    if config.patch_norms && !patch.is_multiple_of(PATCH_PACK) {
        return unsupported(format!("normalised patches of {patch} values: norms on CUDA devices take multiples of {PATCH_PACK}"));
    }
    match filled_width(config.head_width()) {
        Some(width) => Ok(width),
        None => unsupported(format!("heads of {} values: attention on CUDA devices takes up to 128", config.head_width())),
    }
}

type All = (Dense, Option<[Affine; 2]>, Vec<BlockOnDevice>, Affine, Vec<Dense>);

impl Sink<'_> {
    fn all(&mut self, config: &VitConfig, weights: &Weights<f32>, head_width: usize) -> Result<All, Fault> {
        let eps = config.layer_norm_eps as f32;
        let pitch = config.patch_len().next_multiple_of(PATCH_PACK);
        let patch = self.dense(&weights.patch, &Fill::columns(pitch), None)?;
        let patch_norms = match &weights.patch_norms {
            Some(PatchNorms { before, after }) => Some([self.norm(before, eps)?, self.norm(after, eps)?]),
            None => None,
        };
        let heads = Heads { count: config.num_attention_heads, width: config.head_width(), filled: head_width };
        let blocks = weights.blocks.iter().map(|block| self.block(block, heads, eps)).collect::<Result<_, _>>()?;
        let norm = self.norm(&weights.norm, eps)?;
        self.storage = Storage::F32;
        let filled = |layer: &Linear<f32>| Fill::rows(layer.outputs().next_multiple_of(Storage::F32.pack()));
        let head = weights.head.layers().iter().map(|layer| self.dense(layer, &filled(layer), None)).collect::<Result<_, _>>()?;
        Ok((patch, patch_norms, blocks, norm, head))
    }

    fn block(&mut self, block: &Block<f32>, heads: Heads, eps: f32) -> Result<BlockOnDevice, Fault> {
        let mlp = match &block.mlp {
            Some(Mlp { norm, fc1, fc2, scale }) => {
                let hidden = fc1.outputs().next_multiple_of(8);
                let (norm, fc1) = (self.norm(norm, eps)?, self.dense(fc1, &Fill::rows(hidden), None)?);
                Some(MlpOnDevice { norm, fc1, fc2: self.dense(fc2, &Fill::columns(hidden), scale.as_ref())? })
            }
            None => None,
        };
        let norm1 = self.norm(&block.norm1, eps)?;
        let qkv = self.dense(&block.qkv, &Fill { rows: Some((3, heads)), ..Fill::default() }, None)?;
        let fill = Fill { columns: Some((1, heads)), ..Fill::default() };
        Ok(BlockOnDevice { norm1, qkv, projection: self.dense(&block.projection, &fill, block.scale1.as_ref())?, mlp })
    }

    /// A layer with zeros filled in, and with what its results are scaled by folded in.
    fn dense(&mut self, layer: &Linear<f32>, fill: &Fill, scale: Option<&Tensor<f32>>) -> Result<Dense, Fault> {
        let (inputs, outputs) = (fill.columns_of(layer.inputs()), fill.rows_of(layer.outputs()));
        let weight = self.put(self.storage, inputs * outputs, || {
            let mut rows = layer.weight.to_rows();
            for (row, scale) in rows.chunks_mut(layer.inputs()).zip(scale.iter().flat_map(|scale| &scale.data)) {
                row.iter_mut().for_each(|value| *value *= scale);
            }
            let rows: Vec<f32> = rows.chunks(layer.inputs()).flat_map(|row| filled(row, 1, fill.columns, inputs)).collect();
            filled(&rows, inputs, fill.rows, outputs * inputs)
        })?;
        let Some(bias) = &layer.bias else { return Ok(Dense { weight, bias: Address::NONE, inputs, outputs }) };
        let bias = self.put(Storage::F32, outputs, || {
            let mut values = bias.data.clone();
            values.iter_mut().zip(scale.iter().flat_map(|scale| &scale.data)).for_each(|(value, scale)| *value *= scale);
            filled(&values, 1, fill.rows, outputs)
        })?;
        Ok(Dense { weight, bias, inputs, outputs })
    }

    fn norm(&mut self, norm: &Norm<f32>, eps: f32) -> Result<Affine, Fault> {
        let mut put = |tensor: &Tensor<f32>| self.put(Storage::F32, tensor.data.len(), || tensor.data.clone());
        Ok(Affine { gain: put(&norm.gain)?, bias: put(&norm.bias)?, eps })
    }

    fn put(&mut self, storage: Storage, count: usize, values: impl FnOnce() -> Vec<f32>) -> Result<Address, Fault> {
        let at = self.bytes;
        self.bytes = (at + count * storage.bytes()).next_multiple_of(256);
        let Some(start) = self.start else { return Ok(Address::NONE) };
        self.arena.queue().upload(start.plus(at), &encode(storage, &values()))?;
        Ok(start.plus(at))
    }
}

/// Heads and the width they are filled up to.
#[derive(Debug, Clone, Copy)]
struct Heads {
    count: usize,
    width: usize,
    filled: usize,
}

/// Where zeros are filled in: behind every head of so many thirds, or at the end.
#[derive(Debug, Default)]
struct Fill {
    rows: Option<(usize, Heads)>,
    columns: Option<(usize, Heads)>,
    end_of_rows: usize,
    end_of_columns: usize,
}

impl Fill {
    fn rows(rows: usize) -> Self {
        Self { end_of_rows: rows, ..Self::default() }
    }

    fn columns(columns: usize) -> Self {
        Self { end_of_columns: columns, ..Self::default() }
    }

    fn rows_of(&self, rows: usize) -> usize {
        self.rows.map_or(rows.max(self.end_of_rows), |(thirds, heads)| thirds * heads.count * heads.filled)
    }

    fn columns_of(&self, columns: usize) -> usize {
        self.columns.map_or(columns.max(self.end_of_columns), |(thirds, heads)| thirds * heads.count * heads.filled)
    }
}

/// Values in groups of `each`, with zeros behind every head or at the end, `len` in all.
fn filled(values: &[f32], each: usize, heads: Option<(usize, Heads)>, len: usize) -> Vec<f32> {
    let mut all = Vec::with_capacity(len);
    match heads {
        Some((_, heads)) => {
            for head in values.chunks(heads.width * each) {
                all.extend_from_slice(head);
                all.resize(all.len() + (heads.filled - heads.width) * each, 0.0);
            }
        }
        None => all.extend_from_slice(values),
    }
    all.resize(len, 0.0);
    all
}
