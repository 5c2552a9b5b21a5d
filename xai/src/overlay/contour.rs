//! Outlines around a share of the relevance.

use super::OverlayStyle;
use super::canvas::View;
use crate::HeatMap;
use ::contour::ContourBuilder;
use image::RgbImage;
use tiny_skia::{Color, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Stroke, StrokeDash, Transform};

/// Finest grid that is searched for an outline, along each side.
const FINEST: f32 = 512.0;

/// Draws the outlines and returns the levels they stand at, on the map's absolute scale.
///
/// Marching squares on the interpolated map, at the level above which `style.contour` of the relevance lies.
/// A light line on a darker, broader one shows on skin, on pigment and in greyscale print.
pub(super) fn outline(picture: &mut RgbImage, map: &HeatMap, view: &View, style: &OverlayStyle) -> Vec<f32> {
    let Some(share) = style.contour else { return Vec::new() };
    let (height, width) = (view.window.height.clamp(2.0, FINEST), view.window.width.clamp(2.0, FINEST));
    let field = map.resize(height as usize, width as usize);
    let level = field.mass_threshold(share);
    let Some(mut layer) = Pixmap::new(picture.width(), picture.height()) else { return Vec::new() };
    let mut levels = Vec::new();
    for (sign, line) in [(1.0_f32, Line::Solid), (-1.0, Line::Dashed)] {
        if let Some(path) = path(&field, sign, level, view) {
            stroke(&mut layer, &path, line);
            levels.push(sign * level);
        }
    }
    compose(picture, &layer);
    levels
}

#[derive(Clone, Copy, PartialEq)]
enum Line {
    Solid,
    Dashed,
}

/// The closed lines where `sign * field` crosses `level`, in pixels of the picture; `None` where there is no line.
fn path(field: &HeatMap, sign: f32, level: f32, view: &View) -> Option<Path> {
    let (rows, cols) = field.values().dim();
    let values: Vec<f64> = field.values().iter().map(|value| f64::from(sign * value)).collect();
    let lines = ContourBuilder::new(cols, rows, true).lines(&values, &[f64::from(level)]).ok()?;
    let down = |y: f64| view.window.top + y as f32 / rows as f32 * view.window.height;
    let across = |x: f64| view.window.left + x as f32 / cols as f32 * view.window.width;
    let mut path = PathBuilder::new();
    for ring in lines.iter().flat_map(|line| line.geometry()) {
        for (index, point) in ring.coords().enumerate() {
            let (x, y) = (across(point.x), down(point.y));
            if index == 0 { path.move_to(x, y) } else { path.line_to(x, y) }
        }
        path.close();
    }
    path.finish()
}

fn stroke(layer: &mut Pixmap, path: &Path, line: Line) {
    let unit = (layer.width().min(layer.height()) as f32 / 450.0).max(0.7);
    let pen =
        |width: f32, dash| Stroke { width: width * unit, line_cap: LineCap::Butt, line_join: LineJoin::Round, dash, ..Stroke::default() };
    let dash = (line == Line::Dashed).then(|| StrokeDash::new(vec![7.0 * unit, 6.0 * unit], 0.0)).flatten();
    let strokes = [(Color::from_rgba8(15, 15, 15, 235), pen(4.2, None)), (Color::from_rgba8(255, 255, 255, 255), pen(1.8, dash))];
    for (colour, pen) in strokes {
        let mut paint = Paint::default();
        paint.set_color(colour);
        layer.stroke_path(path, &paint, &pen, Transform::identity(), None);
    }
}

/// Lays the drawn lines over the picture; untouched pixels keep their bits.
fn compose(picture: &mut RgbImage, layer: &Pixmap) {
    for (pixel, over) in picture.pixels_mut().zip(layer.pixels()) {
        let hidden = u16::from(over.alpha());
        if hidden > 0 {
            let premultiplied = [over.red(), over.green(), over.blue()];
            for (channel, light) in pixel.0.iter_mut().zip(premultiplied) {
                let below = (u16::from(*channel) * (255 - hidden) + 127) / 255;
                *channel = (u16::from(light) + below).min(255) as u8;
            }
        }
    }
}
