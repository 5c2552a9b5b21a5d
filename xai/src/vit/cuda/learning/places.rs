//! Where a step keeps its numbers: one region, taken for each lesson and given back after it.

use kernels::cuda::Address;
use kernels::layer_norm::cuda::partials;

use super::head::LearningHead;
use crate::vit::cuda::forward::Passing;
use crate::vit::cuda::places::{Kept, Places, Sizes};
use crate::vit::cuda::weights::OnDevice;

/// All of it.
#[derive(Debug)]
pub(super) struct Lying {
    pub kept: Kept,
    pub passing: Passing,
    pub head: OfHead,
    pub back: Back,
}

/// The head's numbers, all of them f32.
#[derive(Debug)]
pub(super) struct OfHead {
    pub hidden: Vec<OfHidden>,
    /// (B, filled classes).
    pub logits: Address,
    pub dlogits: Address,
    /// (B), as i32.
    pub labels: Address,
    /// (classes).
    pub class_weights: Address,
    /// (B).
    pub losses: Address,
    /// (B, pooled width).
    pub dpooled: Address,
}

/// Of one hidden layer, (B, width).
#[derive(Debug)]
pub(super) struct OfHidden {
    pub before: Address,
    pub after: Address,
    pub dafter: Address,
    pub dbefore: Address,
    /// (width) pairs.
    pub moments: Address,
}

/// The way back, in the device's storage where nothing else is said.
#[derive(Debug)]
pub(super) struct Back {
    /// At what was pooled before the norm that stands behind, as f32.
    pub draw: Address,
    /// (B, R, D), twice.
    pub dread: [Address; 2],
    /// (B, N, D).
    pub dx: Address,
    pub dnormed: Address,
    /// (B, N, M).
    pub dhidden: Address,
    /// (B, R, A).
    pub dcontext_read: Address,
    /// (B, N, A).
    pub dcontext: Address,
    /// (B, N, 3·A).
    pub dqkv: Address,
    /// (B, N, H) as f32.
    pub dots: Address,
    /// (B, P, D).
    pub dembedded: Address,
    /// Some tokens of each image, (B, S, D).
    pub dspecial: Address,
    /// What layers read, made again: (B, N, D), (B, N, M) and (B, R, A).
    pub normed: Address,
    pub hidden: Address,
    pub context: Address,
    /// (B·N) pairs of f32.
    pub moments: Address,
    /// For sums down columns, as f32.
    pub partials: Address,
}

impl Lying {
    pub fn lay(sizes: &Sizes, on: &OnDevice, head: &LearningHead, places: &mut Places) -> Self {
        Self {
            kept: Kept::lay(sizes, on, places),
            passing: Passing::lay(sizes, on, places),
            head: OfHead::lay(sizes, head, places),
            back: Back::lay(sizes, places),
        }
    }
}

impl OfHead {
    fn lay(sizes: &Sizes, head: &LearningHead, places: &mut Places) -> Self {
        let images = sizes.extent.images;
        let hidden = head.hidden.iter().map(|layer| {
            let [before, after, dafter, dbefore] = [(); 4].map(|()| places.singles(images * layer.dense.outputs));
            OfHidden { before, after, dafter, dbefore, moments: places.singles(2 * layer.dense.outputs) }
        });
        let hidden = hidden.collect();
        let [logits, dlogits] = [(); 2].map(|()| places.singles(images * head.out.outputs));
        let [labels, losses] = [(); 2].map(|()| places.singles(images));
        let (class_weights, dpooled) = (places.singles(head.classes), places.singles(sizes.pooled()));
        Self { hidden, logits, dlogits, labels, class_weights, losses, dpooled }
    }
}

impl Back {
    fn lay(sizes: &Sizes, places: &mut Places) -> Self {
        let (extent, rows, read, inner) = (sizes.extent, sizes.rows(), sizes.read_rows(), sizes.inner());
        let (width, special) = (extent.width, extent.tokens - sizes.patches.count());
        let cut = if sizes.read < extent.tokens { read * inner } else { 0 };
        // Over rows of tokens for biases, over images for tokens, over pooled features.
        let widest = width.max(3 * inner).max(sizes.hidden).max(sizes.config.pooled_width());
        let sums = partials(rows, widest).max(partials(extent.images, sizes.patches.count().max(special) * width));
        Self {
            draw: places.singles(sizes.pooled()),
            dread: [places.values(read * width), places.values(read * width)],
            dx: places.values(rows * width),
            dnormed: places.values(rows * width),
            dhidden: places.values(rows * sizes.hidden),
            dcontext_read: places.values(cut),
            dcontext: places.values(rows * inner),
            dqkv: places.values(3 * rows * inner),
            dots: places.singles(rows * extent.heads),
            dembedded: places.values(sizes.patch_rows() * width),
            dspecial: places.values(extent.images * special * width),
            normed: places.values(rows * width),
            hidden: places.values(rows * sizes.hidden),
            context: places.values(cut),
            moments: places.singles(2 * rows),
            partials: places.singles(sums.max(partials(extent.images, 512))),
        }
    }
}
