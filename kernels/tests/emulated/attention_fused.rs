//! Attention forward with its fused map on the way.

use kernels::Workspace;
use kernels::attention::cuda::{AttentionFused, code, forward_with_map};
use kernels::attention::{self, Fused, HeadFusion, Shape};

use crate::SIZES;
use crate::attention::{inputs, scale};
use crate::emulator::Library;
use crate::memory::{Array, Gate, Storage, compare};
use crate::mutants::{Mutant, assert_caught_on, under_all_schedules};
use crate::queue::Emulated;

const FILE: &str = "attention/cuda_fused.cu";

fn forward(queue: &Emulated, storage: Storage, shape: Shape, queries: usize, fusion: HeadFusion) -> Result<(), String> {
    let qkv = inputs(shape, storage);
    let (mut exact, mut exact_sums, mut exact_map) =
        (vec![0.0; shape.context_len()], vec![0.0; shape.log_sum_exp_len()], vec![0.0; shape.fused_len()]);
    let fused = Fused { fusion, map: &mut exact_map };
    attention::forward(shape, &qkv.values(), &mut exact, &mut exact_sums, Some(fused), &mut Workspace::default()).expect("the shapes fit");
    let (context, map) = (Array::poisoned(storage, shape.context_len()), Array::poisoned(storage, shape.fused_len()));
    let log_sum_exp = Array::poisoned(Storage::F32, shape.log_sum_exp_len());
    let arguments = AttentionFused {
        qkv: qkv.address(),
        context: context.address(),
        log_sum_exp: log_sum_exp.address(),
        map: map.address(),
        tokens: shape.tokens as i32,
        heads: shape.heads as i32,
        scale: scale(shape),
        fusion: code(fusion),
    };
    forward_with_map(queue, storage, shape, queries, arguments).map_err(|fault| fault.to_string())?;
    compare("log_sum_exp", &log_sum_exp, &exact_sums, Storage::F32.gate())?;
    compare("context", &context, &exact, storage.gate())?;
    compare(&format!("{fusion:?} map"), &map, &exact_map, storage.gate())
}

/// Every count of tokens that a kernel holds, at every count of queries; every width, with both kernels of each.
fn shapes(storage: Storage) -> Vec<(Shape, usize, HeadFusion)> {
    let shape =
        |tokens, head_width| Shape { images: if tokens < 64 { 2 } else { 1 }, tokens, heads: if tokens > 100 { 2 } else { 3 }, head_width };
    let most = if storage == Storage::F32 { 320 } else { 640 };
    let counts = SIZES.into_iter().filter(|tokens| *tokens <= most && (storage != Storage::F16 || [17, 65, 145].contains(tokens)));
    let turns = [(64, HeadFusion::Mean), (32, HeadFusion::Max), (16, HeadFusion::Min)].into_iter().cycle();
    let heads_of_64 = counts.zip(turns).map(|(tokens, (queries, fusion))| (shape(tokens, 64), queries, fusion));
    let others =
        [32, 80, 128].into_iter().flat_map(|width| [(shape(33, width), 64, HeadFusion::Mean), (shape(70, width), 16, HeadFusion::Max)]);
    // In f32 registers hold no more tokens of the widest heads than the short kernel does.
    let (long, wide) = if storage == Storage::F32 { (161, 80) } else { (321, 128) };
    let longer = [(shape(long, 32), 64, HeadFusion::Min), (shape(long, wide), 32, HeadFusion::Mean)];
    heads_of_64.chain(others).chain(longer.into_iter().filter(|_| storage != Storage::F16)).collect()
}

#[test]
fn tokens_of_every_count() {
    under_all_schedules(|schedule| {
        let Some(queue) = Emulated::new(schedule) else { return Ok(()) };
        // No device loads it in f16, where it takes the way of bf16.
        Library::of(FILE, Storage::F16).into_iter().for_each(|library| queue.replace(FILE, Storage::F16, library));
        for storage in Storage::ALL {
            for (shape, queries, fusion) in shapes(storage) {
                forward(&queue, storage, shape, queries, fusion)
                    .map_err(|error| format!("{storage:?}, {shape:?}, {queries} queries: {error}"))?;
            }
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn mutants_are_caught() {
    let mutants = [
        Mutant { what: "nobody waits for a stage", from: "__syncthreads();  // every thread's part of this stage has landed", to: "" },
        Mutant {
            what: "a stage is filled while it is read",
            from: "__syncthreads();  // all have read this stage before it is filled again",
            to: "",
        },
        Mutant { what: "a half's softmax is not waited for", from: "__syncthreads();  // both halves' softmaxes are there", to: "" },
        Mutant { what: "a half's context is not waited for", from: "__syncthreads();  // the second halves' contexts are there", to: "" },
        Mutant {
            what: "a stage is filled while contexts are in it",
            from: "__syncthreads();  // the contexts were read before their place is filled again",
            to: "",
        },
        Mutant { what: "one key too many", from: "hide_from<TILES>(there, scores)", to: "hide_from<TILES>(there + 1, scores)" },
        Mutant {
            what: "a level of another row",
            from: "power_of_two(levels[stage][i] - log_sum_exp[i])",
            to: "power_of_two(levels[stage][1 - i] - log_sum_exp[i])",
        },
    ];
    let shape = Shape { images: 1, tokens: 145, heads: 3, head_width: 64 };
    assert_caught_on(FILE, Storage::Bf16, &mutants, |queue| forward(queue, Storage::Bf16, shape, 64, HeadFusion::Mean));
}
