//! What people run: the way of one image, experiments, the command line and the dashboard.

#[cfg(feature = "program")]
pub mod cli;
#[cfg(feature = "program")]
pub mod dashboard;
pub mod drawn_model;
mod error;
pub mod evidence;
pub mod experiment;
pub mod hub;
mod model_source;
pub mod names;
pub mod pipeline;
pub mod progress;

pub use error::Error;
pub use model_source::ModelSource;
