//! `kernel`: what Jupyter starts.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use crate::engine::evcxr::Room;
use crate::engine::{CellError, EngineKind, choice};
use crate::error::Error;
use crate::wire::{Connection, serve};

/// Be the kernel of one notebook.
#[derive(Debug, Args)]
#[command(
    after_help = "Jupyter starts this and writes the file; `pellucid notebook install` tells it how.\n\nExample: pellucid notebook kernel -f connection.json"
)]
pub struct Arguments {
    /// Jupyter's connection file
    #[arg(short = 'f', long = "connection-file", value_name = "FILE")]
    file: PathBuf,

    /// What runs cells
    #[arg(long, value_enum, default_value_t)]
    engine: EngineKind,
}

/// # Safety
/// No other thread may run yet.
pub unsafe fn run(arguments: &Arguments) -> anyhow::Result<()> {
    // SAFETY: the caller's promise.
    let _room = (arguments.engine == EngineKind::Evcxr).then(|| unsafe { Room::enter() }).transpose()?;
    let connection = Connection::read(&arguments.file)?;
    let engine = arguments.engine;
    serve(&connection, Arc::new(move |tell| choice::start(engine, tell).map_err(|error| shown(&error))))?;
    Ok(())
}

/// What the first cell shows where there is no engine for it.
fn shown(error: &Error) -> CellError {
    let text = error.to_string();
    let message = text.lines().next().unwrap_or_default().to_owned();
    CellError { name: "KernelError".into(), message, traceback: text.lines().map(str::to_owned).collect() }
}
