//! One recorded forward pass, from which every explanation is read: trace once, explain many.

mod gradients;
mod probe;
mod recorded;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use kernels::attention::HeadFusion;
use kernels::rollout::Layer;
use ndarray::{Array2, Array3, Array4, ArrayView2, ArrayView3, ArrayView4};

use crate::vit::cuda::Pulled;
use crate::vit::embedding;
use crate::vit::pooling;
use crate::{Batch, Error, Patches, Target, Vit};
pub use gradients::Gradients;
pub use probe::Probe;
use recorded::Recorded;

/// Logits, features and what the probe kept of one batch; nothing is left on the model.
///
/// Gradients are computed when first asked for and kept, so several methods on one target share one backward pass.
#[derive(Debug)]
pub struct Trace {
    vit: Vit,
    batch: Batch,
    patches: Patches,
    probe: Probe,
    pass: Recorded,
    tokens: OnceLock<Vec<f32>>,
    gradients: Mutex<HashMap<Vec<Target>, Arc<Gradients>>>,
    /// What backward passes left on a device.
    pulled: Mutex<HashMap<Vec<Target>, Arc<Pulled>>>,
}

impl Trace {
    pub(crate) fn record(vit: Vit, batch: &Batch, patches: Patches, probe: Probe) -> Result<Self, Error> {
        let pass = Recorded::run(&vit.model, batch, patches, probe.keep())?;
        let (tokens, gradients, pulled) = (OnceLock::new(), Mutex::default(), Mutex::default());
        Ok(Self { vit, batch: batch.clone(), patches, probe, pass, tokens, gradients, pulled })
    }

    /// The model that was traced.
    pub fn vit(&self) -> &Vit {
        &self.vit
    }

    /// The pixels that were traced, (B, C, H, W).
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// The patch grid of the tokens.
    pub fn patches(&self) -> Patches {
        self.patches
    }

    /// Tokens of each image, N: patches and those that stand before them.
    pub fn token_count(&self) -> usize {
        self.pass.extent().tokens
    }

    /// Where a row over tokens starts that read-outs push down from the head, (B, N); each image's sums to one.
    ///
    /// One at the class token where the head reads it, alone or beside the mean of the patches; half at class and distillation
    /// token for a distilled head; evenly at the patches, or at all tokens, for a head that reads their mean.
    pub fn start_row(&self) -> Array2<f32> {
        let row = pooling::start_row(self.vit.config(), self.batch.len(), self.token_count());
        view2(&row, self.batch.len()).to_owned()
    }

    /// What was kept.
    pub fn probe(&self) -> Probe {
        self.probe
    }

    /// Passes that the batch was divided into: more than one where a device had no memory for all of it at once.
    pub fn parts(&self) -> usize {
        self.pass.parts()
    }

    /// Blocks of the model.
    pub fn layers(&self) -> usize {
        self.vit.config().num_hidden_layers
    }

    /// Class scores before the softmax, (B, classes); no columns without a head.
    pub fn logits(&self) -> ArrayView2<'_, f32> {
        view2(self.pass.logits(), self.batch.len())
    }

    /// Softmax of the logits, (B, classes).
    pub fn probabilities(&self) -> Array2<f32> {
        let classes = self.logits().ncols();
        let softmax = kernels::cross_entropy::softmax(self.pass.logits(), classes);
        Array2::from_shape_fn((self.batch.len(), classes), |(image, class)| softmax[image * classes + class])
    }

    /// What the head reads, (B, pooled width).
    pub fn features(&self) -> ArrayView2<'_, f32> {
        view2(self.pass.pooled(), self.batch.len())
    }

    /// Every token, (B, N, D): class token, distillation token and registers as far as there are any, then patches row by row.
    /// After the last LayerNorm, or before it in a model that normalises what it has pooled.
    ///
    /// A pass finishes only the tokens that the head reads; the others are finished when they are first asked for.
    ///
    /// # Errors
    /// None in practice: the pass itself took these shapes.
    pub fn tokens(&self) -> Result<ArrayView3<'_, f32>, Error> {
        let extent = self.pass.extent();
        if self.tokens.get().is_none() {
            let tokens = self.pass.tokens(&self.vit.model)?;
            self.tokens.get_or_init(|| tokens);
        }
        Ok(view3(self.tokens.get().map_or(&[], Vec::as_slice), (extent.images, extent.tokens, extent.width)))
    }

    /// The position table that this grid used, (tokens with a position, D): patches last.
    ///
    /// # Errors
    /// None in practice: the grid was accepted when the trace was made.
    pub fn positions(&self) -> Result<Array2<f32>, Error> {
        let model = &self.vit.model;
        let table = embedding::positions(&model.config, &model.weights, self.patches)?;
        let width = model.config.hidden_size;
        Ok(Array2::from_shape_fn((table.len() / width, width), |(token, d)| table[token * width + d]))
    }

    /// The attention map of a block fused over heads, (B, N, N): row = query, column = key.
    ///
    /// # Errors
    /// [`Error::NotKept`] where the probe kept neither this fusion nor attention, [`Error::Unknown`] for a layer beyond the model.
    pub fn fused_attention(&self, layer: usize, fusion: HeadFusion) -> Result<Array3<f32>, Error> {
        self.expect_layer(layer)?;
        let shape = self.pass.extent().attention();
        let dimensions = (shape.images, shape.tokens, shape.tokens);
        if self.probe != Probe::Fused(fusion) {
            self.expect("a fused map of this kind", Probe::Attention)?;
        }
        let map = self.pass.fused_map(&self.vit.model, layer, fusion)?;
        Ok(Array3::from_shape_vec(dimensions, map).unwrap_or_else(|_| unreachable!("the engine fills whole maps")))
    }

    /// The row over tokens (B, N) that starts where the head reads, pushed through the fused maps of the layers from the last one
    /// down to `first`; nothing where the trace has no such maps on a device, and the caller pushes it itself.
    pub(crate) fn pushed_row(&self, fusion: HeadFusion, layer: Layer, first: usize) -> Result<Option<Vec<f32>>, Error> {
        match &self.pass {
            Recorded::Cuda(pass) if self.probe == Probe::Fused(fusion) => pass.pushed_row(layer, first).map(Some),
            _ => Ok(None),
        }
    }

    /// The product (B, N, N) of the matrices that the fused maps of the layers from `first` on make; nothing where the trace has no such
    /// maps on a device, and the caller multiplies them itself.
    pub(crate) fn product(&self, fusion: HeadFusion, layer: Layer, first: usize) -> Result<Option<Vec<f32>>, Error> {
        match &self.pass {
            Recorded::Cuda(pass) if self.probe == Probe::Fused(fusion) || self.probe.covers(Probe::Attention) => {
                pass.product(fusion, layer, first).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The attention maps of all heads of a block, (B, H, N, N): the explicit path.
    ///
    /// # Errors
    /// [`Error::NotKept`] where the probe kept no attention, [`Error::Unknown`] for a layer beyond the model.
    pub fn attention(&self, layer: usize) -> Result<Array4<f32>, Error> {
        self.expect_layer(layer)?;
        self.expect("attention of every head", Probe::Attention)?;
        let shape = self.pass.extent().attention();
        let maps = self.pass.maps(layer)?;
        Ok(view4(&maps, (shape.images, shape.heads, shape.tokens, shape.tokens)).to_owned())
    }

    /// The target of every image, with `Predicted` replaced by its class.
    ///
    /// # Errors
    /// [`Error::NoHead`] without a head, [`Error::Unknown`] for a class beyond the head.
    pub fn resolve(&self, target: Target) -> Result<Vec<Target>, Error> {
        self.logits().rows().into_iter().map(|logits| target.resolve(&logits.to_vec())).collect()
    }

    fn expect_layer(&self, layer: usize) -> Result<(), Error> {
        if layer < self.layers() {
            return Ok(());
        }
        let known = (0..self.layers()).map(|layer| layer.to_string()).collect();
        Err(Error::Unknown { what: "layer".into(), given: layer.to_string(), known })
    }

    /// Refuses a read-out that needs more than was kept.
    pub(crate) fn expect(&self, method: &'static str, needed: Probe) -> Result<(), Error> {
        if self.probe.covers(needed) {
            return Ok(());
        }
        Err(Error::NotKept { method, needed: needed.name(), kept: self.probe.name() })
    }
}

impl Drop for Trace {
    /// Leaves its tapes to the model's next trace: taking and clearing their memory anew would cost as much as some layers.
    fn drop(&mut self) {
        let Recorded::Cpu(pass) = &mut self.pass else { return };
        let mut tapes = std::mem::take(&mut pass.blocks);
        tapes.reverse(); // The first block's tape is taken first, from the end.
        if self.probe == Probe::Gradients {
            self.vit.model.arenas.lend().spare = tapes;
        }
    }
}

fn view2(data: &[f32], rows: usize) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape((rows, data.len() / rows), data).unwrap_or_else(|_| unreachable!("the engine fills whole rows"))
}

fn view3(data: &[f32], shape: (usize, usize, usize)) -> ArrayView3<'_, f32> {
    ArrayView3::from_shape(shape, data).unwrap_or_else(|_| unreachable!("the engine fills whole arrays"))
}

pub(crate) fn view4(data: &[f32], shape: (usize, usize, usize, usize)) -> ArrayView4<'_, f32> {
    ArrayView4::from_shape(shape, data).unwrap_or_else(|_| unreachable!("the engine fills whole arrays"))
}
