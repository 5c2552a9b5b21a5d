//! What an interrupt reaches: a compiler at work is ended, a running cell is asked first.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a cell may take to listen before a second interrupt ends its process.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// Who is at work now; shared between the engine and the thread that interrupts it.
#[derive(Debug, Default)]
pub struct Interrupts {
    state: Mutex<State>,
    cancelled: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    /// Compilers and builds, each the head of a process group of its own.
    builders: Vec<u32>,
    /// The process of the cells, while it runs one.
    cells: Option<u32>,
    first: Option<Instant>,
}

impl Interrupts {
    /// A new cell: what was interrupted before counts no more.
    pub fn begin(&self) {
        self.state().first = None;
        self.cancelled.store(false, Ordering::SeqCst);
    }

    /// True once the cell was interrupted.
    pub fn cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }

    /// When the cell was interrupted first.
    pub fn since(&self) -> Option<Instant> {
        self.state().first
    }

    /// This builder is at work.
    pub fn watch(&self, builder: u32) {
        self.state().builders.push(builder);
    }

    /// It is not any more.
    pub fn unwatch(&self, builder: u32) {
        self.state().builders.retain(|&other| other != builder);
    }

    /// Whether this process runs a cell now; none must be named that has been waited for.
    pub fn runs(&self, process: Option<u32>) {
        self.state().cells = process;
    }

    /// This process has ended, whatever it did.
    pub fn gone(&self, process: u32) {
        let mut state = self.state();
        state.cells = state.cells.filter(|&cells| cells != process);
    }

    /// Ends what is at work: builders at once; a cell when it listens, and its process at a second call after [`PATIENCE`].
    pub fn interrupt(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
        let mut state = self.state();
        let first = *state.first.get_or_insert_with(Instant::now);
        for &builder in &state.builders {
            send(-(builder as i32), libc::SIGKILL);
        }
        if let Some(process) = state.cells {
            let signal = if first.elapsed() >= PATIENCE { libc::SIGKILL } else { libc::SIGINT };
            send(process as i32, signal);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends a signal; a process that has just ended is no failure.
fn send(process: i32, signal: i32) {
    // SAFETY: `kill` takes two numbers and touches no memory of ours; 0 and -1, which would reach more than one group, are
    // never passed, for no process that we started has such an id.
    unsafe { libc::kill(process, signal) };
}
