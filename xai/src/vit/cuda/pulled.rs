//! A backward pass through what a trace holds on a device.

use kernels::Workspace;
use kernels::attention::{self, Forward, ReadOuts};
use kernels::cuda::{Address, Storage};

use super::backward::Returning;
use super::failed;
use super::forward::Run;
use super::passed::{Part, Passed, without_filling};
use super::places::laid_out;
use super::replay::Key;
use crate::Error;
use crate::vit::backward::Cotangents;
use crate::vit::embedding::Pixels;
use crate::vit::extent::Extent;
use crate::vit::forward::Keep;
use crate::vit::pooling;

impl Passed {
    /// Pulls `dlogits` (B, classes) back; with `explicit`, the gradients at every head's attention map come too.
    pub fn pull_back(&self, pixels: &Pixels<f32>, dlogits: &[f32], explicit: bool) -> Result<Cotangents<f32>, Error> {
        let layers = self.engine.weights.blocks.len();
        let empty = |count: usize| vec![Vec::new(); count];
        let mut found = Cotangents { pixels: Vec::new(), relevance: empty(layers + 1), maps: empty(layers), weights: None };
        let (mut pixels_left, mut dlogits_left) = (pixels.data, dlogits);
        for part in &self.parts {
            let images = part.sizes.extent.images;
            let (of_part, rest) = pixels_left.split_at(pixels.data.len() / self.extent.images * images);
            let (dlogits_of_part, dlogits_rest) = dlogits_left.split_at(dlogits.len() / self.extent.images * images);
            self.pull_part_back(part, of_part, dlogits_of_part, explicit, &mut found)?;
            (pixels_left, dlogits_left) = (rest, dlogits_rest);
        }
        if let Some(index) = found.pixels.iter().position(|value| !value.is_finite()) {
            let what = format!("a gradient that the device computed in {}; use f32", self.engine.storage);
            return Err(Error::NotFinite { what, index });
        }
        Ok(found)
    }

    fn pull_part_back(
        &self,
        part: &Part,
        pixels: &[f32],
        dlogits: &[f32],
        explicit: bool,
        found: &mut Cotangents<f32>,
    ) -> Result<(), Error> {
        let Part { sizes, kept, region } = part;
        let (engine, Extent { images, tokens, .. }) = (&*self.engine, sizes.extent);
        let lay = |places: &mut _| Returning::lay(sizes, &engine.weights, explicit, places);
        let (own, returning) = laid_out(&engine.arena, engine.storage, lay).map_err(failed)?;
        let keep = if explicit { Keep::Attention } else { Keep::Everything };
        let key = Key { images, patches: sizes.patches, keep, places: [region.at(), Address::NONE, own.at()] };
        let outputs = engine.weights.head.last().map_or(0, |layer| layer.outputs);
        let classes = dlogits.len() / images.max(1);
        let filled = |row: &[f32]| row.iter().copied().chain(std::iter::repeat_n(0.0, outputs - classes)).collect::<Vec<_>>();
        let mut turn = engine.turn();
        engine.put(returning.head[engine.weights.head.len()], &dlogits.chunks(classes.max(1)).flat_map(filled).collect::<Vec<_>>())?;
        let (line, layers) = (4 * sizes.rows(), engine.weights.blocks.len());
        engine.put(returning.rows.plus(layers * line), &pooling::start_row::<f32>(&sizes.config, images, tokens))?;
        if let Some(at) = returning.pixels_again() {
            engine.put(at, pixels)?;
        }
        let run = Run::new(engine, sizes);
        let scale = engine.gradient_scale();
        turn.run(&*engine.queue, key, || run.pull_back(&returning, kept, scale)).map_err(failed)?;
        found.pixels.extend(engine.get(Storage::F32, returning.pixels, sizes.pixels())?);
        let rows = engine.get(Storage::F32, returning.rows, (layers + 1) * sizes.rows())?;
        found.relevance.iter_mut().zip(rows.chunks(sizes.rows())).for_each(|(row, of_part)| row.extend_from_slice(of_part));
        if explicit {
            for (layer, maps) in found.maps.iter_mut().enumerate() {
                maps.extend(self.map_gradients(part, layer, returning.dcontexts[layer])?);
            }
        }
        Ok(())
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
        let (row, mut row_step) = (vec![0.0; sizes.rows()], vec![0.0; sizes.rows()]);
        let forward = Forward { qkv: &qkv, log_sum_exp: &log_sum_exp, context: &context };
        let read_outs = ReadOuts { row: &row, row_step: &mut row_step, map_gradients: &mut maps };
        attention::backward(shape, forward, &dcontext, &mut dqkv, read_outs, &mut Workspace::default())?;
        Ok(maps)
    }
}
