//! Layer normalisation; its kernels have no barrier.

use std::ffi::c_void;
use std::ptr::null_mut;

use kernels::check::seeded;
use kernels::layer_norm::{self, Affine};

use crate::SIZES;
use crate::emulator::{Launched, Library, Schedule};
use crate::memory::{Array, Gate, Storage, compare};
use crate::mutants::under_all_schedules;

const FILE: &str = "layer_norm/cuda.cu";
pub const EPS: f32 = 1e-6;

#[repr(C)]
struct Forward {
    x: *const c_void,
    branch: *const c_void,
    gain: *const c_void,
    bias: *const c_void,
    sum: *mut c_void,
    y: *mut c_void,
    moments: *mut c_void,
    rows: i32,
    width: i32,
    eps: f32,
}

#[repr(C)]
struct Backward {
    x: *const c_void,
    dy: *const c_void,
    gain: *const c_void,
    dx: *mut c_void,
    moments: *mut c_void,
    rows: i32,
    width: i32,
    eps: f32,
}

/// Numbers with a mean, so that a variance that is not taken around it shows.
fn inputs(seed: u64, count: usize) -> Vec<f64> {
    seeded::<f64>(seed, count).iter().map(|v| 2.0 * v + 1.0).collect()
}

fn kernel(name: &str, width: usize) -> String {
    let most = [512, 1024, 1536].into_iter().find(|most| width <= *most).expect("a width that has a kernel");
    format!("layer_norm_{name}_{most}")
}

fn forward(library: &Library, storage: Storage, (rows, width): (usize, usize), schedule: Schedule) -> Result<(), String> {
    let (x, branch) = (Array::new(storage, &inputs(1, rows * width)), Array::new(storage, &inputs(2, rows * width)));
    let (gain, bias) = (Array::new(Storage::F32, &inputs(3, width)), Array::new(Storage::F32, &inputs(4, width)));
    let (sum, y) = (Array::poisoned(storage, rows * width), Array::poisoned(storage, rows * width));
    let moments = Array::poisoned(Storage::F32, 2 * rows);
    let exact_sum: Vec<f64> = x.values().iter().zip(branch.values()).map(|(a, b)| a + b).collect();
    let mut exact = vec![0.0; rows * width];
    let affine = Affine { gain: &gain.values(), bias: &bias.values(), eps: EPS.into() };
    layer_norm::forward(affine, &exact_sum, &mut exact).expect("the shapes fit");
    let (rows_, width_) = (rows as i32, width as i32);
    let arguments = Forward {
        x: x.at(),
        branch: branch.at(),
        gain: gain.at(),
        bias: bias.at(),
        sum: sum.at(),
        y: y.at(),
        moments: moments.at(),
        rows: rows_,
        width: width_,
        eps: EPS,
    };
    let how = Launched::new([rows.div_ceil(4), 1, 1], 128);
    library.run(&kernel("forward", width), how, &arguments, schedule)?;
    compare("sum", &sum, &exact_sum, storage.gate())?;
    compare("y", &y, &exact, storage.gate())?;
    let exact_moments: Vec<f64> = exact_sum.chunks(width).flat_map(exact_moments).collect();
    compare("moments", &moments, &exact_moments, Storage::F32.gate())?;

    // Without a residual sum and without moments.
    let y = Array::poisoned(storage, rows * width);
    let alone = Forward { branch: null_mut(), sum: null_mut(), moments: null_mut(), y: y.at(), ..arguments };
    library.run(&kernel("forward", width), how, &alone, schedule)?;
    layer_norm::forward(affine, &x.values(), &mut exact).expect("the shapes fit");
    compare("y without a sum", &y, &exact, storage.gate())
}

/// Mean and reciprocal deviation of a row.
pub fn exact_moments(row: &[f64]) -> [f64; 2] {
    let mean = row.iter().sum::<f64>() / row.len() as f64;
    let variance = row.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / row.len() as f64;
    [mean, 1.0 / (variance + f64::from(EPS)).sqrt()]
}

fn backward(library: &Library, storage: Storage, (rows, width): (usize, usize), schedule: Schedule) -> Result<(), String> {
    let (x, dy) = (Array::new(storage, &inputs(1, rows * width)), Array::new(storage, &inputs(5, rows * width)));
    let (gain, dx) = (Array::new(Storage::F32, &inputs(3, width)), Array::new(storage, &inputs(6, rows * width)));
    let mut exact = dx.values();
    let affine = Affine { gain: &gain.values(), bias: &vec![0.0; width], eps: EPS.into() };
    layer_norm::backward(affine, &x.values(), &dy.values(), &mut exact).expect("the shapes fit");
    let (x, dy, gain) = (x.at(), dy.at(), gain.at());
    let arguments = Backward { x, dy, gain, dx: dx.at(), moments: null_mut(), rows: rows as i32, width: width as i32, eps: EPS };
    library.run(&kernel("backward", width), Launched::new([rows.div_ceil(4), 1, 1], 128), &arguments, schedule)?;
    compare("dx", &dx, &exact, storage.gate())
}

#[test]
fn rows_of_every_count_and_width() {
    let shapes = SIZES.map(|rows| (rows, 192)).into_iter().chain([(3, 8), (2, 512), (17, 768), (5, 1024), (3, 1280), (2, 1536)]);
    let shapes: Vec<_> = shapes.collect();
    for storage in Storage::ALL {
        let Some(library) = Library::of(FILE, storage) else { return };
        for &shape in &shapes {
            under_all_schedules(|schedule| {
                forward(&library, storage, shape, schedule)?;
                backward(&library, storage, shape, schedule)
            })
            .unwrap_or_else(|error| panic!("{storage:?}, rows and width {shape:?}: {error}"));
        }
    }
}
