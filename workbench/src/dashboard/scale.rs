//! The colour bar of a map: its colours, its absolute range, and where the outline stands.

use serde::Serialize;
use xai::{Colormap, HeatMap, Rescale, Window};

use super::controls::Controls;

/// A horizontal bar, left end lowest.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scale {
    /// Value at the left end, on the map's own scale.
    pub low: String,
    /// Value at the right end.
    pub high: String,
    /// Places in percent with their colours `#rrggbb`.
    pub stops: Vec<(u8, String)>,
    /// Places of the outline in percent; none on a flat map.
    pub marks: Vec<f32>,
    /// Whether colours left of the middle speak against the target.
    pub signed: bool,
}

impl Scale {
    /// The bar of a map as [`xai::overlay`] draws it: a signed map is red and blue around zero.
    pub fn of(map: &HeatMap, window: &Window, controls: &Controls) -> Self {
        let signed = map.is_signed() || controls.colormap == Colormap::RedBlue;
        let (colormap, rescale) = if signed { (Colormap::RedBlue, Rescale::Symmetric) } else { (controls.colormap, Rescale::MinMax) };
        let (low, high) = map.limits(rescale);
        let stop = |step: u8| {
            let place = f32::from(step) / 10.0;
            let [red, green, blue] = colormap.colour(if signed { 2.0 * place - 1.0 } else { place });
            (step * 10, format!("#{red:02x}{green:02x}{blue:02x}"))
        };
        let marks = if map.is_flat() { Vec::new() } else { marks(map, window, controls, (low, high), signed) };
        Self { low: figure(low), high: figure(high), stops: (0..=10).map(stop).collect(), marks, signed }
    }
}

/// The outline runs on the interpolated map, so its level is found there.
fn marks(map: &HeatMap, window: &Window, controls: &Controls, (low, high): (f32, f32), signed: bool) -> Vec<f32> {
    let side = |length: f32| length.clamp(2.0, 512.0) as usize;
    let field = map.resize(side(window.height), side(window.width));
    let level = field.mass_threshold(f32::from(controls.threshold) / 100.0);
    let (least, most) = field.range();
    let place = |level: f32| (100.0 * (level - low) / (high - low)).clamp(0.0, 100.0);
    let levels = [(level <= most).then_some(level), (signed && -level >= least).then_some(-level)];
    levels.into_iter().flatten().map(place).collect()
}

/// Three significant digits, in powers of ten where a plain number would be long.
pub fn figure(value: f32) -> String {
    let size = value.abs();
    if value == 0.0 {
        "0".into()
    } else if !(1e-3..1e4).contains(&size) {
        let text = format!("{value:.2e}");
        let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
        format!("{digits}·10{}", power.chars().map(raised).collect::<String>())
    } else {
        let decimals = (2 - size.log10().floor() as i32).max(0) as usize;
        format!("{value:.decimals$}")
    }
}

fn raised(digit: char) -> char {
    match digit.to_digit(10) {
        Some(digit) => ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'][digit as usize],
        None => '⁻',
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;
    use xai::{HeadKind, Vit, VitConfig};

    use super::*;

    #[test]
    fn figures_keep_three_digits() {
        for (value, written) in [(0.0, "0"), (0.5, "0.500"), (-12.34, "-12.3"), (1.5e-7, "1.50·10⁻⁷"), (2.0e9, "2.00·10⁹")] {
            assert_eq!(figure(value), written);
        }
    }

    #[test]
    fn a_signed_map_has_zero_in_the_middle_and_two_marks() {
        let vit = Vit::random(VitConfig::tiny_for_tests(), HeadKind::Linear(3), 1).unwrap();
        let controls = Controls::default_for(&vit);
        let window = Window::whole(64, 64);
        let signed = Scale::of(&HeatMap::new(array![[-4.0, 0.0], [0.0, 3.0]]).unwrap(), &window, &controls);
        assert_eq!((signed.low.as_str(), signed.high.as_str(), signed.marks.len()), ("-4.00", "4.00", 2));
        assert!((signed.marks[0] + signed.marks[1] - 100.0).abs() < 1e-3, "{:?}", signed.marks);
        let plain = Scale::of(&HeatMap::new(array![[0.0, 0.0], [0.0, 3.0]]).unwrap(), &window, &controls);
        assert_eq!((plain.low.as_str(), plain.marks.len()), ("0", 1));
        let flat = Scale::of(&HeatMap::new(array![[2.0, 2.0]]).unwrap(), &window, &controls);
        assert!(flat.marks.is_empty());
    }
}
