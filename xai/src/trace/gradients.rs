//! Gradients of a target, pulled back through a recorded pass.

use std::sync::Arc;

use ndarray::{Array2, Array3, Array4, ArrayView4, Axis};

use super::{Probe, Recorded, Trace, contiguous, view4};
use crate::vit::backward::{self, Cotangents, Extra};
use crate::vit::embedding::Pixels;
use crate::{Error, Target};

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
        let found = self.pull_back(&targets, Extra::Nothing)?;
        let shape = self.pass.extent();
        let gradients = Arc::new(Gradients {
            pixels: view4(&found.pixels, self.batch.pixels().dim()).to_owned(),
            relevance: found.relevance.iter().map(|row| super::view2(row, shape.images).to_owned()).collect(),
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

    fn pull_back(&self, targets: &[Target], extra: Extra) -> Result<Cotangents<f32>, Error> {
        let classes = self.logits().ncols();
        let dlogits: Vec<f32> = targets.iter().flat_map(|target| target.gradient(classes)).collect();
        let model = &self.vit.model;
        let pixels = Pixels { data: contiguous(&self.batch), images: self.batch.len(), patches: self.patches };
        match &self.pass {
            Recorded::Cpu(pass) => backward::run(&model.config, &model.weights, &pixels, pass, &dlogits, extra, &mut model.arenas.lend()),
            Recorded::Cuda(pass) => pass.pull_back(&pixels, &dlogits, extra == Extra::MapGradients),
        }
    }

    /// The gradients known so far; a panic elsewhere cannot leave them half written.
    fn cache(&self) -> std::sync::MutexGuard<'_, std::collections::HashMap<Vec<Target>, Arc<Gradients>>> {
        self.gradients.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
