//! The message and the place of a panic.

use std::backtrace::Backtrace;
use std::cell::Cell;
use std::panic::{Location, PanicHookInfo};
use std::sync::Mutex;

use serde_json::{Value, json};

/// What the files of cells are called.
const CELL: &str = "pellucid_cell_";
const MOST_PLACES: usize = 32;

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

    fn is_of_a_cell(&self) -> bool {
        self.file.contains(CELL)
    }
}

/// The panic that was noted last, on whatever thread: a worker's panic arrives in the cell without a hook of its own.
static NOTED: Mutex<Vec<Place>> = Mutex::new(Vec::new());

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

/// The places of the last panic, innermost first; they are forgotten.
pub(super) fn noted() -> Vec<Place> {
    NOTED.lock().map(|mut noted| std::mem::take(&mut *noted)).unwrap_or_default()
}

fn note(panic: &PanicHookInfo) {
    let Some(first) = panic.location().map(Place::of) else { return };
    if !RUNS_CELLS.get() {
        let thread = std::thread::current();
        let message = panic.payload_as_str().unwrap_or("a value that is no text");
        eprintln!("thread `{}` panicked at {}:{}: {message}", thread.name().unwrap_or("without a name"), first.file, first.line);
    }
    let mut way = cells_on_the_way(&Backtrace::force_capture().to_string());
    // The panic's own place is exact to the character, and the way begins with it.
    way.retain(|place| (&place.line, place.file.rsplit('/').next()) != (&first.line, first.file.rsplit('/').next()));
    let mut places = vec![first];
    places.append(&mut way);
    if let Ok(mut noted) = NOTED.lock() {
        *noted = places;
    }
}

/// The places in cells that a printed backtrace goes through, innermost first.
fn cells_on_the_way(backtrace: &str) -> Vec<Place> {
    let places = backtrace.lines().filter_map(|line| place(line.trim().strip_prefix("at ")?));
    places.filter(Place::is_of_a_cell).take(MOST_PLACES).collect()
}

fn place(text: &str) -> Option<Place> {
    let (rest, column) = text.rsplit_once(':')?;
    let (file, line) = rest.rsplit_once(':')?;
    Some(Place { file: file.to_owned(), line: line.parse().ok()?, column: column.parse().ok()? })
}
