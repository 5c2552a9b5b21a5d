//! Passes over variants of one picture that is uploaded once: made on the device, pulled back, and gathered there.
//!
//! One recording serves all passes of a size: forward, backward and what is gathered. What changes from pass to pass is uploaded to
//! one place, `Dials`. Only scores and the final map come back.

mod ground;

use kernels::cuda::{Address, Fault, Region, Storage};
use kernels::patchify::cuda::Noise;
use kernels::saliency::cuda::{self as saliency, Values};
use kernels::saliency::{Reduction, Statistic};
use ndarray::{Array2, ArrayView3};

use super::backward::{Reached, Returning};
use super::forward::{Passing, Run};
use super::input::Input;
use super::places::{Kept, Places, Sizes, laid_out};
use super::replay::Key;
use super::{Engine, failed};
use crate::vit::Model;
use crate::vit::forward::Keep;
use crate::{Error, Patches, Target, Vit, cancellation};
use ground::{Dials, Ground};

/// More variants in a pass make it no faster.
pub(super) const MOST: usize = 64;

/// What becomes of the gradients of a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Gather {
    /// Running moments over noisy copies.
    Moments,
    /// A sum along a path, with weights that are known before.
    Weighted,
    /// Kept along a path, for weights that are known in the end.
    Kept,
}

/// A picture on a device, and what was gathered of its variants so far.
#[derive(Debug)]
pub(crate) struct Variants<'a> {
    model: &'a Model,
    engine: &'a Engine,
    patches: Patches,
    target: Target,
    gather: Gather,
    noise: Noise,
    ground: Ground,
    _region: Region,
    /// Variants that a pass has room for.
    at_once: usize,
    made: usize,
    /// Gradients that were kept, with the number of variants in each.
    kept: Vec<(Region, usize)>,
}

impl<'a> Variants<'a> {
    /// Noisy copies of a picture (C, H, W), which the target is asked of; nothing where the model computes on the processor.
    pub fn noisy(vit: &'a Vit, picture: ArrayView3<f32>, (seed, deviation): (u64, f32), target: Target) -> Result<Option<Self>, Error> {
        let Some(mut variants) = Self::of(vit, picture.dim(), target, Gather::Moments)? else { return Ok(None) };
        variants.noise = Noise { seed: [seed as u32, (seed >> 32) as u32], first_sample: 0, deviation };
        variants.ground.put_picture(variants.engine, picture)?;
        Ok(Some(variants))
    }

    /// Points of the path from one picture (C, H, W) to another; nothing where the model computes on the processor.
    pub fn along(vit: &'a Vit, [from, to]: [ArrayView3<f32>; 2], target: Target, gather: Gather) -> Result<Option<Self>, Error> {
        let Some(variants) = Self::of(vit, to.dim(), target, gather)? else { return Ok(None) };
        variants.ground.put_path(variants.engine, &variants.sizes(1), [from, to])?;
        Ok(Some(variants))
    }

    fn of(vit: &'a Vit, (_, height, width): (usize, usize, usize), target: Target, gather: Gather) -> Result<Option<Self>, Error> {
        let model = &*vit.model;
        let Some(engine) = model.engine.as_deref() else { return Ok(None) };
        let patches = Patches::cover(height, width, model.config.patch_size)?;
        let sizes = engine.sizes(&model.config, (1, patches), Keep::Everything);
        let lay = |places: &mut Places| Ground::lay(&sizes, gather, places);
        let (region, ground) = laid_out(&engine.arena, engine.storage, lay).map_err(failed)?;
        let noise = Noise { seed: [0; 2], first_sample: 0, deviation: 0.0 };
        Ok(Some(Self { model, engine, patches, target, gather, noise, ground, _region: region, at_once: MOST, made: 0, kept: Vec::new() }))
    }

    /// Variants that were made.
    pub fn made(&self) -> usize {
        self.made
    }

    /// Variants that a pass has room for: fewer where the device's memory was too small.
    pub fn at_once(&self) -> usize {
        self.at_once
    }

    /// Makes the next noisy copies, as many of `wanted` as fit at once, and folds their gradients in.
    pub fn fold(&mut self, wanted: usize) -> Result<(), Error> {
        self.pass(wanted, &[], &[]).map(|_| ())
    }

    /// Visits points of the path with their weights, as many as fit at once; of each the score and, where gradients are kept, the
    /// slope of the score along the path.
    pub fn visit(&mut self, points: &[(f64, f64)]) -> Result<Vec<(f64, f64)>, Error> {
        let shares: Vec<f32> = points.iter().flat_map(|(at, _)| [(1.0 - at) as f32, *at as f32]).collect();
        let weights: Vec<f32> = points.iter().map(|(_, weight)| *weight as f32).collect();
        self.pass(points.len(), &shares, &weights)
    }

    /// A statistic of the gradients that were folded in, (H, W).
    pub fn statistic(&self, statistic: Statistic, reduction: Reduction) -> Result<Array2<f32>, Error> {
        let [mean, squares] = self.ground.gathered;
        self.map(Values::Moments { mean, squares, samples: self.made, statistic }, reduction)
    }

    /// `(x − x₀)·Σ weight·gradient`, (H, W), and what it sums to over all channels; `weights` are those of gradients that were kept.
    pub fn attribution(&self, weights: &[f64], reduction: Reduction) -> Result<(Array2<f32>, f64), Error> {
        let (engine, mut left, mut before) = (self.engine, weights, 0);
        let turn = engine.turn();
        for (region, images) in &self.kept {
            let (of_region, rest) = left.split_at(*images);
            let weights: Vec<f32> = of_region.iter().map(|weight| *weight as f32).collect();
            self.ground.put_dials(engine, &Dials { before, weights: &weights, ..Dials::NONE })?;
            saliency::along(&*engine.queue, engine.storage, self.saliency(region.at(), *images)).map_err(failed)?;
            (left, before) = (rest, before + images);
        }
        saliency::attribute(&*engine.queue, engine.storage, self.saliency(Address::NONE, 1)).map_err(failed)?;
        let total = engine.get(Storage::F32, self.ground.totals, 1)?;
        drop(turn);
        Ok((self.map(Values::Sum(self.ground.gathered[0]), reduction)?, f64::from(total[0])))
    }

    fn sizes(&self, images: usize) -> Sizes {
        self.engine.sizes(&self.model.config, (images, self.patches), Keep::Everything)
    }

    fn map(&self, values: Values, reduction: Reduction) -> Result<Array2<f32>, Error> {
        let (engine, sizes, size) = (self.engine, self.sizes(1), self.model.config.patch_size);
        let shape = (self.patches.rows * size, self.patches.cols * size);
        let turn = engine.turn();
        let (shape_of, at) = ((sizes.patch_shape(), sizes.pitch), self.ground.map);
        saliency::map(&*engine.queue, engine.storage, shape_of, values, reduction, at).map_err(failed)?;
        let map = engine.get(Storage::F32, at, shape.0 * shape.1)?;
        drop(turn);
        engine.expect_finite("a gradient", map.iter())?;
        Ok(Array2::from_shape_vec(shape, map).unwrap_or_else(|_| unreachable!("the device fills whole maps")))
    }

    /// One pass over the next variants, with half as many as often as memory is too small for them.
    fn pass(&mut self, wanted: usize, shares: &[f32], weights: &[f32]) -> Result<Vec<(f64, f64)>, Error> {
        loop {
            cancellation::check()?;
            let images = wanted.min(self.at_once);
            match self.pass_at_once(images, shares, weights) {
                Err(Error::Kernel(kernels::Error::Device(Fault::OutOfMemory { .. }))) if images > 1 => {
                    self.engine.arena.give_back();
                    self.at_once = images / 2;
                }
                found => return found.inspect(|_| self.made += images),
            }
        }
    }

    fn pass_at_once(&mut self, images: usize, shares: &[f32], weights: &[f32]) -> Result<Vec<(f64, f64)>, Error> {
        let (engine, sizes) = (self.engine, self.sizes(images));
        let grid = engine.grid(&self.model.config, &self.model.weights, self.patches)?;
        let lay = |places: &mut Places| {
            let (on, reached) = (&engine.weights, Reached::lay(&sizes, &engine.weights, places));
            let returning = Returning::lay(&sizes, on, false, reached, places);
            (Kept::lay(&sizes, on, places), Passing::lay(&sizes, on, places), reached, returning)
        };
        let (own, (kept, passing, reached, returning)) = laid_out(&engine.arena, engine.storage, lay).map_err(failed)?;
        let keeping = self.room_for(images * self.count() * engine.storage.bytes())?;
        let mut turn = engine.turn();
        let noise = Noise { first_sample: self.made as u32, ..self.noise };
        let (at, upto) = (keeping.as_ref().map_or(Address::NONE, Region::at), images.min(weights.len()));
        let dials = Dials { kept: at, noise, before: self.made, shares: &shares[..2 * upto], weights: &weights[..upto] };
        self.ground.put_dials(engine, &dials)?;
        let classes = self.model.weights.head.classes();
        engine.begin(&sizes, &returning, &self.target.gradient(classes).repeat(images))?;
        let run = Run::new(engine, &sizes).reading(Input::Variants(self.ground.variants(self.gather)));
        let places = [own.at(), self.ground.dials, own.at()];
        let key = Key { images, patches: self.patches, keep: Keep::Everything, is_bytes: false, gather: Some(self.gather), places };
        let launches = || {
            run.pass(&passing, &kept, &grid)?;
            run.pull_back(&returning, &kept, engine.gradient_scale())?;
            self.gather(reached.patches, images)
        };
        turn.run(&*engine.queue, key, launches).map_err(failed)?;
        let (pooled, logits) = engine.read(&sizes, &kept, classes)?;
        let slopes = if keeping.is_some() { engine.get(Storage::F32, self.ground.totals, images)? } else { vec![0.0; images] };
        drop(turn);
        engine.expect_finite("an output", pooled.iter().chain(&logits).chain(&slopes))?;
        self.kept.extend(keeping.map(|region| (region, images)));
        let scores = logits.chunks(classes.max(1)).map(|logits| self.target.score(logits));
        Ok(scores.zip(slopes.into_iter().map(f64::from)).collect())
    }

    /// Values of a gradient, with those that patches are filled up with.
    fn count(&self) -> usize {
        self.patches.count() * self.engine.weights.patch.inputs
    }

    fn room_for(&self, bytes: usize) -> Result<Option<Region>, Error> {
        (self.gather == Gather::Kept).then(|| self.engine.arena.take(bytes).map_err(failed)).transpose()
    }

    fn saliency(&self, gradients: Address, samples: usize) -> saliency::Saliency {
        self.ground.saliency(gradients, (samples, self.count()), 1.0 / self.engine.gradient_scale())
    }

    fn gather(&self, gradients: Address, samples: usize) -> Result<(), Fault> {
        let (queue, arguments) = (&*self.engine.queue, self.saliency(gradients, samples));
        match self.gather {
            Gather::Moments => saliency::moments(queue, self.engine.storage, arguments),
            Gather::Weighted => saliency::along(queue, self.engine.storage, arguments),
            Gather::Kept => saliency::keep(queue, self.engine.storage, arguments),
        }
    }
}
