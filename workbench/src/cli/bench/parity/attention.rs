//! Attention: forward, fused maps, and the way back with the relevance row.

use kernels::Workspace;
use kernels::attention::cuda::{self, AttentionForward, AttentionMap, Backward, Row};
use kernels::attention::{self, Forward, HeadFusion, ReadOuts, RowRule, Shape};
use kernels::cuda::{Fault, Storage};

use super::products::refused;
use super::{Lab, limit};
use crate::cli::bench::arrays::Array;
use crate::cli::bench::gates::{Gates, off};

/// Widths of heads that kernels have; every size takes one of them in its turn.
const WIDTHS: [usize; 4] = [64, 80, 32, 128];

fn shape(lab: &Lab, tokens: usize) -> Shape {
    let head_width = if lab.quick { 32 } else { WIDTHS[tokens % 4] };
    Shape { images: 2, tokens, heads: if lab.quick { 2 } else { 3 }, head_width }
}

/// Queries, keys and values whose scores reach several units, and what attention makes of them.
pub struct Given {
    pub shape: Shape,
    pub qkv: (Array, Vec<f64>),
    pub context: Vec<f64>,
    pub sums: Vec<f64>,
}

impl Given {
    pub fn new(lab: &Lab, tokens: usize) -> Result<Self, Fault> {
        let shape = shape(lab, tokens);
        let values: Vec<f64> = lab.numbers(11, shape.qkv_len()).iter().map(|value| 2.0 * value).collect();
        let qkv = lab.memory.put(lab.storage, &values)?;
        let (mut context, mut sums) = (vec![0.0; shape.context_len()], vec![0.0; shape.log_sum_exp_len()]);
        attention::forward(shape, &qkv.1, &mut context, &mut sums, None, &mut Workspace::default()).map_err(refused)?;
        Ok(Self { shape, qkv, context, sums })
    }

    pub fn what(&self, of: &str) -> String {
        format!("{of} of {} tokens in heads of {}", self.shape.tokens, self.shape.head_width)
    }
}

/// Context, log-sum-exp, and maps of every fusion, whose rows sum to one where heads are averaged.
pub fn forward_and_map(lab: &Lab, tokens: usize, gates: &mut Gates) -> Result<(), Fault> {
    let given = Given::new(lab, tokens)?;
    let Given { shape, qkv, .. } = &given;
    let queue = &*lab.memory.queue;
    let (context, sums) =
        (lab.memory.poisoned(lab.storage, shape.context_len())?, lab.memory.poisoned(Storage::F32, shape.log_sum_exp_len())?);
    let [count, heads] = [shape.tokens, shape.heads].map(|n| n as i32);
    let scale = cuda::scale(shape.head_width);
    let [qkv_at, context_at, sums_at] = [&qkv.0, &context, &sums].map(Array::at);
    let arguments = AttentionForward { qkv: qkv_at, context: context_at, log_sum_exp: sums_at, tokens: count, heads, scale };
    cuda::forward(queue, lab.storage, *shape, arguments)?;
    gates.at_most(given.what("context"), lab.storage, lab.limit(), off(&lab.memory.read(&context)?, &given.context));
    gates.at_most(given.what("log-sum-exp"), lab.storage, limit(Storage::F32), off(&lab.memory.read(&sums)?, &given.sums));
    for fusion in [HeadFusion::Mean, HeadFusion::Max, HeadFusion::Min] {
        let (map, mut exact) = (lab.memory.poisoned(lab.storage, shape.fused_len())?, vec![0.0; shape.fused_len()]);
        let (map_at, fusion_) = (map.at(), cuda::code(fusion));
        let arguments = AttentionMap { qkv: qkv_at, log_sum_exp: sums_at, map: map_at, tokens: count, heads, scale, fusion: fusion_ };
        cuda::fused_map(queue, lab.storage, *shape, arguments)?;
        attention::fused_map(*shape, &qkv.1, fusion, &mut exact, &mut Workspace::default()).map_err(refused)?;
        let found = lab.memory.read(&map)?;
        gates.at_most(given.what(&format!("{fusion:?} map")), lab.storage, lab.limit(), off(&found, &exact));
        if fusion == HeadFusion::Mean {
            rows_sum_to_one(lab, &given, &found, gates);
        }
    }
    Ok(())
}

/// The rows of a mean over heads.
pub fn rows_sum_to_one(lab: &Lab, given: &Given, map: &[f64], gates: &mut Gates) {
    let tokens = given.shape.tokens;
    let limit = match lab.storage {
        Storage::F32 => 1e-6,
        // Half a unit of the last place of each value; in longer rows they cancel each other.
        Storage::Bf16 | Storage::F16 if tokens < 64 => 4e-3,
        Storage::Bf16 | Storage::F16 => 2e-3,
    };
    let off = map.chunks(tokens).map(|row| (row.iter().sum::<f64>() - 1.0).abs());
    let most = off.fold(0.0, |most: f64, off| if off > most || off.is_nan() { off } else { most });
    gates.at_most(given.what("rows of the map, less one"), lab.storage, limit, most);
}

/// Gradients, and the row with its step.
pub fn backward(lab: &Lab, tokens: usize, gates: &mut Gates) -> Result<(), Fault> {
    const UNSCALE: f32 = 0.25;
    let given = Given::new(lab, tokens)?;
    let Given { shape, qkv, context, sums } = &given;
    let Shape { images, heads, .. } = *shape;
    let put = |storage, values: &[f64]| lab.memory.put(storage, values);
    let row: Vec<f64> = lab.numbers(13, images * tokens).iter().map(|value| value.abs()).collect();
    let [context, dcontext] = [put(lab.storage, context)?, put(lab.storage, &lab.numbers(12, shape.context_len()))?];
    let [sums, row] = [put(Storage::F32, sums)?, put(Storage::F32, &row)?];
    let singles = |count| lab.memory.poisoned(Storage::F32, count);
    let [dots, steps, next] = [singles(images * tokens * heads)?, singles(images * tokens * heads)?, singles(images * tokens)?];
    let dqkv = lab.memory.poisoned(lab.storage, shape.qkv_len())?;
    let of_row = Row { rule: RowRule::Relevance, at: row.0.at(), steps: steps.at(), base: row.0.at(), next: next.at(), unscale: UNSCALE };
    let arguments = Backward {
        qkv: qkv.0.at(),
        context: context.0.at(),
        dcontext: dcontext.0.at(),
        log_sum_exp: sums.0.at(),
        dots: dots.at(),
        dqkv: dqkv.at(),
        scale: cuda::scale(shape.head_width),
        row: Some(of_row),
    };
    cuda::backward(&*lab.memory.queue, lab.storage, *shape, arguments)?;
    let (mut exact, mut step) = (vec![0.0; shape.qkv_len()], vec![0.0; images * tokens]);
    let forward = Forward { qkv: &qkv.1, log_sum_exp: &sums.1, context: &context.1 };
    let read_outs = ReadOuts { row: &row.1, row_step: &mut step, ..ReadOuts::default() };
    attention::backward(*shape, forward, &dcontext.1, &mut exact, read_outs, &mut Workspace::default()).map_err(refused)?;
    let moved: Vec<f64> = row.1.iter().zip(step).map(|(row, step)| row + f64::from(UNSCALE) * step).collect();
    gates.at_most(given.what("gradients"), lab.storage, lab.limit(), off(&lab.memory.read(&dqkv)?, &exact));
    gates.at_most(given.what("relevance row"), lab.storage, lab.limit(), off(&lab.memory.read(&next)?, &moved));
    Ok(())
}
