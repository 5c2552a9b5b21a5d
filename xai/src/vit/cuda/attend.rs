//! A block up to its attention, and the maps that it leaves on the way, beside it or behind it.

use kernels::attention::HeadFusion;
use kernels::attention::cuda::{self as attention, AttentionForward, AttentionFused, AttentionMap, Chip, MapLaunch};
use kernels::cuda::{Address, Fault};
use kernels::linear::cuda::Then;

use super::forward::{Passing, Run};
use super::places::Tape;
use super::weights::BlockOnDevice;

impl Run<'_> {
    /// The block up to its attention; `map` is where the map of all heads goes, if there is to be one.
    pub fn attend(&self, block: &BlockOnDevice, tape: &Tape, passing: &Passing, map: Option<(HeadFusion, Address)>) -> Result<(), Fault> {
        let (rows, extent, storage) = (self.sizes.rows(), self.sizes.extent, self.sizes.storage);
        self.norm(block.norm1, (rows, extent.width), (tape.input, passing.normed))?;
        // The block before may still have a map on a branch, made of what is written now.
        self.queue.join()?;
        self.forward(storage, passing.normed, block.qkv, rows, Then::Store { to: tape.qkv, residual: Address::NONE })?;
        let Some((fusion, map)) = map else { return self.context(tape) };
        match MapLaunch::of(Chip::of(self.queue), storage, self.sizes.attention()) {
            MapLaunch::Fused { queries } => self.context_with_map(tape, queries, fusion, map),
            MapLaunch::Apart => {
                self.context(tape)?;
                self.fused_map(tape, fusion, map)
            }
            MapLaunch::Branch => {
                // The map needs the log-sum-exp, so it begins behind the context, and has the rest of the block to hide under.
                self.context(tape)?;
                self.queue.fork(&mut || self.fused_map(tape, fusion, map))
            }
        }
    }

    fn context(&self, tape: &Tape) -> Result<(), Fault> {
        let (Tape { qkv, context, log_sum_exp, .. }, (tokens, heads, scale)) = (*tape, self.of_attention());
        let arguments = AttentionForward { qkv, context, log_sum_exp, tokens, heads, scale };
        attention::forward(self.queue, self.sizes.storage, self.sizes.attention(), arguments)
    }

    fn context_with_map(&self, tape: &Tape, queries: usize, fusion: HeadFusion, map: Address) -> Result<(), Fault> {
        let (Tape { qkv, context, log_sum_exp, .. }, (tokens, heads, scale)) = (*tape, self.of_attention());
        let arguments = AttentionFused { qkv, context, log_sum_exp, map, tokens, heads, scale, fusion: attention::code(fusion) };
        attention::forward_with_map(self.queue, self.sizes.storage, self.sizes.attention(), queries, arguments)
    }

    pub fn fused_map(&self, tape: &Tape, fusion: HeadFusion, map: Address) -> Result<(), Fault> {
        let (Tape { qkv, log_sum_exp, .. }, (tokens, heads, scale)) = (*tape, self.of_attention());
        let arguments = AttentionMap { qkv, log_sum_exp, map, tokens, heads, scale, fusion: attention::code(fusion) };
        attention::fused_map(self.queue, self.sizes.storage, self.sizes.attention(), arguments)
    }

    /// Tokens, heads, and the factor of scores.
    fn of_attention(&self) -> (i32, i32, f32) {
        let extent = self.sizes.extent;
        (extent.tokens as i32, extent.heads as i32, attention::scale(extent.head_width))
    }
}
