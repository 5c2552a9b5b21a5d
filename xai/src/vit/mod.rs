//! The vision transformer: a fixed graph, its forward and its backward written out by hand on top of `kernels`.
//!
//! Read the files in this order: [`config`] and `choices`, `layers`, `head`, `weights`, `patch_embedding`, `embedding`, `block`,
//! `pooling`; `forward` and `backward` walk there and back. Everything is generic over `f32` and `f64`, so that finite differences
//! in `f64` judge the very code that runs in `f32`.

pub(crate) mod arena;
pub(crate) mod backward;
pub(crate) mod block;
pub(crate) mod choices;
pub(crate) mod config;
pub(crate) mod cuda;
pub(crate) mod embedding;
mod exact;
pub(crate) mod extent;
pub(crate) mod forward;
pub(crate) mod head;
pub(crate) mod layers;
mod leading;
pub(crate) mod learning_head;
mod named;
mod patch_embedding;
mod placement;
pub(crate) mod pooling;
mod precision;
mod random;
mod stopwatch;
#[cfg(test)]
mod tests;
mod validate;
mod walk;
pub(crate) mod weights;

use std::sync::Arc;

use kernels::Device;

use crate::trace::{Probe, Trace};
use crate::{Batch, Error, Labels, Patches, Preprocessor};
use arena::Arenas;
pub use choices::{Activation, FinalNorm, Pooling, PositionResize, Positions, Tokens};
pub use config::{Family, VitConfig};
pub use exact::Exact;
pub use head::HeadKind;
pub use precision::Precision;
pub use stopwatch::DeviceTime;
use weights::Weights;

/// One fused map of so many patches takes a gigabyte.
const MOST_PATCHES: usize = 1 << 14;

/// A vision transformer with its weights on a device; clones share them.
///
/// ```
/// use xai::{Batch, HeadKind, Probe, Vit, VitConfig};
/// let vit = Vit::random(VitConfig::tiny_for_tests(), HeadKind::Linear(7), 1)?;
/// let batch = Batch::new(ndarray::Array4::zeros((2, 3, 8, 12)))?;
/// let trace = vit.trace(&batch, Probe::Logits)?;
/// assert_eq!(trace.logits().dim(), (2, 7));
/// # Ok::<(), xai::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Vit {
    pub(crate) model: Arc<Model>,
}

/// Everything a model consists of.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub config: VitConfig,
    pub weights: Weights<f32>,
    pub labels: Labels,
    pub preprocessor: Preprocessor,
    pub device: Device,
    pub source: Source,
    pub arenas: Arenas,
    /// The model on its device, unless that is the CPU.
    pub engine: Option<Arc<cuda::Engine>>,
}

/// Where a model came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// A path, or `random:NAME`.
    pub name: String,
    /// SHA-256 of the weights file's bytes, as they were read, in hexadecimal; of a sharded checkpoint, of the hexadecimal
    /// hashes of its index and of its shards in the order of their names, without anything between them; of name and seed for
    /// random weights.
    pub sha256: String,
    /// What was found out about the checkpoint, one sentence each, to be shown.
    pub notes: Vec<String>,
}

impl Vit {
    /// A model with seeded random weights: for questions of size and speed.
    ///
    /// # Errors
    /// [`Error::Config`] where the architecture's dimensions make no transformer, [`Error::Shape`] for a head without classes.
    pub fn random(config: VitConfig, head: HeadKind, seed: u64) -> Result<Self, Error> {
        config.validate("the architecture")?;
        head.validate(config.pooling)?;
        let name = format!("random, seed {seed}");
        let source = Source { sha256: crate::sha256(name.as_bytes()), name, notes: vec!["weights are random: maps mean nothing".into()] };
        let weights = random::weights(&config, head, seed);
        let labels = Labels::numbered(weights.head.classes());
        let preprocessor = Preprocessor::for_size(config.image_size.0, config.image_size.1).with_channels(config.num_channels);
        Ok(Self {
            model: Arc::new(Model {
                config,
                weights,
                labels,
                preprocessor,
                device: Device::Cpu,
                source,
                arenas: Arenas::default(),
                engine: None,
            }),
        })
    }

    /// The architecture.
    pub fn config(&self) -> &VitConfig {
        &self.model.config
    }

    /// Names of the classes, empty without a head.
    pub fn labels(&self) -> &Labels {
        &self.model.labels
    }

    /// The preparation of pictures that the checkpoint asks for.
    pub fn preprocessor(&self) -> &Preprocessor {
        &self.model.preprocessor
    }

    /// Where the weights came from.
    pub fn source(&self) -> &Source {
        &self.model.source
    }

    /// The device that computes.
    pub fn device(&self) -> Device {
        self.model.device
    }

    /// Which head the model has.
    pub fn head(&self) -> HeadKind {
        self.model.weights.head.kind()
    }

    /// The same model with other names for its classes.
    ///
    /// # Errors
    /// [`Error::Shape`] where there are not as many names as classes.
    pub fn with_labels(self, labels: Labels) -> Result<Self, Error> {
        labels.expect_count(self.model.weights.head.classes())?;
        Ok(Self { model: Arc::new(Model { labels, ..Arc::unwrap_or_clone(self.model) }) })
    }

    /// The same model with another preparation of pictures.
    pub fn with_preprocessor(self, preprocessor: Preprocessor) -> Self {
        Self { model: Arc::new(Model { preprocessor, ..Arc::unwrap_or_clone(self.model) }) }
    }

    /// Learnable parameters of the whole model; running statistics are not counted.
    ///
    /// ```
    /// use xai::{HeadKind, VitConfig};
    /// assert_eq!(xai::Vit::random(VitConfig::tiny_for_tests(), HeadKind::None, 0)?.parameters(), 3076);
    /// # Ok::<(), xai::Error>(())
    /// ```
    pub fn parameters(&self) -> usize {
        self.model.weights.count()
    }

    /// Learnable parameters of the head alone.
    pub fn head_parameters(&self) -> usize {
        let named = self.model.weights.head.named();
        named.iter().filter(|(name, _)| !name.contains("running_")).map(|(_, tensor)| tensor.shape().iter().product::<usize>()).sum()
    }

    /// One forward pass over `batch` (B, C, H, W), keeping what `probe` says; gradients are taken from the trace on demand.
    ///
    /// The grid follows the pictures: where it is not the trained one, positions are resized bicubically.
    ///
    /// # Errors
    /// [`Error::Shape`] where the pictures have other channels than the model, the patch size does not divide height and width,
    /// or there are more than 16384 patches.
    pub fn trace(&self, batch: &Batch, probe: Probe) -> Result<Trace, Error> {
        batch.expect_channels(self.model.config.num_channels)?;
        let (height, width) = batch.size();
        let patches = Patches::cover(height, width, self.model.config.patch_size)?;
        if patches.count() > MOST_PATCHES {
            return Err(Error::Shape {
                what: "patches of a picture".into(),
                expected: format!("at most {MOST_PATCHES}, because attention takes the square of their number"),
                found: format!("{} × {}; resize the picture first", patches.rows, patches.cols),
            });
        }
        Trace::record(self.clone(), batch, patches, probe)
    }
}
