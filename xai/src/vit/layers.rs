//! What weights are made of: tensors with their shapes, linear layers, norms.

use kernels::Real;
use kernels::layer_norm::Affine;
use kernels::linear::Parameters;

/// Values with their shape.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tensor<T> {
    pub shape: Vec<usize>,
    pub data: Vec<T>,
}

impl<T: Real> Tensor<T> {
    pub fn zeros(shape: &[usize]) -> Self {
        Self { shape: shape.to_vec(), data: vec![T::ZERO; shape.iter().product()] }
    }

    /// A shape whose values are still to come: takes no memory for them.
    pub fn unfilled(shape: &[usize]) -> Self {
        Self { shape: shape.to_vec(), data: Vec::new() }
    }
}

/// Makes a tensor of a shape: [`Tensor::zeros`] or [`Tensor::unfilled`].
pub(crate) type Make<T> = fn(&[usize]) -> Tensor<T>;

/// Weight (outputs, inputs) and bias (outputs).
#[derive(Debug, Clone)]
pub(crate) struct Linear<T> {
    pub weight: Tensor<T>,
    pub bias: Tensor<T>,
}

impl<T: Real> Linear<T> {
    pub fn new(make: Make<T>, outputs: usize, inputs: usize) -> Self {
        Self { weight: make(&[outputs, inputs]), bias: make(&[outputs]) }
    }

    pub fn parameters(&self) -> Parameters<'_, T> {
        Parameters { weight: &self.weight.data, bias: Some(&self.bias.data) }
    }

    pub fn outputs(&self) -> usize {
        self.weight.shape[0]
    }

    pub fn inputs(&self) -> usize {
        self.weight.shape[1]
    }
}

/// Gain (width) and bias (width) of a LayerNorm.
#[derive(Debug, Clone)]
pub(crate) struct Norm<T> {
    pub gain: Tensor<T>,
    pub bias: Tensor<T>,
}

impl<T: Real> Norm<T> {
    pub fn new(make: Make<T>, width: usize) -> Self {
        Self { gain: make(&[width]), bias: make(&[width]) }
    }

    pub fn affine(&self, eps: f64) -> Affine<'_, T> {
        Affine { gain: &self.gain.data, bias: &self.bias.data, eps }
    }
}
