//! Metrics as tables for the command line and for README files.

use super::{ClassEvaluation, ClassMean, Evaluation};
use crate::table::{Align, Column, Table, decimal, percent};

impl Evaluation {
    /// One row for each class: support, precision, recall, specificity, F1, AUC and average precision.
    pub fn class_table(&self) -> Table {
        let numbers = ["samples", "precision", "recall", "specificity", "F1", "AUC", "AP"];
        let mut columns = vec![Column::new("class", Align::Left)];
        columns.extend(numbers.map(|name| Column::new(name, Align::Right)));
        let mut table = Table::new(columns);
        for class in &self.classes {
            table.push(class_row(class));
        }
        table
    }

    /// One row for each metric of all classes together.
    pub fn summary_table(&self) -> Table {
        let mut table =
            Table::new(vec![Column::new("metric", Align::Left), Column::new("value", Align::Right), Column::new("classes", Align::Right)]);
        let mut whole = |name: &str, value: String| table.push(vec![name.into(), value, String::new()]);
        whole("samples", self.samples.to_string());
        whole("accuracy", percent(Some(self.accuracy)));
        whole("balanced accuracy", percent(Some(self.balanced_accuracy)));
        whole("log loss (nats)", decimal(Some(self.log_loss)));
        whole("Brier score (0 to 2)", decimal(Some(self.brier)));
        whole("expected calibration error", percent(Some(self.calibration.expected_error)));
        whole("Cohen's kappa", decimal(self.kappa));
        whole("Matthews correlation", decimal(self.matthews));
        let averages = &self.macro_averages;
        table.push(mean_row("macro precision", averages.precision));
        table.push(mean_row("macro recall", averages.recall));
        table.push(mean_row("macro specificity", averages.specificity));
        table.push(mean_row("macro F1", averages.f1));
        table.push(mean_row("macro AUC", self.macro_auc));
        table.push(mean_row("macro average precision", self.macro_average_precision));
        table
    }

    /// The confusion matrix: a row for each true class, a column for each predicted class.
    pub fn confusion_table(&self) -> Table {
        let mut columns = vec![Column::new("true \\ predicted", Align::Left)];
        columns.extend(self.confusion.classes().iter().map(|name| Column::new(name, Align::Right)));
        let mut table = Table::new(columns);
        for (name, counts) in self.confusion.classes().iter().zip(self.confusion.rows()) {
            let cells = std::iter::once(name.clone()).chain(counts.iter().map(u64::to_string));
            table.push(cells.collect());
        }
        table
    }
}

fn class_row(class: &ClassEvaluation) -> Vec<String> {
    let scores = &class.scores;
    let shares = [scores.precision, scores.recall, scores.specificity, scores.f1].map(percent);
    let ranks = [class.auc, class.average_precision].map(decimal);
    let head = [scores.class.clone(), scores.support.to_string()];
    head.into_iter().chain(shares).chain(ranks).collect()
}

fn mean_row(name: &str, mean: Option<ClassMean>) -> Vec<String> {
    let over = mean.map_or(String::new(), |mean| format!("{} of {}", mean.over, mean.classes));
    vec![name.into(), percent(mean.map(|mean| mean.value)), over]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classification::Predictions;

    #[test]
    fn tables_say_what_is_undefined() {
        let rows = [[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.3, 0.7, 0.0]];
        let predictions = Predictions::new(&["nevus", "melanoma", "other"], &[0, 0, 1], &rows);
        let evaluation = Evaluation::of(&predictions.unwrap());
        // Nevus: TP 1, FP 0, FN 1, TN 1; its scores 0.9 and 0.2 against 0.3: one pair of two, AP (1 + 2/3) / 2.
        let class_table = "\
| class    | samples | precision |  recall | specificity |     F1 |   AUC |    AP |
|:---------|--------:|----------:|--------:|------------:|-------:|------:|------:|
| nevus    |       2 |   100.0 % |  50.0 % |     100.0 % | 66.7 % | 0.500 | 0.833 |
| melanoma |       1 |    50.0 % | 100.0 % |      50.0 % | 66.7 % | 0.500 | 0.500 |
| other    |       0 |         – |       – |     100.0 % |      – |     – |     – |
";
        assert_eq!(evaluation.class_table().to_string(), class_table);
        let summary = evaluation.summary_table().to_string();
        assert!(summary.contains("| macro AUC                  | 50.0 % |  2 of 3 |"), "{summary}");
        let confusion_table = "\
| true \\\\ predicted | nevus | melanoma | other |
|:------------------|------:|---------:|------:|
| nevus             |     1 |        1 |     0 |
| melanoma          |     0 |        1 |     0 |
| other             |     0 |        0 |     0 |
";
        assert_eq!(evaluation.confusion_table().to_string(), confusion_table);
    }
}
