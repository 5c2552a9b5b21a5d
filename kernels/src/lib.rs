//! Compute primitives of a vision transformer.
//!
//! A kernel is a folder: `mod.rs` says what it computes, checks shapes and holds the tests, `cpu.rs` computes it, and `cuda.cu`,
//! where there is one, computes it on a GPU, launched by `cuda.rs`; `tests/emulated` runs it on the CPU.
//! Kernels know slices, never images or models.
//! Every kernel is generic over [`Real`], so the `f64` instance is the yardstick of the `f32` one.
//!
//! | kernel | computes |
//! |---|---|
//! | [`matmul`] | `C ← alpha·A·B + beta·C` on strided views |
//! | [`linear`] | `Y = X·W + b`, its gradients for inputs and for weights |
//! | [`layer_norm`] | normalised rows and their gradients |
//! | [`batch_norm`] | columns normalised with the batch's statistics, their gradients, and the running statistics |
//! | [`activation`] | GELU in both forms and `ReLU`, with their derivatives |
//! | [`attention`] | softmax attention, maps fused over heads, gradients, and the relevance row inside the backward pass |
//! | [`rollout`] | one row pushed down through attention maps, and the explicit product |
//! | [`patchify`] | pixels to rows of patches and back |
//! | [`bicubic`] | position tables resized as the reference implementations do |
//! | [`bicubic_antialiased`] | the same with antialiasing, as timm and DINOv2 with registers do |
//! | [`cross_entropy`] | loss and its gradient at the logits |
//! | [`saliency`] | gradients to maps: channels, moments over samples, sums along a path |
//! | [`blend`] | a map over a picture in colour |
//! | [`tokens`] | rows of tokens joined, cut to the leading ones and pooled; their gradients |
//! | [`adamw`] | one decoupled-weight-decay Adam step |
//! | [`collective`] | sums over processes, in the order of their ranks; gradients in buckets |
//!
//! Determinism: the bits of one image never depend on the images beside it, nor on how many threads run.

pub mod activation;
pub mod adamw;
pub mod attention;
pub mod batch_norm;
pub mod bicubic;
pub mod bicubic_antialiased;
pub mod blend;
mod buffer;
pub mod check;
pub mod collective;
pub mod cross_entropy;
pub mod cuda;
pub mod device;
mod error;
mod instructions;
pub mod layer_norm;
pub mod linear;
pub mod matmul;
pub mod patchify;
mod real;
pub mod rollout;
pub mod saliency;
mod simd;
pub mod tokens;
mod workspace;

pub use buffer::{Buffer, Number};
pub use device::Device;
pub use error::Error;
pub use instructions::Instructions;
pub use real::Real;
pub use workspace::Workspace;
