//! A device as kernels see it: memory, and launches that run one after the other.

use std::fmt;

use super::driver::Driver;
use super::{Address, Arguments, Clock, Fault, Storage};
use crate::attention::Shape;
use crate::attention::cuda::AttentionForward;
use crate::linear::cuda::Asked;

/// One launch of one kernel.
#[derive(Debug, Clone, Copy)]
pub struct Launch<'a> {
    /// The kernel's file, as `attention_backward` for `attention/cuda_backward.cu`.
    pub module: &'static str,
    /// How its numbers are kept.
    pub storage: Storage,
    /// Its name.
    pub kernel: &'static str,
    /// Blocks along x, y and z.
    pub grid: [usize; 3],
    /// Threads of a block.
    pub threads: usize,
    /// Bytes of shared memory beyond what the kernel declares.
    pub shared: usize,
    /// Its structure of arguments.
    pub arguments: &'a [u8],
}

/// Launches that were recorded, to be run again at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Recording(pub u64);

/// Memory of a device and the order of its work: what is asked for later happens later, but for branches.
pub trait Queue: Send + Sync + fmt::Debug {
    /// The device in words.
    fn name(&self) -> String;

    /// Its architecture, as 90 for `sm_90`.
    fn capability(&self) -> u32;

    /// Its multiprocessors, of which each runs some blocks.
    fn multiprocessors(&self) -> usize;

    /// Bytes of shared memory that one block may have.
    fn shared_memory(&self) -> usize {
        shared_memory(self.capability())
    }

    /// NVIDIA's driver, where this is one: what other libraries of NVIDIA's need beneath them.
    fn driver(&self) -> Option<&Driver> {
        None
    }

    /// Memory aligned to 256 bytes; what it holds is undefined.
    ///
    /// # Errors
    /// [`Fault::OutOfMemory`].
    fn allocate(&self, bytes: usize) -> Result<Address, Fault>;

    /// Gives memory back that [`Queue::allocate`] gave out.
    fn free(&self, at: Address);

    /// Copies bytes onto the device; they may be changed as soon as this returns.
    ///
    /// # Errors
    /// [`Fault::Lost`] and [`Fault::Refused`], as for all that follow.
    fn upload(&self, to: Address, bytes: &[u8]) -> Result<(), Fault>;

    /// Waits for everything before, and copies bytes back.
    ///
    /// # Errors
    /// As for [`Queue::upload`].
    fn download(&self, from: Address, to: &mut [u8]) -> Result<(), Fault>;

    /// Sets bytes to zero.
    ///
    /// # Errors
    /// As for [`Queue::upload`].
    fn clear(&self, at: Address, bytes: usize) -> Result<(), Fault>;

    /// Starts a kernel.
    ///
    /// # Errors
    /// As for [`Queue::upload`], and [`Fault::NoModule`] and [`Fault::OldDriver`] where the kernel cannot be loaded.
    fn launch(&self, launch: &Launch) -> Result<(), Fault>;

    /// Takes a product of matrices a better way than own kernels have; false where there is none, and nothing was done.
    ///
    /// # Errors
    /// As for [`Queue::launch`].
    fn product(&self, _asked: &Asked) -> Result<bool, Fault> {
        Ok(false)
    }

    /// Takes attention forward a better way than own kernels have; false where there is none, and nothing was done.
    ///
    /// # Errors
    /// As for [`Queue::launch`].
    fn attention(&self, _storage: Storage, _shape: Shape, _arguments: AttentionForward) -> Result<bool, Fault> {
        Ok(false)
    }

    /// Waits for everything before.
    ///
    /// # Errors
    /// As for [`Queue::upload`].
    fn synchronise(&self) -> Result<(), Fault>;

    /// Runs `branch`, whose launches and clears come after all that was asked for so far and run beside what is asked for next, up to
    /// [`Queue::join`]: until then nothing may change what they read, or use what they write. Where there is one order only, they take
    /// their place in it. Several branches run one after the other; while one is made, no other thread launches.
    ///
    /// # Errors
    /// As for [`Queue::upload`], and those of `branch`.
    fn fork(&self, branch: &mut dyn FnMut() -> Result<(), Fault>) -> Result<(), Fault> {
        branch()
    }

    /// What is asked for from now on comes after every branch. A recording joins all it forked.
    ///
    /// # Errors
    /// As for [`Queue::upload`].
    fn join(&self) -> Result<(), Fault> {
        Ok(())
    }

    /// From now on, launches and clears are recorded and not run; false where a device cannot record, and runs them.
    ///
    /// # Errors
    /// As for [`Queue::upload`].
    fn record(&self) -> Result<bool, Fault>;

    /// Ends what [`Queue::record`] began.
    ///
    /// # Errors
    /// As for [`Queue::upload`].
    fn end_recording(&self) -> Result<Recording, Fault>;

    /// Runs what was recorded.
    ///
    /// # Errors
    /// As for [`Queue::upload`].
    fn replay(&self, recording: Recording) -> Result<(), Fault>;

    /// Gives a recording back, which is not replayed again.
    fn forget(&self, _recording: Recording) {}

    /// The device's own clock, where it has one.
    fn clock(&self) -> Option<&dyn Clock> {
        None
    }
}

/// Bytes of shared memory that a block may have on an architecture, as NVIDIA's tables of compute capabilities have it; those that are
/// not known get what the smallest of their time has.
///
/// ```
/// assert_eq!(kernels::cuda::shared_memory(90), 227 << 10);
/// ```
pub fn shared_memory(capability: u32) -> usize {
    let kibibytes = match capability {
        ..=74 => 96,
        75..=79 => 64,
        80 | 87 => 163,
        90..=119 => 227,
        _ => 99,
    };
    kibibytes << 10
}

/// Launches `kernel` of `module` with a structure of arguments; blocks of no extent are no work.
///
/// # Errors
/// As for [`Queue::launch`].
pub fn run<A: Arguments>(
    queue: &dyn Queue,
    (module, storage, kernel): (&'static str, Storage, &'static str),
    (grid, threads, shared): ([usize; 3], usize, usize),
    arguments: &A,
) -> Result<(), Fault> {
    if grid.contains(&0) {
        return Ok(());
    }
    queue.launch(&Launch { module, storage, kernel, grid, threads, shared, arguments: &arguments.bytes() })
}
