//! Pictures to patches: bytes with their values, and variants along a path or with noise; no barrier.

use kernels::check::seeded;
use kernels::cuda::{Address, Arguments, Fault};
use kernels::patchify::cuda::{Noise, Variants, patchify_bytes, patchify_variants};
use kernels::patchify::{self, Shape, noise};

use crate::emulator::Schedule;
use crate::memory::{Array, Gate, Storage, compare};
use crate::queue::Emulated;

const SEED: u64 = 0x0123_4567_89ab_cdef;
const FIRST_SAMPLE: usize = 3;
const DEVIATION: f32 = 0.3;

fn done(started: Result<(), Fault>) -> Result<(), String> {
    started.map_err(|fault| fault.to_string())
}

/// Rows of `pitch` values from pixels (images, channels, height, width), with zeros behind a patch's own.
fn rows(shape: Shape, pixels: &[f64], pitch: usize) -> Vec<f64> {
    let mut cut = vec![0.0; shape.total()];
    patchify::patchify(shape, pixels, &mut cut).expect("the shapes fit");
    let filled = |row: &[f64]| row.iter().copied().chain(std::iter::repeat_n(0.0, pitch - row.len())).collect::<Vec<_>>();
    cut.chunks(shape.patch_len()).flat_map(filled).collect()
}

fn bytes(queue: &Emulated, storage: Storage, shape: Shape, pitch: usize) -> Result<(), String> {
    let Shape { images, channels, rows: down, cols, size } = shape;
    let (area, values) = (down * cols * size * size, Array::new(Storage::F32, &seeded::<f64>(5, channels * 256)));
    let pictures: Vec<u8> = (0..images * area * channels).map(|i| (i * 7919 % 256) as u8).collect();
    let pixel = |at: usize| {
        let (image, channel, pixel) = (at / area / channels, at / area % channels, at % area);
        values.values()[channel * 256 + usize::from(pictures[(image * area + pixel) * channels + channel])]
    };
    let exact = rows(shape, &(0..shape.total()).map(pixel).collect::<Vec<_>>(), pitch);
    let patches = Array::poisoned(storage, exact.len());
    done(patchify_bytes(queue, storage, shape, (Address(pictures.as_ptr() as u64), values.address(), patches.address()), pitch))?;
    compare("patches of bytes", &patches, &exact, if storage == Storage::F32 { 0.0 } else { storage.gate() })
}

fn variants(queue: &Emulated, storage: Storage, shape: Shape, pitch: usize) -> Result<(), String> {
    let each = shape.total() / shape.images;
    let singles = |seed| Array::new(Storage::F32, &seeded::<f64>(seed, each));
    let (picture, baseline) = (singles(1), singles(2));
    let words = Noise { seed: [SEED as u32, (SEED >> 32) as u32], first_sample: FIRST_SAMPLE as u32, deviation: DEVIATION }.bytes();
    let noisy = |at: usize| {
        let (sample, index) = (FIRST_SAMPLE + at / each, at % each);
        picture.values()[index] + f64::from(DEVIATION) * f64::from(noise(SEED, sample, each)[index])
    };
    let at = Variants::Noisy { picture: picture.address(), noise: Address(words.as_ptr() as u64) };
    let exact = rows(shape, &(0..shape.total()).map(noisy).collect::<Vec<_>>(), pitch);
    let patches = Array::poisoned(storage, exact.len());
    done(patchify_variants(queue, storage, shape, (at, patches.address()), pitch))?;
    compare("noisy patches", &patches, &exact, storage.gate())?;

    let along: Vec<f64> = (0..shape.images).flat_map(|image| [1.0 - 0.25 * image as f64, 0.25 * image as f64]).collect();
    let shares = Array::new(Storage::F32, &along);
    let point = |at: usize| along[at / each * 2] * baseline.values()[at % each] + along[at / each * 2 + 1] * picture.values()[at % each];
    let exact = rows(shape, &(0..shape.total()).map(point).collect::<Vec<_>>(), pitch);
    let (at, patches) = (
        Variants::Along { picture: picture.address(), baseline: baseline.address(), shares: shares.address() },
        Array::poisoned(storage, exact.len()),
    );
    done(patchify_variants(queue, storage, shape, (at, patches.address()), pitch))?;
    compare("patches along a path", &patches, &exact, storage.gate())
}

#[test]
fn pictures_of_every_shape() {
    let shape = |images, channels, rows, cols, size| Shape { images, channels, rows, cols, size };
    let shapes = [
        (shape(2, 3, 1, 1, 1), 8),
        (shape(4, 3, 2, 3, 4), 48),
        (shape(2, 3, 3, 2, 14), 592),
        (shape(3, 1, 1, 3, 5), 32),
        (shape(2, 3, 2, 2, 16), 768),
    ];
    for schedule in Schedule::ALL {
        let Some(queue) = Emulated::new(schedule) else { return };
        for storage in Storage::ALL {
            for (shape, pitch) in shapes {
                bytes(&queue, storage, shape, pitch)
                    .and_then(|()| variants(&queue, storage, shape, pitch))
                    .unwrap_or_else(|error| panic!("{schedule:?}, {storage:?}, {shape:?}: {error}"));
            }
        }
    }
}

/// Every number by itself, so that one which is near zero, of a uniform number near one, is right as well.
#[test]
fn deviates_are_those_of_the_twin_to_the_last_places() {
    let Some(queue) = Emulated::new(Schedule::Forward) else { return };
    let shape = Shape { images: 4, channels: 3, rows: 4, cols: 4, size: 32 };
    let each = shape.total() / shape.images;
    let (picture, words) = (Array::new(Storage::F32, &vec![0.0; each]), Noise { seed: [7, 9], first_sample: 5, deviation: 1.0 }.bytes());
    let patches = Array::poisoned(Storage::F32, shape.total());
    let at = Variants::Noisy { picture: picture.address(), noise: Address(words.as_ptr() as u64) };
    patchify_variants(&queue, Storage::F32, shape, (at, patches.address()), shape.patch_len()).unwrap();
    let twin: Vec<f64> = (5..9).flat_map(|sample| noise(7 | 9 << 32, sample, each)).map(f64::from).collect();
    let mut exact = vec![0.0; shape.total()];
    patchify::patchify(shape, &twin, &mut exact).unwrap();
    for (index, (found, expected)) in patches.read().unwrap().iter().zip(&exact).enumerate() {
        let close = (found - expected).abs() <= 5e-7 * expected.abs();
        assert!(close, "deviate {index}: found {found}, expected {expected}");
    }
}
