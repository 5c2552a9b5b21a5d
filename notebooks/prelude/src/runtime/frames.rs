//! Content that is no text, between printed lines: one line a frame, in order with what is printed.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Map, Value, json};

const FRAME: &str = "\u{1e}PELLUCID ";

/// Under what something is shown that changes later.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DisplayId(String);

impl DisplayId {
    /// The identity's text, which no other display has.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Writes a frame, representations of one output by mime type: of something shown (`display`), of what replaces what is shown
/// under `id` (`update`), or of the value of the cell (`result`).
pub fn frame(kind: &str, id: Option<&str>, data: Map<String, Value>) {
    let line = format!("{FRAME}{}\n", json!({ "kind": kind, "id": id, "data": data }));
    let mut out = std::io::stdout().lock();
    // Nobody is left to be told when standard output is closed.
    let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
}

/// Shows content once.
pub fn show_frame(data: Map<String, Value>) {
    frame("display", None, data);
}

/// Shows content that will be replaced by [`update_frame`].
pub fn new_display(data: Map<String, Value>) -> DisplayId {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let id = DisplayId(format!("pellucid-{}-{count}", std::process::id()));
    frame("display", Some(id.as_str()), data);
    id
}

/// Replaces what is shown under this identity.
pub fn update_frame(id: &DisplayId, data: Map<String, Value>) {
    frame("update", Some(id.as_str()), data);
}
