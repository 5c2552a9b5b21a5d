//! Between a cell and what runs it: frames on standard output, and whether the cell was interrupted.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Map, Value, json};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Whether the running cell was asked to stop.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Asks the running cell to stop, or lets the next one run.
pub fn set_interrupted(now: bool) {
    INTERRUPTED.store(now, Ordering::Relaxed);
}

/// Hands out representations by mime type: of something shown (`display`), of what is already shown under `id` (`update`), or of the
/// value of the cell's last expression (`result`).
pub fn frame(kind: &str, id: Option<&str>, data: Map<String, Value>) {
    let line = json!({ "kind": kind, "id": id, "data": data });
    let mut out = std::io::stdout().lock();
    // Nobody who listens is nobody to tell.
    let _ = writeln!(out, "\u{1e}PELLUCID {line}").and_then(|()| out.flush());
}
