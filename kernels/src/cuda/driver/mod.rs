//! NVIDIA's driver as a [`Queue`]: loaded at run time, a stream and one beside it, nothing of CUDA's toolkit.
//!
//! Everything here goes through the driver's C interface, so most of it is unsafe in the same way: handles come from the driver itself,
//! live as long as the [`Driver`] that holds them, and are used with its context made current first.

mod branch;
mod clock;
mod kernels;
mod opening;
mod refusals;
mod side;
mod staging;
mod turns;
mod warpgroups;
mod ways;

use std::collections::HashMap;
use std::panic::catch_unwind;
use std::sync::{Condvar, Mutex};
use std::thread::ThreadId;

use cudarc::driver::result::{self, graph, stream};
use cudarc::driver::sys;

use super::products::Choice;
use super::{Address, Clock, Fault, Launch, Queue, Recording, Storage};
use crate::attention::Shape;
use crate::attention::cuda::AttentionForward;
use crate::linear::cuda::Asked;
use branch::Branch;
use clock::Moments;
use kernels::Loaded;
pub(crate) use opening::extents;
use opening::opened;
pub(crate) use refusals::COMPILED_BY;
pub use side::Side;
use staging::Staging;
use ways::Ways;

/// A device under its driver.
#[derive(Debug)]
pub struct Driver {
    name: String,
    capability: u32,
    multiprocessors: usize,
    version: i32,
    device: sys::CUdevice,
    context: sys::CUcontext,
    stream: sys::CUstream,
    state: Mutex<State>,
    /// Told of when a recording ends.
    recorded: Condvar,
    ways: Ways,
}

// SAFETY: the driver's handles may be used from any thread, once the context is current there, which every call sees to.
unsafe impl Send for Driver {}
// SAFETY: as above; what calls change is behind a lock.
unsafe impl Sync for Driver {}

#[derive(Debug, Default)]
struct State {
    loaded: Loaded,
    staging: Staging,
    moments: Moments,
    branch: Branch,
    /// The thread that records, while one does.
    recorder: Option<ThreadId>,
    recordings: HashMap<Recording, sys::CUgraphExec>,
    /// How many recordings there were.
    numbered: u64,
}

impl Driver {
    /// The device of this ordinal.
    ///
    /// # Errors
    /// [`Fault::NoDriver`], [`Fault::Broken`], [`Fault::OldDriver`] and [`Fault::NoDevice`], and [`Fault::Unsupported`] for a choice of
    /// [`products`](super::products) that there is not.
    pub fn open(ordinal: usize) -> Result<Self, Fault> {
        // SAFETY: loads the system's CUDA driver library, whose initialisers are the vendor's; nothing is called in it.
        if !unsafe { sys::is_culib_present() } {
            return Err(Fault::NoDriver);
        }
        let choice = Choice::from_environment()?;
        // cudarc panics on a library that lacks symbols; a broken driver must not end the program.
        catch_unwind(|| opened(ordinal, choice)).unwrap_or_else(|_| Err(Fault::Broken("its library lacks symbols".into())))
    }

    /// The highest CUDA version that the driver serves, as 1000·major + 10·minor.
    pub fn version(&self) -> i32 {
        self.version
    }
}

impl Queue for Driver {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn capability(&self) -> u32 {
        self.capability
    }

    fn multiprocessors(&self) -> usize {
        self.multiprocessors
    }

    fn driver(&self) -> Option<&Driver> {
        Some(self)
    }

    fn allocate(&self, bytes: usize) -> Result<Address, Fault> {
        let _state = self.enter()?;
        // SAFETY: nobody reads the memory before it is written: kernels write what they are asked for before it is read.
        let allocated = unsafe { result::malloc_sync(bytes.max(1)) };
        allocated.map(Address).map_err(|error| match self.fault("taking memory", error) {
            Fault::OutOfMemory { .. } => Fault::OutOfMemory { wanted: bytes, free: result::mem_get_info().map_or(0, |(free, _)| free) },
            other => other,
        })
    }

    fn free(&self, at: Address) {
        let Ok(state) = self.enter() else { return };
        // Launches may still use the memory. What is being recorded does not run yet, and its memory is kept by who records.
        if state.recorder.is_none() {
            // SAFETY: the stream was made in `open`; what a lost device refuses is gone anyway.
            let _ = unsafe { stream::synchronize(self.stream) }.and_then(|()| state.branch.synchronise());
        }
        // SAFETY: the address came from `allocate`, and nothing uses it any more.
        let _ = unsafe { result::free_sync(at.0) };
    }

    fn upload(&self, to: Address, bytes: &[u8]) -> Result<(), Fault> {
        let mut state = self.copying()?;
        state.staging.upload(self.stream, to, bytes).map_err(|error| self.fault("copying to the device", error))
    }

    fn download(&self, from: Address, to: &mut [u8]) -> Result<(), Fault> {
        let mut state = self.copying()?;
        state.staging.download(self.stream, from, to).map_err(|error| self.fault("copying from the device", error))
    }

    fn clear(&self, at: Address, bytes: usize) -> Result<(), Fault> {
        let stream = self.computing()?.branch.current(self.stream);
        // SAFETY: the range lies in memory that `allocate` gave out.
        unsafe { result::memset_d8_async(at.0, 0, bytes, stream) }.map_err(|error| self.fault("clearing memory", error))
    }

    fn launch(&self, launch: &Launch) -> Result<(), Fault> {
        let mut state = self.computing()?;
        let function = state.loaded.function(launch, self.capability, |what, error| self.fault(what, error))?;
        let [x, y, z] = launch.grid.map(|blocks| blocks as u32);
        // A kernel reads its structure at the alignment of its widest field.
        let mut words = vec![0u64; launch.arguments.len().div_ceil(8)];
        words.iter_mut().zip(launch.arguments.chunks(8)).for_each(|(word, bytes)| {
            let mut whole = [0; 8];
            whole[..bytes.len()].copy_from_slice(bytes);
            *word = u64::from_le_bytes(whole);
        });
        let (block, shared, stream) = ((launch.threads as u32, 1, 1), launch.shared as u32, state.branch.current(self.stream));
        // SAFETY: the structure has the size and the layout of the kernel's parameter (held by tests), the driver copies it before it
        // returns, and its addresses lead to memory of this device that the caller keeps until the work is done.
        let started = unsafe { result::launch_kernel(function, (x, y, z), block, shared, stream, &mut [words.as_mut_ptr().cast()]) };
        started.map_err(|error| self.fault(launch.kernel, error))
    }

    fn product(&self, asked: &Asked) -> Result<bool, Fault> {
        self.ways.product(self, asked)
    }

    fn attention(&self, storage: Storage, shape: Shape, arguments: AttentionForward) -> Result<bool, Fault> {
        self.ways.attention(self, storage, shape, arguments)
    }

    fn synchronise(&self) -> Result<(), Fault> {
        let state = self.enter()?;
        // SAFETY: the stream was made in `open`.
        unsafe { stream::synchronize(self.stream) }
            .and_then(|()| state.branch.synchronise())
            .map_err(|error| self.fault("waiting for the device", error))
    }

    fn fork(&self, branch: &mut dyn FnMut() -> Result<(), Fault>) -> Result<(), Fault> {
        self.enter()?.branch.begin(self.stream).map_err(|error| self.fault("forking", error))?;
        let launched = branch();
        self.enter()?.branch.end();
        launched
    }

    fn join(&self) -> Result<(), Fault> {
        self.enter()?.branch.join(self.stream).map_err(|error| self.fault("joining", error))
    }

    fn record(&self) -> Result<bool, Fault> {
        // What a pass that failed left on the branch is no part of the recording.
        self.join()?;
        self.ways.record(self, || self.begin_recording()).map(|()| true)
    }

    fn end_recording(&self) -> Result<Recording, Fault> {
        self.ways.end_recording();
        let mut state = self.enter()?;
        self.let_others_in(&mut state);
        // SAFETY: the graph comes from the driver and is destroyed once it became an executable one.
        let made = unsafe {
            stream::end_capture(self.stream).and_then(|captured| {
                let made = graph::instantiate(captured, sys::CUgraphInstantiate_flags(0));
                graph::destroy(captured).and(made)
            })
        };
        let recording = Recording(state.numbered);
        state.numbered += 1;
        state.recordings.insert(recording, made.map_err(|error| self.fault("recording", error))?);
        Ok(recording)
    }

    fn replay(&self, recording: Recording) -> Result<(), Fault> {
        let state = self.computing()?;
        let Some(&graph) = state.recordings.get(&recording) else {
            return Err(Fault::Refused { what: "replaying".into(), reason: "there is no such recording".into() });
        };
        // SAFETY: the graph lives until it is forgotten.
        unsafe { graph::launch(graph, self.stream) }.map_err(|error| self.fault("replaying", error))
    }

    fn forget(&self, recording: Recording) {
        let Ok(mut state) = self.enter() else { return };
        if let Some(graph) = state.recordings.remove(&recording) {
            // SAFETY: nobody else has the graph; one that still runs is freed when it has ended.
            let _ = unsafe { graph::exec_destroy(graph) };
        }
    }

    fn clock(&self) -> Option<&dyn Clock> {
        Some(self)
    }
}
