//! The confusion matrix as a heat map.

use plotly::common::{Anchor, Font};
use plotly::layout::Annotation;
use plotly::{HeatMap, Layout, Plot};

use super::style::{FAINT_INK, FAINT_ON_DARK, class_axis, from_the_top, ink_on_viridis, label, plot, title, viridis};
use crate::classification::ConfusionMatrix;
use crate::table::percent;

/// Rows are true classes, columns predicted ones; a cell says its count and its share of the row.
///
/// Colour is the share of the true class, from 0 to 100 %, so that rare classes are seen as well as common ones.
/// The row of a class without samples carries no colour.
pub fn confusion_matrix(matrix: &ConfusionMatrix) -> Plot {
    let classes = matrix.classes().len();
    let shares = matrix.shares();
    let z: Vec<Vec<Option<f64>>> = shares.iter().map(|row| shares_or_none(row.as_deref(), classes)).collect();
    let places: Vec<usize> = (0..classes).collect();
    let trace = HeatMap::new(places.clone(), places, z)
        .zmin(0.0)
        .zmax(1.0)
        .zauto(false)
        .color_scale(viridis())
        .x_gap(2)
        .y_gap(2)
        .hover_on_gaps(false)
        .hover_text_matrix(hover(matrix, &shares))
        .hover_template("%{hovertext}<extra></extra>")
        .show_scale(false);
    let mut figure = plot(170 + 54 * classes, layout(matrix, &shares));
    figure.add_trace(trace);
    figure
}

fn shares_or_none(shares: Option<&[f64]>, classes: usize) -> Vec<Option<f64>> {
    shares.map_or(vec![None; classes], |shares| shares.iter().copied().map(Some).collect())
}

fn layout(matrix: &ConfusionMatrix, shares: &[Option<Vec<f64>>]) -> Layout {
    let classes = matrix.classes().len();
    let names = || matrix.classes().iter().map(String::as_str);
    let columns = class_axis(names()).title(title("predicted class")).range(vec![-0.5, classes as f64 - 0.5]);
    let rows = class_axis(names()).range(from_the_top(classes));
    let mut texts = cells(matrix, shares);
    texts.push(heading_of_the_rows());
    Layout::new().x_axis(columns).y_axis(rows).annotations(texts)
}

/// Stands above the names of the rows: an upright title would run into them.
fn heading_of_the_rows() -> Annotation {
    let corner = Annotation::new().x_ref("paper").y_ref("paper").x(0.0).y(1.0);
    corner.x_anchor(Anchor::Right).y_anchor(Anchor::Bottom).x_shift(-8.0).text("true class").show_arrow(false)
}

/// The texts of every cell: its count, and in smaller type below it its share of the row.
fn cells(matrix: &ConfusionMatrix, shares: &[Option<Vec<f64>>]) -> Vec<Annotation> {
    let mut texts = Vec::new();
    for (row, (counts, shares)) in matrix.rows().iter().zip(shares).enumerate() {
        for (column, &count) in counts.iter().enumerate() {
            let text = |below: f64, size: usize, colour: &'static str, text: String| {
                let font = Font::new().color(colour).size(size);
                Annotation::new().x(column).y(row as f64 + below).text(text).font(font).show_arrow(false)
            };
            match shares.as_ref().map(|row| row[column]) {
                Some(share) if count > 0 => {
                    let colour = ink_on_viridis(share);
                    texts.push(text(-0.11, 14, colour, count.to_string()));
                    texts.push(text(0.19, 11, colour, percent(Some(share))));
                }
                Some(_) => texts.push(text(0.0, 14, FAINT_ON_DARK, "0".into())),
                None => texts.push(text(0.0, 14, FAINT_INK, percent(None))),
            }
        }
    }
    texts
}

fn hover(matrix: &ConfusionMatrix, shares: &[Option<Vec<f64>>]) -> Vec<Vec<String>> {
    let names = matrix.classes();
    let cell = |row: usize, column: usize| {
        let share = percent(shares[row].as_ref().map(|shares| shares[column]));
        let count = matrix.rows()[row][column];
        format!("true {}<br>predicted {}<br>{count} ({share})", label(&names[row]), label(&names[column]))
    };
    (0..names.len()).map(|row| (0..names.len()).map(|column| cell(row, column)).collect()).collect()
}
