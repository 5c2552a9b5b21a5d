//! The explained vision transformer: engine, probes, explanations, heat maps and overlays.
//!
//! The way of one picture:
//!
//! ```
//! use xai::{explain, HeadKind, Method, Rollout, Target, Vit, VitConfig};
//!
//! let vit = Vit::random(VitConfig::tiny_for_tests(), HeadKind::Linear(2), 1)?;
//! let picture = image::RgbImage::from_pixel(40, 30, image::Rgb([200, 150, 120]));
//! let batch = vit.preprocessor().prepare(&picture)?;
//! let method = Method::Rollout(Rollout::abnar_2020());
//! let trace = vit.trace(&batch, method.probe())?;
//! let maps = explain(&trace, Target::Predicted, &method)?;
//! assert_eq!(maps[0].values.dim(), (2, 3)); // one value for each patch
//! # Ok::<(), xai::Error>(())
//! ```

mod attribution;
mod batch;
mod bytes;
pub mod cancellation;
mod checkpoint;
mod colormap;
mod error;
mod fingerprint;
mod heat_map;
mod labels;
mod method;
pub mod metric;
mod overlay;
mod patches;
mod preprocess;
mod target;
mod trace;
pub mod training;
mod vit;

pub use attribution::{Attribution, CompletenessGap, Outcome, Recipe, Support};
pub use batch::Batch;
#[doc(hidden)]
pub use checkpoint::fuzz;
pub use checkpoint::{ChildProgram, Converted, Hints, LoadOptions, Pickles, Reason, Storage, read_pickle_confined, to_safetensors};
pub use colormap::Colormap;
pub use error::Error;
pub use fingerprint::sha256;
pub use heat_map::{HeatMap, Rescale};
pub use kernels::Device;
pub use kernels::attention::HeadFusion;
pub use kernels::rollout::Normalise;
pub use labels::Labels;
pub use method::{
    AttentionMap, Baseline, ChannelReduction, Discard, GivenBaseline, Gradient, GradientRollout, HeadChoice, InputXGradient,
    IntegratedGradients, LayerChoice, Method, Pairing, Progress, Protect, Quadrature, Relevance, Residual, Rollout, SmoothGrad, Statistic,
    explain, explain_watched, explicit,
};
pub use overlay::{OverlayStyle, overlay, side_by_side};
pub use patches::Patches;
pub use preprocess::{Normalization, Preprocessor, Resample, Window};
pub use target::Target;
pub use trace::{Gradients, Probe, Trace};
pub use vit::{
    Activation, DeviceTime, Exact, Family, FinalNorm, HeadKind, Pooling, PositionResize, Positions, Precision, Source, Tokens, Vit,
    VitConfig,
};
