//! How unequal the classes are, and how good the model was on lesions it never saw.

use askama::Template;
use axum::extract::State as Shared;
use axum::response::Html;
use datasets::Imbalance;
use reports::figures::{self, ClassCount, CountScale, to_div};
use reports::table::{decimal, percent};

use super::render;
use crate::dashboard::model_card::ModelCard;
use crate::dashboard::problem::Problem;
use crate::dashboard::{State, TestRecord};

#[derive(Template)]
#[template(path = "monitoring.html")]
struct Monitoring<'a> {
    model: &'a ModelCard,
    cohort: Balance,
    thesis: Balance,
    test: Option<Test>,
}

/// Counts of the classes with their figure.
struct Balance {
    total: usize,
    ratio: String,
    rows: Vec<BalanceRow>,
    figure: String,
}

struct BalanceRow {
    class: &'static str,
    count: usize,
    share: String,
    effective: String,
}

/// The test part's metrics with their figures.
struct Test {
    samples: usize,
    summary: Vec<(&'static str, String)>,
    classes: Vec<[String; 8]>,
    confusion: String,
    calibration: String,
    curve: String,
    epochs: usize,
}

/// β of the effective number of samples: Cui et al. 2019 use 0.999 for data sets of this size.
const BETA: f64 = 0.999;

/// `GET /monitoring`.
pub async fn monitoring(Shared(state): Shared<State>) -> Result<Html<String>, Problem> {
    render(&Monitoring {
        model: state.card(),
        cohort: balance(&Imbalance::of(state.cohort().classes()), "cohort"),
        thesis: balance(&Imbalance::thesis(), "thesis"),
        test: state.record().map(test),
    })
}

fn balance(imbalance: &Imbalance, id: &str) -> Balance {
    let counts = imbalance.counts();
    let (shares, effective) = (imbalance.shares(), imbalance.effective_numbers(BETA));
    let bars: Vec<_> = counts.iter().map(|c| ClassCount { class: c.class.name().into(), count: c.count as u64 }).collect();
    let described = counts.iter().map(|c| format!("{} {}", c.class, c.count)).collect::<Vec<_>>().join(", ");
    let row = |index: usize| BalanceRow {
        class: counts[index].class.name(),
        count: counts[index].count,
        share: percent(Some(shares[index])),
        effective: format!("{:.0}", effective[index]),
    };
    Balance {
        total: imbalance.total(),
        ratio: imbalance.ratio().map_or_else(|| "–".into(), |ratio| format!("{ratio:.1}")),
        rows: (0..counts.len()).map(row).collect(),
        figure: to_div(&figures::class_balance(&bars, CountScale::Linear), id, &format!("Images a class: {described}")),
    }
}

fn test(record: &TestRecord) -> Test {
    let e = &record.evaluation;
    let macro_auc = e.macro_auc.map(|mean| mean.value);
    let summary = vec![
        ("accuracy", percent(Some(e.accuracy))),
        ("balanced accuracy", percent(Some(e.balanced_accuracy))),
        ("macro F1", percent(e.macro_averages.f1.map(|mean| mean.value))),
        ("macro AUC", decimal(macro_auc)),
        ("Cohen's kappa", decimal(e.kappa)),
        ("Matthews correlation", decimal(e.matthews)),
        ("expected calibration error", percent(Some(e.calibration.expected_error))),
        ("log loss (nats)", decimal(Some(e.log_loss))),
        ("Brier score (0 to 2)", decimal(Some(e.brier))),
    ];
    let row = |class: &reports::classification::ClassEvaluation| {
        let scores = &class.scores;
        let [precision, recall, specificity, f1] = [scores.precision, scores.recall, scores.specificity, scores.f1].map(percent);
        let (auc, ap) = (decimal(class.auc), decimal(class.average_precision));
        [scores.class.clone(), scores.support.to_string(), precision, recall, specificity, f1, auc, ap]
    };
    Test {
        samples: e.samples,
        summary,
        classes: e.classes.iter().map(row).collect(),
        confusion: to_div(
            &figures::confusion_matrix(&e.confusion),
            "confusion",
            "Confusion matrix; the table of classes holds its recalls",
        ),
        calibration: to_div(&figures::calibration(&e.calibration), "calibration", "Accuracy over confidence in bins"),
        curve: to_div(&figures::training_curve(&record.curve), "curve", "Loss and accuracy over the epochs of the training"),
        epochs: record.curve.len(),
    }
}
