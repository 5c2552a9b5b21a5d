//! What weights are made of: tensors with their shapes, linear layers, norms.

use kernels::Real;
use kernels::layer_norm::Affine;
use kernels::linear::{Layer, Weight};

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
}

/// How new weights come to be: as zeros, or as shapes whose values are still to come and take no memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Make {
    Zeros,
    Unfilled,
}

impl Make {
    pub fn tensor<T: Real>(self, shape: &[usize]) -> Tensor<T> {
        match self {
            Self::Zeros => Tensor::zeros(shape),
            Self::Unfilled => Tensor { shape: shape.to_vec(), data: Vec::new() },
        }
    }

    fn weight<T: Real>(self, inputs: usize, outputs: usize) -> Weight<T> {
        match self {
            Self::Zeros => Weight::zeros(inputs, outputs),
            Self::Unfilled => Weight::unfilled(inputs, outputs),
        }
    }
}

/// A linear layer: packed weight (inputs, outputs), and bias (outputs) where there is one.
#[derive(Debug, Clone)]
pub(crate) struct Linear<T: Real> {
    pub weight: Weight<T>,
    pub bias: Option<Tensor<T>>,
}

impl<T: Real> Linear<T> {
    pub fn new(make: Make, outputs: usize, inputs: usize) -> Self {
        Self { weight: make.weight(inputs, outputs), bias: Some(make.tensor(&[outputs])) }
    }

    pub fn without_bias(make: Make, outputs: usize, inputs: usize) -> Self {
        Self { weight: make.weight(inputs, outputs), bias: None }
    }

    pub fn layer(&self) -> Layer<'_, T> {
        Layer { weight: &self.weight, bias: self.bias.as_ref().map(|bias| bias.data.as_slice()) }
    }

    /// Weight and bias to write into, as gradients are.
    pub fn parameters_mut(&mut self) -> (&mut Weight<T>, Option<&mut [T]>) {
        (&mut self.weight, self.bias.as_mut().map(|bias| bias.data.as_mut_slice()))
    }

    pub fn outputs(&self) -> usize {
        self.weight.outputs()
    }

    pub fn inputs(&self) -> usize {
        self.weight.inputs()
    }
}

/// One of a model's parameters: a plain tensor, or the packed weight of a linear layer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Parameter<'a, T: Real> {
    Tensor(&'a Tensor<T>),
    Weight(&'a Weight<T>),
}

impl<'a, T: Real> Parameter<'a, T> {
    /// Of a weight (inputs, outputs).
    pub fn shape(self) -> Vec<usize> {
        match self {
            Self::Tensor(tensor) => tensor.shape.clone(),
            Self::Weight(weight) => vec![weight.inputs(), weight.outputs()],
        }
    }

    /// The values in the order they are kept in, for what treats all alike; empty where they are rounded or still to come.
    pub fn values(self) -> &'a [T] {
        match self {
            Self::Tensor(tensor) => &tensor.data,
            Self::Weight(weight) => weight.values(),
        }
    }

    /// The values as PyTorch has them: those of a weight (outputs, inputs).
    pub fn to_rows(self) -> Vec<T> {
        match self {
            Self::Tensor(tensor) => tensor.data.clone(),
            Self::Weight(weight) => weight.to_rows(),
        }
    }
}

/// As [`Parameter`], to be changed.
#[derive(Debug)]
pub(crate) enum ParameterMut<'a, T: Real> {
    Tensor(&'a mut Tensor<T>),
    Weight(&'a mut Weight<T>),
}

impl<T: Real> ParameterMut<'_, T> {
    pub fn as_ref(&self) -> Parameter<'_, T> {
        match self {
            Self::Tensor(tensor) => Parameter::Tensor(tensor),
            Self::Weight(weight) => Parameter::Weight(weight),
        }
    }

    /// As [`Parameter::values`].
    pub fn values(&mut self) -> &mut [T] {
        match self {
            Self::Tensor(tensor) => &mut tensor.data,
            Self::Weight(weight) => weight.values_mut(),
        }
    }

    /// Takes values as PyTorch has them: those of a weight (outputs, inputs).
    pub fn fill(&mut self, rows: Vec<T>) {
        match self {
            Self::Tensor(tensor) => tensor.data = rows,
            Self::Weight(weight) => **weight = Weight::from_rows(weight.inputs(), weight.outputs(), &rows),
        }
    }
}

/// Gain (width) and bias (width) of a LayerNorm.
#[derive(Debug, Clone)]
pub(crate) struct Norm<T> {
    pub gain: Tensor<T>,
    pub bias: Tensor<T>,
}

impl<T: Real> Norm<T> {
    pub fn new(make: Make, width: usize) -> Self {
        Self { gain: make.tensor(&[width]), bias: make.tensor(&[width]) }
    }

    pub fn affine(&self, eps: f64) -> Affine<'_, T> {
        Affine { gain: &self.gain.data, bias: &self.bias.data, eps }
    }
}
