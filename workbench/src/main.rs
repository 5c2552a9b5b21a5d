//! The `pellucid` command: parse, run, print the error with its causes.

use std::process::ExitCode;

use clap::Parser;
use workbench::cli::Cli;

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(status) => status,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
