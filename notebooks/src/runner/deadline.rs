//! Interrupts what takes too long.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// How often a cell is interrupted that does not listen: from the second time on it is ended.
const AGAIN: Duration = Duration::from_millis(2500);

/// Runs `work`; true comes back as well where it was interrupted because time was up.
pub fn within<T>(limit: Option<Duration>, interrupt: Box<dyn Fn() + Send + Sync>, work: impl FnOnce() -> T) -> (T, bool) {
    let Some(limit) = limit else { return (work(), false) };
    std::thread::scope(|scope| {
        let (done, waiting) = channel::<()>();
        let watch = scope.spawn(move || {
            let mut late = false;
            let mut wait = limit;
            while waiting.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                (late, wait) = (true, AGAIN);
                interrupt();
            }
            late
        });
        let value = work();
        drop(done);
        (value, watch.join().unwrap_or(false))
    })
}
