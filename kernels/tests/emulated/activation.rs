//! Bias and activation, and the gradient through it; no barrier.

use std::ffi::c_void;
use std::ptr::null_mut;

use kernels::activation::{self, Activation};
use kernels::check::seeded;

use crate::SIZES;
use crate::emulator::{Launched, Library, Schedule};
use crate::memory::{Array, Gate, Storage, compare};
use crate::mutants::under_all_schedules;

const FILE: &str = "activation/cuda.cu";

#[repr(C)]
struct Forward {
    x: *const c_void,
    bias: *const c_void,
    before: *mut c_void,
    y: *mut c_void,
    count: i64,
    width: i32,
    activation: i32,
}

#[repr(C)]
struct Backward {
    before: *const c_void,
    dy: *const c_void,
    dx: *mut c_void,
    count: i64,
    activation: i32,
}

fn case(library: &Library, storage: Storage, (rows, width): (usize, usize), schedule: Schedule) -> Result<(), String> {
    let wide = |seed, count: usize| seeded::<f64>(seed, count).iter().map(|v| 4.0 * v).collect::<Vec<_>>();
    let (x, bias) = (Array::new(storage, &wide(1, rows * width)), Array::new(Storage::F32, &wide(2, width)));
    let dy = Array::new(storage, &wide(3, rows * width));
    let pack = if storage == Storage::F32 { 4 } else { 8 };
    let how = Launched::new([(rows * width / pack).div_ceil(256), 1, 1], 256);
    for (code, activation) in [Activation::Gelu, Activation::GeluTanh, Activation::Relu].into_iter().enumerate() {
        let (before, y, dx) =
            (Array::poisoned(storage, rows * width), Array::poisoned(storage, rows * width), Array::poisoned(storage, rows * width));
        let biases = bias.values();
        let sums: Vec<f64> = x.values().iter().enumerate().map(|(i, x)| x + biases[i % width]).collect();
        let mut exact = vec![0.0; sums.len()];
        activation::forward(activation, &sums, &mut exact).expect("the shapes fit");
        let (count, width_, activation_) = ((rows * width) as i64, width as i32, code as i32);
        let arguments =
            Forward { x: x.at(), bias: bias.at(), before: before.at(), y: y.at(), count, width: width_, activation: activation_ };
        library.run("bias_activation_forward", how, &arguments, schedule)?;
        compare(&format!("{activation:?}"), &y, &exact, storage.gate())?;
        compare("before", &before, &sums, storage.gate())?;
        let backward = Backward { before: before.at(), dy: dy.at(), dx: dx.at(), count, activation: activation_ };
        library.run("activation_backward", how, &backward, schedule)?;
        let exact: Vec<f64> = before.values().iter().zip(dy.values()).map(|(&x, dy)| dy * activation.slope(x)).collect();
        compare(&format!("{activation:?} backward"), &dx, &exact, storage.gate())?;

        // In place, without a bias.
        let x = Array::new(storage, &wide(1, rows * width));
        let mut exact = x.values();
        activation::forward(activation, &x.values(), &mut exact).expect("the shapes fit");
        let alone = Forward { x: x.at(), bias: null_mut(), before: null_mut(), y: x.at(), ..arguments };
        library.run("bias_activation_forward", how, &alone, schedule)?;
        compare("in place", &x, &exact, storage.gate())?;
    }
    Ok(())
}

#[test]
fn rows_of_every_count() {
    for storage in Storage::ALL {
        let Some(library) = Library::of(FILE, storage) else { return };
        for rows in SIZES {
            under_all_schedules(|schedule| case(&library, storage, (rows, 40), schedule))
                .unwrap_or_else(|error| panic!("{storage:?}, {rows} rows: {error}"));
        }
    }
}
