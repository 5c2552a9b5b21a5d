//! `pellucid notebook …`: one file a command.

mod build;
mod info;
mod install;
mod kernel;
mod lab;
mod run;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Rust notebooks in Jupyter, with the workbench built, imported and warm.
///
/// Without a command, JupyterLab is started: choose `Rust (Pellucid)` in it.
#[derive(Debug, Parser)]
#[command(
    name = "pellucid notebook",
    version,
    after_help = "First steps:\n  pellucid notebook install            make Jupyter know the kernel `Rust (Pellucid)`\n  pellucid notebook build              build the library that cells use now, not in the first cell\n  pellucid notebook                    start JupyterLab here\n  pellucid notebook run lesson.ipynb   run a notebook without Jupyter; a failed cell is a failed run\n\nThe library is built once for a toolchain and a state of the source; minutes the first time, nothing after. Where things are:\n  PELLUCID_SOURCE           the checkout, if it was moved since this program was built\n  PELLUCID_NOTEBOOK_CACHE   builds; else pellucid/notebooks under XDG_CACHE_HOME or ~/.cache"
)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make Jupyter know the kernel `Rust (Pellucid)`
    Install(install::Install),
    /// Make Jupyter forget it
    Uninstall(install::Uninstall),
    /// Run a notebook from a clean kernel, without Jupyter
    Run(run::Arguments),
    /// Build the library that cells use, if it is not built yet
    Build(build::Arguments),
    /// Say which toolchain, library and engine are used
    Info(info::Arguments),
    /// Be the kernel of one notebook: what Jupyter starts
    Kernel(kernel::Arguments),
}

impl Cli {
    /// Runs the command and says with what status the program ends.
    ///
    /// # Errors
    /// Whatever the command says; the message names what, where and the remedy.
    ///
    /// # Safety
    /// As for [`Room::enter`](crate::engine::evcxr::Room::enter): no other thread may run yet.
    pub unsafe fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            None => return lab::run(),
            Some(Command::Install(arguments)) => install::install(&arguments),
            Some(Command::Uninstall(arguments)) => install::uninstall(&arguments),
            // SAFETY: the caller's promise.
            Some(Command::Run(arguments)) => unsafe { run::run(&arguments) },
            Some(Command::Build(_)) => build::run(),
            Some(Command::Info(arguments)) => info::run(&arguments),
            // SAFETY: the caller's promise.
            Some(Command::Kernel(arguments)) => unsafe { kernel::run(&arguments) },
        }?;
        Ok(ExitCode::SUCCESS)
    }
}
