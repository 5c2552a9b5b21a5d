//! The way back with the gradient of every weight: as `cuda/backward.rs`, without pixels and relevance.

use kernels::activation::cuda::{self as activation, BiasActivation};
use kernels::attention::cuda::{self as attention, Backward};
use kernels::cuda::{Address, Fault, Storage};
use kernels::layer_norm::cuda::{self as layer_norm, Affine, LayerNormAffine};
use kernels::linear::cuda::{Factors, Product, Then, product};
use kernels::tokens::cuda as tokens;

use super::Learning;
use super::lesson::Pieces;
use super::places::{Back, Lying};
use crate::Error;
use crate::vit::choices::FinalNorm;
use crate::vit::cuda::failed;
use crate::vit::cuda::forward::Run;
use crate::vit::cuda::places::{Sizes, Tape};
use crate::vit::cuda::weights::{BlockOnDevice, Dense, MlpOnDevice};

const NONE: Address = Address::NONE;

/// A block on its way back.
struct Here<'a> {
    run: &'a Run<'a>,
    back: &'a Back,
    block: &'a BlockOnDevice,
    tape: &'a Tape,
    index: usize,
    /// Tokens that it finished, and the gradient at them.
    rows: usize,
    dx: Address,
}

/// A norm on its way back.
struct OfNorm<'a> {
    /// Of its tensors in the gradient.
    name: &'a str,
    affine: Affine,
    storage: Storage,
    /// Rows and their width.
    shape: (usize, usize),
    /// What it read, the gradient at what it gave, and the one at what it read.
    x: Address,
    dy: Address,
    dx: Address,
}

impl Here<'_> {
    fn name(&self, layer: &str) -> String {
        format!("blocks.{}.{layer}", self.index)
    }
}

impl Learning {
    /// Everything, from the gradient at the logits down to the embedding; tells of each piece of the gradient as it is finished.
    pub(super) fn pull_back(&self, run: &Run, lying: &Lying, pieces: &mut Pieces) -> Result<(), Error> {
        self.head_backward(run, lying).map_err(failed)?;
        pieces.finished()?;
        self.pooling_backward(run, lying).map_err(failed)?;
        pieces.finished()?;
        let (back, read) = (&lying.back, run.sizes.read_rows());
        for (index, (block, tape)) in run.on.blocks.iter().zip(&lying.kept.tapes).enumerate().rev() {
            crate::cancellation::check()?;
            let is_last = index + 1 == run.on.blocks.len();
            let (rows, dx) = if is_last { (read, back.dread[0]) } else { (run.sizes.rows(), back.dx) };
            let here = Here { run, back, block, tape, index, rows, dx };
            self.mlp_backward(&here).and_then(|()| self.projection_backward(&here, is_last)).map_err(failed)?;
            self.attention_backward(&here).map_err(failed)?;
            pieces.finished()?;
        }
        self.embedding_backward(run, lying).map_err(failed)?;
        pieces.finished()
    }

    /// To the tokens that the head reads.
    fn pooling_backward(&self, run: &Run, lying: &Lying) -> Result<(), Fault> {
        let (shape, Sizes { parts, storage, config, .. }) = (run.read_shape(), run.sizes);
        let (scale, back, kept) = (self.engine.gradient_scale(), &lying.back, &lying.kept);
        let [dread, dnormed] = back.dread;
        let norm = |of: OfNorm| {
            run.queue.clear(of.dx, of.shape.0 * of.shape.1 * of.storage.bytes())?;
            self.norm_backward(run, back, of)
        };
        let (name, affine) = ("norm", run.on.norm);
        if config.final_norm == FinalNorm::Tokens {
            tokens::pool_backward(run.queue, *storage, shape, parts, (lying.head.dpooled, dnormed), scale)?;
            let shape = (run.sizes.read_rows(), shape.width);
            return norm(OfNorm { name, affine, storage: *storage, shape, x: kept.last, dy: dnormed, dx: dread });
        }
        let of_pooled = (shape.images, config.pooled_width());
        norm(OfNorm { name, affine, storage: Storage::F32, shape: of_pooled, x: kept.raw, dy: lying.head.dpooled, dx: back.draw })?;
        tokens::pool_backward(run.queue, *storage, shape, parts, (back.draw, dread), scale)
    }

    /// From a block's output to the tokens between.
    fn mlp_backward(&self, here: &Here) -> Result<(), Fault> {
        let Here { run, back, tape, rows, dx, .. } = *here;
        let (Sizes { storage, extent, .. }, activation) = (run.sizes, run.sizes.extent.activation.into());
        let Some(MlpOnDevice { norm, fc1, fc2 }) = here.block.mlp else { return Ok(()) };
        self.activate(here)?;
        self.of_layer(run, *storage, &here.name("fc2"), fc2, (dx, back.hidden), (rows, back.partials))?;
        run.backward(*storage, dx, fc2, rows, Then::Gate { activation, before: tape.before, to: back.dhidden })?;
        run.norm(norm, (rows, extent.width), (tape.middle, back.normed))?;
        self.of_layer(run, *storage, &here.name("fc1"), fc1, (back.dhidden, back.normed), (rows, back.partials))?;
        run.backward(*storage, back.dhidden, fc1, rows, Then::Store { to: back.dnormed, residual: NONE })?;
        let (name, shape) = (here.name("norm2"), (rows, extent.width));
        let of = OfNorm { name: &name, affine: norm, storage: *storage, shape, x: tape.middle, dy: back.dnormed, dx };
        self.norm_backward(run, back, of)
    }

    /// What the second layer of an MLP reads, again.
    fn activate(&self, here: &Here) -> Result<(), Fault> {
        let Sizes { storage, extent, hidden, .. } = here.run.sizes;
        let arguments = BiasActivation {
            x: here.tape.before,
            bias: NONE,
            before: NONE,
            y: here.back.hidden,
            count: (here.rows * hidden) as i64,
            width: *hidden as i32,
            activation: activation::code(extent.activation.into()),
        };
        activation::forward(here.run.queue, *storage, &arguments)
    }

    /// From the tokens between to the context.
    fn projection_backward(&self, here: &Here, is_last: bool) -> Result<(), Fault> {
        let Here { run, back, block, tape, rows, dx, .. } = *here;
        let (Sizes { storage, extent, read, .. }, inner) = (run.sizes, run.sizes.inner());
        let whole = !is_last || *read == extent.tokens;
        let (context, to) = if whole { (tape.context, back.dcontext) } else { (back.context, back.dcontext_read) };
        if !whole {
            run.cut((tape.context, extent.tokens), (context, *read), 0, inner)?;
        }
        self.of_layer(run, *storage, &here.name("projection"), block.projection, (dx, context), (rows, back.partials))?;
        run.backward(*storage, dx, block.projection, rows, Then::Store { to, residual: NONE })?;
        if !whole {
            run.cut((to, *read), (back.dcontext, extent.tokens), 0, inner)?;
        }
        if is_last {
            run.cut((dx, *read), (back.dx, extent.tokens), 0, extent.width)?;
        }
        Ok(())
    }

    /// From the context to a block's input.
    fn attention_backward(&self, here: &Here) -> Result<(), Fault> {
        let Here { run, back, block, tape, .. } = *here;
        let (extent, rows, storage) = (run.sizes.extent, run.sizes.rows(), run.sizes.storage);
        let Tape { input, qkv, log_sum_exp, context, .. } = *tape;
        let (scale, [dots, dcontext, dqkv]) = (attention::scale(extent.head_width), [back.dots, back.dcontext, back.dqkv]);
        let arguments = Backward { qkv, context, dcontext, log_sum_exp, dots, dqkv, scale, row: None };
        attention::backward(run.queue, storage, run.sizes.attention(), arguments)?;
        run.norm(block.norm1, (rows, extent.width), (input, back.normed))?;
        self.of_layer(run, storage, &here.name("qkv"), block.qkv, (back.dqkv, back.normed), (rows, back.partials))?;
        run.backward(storage, back.dqkv, block.qkv, rows, Then::Store { to: back.dnormed, residual: NONE })?;
        let (name, affine, shape) = (here.name("norm1"), block.norm1, (rows, extent.width));
        self.norm_backward(run, back, OfNorm { name: &name, affine, storage, shape, x: input, dy: back.dnormed, dx: back.dx })
    }

    /// Adds the gradients of a layer's weight and bias: `dYᵀ·X` and the sums of the columns of `dY`.
    pub(super) fn of_layer(
        &self,
        run: &Run,
        storage: Storage,
        name: &str,
        layer: Dense,
        (dy, x): (Address, Address),
        (rows, partials): (usize, Address),
    ) -> Result<(), Fault> {
        let (weight, bias) = (self.gradient_of(&format!("{name}.weight")), self.gradient_of(&format!("{name}.bias")));
        let factors = Factors { left: dy, right: x, bias: NONE, extents: [layer.outputs, layer.inputs, rows] };
        product(run.queue, storage, Product::Weights, factors, Then::Wide(weight), self.engine.scratch())?;
        if !bias.is_some() {
            return Ok(());
        }
        layer_norm::column_sums(run.queue, storage, (rows, layer.outputs), (dy, bias), partials)
    }

    /// Adds to the gradient at what a norm read, and to those of its gain and bias.
    fn norm_backward(&self, run: &Run, back: &Back, of: OfNorm) -> Result<(), Fault> {
        let OfNorm { name, affine, storage, shape, x, dy, dx } = of;
        layer_norm::backward_keeping(run.queue, storage, affine, shape, (x, dy, dx), back.moments)?;
        let (gain, bias) = (self.gradient_of(&format!("{name}.weight")), self.gradient_of(&format!("{name}.bias")));
        let (moments, partials, [rows, width]) = (back.moments, back.partials, [shape.0, shape.1].map(|count| count as i32));
        layer_norm::affine(run.queue, storage, LayerNormAffine { x, dy, moments, partials, gain, bias, rows, width })
    }
}
