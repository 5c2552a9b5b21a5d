//! Jupyter's interrupt, as a flag that loops look at: whoever listens ends in time, and the variables stay.

use std::sync::atomic::{AtomicBool, Ordering};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// The user wants the running cell to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupted;

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

/// True once the user has interrupted the running cell.
///
/// ```
/// assert!(!pellucid::runtime::interrupted());
/// ```
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// For long loops that return a `Result`: `check_interrupt()?`.
///
/// # Errors
///
/// [`Interrupted`] once the user has interrupted the running cell.
pub fn check_interrupt() -> Result<(), Interrupted> {
    if interrupted() { Err(Interrupted) } else { Ok(()) }
}

/// What stands at the start of every loop of a cell: unwinds out of the cell once it is interrupted.
#[inline(never)]
pub fn checkpoint() {
    if interrupted() && !std::thread::panicking() {
        unwind();
    }
}

/// Leaves the cell, past every frame of the user's.
pub(super) fn unwind() -> ! {
    std::panic::resume_unwind(Box::new(Interrupted))
}

/// Asks the running cell to end, or lets the next one run.
pub fn set_interrupted(now: bool) {
    INTERRUPTED.store(now, Ordering::SeqCst);
}

/// An interruption ends one cell, not the next.
pub(super) fn reset() {
    set_interrupted(false);
}

/// Listens to SIGINT from now on.
pub(super) fn install() {
    let handler: extern "C" fn(libc::c_int) = on_signal;
    // SAFETY: 1. the handler only stores to an atomic, which is allowed in a signal handler; 2. it lives as long as the
    // process, for this library is never unloaded; 3. `action` is wholly initialised: zero is valid for every field.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as *const () as libc::sighandler_t;
        action.sa_flags = libc::SA_RESTART;
        libc::sigaction(libc::SIGINT, &action, std::ptr::null_mut());
    }
}

extern "C" fn on_signal(_: libc::c_int) {
    INTERRUPTED.store(true, Ordering::SeqCst);
}
