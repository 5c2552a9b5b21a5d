//! The strip below the picture: colours, their absolute scale, and what they are not.

use super::{OverlayStyle, canvas, text};
use crate::{Colormap, HeatMap, Rescale};
use image::{Rgb, RgbImage, imageops};

const PAPER: Rgb<u8> = Rgb([255, 255, 255]);
const INK: Rgb<u8> = Rgb([35, 35, 35]);

/// Stands in every legend: a heat map is easily read as a finding.
const NOT_DISEASE: &str = "relevance of the model, not disease";

/// The picture with its legend below it. `levels` are the contours' places on the colour bar.
pub(super) fn below(picture: &RgbImage, map: &HeatMap, style: &OverlayStyle, levels: &[f32]) -> RgbImage {
    let size = text::size_for(picture.width());
    let line = text::height(size);
    let margin = line / 2;
    let room = picture.width().saturating_sub(2 * margin);
    let lines: Vec<String> = words(map, style, levels).iter().flat_map(|words| text::wrap(words, size, room)).collect();
    let bar = if style.colour_bar { line + line / 4 } else { 0 };
    let height = margin + bar + line * lines.len() as u32 + margin;
    let mut canvas = RgbImage::from_pixel(picture.width(), picture.height() + height, PAPER);
    imageops::replace(&mut canvas, picture, 0, 0);
    let mut top = picture.height() + margin;
    if style.colour_bar {
        draw_bar(&mut canvas, map, style, levels, top);
        top += bar;
    }
    for words in lines {
        let left = picture.width().saturating_sub(text::width(&words, size)) / 2;
        text::draw(&mut canvas, (top, left), &words, size, INK);
        top += line;
    }
    canvas
}

fn words(map: &HeatMap, style: &OverlayStyle, levels: &[f32]) -> Vec<String> {
    let mut lines = Vec::new();
    if style.colour_bar {
        lines.push(NOT_DISEASE.into());
        lines.extend(style.contour.filter(|_| !levels.is_empty()).map(|share| {
            let dashed = if levels.iter().any(|level| *level < 0.0) { ", dashed: against" } else { "" };
            format!("line: {:.0}% of the relevance{dashed}", share.clamp(0.0, 1.0) * 100.0)
        }));
        if style.fill.is_some() && style.colormap == Colormap::RedBlue && !map.is_flat() {
            lines.push("red: for, blue: against".into());
        }
        if let Rescale::Percentile(_) = style.rescale {
            let (low, high) = map.range();
            lines.push(format!("colours clipped; map from {} to {}", figure(low), figure(high)));
        }
    }
    lines.extend(style.caption.clone());
    lines
}

/// Smallest value, colours, largest value on one line; a notch where a contour stands.
fn draw_bar(canvas: &mut RgbImage, map: &HeatMap, style: &OverlayStyle, levels: &[f32], top: u32) {
    let size = text::size_for(canvas.width());
    let (line, margin) = (text::height(size), text::height(size) / 2);
    let (low, high) = map.limits(style.rescale);
    let (low_text, high_text) = (figure(low), figure(high));
    let left = margin + text::width(&low_text, size) + margin;
    let right = canvas.width().saturating_sub(margin + text::width(&high_text, size) + margin);
    text::draw(canvas, (top, margin), &low_text, size, INK);
    text::draw(canvas, (top, right + margin), &high_text, size, INK);
    if right <= left + 2 {
        return;
    }
    let (upper, thick) = (top + line / 8, line * 3 / 4);
    canvas::rectangle(canvas, (upper - 1, left - 1), (right - left + 2, thick + 2), INK);
    for col in left..right {
        let part = (col - left) as f32 / (right - left - 1) as f32;
        let value = if style.colormap == Colormap::RedBlue { 2.0 * part - 1.0 } else { part };
        let colour = if map.is_flat() { Rgb([200, 200, 200]) } else { Rgb(style.colormap.colour(value)) };
        canvas::rectangle(canvas, (upper, col), (1, thick), colour);
    }
    for level in levels {
        let part = ((level - low) / (high - low)).clamp(0.0, 1.0);
        let col = left + (part * (right - left - 1) as f32).round() as u32;
        let unit = (line / 16).max(1);
        canvas::rectangle(canvas, (upper, col.saturating_sub(2 * unit)), (5 * unit, thick), INK);
        canvas::rectangle(canvas, (upper, col.saturating_sub(unit)), (3 * unit, thick), PAPER);
    }
}

/// Three significant digits, in powers of ten where a plain number would be long.
fn figure(value: f32) -> String {
    let size = value.abs();
    if value == 0.0 {
        "0".into()
    } else if !(1e-3..1e4).contains(&size) {
        format!("{value:.2e}")
    } else {
        let decimals = (2 - size.log10().floor() as i32).max(0) as usize;
        format!("{value:.decimals$}")
    }
}

#[cfg(test)]
mod tests {
    use super::figure;

    #[test]
    fn figures_keep_three_digits() {
        let cases =
            [(0.0, "0"), (0.5, "0.500"), (-12.34, "-12.3"), (0.00123, "0.00123"), (4321.0, "4321"), (1.5e-7, "1.50e-7"), (2.0e9, "2.00e9")];
        for (value, written) in cases {
            assert_eq!(figure(value), written);
        }
    }
}
