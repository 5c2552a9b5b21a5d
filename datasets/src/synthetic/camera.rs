//! From reflectance to a photograph: light, white balance, softness, sensor noise.

use image::{Rgb, RgbImage};

use super::noise::Noise;
use super::point::Point;
use super::stream::Stream;
use super::tissue::Tissue;

/// One camera with its lamp.
#[derive(Clone, Copy, Debug)]
pub(super) struct Camera {
    balance: [f32; 3],
    exposure: f32,
    falloff: f32,
    lamp: Point,
    contrast: f32,
    blur: f32,
    noise: f32,
}

impl Camera {
    pub(super) fn draw(stream: &mut Stream) -> Camera {
        // Measured look of public archives: salmon, lilac, beige and neutral casts.
        let casts = [[1.0, 0.97, 0.96], [1.0, 0.90, 0.84], [0.93, 0.90, 1.0], [0.98, 0.94, 0.84], [1.0, 0.88, 0.93]];
        let cast = casts[stream.weighted(&[0.32, 0.2, 0.2, 0.16, 0.12])];
        let strength = stream.between(0.3, 1.25);
        Camera {
            balance: cast.map(|v: f32| 1.0 - (1.0 - v) * strength),
            exposure: stream.between(0.86, 1.06),
            falloff: stream.mostly_low(0.0, 0.35),
            lamp: Point::new(stream.between(0.3, 0.7), stream.between(0.3, 0.7)),
            contrast: stream.between(0.95, 1.2),
            blur: stream.mostly_low(0.0, 1.0),
            noise: stream.between(0.004, 0.016),
        }
    }

    /// Light that comes back from the tissue, row by row.
    pub(super) fn expose(&self, tissue: &[Tissue], size: u32) -> Vec<[f32; 3]> {
        let side = size as f32;
        let light = |index: usize| {
            let (y, x) = ((index as u32 / size) as f32 / side - self.lamp.y, (index as u32 % size) as f32 / side - self.lamp.x);
            self.exposure * (1.0 - self.falloff * 1.6 * (y * y + x * x))
        };
        tissue
            .iter()
            .enumerate()
            .map(|(index, t)| {
                let (rgb, lit) = (t.colour(), light(index));
                [0, 1, 2].map(|c| {
                    let v = rgb[c] * self.balance[c] * lit;
                    0.55 + (v - 0.55) * self.contrast
                })
            })
            .collect()
    }

    /// The finished picture: softened, with sensor noise, in 8 bits.
    pub(super) fn develop(&self, rgb: &[[f32; 3]], size: u32, stream: &mut Stream) -> RgbImage {
        let soft = blurred(rgb, size, (0.25 + self.blur) * size as f32 / 224.0);
        let grain = Noise::new(stream);
        let mut image = RgbImage::new(size, size);
        for (index, (pixel, value)) in image.pixels_mut().zip(&soft).enumerate() {
            let (y, x) = ((index as u32 / size) as i32, (index as u32 % size) as i32);
            let bits = grain.hash(y, x);
            let byte = |shift: u32| ((bits >> shift) & 0xFF) as f32 / 255.0 - 0.5;
            let shared = byte(24);
            *pixel = Rgb([0, 1, 2].map(|c| {
                let noisy = value[c] + self.noise * 3.0 * (0.7 * shared + 0.5 * byte(8 * c as u32));
                (shoulder(noisy) * 255.0 + 0.5).clamp(0.0, 255.0) as u8
            }));
        }
        image
    }
}

/// Highlights are compressed instead of clipped; below 0.8 nothing changes.
fn shoulder(v: f32) -> f32 {
    if v < 0.8 { v } else { 0.8 + 0.2 * (1.0 - 1.0 / (1.0 + (v - 0.8) * 5.0)) }
}

/// Binomial softening, rows then columns; the kernel's variance is `amount`/2 square pixels.
fn blurred(rgb: &[[f32; 3]], size: u32, amount: f32) -> Vec<[f32; 3]> {
    let n = size as usize;
    let passes = amount.ceil().clamp(1.0, 8.0);
    let weight = 0.25 * (amount / passes).min(1.0);
    let mut picture = rgb.to_vec();
    let mut line = vec![[0.0; 3]; n];
    for _ in 0..passes as usize {
        for row in picture.chunks_exact_mut(n) {
            line.copy_from_slice(row);
            for x in 0..n {
                row[x] = three_taps(&line[x.saturating_sub(1)], &line[x], &line[(x + 1).min(n - 1)], weight);
            }
        }
        let mut above = picture[..n].to_vec();
        for y in 0..n {
            line.copy_from_slice(&picture[y * n..(y + 1) * n]);
            for x in 0..n {
                let below = if y + 1 < n { picture[(y + 1) * n + x] } else { line[x] };
                picture[y * n + x] = three_taps(&above[x], &line[x], &below, weight);
            }
            std::mem::swap(&mut above, &mut line);
        }
    }
    picture
}

fn three_taps(a: &[f32; 3], b: &[f32; 3], c: &[f32; 3], weight: f32) -> [f32; 3] {
    std::array::from_fn(|i| b[i] * (1.0 - 2.0 * weight) + weight * (a[i] + c[i]))
}
