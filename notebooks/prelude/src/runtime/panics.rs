//! The message and the place of a panic.

use std::cell::Cell;
use std::ffi::CStr;
use std::panic::{Location, PanicHookInfo};
use std::sync::Mutex;

use serde_json::{Value, json};

/// What the libraries of cells are called.
const CELL: &str = "pellucid_cell_";
/// Frames that are looked at.
const DEEPEST: usize = 256;

/// A line of a source file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    file: String,
    line: u32,
    column: u32,
}

impl Place {
    pub fn of(location: &Location) -> Self {
        Self { file: location.file().to_owned(), line: location.line(), column: location.column() }
    }

    pub fn json(&self) -> Value {
        json!({ "file": self.file, "line": self.line, "column": self.column })
    }
}

/// What is known about a panic.
#[derive(Clone, Debug, Default)]
pub(super) struct Noted {
    place: Option<Place>,
    /// Addresses in libraries of cells that the panic went through, innermost first.
    way: Vec<(String, usize)>,
}

impl Noted {
    pub fn json(&self) -> Value {
        let way: Vec<Value> = self.way.iter().map(|(library, address)| json!({ "library": library, "address": address })).collect();
        json!({ "place": self.place.as_ref().map(Place::json), "way": way })
    }
}

/// The panic that was noted last, on whatever thread: a worker's panic arrives in the cell without a hook of its own.
static NOTED: Mutex<Option<Noted>> = Mutex::new(None);

thread_local! {
    static RUNS_CELLS: Cell<bool> = const { Cell::new(false) };
}

/// Notes every panic from now on, instead of printing it.
pub(super) fn install() {
    std::panic::set_hook(Box::new(note));
}

/// Marks this thread as the one whose panics the engine tells.
pub(super) fn watch() {
    RUNS_CELLS.set(true);
    drop(noted());
}

/// What is known about the last panic; it is forgotten.
pub(super) fn noted() -> Noted {
    NOTED.lock().map(|mut noted| noted.take()).ok().flatten().unwrap_or_default()
}

fn note(panic: &PanicHookInfo) {
    let place = panic.location().map(Place::of);
    if !RUNS_CELLS.get() {
        let thread = std::thread::current();
        let message = panic.payload_as_str().unwrap_or("a value that is no text");
        let at = place.as_ref().map(|place| format!(" at {}:{}", place.file, place.line)).unwrap_or_default();
        eprintln!("thread `{}` panicked{at}: {message}", thread.name().unwrap_or("without a name"));
    }
    if let Ok(mut noted) = NOTED.lock() {
        *noted = Some(Noted { place, way: way() });
    }
}

/// The engine makes lines of these addresses: the standard library's own backtrace knows no cell that was loaded after the
/// first one that it drew, and would read through the whole library for each.
fn way() -> Vec<(String, usize)> {
    let mut frames = [std::ptr::null_mut(); DEEPEST];
    // SAFETY: the call fills at most as many pointers as the array has.
    let count = unsafe { libc::backtrace(frames.as_mut_ptr(), DEEPEST as libc::c_int) };
    let frames = frames.iter().take(usize::try_from(count).unwrap_or_default());
    // A frame's address is where it goes on; the call stands before it.
    frames.filter_map(|frame| in_cell((*frame as usize).checked_sub(1)?)).collect()
}

/// The library of a cell that this address is in, and the address inside it.
fn in_cell(address: usize) -> Option<(String, usize)> {
    // SAFETY: 1. `info` is plain data that the call fills, and zero is valid for it; 2. the name, where it is set, is a C string
    // that lives as long as its library, and libraries of cells are never unloaded.
    let (name, base) = unsafe {
        let mut info: libc::Dl_info = std::mem::zeroed();
        if libc::dladdr(address as *const libc::c_void, &mut info) == 0 || info.dli_fname.is_null() {
            return None;
        }
        (CStr::from_ptr(info.dli_fname).to_string_lossy().into_owned(), info.dli_fbase as usize)
    };
    name.contains(CELL).then(|| (name, address - base))
}
