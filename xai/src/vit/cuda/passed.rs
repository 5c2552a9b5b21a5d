//! A pass that was made on a device, as a trace holds it: numbers come back when they are asked for.

use std::sync::Arc;

use kernels::cuda::{Address, Fault, Region, Storage};

use super::forward::{Passing, Run};
use super::input::{Input, Pictures};
use super::places::{Kept, Sizes, laid_out};
use super::replay::Key;
use super::{Engine, failed};
use crate::Error;
use crate::vit::config::VitConfig;
use crate::vit::extent::Extent;
use crate::vit::forward::Keep;
use crate::vit::weights::Weights;

/// A pass over a batch, made in one part or, where the device's memory was too small, in several.
#[derive(Debug)]
pub(crate) struct Passed {
    pub(super) engine: Arc<Engine>,
    pub(super) parts: Vec<Part>,
    pub extent: Extent,
    /// (B, classes).
    pub logits: Vec<f32>,
    /// (B, pooled width).
    pub pooled: Vec<f32>,
}

/// Some neighbouring images of a batch.
#[derive(Debug)]
pub(super) struct Part {
    pub sizes: Sizes,
    pub kept: Kept,
    pub region: Region,
}

impl Passed {
    /// Runs the forward pass.
    pub fn run(engine: &Arc<Engine>, config: &VitConfig, weights: &Weights<f32>, pictures: Pictures, keep: Keep) -> Result<Self, Error> {
        let extent = Extent::new(config, pictures.images, config.special_tokens.count() + pictures.patches.count());
        let mut passed = Self { engine: engine.clone(), parts: Vec::new(), extent, logits: Vec::new(), pooled: Vec::new() };
        passed.add(config, weights, pictures, keep)?;
        engine.expect_finite("an output", passed.pooled.iter().chain(&passed.logits))?;
        Ok(passed)
    }

    /// Parts that the batch was divided into because the device's memory was too small; 1 where it was enough.
    pub fn parts(&self) -> usize {
        self.parts.len()
    }

    fn add(&mut self, config: &VitConfig, weights: &Weights<f32>, pictures: Pictures, keep: Keep) -> Result<(), Error> {
        let added = self.add_at_once(config, weights, pictures, keep);
        let is_too_large = matches!(added, Err(Error::Kernel(kernels::Error::Device(Fault::OutOfMemory { .. }))));
        if !is_too_large || pictures.images == 1 {
            return added;
        }
        self.engine.arena.give_back();
        let (first, second) = pictures.split_at(pictures.images / 2);
        self.add(config, weights, first, keep)?;
        self.add(config, weights, second, keep)
    }

    fn add_at_once(&mut self, config: &VitConfig, weights: &Weights<f32>, pictures: Pictures, keep: Keep) -> Result<(), Error> {
        let engine = &*self.engine;
        let Pictures { images, patches, .. } = pictures;
        let grid = engine.grid(config, weights, patches)?;
        let sizes = engine.sizes(config, (images, patches), keep);
        let (region, kept) =
            laid_out(&engine.arena, engine.storage, |places| Kept::lay(&sizes, &engine.weights, places)).map_err(failed)?;
        let lay = |places: &mut _| (Passing::lay(&sizes, &engine.weights, places), Input::lay(&pictures, &sizes, places));
        let (scratch, (passing, input)) = laid_out(&engine.arena, engine.storage, lay).map_err(failed)?;
        let is_bytes = matches!(input, Input::Bytes { .. });
        let key = Key { images, patches, keep, is_bytes, gather: None, places: [region.at(), scratch.at(), Address::NONE] };
        let mut turn = engine.turn();
        input.upload(engine, &pictures)?;
        let run = Run::new(engine, &sizes).reading(input);
        turn.run(&*engine.queue, key, || run.pass(&passing, &kept, &grid)).map_err(failed)?;
        let (pooled, logits) = engine.read(&sizes, &kept, weights.head.classes())?;
        drop(turn);
        self.logits.extend(logits);
        self.pooled.extend(pooled);
        self.parts.push(Part { sizes, kept, region });
        Ok(())
    }

    /// Queries, keys and values (B, N, 3·A) of a block, and their log-sum-exp (B, N, H).
    pub fn attention(&self, layer: usize) -> Result<(Vec<f32>, Vec<f32>), Error> {
        let (mut qkv, mut sums) = (Vec::new(), Vec::new());
        for Part { sizes, kept, .. } in &self.parts {
            let tape = kept.tapes[layer];
            qkv.extend(without_filling(sizes, &self.engine.get(sizes.storage, tape.qkv, 3 * sizes.rows() * sizes.inner())?));
            sums.extend(self.engine.get(Storage::F32, tape.log_sum_exp, sizes.rows() * sizes.extent.heads)?);
        }
        Ok((qkv, sums))
    }

    /// The last block's input (B, N, D) and its attention's context (B, N, A), from which every token can be finished.
    pub fn unfinished(&self) -> Result<(Vec<f32>, Vec<f32>), Error> {
        let (mut inputs, mut contexts) = (Vec::new(), Vec::new());
        for Part { sizes, kept, .. } in &self.parts {
            let Some(tape) = kept.tapes.last() else { continue };
            inputs.extend(self.engine.get(sizes.storage, tape.input, sizes.rows() * sizes.extent.width)?);
            contexts.extend(without_filling(sizes, &self.engine.get(sizes.storage, tape.context, sizes.rows() * sizes.inner())?));
        }
        Ok((inputs, contexts))
    }
}

impl Engine {
    /// What the head read (B, pooled width), and its logits (B, classes).
    pub(super) fn read(&self, sizes: &Sizes, kept: &Kept, classes: usize) -> Result<(Vec<f32>, Vec<f32>), Error> {
        let pooled = self.get(Storage::F32, kept.pooled, sizes.pooled())?;
        let (Some(&logits), Some(layer)) = (kept.activations.last(), self.weights.head.last()) else { return Ok((pooled, Vec::new())) };
        let filled = self.get(Storage::F32, logits, sizes.extent.images * layer.outputs)?;
        Ok((pooled, filled.chunks(layer.outputs).flat_map(|row| &row[..classes]).copied().collect()))
    }

    /// Refuses numbers that are none.
    pub(super) fn expect_finite<'a>(&self, what: &str, mut values: impl Iterator<Item = &'a f32>) -> Result<(), Error> {
        let what = || format!("{what} that the device computed in {}; pictures or weights are beyond it, use f32", self.storage);
        values.position(|value| !value.is_finite()).map_or(Ok(()), |index| Err(Error::NotFinite { what: what(), index }))
    }
}

/// Heads of values (rows, heads, filled) without the zeros behind them.
pub(super) fn without_filling(sizes: &Sizes, values: &[f32]) -> Vec<f32> {
    values.chunks(sizes.head_width).flat_map(|head| &head[..sizes.extent.head_width]).copied().collect()
}
