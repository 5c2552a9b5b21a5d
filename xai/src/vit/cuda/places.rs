//! Where a pass keeps its numbers: one region for what outlives it, one for what does not.

use kernels::attention;
use kernels::cuda::{Address, Arena, Fault, Region, Storage};

use super::weights::OnDevice;
use crate::vit::config::VitConfig;
use crate::vit::extent::Extent;
use crate::vit::forward::Keep;
use crate::vit::leading;
use crate::{Patches, vit::pooling};
use kernels::tokens::Part;

/// Sizes of a pass, with the zeros that heads and hidden layers are filled up with.
#[derive(Debug, Clone)]
pub(super) struct Sizes {
    pub config: VitConfig,
    pub storage: Storage,
    pub extent: Extent,
    pub patches: Patches,
    /// Tokens of an image that the head reads.
    pub read: usize,
    /// Of a head, filled.
    pub head_width: usize,
    /// Of the MLP, filled.
    pub hidden: usize,
    /// Values from one patch to the next.
    pub pitch: usize,
    pub keep: Keep,
    /// What the head reads of its tokens.
    pub parts: Vec<Part>,
}

impl Sizes {
    pub fn new(config: &VitConfig, on: &OnDevice, storage: Storage, (images, patches): (usize, Patches), keep: Keep) -> Self {
        let extent = Extent::new(config, images, config.special_tokens.count() + patches.count());
        let read = leading::read_by_head(config, extent).tokens;
        let hidden = on.blocks.iter().find_map(|block| block.mlp).map_or(0, |mlp| mlp.fc1.outputs);
        let parts = pooling::parts(config, read);
        let (head_width, pitch) = (on.head_width, on.patch.inputs);
        Self { config: config.clone(), storage, extent, patches, read, head_width, hidden, pitch, keep, parts }
    }

    pub fn attention(&self) -> attention::Shape {
        attention::Shape { head_width: self.head_width, ..self.extent.attention() }
    }

    /// Width of all heads, filled.
    pub fn inner(&self) -> usize {
        self.extent.heads * self.head_width
    }

    /// All tokens of the batch.
    pub fn rows(&self) -> usize {
        self.extent.images * self.extent.tokens
    }

    /// Tokens of the batch that the head reads.
    pub fn read_rows(&self) -> usize {
        self.extent.images * self.read
    }

    /// Patches of the batch.
    pub fn patch_rows(&self) -> usize {
        self.extent.images * self.patches.count()
    }

    pub fn pixels(&self) -> usize {
        self.patch_rows() * self.config.patch_len()
    }

    pub fn pooled(&self) -> usize {
        self.extent.images * self.config.pooled_width()
    }

    pub fn map(&self) -> usize {
        self.attention().fused_len()
    }
}

/// Hands out places in a region; counted first, then given.
pub(super) struct Places {
    storage: Storage,
    start: Address,
    taken: usize,
}

impl Places {
    pub fn counted(storage: Storage) -> Self {
        Self { storage, start: Address::NONE, taken: 0 }
    }

    pub fn within(storage: Storage, region: &Region) -> Self {
        Self { storage, start: region.at(), taken: 0 }
    }

    /// So many values of the device's storage.
    pub fn values(&mut self, count: usize) -> Address {
        self.take(count * self.storage.bytes())
    }

    /// So many values of f32.
    pub fn singles(&mut self, count: usize) -> Address {
        self.take(4 * count)
    }

    /// So many bytes.
    pub fn bytes(&mut self, count: usize) -> Address {
        self.take(count)
    }

    fn take(&mut self, bytes: usize) -> Address {
        if bytes == 0 {
            return Address::NONE;
        }
        let at = self.start.plus(self.taken);
        self.taken = (self.taken + bytes).next_multiple_of(256);
        at
    }
}

/// Lays places out, once to count and once in the region that is as large as that.
pub(super) fn laid_out<P>(arena: &Arena, storage: Storage, lay: impl Fn(&mut Places) -> P) -> Result<(Region, P), Fault> {
    let mut counted = Places::counted(storage);
    lay(&mut counted);
    let region = arena.take(counted.taken)?;
    let places = lay(&mut Places::within(storage, &region));
    Ok((region, places))
}

/// What a block leaves behind; places that are not kept are shared by all blocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tape {
    /// (B, N, D).
    pub input: Address,
    /// (B, N, 3·A).
    pub qkv: Address,
    /// (B, N, H) as f32.
    pub log_sum_exp: Address,
    /// (B, N, A).
    pub context: Address,
    /// (B, N, D), of the last block (B, R, D).
    pub middle: Address,
    /// (B, N, M) before the activation, of the last block (B, R, M); or none.
    pub before: Address,
}

/// What outlives a forward pass.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub tapes: Vec<Tape>,
    /// (L, B, N, N).
    pub maps: Address,
    /// What the head reads before the last norm, (B, R, D).
    pub last: Address,
    /// What was pooled, before the norm where it stands behind, (B, pooled width) as f32.
    pub raw: Address,
    /// What the head reads, as f32.
    pub pooled: Address,
    /// What leaves each layer of the head, as f32.
    pub activations: Vec<Address>,
    /// A row over tokens (B, N) as f32, and what pushing it through maps needs.
    pub row: Address,
    pub row_scratch: Address,
}

impl Kept {
    pub fn lay(sizes: &Sizes, on: &OnDevice, places: &mut Places) -> Self {
        let (extent, layers) = (sizes.extent, on.blocks.len());
        let everything = sizes.keep == Keep::Everything;
        let attention = everything || sizes.keep == Keep::Attention;
        let mut shared = Vec::new();
        // Of what is not kept, all blocks use the first block's places.
        let mut place = |index: usize, slot: usize, kept: bool, values: usize, single: bool, places: &mut Places| {
            if !kept && index > 0 {
                return shared[slot];
            }
            let at = if single { places.singles(values) } else { places.values(values) };
            if index == 0 {
                shared.push(at);
            }
            at
        };
        let mut tape = |index: usize| {
            let rows = sizes.rows();
            let input = place(index, 0, everything, rows * extent.width, false, places);
            let qkv = place(index, 1, attention, 3 * rows * sizes.inner(), false, places);
            let log_sum_exp = place(index, 2, attention, rows * extent.heads, true, places);
            let context = place(index, 3, everything, rows * sizes.inner(), false, places);
            let middle = place(index, 4, everything, rows * extent.width, false, places);
            let hidden = if everything { rows * sizes.hidden } else { 0 };
            let before = place(index, 5, everything, hidden, false, places);
            Tape { input, qkv, log_sum_exp, context, middle, before }
        };
        let tapes = (0..layers).map(&mut tape).collect();
        let fused = if matches!(sizes.keep, Keep::Fused(_)) { layers * sizes.map() } else { 0 };
        let maps = places.values(fused);
        let last = places.values(sizes.read_rows() * extent.width);
        let (raw, pooled) = (places.singles(sizes.pooled()), places.singles(sizes.pooled()));
        let activations = on.head.iter().map(|layer| places.singles(extent.images * layer.outputs)).collect();
        let (row, scratch) =
            if fused > 0 { (sizes.rows(), kernels::rollout::cuda::scratch(extent.images, extent.tokens) / 4) } else { (0, 0) };
        Self { tapes, maps, last, raw, pooled, activations, row: places.singles(row), row_scratch: places.singles(scratch) }
    }
}
