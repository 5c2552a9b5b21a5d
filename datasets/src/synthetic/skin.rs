//! The skin around a lesion: tone, mottling, furrows, follicles, sun damage and faint vessels.

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
            blood: stream.between(0.16, 0.40),
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
        let mut tissue = Vec::with_capacity((size * size) as usize);
        for y in 0..size {
            for x in 0..size {
                tissue.push(self.at(Point::new(corner.y + (y as f32 + 0.5) * scale, corner.x + (x as f32 + 0.5) * scale)));
            }
        }
        self.faint_vessels(&mut tissue, size, span_mm, stream);
        tissue
    }

    fn at(&self, mm: Point) -> Tissue {
        let broad = self.large.fractal(mm.scaled(0.22), 3);
        let red = self.red.fractal(mm.scaled(0.45), 3);
        let cell = self.lines.cell(mm.scaled(1.9), 0.95);
        let furrow = 1.0 - smoothstep(0.02, 0.26, cell.wall);
        let grain = self.grain.fractal(mm.scaled(4.5), 2);
        let freckle = self.sun_damage * smoothstep(0.34, 0.75, self.spots.at(mm.scaled(0.6)) + 0.25 * grain);
        let follicle = if cell.lot < 0.25 { 1.0 - smoothstep(0.02, 0.13, cell.nearest) } else { 0.0 };
        Tissue {
            melanin: self.melanin * (1.0 + 0.16 * self.mottle * broad + 0.05 * grain + 0.06 * self.furrows * furrow)
                + 0.26 * freckle
                + 0.02 * follicle,
            blood: self.blood
                * (1.0 + 0.24 * self.mottle * red + 0.06 * grain - 0.12 * self.furrows * furrow + 0.10 * self.furrows * cell.nearest)
                + 0.22 * self.redness * smoothstep(0.0, 0.8, red),
            white: 0.03 * self.furrows * furrow + 0.07 * follicle,
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
