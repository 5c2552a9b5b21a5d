//! Pictures of bytes to patches: normalised, moved along a path, with noise; no barrier.

use std::f64::consts::TAU;
use std::ffi::c_void;
use std::ptr::null_mut;

use kernels::patchify::{self, Shape};

use crate::emulator::{Launched, Library, Schedule};
use crate::memory::{Array, Gate, Storage, compare};
use crate::mutants::under_all_schedules;

const FILE: &str = "patchify/cuda.cu";
const GAIN: [f32; 4] = [0.017, 0.018, 0.0175, 0.0];
const OFFSET: [f32; 4] = [-2.1, -2.0, -1.8, 0.0];
const BASELINE: [f32; 4] = [-2.1, 0.0, 0.3, 0.0];
const SEED: u64 = 0x0123_4567_89ab_cdef;
const FIRST_SAMPLE: usize = 3;

#[repr(C)]
struct Patchify {
    pictures: *const u8,
    patches: *mut c_void,
    along: *const c_void,
    deviations: *const c_void,
    gain: [f32; 4],
    offset: [f32; 4],
    baseline: [f32; 4],
    seed: [u32; 2],
    first_sample: i32,
    copies: i32,
    channels: i32,
    rows: i32,
    cols: i32,
    size: i32,
}

/// Which of the two ways to move a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Moved {
    Nowhere,
    AlongAPath,
    ByNoise,
}

/// Philox 4x32-10, written from the paper; the first test holds it against the authors' known answers.
fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let first = u64::from(counter[0]) * 0xD251_1F53;
        let second = u64::from(counter[2]) * 0xCD9E_8D57;
        counter = [(second >> 32) as u32 ^ counter[1] ^ key[0], second as u32, (first >> 32) as u32 ^ counter[3] ^ key[1], first as u32];
        key = [key[0].wrapping_add(0x9E37_79B9), key[1].wrapping_add(0xBB67_AE85)];
    }
    counter
}

fn noise(sample: usize, index: usize) -> f64 {
    let bits = philox([(index / 4) as u32, 0, sample as u32, 0], [SEED as u32, (SEED >> 32) as u32]);
    let uniform = |i: usize| (f64::from(bits[i]) + 0.5) / 2f64.powi(32);
    let pair = index % 4 / 2 * 2;
    let (radius, angle) = ((-2.0 * uniform(pair).ln()).sqrt(), TAU * uniform(pair + 1));
    if index.is_multiple_of(2) { radius * angle.cos() } else { radius * angle.sin() }
}

/// The normalised, moved pixels (images, channels, height, width).
fn pixels(shape: Shape, pictures: &[u8], copies: usize, moved: Moved, (along, deviations): (&[f64], &[f64])) -> Vec<f64> {
    let Shape { images, channels, rows, cols, size } = shape;
    let area = rows * cols * size * size;
    let value = |at: usize| {
        let (image, index) = (at / (channels * area), at % (channels * area));
        let (picture, channel, pixel) = (image / copies, index / area, index % area);
        let [gain, offset, baseline] = [GAIN, OFFSET, BASELINE].map(|of| f64::from(of[channel]));
        let value = f64::from(pictures[(picture * area + pixel) * channels + channel]) * gain + offset;
        match moved {
            Moved::Nowhere => value,
            Moved::AlongAPath => baseline + along[image] * (value - baseline),
            Moved::ByNoise => value + deviations[picture] * noise(FIRST_SAMPLE + image % copies, index),
        }
    };
    (0..images * channels * area).map(value).collect()
}

fn case(library: &Library, storage: Storage, shape: Shape, moved: Moved, schedule: Schedule) -> Result<(), String> {
    let copies = 2;
    let Shape { images, channels, rows, cols, size } = shape;
    let count = channels * rows * cols * size * size;
    let pictures: Vec<u8> = (0..count * images / copies).map(|i| (i * 7919 % 251) as u8).collect();
    let along = Array::new(Storage::F32, &[0.0, 0.25, 0.75, 1.0][..images]);
    let deviations = Array::new(Storage::F32, &[0.3, 0.6][..images / copies]);
    let mut exact = vec![0.0; shape.total()];
    let pixels = pixels(shape, &pictures, copies, moved, (&along.values(), &deviations.values()));
    patchify::patchify(shape, &pixels, &mut exact).expect("the shapes fit");
    let patches = Array::poisoned(storage, shape.total());
    let arguments = Patchify {
        pictures: pictures.as_ptr(),
        patches: patches.at(),
        along: if moved == Moved::AlongAPath { along.at() } else { null_mut() },
        deviations: if moved == Moved::ByNoise { deviations.at() } else { null_mut() },
        gain: GAIN,
        offset: OFFSET,
        baseline: BASELINE,
        seed: [SEED as u32, (SEED >> 32) as u32],
        first_sample: FIRST_SAMPLE as i32,
        copies: copies as i32,
        channels: channels as i32,
        rows: rows as i32,
        cols: cols as i32,
        size: size as i32,
    };
    library.run("patchify", Launched::new([count.div_ceil(4 * 128), images, 1], 128), &arguments, schedule)?;
    compare("patches", &patches, &exact, storage.gate())
}

#[test]
fn the_generator_gives_its_known_answers() {
    assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
    assert_eq!(philox([u32::MAX; 4], [u32::MAX; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
}

#[test]
fn pictures_of_every_shape() {
    let shape = |images, channels, rows, cols, size| Shape { images, channels, rows, cols, size };
    let shapes = [shape(2, 3, 1, 1, 1), shape(4, 3, 2, 3, 4), shape(2, 3, 3, 2, 14), shape(4, 1, 1, 3, 5), shape(2, 3, 2, 2, 16)];
    for storage in Storage::ALL {
        let Some(library) = Library::of(FILE, storage) else { return };
        for shape in shapes {
            for moved in [Moved::Nowhere, Moved::AlongAPath, Moved::ByNoise] {
                under_all_schedules(|schedule| case(&library, storage, shape, moved, schedule))
                    .unwrap_or_else(|error| panic!("{storage:?}, {shape:?}, {moved:?}: {error}"));
            }
        }
    }
}
