//! Classifier heads: none, one linear layer, `DeiT`'s two, or the thesis's DNN with three hidden layers.

use kernels::Real;
use kernels::linear::{self, Onto, Shape};

use super::choices::Pooling;
use super::layers::{Linear, Make, Tensor};
use crate::Error;

/// Which head a model has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadKind {
    /// Features only.
    None,
    /// One linear layer to so many classes.
    Linear(usize),
    /// `DeiT`'s: one linear layer on the class token and one on the distillation token; the logits are their mean.
    Distilled(usize),
    /// DNN-3-hidden: width → 512 → 256 → 64 → classes, BatchNorm1d and `ReLU` between.
    Dnn3(usize),
}

/// Some fifty times ImageNet-21k's.
const MOST_CLASSES: usize = 1 << 20;

impl HeadKind {
    /// Refuses a head that has no class to score, an unreasonable number of them, or other tokens to read than there are.
    pub(crate) fn validate(self, pooling: Pooling) -> Result<(), Error> {
        match self {
            Self::Distilled(_) if pooling != Pooling::ClsAndDistillation => Err(Error::Shape {
                what: "what a distilled head reads".into(),
                expected: "class and distillation token".into(),
                found: format!("{pooling:?}"),
            }),
            Self::Linear(classes) | Self::Distilled(classes) | Self::Dnn3(classes) if !(1..=MOST_CLASSES).contains(&classes) => {
                Err(Error::Shape {
                    what: "the head's classes".into(),
                    expected: format!("1 to {MOST_CLASSES}"),
                    found: classes.to_string(),
                })
            }
            _ => Ok(()),
        }
    }

    /// Classes it scores; 0 without a head.
    pub fn classes(self) -> usize {
        match self {
            Self::None => 0,
            Self::Linear(classes) | Self::Distilled(classes) | Self::Dnn3(classes) => classes,
        }
    }

    /// In words, with its article.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "no head",
            Self::Linear(_) => "a linear head",
            Self::Distilled(_) => "a distilled head",
            Self::Dnn3(_) => "a DNN-3-hidden head",
        }
    }
}

/// Widths of the hidden layers of [`HeadKind::Dnn3`].
const HIDDEN: [usize; 3] = [512, 256, 64];
/// PyTorch's default for BatchNorm1d.
const BATCH_NORM_EPS: f64 = 1e-5;

/// A hidden layer: linear, BatchNorm1d on running statistics, `ReLU`.
#[derive(Debug, Clone)]
pub(crate) struct Hidden<T> {
    pub linear: Linear<T>,
    pub gain: Tensor<T>,
    pub bias: Tensor<T>,
    pub mean: Tensor<T>,
    pub variance: Tensor<T>,
}

#[derive(Debug, Clone)]
pub(crate) enum Head<T> {
    None,
    Linear(Linear<T>),
    /// Both read half of the pooled features.
    Distilled {
        cls: Linear<T>,
        distillation: Linear<T>,
    },
    Dnn3 {
        hidden: Vec<Hidden<T>>,
        out: Linear<T>,
    },
}

impl<T: Real> Head<T> {
    pub fn new(make: Make<T>, kind: HeadKind, width: usize) -> Self {
        match kind {
            HeadKind::None => Self::None,
            HeadKind::Linear(classes) => Self::Linear(Linear::new(make, classes, width)),
            HeadKind::Distilled(classes) => {
                let [cls, distillation] = [(); 2].map(|()| Linear::new(make, classes, width / 2));
                Self::Distilled { cls, distillation }
            }
            HeadKind::Dnn3(classes) => {
                let inputs = [width, HIDDEN[0], HIDDEN[1]];
                let hidden = inputs.iter().zip(HIDDEN).map(|(&inputs, outputs)| Hidden::new(make, outputs, inputs)).collect();
                Self::Dnn3 { hidden, out: Linear::new(make, classes, HIDDEN[2]) }
            }
        }
    }

    pub fn kind(&self) -> HeadKind {
        match self {
            Self::None => HeadKind::None,
            Self::Linear(linear) => HeadKind::Linear(linear.outputs()),
            Self::Distilled { cls, .. } => HeadKind::Distilled(cls.outputs()),
            Self::Dnn3 { out, .. } => HeadKind::Dnn3(out.outputs()),
        }
    }

    pub fn classes(&self) -> usize {
        self.kind().classes()
    }

    /// Logits (B, classes) of pooled features (B, width); each image on its own, so batches change no bits.
    pub fn forward(&self, pooled: &[T], images: usize) -> Result<Vec<T>, Error> {
        let mut layers = self.layers().into_iter().peekable();
        let mut x = if layers.peek().is_some() { pooled.to_vec() } else { Vec::new() };
        while let Some(layer) = layers.next() {
            x = apply(&layer, &x, images)?;
            if layers.peek().is_some() {
                x.iter_mut().for_each(|value| *value = T::max(*value, T::ZERO));
            }
        }
        Ok(x)
    }

    /// Gradient at the pooled features (B, width) from the one at the logits (B, classes).
    pub fn backward(&self, pooled: &[T], dlogits: &[T], images: usize) -> Result<Vec<T>, Error> {
        let layers = self.layers();
        let mut inputs = vec![pooled.to_vec()];
        for layer in layers.iter().take(layers.len().saturating_sub(1)) {
            let mut x = apply(layer, &inputs[inputs.len() - 1], images)?;
            x.iter_mut().for_each(|value| *value = T::max(*value, T::ZERO));
            inputs.push(x);
        }
        let mut gradient = dlogits.to_vec();
        for (depth, (layer, input)) in layers.iter().zip(&inputs).enumerate().rev() {
            let mut dx = vec![T::ZERO; images * layer.inputs()];
            linear::backward(shape(layer, images), layer.parameters(), &gradient, Onto::Fresh, &mut dx)?;
            if depth > 0 {
                dx.iter_mut().zip(input).filter(|(_, x)| **x <= T::ZERO).for_each(|(dx, _)| *dx = T::ZERO);
            }
            gradient = dx;
        }
        Ok(gradient)
    }

    /// The linear layers, folded: BatchNorm's `(Wx + b − mean)/√(variance + eps)·gain + bias` is linear in `x`, and the mean of
    /// two layers is one layer over both their inputs.
    fn layers(&self) -> Vec<Linear<T>> {
        match self {
            Self::None => Vec::new(),
            Self::Linear(linear) => vec![linear.clone()],
            Self::Distilled { cls, distillation } => vec![mean_of(cls, distillation)],
            Self::Dnn3 { hidden, out } => hidden.iter().map(Hidden::folded).chain([out.clone()]).collect(),
        }
    }
}

impl<T: Real> Hidden<T> {
    fn new(make: Make<T>, outputs: usize, inputs: usize) -> Self {
        let [gain, bias, mean, variance] = [(); 4].map(|()| make(&[outputs]));
        Self { linear: Linear::new(make, outputs, inputs), gain, bias, mean, variance }
    }

    fn folded(&self) -> Linear<T> {
        let mut linear = self.linear.clone();
        let outputs = linear.outputs();
        for o in 0..outputs {
            let factor = self.gain.data[o] / (self.variance.data[o] + T::from_f64(BATCH_NORM_EPS)).sqrt();
            linear.weight.data.iter_mut().skip(o).step_by(outputs).for_each(|weight| *weight *= factor);
            if let Some(bias) = &mut linear.bias {
                bias.data[o] = (bias.data[o] - self.mean.data[o]) * factor + self.bias.data[o];
            }
        }
        linear
    }
}

/// `(x₁·W₁ + b₁ + x₂·W₂ + b₂)/2` as one layer over `[x₁, x₂]`; weights lie (inputs, outputs), so they follow one another.
fn mean_of<T: Real>(first: &Linear<T>, second: &Linear<T>) -> Linear<T> {
    let half = T::from_f64(0.5);
    let weight = first.weight.data.iter().chain(&second.weight.data).map(|&value| half * value).collect();
    let bias = |layer: &Linear<T>| layer.bias.as_ref().map_or(vec![T::ZERO; layer.outputs()], |bias| bias.data.clone());
    let both = bias(first).into_iter().zip(bias(second)).map(|(a, b)| half * (a + b)).collect();
    Linear {
        weight: Tensor { shape: vec![first.inputs() + second.inputs(), first.outputs()], data: weight },
        bias: Some(Tensor { shape: vec![first.outputs()], data: both }),
    }
}

fn shape<T: Real>(layer: &Linear<T>, images: usize) -> Shape {
    Shape { images, rows: 1, inputs: layer.inputs(), outputs: layer.outputs() }
}

fn apply<T: Real>(layer: &Linear<T>, x: &[T], images: usize) -> Result<Vec<T>, Error> {
    let mut y = vec![T::ZERO; images * layer.outputs()];
    linear::forward(shape(layer, images), layer.parameters(), x, Onto::Fresh, &mut y)?;
    Ok(y)
}
