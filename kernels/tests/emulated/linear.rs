//! Products of matrices, launched as the engine does it.

use kernels::activation::{self, Activation};
use kernels::check::seeded;
use kernels::cuda::{Address, Queue};
use kernels::linear::cuda::{Factors, Layout, Product, Scratch, Then, launch, product, structure};

use crate::SIZES;
use crate::emulator::Schedule;
use crate::memory::{Array, Gate, Storage, compare};
use crate::mutants::{Mutant, assert_caught_on};
use crate::queue::Emulated;

const FILE: &str = "linear/cuda.cu";
pub const PRODUCTS: [Product; 3] = [Product::Forward, Product::Backward, Product::Weights];
const NONE: Address = Address::NONE;

/// One product: what it is of, and what becomes of it.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    pub product: Product,
    pub extents: [usize; 3],
    pub layout: Option<Layout>,
}

/// `left·right` by their definition, (rows, columns).
fn exact(case: Case, left: &[f64], right: &[f64], bias: Option<&[f64]>) -> Vec<f64> {
    let [rows, columns, depth] = case.extents;
    let of_left = |row: usize, k: usize| if case.product == Product::Weights { left[k * rows + row] } else { left[row * depth + k] };
    let of_right = |k: usize, column: usize| match case.product {
        Product::Forward => right[column * depth + k],
        _ => right[k * columns + column],
    };
    let sum = |row, column| (0..depth).map(|k| of_left(row, k) * of_right(k, column)).sum::<f64>();
    (0..rows * columns).map(|at| sum(at / columns, at % columns) + bias.map_or(0.0, |bias| bias[at % columns])).collect()
}

struct Inputs {
    left: Array,
    right: Array,
    bias: Array,
    other: Array,
    partials: Array,
}

impl Inputs {
    fn new(case: Case, storage: Storage) -> Self {
        let [rows, columns, depth] = case.extents;
        let array = |seed, count| Array::new(storage, &seeded(seed, count));
        let bias = Array::new(Storage::F32, &seeded(3, columns));
        let partials = Array::poisoned(Storage::F32, 8 * rows * columns);
        Self { left: array(1, rows * depth), right: array(2, columns * depth), bias, other: array(4, rows * columns), partials }
    }

    fn start(&self, queue: &dyn Queue, storage: Storage, case: Case, bias: Address, then: Then) -> Result<(), String> {
        let factors = Factors { left: self.left.address(), right: self.right.address(), bias, extents: case.extents };
        let scratch = Scratch { at: self.partials.address(), values: 8 * case.extents[0] * case.extents[1] };
        let started = match case.layout {
            Some(layout) => launch(queue, storage, case.product, layout, structure(case.product, factors, then, scratch)),
            None => product(queue, storage, case.product, factors, then, scratch),
        };
        started.map_err(|fault| fault.to_string())
    }
}

/// Every way out that the product has.
pub fn run(queue: &dyn Queue, storage: Storage, case: Case) -> Result<(), String> {
    let inputs = Inputs::new(case, storage);
    let len = case.extents[0] * case.extents[1];
    let (left, right, bias, other) = (inputs.left.values(), inputs.right.values(), inputs.bias.values(), inputs.other.values());
    if case.product == Product::Weights {
        let wide = Array::new(Storage::F32, &seeded(5, len));
        let sums: Vec<f64> = exact(case, &left, &right, None).iter().zip(wide.values()).map(|(sum, before)| sum + before).collect();
        inputs.start(queue, storage, case, NONE, Then::Wide(wide.address()))?;
        return compare("dW", &wide, &sums, Storage::F32.gate());
    }
    let sums = exact(case, &left, &right, Some(&bias));
    let wide = Array::poisoned(Storage::F32, len);
    inputs.start(queue, storage, case, inputs.bias.address(), Then::Wide(wide.address()))?;
    compare("wide", &wide, &sums, Storage::F32.gate())?;

    let y = Array::new(storage, &other);
    inputs.start(queue, storage, case, inputs.bias.address(), Then::Store { to: y.address(), residual: y.address() })?;
    compare("residual", &y, &sums.iter().zip(&other).map(|(a, b)| a + b).collect::<Vec<_>>(), storage.gate())?;

    let y = Array::poisoned(storage, len);
    inputs.start(queue, storage, case, NONE, Then::Store { to: y.address(), residual: NONE })?;
    compare("without bias", &y, &exact(case, &left, &right, None), storage.gate())?;
    activations(queue, storage, case, &inputs, &sums)
}

fn activations(queue: &dyn Queue, storage: Storage, case: Case, inputs: &Inputs, sums: &[f64]) -> Result<(), String> {
    for activation in [Activation::Gelu, Activation::GeluTanh, Activation::Relu] {
        let (before, y, mut after) = (Array::poisoned(storage, sums.len()), Array::poisoned(storage, sums.len()), vec![0.0; sums.len()]);
        let then = Then::Activate { activation, before: before.address(), to: y.address() };
        inputs.start(queue, storage, case, inputs.bias.address(), then)?;
        activation::forward(activation, sums, &mut after).expect("the shapes fit");
        compare("before the activation", &before, sums, storage.gate())?;
        compare("activated", &y, &after, storage.gate())?;

        let then = Then::Gate { activation, before: inputs.other.address(), to: y.address() };
        inputs.start(queue, storage, case, inputs.bias.address(), then)?;
        let gated: Vec<f64> = inputs.other.values().iter().zip(sums).map(|(&x, sum)| sum * activation.slope(x)).collect();
        compare("gated", &y, &gated, storage.gate())?;
    }
    Ok(())
}

/// The layout that the engine would take, both tiles, and a depth in parts.
fn layouts() -> [Option<Layout>; 4] {
    let layout = |tile, splits| Some(Layout { tile, splits });
    [None, layout(64, 1), layout(128, 1), layout(64, 3)]
}

/// Rows of every count for the products of a pass, depths of every count for the gradient of weights.
fn cases(storage: Storage) -> Vec<Case> {
    let of = |product, ragged: usize| match product {
        Product::Weights => [72, 40, ragged],
        _ => [ragged, 72, if ragged > 200 { 40 } else { 200 }],
    };
    let sizes = SIZES.into_iter().filter(|size| storage != Storage::F16 || [17, 65].contains(size));
    let all = sizes.flat_map(|size| PRODUCTS.map(|product| (product, of(product, size))));
    all.flat_map(|(product, extents)| layouts().map(|layout| Case { product, extents, layout })).collect()
}

#[test]
fn rows_of_every_count() {
    for schedule in Schedule::ALL {
        let Some(queue) = Emulated::new(schedule) else { return };
        for storage in Storage::ALL {
            // One schedule goes through all of it, the others through what has ragged edges everywhere.
            let few = |case: &Case| matches!(schedule, Schedule::Backward) || [17, 65].contains(&case.extents[0]) || case.extents[2] == 65;
            for case in cases(storage).into_iter().filter(few) {
                run(&queue, storage, case).unwrap_or_else(|error| panic!("{schedule:?}, {storage:?}, {case:?}: {error}"));
            }
        }
    }
}

#[test]
fn shuffles_and_the_instructions_of_turing_take_the_place_of_tensor_cores() {
    for (capability, storage) in [(70, Storage::F32), (70, Storage::F16), (75, Storage::F16)] {
        let Some(queue) = Emulated::new(Schedule::Backward) else { return };
        let queue = queue.of_capability(capability);
        for product in PRODUCTS {
            let case = Case { product, extents: [72, 40, 72], layout: None };
            run(&queue, storage, case).unwrap_or_else(|error| panic!("sm_{capability}, {storage:?}, {case:?}: {error}"));
        }
    }
}

#[test]
fn few_rows_are_split_and_many_are_not() {
    let Some(queue) = Emulated::new(Schedule::Forward) else { return };
    let layout = |rows, room| Layout::of(&queue, Storage::Bf16, [rows, 128, 4096], room);
    assert_eq!(layout(1, 1 << 20), Layout { tile: 64, splits: 4 });
    assert_eq!(layout(1, 0), Layout { tile: 64, splits: 1 });
    assert_eq!(layout(2048, 1 << 20), Layout { tile: 128, splits: 1 });
    let volta = queue.of_capability(70);
    assert_eq!(Layout::of(&volta, Storage::F16, [2048, 128, 4096], 0), Layout { tile: 64, splits: 1 });
}

#[test]
fn mutants_are_caught() {
    let mutants = [
        Mutant { what: "nobody waits for a step", from: "__syncthreads();  // this step has landed, and the one before is read", to: "" },
        Mutant { what: "results overwrite the last step", from: "__syncthreads();  // the last step is read: its memory is free", to: "" },
        Mutant { what: "a warp's rows are read before they are there", from: "__syncwarp();  // these rows are there", to: "" },
        Mutant { what: "copies are not waited for", from: "wait_for_copies<STAGES - 2>();", to: "" },
        Mutant { what: "a load too few is under way", from: "fetch(step + STAGES - 1);", to: "fetch(step + STAGES);" },
        Mutant { what: "one row too many", from: "if (row < a.rows &&", to: "if (row <= a.rows &&" },
        Mutant { what: "the depth has no end", from: "a.depth - step * CHUNK;", to: "a.depth + PACK - step * CHUNK;" },
        Mutant { what: "parts are written over each other", from: "size_t(blockIdx.z) * a.rows", to: "size_t(0) * a.rows" },
    ];
    let storage = Storage::Bf16;
    assert_caught_on(FILE, storage, &mutants, |queue| {
        let case = |product, layout| Case { product, extents: [145, 72, 152], layout };
        run(queue, storage, case(Product::Forward, None))?;
        run(queue, storage, case(Product::Backward, Some(Layout { tile: 64, splits: 3 })))
    });
}
