//! Kernels on NVIDIA GPUs: what runs beside the twins on the CPU, and how it gets there.
//!
//! A kernel's CUDA source stands in its folder, `kernels/src/KERNEL/cuda*.cu`, beside it the Rust structure of its arguments and the
//! function that launches it (`cuda*.rs`). They know a device only as a [`Queue`]: memory and launches in order. One implementation is
//! the CUDA [`driver`], loaded at run time; the other runs the very sources on the CPU, for tests.

mod arena;
mod arguments;
mod clock;
pub mod cublaslt;
pub mod driver;
mod fault;
mod memory;
pub mod modules;
pub mod products;
pub mod proof;
mod queue;

pub use arena::{Arena, Region};
pub(crate) use arguments::arguments;
pub use arguments::{Arguments, Field};
pub use clock::{Clock, Mark, Stretches};
pub use fault::Fault;
pub use memory::{Address, Storage, as_bytes, as_bytes_mut, decode, encode};
pub use queue::{Launch, Queue, Recording, run, shared_memory};
