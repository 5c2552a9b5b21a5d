//! Points and the way between pixels and millimetres.

use super::elementary::{cos_turns, sin_turns};

/// A point or a vector, height before width.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub y: f32,
    pub x: f32,
}

impl Point {
    pub(super) fn new(y: f32, x: f32) -> Point {
        Point { y, x }
    }

    /// The point at a distance and an angle in turns from here.
    pub(super) fn towards(self, turns: f32, distance: f32) -> Point {
        Point { y: self.y + distance * sin_turns(turns), x: self.x + distance * cos_turns(turns) }
    }

    pub(super) fn scaled(self, by: f32) -> Point {
        Point { y: self.y * by, x: self.x * by }
    }

    pub(super) fn length(self) -> f32 {
        (self.y * self.y + self.x * self.x).sqrt()
    }
}

/// How the camera looks at a lesion: where its centre falls, how it is turned, and how many millimetres the picture spans.
#[derive(Clone, Copy, Debug)]
pub(super) struct View {
    /// Side of the square picture in pixels.
    pub size: u32,
    /// Side of the square picture in millimetres.
    pub span_mm: f32,
    /// The lesion's centre in the picture, in pixels.
    pub centre: Point,
    /// How far the lesion is turned, in turns.
    pub turn: f32,
}

impl View {
    /// Pixels a millimetre.
    pub(super) fn scale(&self) -> f32 {
        self.size as f32 / self.span_mm
    }

    /// From pixels to the lesion's own frame in millimetres.
    pub(super) fn to_lesion(self, pixel: Point) -> Point {
        let (sin, cos) = (sin_turns(self.turn), cos_turns(self.turn));
        let (y, x) = ((pixel.y - self.centre.y) / self.scale(), (pixel.x - self.centre.x) / self.scale());
        Point { y: cos * y - sin * x, x: sin * y + cos * x }
    }

    /// From the lesion's own frame in millimetres to pixels.
    pub(super) fn to_pixel(self, at: Point) -> Point {
        let (sin, cos) = (sin_turns(self.turn), cos_turns(self.turn));
        let (y, x) = (cos * at.y + sin * at.x, cos * at.x - sin * at.y);
        Point { y: self.centre.y + y * self.scale(), x: self.centre.x + x * self.scale() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_and_millimetres_lead_back_to_each_other() {
        let view = View { size: 224, span_mm: 11.0, centre: Point::new(90.0, 140.0), turn: 0.37 };
        for (y, x) in [(0.0, 0.0), (223.5, 10.5), (90.0, 140.0)] {
            let back = view.to_pixel(view.to_lesion(Point::new(y, x)));
            assert!((back.y - y).abs() <= 1e-2 && (back.x - x).abs() <= 1e-2, "{back:?} for ({y}, {x})");
        }
    }
}
