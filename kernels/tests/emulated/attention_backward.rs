//! Attention backward with a row: four kernels, one after the other.

use std::ffi::c_void;
use std::ptr::null;

use kernels::Workspace;
use kernels::attention::cuda::rule_code;
use kernels::attention::{self, Forward, ReadOuts, RowRule, Shape};
use kernels::check::seeded;

use crate::attention::{inputs, scale, shapes, tile_bytes};
use crate::emulator::{Launched, Library, Schedule};
use crate::memory::{Array, Gate, Storage, compare};
use crate::mutants::{Mutant, assert_caught, under_all_schedules};

const FILE: &str = "attention/cuda_backward.cu";

#[repr(C)]
struct Backward {
    qkv: *const c_void,
    context: *const c_void,
    dcontext: *const c_void,
    log_sum_exp: *const c_void,
    dots: *mut c_void,
    dqkv: *mut c_void,
    row: *const c_void,
    row_steps: *mut c_void,
    base: *const c_void,
    next_row: *mut c_void,
    images: i32,
    tokens: i32,
    heads: i32,
    scale: f32,
    unscale: f32,
    rule: i32,
}

/// What goes into the backward pass.
struct Inputs {
    qkv: Array,
    context: Array,
    dcontext: Array,
    log_sum_exp: Array,
    row: Array,
    base: Array,
}

impl Inputs {
    fn new(shape: Shape, storage: Storage) -> Self {
        let qkv = inputs(shape, storage);
        let (mut context, mut sums) = (vec![0.0; shape.context_len()], vec![0.0; shape.log_sum_exp_len()]);
        attention::forward(shape, &qkv.values(), &mut context, &mut sums, None, &mut Workspace::default()).expect("the shapes fit");
        let row: Vec<f64> = seeded::<f64>(13, shape.images * shape.tokens).iter().map(|v| v.abs()).collect();
        Self {
            qkv,
            context: Array::new(storage, &context),
            dcontext: Array::new(storage, &seeded(12, shape.context_len())),
            log_sum_exp: Array::new(Storage::F32, &sums),
            row: Array::new(Storage::F32, &row),
            base: Array::new(Storage::F32, &seeded(14, row.len())),
        }
    }

    /// `dqkv` and the step of the row.
    fn exact(&self, shape: Shape, rule: RowRule) -> (Vec<f64>, Vec<f64>) {
        let (mut dqkv, mut row_step) = (vec![0.0; shape.qkv_len()], vec![0.0; shape.images * shape.tokens]);
        let (qkv, sums, context) = (self.qkv.values(), self.log_sum_exp.values(), self.context.values());
        let forward = Forward { qkv: &qkv, log_sum_exp: &sums, context: &context };
        let row = self.row.values();
        let read_outs = ReadOuts { rule, row: &row, row_step: &mut row_step, map_gradients: &mut [] };
        attention::backward(shape, forward, &self.dcontext.values(), &mut dqkv, read_outs, &mut Workspace::default())
            .expect("the shapes fit");
        (dqkv, row_step)
    }
}

fn backward(library: &Library, storage: Storage, shape: Shape, rule: RowRule, schedule: Schedule) -> Result<(), String> {
    let Shape { images, tokens, heads, head_width } = shape;
    let inputs = Inputs::new(shape, storage);
    let (exact, exact_step) = inputs.exact(shape, rule);
    let f32s = |len| Array::poisoned(Storage::F32, len);
    let (dots, steps, step) = (f32s(images * tokens * heads), f32s(images * tokens * heads), f32s(images * tokens));
    let dqkv = Array::poisoned(storage, shape.qkv_len());
    let arguments = Backward {
        qkv: inputs.qkv.at(),
        context: inputs.context.at(),
        dcontext: inputs.dcontext.at(),
        log_sum_exp: inputs.log_sum_exp.at(),
        dots: dots.at(),
        dqkv: dqkv.at(),
        row: inputs.row.at(),
        row_steps: steps.at(),
        base: inputs.base.at(),
        next_row: step.at(),
        images: images as i32,
        tokens: tokens as i32,
        heads: heads as i32,
        scale: scale(shape),
        unscale: 0.25,
        rule: rule_code(rule),
    };
    let run = |name: &str, how, arguments: &Backward| library.run(&format!("attention_{name}_{head_width}"), how, arguments, schedule);
    run("dots", Launched::new([(images * tokens * heads).div_ceil(4), 1, 1], 128), &arguments)?;
    run("backward_keys", tiles(shape, storage), &arguments)?;
    run("backward_queries", tiles(shape, storage), &arguments)?;
    library.run("attention_row_step", Launched::new([(images * tokens).div_ceil(128), 1, 1], 128), &arguments, schedule)?;
    compare("dqkv", &dqkv, &exact, storage.gate())?;
    let exact_row: Vec<f64> = inputs.base.values().iter().zip(exact_step).map(|(base, step)| base + 0.25 * step).collect();
    compare("next_row", &step, &exact_row, if storage == Storage::F32 { storage.gate() } else { Storage::F16.gate() })?;

    if tokens > 100 { Ok(()) } else { without_a_row(library, storage, shape, arguments, (&exact, schedule)) }
}

/// Nothing is gathered.
fn without_a_row(
    library: &Library,
    storage: Storage,
    shape: Shape,
    arguments: Backward,
    (exact, schedule): (&[f64], Schedule),
) -> Result<(), String> {
    let dqkv = Array::poisoned(storage, shape.qkv_len());
    let alone = Backward { row: null(), row_steps: std::ptr::null_mut(), dqkv: dqkv.at(), ..arguments };
    for name in ["backward_keys", "backward_queries"] {
        library.run(&format!("attention_{name}_{}", shape.head_width), tiles(shape, storage), &alone, schedule)?;
    }
    compare("dqkv without a row", &dqkv, exact, storage.gate())
}

/// Rows that a block keeps and rows that stream by, as the kernels choose them.
fn tiles(shape: Shape, storage: Storage) -> Launched {
    let (rows, count) = match (storage, shape.head_width) {
        (Storage::F32, 128) => (32, 16),
        (Storage::F32, _) => (64, 16),
        (_, 128) => (64, 16),
        (_, 80) => (64, 48),
        _ => (64, 64),
    };
    let queries = 2 * 64 * 12;
    let grid = [shape.tokens.div_ceil(rows), shape.heads, shape.images];
    Launched { grid, threads: 2 * rows, shared: tile_bytes(storage, shape.head_width, 2 * rows + 4 * count) + queries }
}

#[test]
fn tokens_of_every_count() {
    for storage in Storage::ALL {
        let Some(library) = Library::of(FILE, storage) else { return };
        for shape in shapes(storage) {
            under_all_schedules(|schedule| backward(&library, storage, shape, RowRule::Relevance, schedule))
                .unwrap_or_else(|error| panic!("{storage:?}, {shape:?}: {error}"));
        }
    }
}

#[test]
fn rows_of_every_rule() {
    for storage in Storage::ALL {
        let Some(library) = Library::of(FILE, storage) else { return };
        let shape = Shape { images: 2, tokens: 65, heads: 2, head_width: 32 };
        for rule in [RowRule::Attention, RowRule::PositiveGradient] {
            under_all_schedules(|schedule| backward(&library, storage, shape, rule, schedule))
                .unwrap_or_else(|error| panic!("{storage:?}, {rule:?}: {error}"));
        }
    }
}

#[test]
fn mutants_are_caught() {
    let mutants = [
        Mutant { what: "nobody waits for a tile", from: "__syncthreads();  // every thread's part of this tile has landed", to: "" },
        Mutant {
            what: "a tile is filled while it is read",
            from: "__syncthreads();  // all have read this stage before it is filled again",
            to: "",
        },
        Mutant { what: "one query too many", from: "const bool there = query < a.tokens;", to: "const bool there = query <= a.tokens;" },
        Mutant {
            what: "the next queries overwrite those that are read",
            from: "tiles.queries(tile + 1), coming",
            to: "tiles.queries(tile), coming",
        },
        Mutant {
            what: "a column's number is taken for a row",
            from: "warp * 16 + lane / 4 + i % 4 / 2 * 8]",
            to: "warp * 16 + lane / 4 + i % 2 * 8]",
        },
        Mutant { what: "relevance where it is negative", from: "fmaxf(a * da, 0.0f) : rule", to: "a * da : rule" },
        Mutant {
            what: "values are taken for keys",
            from: "slope, left(1), tiles.stream(tile, 1)",
            to: "slope, left(0), tiles.stream(tile, 1)",
        },
    ];
    let shape = Shape { images: 1, tokens: 145, heads: 1, head_width: 64 };
    assert_caught(FILE, Storage::Bf16, &mutants, |library, schedule| backward(library, Storage::Bf16, shape, RowRule::Relevance, schedule));
}
