//! A device that is this machine's processor: every launch runs the kernel's own source under the emulator.
//! Tests take this file in by its path, beside `library.rs` as `emulator`.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kernels::cuda::{Address, Clock, Fault, Launch, Queue, Recording, Storage};

use super::emulator::{Launched, Library, Schedule, file};
use ticking::Ticking;

#[path = "ticking.rs"]
mod ticking;

/// Bytes before and after what is given out that nobody may write.
const FENCE: usize = 256;
const POISON: u8 = 0xff;

/// The device.
#[derive(Debug)]
pub struct Emulated {
    pub schedule: Schedule,
    pub capability: u32,
    pub multiprocessors: usize,
    /// What memory it has.
    pub bytes: usize,
    unjoined: AtomicUsize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    libraries: HashMap<(&'static str, Storage), Arc<Library>>,
    /// By address: the memory with its fences, and where in it the address is.
    memory: HashMap<Address, (Vec<u8>, usize, usize)>,
    /// What branches hold back, and whether work goes there now.
    branch: Vec<Step>,
    inside: bool,
    recording: Option<Vec<Step>>,
    recordings: Vec<Option<Arc<Vec<Step>>>>,
    ticking: Ticking,
}

/// What a recording holds.
#[derive(Debug, Clone)]
enum Step {
    Launch { library: Arc<Library>, kernel: &'static str, how: Launched, arguments: Vec<u8> },
    Clear(Address, usize),
    OnBranch(Box<Step>),
    Join,
}

impl Emulated {
    /// A device that runs warps in this order; nothing where there is no C++ compiler.
    pub fn new(schedule: Schedule) -> Option<Self> {
        Library::of("activation/cuda.cu", Storage::F32)?;
        Some(Self { schedule, capability: 90, multiprocessors: 8, bytes: 1 << 30, unjoined: AtomicUsize::new(0), state: Mutex::default() })
    }

    /// The same as another architecture.
    pub fn of_capability(self, capability: u32) -> Self {
        Self { capability, ..self }
    }

    /// The same with so many bytes of memory.
    pub fn of_bytes(self, bytes: usize) -> Self {
        Self { bytes, ..self }
    }

    /// The same with so many multiprocessors.
    pub fn of_multiprocessors(self, multiprocessors: usize) -> Self {
        Self { multiprocessors, ..self }
    }

    /// The same without the next so many joins of branches, as if they had been forgotten.
    pub fn without_joins(self, joins: usize) -> Self {
        Self { unjoined: AtomicUsize::new(joins), ..self }
    }

    /// Recordings that were made and not given back.
    pub fn recordings(&self) -> usize {
        self.state().recordings.iter().flatten().count()
    }

    /// Bytes that are given out.
    pub fn given_out(&self) -> usize {
        self.state().memory.values().map(|(_, _, bytes)| bytes).sum()
    }

    /// Runs `library` in the place of the kernels of `file`.
    pub fn replace(&self, file: &str, storage: Storage, library: Library) {
        let module = file.trim_end_matches(".cu").replace("/cuda", "");
        self.state().libraries.insert((module.leak(), storage), Arc::new(library));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn library(&self, launch: &Launch) -> Result<Arc<Library>, Fault> {
        if let Some(library) = self.state().libraries.get(&(launch.module, launch.storage)) {
            return Ok(library.clone());
        }
        let none = || Fault::NoModule { module: launch.module.into(), capability: self.capability };
        let file = file(launch.module).ok_or_else(none)?;
        let library = Arc::new(Library::of_architecture(&file, launch.storage, self.capability).ok_or_else(none)?);
        self.state().libraries.insert((launch.module, launch.storage), library.clone());
        Ok(library)
    }

    fn perform(&self, step: &Step) -> Result<(), Fault> {
        match step {
            // Both orders are allowed: a branch's work goes first, or as late as a join lets it.
            Step::OnBranch(step) if matches!(self.schedule, Schedule::Forward) => self.perform(step),
            Step::OnBranch(step) => {
                self.state().branch.push((**step).clone());
                Ok(())
            }
            Step::Join => {
                let waiting = std::mem::take(&mut self.state().branch);
                waiting.iter().try_for_each(|step| self.perform(step))
            }
            Step::Clear(at, bytes) => {
                // SAFETY: kernels and the engine are given addresses of this device's memory only.
                unsafe { std::ptr::write_bytes(at.0 as *mut u8, 0, *bytes) };
                Ok(())
            }
            Step::Launch { library, kernel, how, arguments } => {
                self.state().ticking.launched(how.grid);
                let ran = library.run_bytes(kernel, *how, arguments, self.schedule);
                ran.map_err(|reason| Fault::Refused { what: format!("{kernel} ({how:?})"), reason })
            }
        }
    }

    fn perform_or_record(&self, step: Step) -> Result<(), Fault> {
        let step = if self.state().inside { Step::OnBranch(Box::new(step)) } else { step };
        if let Some(recording) = &mut self.state().recording {
            recording.push(step);
            return Ok(());
        }
        self.state().ticking.computes();
        self.perform(&step)
    }
}

impl Queue for Emulated {
    fn name(&self) -> String {
        "the emulator".into()
    }

    fn capability(&self) -> u32 {
        self.capability
    }

    fn multiprocessors(&self) -> usize {
        self.multiprocessors
    }

    fn allocate(&self, bytes: usize) -> Result<Address, Fault> {
        let free = self.bytes - self.given_out();
        if bytes > free {
            return Err(Fault::OutOfMemory { wanted: bytes, free });
        }
        let memory = vec![POISON; bytes + 3 * FENCE];
        let start = FENCE + memory.as_ptr().align_offset(FENCE);
        let at = Address(memory[start..].as_ptr() as u64);
        self.state().memory.insert(at, (memory, start, bytes));
        Ok(at)
    }

    fn free(&self, at: Address) {
        let (memory, start, bytes) = self.state().memory.remove(&at).expect("memory that was given out");
        let fences = memory[..start].iter().chain(&memory[start + bytes..]);
        assert!(fences.clone().all(|byte| *byte == POISON), "memory is written outside of {bytes} bytes");
    }

    fn upload(&self, to: Address, bytes: &[u8]) -> Result<(), Fault> {
        self.state().ticking.copies([bytes.len(), 0]);
        // SAFETY: as for `perform`.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to.0 as *mut u8, bytes.len()) };
        Ok(())
    }

    fn download(&self, from: Address, to: &mut [u8]) -> Result<(), Fault> {
        self.state().ticking.copies([0, to.len()]);
        // SAFETY: as for `perform`.
        unsafe { std::ptr::copy_nonoverlapping(from.0 as *const u8, to.as_mut_ptr(), to.len()) };
        Ok(())
    }

    fn clear(&self, at: Address, bytes: usize) -> Result<(), Fault> {
        self.perform_or_record(Step::Clear(at, bytes))
    }

    fn launch(&self, launch: &Launch) -> Result<(), Fault> {
        let (what, most) = (launch.kernel.to_string(), self.shared_memory());
        if launch.shared > most {
            return Err(Fault::Refused { what, reason: format!("{} bytes of shared memory, where {most} are", launch.shared) });
        }
        let how = Launched { grid: launch.grid, threads: launch.threads, shared: launch.shared };
        let library = self.library(launch)?;
        self.perform_or_record(Step::Launch { library, kernel: launch.kernel, how, arguments: launch.arguments.to_vec() })
    }

    fn synchronise(&self) -> Result<(), Fault> {
        Ok(())
    }

    fn fork(&self, branch: &mut dyn FnMut() -> Result<(), Fault>) -> Result<(), Fault> {
        self.state().inside = true;
        let launched = branch();
        self.state().inside = false;
        launched
    }

    fn join(&self) -> Result<(), Fault> {
        if self.unjoined.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
            return Ok(());
        }
        self.perform_or_record(Step::Join)
    }

    fn record(&self) -> Result<bool, Fault> {
        self.state().recording = Some(Vec::new());
        Ok(true)
    }

    fn end_recording(&self) -> Result<Recording, Fault> {
        let mut state = self.state();
        let steps = state.recording.take().unwrap_or_default();
        state.recordings.push(Some(Arc::new(steps)));
        Ok(Recording(state.recordings.len() as u64 - 1))
    }

    fn replay(&self, recording: Recording) -> Result<(), Fault> {
        let steps = self.state().recordings[recording.0 as usize].clone().expect("it was not given back");
        self.state().ticking.computes();
        steps.iter().try_for_each(|step| self.perform(step))
    }

    fn forget(&self, Recording(which): Recording) {
        self.state().recordings[which as usize] = None;
    }

    fn clock(&self) -> Option<&dyn Clock> {
        Some(self)
    }
}
