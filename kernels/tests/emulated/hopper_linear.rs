//! Products by warpgroups, launched as a ladder does it.

use kernels::activation::{self, Activation};
use kernels::check::seeded;
use kernels::cuda::proof::Verdict;
use kernels::cuda::proof::warpgroups::product as agrees;
use kernels::cuda::{Address, Queue};
use kernels::linear::cuda::{Factors, Product, Then};
use kernels::linear::hopper::{Tile, launch, product};

use crate::SIZES;
use crate::emulator::{Library, Schedule, source};
use crate::memory::{Array, Gate, Storage, compare};
use crate::mutants::{Mutant, assert_caught_on};
use crate::queue::Emulated;

const FILE: &str = "linear/cuda_hopper.cu";
const STORAGES: [Storage; 2] = [Storage::Bf16, Storage::F16];
const PRODUCTS: [Product; 2] = [Product::Forward, Product::Backward];

/// What is multiplied, in which tiles.
#[derive(Debug, Clone, Copy)]
struct Case {
    product: Product,
    extents: [usize; 3],
    tile: Tile,
}

struct Inputs {
    left: Array,
    right: Array,
    bias: Array,
    other: Array,
}

impl Inputs {
    fn new(storage: Storage, [rows, columns, depth]: [usize; 3]) -> Self {
        let array = |seed, count| Array::new(storage, &seeded(seed, count));
        let bias = Array::new(Storage::F32, &seeded(3, columns));
        Self { left: array(1, rows * depth), right: array(2, columns * depth), bias, other: array(4, rows * columns) }
    }

    /// `left·right + bias` by their definition, (rows, columns).
    fn exact(&self, case: Case) -> Vec<f64> {
        let [rows, columns, depth] = case.extents;
        let (left, right, bias) = (self.left.values(), self.right.values(), self.bias.values());
        let of_right = |k: usize, column: usize| match case.product {
            Product::Forward => right[column * depth + k],
            _ => right[k * columns + column],
        };
        let sum = |row, column| (0..depth).map(|k| left[row * depth + k] * of_right(k, column)).sum::<f64>();
        (0..rows * columns).map(|at| sum(at / columns, at % columns) + bias[at % columns]).collect()
    }

    fn factors(&self, extents: [usize; 3]) -> Factors {
        Factors { left: self.left.address(), right: self.right.address(), bias: self.bias.address(), extents }
    }

    fn start(&self, queue: &dyn Queue, storage: Storage, case: Case, then: Then) -> Result<(), String> {
        let started = launch(queue, storage, case.product, case.tile, (self.factors(case.extents), then));
        if started.map_err(|fault| fault.to_string())? { Ok(()) } else { Err("there is no such kernel".into()) }
    }
}

/// Every way out that the product has.
fn run(queue: &dyn Queue, storage: Storage, case: Case) -> Result<(), String> {
    let inputs = Inputs::new(storage, case.extents);
    let (sums, other) = (inputs.exact(case), inputs.other.values());
    let wide = Array::poisoned(Storage::F32, sums.len());
    inputs.start(queue, storage, case, Then::Wide(wide.address()))?;
    compare("wide", &wide, &sums, Storage::F32.gate())?;

    let y = Array::new(storage, &other);
    inputs.start(queue, storage, case, Then::Store { to: y.address(), residual: y.address() })?;
    compare("residual", &y, &sums.iter().zip(&other).map(|(a, b)| a + b).collect::<Vec<_>>(), storage.gate())?;

    let activation = Activation::Gelu;
    let (before, y, mut after) = (Array::poisoned(storage, sums.len()), Array::poisoned(storage, sums.len()), vec![0.0; sums.len()]);
    inputs.start(queue, storage, case, Then::Activate { activation, before: before.address(), to: y.address() })?;
    activation::forward(activation, &sums, &mut after).expect("the shapes fit");
    compare("before the activation", &before, &sums, storage.gate())?;
    compare("activated", &y, &after, storage.gate())?;

    inputs.start(queue, storage, case, Then::Gate { activation, before: inputs.other.address(), to: y.address() })?;
    let gated: Vec<f64> = other.iter().zip(&sums).map(|(&x, sum)| sum * activation.slope(x)).collect();
    compare("gated", &y, &gated, storage.gate())
}

/// Rows of every count; columns and depths with ragged ends, of more than one tile and of more steps than stages.
fn cases(storage: Storage, schedule: Schedule) -> Vec<Case> {
    let ragged = SIZES.into_iter().filter(|rows| *rows < 300).map(|rows| [rows, 136, if rows == 65 { 392 } else { 72 }]);
    let few = storage == Storage::F16 || !matches!(schedule, Schedule::Backward);
    let extents = ragged.filter(|[rows, ..]| !few || *rows == 65).chain([[17, 520, 8]]);
    let tiles = |(product, extents)| [Tile::Narrow, Tile::Wide].map(|tile| Case { product, extents, tile });
    extents.flat_map(|extents| PRODUCTS.map(|product| (product, extents))).flat_map(tiles).collect()
}

#[test]
fn rows_of_every_count() {
    for schedule in Schedule::ALL {
        let Some(queue) = Emulated::new(schedule) else { return };
        for storage in STORAGES {
            for case in cases(storage, schedule) {
                run(&queue, storage, case).unwrap_or_else(|error| panic!("{schedule:?}, {storage:?}, {case:?}: {error}"));
            }
        }
    }
}

#[test]
fn only_what_fills_its_device_goes_this_way() {
    let Some(queue) = Emulated::new(Schedule::Forward) else { return };
    let (bf16, forward) = (Storage::Bf16, Product::Forward);
    let to = Address::NONE;
    let of = |storage, product, rows, columns, then| Tile::of(&queue, storage, product, [rows, columns, 1024], then);
    let tile = |rows, columns| of(bf16, forward, rows, columns, Then::Wide(to));
    // Eight multiprocessors: a wave of the wide tiles is eight of them, of the narrow ones sixteen.
    assert_eq!(tile(1024, 256), Some(Tile::Wide));
    assert_eq!(tile(640, 384), Some(Tile::Narrow), "ten wide tiles leave the second wave almost empty");
    assert_eq!(tile(128, 896), None, "seven tiles do not fill the first one");
    let activate = Then::Activate { activation: Activation::Gelu, before: to, to };
    assert_eq!(of(bf16, forward, 1024, 256, activate), Some(Tile::Narrow), "two blocks hide the activation");
    assert_eq!(of(Storage::F32, forward, 1024, 256, Then::Wide(to)), None);
    assert_eq!(of(bf16, Product::Weights, 1024, 256, Then::Wide(to)), None);

    let extents = [1030, 136, 72];
    let (inputs, y) = (Inputs::new(bf16, extents), Array::poisoned(Storage::F32, 1030 * 136));
    let started = |queue: &Emulated, product_| product(queue, bf16, product_, inputs.factors(extents), Then::Wide(y.address()));
    assert_eq!(started(&queue, forward), Ok(true));
    let case = Case { product: forward, extents, tile: Tile::Narrow };
    compare("wide", &y, &inputs.exact(case), Storage::F32.gate()).expect("the kernel is right");
    assert_eq!(started(&queue, Product::Weights), Ok(false));
    for capability in [80, 89, 100, 120] {
        let other = Emulated::new(Schedule::Forward).expect("there is a compiler").of_capability(capability);
        assert_eq!((started(&other, forward), agrees(&other, bf16, forward)), (Ok(false), Ok(Verdict::Declines)), "sm_{capability}");
        assert_eq!(other.launches(), 0);
    }
}

#[test]
fn the_proof_passes_what_is_right_and_refuses_what_is_wrong() {
    let Some(queue) = Emulated::new(Schedule::Shuffled) else { return };
    for storage in STORAGES {
        for product in PRODUCTS {
            assert_eq!(agrees(&queue, storage, product), Ok(Verdict::Agrees(2)), "{storage:?}, {product:?}");
        }
    }
    assert_eq!(queue.given_out(), 0, "what a proof took it gives back");
    let swapped =
        source(FILE).replace("Left::lines(stage, threadIdx.x / 128 * 64, k)", "Left::lines(stage, 64 - threadIdx.x / 128 * 64, k)");
    queue.replace(FILE, Storage::Bf16, Library::compile(FILE, &swapped, Storage::Bf16).expect("there is a compiler"));
    assert!(matches!(agrees(&queue, Storage::Bf16, Product::Forward), Ok(Verdict::Disagrees(_))));
}

#[test]
fn mutants_are_caught() {
    let mutants = [
        Mutant {
            what: "nobody waits for a step",
            from: "__syncthreads();  // this step has landed, and all have multiplied the step before the last",
            to: "",
        },
        Mutant {
            what: "results overwrite the last steps",
            from: "__syncthreads();  // the last steps are multiplied: their memory is free",
            to: "",
        },
        Mutant { what: "rows leave before they are there", from: "__syncwarp();  // the rows are there", to: "" },
        Mutant { what: "copies are not waited for", from: "wait_for_copies<STAGES - 3>();", to: "" },
        Mutant { what: "products do not see copies", from: "fence_copies();", to: "" },
        Mutant { what: "a stage is filled while it is multiplied", from: "wait_for_products<1>();", to: "" },
        Mutant { what: "a stage too early", from: "fetch(step + STAGES - 2, steps);", to: "fetch(step + STAGES - 1, steps);" },
        Mutant {
            what: "the wrong stage",
            from: "multiply(memory + u32(step) % STAGES * STAGE);",
            to: "multiply(memory + u32(step + 1) % STAGES * STAGE);",
        },
        Mutant {
            what: "the exchange of packs is not told",
            from: "threadIdx.x / 128 * 64, k);",
            to: "threadIdx.x / 128 * 64, k) << 2 >> 2;",
        },
        Mutant { what: "one row too many", from: "first + line >= a.rows", to: "first + line > a.rows" },
        Mutant { what: "the depth has no end", from: "a.depth - step * CHUNK;", to: "a.depth + PACK - step * CHUNK;" },
    ];
    assert_caught_on(FILE, Storage::Bf16, &mutants, |queue| {
        let case = |product, tile| Case { product, extents: [145, 136, 392], tile };
        run(queue, Storage::Bf16, case(Product::Forward, Tile::Narrow))?;
        run(queue, Storage::Bf16, case(Product::Backward, Tile::Wide))
    });
}
