//! Skin lesions: the seven classes, tables in the ISIC Archive's vocabulary, drawn cohorts, splits, imbalance, and safe decoding of images.
//!
//! The crate knows no model; it meets the explaining crate only in [`image::RgbImage`] and plain masks.

mod decode;
mod error;
mod imbalance;
mod lesion_class;
pub mod metadata;
mod split;
pub mod synthetic;

#[doc(hidden)]
pub use decode::fuzz;
pub use decode::{Decoded, Format, Limits, Note, Refusal, decode};
pub use error::Error;
pub use imbalance::{Attribute, ClassBalance, Imbalance, Weighting, imbalance_by};
pub use lesion_class::LesionClass;
pub use split::{Split, SplitPlan, split};
