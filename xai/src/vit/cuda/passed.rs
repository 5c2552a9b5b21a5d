//! A pass that was made on a device, as a trace holds it: numbers come back when they are asked for.

use std::sync::Arc;

use kernels::attention::HeadFusion;
use kernels::cuda::{Address, Fault, Region, Storage};
use kernels::rollout::cuda::Push;
use kernels::rollout::{self, Layer};

use super::forward::{Passing, Run};
use super::places::{Kept, Sizes, laid_out};
use super::replay::Key;
use super::{Engine, failed};
use crate::Error;
use crate::vit::config::VitConfig;
use crate::vit::embedding::Pixels;
use crate::vit::extent::Extent;
use crate::vit::forward::Keep;
use crate::vit::pooling;
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
    pub fn run(engine: &Arc<Engine>, config: &VitConfig, weights: &Weights<f32>, pixels: &Pixels<f32>, keep: Keep) -> Result<Self, Error> {
        let extent = Extent::new(config, pixels.images, config.special_tokens.count() + pixels.patches.count());
        let mut passed = Self { engine: engine.clone(), parts: Vec::new(), extent, logits: Vec::new(), pooled: Vec::new() };
        passed.add(config, weights, pixels, keep)?;
        let what = || format!("what the device computed in {}; pictures or weights are beyond it, use f32", engine.storage);
        match passed.pooled.iter().chain(&passed.logits).position(|value| !value.is_finite()) {
            Some(index) => Err(Error::NotFinite { what: what(), index }),
            None => Ok(passed),
        }
    }

    /// Parts that the batch was divided into because the device's memory was too small; 1 where it was enough.
    pub fn parts(&self) -> usize {
        self.parts.len()
    }

    fn add(&mut self, config: &VitConfig, weights: &Weights<f32>, pixels: &Pixels<f32>, keep: Keep) -> Result<(), Error> {
        let added = self.add_at_once(config, weights, pixels, keep);
        let is_too_large = matches!(added, Err(Error::Kernel(kernels::Error::Device(Fault::OutOfMemory { .. }))));
        if !is_too_large || pixels.images == 1 {
            return added;
        }
        self.engine.arena.give_back();
        let (half, each) = (pixels.images / 2, pixels.data.len() / pixels.images);
        let (first, second) = pixels.data.split_at(half * each);
        self.add(config, weights, &Pixels { data: first, images: half, ..*pixels }, keep)?;
        self.add(config, weights, &Pixels { data: second, images: pixels.images - half, ..*pixels }, keep)
    }

    fn add_at_once(&mut self, config: &VitConfig, weights: &Weights<f32>, pixels: &Pixels<f32>, keep: Keep) -> Result<(), Error> {
        let engine = &*self.engine;
        let grid = engine.grid(config, weights, pixels.patches)?;
        let sizes = engine.sizes(config, pixels, keep);
        let (region, kept) =
            laid_out(&engine.arena, engine.storage, |places| Kept::lay(&sizes, &engine.weights, places)).map_err(failed)?;
        let lay = |places: &mut _| Passing::lay(&sizes, &engine.weights, places);
        let (scratch, passing) = laid_out(&engine.arena, engine.storage, lay).map_err(failed)?;
        let key = Key { images: pixels.images, patches: pixels.patches, keep, places: [region.at(), scratch.at(), Address::NONE] };
        let mut turn = engine.turn();
        engine.put(passing.pixels, pixels.data)?;
        let run = Run::new(engine, &sizes);
        turn.run(&*engine.queue, key, || run.pass(&passing, &kept, &grid)).map_err(failed)?;
        let pooled = engine.get(Storage::F32, kept.pooled, sizes.pooled())?;
        let logits = match (kept.activations.last(), engine.weights.head.last()) {
            (Some(&logits), Some(layer)) => engine.get(Storage::F32, logits, pixels.images * layer.outputs)?,
            _ => Vec::new(),
        };
        drop(turn);
        let (filled, classes) = (logits.len() / pixels.images, weights.head.classes());
        self.logits.extend(logits.chunks(filled.max(1)).flat_map(|row| &row[..classes]));
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

    /// A block's map fused over heads, (B, N, N): as it was kept, or made again.
    pub fn fused_map(&self, layer: usize, fusion: HeadFusion) -> Result<Vec<f32>, Error> {
        let mut maps = Vec::new();
        for Part { sizes, kept, .. } in &self.parts {
            let Engine { arena, storage, .. } = &*self.engine;
            let at = kept.maps.plus(layer * sizes.map() * storage.bytes());
            if sizes.keep == Keep::Fused(fusion) {
                maps.extend(self.engine.get(*storage, at, sizes.map())?);
                continue;
            }
            let (_region, map) = laid_out(arena, *storage, |places| places.values(sizes.map())).map_err(failed)?;
            let turn = self.engine.turn();
            Run::new(&self.engine, sizes).fused_map(&kept.tapes[layer], fusion, map).map_err(failed)?;
            drop(turn);
            maps.extend(self.engine.get(*storage, map, sizes.map())?);
        }
        Ok(maps)
    }

    /// The row (B, N) that starts where the head reads, pushed through the kept maps of the blocks from the last down to `first`.
    pub fn rollout_row(&self, layer: Layer, first: usize) -> Result<Vec<f32>, Error> {
        let mut rows = Vec::new();
        for Part { sizes, kept, .. } in &self.parts {
            let Extent { images, tokens, .. } = sizes.extent;
            let Engine { queue, storage, weights, .. } = &*self.engine;
            let turn = self.engine.turn();
            self.engine.put(kept.row, &pooling::start_row::<f32>(&sizes.config, images, tokens))?;
            let maps = kept.maps.plus(first * sizes.map() * storage.bytes());
            let (row, scratch, layers) = (kept.row, kept.row_scratch, weights.blocks.len() - first);
            let (residual, normalise) = (layer.residual as f32, layer.normalise);
            rollout::cuda::push(&**queue, *storage, Push { maps, row, scratch, layers, images, tokens, residual, normalise })
                .map_err(failed)?;
            drop(turn);
            rows.extend(self.engine.get(Storage::F32, row, images * tokens)?);
        }
        Ok(rows)
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

/// Heads of values (rows, heads, filled) without the zeros behind them.
pub(super) fn without_filling(sizes: &Sizes, values: &[f32]) -> Vec<f32> {
    values.chunks(sizes.head_width).flat_map(|head| &head[..sizes.extent.head_width]).copied().collect()
}
