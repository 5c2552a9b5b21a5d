//! Coherent noise over the plane: gradients (Perlin 2002) and cells (Worley 1996).

use super::point::Point;
use super::stream::Stream;

/// One noise field; features have about the size of one unit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Noise {
    key: u32,
}

/// What a point sees in a field of jittered cells, one cell per unit square.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    /// Distance to the nearest cell's centre.
    pub nearest: f32,
    /// How much farther the second nearest is: 0 on the wall between two cells.
    pub wall: f32,
    /// Uniform in [0, 1), the same for all points of a cell.
    pub lot: f32,
}

impl Noise {
    pub(super) fn new(stream: &mut Stream) -> Noise {
        Noise { key: (stream.bits() >> 32) as u32 }
    }

    /// Gradient noise in about [-1, 1], zero on average.
    pub(super) fn at(self, p: Point) -> f32 {
        let (fy, fx) = (p.y.floor(), p.x.floor());
        let (iy, ix) = (fy as i32, fx as i32);
        let (ty, tx) = (p.y - fy, p.x - fx);
        let (sy, sx) = (fade(ty), fade(tx));
        let top = mix(self.slope(iy, ix, ty, tx), self.slope(iy, ix + 1, ty, tx - 1.0), sx);
        let bottom = mix(self.slope(iy + 1, ix, ty - 1.0, tx), self.slope(iy + 1, ix + 1, ty - 1.0, tx - 1.0), sx);
        1.6 * mix(top, bottom, sy)
    }

    /// Octaves of half the size and half the height each.
    pub(super) fn fractal(self, p: Point, octaves: u32) -> f32 {
        let (mut sum, mut height, mut q) = (0.0, 1.0, p);
        for octave in 0..octaves {
            sum += height * Noise { key: self.key.wrapping_add(octave) }.at(q);
            height *= 0.5;
            q = Point { y: q.y * 2.03 + 11.7, x: q.x * 2.03 + 5.3 };
        }
        sum
    }

    /// Distances to the centres of jittered cells; `jitter` 0 is a square grid, 1 fully random.
    pub(super) fn cell(self, p: Point, jitter: f32) -> Cell {
        let (fy, fx) = (p.y.floor() as i32, p.x.floor() as i32);
        let (mut nearest, mut second, mut owner) = (f32::MAX, f32::MAX, 0_u32);
        for iy in fy - 1..=fy + 1 {
            for ix in fx - 1..=fx + 1 {
                let bits = self.hash(iy, ix);
                // Rows are shifted by half a cell in turn, so that without jitter the walls are nearly hexagons.
                let shift = if iy & 1 == 0 { 0.25 } else { -0.25 };
                let dy = iy as f32 + 0.5 + jitter * (low(bits) - 0.5) - p.y;
                let dx = ix as f32 + 0.5 + shift * (1.0 - jitter) + jitter * (high(bits) - 0.5) - p.x;
                let square = dy * dy + dx * dx;
                if square < nearest {
                    second = nearest;
                    nearest = square;
                    owner = bits;
                } else if square < second {
                    second = square;
                }
            }
        }
        let nearest = nearest.sqrt();
        Cell { nearest, wall: second.sqrt() - nearest, lot: (owner.wrapping_mul(0x9E37_79B1) >> 8) as f32 / 16_777_216.0 }
    }

    fn slope(self, iy: i32, ix: i32, dy: f32, dx: f32) -> f32 {
        let bits = self.hash(iy, ix);
        (2.0 * low(bits) - 1.0) * dy + (2.0 * high(bits) - 1.0) * dx
    }

    pub(super) fn hash(self, iy: i32, ix: i32) -> u32 {
        let mut h = self.key ^ (ix as u32).wrapping_mul(0x27D4_EB2D) ^ (iy as u32).wrapping_mul(0x1656_67B1);
        h = (h ^ (h >> 15)).wrapping_mul(0x85EB_CA6B);
        h = (h ^ (h >> 13)).wrapping_mul(0xC2B2_AE35);
        h ^ (h >> 16)
    }
}

/// `a` at 0, `b` at 1.
pub(super) fn mix(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

fn fade(t: f32) -> f32 {
    t * t * t * (t * (t * 6.0 - 15.0) + 10.0)
}

fn low(bits: u32) -> f32 {
    (bits & 0xFFFF) as f32 / 65_536.0
}

fn high(bits: u32) -> f32 {
    (bits >> 16) as f32 / 65_536.0
}
