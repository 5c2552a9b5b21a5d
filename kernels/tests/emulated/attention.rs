//! Attention forward.

use std::ffi::c_void;

use kernels::Workspace;
use kernels::attention::{self, Shape};
use kernels::check::seeded;

use crate::SIZES;
use crate::emulator::{Launched, Library, Schedule};
use crate::memory::{Array, Gate, Storage, compare};
use crate::mutants::{Mutant, assert_caught, under_all_schedules};

const FILE: &str = "attention/cuda.cu";

#[repr(C)]
struct Forward {
    qkv: *const c_void,
    context: *mut c_void,
    log_sum_exp: *mut c_void,
    tokens: i32,
    heads: i32,
    scale: f32,
}

/// Queries, keys and values whose scores reach several units, so that the softmax matters.
pub fn inputs(shape: Shape, storage: Storage) -> Array {
    let values: Vec<f64> = seeded::<f64>(11, shape.qkv_len()).iter().map(|v| 2.0 * v).collect();
    Array::new(storage, &values)
}

/// Keys of a tile, as the kernels choose them.
pub fn keys(storage: Storage, head_width: usize) -> usize {
    match storage {
        Storage::F32 if head_width > 64 => 16,
        Storage::F32 => 32,
        _ => 64,
    }
}

/// Bytes of so many rows of shared memory.
pub fn tile_bytes(storage: Storage, head_width: usize, rows: usize) -> usize {
    let size = if storage == Storage::F32 { 4 } else { 2 };
    rows * (head_width * size + 16)
}

/// What turns scores into powers of two.
pub fn scale(shape: Shape) -> f32 {
    (std::f64::consts::LOG2_E / (shape.head_width as f64).sqrt()) as f32
}

fn forward(library: &Library, storage: Storage, shape: Shape, schedule: Schedule) -> Result<(), String> {
    let qkv = inputs(shape, storage);
    let (context, log_sum_exp) = (Array::poisoned(storage, shape.context_len()), Array::poisoned(Storage::F32, shape.log_sum_exp_len()));
    let (mut exact, mut exact_sums) = (vec![0.0; shape.context_len()], vec![0.0; shape.log_sum_exp_len()]);
    attention::forward(shape, &qkv.values(), &mut exact, &mut exact_sums, None, &mut Workspace::default()).expect("the shapes fit");
    let (tokens, heads) = (shape.tokens as i32, shape.heads as i32);
    let arguments = Forward { qkv: qkv.at(), context: context.at(), log_sum_exp: log_sum_exp.at(), tokens, heads, scale: scale(shape) };
    let grid = [shape.tokens.div_ceil(64), shape.heads, shape.images];
    let shared = tile_bytes(storage, shape.head_width, 64 + 4 * keys(storage, shape.head_width));
    library.run(&format!("attention_forward_{}", shape.head_width), Launched { grid, threads: 128, shared }, &arguments, schedule)?;
    compare("log_sum_exp", &log_sum_exp, &exact_sums, Storage::F32.gate())?;
    compare("context", &context, &exact, storage.gate())
}

/// Every count of tokens at heads of 64 values, and all other widths at a ragged one; f16 takes the way of bf16, so a few will do.
pub fn shapes(storage: Storage) -> Vec<Shape> {
    let counts = SIZES.into_iter().filter(|tokens| storage != Storage::F16 || [17, 65, 145].contains(tokens));
    let heads_of_64 = counts.map(|tokens| Shape { images: 1, tokens, heads: if tokens > 100 { 1 } else { 3 }, head_width: 64 });
    let others = [32, 80, 128].map(|head_width| Shape { images: 2, tokens: 70, heads: 2, head_width });
    heads_of_64.chain(others).collect()
}

#[test]
fn tokens_of_every_count() {
    for storage in Storage::ALL {
        let Some(library) = Library::of(FILE, storage) else { return };
        for shape in shapes(storage) {
            under_all_schedules(|schedule| forward(&library, storage, shape, schedule))
                .unwrap_or_else(|error| panic!("{storage:?}, {shape:?}: {error}"));
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
        Mutant { what: "copies are not waited for", from: "wait_for_copies<1>();", to: "" },
        Mutant {
            what: "one key too many",
            from: "hide_from<TILES>(a.tokens - tile * COUNT, scores)",
            to: "hide_from<TILES>(a.tokens - tile * COUNT + 1, scores)",
        },
        Mutant {
            what: "stages are swapped",
            from: "const storage *const keys = stages + tile % 2",
            to: "const storage *const keys = stages + (tile + 1) % 2",
        },
    ];
    let shape = Shape { images: 1, tokens: 145, heads: 2, head_width: 64 };
    assert_caught(FILE, Storage::Bf16, &mutants, |library, schedule| forward(library, Storage::Bf16, shape, schedule));
}
