//! What is no number stays none on its way through tensor cores, and long sums of f32 lose no more than rounding does.

use kernels::check::seeded;
use kernels::cuda::{Address, Queue};
use kernels::linear::cuda::{Factors, Product, Scratch, Then, product};

use crate::emulator::Schedule;
use crate::memory::{Array, Gate, Storage, compare};
use crate::mutants::{Mutant, assert_caught_on};
use crate::queue::Emulated;

const NONE: Address = Address::NONE;
const FILE: &str = "linear/cuda.cu";

/// `x·wᵀ` as f32 of two arrays (rows, depth) and (columns, depth).
fn multiplied(queue: &dyn Queue, storage: Storage, extents: [usize; 3], x: &Array, w: &Array) -> Array {
    let [rows, columns, _] = extents;
    let y = Array::poisoned(Storage::F32, rows * columns);
    let factors = Factors { left: x.address(), right: w.address(), bias: NONE, extents };
    product(queue, storage, Product::Forward, factors, Then::Wide(y.address()), Scratch { at: NONE, values: 0 }).expect("it starts");
    y
}

/// The NaN of NVIDIA's arithmetic has all bits set but the sign, poison has all; neither may turn into a number.
#[test]
fn a_row_that_has_a_nan_is_nan() {
    const EXTENTS: [usize; 3] = [17, 24, 40];
    let [rows, columns, depth] = EXTENTS;
    let Some(queue) = Emulated::new(Schedule::Forward) else { return };
    for storage in Storage::ALL {
        for bits in [0x7fff_ffff_ffff_ffff, u64::MAX] {
            let mut numbers = [seeded::<f64>(1, rows * depth), seeded::<f64>(2, columns * depth)];
            numbers[0][3 * depth + 5] = f64::from_bits(bits);
            numbers[1][7 * depth + 39] = f64::from_bits(bits);
            let [x, w] = numbers.map(|numbers| Array::new(storage, &numbers));
            let y = multiplied(&queue, storage, EXTENTS, &x, &w).read().expect("fences stand");
            for (at, value) in y.iter().enumerate() {
                let has_nan = at / columns == 3 || at % columns == 7;
                assert_eq!(value.is_nan(), has_nan, "{storage}: row {}, column {}: {value}", at / columns, at % columns);
            }
        }
    }
}

/// As deep as the widest MLP; numbers of one sign, so that what is cut off adds up.
fn long_sums(queue: &dyn Queue) -> Result<(), String> {
    const EXTENTS: [usize; 3] = [5, 12, 5120];
    let [rows, columns, depth] = EXTENTS;
    let positive = |seed, count| Array::new(Storage::F32, &seeded::<f64>(seed, count).iter().map(|v| v.abs()).collect::<Vec<_>>());
    let (x, w) = (positive(1, rows * depth), positive(2, columns * depth));
    let (left, right) = (x.values(), w.values());
    let sum = |row: usize, column: usize| (0..depth).map(|k| left[row * depth + k] * right[column * depth + k]).sum::<f64>();
    let exact: Vec<f64> = (0..rows * columns).map(|at| sum(at / columns, at % columns)).collect();
    compare("long sums", &multiplied(queue, Storage::F32, EXTENTS, &x, &w), &exact, Storage::F32.gate())
}

#[test]
fn long_sums_lose_no_more_than_rounding_does() {
    let mutants = [Mutant { what: "sums stay in the tensor cores", from: "mma_apart(sums[i][j]", to: "mma(sums[i][j]" }];
    assert_caught_on(FILE, Storage::F32, &mutants, |queue| long_sums(queue));
}
