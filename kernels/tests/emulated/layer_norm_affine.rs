//! Gradients of gain and bias.

use std::ffi::c_void;
use std::ptr::null_mut;

use kernels::check::seeded;
use kernels::layer_norm::{Affine, AffineGradient, backward_affine};

use crate::SIZES;
use crate::emulator::{Launched, Library, Schedule};
use crate::layer_norm::{EPS, exact_moments};
use crate::memory::{Array, Gate, Storage, compare};
use crate::mutants::{Mutant, assert_caught, under_all_schedules};

const FILE: &str = "layer_norm/cuda_affine.cu";

#[repr(C)]
struct AffineSums {
    x: *const c_void,
    dy: *const c_void,
    moments: *const c_void,
    partials: *mut c_void,
    gain: *mut c_void,
    bias: *mut c_void,
    rows: i32,
    width: i32,
}

fn case(library: &Library, storage: Storage, (rows, width): (usize, usize), schedule: Schedule) -> Result<(), String> {
    let (x, dy) = (Array::new(storage, &seeded(1, rows * width)), Array::new(storage, &seeded(2, rows * width)));
    let [gain, bias] = [3, 4].map(|seed| Array::new(Storage::F32, &seeded(seed, width)));
    let moments: Vec<f64> = x.values().chunks(width).flat_map(exact_moments).collect();
    let (moments, partials) = (Array::new(Storage::F32, &moments), Array::poisoned(Storage::F32, rows.div_ceil(128) * 2 * width));
    let (mut exact_gain, mut exact_bias) = (gain.values(), bias.values());
    let affine = Affine { gain: &vec![1.0; width], bias: &vec![0.0; width], eps: EPS.into() };
    let gradient = AffineGradient { gain: &mut exact_gain, bias: &mut exact_bias };
    backward_affine(affine, &x.values(), &dy.values(), gradient).expect("the shapes fit");
    let (x, dy, moments, partials) = (x.at(), dy.at(), moments.at(), partials.at());
    let (rows_, width_) = (rows as i32, width as i32);
    let arguments = AffineSums { x, dy, moments, partials, gain: gain.at(), bias: bias.at(), rows: rows_, width: width_ };
    let run = |arguments: &AffineSums| {
        let how = Launched::new([width.div_ceil(32), rows.div_ceil(128), 1], 256);
        library.run("layer_norm_affine_partials", how, arguments, schedule)?;
        library.run("layer_norm_affine_sum", Launched::new([width.div_ceil(256), 1, 1], 256), arguments, schedule)
    };
    run(&arguments)?;
    compare("gain", &gain, &exact_gain, Storage::F32.gate())?;
    compare("bias", &bias, &exact_bias, Storage::F32.gate())?;

    // A linear layer's bias.
    let bias = Array::new(Storage::F32, &seeded(4, width));
    run(&AffineSums { x: null_mut(), moments: null_mut(), gain: null_mut(), bias: bias.at(), ..arguments })?;
    compare("bias alone", &bias, &exact_bias, Storage::F32.gate())
}

#[test]
fn rows_of_every_count() {
    for storage in Storage::ALL {
        let Some(library) = Library::of(FILE, storage) else { return };
        for shape in SIZES.map(|rows| (rows, 40)).into_iter().chain([(129, 257), (128, 7)]) {
            under_all_schedules(|schedule| case(&library, storage, shape, schedule))
                .unwrap_or_else(|error| panic!("{storage:?}, rows and width {shape:?}: {error}"));
        }
    }
}

#[test]
fn mutants_are_caught() {
    let mutants = [
        Mutant { what: "nobody waits for the warps", from: "__syncthreads();  // every warp's sums are there", to: "" },
        Mutant { what: "a chunk reaches into the next", from: "row < end &&", to: "row <= end &&" },
        Mutant { what: "a column is another's", from: "of_warps[other * 32 + threadIdx.x]", to: "of_warps[other + threadIdx.x * 8]" },
    ];
    assert_caught(FILE, Storage::F32, &mutants, |library, schedule| case(library, Storage::F32, (145, 40), schedule));
}
