//! The walk over all tensors of a model by name, always in the same order.

use kernels::Real;

use super::head::{Head, Hidden};
use super::layers::{Linear, Norm, Parameter, ParameterMut};
use super::weights::{Block, Mlp, PatchNorms, Weights};

/// A tensor by the end of its name, where it is there.
type Part<X> = (&'static str, Option<X>);

/// Adds the tensors that are there, each as `name` and the end of its own.
fn put<X>(all: &mut Vec<(String, X)>, name: &str, parts: impl IntoIterator<Item = Part<X>>) {
    all.extend(parts.into_iter().filter_map(|(part, tensor)| Some((format!("{name}{part}"), tensor?))));
}

/// Writes the walk once for `&` and once for `&mut`.
macro_rules! walk {
    ($walk:ident, $parameter:ident, $iter:ident, $as_option:ident $(, $mut:tt)?) => {
        impl<T: Real> Weights<T> {
            /// Every tensor with its name, always in the same order.
            pub fn $walk(& $($mut)? self) -> Vec<(String, $parameter<'_, T>)> {
                let Weights { cls, distillation, registers, positions, patch, patch_norms, blocks, norm, head } = self;
                let mut all: Vec<(String, $parameter<'_, T>)> = Vec::new();
                let tokens = [("cls_token", cls), ("distillation_token", distillation), ("register_tokens", registers)];
                put(&mut all, "", tokens.map(|(name, token)| (name, token.$as_option().map($parameter::Tensor))));
                put(&mut all, "position_embeddings", [("", Some($parameter::Tensor(positions)))]);
                put(&mut all, "patch_embedding", patch.$walk());
                if let Some(PatchNorms { before, after }) = patch_norms {
                    put(&mut all, "patch_norm_before", before.$walk());
                    put(&mut all, "patch_norm_after", after.$walk());
                }
                for (index, block) in blocks.$iter().enumerate() {
                    all.extend(block.$walk().into_iter().map(|(name, tensor)| (format!("blocks.{index}.{name}"), tensor)));
                }
                put(&mut all, "norm", norm.$walk());
                all.extend(head.$walk());
                all
            }
        }

        impl<T: Real> Block<T> {
            fn $walk(& $($mut)? self) -> Vec<(String, $parameter<'_, T>)> {
                let Block { norm1, qkv, projection, scale1, mlp } = self;
                let mut all: Vec<(String, $parameter<'_, T>)> = Vec::new();
                put(&mut all, "norm1", norm1.$walk());
                put(&mut all, "qkv", qkv.$walk());
                put(&mut all, "projection", projection.$walk());
                put(&mut all, "scale1", [("", scale1.$as_option().map($parameter::Tensor))]);
                if let Some(Mlp { norm, fc1, fc2, scale }) = mlp {
                    put(&mut all, "norm2", norm.$walk());
                    put(&mut all, "fc1", fc1.$walk());
                    put(&mut all, "fc2", fc2.$walk());
                    put(&mut all, "scale2", [("", scale.$as_option().map($parameter::Tensor))]);
                }
                all
            }
        }

        impl<T: Real> Head<T> {
            /// Every tensor of the head with its name.
            pub fn $walk(& $($mut)? self) -> Vec<(String, $parameter<'_, T>)> {
                let mut all: Vec<(String, $parameter<'_, T>)> = Vec::new();
                match self {
                    Head::None => {}
                    Head::Linear(linear) => put(&mut all, "head", linear.$walk()),
                    Head::Distilled { cls, distillation, .. } => {
                        put(&mut all, "head", cls.$walk());
                        put(&mut all, "head_distillation", distillation.$walk());
                    }
                    Head::Dnn3 { hidden, out, .. } => {
                        for (index, Hidden { linear, gain, bias, mean, variance }) in hidden.$iter().enumerate() {
                            put(&mut all, &format!("head.fc{}", index + 1), linear.$walk());
                            let norm = [(".weight", gain), (".bias", bias), (".running_mean", mean), (".running_var", variance)];
                            put(&mut all, &format!("head.bn{}", index + 1), norm.map(|(part, tensor)| (part, Some($parameter::Tensor(tensor)))));
                        }
                        put(&mut all, "head.out", out.$walk());
                    }
                }
                all
            }
        }

        impl<T: Real> Linear<T> {
            pub(super) fn $walk(& $($mut)? self) -> [Part<$parameter<'_, T>>; 2] {
                [
                    (".weight", Some($parameter::Weight(& $($mut)? self.weight))),
                    (".bias", self.bias.$as_option().map($parameter::Tensor)),
                ]
            }
        }

        impl<T: Real> Norm<T> {
            pub(super) fn $walk(& $($mut)? self) -> [Part<$parameter<'_, T>>; 2] {
                [
                    (".weight", Some($parameter::Tensor(& $($mut)? self.gain))),
                    (".bias", Some($parameter::Tensor(& $($mut)? self.bias))),
                ]
            }
        }
    };
}

walk!(named, Parameter, iter, as_ref);
walk!(named_mut, ParameterMut, iter_mut, as_mut, mut);
