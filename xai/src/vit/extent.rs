//! How large a pass is.

use kernels::{Real, attention};

use super::choices::Activation;
use super::config::VitConfig;

/// Batch and head layout of a pass.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    pub images: usize,
    pub tokens: usize,
    pub heads: usize,
    pub head_width: usize,
    /// Of a token, D.
    pub width: usize,
    /// Inside the MLP, M.
    pub intermediate: usize,
    pub activation: Activation,
    pub eps: f64,
}

impl Extent {
    pub fn new(config: &VitConfig, images: usize, tokens: usize) -> Self {
        Self {
            images,
            tokens,
            heads: config.num_attention_heads,
            head_width: config.head_width(),
            width: config.hidden_size,
            intermediate: config.intermediate_size,
            activation: config.hidden_act,
            eps: config.layer_norm_eps,
        }
    }

    pub fn attention(&self) -> attention::Shape {
        attention::Shape { images: self.images, tokens: self.tokens, heads: self.heads, head_width: self.head_width }
    }

    /// Width of all heads together, A.
    pub fn inner(&self) -> usize {
        self.heads * self.head_width
    }

    /// Values of (B, N, width).
    pub fn len(&self, width: usize) -> usize {
        self.images * self.tokens * width
    }

    /// A buffer (B, N, width).
    pub fn buffer<T: Real>(&self, width: usize) -> Vec<T> {
        vec![T::ZERO; self.len(width)]
    }
}
