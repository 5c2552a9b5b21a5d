//! Every head of every layer, small, in one table.

use super::Rendering;
use super::attribution::coloured;
use super::html::aside;
use super::picture;
use super::rendering::image_element;
use crate::AttentionSheet;
use image::imageops::{self, FilterType};
use xai::HeatMap;

/// Side of one map on the page.
const SIDE: u32 = 84;
/// Maps beyond this are left out: the last layers stay.
const MOST_MAPS: usize = 400;

pub fn sheet(sheet: &AttentionSheet) -> Rendering {
    let layers = sheet.layers();
    let heads = layers.iter().map(Vec::len).max().unwrap_or(0).max(1);
    let first = layers.len().saturating_sub((MOST_MAPS / heads).max(1));
    let mut rows = String::new();
    for (layer, maps) in layers.iter().enumerate().skip(first) {
        let cells: String = maps.iter().map(|map| format!("<td style=\"padding: 1px\">{}</td>", small(map))).collect();
        rows += &format!("<tr><th>layer {}</th>{cells}</tr>", layer + 1);
    }
    let head: String = (0..heads).map(|head| format!("<th>head {}</th>", head + 1)).collect();
    let note = if first > 0 { format!("; layers 1 to {first} are left out") } else { String::new() };
    let said = aside(&format!("the class token's attention to the patches; every map has its own scale, black is its least{note}"));
    let html = format!("<table><thead><tr><th></th>{head}</tr></thead><tbody>{rows}</tbody></table>{said}");
    Rendering::text(format!("{sheet:?}")).with_html(html)
}

fn small(map: &HeatMap) -> String {
    let picture = imageops::resize(&coloured(map), SIDE, SIDE, FilterType::Nearest);
    let what = format!("entropy {:.2}", map.entropy());
    picture::encoded(&picture.into()).map_or(String::new(), |png| image_element(&png, &what))
}
