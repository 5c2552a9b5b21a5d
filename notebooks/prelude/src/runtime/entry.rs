//! What the process around the cells calls. It holds another copy of the standard library than the cells do, so that only
//! C's types pass here, and standard output is flushed on this side.

use std::io::Write;
use std::panic::catch_unwind;
use std::time::Duration;

use serde_json::Value;

use super::{ending, interrupt, panics, variables};

/// How soon text without a newline is seen.
const FLUSH: Duration = Duration::from_millis(100);

/// Prepares the process: called once, by the thread that will run the cells.
#[unsafe(no_mangle)]
pub extern "C" fn pellucid_start() {
    interrupt::install();
    panics::install();
    crate::begin();
    let flusher = std::thread::Builder::new().name("flush".to_owned());
    // Without it, text appears with its newline or at the end of its cell.
    let _ = flusher.spawn(|| {
        loop {
            std::thread::sleep(FLUSH);
            let _ = std::io::stdout().flush();
        }
    });
}

/// Drops a variable.
///
/// # Safety
///
/// `name` points to `length` bytes that stay as they are during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pellucid_forget(name: *const u8, length: usize) {
    // SAFETY: the caller's promise.
    let name = unsafe { std::slice::from_raw_parts(name, length) };
    let name = String::from_utf8_lossy(name);
    // A value's own drop may panic; a panic may not leave a function of C's rules.
    let _ = catch_unwind(|| variables::forget(&name));
}

/// Ends a cell on both streams: `marker`, a space, how it ended as JSON on standard output alone, and a newline.
///
/// # Safety
///
/// `marker` points to `length` bytes that stay as they are during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pellucid_finish(marker: *const u8, length: usize) {
    // SAFETY: the caller's promise.
    let marker = unsafe { std::slice::from_raw_parts(marker, length) };
    let marker = String::from_utf8_lossy(marker);
    let report = catch_unwind(ending::report).unwrap_or(Value::Null);
    write(&mut std::io::stdout().lock(), &format!("{marker} {report}\n"));
    write(&mut std::io::stderr().lock(), &format!("{marker} {{}}\n"));
}

/// Nobody is left to be told when a stream is closed.
fn write(stream: &mut impl Write, line: &str) {
    let _ = stream.write_all(line.as_bytes()).and_then(|()| stream.flush());
}
