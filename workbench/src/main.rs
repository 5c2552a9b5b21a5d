//! The `pellucid` command: parse, run, print the error with its causes.

use std::process::ExitCode;

use clap::Parser;
use workbench::cli::Cli;
use workbench::names::visible_lines;

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(status) => status,
        Err(error) => {
            // Names of files and models may be in it.
            eprintln!("error: {}", visible_lines(&format!("{error:#}")));
            ExitCode::FAILURE
        }
    }
}
