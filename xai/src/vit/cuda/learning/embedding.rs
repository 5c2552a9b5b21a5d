//! The way back through the embedding: positions, the tokens before the patches, and what makes vectors of patches.

use kernels::cuda::Fault;
use kernels::layer_norm::cuda::column_sums;

use super::Learning;
use super::places::Lying;
use crate::vit::cuda::forward::Run;
use crate::vit::cuda::places::Sizes;

/// A token tensor, which of the tokens it is first, and how many it is.
pub(super) type Special = (&'static str, usize, usize);

impl Learning {
    /// The tensors of the tokens before the patches, in their order.
    pub(super) fn special_tokens(&self) -> Vec<Special> {
        let tokens = self.model.config.special_tokens;
        let counts = [
            ("cls_token", usize::from(tokens.cls)),
            ("distillation_token", usize::from(tokens.distillation)),
            ("register_tokens", tokens.registers),
        ];
        let mut first = 0;
        let tensor = |(name, count): (&'static str, usize)| {
            first += count;
            (count > 0).then_some((name, first - count, count))
        };
        counts.into_iter().filter_map(tensor).collect()
    }

    pub(super) fn embedding_backward(&self, run: &Run, lying: &Lying) -> Result<(), Fault> {
        let (back, Sizes { extent, patches, storage, config, .. }) = (&lying.back, run.sizes);
        let (images, width, special) = (extent.images, extent.width, extent.tokens - patches.count());
        let positions = self.gradient_of("position_embeddings");
        let sums = |count: usize, from, to| column_sums(run.queue, *storage, (images, count * width), (from, to), back.partials);
        for (name, first, count) in self.special_tokens() {
            run.cut((back.dx, extent.tokens), (back.dspecial, count), first, width)?;
            sums(count, back.dspecial, self.gradient_of(name))?;
            if first < config.positioned() {
                sums(count, back.dspecial, positions.plus(4 * first * width))?;
            }
        }
        run.cut((back.dx, extent.tokens), (back.dembedded, patches.count()), special, width)?;
        sums(patches.count(), back.dembedded, positions.plus(4 * config.positioned() * width))?;
        let (rows, places) = (run.sizes.patch_rows(), (back.dembedded, lying.passing.patches[0]));
        self.of_layer(run, *storage, "patch_embedding", run.on.patch, places, (rows, back.partials))
    }
}
