//! What of a product the library does, and what own kernels do after it.
//!
//! | what becomes of the product | library | after it |
//! |---|---|---|
//! | stored, with bias and residual | product, bias, sum | nothing |
//! | f32, added to or not | product, bias, sum | nothing |
//! | activated | product | bias and activation: the library's own GELU is the tanh form |
//! | gated | product, bias | the activation's derivative |
//!
//! Left to own kernels altogether is what this cannot keep: a result that would overwrite what is still read, a bias of a gradient for
//! weights, and addresses that are not aligned.

use super::plan::{ALIGNMENT, Shape};
use crate::activation::cuda::{self as activation, ActivationBackward, BiasActivation, code};
use crate::cuda::{Address, Fault, Queue, Storage};
use crate::linear::cuda::{Asked, Product, Then};

/// The library's part.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub shape: Shape,
    /// Where the library writes.
    pub to: Address,
    /// What it adds.
    pub added: Address,
}

impl Part {
    /// Nothing where own kernels do it all; a bias is rounded into so many bytes.
    pub fn of(asked: &Asked, rounded: usize) -> Option<Self> {
        let Asked { storage, product, factors, then } = *asked;
        let (to, added) = match then {
            Then::Wide(to) if product == Product::Weights => (to, to),
            _ if product == Product::Weights => return None,
            Then::Store { to, residual } => (to, residual),
            Then::Wide(to) => (to, Address::NONE),
            Then::Activate { before, to, .. } if before != to => (if before.is_some() { before } else { to }, Address::NONE),
            Then::Gate { before, to, .. } if before != to => (to, Address::NONE),
            Then::Activate { .. } | Then::Gate { .. } => return None,
        };
        // An activation's bias is added by the kernel that follows.
        let has_bias = factors.bias.is_some() && !matches!(then, Then::Activate { .. });
        if has_bias && product == Product::Weights {
            return None;
        }
        let is_wide = matches!(then, Then::Wide(_));
        let shape = Shape { product, storage, extents: factors.extents, is_wide, has_bias, adds: added.is_some() };
        let part = Self { shape, to, added };
        let is_aligned = [factors.left, factors.right, factors.bias, to, added].iter().all(|at| at.0.is_multiple_of(ALIGNMENT));
        let fits = !part.rounds_bias() || factors.extents[1] * storage.bytes() <= rounded;
        let has_extent = factors.extents.iter().all(|&extent| extent > 0 && i32::try_from(extent).is_ok());
        (is_aligned && fits && has_extent).then_some(part)
    }

    /// The library's epilogues take a bias in the type of the result alone.
    pub fn rounds_bias(&self) -> bool {
        self.shape.has_bias && !self.shape.is_wide && self.shape.storage != Storage::F32
    }

    /// Starts what follows.
    pub fn follow(&self, queue: &dyn Queue, asked: &Asked) -> Result<(), Fault> {
        let [rows, columns, _] = self.shape.extents;
        let (count, width) = ((rows * columns) as i64, columns as i32);
        match asked.then {
            Then::Store { .. } | Then::Wide(_) => Ok(()),
            Then::Activate { activation, before, to } => {
                let arguments =
                    BiasActivation { x: self.to, bias: asked.factors.bias, before, y: to, count, width, activation: code(activation) };
                activation::forward(queue, asked.storage, &arguments)
            }
            Then::Gate { activation, before, to } => {
                let arguments = ActivationBackward { before, dy: to, dx: to, count, activation: code(activation) };
                activation::backward(queue, asked.storage, &arguments)
            }
        }
    }
}
