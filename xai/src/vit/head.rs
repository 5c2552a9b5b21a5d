//! Classifier heads: none, one linear layer, `DeiT`'s two, or the thesis's DNN with three hidden layers.

use std::sync::OnceLock;

use kernels::activation::Activation;
use kernels::batch_norm;
use kernels::linear::{self, Input, Then, Weight};
use kernels::{Real, Workspace};

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

/// A hidden layer: linear, BatchNorm1d on running statistics, `ReLU`.
#[derive(Debug, Clone)]
pub(crate) struct Hidden<T: Real> {
    pub linear: Linear<T>,
    pub gain: Tensor<T>,
    pub bias: Tensor<T>,
    pub mean: Tensor<T>,
    pub variance: Tensor<T>,
}

/// The layers that a head comes down to, made when first needed.
type Folded<T> = OnceLock<Vec<Linear<T>>>;

#[derive(Debug, Clone)]
pub(crate) enum Head<T: Real> {
    None,
    Linear(Linear<T>),
    /// Both read half of the pooled features.
    Distilled {
        cls: Linear<T>,
        distillation: Linear<T>,
        folded: Folded<T>,
    },
    Dnn3 {
        hidden: Vec<Hidden<T>>,
        out: Linear<T>,
        folded: Folded<T>,
    },
}

impl<T: Real> Head<T> {
    pub fn new(make: Make, kind: HeadKind, width: usize) -> Self {
        match kind {
            HeadKind::None => Self::None,
            HeadKind::Linear(classes) => Self::Linear(Linear::new(make, classes, width)),
            HeadKind::Distilled(classes) => {
                let [cls, distillation] = [(); 2].map(|()| Linear::new(make, classes, width / 2));
                Self::Distilled { cls, distillation, folded: Folded::default() }
            }
            HeadKind::Dnn3(classes) => {
                let inputs = [width, HIDDEN[0], HIDDEN[1]];
                let hidden = inputs.iter().zip(HIDDEN).map(|(&inputs, outputs)| Hidden::new(make, outputs, inputs)).collect();
                Self::Dnn3 { hidden, out: Linear::new(make, classes, HIDDEN[2]), folded: Folded::default() }
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

    /// Forgets what was folded, when weights or statistics have changed.
    pub fn refold(&mut self) {
        if let Self::Distilled { folded, .. } | Self::Dnn3 { folded, .. } = self {
            *folded = Folded::default();
        }
    }

    /// Logits (B, classes) of pooled features (B, width); each image on its own, so batches change no bits.
    pub fn forward(&self, pooled: &[T], workspace: &mut Workspace<T>) -> Result<Vec<T>, Error> {
        Ok(self.activations(pooled, workspace)?.pop().unwrap_or_default())
    }

    /// What leaves each layer, the last one's logits included; nothing without a head.
    fn activations(&self, pooled: &[T], workspace: &mut Workspace<T>) -> Result<Vec<Vec<T>>, Error> {
        let layers = self.layers();
        let mut all: Vec<Vec<T>> = Vec::with_capacity(layers.len());
        for (depth, layer) in layers.iter().enumerate() {
            let x = all.last().map_or(pooled, |x| x);
            let mut y = vec![T::ZERO; x.len() / layer.inputs() * layer.outputs()];
            let relu = Then::Activate { activation: Activation::Relu, before: &mut [], after: &mut y };
            let then = if depth + 1 < layers.len() { relu } else { Then::Store(&mut y) };
            linear::forward(Input::Plain(x), layer.layer(), then, workspace)?;
            all.push(y);
        }
        Ok(all)
    }

    /// Gradient at the pooled features (B, width) from the one at the logits (B, classes).
    pub fn backward(&self, pooled: &[T], dlogits: &[T], workspace: &mut Workspace<T>) -> Result<Vec<T>, Error> {
        let activations = self.activations(pooled, workspace)?;
        let mut gradient = dlogits.to_vec();
        for (depth, layer) in self.layers().iter().enumerate().rev() {
            let mut dx = vec![T::ZERO; gradient.len() / layer.outputs() * layer.inputs()];
            let then = match depth {
                0 => Then::Store(&mut dx),
                // What a ReLU let through is what is above zero after it.
                _ => Then::Gate { activation: Activation::Relu, before: &activations[depth - 1], to: &mut dx },
            };
            linear::backward(&gradient, &layer.weight, then, workspace)?;
            gradient = dx;
        }
        Ok(gradient)
    }

    /// The linear layers with BatchNorm folded in: `(Wx + b − mean)/√(variance + eps)·gain + bias` is linear in `x`; of
    /// two heads, the mean.
    pub fn layers(&self) -> &[Linear<T>] {
        match self {
            Self::None => &[],
            Self::Linear(linear) => std::slice::from_ref(linear),
            Self::Distilled { cls, distillation, folded } => folded.get_or_init(|| vec![mean_of(cls, distillation)]),
            Self::Dnn3 { hidden, out, folded } => folded.get_or_init(|| hidden.iter().map(Hidden::folded).chain([out.clone()]).collect()),
        }
    }
}

impl<T: Real> Hidden<T> {
    fn new(make: Make, outputs: usize, inputs: usize) -> Self {
        let [gain, bias, mean, variance] = [(); 4].map(|()| make.tensor(&[outputs]));
        Self { linear: Linear::new(make, outputs, inputs), gain, bias, mean, variance }
    }

    fn folded(&self) -> Linear<T> {
        let (inputs, outputs) = (self.linear.inputs(), self.linear.outputs());
        let (mut rows, mut bias) = (self.linear.weight.to_rows(), bias_of(&self.linear));
        for (o, (row, bias)) in rows.chunks_mut(inputs).zip(&mut bias).enumerate() {
            let factor = self.gain.data[o] / (self.variance.data[o] + T::from_f64(batch_norm::EPS)).sqrt();
            row.iter_mut().for_each(|weight| *weight *= factor);
            *bias = (*bias - self.mean.data[o]) * factor + self.bias.data[o];
        }
        Linear { weight: Weight::from_rows(inputs, outputs, &rows), bias: Some(Tensor { shape: vec![outputs], data: bias }) }
    }
}

/// One layer on both tokens side by side that gives the mean of two layers on one token each.
fn mean_of<T: Real>(first: &Linear<T>, second: &Linear<T>) -> Linear<T> {
    let half = T::from_f64(0.5);
    let (inputs, outputs) = (first.inputs() + second.inputs(), first.outputs());
    let (left, right) = (first.weight.to_rows(), second.weight.to_rows());
    let rows = left.chunks(first.inputs()).zip(right.chunks(second.inputs()));
    let rows: Vec<T> = rows.flat_map(|(left, right)| left.iter().chain(right)).map(|&value| half * value).collect();
    let bias = bias_of(first).into_iter().zip(bias_of(second)).map(|(a, b)| half * (a + b)).collect();
    Linear { weight: Weight::from_rows(inputs, outputs, &rows), bias: Some(Tensor { shape: vec![outputs], data: bias }) }
}

fn bias_of<T: Real>(layer: &Linear<T>) -> Vec<T> {
    layer.bias.as_ref().map_or(vec![T::ZERO; layer.outputs()], |bias| bias.data.clone())
}
