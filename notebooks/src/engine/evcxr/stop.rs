//! Interrupts a cell: first it is asked, then, if it does not listen, its process ends.

use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a cell may take to listen; who interrupts again later ends its process.
const PATIENCE: Duration = Duration::from_secs(2);

/// Shared between who runs cells and who interrupts them.
#[derive(Debug, Default)]
pub struct Stop {
    process: AtomicI32,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    running: bool,
    asked: Option<Instant>,
}

impl Stop {
    /// The process that runs cells now.
    pub fn process(&self, id: i32) {
        self.process.store(id, Ordering::SeqCst);
    }

    /// A cell begins.
    pub fn begin(&self) {
        *self.state() = State { running: true, asked: None };
    }

    /// It has ended.
    pub fn end(&self) {
        self.state().running = false;
    }

    /// True where this cell was interrupted.
    pub fn was_asked(&self) -> bool {
        self.state().asked.is_some()
    }

    /// Interrupts the running cell; without one, nothing happens.
    pub fn ask(&self) {
        let mut state = self.state();
        let process = self.process.load(Ordering::SeqCst);
        if !state.running || process <= 0 {
            return;
        }
        let first = *state.asked.get_or_insert_with(Instant::now);
        let signal = if first.elapsed() < PATIENCE { libc::SIGINT } else { libc::SIGKILL };
        // SAFETY: kill takes any numbers. 1. The process is the tap's child, and its number is not used again before the tap has
        // waited for it. 2. A number above 0 names one process, never a group.
        unsafe {
            libc::kill(process, signal);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
