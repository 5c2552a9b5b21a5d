//! What runs cells, and what comes out of them while they run.

pub mod choice;
pub mod direct;
pub mod evcxr;
pub mod frames;

use serde_json::{Map, Value};

pub use choice::EngineKind;

/// Representations of one output by mime type, as Jupyter's `display_data` has them.
pub type Bundle = Map<String, Value>;

/// What a running cell hands out, in its order.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Text of standard output.
    Stdout(String),
    /// Text of standard error.
    Stderr(String),
    /// Something shown; with an identity it can be replaced later.
    Display {
        /// What is shown.
        bundle: Bundle,
        /// Its identity, where it has one.
        id: Option<String>,
    },
    /// Another content for what is already shown under this identity.
    Update {
        /// What is shown now.
        bundle: Bundle,
        /// The identity it was shown under.
        id: String,
    },
    /// The value of the cell's last expression.
    Result(Bundle),
}

/// How a cell ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Everything ran.
    Done,
    /// It did not compile, panicked, ended by `?`, or was interrupted.
    Failed(CellError),
}

/// Why a cell failed, in the three parts of Jupyter's `error` message.
#[derive(Clone, Debug, PartialEq)]
pub struct CellError {
    /// What kind: `CompileError`, `Panic`, `Error`, `Interrupted`, `Died`.
    pub name: String,
    /// One line.
    pub message: String,
    /// What is shown: lines, with ANSI colours.
    pub traceback: Vec<String>,
}

/// What may stand at the cursor.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Completions {
    /// The candidates.
    pub matches: Vec<String>,
    /// The characters (not bytes) that a candidate replaces.
    pub range: std::ops::Range<usize>,
}

/// Runs cells one after another; variables and items of earlier cells are there in later ones.
pub trait Engine: Send {
    /// Runs a cell and hands out what it prints and shows while it runs.
    fn execute(&mut self, code: &str, output: &mut dyn FnMut(Event)) -> Outcome;
    /// Ends a running cell from another thread; variables are kept where the cell listens.
    fn interrupter(&self) -> Box<dyn Fn() + Send + Sync>;
    /// What may stand at the cursor, which counts characters.
    fn complete(&mut self, code: &str, cursor: usize) -> Completions;
    /// What stands at the cursor: type and documentation.
    fn inspect(&mut self, code: &str, cursor: usize) -> Option<Bundle>;
}
