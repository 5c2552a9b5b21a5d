//! Anti-aliased strokes and discs, collected in a plane where the strongest wins.

use super::elementary::smoothstep;
use super::point::Point;

/// Coverage of every pixel in [0, 1]; overlapping strokes do not add up.
#[derive(Clone, Debug)]
pub(super) struct Coverage {
    size: u32,
    plane: Vec<f32>,
}

impl Coverage {
    pub(super) fn new(size: u32) -> Coverage {
        Coverage { size, plane: vec![0.0; (size * size) as usize] }
    }

    pub(super) fn plane(&self) -> &[f32] {
        &self.plane
    }

    /// A polyline of (point, radius) in pixels with round joints, `strength` at its core.
    pub(super) fn stroke(&mut self, path: &[(Point, f32)], strength: f32) {
        for pair in path.windows(2) {
            let ((a, ra), (b, rb)) = (pair[0], pair[1]);
            let (dy, dx) = (b.y - a.y, b.x - a.x);
            let square = (dy * dy + dx * dx).max(1e-6);
            let pad = ra.max(rb) + 1.0;
            let (low, high) = (Point::new(a.y.min(b.y) - pad, a.x.min(b.x) - pad), Point::new(a.y.max(b.y) + pad, a.x.max(b.x) + pad));
            self.each(low, high, |y, x| {
                let t = (((y - a.y) * dy + (x - a.x) * dx) / square).clamp(0.0, 1.0);
                let distance = Point::new(y - a.y - t * dy, x - a.x - t * dx).length();
                strength * thickness(ra + (rb - ra) * t, distance)
            });
        }
    }

    /// A disc in pixels, falling off over `soft` of its radius (0 sharp, 1 a soft ball).
    pub(super) fn disc(&mut self, centre: Point, radius: f32, soft: f32, strength: f32) {
        let outer = radius * (1.0 + 0.5 * soft) + 1.0;
        let inner = (radius * (1.0 - soft) - 0.5).min(outer - 1.0);
        let fill = (radius * 2.0).min(1.0);
        self.each(Point::new(centre.y - outer, centre.x - outer), Point::new(centre.y + outer, centre.x + outer), |y, x| {
            let distance = Point::new(y - centre.y, x - centre.x).length();
            strength * fill * (1.0 - smoothstep(inner, outer, distance))
        });
    }

    /// An ellipse in pixels, turned, falling off over `soft` of its radii.
    pub(super) fn ellipse(&mut self, centre: Point, radii: (f32, f32), turns: f32, soft: f32, strength: f32) {
        let reach = radii.0.max(radii.1) * (1.0 + soft) + 1.0;
        let along = Point::new(0.0, 0.0).towards(turns, 1.0);
        self.each(Point::new(centre.y - reach, centre.x - reach), Point::new(centre.y + reach, centre.x + reach), |y, x| {
            let (dy, dx) = (y - centre.y, x - centre.x);
            let (u, v) = ((dx * along.x + dy * along.y) / radii.0.max(0.3), (dy * along.x - dx * along.y) / radii.1.max(0.3));
            strength * (1.0 - smoothstep(1.0 - soft, 1.0 + soft, Point::new(u, v).length()))
        });
    }

    fn each(&mut self, low: Point, high: Point, value: impl Fn(f32, f32) -> f32) {
        let limit = |v: f32| v.clamp(0.0, self.size as f32) as usize;
        let (top, bottom, left, right) = (limit(low.y), limit(high.y + 1.0), limit(low.x), limit(high.x + 1.0));
        for y in top..bottom {
            for x in left..right {
                let cell = &mut self.plane[y * self.size as usize + x];
                *cell = cell.max(value(y as f32 + 0.5, x as f32 + 0.5));
            }
        }
    }
}

/// Coverage at a distance from a line of the given radius; lines thinner than a pixel grow pale instead of thinner.
fn thickness(radius: f32, distance: f32) -> f32 {
    let seen = radius.max(0.5);
    (seen + 0.5 - distance).clamp(0.0, 1.0) * (radius / seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stroke_covers_its_length_times_its_width() {
        let mut plane = Coverage::new(64);
        plane.stroke(&[(Point::new(20.0, 10.0), 2.0), (Point::new(40.0, 50.0), 2.0)], 1.0);
        let area: f32 = plane.plane().iter().sum();
        let length = (20.0_f32 * 20.0 + 40.0 * 40.0).sqrt();
        let expected = length * 4.0 + std::f32::consts::PI * 4.0;
        assert!((area - expected).abs() <= 0.05 * expected, "{area} against {expected}");
    }

    #[test]
    fn shapes_outside_the_picture_are_harmless() {
        let mut plane = Coverage::new(16);
        plane.disc(Point::new(-100.0, 500.0), 3.0, 0.2, 1.0);
        plane.ellipse(Point::new(f32::MAX, 3.0), (2.0, 4.0), 0.1, 0.1, 1.0);
        plane.stroke(&[(Point::new(-50.0, -50.0), 1.0), (Point::new(-10.0, -90.0), 1.0)], 1.0);
        assert!(plane.plane().iter().all(|v| *v == 0.0));
    }

    #[test]
    fn crossing_strokes_do_not_add_up() {
        let mut plane = Coverage::new(32);
        for path in [[(16.5, 0.0), (16.5, 32.0)], [(0.0, 16.5), (32.0, 16.5)]] {
            plane.stroke(&path.map(|(y, x)| (Point::new(y, x), 2.0)), 0.6);
        }
        assert!(plane.plane().iter().all(|v| *v <= 0.6));
    }
}
