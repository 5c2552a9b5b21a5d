//! The direct engine: each cell is compiled by the compiler itself against one prebuilt library, and run in a process of its own.
//!
//! | module | does |
//! |---|---|
//! | `cell`, `names`, `visits` | takes a cell apart |
//! | `items`, `variables` | what earlier cells left |
//! | `write`, `source` | writes the crate of a cell, with the way back to the cell's own lines |
//! | `compiler`, `diagnostic`, `verdict`, `typing` | compiles it and understands what the compiler says |
//! | `commands`, `obey`, `dependencies` | what lines with a colon ask for |
//! | `complete`, `inspect`, `cursor` | what may stand at the cursor, and what stands there |
//! | `render` | draws messages over the cells' own lines |
//! | `process`, `inside`, `running`, `stream` | runs it, and reads what it prints and shows |
//! | `execute`, `leave` | the way of a cell from its text to what it leaves behind |
//! | `interrupts` | ends what is at work |

mod cell;
mod commands;
mod compiler;
mod complete;
mod cursor;
mod dependencies;
mod diagnostic;
mod execute;
mod inside;
mod inspect;
mod interrupts;
mod items;
mod leave;
mod names;
mod obey;
mod places;
mod process;
mod render;
mod running;
mod source;
mod stream;
mod typing;
mod variables;
mod verdict;
mod visits;
mod write;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;

pub use inside::run_cells_if_asked;

use crate::api::Api;
use crate::engine::{Bundle, Completions, Engine, Event, Outcome};
use crate::prebuilt::Prebuilt;
use compiler::{Compiler, Optimisation};
use interrupts::Interrupts;
use items::Items;
use places::Sources;
use process::Process;
use variables::Variables;

/// What the engine needs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The library that cells are linked against.
    pub prebuilt: Prebuilt,
    /// A program that calls [`run_cells_if_asked`] first: this one, as a rule.
    pub program: PathBuf,
}

/// What is told after each cell.
#[derive(Clone, Copy, Debug, Default)]
struct Shows {
    types: bool,
    timing: bool,
}

/// Compiles and runs cells.
pub struct Direct {
    settings: Settings,
    compiler: Compiler,
    process: Option<Process>,
    interrupts: Arc<Interrupts>,
    items: Items,
    variables: Variables,
    texts: BTreeMap<usize, String>,
    sources: Sources,
    count: usize,
    optimisation: Optimisation,
    shows: Shows,
    api: Option<Api>,
    /// What `:dep` added.
    dependencies: toml::Table,
    /// Sources and libraries of this engine's cells; it goes with the engine.
    _folder: TempDir,
}

impl Direct {
    /// An engine with a process that is ready for cells.
    ///
    /// # Errors
    ///
    /// Where no folder can be made or the process cannot be started.
    pub fn start(settings: Settings) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("pellucid-cells-").tempdir()?;
        let interrupts = Arc::new(Interrupts::default());
        let compiler = Compiler {
            prebuilt: settings.prebuilt.clone(),
            folder: folder.path().to_owned(),
            externs: Vec::new(),
            search: Vec::new(),
            interrupts: Arc::clone(&interrupts),
        };
        // Without the index, completion knows the notebook's own names.
        let api = settings.prebuilt.api.as_deref().and_then(|path| Api::read(path).ok());
        let mut engine = Self {
            settings,
            compiler,
            process: None,
            interrupts,
            items: Items::default(),
            variables: Variables::default(),
            texts: BTreeMap::new(),
            sources: Sources::new(),
            count: 0,
            optimisation: Optimisation::None,
            shows: Shows::default(),
            api,
            dependencies: toml::Table::new(),
            _folder: folder,
        };
        engine.process()?;
        Ok(engine)
    }

    /// Makes sure that there is a process.
    fn process(&mut self) -> io::Result<()> {
        if self.process.is_none() {
            self.process = Some(Process::start(&self.settings.program, &self.settings.prebuilt, &self.interrupts)?);
        }
        Ok(())
    }
}

impl Engine for Direct {
    fn execute(&mut self, code: &str, output: &mut dyn FnMut(Event)) -> Outcome {
        self.interrupts.begin();
        self.count += 1;
        self.execute_cell(code, output)
    }

    fn interrupter(&self) -> Box<dyn Fn() + Send + Sync> {
        let interrupts = Arc::clone(&self.interrupts);
        Box::new(move || interrupts.interrupt())
    }

    fn complete(&mut self, code: &str, cursor: usize) -> Completions {
        self.candidates(code, cursor)
    }

    fn inspect(&mut self, code: &str, cursor: usize) -> Option<Bundle> {
        self.about(code, cursor)
    }
}
