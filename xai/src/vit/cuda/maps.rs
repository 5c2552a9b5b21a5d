//! Fused maps of a pass that was made on a device, and what becomes of a row or of all rows that go through them.

use kernels::attention::HeadFusion;
use kernels::cuda::{Address, Fault, Storage};
use kernels::rollout::Layer;
use kernels::rollout::cuda::{Push, push};
use kernels::rollout::cuda_explicit::{Multiply, multiply};

use super::forward::Run;
use super::passed::{Part, Passed};
use super::places::{Places, laid_out};
use super::{Engine, failed};
use crate::Error;
use crate::vit::extent::Extent;
use crate::vit::forward::Keep;
use crate::vit::pooling;

impl Passed {
    /// A block's map fused over heads, (B, N, N): as it was kept, or made again.
    pub fn fused_map(&self, layer: usize, fusion: HeadFusion) -> Result<Vec<f32>, Error> {
        let mut maps = Vec::new();
        for part in &self.parts {
            let Engine { arena, storage, .. } = &*self.engine;
            let (_region, room) = laid_out(arena, *storage, |places| places.values(part.room(fusion))).map_err(failed)?;
            let turn = self.engine.turn();
            let map = part.map(&self.engine, layer, fusion, room).map_err(failed)?;
            maps.extend(self.engine.get(*storage, map, part.sizes.map())?);
            drop(turn);
        }
        Ok(maps)
    }

    /// The row (B, N) that starts where the head reads, pushed through the kept maps of the blocks from the last down to `first`.
    pub fn pushed_row(&self, layer: Layer, first: usize) -> Result<Vec<f32>, Error> {
        let mut rows = Vec::new();
        for Part { sizes, kept, .. } in &self.parts {
            let Extent { images, tokens, .. } = sizes.extent;
            let Engine { queue, storage, weights, .. } = &*self.engine;
            let turn = self.engine.turn();
            self.engine.put(kept.row, &pooling::start_row::<f32>(&sizes.config, images, tokens))?;
            let maps = kept.maps.plus(first * sizes.map() * storage.bytes());
            let (row, scratch, layers) = (kept.row, kept.row_scratch, weights.blocks.len() - first);
            let (residual, normalise) = (layer.residual as f32, layer.normalise);
            push(&**queue, *storage, Push { maps, row, scratch, layers, images, tokens, residual, normalise }).map_err(failed)?;
            rows.extend(self.engine.get(Storage::F32, row, images * tokens)?);
            drop(turn);
        }
        Ok(rows)
    }

    /// The product (B, N, N) of the matrices that the blocks' maps make, from `first` up to the last: every row at once.
    pub fn product(&self, fusion: HeadFusion, layer: Layer, first: usize) -> Result<Vec<f32>, Error> {
        let mut products = Vec::new();
        for part in &self.parts {
            let (Extent { images, tokens, .. }, map_len) = (part.sizes.extent, part.sizes.map());
            let Engine { arena, queue, storage, weights, .. } = &*self.engine;
            let lay = |places: &mut Places| {
                let products = [places.singles(map_len), places.singles(map_len)];
                (places.values(part.room(fusion)), places.singles(images * tokens), products)
            };
            let (_region, (room, shares, [mut product, mut other])) = laid_out(arena, *storage, lay).map_err(failed)?;
            let turn = self.engine.turn();
            let mut before = Address::NONE;
            for index in first..weights.blocks.len() {
                let map = part.map(&self.engine, index, fusion, room).map_err(failed)?;
                multiply(&**queue, *storage, Multiply { map, before, product, shares, images, tokens, layer }).map_err(failed)?;
                (before, product, other) = (product, other, product);
            }
            products.extend(self.engine.get(Storage::F32, before, map_len)?);
            drop(turn);
        }
        Ok(products)
    }
}

impl Part {
    /// Values that [`Part::map`] needs room for: none where such maps were kept.
    fn room(&self, fusion: HeadFusion) -> usize {
        if self.sizes.keep == Keep::Fused(fusion) { 0 } else { self.sizes.map() }
    }

    /// Where a block's fused map is: where it was kept, or in `room`, made again of what was.
    fn map(&self, engine: &Engine, layer: usize, fusion: HeadFusion, room: Address) -> Result<Address, Fault> {
        if self.room(fusion) == 0 {
            return Ok(self.kept.maps.plus(layer * self.sizes.map() * engine.storage.bytes()));
        }
        Run::new(engine, &self.sizes).fused_map(&self.kept.tapes[layer], fusion, room)?;
        Ok(room)
    }
}
