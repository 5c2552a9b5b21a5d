//! What a model came to on its test part.

use anyhow::{Context, bail};
use datasets::LesionClass;
use datasets::synthetic::Cohort;
use reports::classification::{Evaluation, Predictions};
use reports::figures::{Epoch, Measured};

use crate::drawn_model;

/// Test metrics and training curve of a model.
#[derive(Debug, Clone)]
pub struct TestRecord {
    /// Every metric of the test part.
    pub evaluation: Evaluation,
    /// The training, epoch by epoch.
    pub curve: Vec<Epoch>,
    /// The test part's image ids, in the order of the predictions.
    pub images: Vec<String>,
}

impl TestRecord {
    /// The record of the model that ships.
    ///
    /// # Errors
    /// None in practice; a test makes it.
    pub fn drawn() -> anyhow::Result<Self> {
        Self::read(drawn_model::PREDICTIONS, drawn_model::CURVE)
    }

    /// Reads `predictions.csv` and `curve.csv` of an experiment's folder.
    ///
    /// # Errors
    /// When a line has another number of cells than its header, or a cell is no number or no class; the message names the line.
    pub fn read(predictions: &str, curve: &str) -> anyhow::Result<Self> {
        let mut lines = predictions.lines();
        let classes: Vec<&str> = lines.next().unwrap_or_default().split(',').skip(2).collect();
        let (mut images, mut truth, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        for (number, line) in lines.enumerate() {
            let mut cells = line.split(',');
            let (Some(image), Some(diagnosis)) = (cells.next(), cells.next()) else { bail!("predictions, line {}: too short", number + 2) };
            let class = classes.iter().position(|class| *class == diagnosis);
            images.push(image.to_owned());
            truth.push(class.with_context(|| format!("predictions, line {}: {diagnosis} is no class of the header", number + 2))?);
            rows.push(numbers(cells).with_context(|| format!("predictions, line {}", number + 2))?);
        }
        let evaluation = Evaluation::of(&Predictions::new(&classes, &truth, &rows)?);
        Ok(Self { evaluation, curve: epochs(curve)?, images })
    }

    /// At most `most` test images as indices of the cohort, the classes in turn, so that a worklist shows all of them.
    pub fn spread(&self, cohort: &Cohort, most: usize) -> Vec<usize> {
        let index = |image: &String| cohort.records().iter().position(|record| record.isic_id == *image);
        let tested: Vec<usize> = self.images.iter().filter_map(index).collect();
        let of_class = |class| tested.iter().copied().filter(move |&index| cohort.records()[index].class() == Some(class));
        let mut columns = LesionClass::ALL.map(|class| of_class(class).collect::<Vec<_>>().into_iter());
        let mut spread = Vec::new();
        while spread.len() < tested.len() {
            spread.extend(columns.iter_mut().filter_map(Iterator::next));
        }
        spread.truncate(most);
        spread
    }
}

fn numbers<'a>(cells: impl Iterator<Item = &'a str>) -> anyhow::Result<Vec<f64>> {
    cells.map(|cell| cell.parse().with_context(|| format!("{cell} is no number"))).collect()
}

/// `epoch,training_loss,validation_loss,validation_accuracy,seconds`; the accuracy on the training data is not measured.
fn epochs(curve: &str) -> anyhow::Result<Vec<Epoch>> {
    let epoch = |(number, line): (usize, &str)| {
        let cells = numbers(line.split(',')).with_context(|| format!("curve, line {}", number + 2))?;
        let &[epoch, training, loss, accuracy, ..] = cells.as_slice() else { bail!("curve, line {}: too short", number + 2) };
        let training = Measured { loss: training, accuracy: f64::NAN };
        Ok(Epoch { number: epoch as usize, training, validation: Some(Measured { loss, accuracy }) })
    };
    curve.lines().skip(1).enumerate().map(epoch).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_predictions_give_the_shipped_evaluation() {
        let record = TestRecord::drawn().unwrap();
        let shipped: serde_json::Value = serde_json::from_str(drawn_model::EVALUATION).unwrap();
        assert_eq!(shipped["samples"], record.evaluation.samples);
        let difference = (shipped["accuracy"].as_f64().unwrap() - record.evaluation.accuracy).abs();
        assert!(difference <= 1e-9, "accuracies differ by {difference}");
        assert!(!record.curve.is_empty());
    }

    #[test]
    fn a_broken_line_is_named() {
        let of = |predictions: &str| TestRecord::read(predictions, "").unwrap_err();
        assert!(of("isic_id,diagnosis,a,b\nX,c,0.5,0.5").to_string().contains("line 2: c is no class"));
        assert!(format!("{:#}", of("isic_id,diagnosis,a,b\nX,a,0.5,half")).contains("half is no number"));
    }
}
