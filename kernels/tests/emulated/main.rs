//! Every CUDA kernel on the CPU: compiled by the machine's C++ compiler for the emulator in `kernels/emulator`, run under three
//! schedules on ragged sizes and poisoned memory, and compared with the kernel's `f64` twin.
//!
//! A kernel with barriers has mutants beside its test: its source with a barrier taken out, a bound moved, an index swapped.
//! Each of them must be caught. Without a C++ compiler the tests say loudly that they are skipped.
#![cfg(unix)]

#[allow(dead_code)]
#[path = "../../emulator/library.rs"]
mod emulator;
#[allow(dead_code)]
#[path = "../../emulator/queue.rs"]
mod queue;

mod activation;
mod attention;
mod attention_backward;
mod attention_fused;
mod attention_map;
mod batch_norm;
mod before_ampere;
mod blend;
#[cfg(target_os = "linux")]
mod cublaslt;
mod faults;
mod hopper;
mod hopper_attention;
mod hopper_layouts;
mod hopper_linear;
mod layer_norm;
mod layer_norm_affine;
mod layer_norm_wide;
mod layouts;
mod linear;
mod linear_bias;
mod memory;
mod mutants;
mod no_numbers;
mod patchify;
mod proof;
mod rollout;
mod rollout_explicit;
mod rollout_rows;
mod saliency;
mod tokens;
mod training;
mod warpgroups;

/// Tokens or rows: one, a few, a tile, one more, and those of the models.
const SIZES: [usize; 8] = [1, 17, 64, 65, 145, 197, 257, 577];
