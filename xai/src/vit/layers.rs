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

/// Weight (inputs, outputs), transposed to the order on disk, and bias (outputs) where there is one.
#[derive(Debug, Clone)]
pub(crate) struct Linear<T> {
    pub weight: Tensor<T>,
    pub bias: Option<Tensor<T>>,
}

impl<T: Real> Linear<T> {
    pub fn new(make: Make<T>, outputs: usize, inputs: usize) -> Self {
        Self { weight: make(&[inputs, outputs]), bias: Some(make(&[outputs])) }
    }

    pub fn without_bias(make: Make<T>, outputs: usize, inputs: usize) -> Self {
        Self { weight: make(&[inputs, outputs]), bias: None }
    }

    pub fn parameters(&self) -> Parameters<'_, T> {
        Parameters { weight: &self.weight.data, bias: self.bias.as_ref().map(|bias| bias.data.as_slice()) }
    }

    /// Weight and bias to write into, as gradients are.
    pub fn parameters_mut(&mut self) -> (&mut [T], Option<&mut [T]>) {
        (&mut self.weight.data, self.bias.as_mut().map(|bias| bias.data.as_mut_slice()))
    }

    pub fn outputs(&self) -> usize {
        self.weight.shape[1]
    }

    pub fn inputs(&self) -> usize {
        self.weight.shape[0]
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

/// The rows of a matrix (rows, cols) as columns, (cols, rows), in tiles that stay in the first cache.
pub(crate) fn transposed<T: Real>(values: &[T], rows: usize, cols: usize) -> Vec<T> {
    const TILE: usize = 32;
    let mut turned = vec![T::ZERO; values.len()];
    for (row, col) in (0..rows).step_by(TILE).flat_map(|row| (0..cols).step_by(TILE).map(move |col| (row, col))) {
        for (i, j) in (row..rows.min(row + TILE)).flat_map(|i| (col..cols.min(col + TILE)).map(move |j| (i, j))) {
            turned[j * rows + i] = values[i * cols + j];
        }
    }
    turned
}
