//! Compute primitives of a vision transformer.
//!
//! A kernel is a folder: `mod.rs` says what it computes, checks shapes and holds the tests, `cpu.rs` computes it.
//! Kernels know slices, never images or models.
//! Every kernel is generic over [`Real`], so the `f64` instance is the yardstick of the `f32` one.
//!
//! | kernel | computes |
//! |---|---|
//! | [`matmul`] | `C ← alpha·A·B + beta·C` on strided views |
//! | [`linear`] | `Y = X·W + b`, its gradients for inputs and for weights |
//! | [`layer_norm`] | normalised rows and their gradients |
//! | [`gelu`] | `x·Φ(x)` (erf form) and its gradient |
//! | [`gelu_tanh`] | the same in its tanh form |
//! | [`relu`] | `max(x, 0)` and its gradient |
//! | [`attention`] | softmax attention, maps fused over heads, gradients, and the relevance row inside the backward pass |
//! | [`rollout`] | one row pushed down through attention maps, and the explicit product |
//! | [`patchify`] | pixels to rows of patches and back |
//! | [`bicubic`] | position tables resized as the reference implementations do |
//! | [`bicubic_antialiased`] | the same with antialiasing, as timm and DINOv2 with registers do |
//! | [`cross_entropy`] | loss and its gradient at the logits |
//! | [`adamw`] | one decoupled-weight-decay Adam step |
//!
//! Determinism: the bits of one image never depend on the images beside it, nor on how many threads run.

pub mod adamw;
pub mod attention;
pub mod bicubic;
pub mod bicubic_antialiased;
pub mod check;
pub mod cross_entropy;
pub mod device;
mod error;
pub mod gelu;
pub mod gelu_tanh;
mod images;
pub mod layer_norm;
pub mod linear;
pub mod matmul;
pub mod patchify;
mod real;
pub mod relu;
pub mod rollout;
mod simd;

pub use device::Device;
pub use error::Error;
pub use real::Real;
