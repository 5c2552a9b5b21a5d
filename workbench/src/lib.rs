//! What people run: the way of one image, experiments, the command line and the dashboard.

pub mod cli;
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
