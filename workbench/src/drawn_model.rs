//! The small model that ships: trained on drawn lesions by `experiments/vit_drawn.toml`, and good for nothing but showing how Pellucid works.

use anyhow::Context;
use reports::classification::{Evaluation, Predictions};
use xai::{Error, Vit};

/// What every page and report that shows this model must say.
pub const LABEL: &str = "trained on drawn lesions";

/// The curve of its training, as CSV.
pub const CURVE: &str = include_str!("../models/vit_drawn/curve.csv");

/// The metrics of its test part, as JSON of [`reports::classification::Evaluation`].
pub const EVALUATION: &str = include_str!("../models/vit_drawn/evaluation.json");

/// The recipe of its training.
pub const EXPERIMENT: &str = include_str!("../models/vit_drawn/experiment.toml");

/// Its predictions on the test part of its cohort, as CSV: isic_id, diagnosis, then one probability a class.
pub const PREDICTIONS: &str = include_str!("../models/vit_drawn/predictions.csv");

/// The table of its test figures, computed from [`PREDICTIONS`].
///
/// # Errors
/// None in practice; a test computes it.
pub fn evaluation_table() -> anyhow::Result<String> {
    let evaluation = Evaluation::of(&predictions()?);
    Ok(format!("{}\n{}", evaluation.summary_table(), evaluation.class_table()))
}

/// [`PREDICTIONS`], checked.
///
/// # Errors
/// None in practice; a test reads them.
pub fn predictions() -> anyhow::Result<Predictions> {
    let mut lines = PREDICTIONS.lines();
    let names: Vec<&str> = lines.next().unwrap_or_default().split(',').skip(2).collect();
    let (mut truth, mut rows) = (Vec::new(), Vec::new());
    for line in lines {
        let cells: Vec<&str> = line.split(',').skip(1).collect();
        let (class, row) = cells.split_first().context("an empty line in predictions.csv")?;
        truth.push(names.iter().position(|name| name == class).with_context(|| format!("no class {class} in predictions.csv"))?);
        rows.push(row.iter().map(|p| p.parse::<f64>()).collect::<Result<Vec<_>, _>>()?);
    }
    Ok(Predictions::new(&names, &truth, &rows)?)
}

/// Loads it from the program itself.
///
/// # Errors
/// None in practice; a test loads it.
pub fn load() -> Result<Vit, Error> {
    Vit::from_bytes(
        "drawn (trained on drawn lesions)",
        include_bytes!("../models/vit_drawn/model.safetensors"),
        include_str!("../models/vit_drawn/config.json"),
        include_str!("../models/vit_drawn/preprocessor_config.json"),
    )
}
