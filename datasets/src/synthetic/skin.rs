//! The skin around a lesion: tone, mottling, furrows, follicles, sun damage and faint vessels.

use super::coarse::coarse;
use super::coverage::Coverage;
use super::elementary::smoothstep;
use super::noise::Noise;
use super::point::Point;
use super::stream::Stream;
use super::tissue::Tissue;
use super::tone::SkinTone;

/// A patient's skin; the same for all of a patient's lesions.
#[derive(Clone, Debug)]
pub(super) struct Skin {
    melanin: f32,
    blood: f32,
    mottle: f32,
    furrows: f32,
    sun_damage: f32,
    redness: f32,
    vessels: usize,
    large: Noise,
    red: Noise,
    lines: Noise,
    grain: Noise,
    spots: Noise,
}

impl Skin {
    pub(super) fn draw(tone: SkinTone, stream: &mut Stream) -> Skin {
        let (low, high) = tone.melanin();
        Skin {
            melanin: stream.between(low, high),
            blood: stream.between(0.10, 0.42),
            mottle: stream.between(0.5, 1.3),
            furrows: stream.between(0.3, 1.1),
            sun_damage: if stream.chance(0.3) { stream.between(0.3, 1.0) } else { 0.0 },
            redness: stream.mostly_low(0.0, 1.0),
            vessels: if stream.chance(0.4) { stream.count(1, 5) } else { 0 },
            large: Noise::new(stream),
            red: Noise::new(stream),
            lines: Noise::new(stream),
            grain: Noise::new(stream),
            spots: Noise::new(stream),
        }
    }

    /// The skin seen over a whole picture, row by row; `corner` says which part of the skin, in millimetres.
    pub(super) fn paint(&self, size: u32, span_mm: f32, corner: Point, stream: &mut Stream) -> Vec<Tissue> {
        let scale = span_mm / size as f32;
        let place = |y: f32, x: f32| Point::new(corner.y + (y + 0.5) * scale, corner.x + (x + 0.5) * scale);
        let slow = coarse(size, |y, x| self.slow(place(y, x)));
        let mut tissue: Vec<Tissue> = slow
            .iter()
            .enumerate()
            .map(|(index, slow)| self.at(place((index as u32 / size) as f32, (index as u32 % size) as f32), slow))
            .collect();
        self.faint_vessels(&mut tissue, size, span_mm, stream);
        tissue
    }

    /// What changes slowly: broad tone, redness, freckles.
    fn slow(&self, mm: Point) -> [f32; 3] {
        let spots = if self.sun_damage > 0.0 { self.spots.fractal(mm.scaled(0.8), 3) } else { 0.0 };
        [self.large.fractal(mm.scaled(0.16), 3), self.red.fractal(mm.scaled(0.42), 4), spots]
    }

    fn at(&self, mm: Point, slow: &[f32; 3]) -> Tissue {
        let [broad, red, spots] = *slow;
        let cell = self.lines.cell(Point::new(mm.y * 2.1 + 0.5 * red, mm.x * 2.1 + 0.5 * broad), 0.95);
        let furrow = self.furrows * (1.0 - smoothstep(0.0, 0.34, cell.wall));
        let grain = self.grain.fractal(mm.scaled(3.6), 2);
        let freckle = self.sun_damage * smoothstep(0.12, 0.95, spots + 0.12 * grain);
        let follicle = if cell.lot < 0.12 { 1.0 - smoothstep(0.02, 0.16, cell.nearest) } else { 0.0 };
        Tissue {
            melanin: self.melanin * (1.0 + 0.20 * self.mottle * broad + 0.10 * grain + 0.08 * furrow) + 0.34 * freckle + 0.012 * grain,
            blood: self.blood * (1.0 + 0.20 * self.mottle * red + 0.13 * grain - 0.14 * furrow + 0.10 * self.furrows * cell.nearest)
                + 0.20 * self.redness * smoothstep(-0.2, 0.9, red),
            white: 0.035 * furrow + 0.05 * follicle,
            ..Tissue::default()
        }
    }

    fn faint_vessels(&self, tissue: &mut [Tissue], size: u32, span_mm: f32, stream: &mut Stream) {
        let mut veins = Coverage::new(size);
        let scale = size as f32 / span_mm;
        for _ in 0..self.vessels {
            let mut at = Point::new(stream.unit() * size as f32, stream.unit() * size as f32);
            let mut turn = stream.unit();
            let radius = stream.between(0.03, 0.10) * scale;
            let mut path = vec![(at, radius)];
            for _ in 0..stream.count(6, 16) {
                turn += stream.normal() * 0.07;
                at = at.towards(turn, 0.35 * scale);
                path.push((at, radius * stream.between(0.7, 1.2)));
            }
            veins.stroke(&path, stream.between(0.2, 0.6));
        }
        for (t, cover) in tissue.iter_mut().zip(veins.plane()) {
            t.blood += 0.30 * cover;
            t.deep += 0.05 * cover;
        }
    }
}
