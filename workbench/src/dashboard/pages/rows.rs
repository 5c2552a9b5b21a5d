//! Rows of horizontal bars, each with its number.

use super::percent;
use crate::dashboard::evidence::Evidence;
use crate::dashboard::reading::Bar;

/// A bar with its name and its number.
pub struct Row {
    pub name: String,
    /// Length in percent of the full one.
    pub length: String,
    pub percent: String,
    pub highest: bool,
    pub malignant: bool,
}

/// One row a class, in the order of the model.
pub fn bars(bars: &[Bar]) -> Vec<Row> {
    let row = |bar: &Bar| Row { malignant: bar.malignant, ..Row::of(&bar.class, bar.probability.into(), bar.highest) };
    bars.iter().map(row).collect()
}

/// The map first, then its controls.
pub fn evidence(evidence: &Evidence) -> Vec<Row> {
    vec![
        Row::of("this map", evidence.inside, true),
        Row::of("blob in the middle", evidence.centre, false),
        Row::of("random map", evidence.random, false),
        Row::of("lesion's area", evidence.area, false),
    ]
}

impl Row {
    fn of(name: &str, share: f64, highest: bool) -> Self {
        Self { name: name.into(), length: format!("{:.2}", 100.0 * share), percent: percent(share), highest, malignant: false }
    }
}
