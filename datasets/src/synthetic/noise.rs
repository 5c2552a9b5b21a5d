//! Coherent noise over the plane: gradients (Perlin 2002) and cells (Worley 1996).

use super::point::Point;
use super::stream::Stream;

/// One noise field; features have about the size of one unit, and the field repeats after 256 units.
#[derive(Clone, Copy, Debug)]
pub(super) struct Noise {
    key: u32,
}

/// Slopes (y, x) of the lattice points, each in [-1, 1): tables are much faster than hashing every corner.
static SLOPES: [[f32; 2]; 256] = slopes();
/// A permutation of 0..256, twice over so that a sum of two indices needs no wrapping.
static ORDER: [u8; 512] = order();

const fn order() -> [u8; 512] {
    let mut table = [0_u8; 512];
    let mut i = 0;
    while i < 256 {
        table[i] = i as u8;
        i += 1;
    }
    let mut state = 0x2545_F491_u32;
    let mut last = 255;
    while last > 0 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let other = ((state >> 16) % (last as u32 + 1)) as usize;
        (table[last], table[other]) = (table[other], table[last]);
        last -= 1;
    }
    let mut copy = 0;
    while copy < 256 {
        table[copy + 256] = table[copy];
        copy += 1;
    }
    table
}

const fn slopes() -> [[f32; 2]; 256] {
    let mut table = [[0.0; 2]; 256];
    let mut state = 0x9E37_79B9_u32;
    let mut i = 0;
    while i < 256 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let y = (state >> 16) as f32 / 32_768.0 - 1.0;
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        table[i] = [y, (state >> 16) as f32 / 32_768.0 - 1.0];
        i += 1;
    }
    table
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
        let (iy, ix) = (floor(p.y), floor(p.x));
        let (ty, tx) = (p.y - iy as f32, p.x - ix as f32);
        let row = |y: i32| ORDER[((y ^ (self.key >> 8) as i32) & 0xFF) as usize] as usize;
        let column = ((ix ^ self.key as i32) & 0xFF) as usize;
        let next = (((ix + 1) ^ self.key as i32) & 0xFF) as usize;
        let slope = |row: usize, column: usize, dy: f32, dx: f32| {
            let [sy, sx] = SLOPES[ORDER[row + column] as usize];
            sy * dy + sx * dx
        };
        let (upper, lower) = (row(iy), row(iy + 1));
        let (sy, sx) = (fade(ty), fade(tx));
        let top = mix(slope(upper, column, ty, tx), slope(upper, next, ty, tx - 1.0), sx);
        let bottom = mix(slope(lower, column, ty - 1.0, tx), slope(lower, next, ty - 1.0, tx - 1.0), sx);
        1.6 * mix(top, bottom, sy)
    }

    /// Octaves of half the size and half the height each, turned against each other so that no lattice shows.
    pub(super) fn fractal(self, p: Point, octaves: u32) -> f32 {
        let (mut sum, mut height, mut q) = (0.0, 1.0, p);
        for octave in 0..octaves {
            sum += height * Noise { key: self.key.wrapping_add(octave * 0x0135) }.at(q);
            height *= 0.5;
            q = Point { y: 1.62 * q.y - 1.22 * q.x + 11.7, x: 1.22 * q.y + 1.62 * q.x + 5.3 };
        }
        sum
    }

    /// Distances to the centres of jittered cells; `jitter` 0 is a square grid, 1 fully random.
    pub(super) fn cell(self, p: Point, jitter: f32) -> Cell {
        let (fy, fx) = (floor(p.y), floor(p.x));
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

    /// 32 random bits of a lattice point.
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

/// The largest whole number not above `x`; `f32::floor` is a library call on machines without SSE 4.1.
fn floor(x: f32) -> i32 {
    let toward_zero = x as i32;
    if (toward_zero as f32) > x { toward_zero - 1 } else { toward_zero }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synthetic::stream::Stream;

    #[test]
    fn gradient_noise_is_zero_on_the_lattice_bounded_and_continuous() {
        let noise = Noise::new(&mut Stream::new(1));
        let mut sum = 0.0;
        for k in 0..4_000 {
            let p = Point::new(k as f32 * 0.037 - 60.0, k as f32 * 0.011 + 3.0);
            let (here, near) = (noise.at(p), noise.at(Point::new(p.y + 1e-3, p.x)));
            assert!(here.abs() <= 1.7 && (here - near).abs() <= 0.02, "{here} then {near} at {p:?}");
            sum += here;
            assert_eq!(noise.at(Point::new(k as f32 - 100.0, 5.0)), 0.0);
        }
        assert!((sum / 4_000.0).abs() <= 0.1, "{sum}");
    }

    #[test]
    fn octaves_and_keys_are_different_fields() {
        let mut stream = Stream::new(2);
        let (a, b) = (Noise::new(&mut stream), Noise::new(&mut stream));
        let p = Point::new(3.3, 8.6);
        assert_ne!(a.at(p), b.at(p));
        assert_ne!(a.fractal(p, 1), a.fractal(p, 3));
    }

    #[test]
    fn a_cell_wall_lies_between_two_cells() {
        let noise = Noise::new(&mut Stream::new(3));
        for k in 0..500 {
            let cell = noise.cell(Point::new(k as f32 * 0.173 - 20.0, k as f32 * 0.091), 0.8);
            assert!(cell.wall >= 0.0 && cell.nearest >= 0.0 && cell.nearest <= 1.5, "{cell:?}");
            assert!((0.0..1.0).contains(&cell.lot));
        }
    }

    #[test]
    fn floor_is_the_floor() {
        for (x, expected) in [(0.0, 0), (0.9, 0), (-0.1, -1), (-1.0, -1), (-1.5, -2), (7.0, 7)] {
            assert_eq!(floor(x), expected, "{x}");
        }
    }

    #[test]
    fn the_order_is_a_permutation() {
        let mut seen = [false; 256];
        ORDER[..256].iter().for_each(|v| seen[usize::from(*v)] = true);
        assert!(seen.iter().all(|v| *v));
    }
}
