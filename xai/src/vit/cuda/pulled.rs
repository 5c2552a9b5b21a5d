//! A backward pass through what a trace holds on a device: what it found stays there until it is asked for.

use kernels::Workspace;
use kernels::attention::{self, Forward, ReadOuts};
use kernels::cuda::{Address, Region, Storage};
use kernels::patchify::cuda::unpatchify;
use kernels::saliency::Reduction;
use kernels::saliency::cuda::{self as saliency, Values};

use super::backward::{Reached, Returning};
use super::forward::Run;
use super::input::{Input, Pictures};
use super::passed::{Part, Passed, without_filling};
use super::places::{Places, Sizes, laid_out};
use super::replay::Key;
use super::{Engine, failed};
use crate::Error;
use crate::vit::backward::Cotangents;
use crate::vit::forward::Keep;
use crate::vit::pooling;

/// What one backward pass found, a region and its places for each part of the batch.
#[derive(Debug)]
pub(crate) struct Pulled {
    parts: Vec<(Region, Reached)>,
    /// The gradient at the maps (B, H, N, N) of each block, if asked for.
    maps: Vec<Vec<f32>>,
}

impl Passed {
    /// Pulls `dlogits` (B, classes) back; with `explicit`, the gradients at every head's attention map are made too.
    pub fn pull(&self, pictures: Pictures, dlogits: &[f32], explicit: bool) -> Result<Pulled, Error> {
        let mut found = Pulled { parts: Vec::new(), maps: vec![Vec::new(); self.engine.weights.blocks.len()] };
        let (mut pictures, mut dlogits, classes) = (pictures, dlogits, dlogits.len() / self.extent.images.max(1));
        for part in &self.parts {
            let (of_part, others) = pictures.split_at(part.sizes.extent.images);
            let (dlogits_of_part, rest) = dlogits.split_at(classes * part.sizes.extent.images);
            let reached = self.pull_part(part, of_part, dlogits_of_part, explicit, &mut found.maps)?;
            found.parts.push(reached);
            (pictures, dlogits) = (others, rest);
        }
        Ok(found)
    }

    /// The same with everything brought back.
    pub fn pull_back(&self, pictures: Pictures, dlogits: &[f32], explicit: bool) -> Result<Cotangents<f32>, Error> {
        let pulled = self.pull(pictures, dlogits, explicit)?;
        Ok(Cotangents { pixels: self.pixels(&pulled)?, relevance: self.relevance(&pulled)?, maps: pulled.maps, weights: None })
    }

    /// The gradient at the pixels, (B, C, H, W).
    pub fn pixels(&self, pulled: &Pulled) -> Result<Vec<f32>, Error> {
        let (mut pixels, engine) = (Vec::new(), &*self.engine);
        for (Part { sizes, .. }, (_, reached)) in self.parts.iter().zip(&pulled.parts) {
            let (_region, at) = laid_out(&engine.arena, engine.storage, |places| places.singles(sizes.pixels())).map_err(failed)?;
            let turn = engine.turn();
            let how = (sizes.pitch, 1.0 / engine.gradient_scale());
            unpatchify(&*engine.queue, engine.storage, sizes.patch_shape(), (reached.patches, at), how).map_err(failed)?;
            pixels.extend(engine.get(Storage::F32, at, sizes.pixels())?);
            drop(turn);
        }
        engine.expect_finite("a gradient", pixels.iter())?;
        Ok(pixels)
    }

    /// Relevance rows (B, N) after folding in the blocks from the last one down to each; where they start last.
    pub fn relevance(&self, pulled: &Pulled) -> Result<Vec<Vec<f32>>, Error> {
        let layers = self.engine.weights.blocks.len();
        let mut relevance = vec![Vec::new(); layers + 1];
        for (Part { sizes, .. }, (_, reached)) in self.parts.iter().zip(&pulled.parts) {
            let rows = self.engine.get(Storage::F32, reached.rows, (layers + 1) * sizes.rows())?;
            relevance.iter_mut().zip(rows.chunks(sizes.rows())).for_each(|(row, of_part)| row.extend_from_slice(of_part));
        }
        self.engine.expect_finite("a relevance", relevance.iter().flatten())?;
        Ok(relevance)
    }

    /// Maps (B, H·W) of the gradient, channels made one on the device; times the `factor`'s pixels, where there is one.
    pub fn reduced(&self, pulled: &Pulled, reduction: Reduction, factor: Option<Pictures>) -> Result<Vec<f32>, Error> {
        let (mut maps, mut left) = (Vec::new(), factor);
        for (Part { sizes, .. }, (_, reached)) in self.parts.iter().zip(&pulled.parts) {
            let halves = left.map(|pictures| pictures.split_at(sizes.extent.images));
            maps.extend(self.reduced_part(sizes, *reached, reduction, halves.map(|(of_part, _)| of_part))?);
            left = halves.map(|(_, others)| others);
        }
        self.engine.expect_finite("a gradient", maps.iter())?;
        Ok(maps)
    }

    fn reduced_part(&self, sizes: &Sizes, reached: Reached, reduction: Reduction, factor: Option<Pictures>) -> Result<Vec<f32>, Error> {
        let (engine, pixels) = (&*self.engine, sizes.pixels() / sizes.config.num_channels);
        let lay = |places: &mut Places| {
            let factor = factor.map(|pictures| (pictures, Input::lay(&pictures, sizes, places)));
            let times = factor.map_or(Address::NONE, |_| places.singles(sizes.patch_rows() * sizes.pitch));
            (factor, times, places.singles(pixels))
        };
        let (_region, (factor, times, map)) = laid_out(&engine.arena, engine.storage, lay).map_err(failed)?;
        let turn = engine.turn();
        if let Some((pictures, input)) = factor {
            input.upload(engine, &pictures)?;
            Run::new(engine, sizes).reading(input).patches(Storage::F32, times).map_err(failed)?;
        }
        let values = Values::Gradients { at: reached.patches, unscale: 1.0 / engine.gradient_scale(), times };
        saliency::map(&*engine.queue, engine.storage, (sizes.patch_shape(), sizes.pitch), values, reduction, map).map_err(failed)?;
        let map = engine.get(Storage::F32, map, pixels);
        drop(turn);
        map
    }

    fn pull_part(
        &self,
        part: &Part,
        pictures: Pictures,
        dlogits: &[f32],
        explicit: bool,
        maps: &mut [Vec<f32>],
    ) -> Result<(Region, Reached), Error> {
        let (Part { sizes, kept, region }, engine) = (part, &*self.engine);
        let lay = |places: &mut Places| Reached::lay(sizes, &engine.weights, places);
        let (outliving, reached) = laid_out(&engine.arena, engine.storage, lay).map_err(failed)?;
        let lay = |places: &mut Places| {
            let returning = Returning::lay(sizes, &engine.weights, explicit, reached, places);
            // Patches are made again where their norms need them.
            (returning, engine.weights.patch_norms.map(|_| Input::lay(&pictures, sizes, places)))
        };
        let (own, (returning, input)) = laid_out(&engine.arena, engine.storage, lay).map_err(failed)?;
        let keep = if explicit { Keep::Attention } else { Keep::Everything };
        let (images, patches, is_bytes) = (sizes.extent.images, sizes.patches, matches!(input, Some(Input::Bytes { .. })));
        let key = Key { images, patches, keep, is_bytes, gather: None, places: [region.at(), outliving.at(), own.at()] };
        let mut turn = engine.turn();
        engine.begin(sizes, &returning, dlogits)?;
        let mut run = Run::new(engine, sizes);
        if let Some(input) = input {
            input.upload(engine, &pictures)?;
            run = run.reading(input);
        }
        turn.run(&*engine.queue, key, || run.pull_back(&returning, kept, engine.gradient_scale())).map_err(failed)?;
        drop(turn);
        if explicit {
            for (layer, maps) in maps.iter_mut().enumerate() {
                maps.extend(self.map_gradients(part, layer, returning.dcontexts[layer])?);
            }
        }
        Ok((outliving, reached))
    }

    /// The gradient at every head's map of a block, by the processor, from what the device made: the explicit path.
    fn map_gradients(&self, part: &Part, layer: usize, dcontext: Address) -> Result<Vec<f32>, Error> {
        let Part { sizes, kept, .. } = part;
        let (tape, shape, context_len) = (kept.tapes[layer], sizes.extent.attention(), sizes.rows() * sizes.inner());
        let get = |at, count| Ok::<_, Error>(without_filling(sizes, &self.engine.get(sizes.storage, at, count)?));
        let (qkv, context, mut dcontext) = (get(tape.qkv, 3 * context_len)?, get(tape.context, context_len)?, get(dcontext, context_len)?);
        dcontext.iter_mut().for_each(|value| *value /= self.engine.gradient_scale());
        let log_sum_exp = self.engine.get(Storage::F32, tape.log_sum_exp, sizes.rows() * sizes.extent.heads)?;
        let (mut dqkv, mut maps) = (vec![0.0; qkv.len()], vec![0.0; shape.maps_len()]);
        let forward = Forward { qkv: &qkv, log_sum_exp: &log_sum_exp, context: &context };
        let read_outs = ReadOuts { map_gradients: &mut maps, ..ReadOuts::default() };
        attention::backward(shape, forward, &dcontext, &mut dqkv, read_outs, &mut Workspace::default())?;
        Ok(maps)
    }
}

impl Engine {
    /// Uploads what a backward pass begins with: `dlogits` (B, classes), and where relevance rows start.
    pub(super) fn begin(&self, sizes: &Sizes, returning: &Returning, dlogits: &[f32]) -> Result<(), Error> {
        let (images, tokens) = (sizes.extent.images, sizes.extent.tokens);
        let outputs = self.weights.head.last().map_or(0, |layer| layer.outputs);
        let classes = dlogits.len() / images.max(1);
        let filled = |row: &[f32]| row.iter().copied().chain(std::iter::repeat_n(0.0, outputs - classes)).collect::<Vec<_>>();
        self.put(returning.head[self.weights.head.len()], &dlogits.chunks(classes.max(1)).flat_map(filled).collect::<Vec<_>>())?;
        let first = returning.rows.plus(4 * sizes.rows() * self.weights.blocks.len());
        self.put(first, &pooling::start_row::<f32>(&sizes.config, images, tokens))
    }
}
