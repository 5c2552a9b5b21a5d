//! The way back with the gradient of every weight: as `cuda/backward.rs`, without pixels and relevance.

use kernels::activation::cuda::{self as activation, BiasActivation};
use kernels::attention::RowRule;
use kernels::attention::cuda::{self as attention, AttentionBackward};
use kernels::cuda::{Address, Fault, Storage};
use kernels::layer_norm::cuda::{self as layer_norm, Affine, LayerNormAffine};
use kernels::linear::cuda::{Factors, Product, Then, product};
use kernels::tokens::cuda as tokens;

use super::places::{Back, Lying};
use super::{Learning, Pieces};
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
        let norm = |storage, shape, places| self.norm_backward(run, back, "norm", storage, run.on.norm, shape, places, true);
        if config.final_norm == FinalNorm::Tokens {
            tokens::pool_backward(run.queue, *storage, shape, parts, (lying.head.dpooled, dnormed), scale)?;
            return norm(*storage, (run.sizes.read_rows(), shape.width), (kept.last, dnormed, dread));
        }
        norm(Storage::F32, (shape.images, config.pooled_width()), (kept.raw, lying.head.dpooled, back.draw))?;
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
        let places = (tape.middle, back.dnormed, dx);
        self.norm_backward(run, back, &here.name("norm2"), *storage, norm, (rows, extent.width), places, false)
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
        let [images, tokens, heads] = [extent.images, extent.tokens, extent.heads].map(|n| n as i32);
        let arguments = AttentionBackward {
            qkv,
            context,
            dcontext: back.dcontext,
            log_sum_exp,
            dots: back.dots,
            dqkv: back.dqkv,
            row: NONE,
            row_steps: NONE,
            base: NONE,
            next_row: NONE,
            images,
            tokens,
            heads,
            scale: attention::scale(extent.head_width),
            unscale: 1.0,
            rule: attention::rule_code(RowRule::default()),
        };
        attention::backward(run.queue, storage, run.sizes.attention(), arguments)?;
        run.norm(block.norm1, (rows, extent.width), (input, back.normed))?;
        self.of_layer(run, storage, &here.name("qkv"), block.qkv, (back.dqkv, back.normed), (rows, back.partials))?;
        run.backward(storage, back.dqkv, block.qkv, rows, Then::Store { to: back.dnormed, residual: NONE })?;
        let places = (input, back.dnormed, back.dx);
        self.norm_backward(run, back, &here.name("norm1"), storage, block.norm1, (rows, extent.width), places, false)
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

    /// Adds to `dx`, which is cleared before where it is `fresh`, and to the gradients of gain and bias.
    #[allow(clippy::too_many_arguments)]
    fn norm_backward(
        &self,
        run: &Run,
        back: &Back,
        name: &str,
        storage: Storage,
        affine: Affine,
        (rows, width): (usize, usize),
        (x, dy, dx): (Address, Address, Address),
        fresh: bool,
    ) -> Result<(), Fault> {
        if fresh {
            run.queue.clear(dx, rows * width * storage.bytes())?;
        }
        layer_norm::backward_keeping(run.queue, storage, affine, (rows, width), (x, dy, dx), back.moments)?;
        let (gain, bias) = (self.gradient_of(&format!("{name}.weight")), self.gradient_of(&format!("{name}.bias")));
        let (moments, partials, rows, width) = (back.moments, back.partials, rows as i32, width as i32);
        layer_norm::affine(run.queue, storage, LayerNormAffine { x, dy, moments, partials, gain, bias, rows, width })
    }
}
