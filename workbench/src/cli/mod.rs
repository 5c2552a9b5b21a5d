//! The command line: one file a command.

mod baseline;
mod bench;
mod convert;
mod demo;
mod doctor;
mod doctor_products;
mod evidence;
mod explain;
mod explanation;
mod map_files;
mod methods;
mod model;
mod notebook;
mod picture_file;
mod read_checkpoint;
mod style;
mod trace;
mod train;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// See what a vision transformer relied on when it looked at a skin lesion.
///
/// Research use only: maps show what a model relies on; they are no diagnosis.
#[derive(Debug, Parser)]
#[command(
    name = "pellucid",
    version,
    after_help = "First steps:\n  pellucid demo                                  draw lesions, explain them, serve them\n  pellucid explain lesion.jpg --model drawn --method rollout,relevance --out maps\n  pellucid explain lesion.jpg --model hf:facebook/dinov2-small --method rollout\n  pellucid notebook                              Rust notebooks in JupyterLab\n  pellucid doctor                                what this machine offers"
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Explain pictures: overlays, maps and a JSON of everything
    Explain(explain::Arguments),
    /// Write a pass's insides: logits, features, attention, gradients
    Trace(trace::Arguments),
    /// Measure where maps point on drawn lesions, beside a centre and a random control
    Evidence(evidence::Arguments),
    /// Train a model as an experiment's TOML file says
    Train(train::Arguments),
    /// Draw a cohort, explain it, serve the dashboard on this machine
    Demo(demo::Arguments),
    /// Rust notebooks in Jupyter: install the kernel, start JupyterLab, run notebooks
    Notebook(notebook::Arguments),
    /// Measure what a machine makes of the models
    Bench(bench::Arguments),
    /// Write a checkpoint as safetensors
    Convert(convert::Arguments),
    /// Say what was found on this machine and what is used
    Doctor(doctor::Arguments),
    #[command(name = read_checkpoint::NAME, hide = true)]
    ReadCheckpoint(read_checkpoint::Arguments),
}

impl Cli {
    /// Runs the command that was given and says with what status the program ends.
    ///
    /// # Errors
    /// Whatever the command says; the message names what, where and the remedy.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::ReadCheckpoint(arguments) => return Ok(read_checkpoint::run(&arguments)),
            Command::Notebook(arguments) => return notebook::run(&arguments),
            Command::Explain(arguments) => explain::run(&arguments),
            Command::Trace(arguments) => trace::run(&arguments),
            Command::Evidence(arguments) => evidence::run(&arguments),
            Command::Train(arguments) => train::run(&arguments),
            Command::Demo(arguments) => demo::run(&arguments),
            Command::Bench(arguments) => bench::run(&arguments),
            Command::Convert(arguments) => convert::run(&arguments),
            Command::Doctor(arguments) => doctor::run(&arguments),
        }?;
        Ok(ExitCode::SUCCESS)
    }
}
