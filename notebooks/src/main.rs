//! `pellucid-notebook`: what `pellucid notebook …` hands over to.
//!
//! The same program is the kernel, the process that runs its cells, and what stands between the two.

use std::process::ExitCode;

use clap::Parser;
use notebooks::cli::Cli;
use notebooks::engine::evcxr::{TAP, tap};

fn main() -> ExitCode {
    if std::env::var_os(TAP).is_some() {
        return tap().map_or(ExitCode::FAILURE, |status| ExitCode::from(u8::try_from(status).unwrap_or(1)));
    }
    notebooks::engine::direct::run_cells_if_asked();
    evcxr::runtime_hook();
    // SAFETY: nothing before this line has started a thread.
    match unsafe { Cli::parse().run() } {
        Ok(status) => status,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
