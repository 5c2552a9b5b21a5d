//! The folder a run leaves behind.

use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::path::Path;

use anyhow::Context;
use reports::classification::{Evaluation, Predictions};
use xai::{Storage, Vit};

use super::{Computing, Experiment};

/// One line of `curve.csv`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EpochLine {
    /// Its number, from 1.
    pub epoch: usize,
    /// Mean loss while learning.
    pub training_loss: f64,
    /// Mean loss of the validation part afterwards.
    pub validation_loss: f64,
    /// Share of the validation part that is predicted right.
    pub validation_accuracy: f64,
    /// Wall-clock time.
    pub seconds: f64,
    /// Passes that its largest step took: more than the parts that were asked for where a device halved them for want of memory.
    pub passes: usize,
}

impl fmt::Display for EpochLine {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self { epoch, training_loss, validation_loss, validation_accuracy, seconds, passes } = self;
        let percent = 100.0 * validation_accuracy;
        write!(f, "epoch {epoch}: loss {training_loss:.3}, validation loss {validation_loss:.3}, accuracy {percent:.1} %, {seconds:.0} s")?;
        if *passes > 1 { write!(f, ", a batch in {passes} passes") } else { Ok(()) }
    }
}

/// A run's curve while it grows.
pub struct Record {
    curve: std::fs::File,
}

impl Record {
    /// Makes the folder and writes what was asked, and what computes it.
    pub fn start(experiment: &Experiment, computing: Computing, folder: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("folder {} cannot be made", folder.display()))?;
        std::fs::write(folder.join("experiment.toml"), toml::to_string(experiment)?)?;
        let Computing { device, precision } = computing;
        std::fs::write(folder.join("computed.toml"), format!("device = \"{device}\"\nprecision = \"{precision}\"\n"))?;
        let mut curve = std::fs::File::create(folder.join("curve.csv"))?;
        writeln!(curve, "epoch,training_loss,validation_loss,validation_accuracy,seconds")?;
        Ok(Self { curve })
    }

    /// Adds an epoch to the curve.
    pub fn epoch(&mut self, line: &EpochLine) -> anyhow::Result<()> {
        let EpochLine { epoch, training_loss, validation_loss, validation_accuracy, seconds, .. } = line;
        writeln!(self.curve, "{epoch},{training_loss:.4},{validation_loss:.4},{validation_accuracy:.4},{seconds:.1}")?;
        Ok(())
    }
}

/// Writes the checkpoint, 2 bytes a number.
pub fn save(vit: &Vit, folder: &Path) -> anyhow::Result<()> {
    vit.save(folder, Storage::F16)?;
    std::fs::write(folder.join("preprocessor_config.json"), preprocessor_config(vit)).context("preprocessor_config.json cannot be written")
}

/// Writes the predictions `rows` (images, classes) of the images `ids` with their classes, and the evaluation.
pub fn report(vit: &Vit, folder: &Path, ids: &[&str], truth: &[usize], rows: &[Vec<f32>]) -> anyhow::Result<Evaluation> {
    let names: Vec<&str> = vit.labels().names().iter().map(String::as_str).collect();
    let mut csv = format!("isic_id,diagnosis,{}\n", names.join(","));
    for ((id, &class), row) in ids.iter().zip(truth).zip(rows) {
        let probabilities: Vec<_> = row.iter().map(|p| format!("{p:.5}")).collect();
        writeln!(csv, "{id},{},{}", names[class], probabilities.join(","))?;
    }
    std::fs::write(folder.join("predictions.csv"), csv).context("predictions.csv cannot be written")?;
    let evaluation = Evaluation::of(&Predictions::new(&names, truth, rows)?);
    std::fs::write(folder.join("evaluation.json"), serde_json::to_string_pretty(&evaluation)? + "\n")
        .context("evaluation.json cannot be written")?;
    Ok(evaluation)
}

/// The preparation of [`xai::Preprocessor::for_size`], in Hugging Face's words.
fn preprocessor_config(vit: &Vit) -> String {
    let (height, width) = vit.preprocessor().output_size();
    let half = [0.5, 0.5, 0.5];
    let json = serde_json::json!({
        "image_processor_type": "ViTImageProcessor",
        "do_resize": true, "size": { "height": height, "width": width }, "resample": 2,
        "do_rescale": true, "rescale_factor": 1.0 / 255.0,
        "do_normalize": true, "image_mean": half, "image_std": half,
    });
    format!("{json:#}\n")
}
