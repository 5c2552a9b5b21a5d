//! An explanation on a page: the lesion, the map over it, what it is and what it is not.

use xai::side_by_side;

use super::attribution::recipe;
use super::html::{aside, escaped, facts};
use super::rendering::image_element;
use super::{Rendering, picture};
use crate::Explanation;

/// What stands below every explanation.
const NOTICE: &str = "Research use only. The map shows what the model relied on; it is no diagnosis.";

pub fn explanation(explanation: &Explanation) -> Rendering {
    let plain = in_words(explanation);
    let pair = side_by_side(&explanation.lesion.picture, &explanation.overlay());
    let shown = picture::rgb(&pair);
    let Some(png) = shown.png else { return Rendering::text(plain) };
    let flat = if explanation.heat_map().is_flat() {
        "<div><strong>no localised evidence</strong>: the map is flat, so nothing is outlined</div>"
    } else {
        ""
    };
    let html = format!(
        "<figure style=\"margin: 0; max-width: 60em\">{}{flat}{}{}{}{}</figure>",
        image_element(&png, &plain),
        facts(&answers(explanation)),
        recipe(explanation.attribution()),
        caution(explanation.prediction.caution.as_deref()),
        aside(NOTICE),
    );
    Rendering { png: Some(png), ..Rendering::text(plain).with_html(html) }
}

/// Explanations that are shown together.
const MOST: usize = 24;

/// Several explanations beside each other: each its map, its method and its scale; what holds for all is said once.
pub fn several(explanations: &[Explanation]) -> Rendering {
    let plain: Vec<String> = explanations.iter().take(MOST).map(|one| format!("{one:?}")).collect();
    let shown: String = explanations.iter().take(MOST).map(small).collect();
    let rest = if explanations.len() > MOST { format!("… and {} more", explanations.len() - MOST) } else { String::new() };
    let cautions = explanations.iter().find_map(|one| one.prediction.caution.as_deref());
    let html = format!(
        "<div style=\"display: flex; flex-wrap: wrap; gap: 1em\">{shown}</div>{rest}{}{}",
        caution(cautions),
        aside("Research use only. The maps show what the model relied on; they are no diagnosis. Each has its own scale.")
    );
    Rendering::text(format!("{}\n{rest}\n{NOTICE}", plain.join("\n"))).with_html(html)
}

fn small(explanation: &Explanation) -> String {
    let (what, recipe) = (format!("{explanation:?}"), recipe(explanation.attribution()));
    let picture = picture::rgb(&explanation.overlay()).png.map_or(String::new(), |png| image_element(&png, &what));
    let (method, (low, high)) = (explanation.recipe().method.name(), explanation.heat_map().range());
    let flat = if explanation.heat_map().is_flat() { ", no localised evidence" } else { "" };
    let words = format!("{}: {}; {low:.2e} to {high:.2e}{flat}", explanation.lesion.name, explanation.target);
    format!("<figure style=\"margin: 0; width: 19em\"><strong>{}</strong>{picture}{}{recipe}</figure>", escaped(&method), aside(&words))
}

/// What must be said of a model that knows nothing of real lesions.
pub(super) fn caution(caution: Option<&str>) -> String {
    caution.map_or(String::new(), |caution| format!("<div><strong>{}</strong></div>", escaped(caution)))
}

fn answers(explanation: &Explanation) -> Vec<(&'static str, String)> {
    let prediction = &explanation.prediction;
    let method = format!("<strong>{}</strong>", escaped(&explanation.recipe().method.to_string()));
    let mut rows = vec![("method", method), ("lesion", escaped(&explanation.lesion.name))];
    if let Some(class) = explanation.lesion.class {
        rows.push(("true class", class.name().into()));
    }
    if let Some((class, probability)) = prediction.predicted() {
        rows.push(("predicted", format!("{}, {:.1} %", escaped(class), 100.0 * probability)));
    }
    rows.push(("explained", escaped(&explanation.target)));
    let (low, high) = explanation.heat_map().range();
    rows.push(("scale", format!("{low:.3e} to {high:.3e}, {}", explanation.unit())));
    rows.extend(explanation.lesion.notes.iter().map(|note| ("note", escaped(note))));
    rows
}

fn in_words(explanation: &Explanation) -> String {
    let said = explanation.prediction.predicted().map_or(String::new(), |(class, p)| format!("; predicted {class}, {:.1} %", 100.0 * p));
    let gap = explanation.attribution().completeness_gap.as_ref().map_or(String::new(), |gap| format!("\ncompleteness: {gap}"));
    let caution = explanation.prediction.caution.as_ref().map_or(String::new(), |caution| format!("\n{caution}"));
    format!("{explanation:?}{said}{gap}{caution}\nrecipe {}\n{NOTICE}", explanation.recipe().hash())
}
