//! The lesion's outline: an ellipse with harmonics on its radius and a warped plane beneath.

use super::elementary::{angle_turns, cos_turns, sin_turns, smoothstep};
use super::noise::{Noise, mix};
use super::point::Point;
use super::stream::Stream;

const HARMONICS: usize = 7;
/// Angles at which the radius is tabulated; between them it is interpolated.
const ANGLES: usize = 256;

/// How an outline may vary; amounts are shares of the radius.
#[derive(Clone, Copy, Debug)]
pub(super) struct OutlineStyle {
    /// Smallest and largest mean radius in millimetres.
    pub radius_mm: (f32, f32),
    /// Largest ratio of the long to the short axis.
    pub elongation: f32,
    /// Height of the harmonics on the radius: lobes and dents.
    pub lobes: f32,
    /// Height of the fine raggedness.
    pub ragged: f32,
    /// Depth of bites out of the border (moth-eaten border).
    pub bites: f32,
}

/// A closed outline in the lesion's own frame (millimetres).
#[derive(Clone, Debug)]
pub(super) struct Outline {
    radius_mm: f32,
    squeeze: f32,
    /// Relative radius at [`ANGLES`] angles, the first one again at the end.
    radii: Vec<f32>,
    ragged: f32,
    bites: f32,
    coarse: Noise,
    fine: Noise,
}

impl Outline {
    pub(super) fn draw(style: &OutlineStyle, stream: &mut Stream) -> Outline {
        let radius_mm = stream.mostly_low(style.radius_mm.0, style.radius_mm.1);
        let squeeze = 1.0 / stream.between(1.0, style.elongation).sqrt();
        let mut waves = [(0.0, 0.0); HARMONICS];
        for (k, wave) in waves.iter_mut().enumerate() {
            // Harmonic k + 2: the first one would only move the centre.
            *wave = (style.lobes * stream.between(0.3, 1.0) / (1.0 + 0.6 * k as f32), stream.unit());
        }
        Outline {
            radius_mm,
            squeeze,
            radii: (0..=ANGLES).map(|k| relative_radius(&waves, k as f32 / ANGLES as f32)).collect(),
            ragged: style.ragged * stream.between(0.5, 1.0),
            bites: style.bites * stream.between(0.6, 1.0),
            coarse: Noise::new(stream),
            fine: Noise::new(stream),
        }
    }

    /// Mean radius in millimetres.
    pub(super) fn radius_mm(&self) -> f32 {
        self.radius_mm
    }

    /// A bound on the distance of the border from the centre, in millimetres.
    pub(super) fn reach_mm(&self) -> f32 {
        let lobes = self.radii.iter().fold(1.0_f32, |a, b| a.max(*b)) - 1.0;
        self.radius_mm * (1.0 + lobes) / self.squeeze * 1.15
    }

    /// 1 at the centre, 0 on the border, negative outside; in shares of the radius.
    pub(super) fn depth(&self, at: Point) -> f32 {
        let q = Point::new(at.y / (self.squeeze * self.radius_mm), at.x * self.squeeze / self.radius_mm);
        let far = q.length();
        if far > 2.6 {
            return 1.0 - far;
        }
        let radius = self.relative_radius(angle_turns(q.y, q.x));
        let rough = self.ragged * (self.coarse.at(q.scaled(2.6)) + 0.35 * self.fine.fractal(q.scaled(6.0), 2));
        let bite = if self.bites > 0.0 {
            // Bites take from the rim only, otherwise they would be holes.
            self.bites * 0.5 * smoothstep(0.0, 0.65, self.coarse.at(Point::new(q.y * 3.4 + 9.0, q.x * 3.4))) * (far * far).min(1.4)
        } else {
            0.0
        };
        1.0 - far / radius + rough - bite
    }

    /// The border point at an angle, in millimetres (raggedness left aside).
    pub(super) fn border(&self, turns: f32) -> Point {
        let radius = self.radius_mm * self.relative_radius(turns);
        Point::new(radius * sin_turns(turns) * self.squeeze, radius * cos_turns(turns) / self.squeeze)
    }

    fn relative_radius(&self, turns: f32) -> f32 {
        let place = (turns - turns.floor()) * ANGLES as f32;
        let below = (place as usize).min(ANGLES - 1);
        mix(self.radii[below], self.radii[below + 1], place - below as f32)
    }
}

/// One plus the harmonics (height, phase) of order 2 and up; never so small that the outline would cross its centre.
fn relative_radius(waves: &[(f32, f32)], turns: f32) -> f32 {
    let sum: f32 = waves.iter().enumerate().map(|(k, (height, phase))| height * cos_turns((k + 2) as f32 * turns + phase)).sum();
    (1.0 + sum).max(0.35)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_zero_on_a_smooth_border_and_one_at_the_centre() {
        let style = OutlineStyle { radius_mm: (2.0, 3.0), elongation: 1.8, lobes: 0.1, ragged: 0.0, bites: 0.0 };
        let outline = Outline::draw(&style, &mut Stream::new(4));
        assert!((outline.depth(Point::new(0.0, 0.0)) - 1.0).abs() <= 1e-6);
        for k in 0..64 {
            let border = outline.border(k as f32 / 64.0);
            let depth = outline.depth(border);
            assert!(depth.abs() <= 1e-3, "{depth} at angle {k}/64");
            assert!(outline.depth(border.scaled(1.1)) < 0.0 && outline.depth(border.scaled(0.9)) > 0.0);
            assert!(border.length() <= outline.reach_mm());
        }
    }
}
