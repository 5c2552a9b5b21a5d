//! Gradients of a target, pulled back through a recorded pass.

use std::sync::{Arc, PoisonError};

use kernels::saliency::Reduction;
use ndarray::{Array2, Array3, Array4, ArrayView4, Axis};

use super::{Probe, Recorded, Trace, view2, view4};
use crate::vit::backward::{self, Cotangents, Extra};
use crate::vit::cuda::{Passed, Pictures, Pulled};
use crate::vit::embedding::Pixels;
use crate::{Batch, Error, Target};

/// Targets whose gradients stay on a device at the same time; memory there is dearer than another pass.
const MOST_PULLED: usize = 8;

/// What one backward pass yields for every explanation of one target.
#[derive(Debug)]
pub struct Gradients {
    pixels: Array4<f32>,
    relevance: Vec<Array2<f32>>,
}

impl Gradients {
    /// `∂score/∂pixels`, (B, C, H, W), in units of logits per normalised pixel value.
    pub fn pixels(&self) -> ArrayView4<'_, f32> {
        self.pixels.view()
    }

    /// The relevance row of Chefer et al. (ICCV 2021), (B, N), started where the head reads ([`Trace::start_row`]), with the layers from `start_layer` up folded in.
    pub fn relevance_row(&self, start_layer: usize) -> Option<&Array2<f32>> {
        self.relevance.get(start_layer)
    }
}

impl Trace {
    /// Gradients of `target`, from one backward pass that all methods on this target share.
    ///
    /// # Errors
    /// [`Error::NotKept`] unless the probe was `Gradients`; [`Error::NoHead`] and [`Error::Unknown`] as for [`Trace::resolve`].
    pub fn gradients(&self, target: Target) -> Result<Arc<Gradients>, Error> {
        self.expect("a gradient", Probe::Gradients)?;
        let targets = self.resolve(target)?;
        if let Some(known) = self.cache().get(&targets) {
            return Ok(known.clone());
        }
        let (pixels, relevance) = match &self.pass {
            Recorded::Cuda(pass) => {
                let pulled = self.pulled(pass, &targets)?;
                (pass.pixels(&pulled)?, pass.relevance(&pulled)?)
            }
            Recorded::Cpu(_) => {
                let found = self.pull_back(&targets, Extra::Nothing)?;
                (found.pixels, found.relevance)
            }
        };
        let gradients = Arc::new(Gradients {
            pixels: view4(&pixels, self.batch.pixels().dim()).to_owned(),
            relevance: relevance.iter().map(|row| view2(row, self.batch.len()).to_owned()).collect(),
        });
        self.cache().insert(targets, gradients.clone());
        Ok(gradients)
    }

    /// The gradient of `target` at the attention maps of all heads of every block, L arrays (B, H, N, N): the explicit path.
    ///
    /// # Errors
    /// As for [`Trace::gradients`].
    pub fn attention_gradients(&self, target: Target) -> Result<Vec<Array4<f32>>, Error> {
        self.expect("gradients of attention", Probe::Gradients)?;
        let found = self.pull_back(&self.resolve(target)?, Extra::MapGradients)?;
        let shape = self.pass.extent().attention();
        let dimensions = (shape.images, shape.heads, shape.tokens, shape.tokens);
        Ok(found.maps.iter().map(|maps| view4(maps, dimensions).to_owned()).collect())
    }

    /// Attention weighted by the gradient of `target` at it, mean over heads, signs kept: `E_h[A ∘ ∇A]`, L arrays (B, N, N).
    ///
    /// Made from the explicit maps; a read-out inside the attention's backward can take their place without a caller noticing.
    ///
    /// # Errors
    /// As for [`Trace::gradients`].
    pub fn weighted_attention(&self, target: Target) -> Result<Vec<Array3<f32>>, Error> {
        let fused = |(layer, gradient): (usize, Array4<f32>)| {
            let product = gradient * self.attention(layer)?; // (B, H, N, N)
            Ok(product.sum_axis(Axis(1)) / product.len_of(Axis(1)) as f32)
        };
        self.attention_gradients(target)?.into_iter().enumerate().map(fused).collect()
    }

    /// The relevance row (B, N) of [`Gradients::relevance_row`]; from a device it comes without the gradient at the pixels.
    pub(crate) fn relevance_row(&self, target: Target, start_layer: usize) -> Result<Option<Array2<f32>>, Error> {
        let Recorded::Cuda(pass) = &self.pass else {
            return Ok(self.gradients(target)?.relevance_row(start_layer).cloned());
        };
        self.expect("a gradient", Probe::Gradients)?;
        let pulled = self.pulled(pass, &self.resolve(target)?)?;
        let relevance = pass.relevance(&pulled)?;
        Ok(relevance.get(start_layer).map(|row| view2(row, self.batch.len()).to_owned()))
    }

    /// Maps (H, W) of the gradient at the pixels, times the pixels of `factor` where there are any, with channels made one where the
    /// pass is; nothing where that is the processor.
    pub(crate) fn reduced_gradients(
        &self,
        target: Target,
        reduction: Reduction,
        factor: Option<&Batch>,
    ) -> Result<Option<Vec<Array2<f32>>>, Error> {
        let Recorded::Cuda(pass) = &self.pass else { return Ok(None) };
        self.expect("a gradient", Probe::Gradients)?;
        let pulled = self.pulled(pass, &self.resolve(target)?)?;
        let maps = pass.reduced(&pulled, reduction, factor.map(|batch| Pictures::of(batch, self.patches)))?;
        let (height, width) = self.batch.size();
        Ok(Some(maps.chunks(height * width).map(|map| view2(map, height).to_owned()).collect()))
    }

    fn pull_back(&self, targets: &[Target], extra: Extra) -> Result<Cotangents<f32>, Error> {
        let (model, dlogits) = (&self.vit.model, self.dlogits(targets));
        match &self.pass {
            Recorded::Cpu(pass) => {
                let pixels = Pixels { data: self.batch.contiguous(), images: self.batch.len(), patches: self.patches };
                backward::run(&model.config, &model.weights, &pixels, pass, &dlogits, extra, &mut model.arenas.lend())
            }
            Recorded::Cuda(pass) => pass.pull_back(Pictures::of(&self.batch, self.patches), &dlogits, extra == Extra::MapGradients),
        }
    }

    /// What one backward pass left on the device, which all read-outs of these targets share.
    fn pulled(&self, pass: &Passed, targets: &[Target]) -> Result<Arc<Pulled>, Error> {
        let known = || self.pulled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pulled) = known().get(targets) {
            return Ok(pulled.clone());
        }
        let pulled = Arc::new(pass.pull(Pictures::of(&self.batch, self.patches), &self.dlogits(targets), false)?);
        if known().len() >= MOST_PULLED {
            known().clear();
        }
        known().insert(targets.to_vec(), pulled.clone());
        Ok(pulled)
    }

    fn dlogits(&self, targets: &[Target]) -> Vec<f32> {
        let classes = self.logits().ncols();
        targets.iter().flat_map(|target| target.gradient(classes)).collect()
    }

    /// The gradients known so far; a panic elsewhere cannot leave them half written.
    fn cache(&self) -> std::sync::MutexGuard<'_, std::collections::HashMap<Vec<Target>, Arc<Gradients>>> {
        self.gradients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
