//! Maps of gradients.

use std::ffi::c_void;
use std::ptr::null;

use kernels::check::seeded;
use kernels::patchify::Shape;
use kernels::saliency::{Moments, Reduction, accumulate, attribute, reduce};

use crate::SIZES;
use crate::emulator::{Launched, Library, Schedule};
use crate::memory::{Array, Gate, Storage, compare};
use crate::mutants::{Mutant, assert_caught, under_all_schedules};

const FILE: &str = "saliency/cuda.cu";

#[repr(C)]
struct Saliency {
    gradients: *const c_void,
    weights: *const c_void,
    mean: *mut c_void,
    squares: *mut c_void,
    sum: *mut c_void,
    moved: *const c_void,
    partials: *mut c_void,
    total: *mut c_void,
    samples: i32,
    before: i32,
    count: i32,
}

#[repr(C)]
struct Map {
    values: *const c_void,
    map: *mut c_void,
    images: i32,
    channels: i32,
    rows: i32,
    cols: i32,
    size: i32,
    reduction: i32,
}

/// Two calls of three and two samples, then the attribution.
fn gather(library: &Library, storage: Storage, count: usize, schedule: Schedule) -> Result<(), String> {
    let f32s = |len| Array::poisoned(Storage::F32, len);
    let moved = Array::new(Storage::F32, &seeded::<f64>(9, count).iter().map(|v| v + 1.5).collect::<Vec<_>>());
    let (mean, squares, sum) = (f32s(count), f32s(count), f32s(count));
    let (partials, total) = (f32s(count.div_ceil(256)), f32s(1));
    let (mut moments, mut exact) = (Moments::zero(count), vec![0.0; count]);
    let how = Launched::new([count.div_ceil(256), 1, 1], 256);
    let mut arguments = Saliency {
        gradients: null(),
        weights: null(),
        mean: mean.at(),
        squares: squares.at(),
        sum: sum.at(),
        moved: moved.at(),
        partials: partials.at(),
        total: total.at(),
        samples: 0,
        before: 0,
        count: count as i32,
    };
    for samples in [3, 2] {
        let values: Vec<f64> = seeded::<f64>(samples as u64, samples * count).iter().map(|v| v + 0.5).collect();
        let (gradients, weights) = (Array::new(storage, &values), Array::new(Storage::F32, &seeded::<f64>(8, samples)));
        arguments = Saliency { gradients: gradients.at(), weights: weights.at(), samples: samples as i32, ..arguments };
        library.run("saliency_moments", how, &arguments, schedule)?;
        library.run("saliency_along", how, &arguments, schedule)?;
        arguments.before += samples as i32;
        moments.fold(&gradients.values()).expect("whole gradients");
        accumulate(&weights.values(), &gradients.values(), &mut exact).expect("the shapes fit");
    }
    library.run("saliency_attribute", how, &arguments, schedule)?;
    library.run("saliency_total", Launched::new([1, 1, 1], 256), &arguments, schedule)?;
    let exact_total = attribute(&moved.values(), &mut exact).expect("the shapes fit");
    compare("mean", &mean, &moments.mean, Storage::F32.gate())?;
    compare("squares", &squares, &moments.squares, Storage::F32.gate())?;
    compare("attribution", &sum, &exact, Storage::F32.gate())?;
    compare("total", &total, &[exact_total], 1e-5)
}

fn map(library: &Library, storage: Storage, shape: Shape, schedule: Schedule) -> Result<(), String> {
    let values = Array::new(Storage::F32, &seeded::<f64>(1, shape.total()));
    for (code, reduction) in [Reduction::MaxAbs, Reduction::Length, Reduction::Sum].into_iter().enumerate() {
        let pixels = shape.rows * shape.cols * shape.size * shape.size;
        let (map, mut exact) = (Array::poisoned(Storage::F32, shape.images * pixels), vec![0.0; shape.images * pixels]);
        reduce(shape, reduction, &values.values(), &mut exact).expect("the shapes fit");
        let [images, channels, rows, cols, size] = [shape.images, shape.channels, shape.rows, shape.cols, shape.size].map(|n| n as i32);
        let arguments = Map { values: values.at(), map: map.at(), images, channels, rows, cols, size, reduction: code as i32 };
        library.run("saliency_map", Launched::new([pixels.div_ceil(256), shape.images, 1], 256), &arguments, schedule)?;
        compare(&format!("{storage:?} {reduction:?}"), &map, &exact, Storage::F32.gate())?;
    }
    Ok(())
}

#[test]
fn gradients_of_every_count() {
    let shape = |images, channels, rows, cols, size| Shape { images, channels, rows, cols, size };
    for storage in Storage::ALL {
        let Some(library) = Library::of(FILE, storage) else { return };
        for count in SIZES {
            under_all_schedules(|schedule| gather(&library, storage, count, schedule))
                .unwrap_or_else(|error| panic!("{storage:?}, {count} values: {error}"));
        }
        for shape in [shape(1, 3, 1, 1, 1), shape(2, 3, 2, 3, 7), shape(1, 1, 3, 2, 16)] {
            under_all_schedules(|schedule| map(&library, storage, shape, schedule)).unwrap_or_else(|error| panic!("{shape:?}: {error}"));
        }
    }
}

#[test]
fn mutants_are_caught() {
    let mutants = [
        Mutant { what: "nobody waits for the warps", from: "__syncthreads();  // every warp's sum is there", to: "" },
        Mutant { what: "one value too many", from: "i < a.count ? a.sum[i] * a.moved[i]", to: "i <= a.count ? a.sum[i] * a.moved[i]" },
        Mutant {
            what: "a warp writes in another's place",
            from: "of_warps[threadIdx.x / 32] = value",
            to: "of_warps[threadIdx.x % 8] = value",
        },
    ];
    assert_caught(FILE, Storage::F32, &mutants, |library, schedule| gather(library, Storage::F32, 577, schedule));
}
