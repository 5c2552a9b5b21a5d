//! The backward pass on a device, from the gradient at the logits down to the pixels.

use kernels::attention::RowRule;
use kernels::attention::cuda::{self as attention, Backward, Row};
use kernels::cuda::{Address, Fault, Storage};
use kernels::layer_norm::cuda::{self as layer_norm, Affine};
use kernels::linear::cuda::Then;
use kernels::tokens::cuda as tokens;

use super::forward::{Passing, Run};
use super::places::{Kept, Places, Sizes, Tape};
use super::weights::{BlockOnDevice, MlpOnDevice, OnDevice};
use crate::vit::choices::FinalNorm;

const NONE: Address = Address::NONE;

/// What outlives a backward pass.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reached {
    /// Relevance rows (L + 1, B, N) as f32: where they start last.
    pub rows: Address,
    /// Gradients at the patches, (B·P, pitch).
    pub patches: Address,
}

impl Reached {
    pub fn lay(sizes: &Sizes, on: &OnDevice, places: &mut Places) -> Self {
        let rows = places.singles((on.blocks.len() + 1) * sizes.rows());
        Self { rows, patches: places.values(sizes.patch_rows() * sizes.pitch) }
    }
}

/// Where a backward pass keeps its numbers.
#[derive(Debug, Clone)]
pub(super) struct Returning {
    /// At what enters each layer of the head, and last at its logits, (B, width) as f32.
    pub head: Vec<Address>,
    /// At what was pooled before the norm that stands behind, as f32.
    draw: Address,
    /// (B, R, D), twice.
    dread: [Address; 2],
    /// (B, N, D).
    dx: Address,
    dnormed: Address,
    /// (B, N, M).
    dhidden: Address,
    /// (B, R, A).
    dcontext_read: Address,
    /// (B, N, A) for each block, which share one where they are not asked for.
    pub dcontexts: Vec<Address>,
    /// (B, N, 3·A).
    dqkv: Address,
    /// (B, N, H), twice, as f32.
    dots: [Address; 2],
    /// Of what outlives the pass.
    pub rows: Address,
    /// (B·P, D), twice, and (B·P, pitch), twice where patches are normalised: what they end with outlives the pass.
    dembedded: [Address; 2],
    dpatches: [Address; 2],
    /// What patches were, made again where their norms need it.
    patches: Option<Passing>,
}

impl Returning {
    /// `explicit` keeps the gradient at every block's context.
    pub fn lay(sizes: &Sizes, on: &OnDevice, explicit: bool, reached: Reached, places: &mut Places) -> Self {
        let (extent, rows, read) = (sizes.extent, sizes.rows(), sizes.read_rows());
        let (width, layers) = (extent.width, on.blocks.len());
        let norms = usize::from(on.patch_norms.is_some());
        let mut head: Vec<_> = on.head.iter().map(|layer| places.singles(extent.images * layer.inputs)).collect();
        head.push(places.singles(extent.images * on.head.last().map_or(0, |layer| layer.outputs)));
        let cut = if sizes.read < extent.tokens { read } else { 0 };
        let shared = if explicit { NONE } else { places.values(rows * sizes.inner()) };
        let dcontexts = (0..layers).map(|_| if explicit { places.values(rows * sizes.inner()) } else { shared }).collect();
        Self {
            head,
            draw: places.singles(sizes.pooled()),
            dread: [places.values(read * width), places.values(read * width)],
            dx: places.values(rows * width),
            dnormed: places.values(rows * width),
            dhidden: places.values(rows * sizes.hidden),
            dcontext_read: places.values(cut * sizes.inner()),
            dcontexts,
            dqkv: places.values(3 * rows * sizes.inner()),
            dots: [places.singles(rows * extent.heads), places.singles(rows * extent.heads)],
            rows: reached.rows,
            dembedded: [places.values(sizes.patch_rows() * width), places.values(norms * sizes.patch_rows() * width)],
            dpatches: if norms > 0 { [places.values(sizes.patch_rows() * sizes.pitch), reached.patches] } else { [reached.patches, NONE] },
            patches: (norms > 0).then(|| Passing::lay(sizes, on, places)),
        }
    }
}

impl Run<'_> {
    /// Everything, from the gradient at the logits to the one at the patches.
    pub fn pull_back(&self, returning: &Returning, kept: &Kept, scale: f32) -> Result<(), Fault> {
        self.head_backward(returning, kept)?;
        self.pooling_backward(returning, kept, scale)?;
        let line = 4 * self.sizes.rows();
        for (index, (block, tape)) in self.on.blocks.iter().zip(&kept.tapes).enumerate().rev() {
            let is_last = index + 1 == self.on.blocks.len();
            let dcontext = returning.dcontexts[index];
            self.finish_backward(block, tape, returning, is_last, dcontext)?;
            let row = returning.rows.plus((index + 1) * line);
            self.attention_backward(block, tape, returning, (dcontext, row, returning.rows.plus(index * line)), 1.0 / scale)?;
        }
        self.embedding_backward(returning)
    }

    fn head_backward(&self, returning: &Returning, kept: &Kept) -> Result<(), Fault> {
        let images = self.sizes.extent.images;
        for (index, layer) in self.on.head.iter().enumerate().rev() {
            let to = returning.head[index];
            let then = match index.checked_sub(1) {
                None => Then::Wide(to),
                // What a ReLU let through is what is above zero after it.
                Some(before) => Then::Gate { activation: kernels::activation::Activation::Relu, before: kept.activations[before], to },
            };
            self.backward(Storage::F32, returning.head[index + 1], *layer, images, then)?;
        }
        Ok(())
    }

    /// To the tokens that the head reads.
    fn pooling_backward(&self, returning: &Returning, kept: &Kept, scale: f32) -> Result<(), Fault> {
        let (shape, parts, storage) = (self.read_shape(), &self.sizes.parts, self.sizes.storage);
        let [dread, dnormed] = returning.dread;
        if self.sizes.config.final_norm == FinalNorm::Tokens {
            tokens::pool_backward(self.queue, storage, shape, parts, (returning.head[0], dnormed), scale)?;
            return self.norm_backward(storage, self.on.norm, (self.sizes.read_rows(), shape.width), (kept.last, dnormed, dread), true);
        }
        let all = (shape.images, self.sizes.config.pooled_width());
        self.norm_backward(Storage::F32, self.on.norm, all, (kept.raw, returning.head[0], returning.draw), true)?;
        tokens::pool_backward(self.queue, storage, shape, parts, (returning.draw, dread), scale)
    }

    /// Adds to `dx`, which is cleared before where it is `fresh`.
    fn norm_backward(
        &self,
        storage: Storage,
        affine: Affine,
        (rows, width): (usize, usize),
        (x, dy, dx): (Address, Address, Address),
        fresh: bool,
    ) -> Result<(), Fault> {
        if fresh {
            self.queue.clear(dx, rows * width * storage.bytes())?;
        }
        layer_norm::backward(self.queue, storage, affine, (rows, width), (x, dy, dx))
    }

    /// From a block's output to its attention: `dx` becomes the gradient between, and the one at the context is made.
    fn finish_backward(
        &self,
        block: &BlockOnDevice,
        tape: &Tape,
        returning: &Returning,
        is_last: bool,
        dcontext: Address,
    ) -> Result<(), Fault> {
        let (Sizes { storage, extent, read, .. }, inner) = (self.sizes, self.sizes.inner());
        let (rows, dx) = if is_last { (self.sizes.read_rows(), returning.dread[0]) } else { (self.sizes.rows(), returning.dx) };
        if let Some(MlpOnDevice { norm, fc1, fc2 }) = block.mlp {
            let then = Then::Gate { activation: extent.activation.into(), before: tape.before, to: returning.dhidden };
            self.backward(*storage, dx, fc2, rows, then)?;
            self.backward(*storage, returning.dhidden, fc1, rows, Then::Store { to: returning.dnormed, residual: NONE })?;
            self.norm_backward(*storage, norm, (rows, extent.width), (tape.middle, returning.dnormed, dx), false)?;
        }
        let whole = !is_last || *read == extent.tokens;
        let to = if whole { dcontext } else { returning.dcontext_read };
        self.backward(*storage, dx, block.projection, rows, Then::Store { to, residual: NONE })?;
        if !whole {
            self.cut((to, *read), (dcontext, extent.tokens), 0, inner)?;
        }
        if is_last {
            self.cut((dx, *read), (returning.dx, extent.tokens), 0, extent.width)?;
        }
        Ok(())
    }

    /// From attention to a block's input, with the relevance row on the way.
    fn attention_backward(
        &self,
        block: &BlockOnDevice,
        tape: &Tape,
        returning: &Returning,
        (dcontext, row, next_row): (Address, Address, Address),
        unscale: f32,
    ) -> Result<(), Fault> {
        let (extent, rows, storage) = (self.sizes.extent, self.sizes.rows(), self.sizes.storage);
        let Tape { input, qkv, log_sum_exp, context, .. } = *tape;
        let ([dots, row_steps], dqkv, scale) = (returning.dots, returning.dqkv, attention::scale(extent.head_width));
        let row = Some(Row { rule: RowRule::Relevance, at: row, steps: row_steps, base: row, next: next_row, unscale });
        let arguments = Backward { qkv, context, dcontext, log_sum_exp, dots, dqkv, scale, row };
        attention::backward(self.queue, storage, self.sizes.attention(), arguments)?;
        self.backward(storage, dqkv, block.qkv, rows, Then::Store { to: returning.dnormed, residual: NONE })?;
        self.norm_backward(storage, block.norm1, (rows, extent.width), (input, returning.dnormed, returning.dx), false)
    }

    fn embedding_backward(&self, returning: &Returning) -> Result<(), Fault> {
        let Sizes { extent, patches, pitch, storage, .. } = self.sizes;
        let (rows, special) = (self.sizes.patch_rows(), extent.tokens - patches.count());
        let [mut dembedded, dembedding] = returning.dembedded;
        let [dpatches, dcut] = returning.dpatches;
        self.cut((returning.dx, extent.tokens), (dembedded, patches.count()), special, extent.width)?;
        if let (Some([before, after]), Some(passing)) = (self.on.patch_norms, &returning.patches) {
            self.patches(*storage, passing.patches[0])?;
            self.norm(before, (rows, *pitch), (passing.patches[0], passing.patches[1]))?;
            self.forward(*storage, passing.patches[1], self.on.patch, rows, Then::Store { to: passing.embedded[0], residual: NONE })?;
            self.norm_backward(*storage, after, (rows, extent.width), (passing.embedded[0], dembedded, dembedding), true)?;
            dembedded = dembedding;
        }
        self.backward(*storage, dembedded, self.on.patch, rows, Then::Store { to: dpatches, residual: NONE })?;
        if let (Some([before, _]), Some(passing)) = (self.on.patch_norms, &returning.patches) {
            self.norm_backward(*storage, before, (rows, *pitch), (passing.patches[0], dpatches, dcut), true)?;
        }
        Ok(())
    }
}
