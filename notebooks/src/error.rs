//! What can go wrong around cells; what goes wrong inside them is a [`CellError`](crate::engine::CellError).

use std::path::PathBuf;

/// Says what, where, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The connection file cannot be used.
    #[error("connection file {}: {why}; a frontend writes it and starts the kernel: choose `Rust (Pellucid)` in Jupyter", path.display())]
    Connection {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A socket cannot be opened or used.
    #[error("the kernel cannot listen on {endpoint}: {source}; restart the kernel, which chooses other ports")]
    Socket {
        /// Where.
        endpoint: String,
        /// What ZeroMQ says.
        source: zeromq::ZmqError,
    },
    /// A file or folder cannot be read or written.
    #[error("{what} {}: {source}", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The workbench's source is not where it was.
    #[error("the source of Pellucid is not at {}; say where it is: PELLUCID_SOURCE=path/to/checkout", path.display())]
    NoSource {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The toolchain lacks something.
    #[error("{what}; {remedy}")]
    Toolchain {
        /// What is missing.
        what: String,
        /// How to get it.
        remedy: String,
    },
    /// The library that cells are linked against was not built.
    #[error("{package} was not built ({command}):\n{messages}")]
    Build {
        /// The package.
        package: String,
        /// The command to repeat by hand.
        command: String,
        /// What the compiler says.
        messages: String,
    },
    /// A notebook that cannot be run.
    #[error("{}: {why}", path.display())]
    Notebook {
        /// The file.
        path: PathBuf,
        /// What is wrong with it and what to do.
        why: String,
    },
    /// A cell of a notebook failed.
    #[error("{} failed in cell {cell}: {name}: {message}", path.display())]
    Cell {
        /// The notebook.
        path: PathBuf,
        /// Which of its cells, from 1, whatever their kind.
        cell: usize,
        /// What kind of error.
        name: String,
        /// What it says.
        message: String,
    },
    /// An engine that does not start.
    #[error("the {engine} engine does not start: {why}")]
    Engine {
        /// Which.
        engine: &'static str,
        /// Why, and what to do.
        why: String,
    },
}

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// For `map_err` on what was tried with a path.
    pub fn file(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { what, path, source }
    }
}
