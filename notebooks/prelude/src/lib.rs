//! What a cell sees. Built once as a dynamic library; every cell is linked against it.
//!
//! ```
//! use pellucid::prelude::*;
//!
//! let model = load("drawn")?;
//! let lesion = drawn::lesion(7, LesionClass::Melanoma);
//! let explanation = model.explain(&lesion, Method::relevance())?;
//! assert_eq!(explanation.heat_map().values().dim(), (12, 12));
//! # Ok::<(), Error>(())
//! ```
//!
//! A cell whose last line is `explanation` shows it; [`display!`] shows anything anywhere. See [`display`](mod@display) for what is shown how.

mod attention_sheet;
pub mod display;
pub mod drawn;
mod explanation;
mod gpus;
mod lesion;
mod model;
mod prediction;
pub mod prelude;
mod progress;
mod records;
pub mod runtime;
mod training;

pub use attention_sheet::AttentionSheet;
pub use explanation::Explanation;
pub use gpus::{Gpus, gpus};
pub use lesion::{Lesion, lesions, open};
pub use model::{Model, load, load_with};
pub use prediction::{Prediction, evaluate};
pub use progress::each;
pub use records::records;
pub use training::{TrainingRun, small_experiment, train};

/// Any error of a cell, with the chain of its causes; `?` makes one of every other error.
pub use anyhow::Error;

pub use {anyhow, candle_core, datasets, image, kernels, ndarray, plotly, polars, rayon, reports, serde_json, tokio, workbench, xai};

/// Makes this process one of a notebook: long loops ask for interrupts and show how far they are in frames. Once is enough.
pub fn begin() {
    xai::cancellation::listen(runtime::interrupted);
    workbench::progress::show_by(progress::begin);
}
