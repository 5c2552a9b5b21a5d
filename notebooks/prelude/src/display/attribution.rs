//! Relevance without its photograph: a map of colours with its scale.

use image::{Rgb, RgbImage};
use xai::{Attribution, Colormap, HeatMap, Rescale};

use super::html::{aside, escaped, facts};
use super::rendering::image_element;
use super::{Rendering, picture};

/// Least side of a map on the page.
const SIDE: u32 = 280;
/// Most cells of a map that are drawn one by one.
const MOST_CELLS: usize = 1 << 20;

pub fn heat_map(map: &HeatMap) -> Rendering {
    let plain = in_words(map);
    let Some(png) = picture::encoded(&coloured(map).into()) else { return Rendering::text(plain) };
    let html = format!("<figure style=\"margin: 0\">{}{}{}</figure>", image_element(&png, &plain), scale(map), aside(&plain));
    Rendering { png: Some(png), ..Rendering::text(plain).with_html(html) }
}

pub fn attribution(attribution: &Attribution) -> Rendering {
    let shown = HeatMap::new(attribution.values.clone());
    let plain = match &shown {
        Ok(map) => format!("{}: {}", attribution.recipe.method, in_words(map)),
        Err(problem) => format!("{}: {problem}", attribution.recipe.method),
    };
    let map = shown.map(|map| heat_map(&map)).unwrap_or_else(|_| Rendering::text(plain.clone()));
    let html = map.to_html() + &recipe(attribution);
    Rendering { html: Some(html), plain, ..map }
}

/// The recipe, folded.
pub(super) fn recipe(attribution: &Attribution) -> String {
    let recipe = &attribution.recipe;
    let settings = serde_json::to_string(&recipe.method).unwrap_or_default();
    let code = |text: &str| format!("<code>{}</code>", escaped(text));
    let mut rows = vec![
        ("method", escaped(&recipe.method.to_string())),
        ("settings", code(&settings)),
        ("patches", format!("{} × {}", recipe.patches.rows, recipe.patches.cols)),
        ("computed on", escaped(&format!("{}, {}, batch of {}", recipe.device, recipe.kernel_set, recipe.batch))),
        ("weights (SHA-256)", code(&recipe.model_sha256)),
        ("recipe (SHA-256)", code(&recipe.hash())),
    ];
    if let Some(gap) = &attribution.completeness_gap {
        rows.insert(2, ("completeness", escaped(&gap.to_string())));
    }
    format!("<details><summary>recipe</summary>{}</details>", facts(&rows))
}

/// A bar of the map's colours with the values at its ends.
fn scale(map: &HeatMap) -> String {
    let (low, high) = ends(map);
    let colours = colours(map);
    let stop = |step: u32| {
        let at = f64::from(step) / 16.0;
        let [red, green, blue] = colours.colour(if colours == Colormap::RedBlue { 2.0 * at as f32 - 1.0 } else { at as f32 });
        format!("rgb({red}, {green}, {blue})")
    };
    let stops: Vec<String> = (0..=16).map(stop).collect();
    format!(
        "<div style=\"font-variant-numeric: tabular-nums\">{low:.3e} <span style=\"display: inline-block; width: 12em; height: 0.8em; \
         background: linear-gradient(to right, {})\"></span> {high:.3e}</div>",
        stops.join(", ")
    )
}

/// Shape, range and whether it points anywhere.
pub(super) fn in_words(map: &HeatMap) -> String {
    let ((rows, cols), (low, high)) = (map.values().dim(), map.range());
    let flat = if map.is_flat() { ", no localised evidence" } else { "" };
    format!("{rows}×{cols} values from {low:.3e} to {high:.3e}, entropy {:.2}{flat}", map.entropy())
}

/// The map alone in its colours, every cell a square.
pub(super) fn coloured(map: &HeatMap) -> RgbImage {
    let (rows, cols) = map.values().dim();
    let large = rows * cols > MOST_CELLS;
    let map = if large { &map.resize(rows.min(1024), cols.min(1024)) } else { map };
    let (rows, cols) = map.values().dim();
    let ((low, high), colours) = (ends(map), colours(map));
    let side = (SIDE / rows.max(cols) as u32).max(1);
    let place = |value: f32| {
        let share = if high > low { (value - low) / (high - low) } else { 0.5 };
        if colours == Colormap::RedBlue { 2.0 * share - 1.0 } else { share }
    };
    let values = map.values();
    RgbImage::from_fn(cols as u32 * side, rows as u32 * side, |x, y| {
        Rgb(colours.colour(place(values[[(y / side) as usize, (x / side) as usize]])))
    })
}

fn colours(map: &HeatMap) -> Colormap {
    if map.is_signed() { Colormap::RedBlue } else { Colormap::Inferno }
}

/// What the ends of the colours stand for.
fn ends(map: &HeatMap) -> (f32, f32) {
    map.limits(if map.is_signed() { Rescale::Symmetric } else { Rescale::MinMax })
}
