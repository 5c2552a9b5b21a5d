//! Writes every figure into one page, as a server with a strict policy would serve it:
//! `cargo run --release -p reports --example gallery -- FOLDER`, then open `FOLDER/index.html`.

use std::path::Path;

use reports::classification::{self, DEFAULT_BINS, Evaluation, Predictions};
use reports::figures::{
    ClassCount, ClassProbability, CountScale, Epoch, FIGURES_CSS, FIGURES_JS, Measured, calibration, class_balance, class_bars,
    confusion_matrix, plotly_js, roc_curves, to_div, training_curve,
};
use reports::statistics::SplitMix64;

/// The thesis's seven classes and their numbers of images in the ISIC Archive.
const CLASSES: [(&str, u64); 7] = [
    ("nevus", 31_626),
    ("melanoma", 6_701),
    ("seborrheic keratosis", 1_725),
    ("basal cell carcinoma", 3_869),
    ("pigmented benign keratosis", 1_339),
    ("actinic keratosis", 1_011),
    ("squamous cell carcinoma", 879),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("name the folder to write into")?;
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder)?;
    let page = page(&invented_predictions()?);
    assert!(!page.contains("://"), "the page asks another host");
    std::fs::write(folder.join("index.html"), page)?;
    std::fs::write(folder.join("plotly.js"), plotly_js())?;
    std::fs::write(folder.join("figures.js"), FIGURES_JS)?;
    std::fs::write(folder.join("figures.css"), FIGURES_CSS)?;
    std::fs::write(folder.join("page.css"), PAGE_CSS)?;
    Ok(())
}

fn page(predictions: &Predictions) -> String {
    let counts = CLASSES.map(|(class, count)| ClassCount { class: class.into(), count });
    let bar = |(name, &probability): (&(&str, u64), &f64)| ClassProbability { class: name.0.into(), probability };
    let row: Vec<ClassProbability> = CLASSES.iter().zip(predictions.rows().next().unwrap_or_default()).map(bar).collect();
    let matrix = classification::confusion_matrix(predictions);
    let reliability = classification::calibration(predictions, DEFAULT_BINS);
    let figures = [
        to_div(&class_bars(&row), "bars", "class probabilities"),
        to_div(&class_balance(&counts, CountScale::Linear), "balance", "class balance"),
        to_div(&class_balance(&counts, CountScale::Logarithmic), "log-balance", "class balance, logarithmic"),
        to_div(&confusion_matrix(&matrix), "confusion", "confusion matrix"),
        to_div(&roc_curves(&classification::roc_curves(predictions)), "roc", "ROC curves"),
        to_div(&calibration(&reliability), "calibration", "reliability diagram"),
        to_div(&training_curve(&invented_training()), "training", "loss and accuracy"),
    ];
    let table = Evaluation::of(predictions).class_table();
    let sections: String = figures.iter().map(|figure| format!("<section>{figure}</section>\n")).collect();
    format!("{HEAD}{sections}<pre>{table}</pre>\n{TAIL}")
}

/// Invented: a model that is mostly right, often confuses neighbours, and is a little too sure.
fn invented_predictions() -> Result<Predictions, reports::Error> {
    let mut random = SplitMix64::new(2023);
    let mut uniform = || (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
    let (mut truth, mut rows) = (Vec::new(), Vec::new());
    for (class, (_, count)) in CLASSES.iter().enumerate() {
        for _ in 0..count / 40 {
            let mut noise = || -uniform().max(1e-9).ln();
            let logits: [f64; 7] = std::array::from_fn(|other| {
                let likeness = if other == class {
                    2.2
                } else if other == 0 {
                    1.2
                } else {
                    0.0
                };
                1.4 * (likeness + noise())
            });
            let sum: f64 = logits.iter().map(|logit| logit.exp()).sum();
            truth.push(class);
            rows.push(logits.map(|logit| logit.exp() / sum));
        }
    }
    Predictions::new(&CLASSES.map(|(name, _)| name), &truth, &rows)
}

/// Invented: training goes on falling while validation turns.
fn invented_training() -> Vec<Epoch> {
    let epoch = |number: usize| {
        let t = number as f64;
        let training = Measured { loss: 1.6 * (-t / 9.0).exp() + 0.12, accuracy: 0.97 - 0.5 * (-t / 8.0).exp() };
        let ripple = 0.02 * (t * 1.7).sin();
        let loss = 1.5 * (-t / 7.0).exp() + 0.38 + 0.006 * t + ripple;
        let accuracy = 0.88 - 0.42 * (-t / 6.0).exp() - ripple / 2.0;
        Epoch { number, training, validation: Some(Measured { loss, accuracy }) }
    };
    (1..=30).map(epoch).collect()
}

const HEAD: &str = r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Figures</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:">
<link rel="stylesheet" href="page.css">
<link rel="stylesheet" id="plotly.js-style-global" class="no-inline-styles" href="figures.css">
<script src="plotly.js" defer></script><script src="figures.js" defer></script></head>
<body>
"#;
const TAIL: &str = "</body></html>\n";
const PAGE_CSS: &str = "\
body { font: 15px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 1rem auto; padding: 0 1rem; color: #1c1f24; background: #fff; }
@media (prefers-color-scheme: dark) { body { color: #e6e6e6; background: #16181d; } }
section { margin: 1.5rem 0; }
pre { overflow-x: auto; font-size: 12px; }
";
