//! The explained vision transformer: engine, probes, explanations, heat maps and overlays.

mod batch;
mod error;
mod patches;
mod preprocess;

pub use batch::Batch;
pub use error::Error;
pub use patches::Patches;
pub use preprocess::{Normalization, Preprocessor, Resample, Window};
