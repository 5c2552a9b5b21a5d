//! Attention on architectures before `sm_80`: shuffles in the place of tensor cores, or those of `sm_75`, and tiles that fit its 64 KiB of
//! shared memory, which the emulated device holds launches to.

use kernels::Workspace;
use kernels::attention::cuda::{self, AttentionForward, AttentionMap, Backward, Chip, MapLaunch};
use kernels::attention::{self, Forward, Fused, HeadFusion, ReadOuts, Shape};
use kernels::check::seeded;
use kernels::cuda::{Fault, shared_memory};

use crate::attention::inputs;
use crate::emulator::{Library, Schedule, source};
use crate::memory::{Array, Gate, Storage, compare};
use crate::mutants::under_all_schedules;
use crate::queue::Emulated;

/// What the twin makes of the inputs.
struct Exact {
    context: Vec<f64>,
    log_sum_exp: Vec<f64>,
    map: Vec<f64>,
}

fn exact(shape: Shape, qkv: &Array) -> Exact {
    let (mut context, mut log_sum_exp) = (vec![0.0; shape.context_len()], vec![0.0; shape.log_sum_exp_len()]);
    let mut map = vec![0.0; shape.fused_len()];
    let fused = Fused { fusion: HeadFusion::Mean, map: &mut map };
    attention::forward(shape, &qkv.values(), &mut context, &mut log_sum_exp, Some(fused), &mut Workspace::default())
        .expect("the shapes fit");
    Exact { context, log_sum_exp, map }
}

fn forward_and_map(queue: &Emulated, storage: Storage, shape: Shape) -> Result<(), String> {
    let refused = |fault: Fault| fault.to_string();
    let (qkv, [tokens, heads]) = (inputs(shape, storage), [shape.tokens, shape.heads].map(|n| n as i32));
    let (exact, scale) = (exact(shape, &qkv), cuda::scale(shape.head_width));
    let (context, map) = (Array::poisoned(storage, shape.context_len()), Array::poisoned(storage, shape.fused_len()));
    let sums = Array::poisoned(Storage::F32, shape.log_sum_exp_len());
    let (qkv, log_sum_exp) = (qkv.address(), sums.address());
    let arguments = AttentionForward { qkv, context: context.address(), log_sum_exp, tokens, heads, scale };
    cuda::forward(queue, storage, shape, arguments).map_err(refused)?;
    compare("log_sum_exp", &sums, &exact.log_sum_exp, Storage::F32.gate())?;
    compare("context", &context, &exact.context, storage.gate())?;
    let arguments = AttentionMap { qkv, log_sum_exp, map: map.address(), tokens, heads, scale, fusion: cuda::code(HeadFusion::Mean) };
    cuda::fused_map(queue, storage, shape, arguments).map_err(refused)?;
    compare("map", &map, &exact.map, storage.gate())
}

fn backward(queue: &Emulated, storage: Storage, shape: Shape) -> Result<(), String> {
    let qkv = inputs(shape, storage);
    let Exact { context, log_sum_exp, .. } = exact(shape, &qkv);
    let (context, sums) = (Array::new(storage, &context), Array::new(Storage::F32, &log_sum_exp));
    let dcontext = Array::new(storage, &seeded::<f64>(12, shape.context_len()));
    let mut exact_dqkv = vec![0.0; shape.qkv_len()];
    let (values, of_context) = (qkv.values(), context.values());
    let forward = Forward { qkv: &values, log_sum_exp: &log_sum_exp, context: &of_context };
    attention::backward(shape, forward, &dcontext.values(), &mut exact_dqkv, ReadOuts::default(), &mut Workspace::default())
        .expect("the shapes fit");
    let (dots, dqkv) = (Array::poisoned(Storage::F32, shape.log_sum_exp_len()), Array::poisoned(storage, shape.qkv_len()));
    let arguments = Backward {
        qkv: qkv.address(),
        context: context.address(),
        dcontext: dcontext.address(),
        log_sum_exp: sums.address(),
        dots: dots.address(),
        dqkv: dqkv.address(),
        scale: cuda::scale(shape.head_width),
        row: None,
    };
    cuda::backward(queue, storage, shape, arguments).map_err(|fault| fault.to_string())?;
    compare("dqkv", &dqkv, &exact_dqkv, 2.0 * storage.gate())
}

/// Forward and map under every schedule, backward under the one that finds most.
fn attention_on(capability: u32, storage: Storage, schedule: Schedule) -> Result<(), String> {
    let Some(queue) = Emulated::new(schedule).map(|queue| queue.of_capability(capability)) else { return Ok(()) };
    for (tokens, head_width) in [(17, 32), (65, 64), (33, 80), (70, 128)] {
        let shape = Shape { images: 1, tokens, heads: 2, head_width };
        let what = |error| format!("sm_{capability}, {storage}, {shape:?}: {error}");
        forward_and_map(&queue, storage, shape).map_err(what)?;
        if matches!(schedule, Schedule::Backward) {
            backward(&queue, storage, shape).map_err(what)?;
        }
    }
    Ok(())
}

#[test]
fn attention_with_shuffles() {
    for storage in [Storage::F32, Storage::F16] {
        under_all_schedules(|schedule| attention_on(70, storage, schedule)).unwrap();
    }
}

#[test]
fn attention_with_the_instructions_of_turing() {
    under_all_schedules(|schedule| attention_on(75, Storage::F16, schedule)).unwrap();
    // Its modules of f32 are those of sm_70, under its own limit of shared memory.
    attention_on(75, Storage::F32, Schedule::Backward).unwrap();
}

/// What is later loads the same modules of f16, and has to launch them with the same tiles.
#[test]
fn halves_are_those_of_turing_on_whatever_follows_it() {
    for capability in [80, 90] {
        attention_on(capability, Storage::F16, Schedule::Backward).unwrap();
        let shape = Shape { images: 64, tokens: 145, heads: 12, head_width: 64 };
        let of = |storage| MapLaunch::of(Chip { capability, multiprocessors: 8, shared: shared_memory(capability) }, storage, shape);
        assert!(matches!((of(Storage::F16), of(Storage::Bf16)), (MapLaunch::Apart, MapLaunch::Fused { .. })));
        assert!(Library::of_architecture("attention/cuda_fused.cu", Storage::F16, capability).is_none());
    }
}

#[test]
fn halves_of_registers_that_are_swapped_show() {
    let file = "attention/cuda.cu";
    let swapped = "static void swapped(float* c, const unsigned* a, const unsigned* b) { const unsigned turned[] = {a[1], a[0]}; \
                   mma_f16_of_8(c, turned, b); }";
    let first = format!("#define VOLTA\n#define TURING\n#include \"../../emulator/cuda.h\"\n{swapped}\n#define mma_f16_of_8 swapped\n");
    let text = first + &source(file);
    let Some(library) = Library::compile(file, &text, Storage::F16) else { return };
    let queue = Emulated::new(Schedule::Forward).expect("there is a compiler").of_capability(75);
    queue.replace(file, Storage::F16, library);
    let shape = Shape { images: 1, tokens: 65, heads: 1, head_width: 64 };
    assert!(forward_and_map(&queue, Storage::F16, shape).is_err());
}
