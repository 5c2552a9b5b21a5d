//! Runs a whole notebook without Jupyter and writes the outputs that Jupyter would have written.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::engine::{CellError, Engine, Event, Outcome};
use crate::error::{Error, Result};
use document::Document;
use outputs::Outputs;
pub use parameters::Parameter;

mod deadline;
mod document;
mod outputs;
mod parameters;

/// What is run and how.
#[derive(Clone, Debug)]
pub struct Run {
    /// The notebook.
    pub notebook: PathBuf,
    /// Where the executed one is written, as far as it came; nowhere if there is none.
    pub out: Option<PathBuf>,
    /// Constants of the cell tagged `parameters` that have other values.
    pub parameters: Vec<Parameter>,
    /// How long one cell may take.
    pub timeout: Option<Duration>,
}

/// Runs every code cell until one fails; `told` is told how many of how many cells are done.
///
/// ```no_run
/// # fn engine() -> Box<dyn notebooks::engine::Engine> { unreachable!() }
/// use notebooks::runner::{Run, run};
///
/// let settings = Run { notebook: "lesson.ipynb".into(), out: None, parameters: vec![], timeout: None };
/// run(&settings, engine().as_mut(), &mut |done, of| eprintln!("{done} of {of}")).unwrap();
/// ```
///
/// # Errors
/// When the notebook cannot be read, a parameter has no place, or a cell fails: the error names the notebook, the cell and why.
pub fn run(settings: &Run, engine: &mut dyn Engine, told: &mut dyn FnMut(usize, usize)) -> Result<()> {
    let mut document = Document::read(&settings.notebook)?;
    document.inject(&settings.parameters)?;
    let cells = document.code_cells();
    let mut failed = None;
    for (done, &cell) in cells.iter().enumerate() {
        told(done, cells.len());
        if let Some(error) = run_cell(&mut document, cell, done as u64 + 1, engine, settings.timeout) {
            failed = Some((cell, error));
            break;
        }
    }
    told(cells.len(), cells.len());
    // What ran is worth reading whether the rest ran or not.
    if let Some(out) = &settings.out {
        document.write(out)?;
    }
    match failed {
        None => Ok(()),
        Some((cell, error)) => {
            Err(Error::Cell { path: settings.notebook.clone(), cell: cell + 1, name: error.name, message: error.message })
        }
    }
}

fn run_cell(document: &mut Document, cell: usize, count: u64, engine: &mut dyn Engine, timeout: Option<Duration>) -> Option<CellError> {
    let mut outputs = Outputs::default();
    let interrupt = engine.interrupter();
    let (outcome, late) =
        deadline::within(timeout, interrupt, || engine.execute(&document.source(cell), &mut |event: Event| outputs.add(event, count)));
    let error = match (outcome, timeout.filter(|_| late)) {
        (Outcome::Done, None) => None,
        (Outcome::Failed(error), None) => Some(error),
        (_, Some(timeout)) => {
            let message = format!("took longer than {} s; give it more: --timeout SECONDS", timeout.as_secs());
            Some(CellError { name: "Timeout".into(), traceback: vec![format!("Timeout: {message}")], message })
        }
    };
    if let Some(error) = &error {
        outputs.error(error);
    }
    document.set_outputs(cell, count, outputs.finish());
    error
}

/// Checks that a notebook can be run, without running it.
///
/// # Errors
/// As [`run`], before the first cell.
pub fn check(path: &Path, parameters: &[Parameter]) -> Result<()> {
    Document::read(path)?.inject(parameters)
}
