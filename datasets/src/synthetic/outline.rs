//! The lesion's outline: an ellipse with harmonics on its radius and a warped plane beneath.

use super::elementary::{angle_turns, cos_turns, sin_turns, smoothstep};
use super::noise::Noise;
use super::point::Point;
use super::stream::Stream;

const HARMONICS: usize = 7;

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
    waves: [(f32, f32); HARMONICS],
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
            waves,
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
        let lobes: f32 = self.waves.iter().map(|w| w.0).sum();
        self.radius_mm * (1.0 + lobes) / self.squeeze * 1.15
    }

    /// 1 at the centre, 0 on the border, negative outside; in shares of the radius.
    pub(super) fn depth(&self, at: Point) -> f32 {
        let q = Point::new(at.y / (self.squeeze * self.radius_mm), at.x * self.squeeze / self.radius_mm);
        let far = q.length();
        if far > 2.6 {
            return 1.0 - far;
        }
        let turns = angle_turns(q.y, q.x);
        let mut radius = 1.0;
        for (k, (height, phase)) in self.waves.iter().enumerate() {
            radius += height * cos_turns((k + 2) as f32 * turns + phase);
        }
        let rough = self.ragged * (self.coarse.at(q.scaled(2.6)) + 0.35 * self.fine.fractal(q.scaled(6.0), 2));
        let bite = if self.bites > 0.0 {
            // Bites take from the rim only, otherwise they would be holes.
            self.bites * 0.5 * smoothstep(0.0, 0.65, self.coarse.at(Point::new(q.y * 3.4 + 9.0, q.x * 3.4))) * (far * far).min(1.4)
        } else {
            0.0
        };
        1.0 - far / radius.max(0.35) + rough - bite
    }

    /// The border point at an angle, in millimetres (raggedness left aside).
    pub(super) fn border(&self, turns: f32) -> Point {
        let mut radius = self.radius_mm;
        for (k, (height, phase)) in self.waves.iter().enumerate() {
            radius += self.radius_mm * height * cos_turns((k + 2) as f32 * turns + phase);
        }
        Point::new(radius * sin_turns(turns) * self.squeeze, radius * cos_turns(turns) / self.squeeze)
    }
}
