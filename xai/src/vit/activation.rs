//! The activation of an MLP, there and back.

use kernels::{Real, gelu, gelu_tanh, relu};

use super::choices::Activation;
use crate::Error;

impl Activation {
    /// `y ← act(x)`.
    pub(super) fn forward<T: Real>(self, x: &[T], y: &mut [T]) -> Result<(), Error> {
        Ok(match self {
            Self::Gelu => gelu::forward(x, y),
            Self::GeluTanh => gelu_tanh::forward(x, y),
            Self::Relu => relu::forward(x, y),
        }?)
    }

    /// `dy ← dy·act′(x)`.
    pub(super) fn backward<T: Real>(self, x: &[T], dy: &mut [T]) -> Result<(), Error> {
        Ok(match self {
            Self::Gelu => gelu::backward(x, dy),
            Self::GeluTanh => gelu_tanh::backward(x, dy),
            Self::Relu => relu::backward(x, dy),
        }?)
    }
}
