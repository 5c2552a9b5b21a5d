//! `pellucid __read-checkpoint`: this program as the process that reads a pickle and can do nothing else.
//!
//! The way of a `.pth` on the command line: the program starts itself with this command, the file as standard input; the child
//! limits itself, checks and reads, and writes safetensors into a pipe; the parent checks those as any others.

use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use xai::{ChildProgram, Pickles, read_pickle_confined};

/// The command's name, which no person types.
pub const NAME: &str = "__read-checkpoint";

/// Read a pickled checkpoint from standard input for another process.
#[derive(Debug, Args)]
#[command(after_help = "Example: pellucid __read-checkpoint --bytes 1024")]
pub struct Arguments {
    /// The file's size
    #[arg(long)]
    bytes: u64,

    /// Which of several state dicts is meant
    #[arg(long)]
    key: Option<String>,
}

pub fn run(arguments: &Arguments) -> ExitCode {
    read_pickle_confined(arguments.bytes, arguments.key.as_deref())
}

/// Lets this program read pickles for itself, in another process; only the `pellucid` program knows the command.
pub fn in_child() -> anyhow::Result<Pickles> {
    let program = std::env::current_exe().context("this program does not know where it lies, so it cannot start itself to read")?;
    Ok(Pickles::InChild(ChildProgram { program, arguments: vec![NAME.into()], time_limit: None }))
}
