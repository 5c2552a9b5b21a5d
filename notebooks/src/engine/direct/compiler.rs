//! Runs the compiler on a cell's crate.

use std::fs;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use super::diagnostic::{self, Diagnostic};
use super::interrupts::Interrupts;
use super::write::{Purpose, symbol};
use crate::prebuilt::Prebuilt;

/// How fast the compiled cell shall be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Optimisation {
    /// Compiled soonest.
    #[default]
    None,
    /// Runs fastest.
    Full,
}

/// The compiler with everything that is the same for all cells.
#[derive(Debug)]
pub struct Compiler {
    pub prebuilt: Prebuilt,
    /// Where sources and libraries of cells are written.
    pub folder: PathBuf,
    /// Crates that `:dep` brought, with what `--extern` takes.
    pub externs: Vec<(String, PathBuf)>,
    /// Where the dependencies of those are.
    pub search: Vec<PathBuf>,
    pub interrupts: Arc<Interrupts>,
}

/// A compiler at work; dropping it ends it.
pub struct Run {
    child: Child,
    interrupts: Arc<Interrupts>,
}

/// What a compiler left.
pub struct Compiled {
    pub success: bool,
    pub diagnostics: Vec<Diagnostic>,
}

impl Compiler {
    /// The library of a cell.
    pub fn library(&self, cell: usize) -> PathBuf {
        self.folder.join(format!("{}.so", symbol(cell)))
    }

    /// Starts the compiler on a text.
    ///
    /// # Errors
    ///
    /// Where the text cannot be written or the compiler cannot be started.
    pub fn start(&self, cell: usize, text: &str, purpose: Purpose, optimisation: Optimisation) -> io::Result<Run> {
        let name = match purpose {
            Purpose::Run => format!("{}.rs", symbol(cell)),
            Purpose::Probe => format!("{}_probe.rs", symbol(cell)),
        };
        fs::write(self.folder.join(&name), text)?;
        let mut command = self.command();
        match purpose {
            Purpose::Run => {
                let level = if optimisation == Optimisation::Full { "3" } else { "0" };
                command.args(["--crate-type=cdylib", "-Cdebuginfo=line-tables-only", "-Ccodegen-units=1"]);
                command.arg(format!("-Copt-level={level}")).arg("-o").arg(self.library(cell));
            }
            Purpose::Probe => {
                command.env("RUSTC_BOOTSTRAP", "1").args([
                    "--crate-type=lib",
                    "--emit=metadata",
                    "-Ztrim-diagnostic-paths=no",
                    "--verbose",
                ]);
                command.arg("-o").arg(self.folder.join("probe.rmeta"));
            }
        }
        let child = command.arg(&name).spawn()?;
        self.interrupts.watch(child.id());
        Ok(Run { child, interrupts: Arc::clone(&self.interrupts) })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.prebuilt.rustc);
        command.current_dir(&self.folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).process_group(0);
        command.env_remove("RUSTC_BOOTSTRAP").env_remove("RUSTFLAGS");
        // One name for all cells' crates: a type that is defined by the same words is then the same type in every cell.
        command.args(["--edition=2024", "--crate-name=pellucid_cell", "-Cmetadata=pellucid", "--error-format=json", "-Cprefer-dynamic"]);
        command.arg(of("--extern=pellucid=", &self.prebuilt.library));
        for (name, path) in self.prebuilt.externs.iter().chain(&self.externs) {
            command.arg(of(&format!("--extern={name}="), path));
        }
        for folder in self.prebuilt.search.iter().chain(&self.search) {
            command.arg(of("-Ldependency=", folder));
        }
        command
    }
}

impl Run {
    /// Waits for the end.
    ///
    /// # Errors
    ///
    /// Where the compiler's output cannot be read.
    pub fn finish(mut self) -> io::Result<Compiled> {
        let mut output = Vec::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_end(&mut output)?;
        }
        self.interrupts.unwatch(self.child.id());
        let success = self.child.wait()?.success();
        let mut diagnostics = diagnostic::read(&output);
        if !success && !diagnostics.iter().any(Diagnostic::is_error) {
            diagnostics.push(Diagnostic::unreadable(&String::from_utf8_lossy(&output)));
        }
        Ok(Compiled { success, diagnostics })
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.interrupts.unwatch(self.child.id());
        // One that has ended cannot be ended again, and that is no failure.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn of(option: &str, path: &Path) -> std::ffi::OsString {
    let mut argument = std::ffi::OsString::from(option);
    argument.push(path);
    argument
}
