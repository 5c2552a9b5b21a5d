//! The forward pass on a device.

use kernels::cuda::{Address, Fault, Queue, Storage};
use kernels::layer_norm::cuda::{self as layer_norm, Affine};
use kernels::linear::cuda::{Factors, Product, Scratch, Then, product};
use kernels::tokens::Shape;
use kernels::tokens::cuda::{self as tokens, Cut, Join};

use super::input::Input;
use super::places::{Kept, Places, Sizes, Tape};
use super::weights::{BlockOnDevice, Dense, MlpOnDevice, OnDevice};
use super::{Engine, Grid};
use crate::vit::choices::FinalNorm;
use crate::vit::forward::Keep;

const NONE: Address = Address::NONE;

/// What a forward pass needs while it runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Passing {
    /// (B·P, pitch), and normalised where the architecture does that.
    pub patches: [Address; 2],
    /// (B·P, D), and normalised.
    pub embedded: [Address; 2],
    /// (B, N, D).
    pub normed: Address,
    /// The MLP after its activation, (B, N, M).
    hidden: Address,
    /// Of the tokens that the head reads: before the last block (B, R, D), and its context (B, R, A).
    read: [Address; 2],
}

impl Passing {
    pub fn lay(sizes: &Sizes, on: &OnDevice, places: &mut Places) -> Self {
        let width = sizes.extent.width;
        let norms = usize::from(on.patch_norms.is_some());
        let [patches, embedded] = [sizes.pitch, width].map(|width| sizes.patch_rows() * width);
        let cut = if sizes.read < sizes.extent.tokens { sizes.read_rows() } else { 0 };
        Self {
            patches: [places.values(patches), places.values(norms * patches)],
            embedded: [places.values(embedded), places.values(norms * embedded)],
            normed: places.values(sizes.rows() * width),
            hidden: places.values(sizes.rows() * sizes.hidden),
            read: [places.values(cut * width), places.values(cut * sizes.inner())],
        }
    }
}

/// One pass: what it runs on, and where.
pub(super) struct Run<'a> {
    pub queue: &'a dyn Queue,
    pub on: &'a OnDevice,
    pub sizes: &'a Sizes,
    /// What patches are made of.
    pub input: Input,
    scratch: Scratch,
}

impl<'a> Run<'a> {
    pub fn new(engine: &'a Engine, sizes: &'a Sizes) -> Self {
        Self { queue: &*engine.queue, on: &engine.weights, sizes, input: Input::Values(NONE), scratch: engine.scratch() }
    }

    /// The same with pictures.
    pub fn reading(self, input: Input) -> Self {
        Self { input, ..self }
    }

    fn storage(&self) -> Storage {
        self.sizes.storage
    }

    /// A layer's product forward, (rows, outputs).
    pub fn forward(&self, storage: Storage, x: Address, layer: Dense, rows: usize, then: Then) -> Result<(), Fault> {
        let Dense { weight, bias, inputs, outputs } = layer;
        product(
            self.queue,
            storage,
            Product::Forward,
            Factors { left: x, right: weight, bias, extents: [rows, outputs, inputs] },
            then,
            self.scratch,
        )
    }

    /// A layer's product backward, (rows, inputs).
    pub fn backward(&self, storage: Storage, dy: Address, layer: Dense, rows: usize, then: Then) -> Result<(), Fault> {
        let Dense { weight, inputs, outputs, .. } = layer;
        let factors = Factors { left: dy, right: weight, bias: NONE, extents: [rows, inputs, outputs] };
        product(self.queue, storage, Product::Backward, factors, then, self.scratch)
    }

    pub fn norm(&self, affine: Affine, shape: (usize, usize), places: (Address, Address)) -> Result<(), Fault> {
        layer_norm::forward(self.queue, self.storage(), affine, shape, places)
    }

    /// `count` tokens of each image from `first` on, of rows of so many values.
    pub fn cut(&self, (from, there): (Address, usize), (to, count): (Address, usize), first: usize, width: usize) -> Result<(), Fault> {
        let [images, from_tokens, to_tokens, first, width] = [self.sizes.extent.images, there, count, first, width].map(|n| n as i32);
        tokens::cut(self.queue, self.storage(), Cut { from, to, images, from_tokens, to_tokens, first, width })
    }

    pub fn read_shape(&self) -> Shape {
        Shape { images: self.sizes.extent.images, tokens: self.sizes.read, width: self.sizes.extent.width }
    }

    /// Everything, from pixels to logits.
    pub fn pass(&self, passing: &Passing, kept: &Kept, grid: &Grid) -> Result<(), Fault> {
        let launched = self.launch(passing, kept, grid);
        // The last block's map is there when the pass is over, and no branch outlives the memory of a pass that failed.
        let joined = self.queue.join();
        launched.and(joined)
    }

    fn launch(&self, passing: &Passing, kept: &Kept, grid: &Grid) -> Result<(), Fault> {
        self.embed(passing, kept.tapes.first().map_or(NONE, |tape| tape.input), grid)?;
        for (index, (block, tape)) in self.on.blocks.iter().zip(&kept.tapes).enumerate() {
            let map = kept.maps.plus(index * self.sizes.map() * self.storage().bytes());
            let map = if let Keep::Fused(fusion) = self.sizes.keep { Some((fusion, map)) } else { None };
            self.attend(block, tape, passing, map)?;
            match kept.tapes.get(index + 1) {
                Some(next) => self.finish(block, tape, passing, (self.sizes.rows(), tape.input, tape.context), next.input)?,
                None => self.finish_read(block, tape, passing, kept.last)?,
            }
        }
        self.head(passing, kept)
    }

    fn embed(&self, passing: &Passing, x: Address, grid: &Grid) -> Result<(), Fault> {
        let Sizes { extent, patches, pitch, .. } = self.sizes;
        let (images, rows) = (extent.images, self.sizes.patch_rows());
        self.patches(self.storage(), passing.patches[0])?;
        let norms = self.on.patch_norms;
        if let Some([before, _]) = norms {
            self.norm(before, (rows, *pitch), (passing.patches[0], passing.patches[1]))?;
        }
        let from = passing.patches[usize::from(norms.is_some())];
        self.forward(self.storage(), from, self.on.patch, rows, Then::Store { to: passing.embedded[0], residual: NONE })?;
        if let Some([_, after]) = norms {
            self.norm(after, (rows, extent.width), (passing.embedded[0], passing.embedded[1]))?;
        }
        let positions = grid.region.at();
        let [images, count, special, width] = [images, extent.tokens, extent.tokens - patches.count(), extent.width].map(|n| n as i32);
        let patches = passing.embedded[usize::from(norms.is_some())];
        let special_rows = positions.plus(4 * grid.positions);
        tokens::join(self.queue, self.storage(), Join { patches, special_rows, positions, tokens: x, images, count, special, width })
    }

    /// What follows attention, for `rows` tokens of input and context.
    fn finish(
        &self,
        block: &BlockOnDevice,
        tape: &Tape,
        passing: &Passing,
        (rows, input, context): (usize, Address, Address),
        to: Address,
    ) -> Result<(), Fault> {
        let between = if block.mlp.is_some() { tape.middle } else { to };
        self.forward(self.storage(), context, block.projection, rows, Then::Store { to: between, residual: input })?;
        let Some(MlpOnDevice { norm, fc1, fc2 }) = block.mlp else { return Ok(()) };
        self.norm(norm, (rows, self.sizes.extent.width), (tape.middle, passing.normed))?;
        let activation = self.sizes.extent.activation.into();
        let then = Then::Activate { activation, before: tape.before, to: passing.hidden };
        self.forward(self.storage(), passing.normed, fc1, rows, then)?;
        self.forward(self.storage(), passing.hidden, fc2, rows, Then::Store { to, residual: tape.middle })
    }

    /// The last block's end, for the tokens that the head reads.
    fn finish_read(&self, block: &BlockOnDevice, tape: &Tape, passing: &Passing, last: Address) -> Result<(), Fault> {
        let (Sizes { read, extent, .. }, rows) = (self.sizes, self.sizes.read_rows());
        if *read == extent.tokens {
            return self.finish(block, tape, passing, (rows, tape.input, tape.context), last);
        }
        let [x, context] = passing.read;
        self.cut((tape.input, extent.tokens), (x, *read), 0, extent.width)?;
        self.cut((tape.context, extent.tokens), (context, *read), 0, self.sizes.inner())?;
        self.finish(block, tape, passing, (rows, x, context), last)
    }

    /// The last norm, the pooling and the head, all of whose numbers are f32.
    fn head(&self, passing: &Passing, kept: &Kept) -> Result<(), Fault> {
        let (shape, parts, images) = (self.read_shape(), &self.sizes.parts, self.sizes.extent.images);
        if self.sizes.config.final_norm == FinalNorm::Tokens {
            self.norm(self.on.norm, (self.sizes.read_rows(), shape.width), (kept.last, passing.normed))?;
            tokens::pool(self.queue, self.storage(), shape, parts, (passing.normed, kept.pooled))?;
        } else {
            tokens::pool(self.queue, self.storage(), shape, parts, (kept.last, kept.raw))?;
            let (all, places) = ((images, self.sizes.config.pooled_width()), (kept.raw, kept.pooled));
            layer_norm::forward(self.queue, Storage::F32, self.on.norm, all, places)?;
        }
        let mut x = kept.pooled;
        for (index, (layer, &to)) in self.on.head.iter().zip(&kept.activations).enumerate() {
            let relu = Then::Activate { activation: kernels::activation::Activation::Relu, before: NONE, to };
            let then = if index + 1 < self.on.head.len() { relu } else { Then::Wide(to) };
            self.forward(Storage::F32, x, *layer, images, then)?;
            x = to;
        }
        Ok(())
    }
}
