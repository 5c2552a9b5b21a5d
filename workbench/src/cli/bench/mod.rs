//! `pellucid bench`: how right and how fast a machine is, as JSON.

mod arrays;
mod floors;
mod gates;
mod gpu;
mod ladder;
mod machine;
mod models;
mod parity;
mod rates;
mod report;
mod samples;
#[cfg(all(test, unix))]
mod tests;

use clap::{Args, Subcommand};

/// Measure what a machine makes of the models.
#[derive(Debug, Args)]
#[command(after_help = "Example: pellucid bench gpu --quick --models tiny")]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Parity first, then rates and the ladder of explanations, on a CUDA device
    Gpu(gpu::Arguments),
}

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    match &arguments.what {
        What::Gpu(arguments) => gpu::run(arguments),
    }
}
