//! The fused map of attention.

use std::ffi::c_void;

use kernels::Workspace;
use kernels::attention::{self, Fused, HeadFusion, Shape};

use crate::attention::{inputs, keys, scale, shapes, tile_bytes};
use crate::emulator::{Launched, Library, Schedule};
use crate::memory::{Array, Gate, Storage, compare};
use crate::mutants::{Mutant, assert_caught, under_all_schedules};

const FILE: &str = "attention/cuda_map.cu";

#[repr(C)]
struct Map {
    qkv: *const c_void,
    log_sum_exp: *const c_void,
    map: *mut c_void,
    tokens: i32,
    heads: i32,
    scale: f32,
    fusion: i32,
}

fn fused_map(library: &Library, storage: Storage, shape: Shape, schedule: Schedule) -> Result<(), String> {
    let qkv = inputs(shape, storage);
    let (mut context, mut sums) = (vec![0.0; shape.context_len()], vec![0.0; shape.log_sum_exp_len()]);
    for (code, fusion) in [HeadFusion::Mean, HeadFusion::Max, HeadFusion::Min].into_iter().enumerate() {
        let mut exact = vec![0.0; shape.fused_len()];
        let fused = Fused { fusion, map: &mut exact };
        attention::forward(shape, &qkv.values(), &mut context, &mut sums, Some(fused), &mut Workspace::default()).expect("the shapes fit");
        let (log_sum_exp, map) = (Array::new(Storage::F32, &sums), Array::poisoned(storage, shape.fused_len()));
        let arguments = Map {
            qkv: qkv.at(),
            log_sum_exp: log_sum_exp.at(),
            map: map.at(),
            tokens: shape.tokens as i32,
            heads: shape.heads as i32,
            scale: scale(shape),
            fusion: code as i32,
        };
        let keys = keys(storage, shape.head_width);
        let grid = [shape.tokens.div_ceil(64), shape.tokens.div_ceil(keys), shape.images];
        let how = Launched { grid, threads: 128, shared: tile_bytes(storage, shape.head_width, 2 * (64 + keys)) };
        library.run(&format!("attention_map_{}", shape.head_width), how, &arguments, schedule)?;
        compare(&format!("{fusion:?} map"), &map, &exact, storage.gate())?;
    }
    Ok(())
}

#[test]
fn tokens_of_every_count() {
    for storage in Storage::ALL {
        let Some(library) = Library::of(FILE, storage) else { return };
        for shape in shapes(storage) {
            under_all_schedules(|schedule| fused_map(&library, storage, shape, schedule))
                .unwrap_or_else(|error| panic!("{storage:?}, {shape:?}: {error}"));
        }
    }
}

#[test]
fn mutants_are_caught() {
    let mutants = [
        Mutant { what: "nobody waits for a head", from: "__syncthreads();  // every thread's part of this head has landed", to: "" },
        Mutant {
            what: "a stage is filled while it is read",
            from: "__syncthreads();  // all have read this stage before it is filled again",
            to: "",
        },
        Mutant { what: "one column too many", from: "column < a.tokens)", to: "column <= a.tokens)" },
        Mutant {
            what: "rows of another warp",
            from: "queries + warp * 16 * STRIDE<WIDTH>",
            to: "queries + (warp ^ 1) * 16 * STRIDE<WIDTH>",
        },
    ];
    let shape = Shape { images: 1, tokens: 65, heads: 3, head_width: 64 };
    assert_caught(FILE, Storage::Bf16, &mutants, |library, schedule| fused_map(library, Storage::Bf16, shape, schedule));
}
