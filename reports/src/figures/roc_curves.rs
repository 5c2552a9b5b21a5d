//! ROC curves of several classes.

use plotly::common::{DashType, HoverInfo, Line, Mode};
use plotly::layout::{AxisConstrain, Legend};
use plotly::{Layout, Plot, Scatter};

use super::style::{CLEAR, INK, plot, series, share_axis, short_label, title};
use crate::classification::{RocCurve, RocPoint};

/// No screen shows more points of one curve than this.
const MOST_POINTS: usize = 400;

/// One curve for each class against the rest, its area in the legend; the diagonal is chance.
///
/// A class whose curve is undefined stays in the legend and says so. Long curves are thinned to 400 points.
pub fn roc_curves(curves: &[RocCurve]) -> Plot {
    let mut figure = plot(480, layout());
    let chance = Scatter::new(vec![0.0, 1.0], vec![0.0, 1.0])
        .name("chance: 0.500")
        .mode(Mode::Lines)
        .line(Line::new().color(INK).width(1.0).dash(DashType::Dot))
        .hover_info(HoverInfo::Skip);
    for (index, curve) in curves.iter().enumerate() {
        figure.add_trace(line(index, curve));
    }
    figure.add_trace(chance);
    figure
}

fn line(index: usize, curve: &RocCurve) -> Box<Scatter<Option<f64>, Option<f64>>> {
    let (colour, dash) = series(index);
    let points = thinned(&curve.points);
    let area = curve.auc.map_or("undefined".into(), |area| format!("{area:.3}"));
    let threshold = |point: &RocPoint| point.threshold.map_or("none".into(), |value| format!("p ≥ {value:.3}"));
    let coordinates = |of: fn(&RocPoint) -> f64| match points.len() {
        0 => vec![None], // a curve of no points at all would lose its place in the legend
        _ => points.iter().map(of).map(Some).collect(),
    };
    Scatter::new(coordinates(|point| point.false_positive_rate), coordinates(|point| point.true_positive_rate))
        .name(format!("{}: {area}", short_label(&curve.class)))
        .mode(Mode::Lines)
        .line(Line::new().color(colour).width(2.0).dash(dash))
        .text_array(points.iter().map(threshold).collect())
        .hover_template("sensitivity %{y:.1%}, specificity %{customdata}<br>%{text}")
        .custom_data(points.iter().map(|point| format!("{:.1}%", 100.0 * (1.0 - point.false_positive_rate))).collect::<Vec<_>>())
}

fn layout() -> Layout {
    let x = share_axis("1 − specificity (false positive rate)", 0.01);
    let y = share_axis("sensitivity (true positive rate)", 0.01).scale_anchor("x").constrain(AxisConstrain::Domain);
    let legend = Legend::new().title(title("class: area under the curve")).x(1.02).y(1.0).background_color(CLEAR);
    Layout::new().x_axis(x.constrain(AxisConstrain::Domain)).y_axis(y).legend(legend)
}

/// Corners alone, which changes nothing of what is drawn; then, if still too many, evenly many of them.
fn thinned(points: &[RocPoint]) -> Vec<RocPoint> {
    let inner = points.windows(3).filter(|three| !straight(three)).map(|three| three[1]);
    let corners: Vec<RocPoint> = points.first().copied().into_iter().chain(inner).chain(points.last().copied()).collect();
    if corners.len() <= MOST_POINTS {
        return corners;
    }
    let last = corners.len() - 1;
    (0..MOST_POINTS).map(|place| corners[place * last / (MOST_POINTS - 1)]).collect()
}

/// Whether the middle of three neighbours lies on a horizontal or vertical run.
fn straight(three: &[RocPoint]) -> bool {
    let same = |value: fn(&RocPoint) -> f64| value(&three[0]) == value(&three[1]) && value(&three[1]) == value(&three[2]);
    same(|point| point.true_positive_rate) || same(|point| point.false_positive_rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn staircase(steps: usize) -> Vec<RocPoint> {
        let point = |step: usize| RocPoint {
            threshold: None,
            false_positive_rate: (step / 2) as f64 / (steps / 2) as f64,
            true_positive_rate: step.div_ceil(2) as f64 / (steps / 2) as f64,
        };
        (0..=steps).map(point).collect()
    }

    #[test]
    fn thinning_keeps_both_ends_and_the_limit() {
        let long = staircase(10_000);
        let few = thinned(&long);
        assert_eq!(few.len(), MOST_POINTS);
        assert_eq!((few.first(), few.last()), (long.first(), long.last()));
        assert_eq!(thinned(&[]), []);
    }

    #[test]
    fn short_curves_lose_only_points_of_straight_runs() {
        assert_eq!(thinned(&staircase(20)), staircase(20));
        let at = |x: f64| RocPoint { threshold: None, false_positive_rate: x, true_positive_rate: 1.0 };
        assert_eq!(thinned(&[at(0.0), at(0.3), at(0.6), at(1.0)]), [at(0.0), at(1.0)]);
    }
}
