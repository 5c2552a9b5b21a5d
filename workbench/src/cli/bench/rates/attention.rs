//! Attention of the models: forward, fused map, and the way back with the relevance row.

use kernels::attention::cuda::{self, AttentionForward, AttentionFused, AttentionMap, Backward, Chip, MapLaunch, Row};
use kernels::attention::{HeadFusion, RowRule, Shape};
use kernels::cuda::{Address, Fault, Storage};

use super::{Model, Plan, Rate, fill, rounds, timed};

pub fn rates(plan: &Plan, found: &mut Vec<Rate>) -> Result<(), Fault> {
    for &storage in plan.storages {
        for model in plan.models {
            for &images in plan.batches {
                let config = &model.config;
                let Some(head_width) = cuda::filled_width(config.head_width()) else { continue };
                let shape = Shape { images, tokens: model.tokens(), heads: config.num_attention_heads, head_width };
                of(plan, storage, model, shape, found)?;
            }
        }
    }
    Ok(())
}

/// Where the numbers of all three lie.
struct Places {
    qkv: Address,
    context: Address,
    dcontext: Address,
    log_sum_exp: Address,
    dots: Address,
    row_steps: Address,
    rows: [Address; 2],
    dqkv: Address,
    map: Address,
}

fn of(plan: &Plan, storage: Storage, model: &Model, shape: Shape, found: &mut Vec<Rate>) -> Result<(), Fault> {
    let values = |count: usize| (count * storage.bytes()).next_multiple_of(256);
    let singles = |count: usize| (4 * count).next_multiple_of(256);
    let (line, sums) = (singles(shape.images * shape.tokens), singles(shape.log_sum_exp_len()));
    let (qkv, context) = (values(shape.qkv_len()), values(shape.context_len()));
    let bytes = [qkv, context, context, sums, sums, sums, line, line, qkv, values(shape.fused_len())];
    let room = plan.memory.room(bytes.iter().sum())?;
    let mut at = room.at();
    let [qkv, context, dcontext, log_sum_exp, dots, row_steps, row, next, dqkv, map] = bytes.map(|bytes| {
        let here = at;
        at = at.plus(bytes);
        here
    });
    let places = Places { qkv, context, dcontext, log_sum_exp, dots, row_steps, rows: [row, next], dqkv, map };
    fill(plan, storage, qkv, shape.qkv_len())?;
    fill(plan, storage, dcontext, shape.context_len())?;
    fill(plan, Storage::F32, row, shape.images * shape.tokens)?;
    // Two products of N × N × width for each image; the map has one of them, the way back five.
    let config = &model.config;
    let product = 2.0 * shape.images as f64 * (shape.tokens * shape.tokens * config.num_attention_heads * config.head_width()) as f64;
    let sizes = || vec![shape.images, shape.tokens, shape.heads, config.head_width()];
    for (name, products, run) in [
        ("attention", 2.0, forward as fn(&Plan, Storage, Shape, &Places) -> _),
        ("attention map", 1.0, map_of),
        ("attention back", 5.0, backward),
    ] {
        let milliseconds = timed(plan, rounds(products * product), &|_| run(plan, storage, shape, &places))?;
        found.push(Rate::teraflops(name, storage, sizes(), products * product, milliseconds));
    }
    if let Some(queries) = queries(plan, storage, shape) {
        let milliseconds = timed(plan, rounds(2.0 * product), &|_| with_map(plan, storage, shape, queries, &places))?;
        found.push(Rate::teraflops("attention with its map", storage, sizes(), 2.0 * product, milliseconds));
    }
    Ok(())
}

fn forward(plan: &Plan, storage: Storage, shape: Shape, places: &Places) -> Result<(), Fault> {
    let Places { qkv, context, log_sum_exp, .. } = *places;
    let (tokens, heads, scale) = (shape.tokens as i32, shape.heads as i32, cuda::scale(shape.head_width));
    cuda::forward(&*plan.memory.queue, storage, shape, AttentionForward { qkv, context, log_sum_exp, tokens, heads, scale })
}

fn map_of(plan: &Plan, storage: Storage, shape: Shape, places: &Places) -> Result<(), Fault> {
    let Places { qkv, log_sum_exp, map, .. } = *places;
    let (tokens, heads, scale) = (shape.tokens as i32, shape.heads as i32, cuda::scale(shape.head_width));
    let fusion = cuda::code(HeadFusion::Mean);
    cuda::fused_map(&*plan.memory.queue, storage, shape, AttentionMap { qkv, log_sum_exp, map, tokens, heads, scale, fusion })
}

/// Queries that a block of the kernel with its map has room for, however few blocks there are.
fn queries(plan: &Plan, storage: Storage, shape: Shape) -> Option<usize> {
    let chip = Chip { multiprocessors: 1, ..Chip::of(&*plan.memory.queue) };
    match MapLaunch::of(chip, storage, shape) {
        MapLaunch::Fused { queries } => Some(queries),
        MapLaunch::Branch | MapLaunch::Apart => None,
    }
}

fn with_map(plan: &Plan, storage: Storage, shape: Shape, queries: usize, places: &Places) -> Result<(), Fault> {
    let Places { qkv, context, log_sum_exp, map, .. } = *places;
    let (tokens, heads, scale) = (shape.tokens as i32, shape.heads as i32, cuda::scale(shape.head_width));
    let fusion = cuda::code(HeadFusion::Mean);
    let arguments = AttentionFused { qkv, context, log_sum_exp, map, tokens, heads, scale, fusion };
    cuda::forward_with_map(&*plan.memory.queue, storage, shape, queries, arguments)
}

fn backward(plan: &Plan, storage: Storage, shape: Shape, places: &Places) -> Result<(), Fault> {
    let Places { qkv, context, dcontext, log_sum_exp, dots, row_steps, rows: [row, next_row], dqkv, .. } = *places;
    let row = Some(Row { rule: RowRule::Relevance, at: row, steps: row_steps, base: row, next: next_row, unscale: 1.0 });
    let scale = cuda::scale(shape.head_width);
    let arguments = Backward { qkv, context, dcontext, log_sum_exp, dots, dqkv, scale, row };
    cuda::backward(&*plan.memory.queue, storage, shape, arguments)
}
