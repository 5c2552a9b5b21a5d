//! Loss, length of the gradient and optimiser, launched as the engine does it.

use kernels::adamw::cuda::{Places, length_partials, squares};
use kernels::adamw::{self, Moments, Settings};
use kernels::check::seeded;
use kernels::cross_entropy::cuda::{CrossEntropy, loss_and_gradient};
use kernels::cross_entropy::share_of_loss_and_gradient;
use kernels::cuda::{Address, Queue};

use crate::SIZES;
use crate::emulator::Schedule;
use crate::memory::{Array, Gate, Storage, compare};
use crate::mutants::{Mutant, assert_caught_on};
use crate::queue::Emulated;

fn loss(queue: &dyn Queue, (images, classes): (usize, usize), weighted: bool) -> Result<(), String> {
    // A batch of which other parts are elsewhere, in rows that are wider than the classes.
    let (of, stride) = (images + 3, classes.next_multiple_of(4));
    let logits: Vec<f64> = seeded::<f64>(1, images * classes).iter().map(|v| f64::from((20.0 * v) as f32)).collect();
    let wide = |rows: &[f64], behind: f64| {
        let row = |row: &[f64]| row.iter().copied().chain(std::iter::repeat_n(behind, stride - classes)).collect::<Vec<_>>();
        rows.chunks(classes).flat_map(row).collect::<Vec<_>>()
    };
    let labels: Vec<usize> = (0..images).map(|i| i * 5 % classes).collect();
    let weights: Vec<f64> = if weighted { seeded::<f64>(2, classes).iter().map(|v| v + 1.5).collect() } else { Vec::new() };
    let weights = Array::new(Storage::F32, &weights);
    let (exact_loss, exact) = share_of_loss_and_gradient(&logits, &labels, &weights.values(), of).expect("the shapes fit");
    let (logits, gradient) = (Array::new(Storage::F32, &wide(&logits, 1e9)), Array::poisoned(Storage::F32, images * stride));
    let losses = Array::poisoned(Storage::F32, images);
    let labels: Vec<i32> = labels.iter().map(|&label| label as i32).collect();
    let arguments = CrossEntropy {
        logits: logits.address(),
        labels: Address(labels.as_ptr() as u64),
        class_weights: if weighted { weights.address() } else { Address::NONE },
        losses: losses.address(),
        gradient: gradient.address(),
        images: images as i32,
        classes: classes as i32,
        stride: stride as i32,
        share: 1.0 / of as f32,
    };
    loss_and_gradient(queue, arguments).map_err(|fault| fault.to_string())?;
    compare("gradient", &gradient, &wide(&exact, 0.0), Storage::F32.gate())?;
    let sum: f64 = losses.read()?.iter().sum();
    if (sum - exact_loss).abs() <= 1e-5 * exact_loss.abs() { Ok(()) } else { Err(format!("loss {sum}, expected {exact_loss}")) }
}

#[test]
fn losses_of_every_count() {
    for schedule in Schedule::ALL {
        let Some(queue) = Emulated::new(schedule) else { return };
        for shape in SIZES.map(|images| (images, 7)).into_iter().chain([(3, 1), (2, 33), (5, 1000)]) {
            for weighted in [false, true] {
                loss(&queue, shape, weighted)
                    .unwrap_or_else(|error| panic!("{schedule:?}, images and classes {shape:?}, weighted {weighted}: {error}"));
            }
        }
    }
}

fn steps(queue: &dyn Queue, storage: Storage, count: usize) -> Result<(), String> {
    let settings = Settings { rate: 0.01, decay: 0.1, ..Settings::default() };
    let [weights, first, second] = [seeded::<f64>(1, count), vec![0.0; count], vec![0.0; count]].map(|v| Array::new(Storage::F32, &v));
    let (mut exact, mut moments) = (weights.values(), Moments::zero(count));
    for step in 1..=3 {
        let gradient = Array::new(Storage::F32, &seeded::<f64>(10 + u64::from(step), count));
        let copy = Array::poisoned(storage, count);
        let scaled: Vec<f64> = gradient.values().iter().map(|g| 0.125 * g).collect();
        adamw::update(settings, step, &scaled, &mut moments, &mut exact).expect("the shapes fit");
        let places = Places {
            gradient: gradient.address(),
            weights: weights.address(),
            first: first.address(),
            second: second.address(),
            copy: if step == 3 { copy.address() } else { Address::NONE },
            count,
        };
        adamw::cuda::update(queue, storage, settings, step, places, 0.125).map_err(|fault| fault.to_string())?;
        compare("weights", &weights, &exact, 1e-5)?;
        if step == 3 {
            compare("copy", &copy, &exact, storage.gate())?;
        }
    }
    Ok(())
}

#[test]
fn weights_of_every_count() {
    for schedule in Schedule::ALL {
        let Some(queue) = Emulated::new(schedule) else { return };
        for storage in Storage::ALL {
            // The last one is more than the launch has threads.
            for count in SIZES.into_iter().chain([1500, 20_000]) {
                steps(&queue, storage, count).unwrap_or_else(|error| panic!("{schedule:?}, {storage:?}, {count} weights: {error}"));
            }
        }
    }
}

fn length(queue: &dyn Queue, count: usize) -> Result<(), String> {
    // Squares of these lie beyond f32.
    let gradient = Array::new(Storage::F32, &seeded::<f64>(1, count).iter().map(|v| 1e25 * v).collect::<Vec<_>>());
    let partials = vec![f64::NAN; length_partials(queue, count)];
    squares(queue, gradient.address(), count, Address(partials.as_ptr() as u64)).map_err(|fault| fault.to_string())?;
    let exact: f64 = gradient.values().iter().map(|g| g * g).sum();
    let found: f64 = std::hint::black_box(&partials).iter().sum();
    if (found - exact).abs() <= 1e-12 * exact { Ok(()) } else { Err(format!("sum of squares {found}, expected {exact}")) }
}

#[test]
fn lengths_of_every_count() {
    for schedule in Schedule::ALL {
        let Some(queue) = Emulated::new(schedule) else { return };
        for count in SIZES.into_iter().chain([1500, 20_000]) {
            length(&queue, count).unwrap_or_else(|error| panic!("{schedule:?}, {count} values: {error}"));
        }
    }
}

#[test]
fn a_gradient_that_is_no_number_has_no_length() {
    let Some(queue) = Emulated::new(Schedule::Forward) else { return };
    for wrong in [f64::NAN, f64::INFINITY] {
        let gradient = Array::new(Storage::F32, &[&[1.0; 299][..], &[wrong]].concat());
        let partials = vec![0.0; length_partials(&queue, 300)];
        squares(&queue, gradient.address(), 300, Address(partials.as_ptr() as u64)).unwrap();
        assert!(!std::hint::black_box(&partials).iter().sum::<f64>().is_finite());
    }
}

#[test]
fn mutants_of_the_length_are_caught() {
    let mutants = [
        Mutant { what: "nobody waits for the threads", from: "__syncthreads();  // every thread's sum is there", to: "" },
        Mutant { what: "halves are added too early", from: "__syncthreads();  // this half is added", to: "" },
        Mutant { what: "a half is left out", from: "half; half /= 2", to: "half > 1; half /= 2" },
    ];
    assert_caught_on("adamw/cuda_length.cu", Storage::F32, &mutants, |queue| length(queue, 1500));
}
