//! Metrics, confusion matrices and training runs.

use reports::classification::{ConfusionMatrix, Evaluation};
use reports::figures;
use reports::table::Table;
use workbench::evidence::Localisation;

use super::explanation::caution;
use super::html::{aside, cell, table as html_table};
use super::{Rendering, chart};
use crate::{Prediction, TrainingRun};

pub fn table(table: &Table) -> Rendering {
    let plain = table.to_string();
    let html = of_markdown(&plain);
    Rendering::text(plain).with_html(html)
}

pub fn confusion(matrix: &ConfusionMatrix) -> Rendering {
    let facts = format!(
        "confusion matrix of {} samples: accuracy {:.1} %, balanced accuracy {:.1} %",
        matrix.total(),
        100.0 * matrix.accuracy(),
        100.0 * matrix.balanced_accuracy()
    );
    let row = |(name, counts): (&String, &Vec<u64>)| format!("{name}: {counts:?}");
    let rows: Vec<String> = matrix.classes().iter().zip(matrix.rows()).map(row).collect();
    Rendering { plain: format!("{facts}\n{}", rows.join("\n")), ..chart::chart(&figures::confusion_matrix(matrix)) }
}

pub fn evaluation(evaluation: &Evaluation) -> Rendering {
    let (summary, classes) = (evaluation.summary_table().to_string(), evaluation.class_table().to_string());
    let matrix = chart::element(&figures::confusion_matrix(&evaluation.confusion));
    let html = format!(
        "<div style=\"display: flex; flex-wrap: wrap; gap: 1.5em\"><div>{}</div><div>{}</div></div>{matrix}",
        of_markdown(&summary),
        of_markdown(&classes)
    );
    Rendering::text(format!("{summary}\n{classes}")).with_html(html)
}

pub fn prediction(prediction: &Prediction) -> Rendering {
    let plain = format!("{prediction:?}");
    if prediction.classes.is_empty() {
        return Rendering::text(plain);
    }
    let bars = chart::element(&prediction.bars());
    let html = format!("{bars}{}{}", caution(prediction.caution.as_deref()), aside(&plain));
    Rendering::text(plain).with_html(html)
}

pub fn training(run: &TrainingRun) -> Rendering {
    let curve = chart::element(&figures::training_curve(&run.epochs));
    let html = curve + &evaluation(&run.evaluation).to_html();
    Rendering::text(format!("{run:?}")).with_html(html)
}

/// Where maps point, method by method, controls last.
pub fn localisations(rows: &[Localisation]) -> Rendering {
    let heads = ["map", "inside the lesion", "95 % interval", "above its area"].map(str::to_owned);
    let line = |row: &Localisation| {
        let inside = &row.inside;
        let number = |value: f64| format!("{:.1} %", 100.0 * value);
        vec![
            cell(&row.name),
            number(inside.estimate),
            format!("{} to {}", number(inside.lower), number(inside.upper)),
            number(row.above_area),
        ]
    };
    let body: Vec<Vec<String>> = rows.iter().map(line).collect();
    let plain: Vec<String> = body.iter().map(|row| row.join(" | ")).collect();
    Rendering::text(format!("{}\n{}", heads.join(" | "), plain.join("\n"))).with_html(html_table(&heads, &body))
}

/// Tables of reports are Markdown, whose cells are escaped for it: bars within cells are `\|`.
fn of_markdown(markdown: &str) -> String {
    let cells = |line: &str| -> Vec<String> {
        let kept = line.replace("\\\\", "\u{1}").replace("\\|", "\u{2}");
        let inner = kept.trim().trim_start_matches('|').trim_end_matches('|');
        inner.split('|').map(|text| cell(&text.trim().replace('\u{2}', "|").replace('\u{1}', "\\"))).collect()
    };
    let mut lines = markdown.lines();
    let heads = lines.next().map(cells).unwrap_or_default();
    let rows: Vec<Vec<String>> = lines.skip(1).map(cells).collect();
    html_table(&heads, &rows)
}
