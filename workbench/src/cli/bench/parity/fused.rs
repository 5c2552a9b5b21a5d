//! Attention that makes its map on the way.

use kernels::Workspace;
use kernels::attention::cuda::{self, AttentionFused, Chip, MapLaunch, forward_with_map};
use kernels::attention::{self, HeadFusion};
use kernels::cuda::{Fault, Storage};

use super::attention::{Given, rows_sum_to_one};
use super::products::refused;
use super::{Lab, limit};
use crate::cli::bench::gates::{Gates, off};

/// Context, log-sum-exp and map of one launch, where a block has room for them.
pub fn on_the_way(lab: &Lab, tokens: usize, gates: &mut Gates) -> Result<(), Fault> {
    let given = Given::new(lab, tokens)?;
    let (shape, queue) = (given.shape, &*lab.memory.queue);
    let Some(queries) = queries(lab, &given) else { return Ok(()) };
    for fusion in [HeadFusion::Mean, HeadFusion::Max, HeadFusion::Min] {
        let room = |storage, count| lab.memory.poisoned(storage, count);
        let [context, map] = [room(lab.storage, shape.context_len())?, room(lab.storage, shape.fused_len())?];
        let sums = room(Storage::F32, shape.log_sum_exp_len())?;
        let [count, heads] = [shape.tokens, shape.heads].map(|n| n as i32);
        let arguments = AttentionFused {
            qkv: given.qkv.0.at(),
            context: context.at(),
            log_sum_exp: sums.at(),
            map: map.at(),
            tokens: count,
            heads,
            scale: cuda::scale(shape.head_width),
            fusion: cuda::code(fusion),
        };
        forward_with_map(queue, lab.storage, shape, queries, arguments)?;
        let mut exact = vec![0.0; shape.fused_len()];
        attention::fused_map(shape, &given.qkv.1, fusion, &mut exact, &mut Workspace::default()).map_err(refused)?;
        let (found, what) = (lab.memory.read(&map)?, |of: &str| given.what(&format!("{of} beside a {fusion:?} map on the way")));
        gates.at_most(what("context"), lab.storage, lab.limit(), off(&lab.memory.read(&context)?, &given.context));
        gates.at_most(what("log-sum-exp"), lab.storage, limit(Storage::F32), off(&lab.memory.read(&sums)?, &given.sums));
        gates.at_most(given.what(&format!("{fusion:?} map on the way")), lab.storage, lab.limit(), off(&found, &exact));
        if fusion == HeadFusion::Mean {
            rows_sum_to_one(lab, &given, &found, gates);
        }
    }
    Ok(())
}

/// Queries that a block has room for, were there a single multiprocessor.
fn queries(lab: &Lab, given: &Given) -> Option<usize> {
    let chip = Chip { multiprocessors: 1, ..Chip::of(&*lab.memory.queue) };
    match MapLaunch::of(chip, lab.storage, given.shape) {
        MapLaunch::Fused { queries } => Some(queries),
        MapLaunch::Branch | MapLaunch::Apart => None,
    }
}
