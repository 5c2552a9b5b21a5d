//! Maps of gradients.

use kernels::check::seeded;
use kernels::cuda::{Address, Fault};
use kernels::patchify::Shape;
use kernels::saliency::cuda::{self, PARTS, Saliency, Values};
use kernels::saliency::{Moments, Reduction, Statistic, accumulate, attribute, reduce};

use crate::SIZES;
use crate::emulator::Schedule;
use crate::memory::{Array, Gate, Storage, compare};
use crate::mutants::{Mutant, assert_caught_on};
use crate::queue::Emulated;

const FILE: &str = "saliency/cuda.cu";
const UNSCALE: f64 = 0.25;
const REDUCTIONS: [Reduction; 3] = [Reduction::MaxAbs, Reduction::Length, Reduction::Sum];

fn done(started: Result<(), Fault>) -> Result<(), String> {
    started.map_err(|fault| fault.to_string())
}

/// Where an integer of the device's memory stands.
fn at<T>(value: &T) -> Address {
    Address((&raw const *value) as u64)
}

fn f32s(len: usize) -> Array {
    Array::poisoned(Storage::F32, len)
}

/// Nothing yet of gradients of so many values.
fn nothing(count: usize) -> Saliency {
    let none = Address::NONE;
    let (gradients, weights, before, mean, squares) = (none, none, none, none, none);
    let (sum, moved, partials, totals, kept, samples, unscale) = (none, none, none, none, none, 1, UNSCALE as f32);
    Saliency { gradients, weights, before, mean, squares, sum, moved, partials, totals, kept, samples, count: count as i32, unscale }
}

/// Two calls of three and two samples, then the attribution.
fn gather(queue: &Emulated, storage: Storage, count: usize) -> Result<(), String> {
    let moved = Array::new(Storage::F32, &seeded::<f64>(9, count).iter().map(|v| v + 1.5).collect::<Vec<_>>());
    let (mean, squares, sum, partials, total) = (f32s(count), f32s(count), f32s(count), f32s(PARTS), f32s(1));
    let all = Saliency { mean: mean.address(), squares: squares.address(), sum: sum.address(), moved: moved.address(), ..nothing(count) };
    let (mut moments, mut exact, mut before) = (Moments::zero(count), vec![0.0; count], 0i32);
    for samples in [3, 2] {
        let values: Vec<f64> = seeded::<f64>(samples as u64, samples * count).iter().map(|v| v + 0.5).collect();
        let (gradients, weights) = (Array::new(storage, &values), Array::new(Storage::F32, &seeded::<f64>(8, samples)));
        let (weights_at, before_at) = (weights.address(), at(std::hint::black_box(&before)));
        let pass = Saliency { gradients: gradients.address(), weights: weights_at, before: before_at, samples: samples as i32, ..all };
        done(cuda::moments(queue, storage, pass))?;
        done(cuda::along(queue, storage, pass))?;
        let unscaled: Vec<f64> = gradients.values().iter().map(|value| UNSCALE * value).collect();
        kept(queue, &gradients, pass, &moved.values(), &unscaled)?;
        before += samples as i32;
        moments.fold(&unscaled).expect("whole gradients");
        accumulate(&weights.values(), &unscaled, &mut exact).expect("the shapes fit");
    }
    done(cuda::attribute(queue, storage, Saliency { partials: partials.address(), totals: total.address(), ..all }))?;
    let exact_total = attribute(&moved.values(), &mut exact).expect("the shapes fit");
    compare("mean", &mean, &moments.mean, Storage::F32.gate())?;
    compare("squares", &squares, &moments.squares, Storage::F32.gate())?;
    compare("attribution", &sum, &exact, Storage::F32.gate())?;
    compare("total", &total, &[exact_total], 1e-5)
}

/// Gradients that are kept, and their slopes along the path.
fn kept(queue: &Emulated, gradients: &Array, pass: Saliency, moved: &[f64], unscaled: &[f64]) -> Result<(), String> {
    let (samples, storage) = (pass.samples as usize, gradients.storage());
    let (partials, totals, kept) = (f32s(samples * PARTS), f32s(samples), Array::poisoned(storage, unscaled.len()));
    let place = kept.address();
    let (partials_at, kept_at) = (partials.address(), at(std::hint::black_box(&place)));
    done(cuda::keep(queue, storage, Saliency { partials: partials_at, totals: totals.address(), kept: kept_at, ..pass }))?;
    compare("kept gradients", &kept, &gradients.values(), 0.0)?;
    let slope = |gradient: &[f64]| gradient.iter().zip(moved).map(|(g, moved)| g * moved).sum::<f64>();
    compare("slopes", &totals, &unscaled.chunks(moved.len()).map(slope).collect::<Vec<_>>(), 1e-5)
}

/// The map of rows of `pitch` values, by the twin.
fn exact_map(shape: Shape, pitch: usize, values: &[f64], reduction: Reduction) -> Vec<f64> {
    let rows: Vec<f64> = values.chunks(pitch).flat_map(|row| &row[..shape.patch_len()]).copied().collect();
    let mut map = vec![0.0; shape.total() / shape.channels];
    reduce(shape, reduction, &rows, &mut map).expect("the shapes fit");
    map
}

fn maps(queue: &Emulated, storage: Storage, shape: Shape, pitch: usize) -> Result<(), String> {
    let len = shape.images * shape.rows * shape.cols * pitch;
    let singles = |seed| Array::new(Storage::F32, &seeded::<f64>(seed, len));
    let (gradients, times, mean) = (Array::new(storage, &seeded::<f64>(1, len)), singles(2), singles(3));
    let squares = Array::new(Storage::F32, &seeded::<f64>(4, len).iter().map(|v| v * v).collect::<Vec<_>>());
    let unscaled: Vec<f64> = gradients.values().iter().map(|value| UNSCALE * value).collect();
    let product = unscaled.iter().zip(times.values()).map(|(value, times)| value * times).collect();
    let of_gradients = |times| Values::Gradients { at: gradients.address(), unscale: UNSCALE as f32, times };
    let (mean_square, variance) = (Statistic::MeanSquare, Statistic::Variance);
    let of_moments = |statistic| Values::Moments { mean: mean.address(), squares: squares.address(), samples: 5, statistic };
    let read = |statistic| {
        let (mean, squares) = (mean.values(), squares.values());
        mean.iter().zip(squares).map(|(m, s)| if statistic == mean_square { s / 5.0 + m * m } else { s / 5.0 }).collect()
    };
    let cases: [(Values, Vec<f64>); 6] = [
        (of_gradients(Address::NONE), unscaled),
        (of_gradients(times.address()), product),
        (Values::Sum(mean.address()), mean.values()),
        (of_moments(Statistic::Mean), mean.values()),
        (of_moments(mean_square), read(mean_square)),
        (of_moments(variance), read(variance)),
    ];
    for ((values, exact), reduction) in cases.iter().flat_map(|case| REDUCTIONS.map(|reduction| (case, reduction))) {
        let exact = exact_map(shape, pitch, exact, reduction);
        let map = Array::poisoned(Storage::F32, exact.len());
        done(cuda::map(queue, storage, (shape, pitch), *values, reduction, map.address()))?;
        compare(&format!("{values:?}, {reduction:?}"), &map, &exact, Storage::F32.gate())?;
    }
    Ok(())
}

#[test]
fn gradients_of_every_count() {
    let shape = |images, channels, rows, cols, size| Shape { images, channels, rows, cols, size };
    for schedule in Schedule::ALL {
        let Some(queue) = Emulated::new(schedule) else { return };
        for storage in Storage::ALL {
            for count in SIZES.into_iter().chain([20_000]) {
                gather(&queue, storage, count).unwrap_or_else(|error| panic!("{schedule:?}, {storage:?}, {count} values: {error}"));
            }
            for (shape, pitch) in [(shape(1, 3, 1, 1, 1), 8), (shape(2, 3, 2, 3, 7), 152), (shape(1, 1, 3, 2, 16), 256)] {
                maps(&queue, storage, shape, pitch).unwrap_or_else(|error| panic!("{schedule:?}, {storage:?}, {shape:?}: {error}"));
            }
        }
    }
}

#[test]
fn what_is_no_number_stays_none_in_a_map() {
    let Some(queue) = Emulated::new(Schedule::Forward) else { return };
    let shape = Shape { images: 1, channels: 3, rows: 1, cols: 1, size: 2 };
    for (channel, reduction) in (0..3).flat_map(|channel| REDUCTIONS.map(|reduction| (channel, reduction))) {
        let mut values = seeded::<f64>(1, 16);
        values[channel * 4 + 1] = f64::NAN;
        let (values, map) = (Array::new(Storage::F32, &values), Array::poisoned(Storage::F32, 4));
        cuda::map(&queue, Storage::F32, (shape, 16), Values::Sum(values.address()), reduction, map.address()).unwrap();
        let is_none: Vec<bool> = map.read().unwrap().iter().map(|value| value.is_nan()).collect();
        assert_eq!(is_none, [false, true, false, false], "{reduction:?}, channel {channel}");
    }
}

#[test]
fn mutants_are_caught() {
    let mutants = [
        Mutant { what: "nobody waits for the warps", from: "__syncthreads();  // every warp's sum is there", to: "" },
        Mutant {
            what: "the last value is left out",
            from: "a.sum[i] = value, part += value;",
            to: "a.sum[i] = value, part += i + 1 < a.count ? value : 0.0f;",
        },
        Mutant {
            what: "a warp writes in another's place",
            from: "of_warps[threadIdx.x / 32] = value",
            to: "of_warps[threadIdx.x % 8] = value",
        },
    ];
    assert_caught_on(FILE, Storage::F32, &mutants, |queue| gather(queue, Storage::F32, 577));
}
