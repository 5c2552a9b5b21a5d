//! The parameters of a vision transformer, as plain tensors in the order of the data's way.

use kernels::Real;

use super::config::{Family, VitConfig};
use super::head::{Head, HeadKind};
use super::layers::{Linear, Make, Norm, Tensor};

/// One pre-norm block.
#[derive(Debug, Clone)]
pub(crate) struct Block<T> {
    pub norm1: Norm<T>,
    /// Query, key and value in one, (D, 3·D).
    pub qkv: Linear<T>,
    pub projection: Linear<T>,
    /// LayerScale of the attention branch, (D).
    pub scale1: Option<Tensor<T>>,
    pub norm2: Norm<T>,
    pub fc1: Linear<T>,
    pub fc2: Linear<T>,
    /// LayerScale of the MLP branch, (D).
    pub scale2: Option<Tensor<T>>,
}

/// All parameters; gradients have the same form.
#[derive(Debug, Clone)]
pub(crate) struct Weights<T> {
    /// Class token, (D).
    pub cls: Tensor<T>,
    /// Position table, (1 + patches, D), class token first.
    pub positions: Tensor<T>,
    /// Patch embedding, (3·P·P, D) and (D).
    pub patch: Linear<T>,
    pub blocks: Vec<Block<T>>,
    pub norm: Norm<T>,
    pub head: Head<T>,
}

impl VitConfig {
    /// Learnable parameters with a head, counted without taking their memory; running statistics are not among them.
    ///
    /// ```
    /// use xai::{HeadKind, VitConfig};
    /// assert_eq!(VitConfig::vit_large_patch32_384().parameters(HeadKind::Dnn3(7)), 306_282_375);
    /// ```
    pub fn parameters(&self, head: HeadKind) -> usize {
        Weights::<f32>::unfilled(self, head).count()
    }
}

impl<T: Real> Weights<T> {
    pub fn zeros(config: &VitConfig, head: HeadKind) -> Self {
        Self::new(Tensor::zeros, config, head)
    }

    /// Names and shapes alone, for those who must know them before memory is taken.
    pub fn unfilled(config: &VitConfig, head: HeadKind) -> Self {
        Self::new(Tensor::unfilled, config, head)
    }

    fn new(make: Make<T>, config: &VitConfig, head: HeadKind) -> Self {
        let width = config.hidden_size;
        let scale = || (config.family == Family::Dinov2).then(|| make(&[width]));
        let block = || Block {
            norm1: Norm::new(make, width),
            qkv: Linear::new(make, 3 * width, width),
            projection: Linear::new(make, width, width),
            scale1: scale(),
            norm2: Norm::new(make, width),
            fc1: Linear::new(make, config.intermediate_size, width),
            fc2: Linear::new(make, width, config.intermediate_size),
            scale2: scale(),
        };
        Self {
            cls: make(&[width]),
            positions: make(&[config.tokens(), width]),
            patch: Linear::new(make, width, config.patch_len()),
            blocks: (0..config.num_hidden_layers).map(|_| block()).collect(),
            norm: Norm::new(make, width),
            head: Head::new(make, head, config.pooled_width()),
        }
    }

    /// Learnable values, running statistics not counted.
    pub fn count(&self) -> usize {
        self.named().iter().filter(|(name, _)| !name.contains("running_")).map(|(_, tensor)| tensor.shape.iter().product::<usize>()).sum()
    }
}

/// Writes the walk over all tensors once for `&` and once for `&mut`.
macro_rules! walk {
    ($walk:ident, $tensor:ty, $iter:ident, $as_option:ident, $head:ident $(, $mut:tt)?) => {
        impl<T: Real> Weights<T> {
            /// Every tensor with its name, always in the same order.
            pub fn $walk(& $($mut)? self) -> Vec<(String, $tensor)> {
                let mut all: Vec<(String, $tensor)> = vec![
                    ("cls_token".into(), & $($mut)? self.cls),
                    ("position_embeddings".into(), & $($mut)? self.positions),
                    ("patch_embedding.weight".into(), & $($mut)? self.patch.weight),
                    ("patch_embedding.bias".into(), & $($mut)? self.patch.bias),
                ];
                for (index, block) in self.blocks.$iter().enumerate() {
                    let Block { norm1, qkv, projection, scale1, norm2, fc1, fc2, scale2 } = block;
                    let tensors: Vec<(&str, Option<$tensor>)> = vec![
                        ("norm1.weight", Some(& $($mut)? norm1.gain)),
                        ("norm1.bias", Some(& $($mut)? norm1.bias)),
                        ("qkv.weight", Some(& $($mut)? qkv.weight)),
                        ("qkv.bias", Some(& $($mut)? qkv.bias)),
                        ("projection.weight", Some(& $($mut)? projection.weight)),
                        ("projection.bias", Some(& $($mut)? projection.bias)),
                        ("scale1", scale1.$as_option()),
                        ("norm2.weight", Some(& $($mut)? norm2.gain)),
                        ("norm2.bias", Some(& $($mut)? norm2.bias)),
                        ("fc1.weight", Some(& $($mut)? fc1.weight)),
                        ("fc1.bias", Some(& $($mut)? fc1.bias)),
                        ("fc2.weight", Some(& $($mut)? fc2.weight)),
                        ("fc2.bias", Some(& $($mut)? fc2.bias)),
                        ("scale2", scale2.$as_option()),
                    ];
                    let there = tensors.into_iter().filter_map(|(name, tensor)| Some((format!("blocks.{index}.{name}"), tensor?)));
                    all.extend(there);
                }
                all.push(("norm.weight".into(), & $($mut)? self.norm.gain));
                all.push(("norm.bias".into(), & $($mut)? self.norm.bias));
                all.extend(self.head.$head());
                all
            }
        }
    };
}

walk!(named, &Tensor<T>, iter, as_ref, named);
walk!(named_mut, &mut Tensor<T>, iter_mut, as_mut, named_mut, mut);
