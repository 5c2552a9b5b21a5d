//! The small model that ships: trained on drawn lesions by `experiments/vit_drawn.toml`, and good for nothing but showing how Pellucid works.

use xai::{Error, Vit};

/// What every page and report that shows this model must say.
pub const LABEL: &str = "trained on drawn lesions";

/// What its source is called.
pub const NAME: &str = "drawn (trained on drawn lesions)";

/// The curve of its training, as CSV.
pub const CURVE: &str = include_str!("../models/vit_drawn/curve.csv");

/// The metrics of its test part, as JSON of [`reports::classification::Evaluation`].
pub const EVALUATION: &str = include_str!("../models/vit_drawn/evaluation.json");

/// The recipe of its training.
pub const EXPERIMENT: &str = include_str!("../models/vit_drawn/experiment.toml");

/// Its predictions on the test part of its cohort, as CSV: `isic_id`, diagnosis, then one probability a class.
pub const PREDICTIONS: &str = include_str!("../models/vit_drawn/predictions.csv");

/// Loads it from the program itself.
///
/// # Errors
/// None in practice; a test loads it.
pub fn load() -> Result<Vit, Error> {
    Vit::from_bytes(
        NAME,
        include_bytes!("../models/vit_drawn/model.safetensors"),
        include_str!("../models/vit_drawn/config.json"),
        include_str!("../models/vit_drawn/preprocessor_config.json"),
    )
}
