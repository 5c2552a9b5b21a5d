//! Loss and optimiser; no barrier.

use std::ffi::c_void;
use std::ptr::null_mut;

use kernels::adamw::{Moments, Settings, update};
use kernels::check::seeded;
use kernels::cross_entropy::loss_and_gradient;

use crate::SIZES;
use crate::emulator::{Launched, Library, Schedule};
use crate::memory::{Array, Gate, Storage, compare};
use crate::mutants::under_all_schedules;

#[repr(C)]
struct CrossEntropy {
    logits: *const c_void,
    labels: *const i32,
    class_weights: *const c_void,
    losses: *mut c_void,
    gradient: *mut c_void,
    images: i32,
    classes: i32,
}

#[repr(C)]
struct AdamW {
    gradient: *const c_void,
    weights: *mut c_void,
    first: *mut c_void,
    second: *mut c_void,
    copy: *mut c_void,
    count: i64,
    keep: f32,
    beta1: f32,
    beta2: f32,
    pace: f32,
    correction: f32,
    eps: f32,
}

fn loss(library: &Library, images: usize, classes: usize, weighted: bool, schedule: Schedule) -> Result<(), String> {
    let logits: Vec<f64> = seeded::<f64>(1, images * classes).iter().map(|v| 20.0 * v).collect();
    let (logits, labels) = (Array::new(Storage::F32, &logits), (0..images).map(|i| i * 5 % classes).collect::<Vec<_>>());
    let weights: Vec<f64> = if weighted { seeded::<f64>(2, classes).iter().map(|v| v + 1.5).collect() } else { Vec::new() };
    let weights = Array::new(Storage::F32, &weights);
    let (losses, gradient) = (Array::poisoned(Storage::F32, images), Array::poisoned(Storage::F32, images * classes));
    let (exact_loss, exact) = loss_and_gradient(&logits.values(), &labels, &weights.values()).expect("the shapes fit");
    let labels: Vec<i32> = labels.iter().map(|&label| label as i32).collect();
    let arguments = CrossEntropy {
        logits: logits.at(),
        labels: labels.as_ptr(),
        class_weights: if weighted { weights.at() } else { null_mut() },
        losses: losses.at(),
        gradient: gradient.at(),
        images: images as i32,
        classes: classes as i32,
    };
    library.run("cross_entropy", Launched::new([images.div_ceil(4), 1, 1], 128), &arguments, schedule)?;
    compare("gradient", &gradient, &exact, Storage::F32.gate())?;
    let sum: f64 = losses.read()?.iter().sum();
    if (sum - exact_loss).abs() <= 1e-5 * exact_loss.abs() { Ok(()) } else { Err(format!("loss {sum}, expected {exact_loss}")) }
}

#[test]
fn losses_of_every_count() {
    let Some(library) = Library::of("cross_entropy/cuda.cu", Storage::F32) else { return };
    for (images, classes) in SIZES.map(|images| (images, 7)).into_iter().chain([(3, 1), (2, 33), (5, 1000)]) {
        for weighted in [false, true] {
            under_all_schedules(|schedule| loss(&library, images, classes, weighted, schedule))
                .unwrap_or_else(|error| panic!("images and classes {:?}, weighted {weighted}: {error}", (images, classes)));
        }
    }
}

fn steps(library: &Library, storage: Storage, count: usize, schedule: Schedule) -> Result<(), String> {
    let settings = Settings { rate: 0.01, decay: 0.1, ..Settings::default() };
    let [weights, first, second] = [seeded::<f64>(1, count), vec![0.0; count], vec![0.0; count]].map(|v| Array::new(Storage::F32, &v));
    let (mut exact, mut moments) = (weights.values(), Moments::zero(count));
    for step in 1..=3 {
        let gradient = Array::new(storage, &seeded::<f64>(10 + u64::from(step), count));
        let copy = Array::poisoned(storage, count);
        update(settings, step, &gradient.values(), &mut moments, &mut exact).expect("the shapes fit");
        let Settings { rate, beta1, beta2, eps, decay } = settings;
        let arguments = AdamW {
            gradient: gradient.at(),
            weights: weights.at(),
            first: first.at(),
            second: second.at(),
            copy: if step == 3 { copy.at() } else { null_mut() },
            count: count as i64,
            keep: (1.0 - rate * decay) as f32,
            beta1: beta1 as f32,
            beta2: beta2 as f32,
            pace: (rate / (1.0 - beta1.powi(step as i32))) as f32,
            correction: (1.0 / (1.0 - beta2.powi(step as i32)).sqrt()) as f32,
            eps: eps as f32,
        };
        // Fewer threads than weights, so that each takes several.
        library.run("adamw", Launched::new([2, 1, 1], 256), &arguments, schedule)?;
        compare("weights", &weights, &exact, 1e-5)?;
        if step == 3 {
            compare("copy", &copy, &exact, storage.gate())?;
        }
    }
    Ok(())
}

#[test]
fn weights_of_every_count() {
    for storage in Storage::ALL {
        let Some(library) = Library::of("adamw/cuda.cu", storage) else { return };
        for count in SIZES.into_iter().chain([1500]) {
            under_all_schedules(|schedule| steps(&library, storage, count, schedule))
                .unwrap_or_else(|error| panic!("{storage:?}, {count} weights: {error}"));
        }
    }
}
