//! Launches of `cuda_explicit.cu`: a layer's matrix times the product of the layers below it.

use super::Layer;
use super::cuda::code;
use crate::cuda::{Address, Fault, Queue, Storage, arguments, run};

arguments! {
    /// As in `cuda_explicit.cu`.
    RolloutProduct {
        /// (images, tokens, tokens).
        map: Address,
        /// (images, tokens, tokens) as f32; none stands for the identity.
        before: Address,
        /// (images, tokens, tokens) as f32.
        product: Address,
        /// (images, tokens) as f32.
        shares: Address,
        /// Of an image.
        tokens: i32,
        /// Weight of the identity.
        residual: f32,
        /// What is divided.
        normalise: i32,
    }
}

/// A layer of the explicit product: where it is read and written.
#[derive(Debug, Clone, Copy)]
pub struct Multiply {
    /// The layer's fused maps (images, tokens, tokens).
    pub map: Address,
    /// The product of the layers below, (images, tokens, tokens) as f32; [`Address::NONE`] for the first layer.
    pub before: Address,
    /// The product with this layer, (images, tokens, tokens) as f32, in another place.
    pub product: Address,
    /// Scratch, (images, tokens) as f32.
    pub shares: Address,
    /// In the batch.
    pub images: usize,
    /// Of an image.
    pub tokens: usize,
    /// How the layer enters the product.
    pub layer: Layer,
}

/// Rows and columns of the product that a block takes.
const TILE: usize = 64;

/// `product ← N(w·I + (1 − w)·F)·before`: [`super::layer_matrix`] and [`super::multiply`].
///
/// # Errors
/// As for [`Queue::launch`].
pub fn multiply(queue: &dyn Queue, storage: Storage, of: Multiply) -> Result<(), Fault> {
    let Multiply { map, before, product, shares, images, tokens, layer } = of;
    let (tiles, residual, normalise) = (tokens.div_ceil(TILE), layer.residual as f32, code(layer.normalise));
    let arguments = RolloutProduct { map, before, product, shares, tokens: tokens as i32, residual, normalise };
    run(queue, ("rollout_explicit", storage, "rollout_shares"), ([tokens.div_ceil(8), images, 1], 256, 0), &arguments)?;
    run(queue, ("rollout_explicit", storage, "rollout_product"), ([tiles, tiles, images], 256, 0), &arguments)
}
