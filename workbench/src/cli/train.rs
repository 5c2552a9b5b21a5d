//! `pellucid train`: an experiment's file in, its folder out.

use std::path::PathBuf;

use clap::Args;
use xai::{Device, Precision};

use crate::experiment::{self, Computing, Experiment};

/// Train a model as an experiment's file says.
#[derive(Debug, Args)]
#[command(
    after_help = "The folder gets the checkpoint, the curve, the test part's predictions and its evaluation.\n\nExample: pellucid train workbench/experiments/vit_drawn.toml --out runs/vit_drawn --device cuda --precision bf16"
)]
pub struct Arguments {
    /// The experiment's TOML file
    experiment: PathBuf,

    /// Folder of the run
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// What learns: cpu, cuda, or cuda:N for the device of ordinal N; the kernels for CUDA have met no GPU yet
    #[arg(long, value_name = "cpu|cuda|cuda:N", default_value = "cpu")]
    device: Device,

    /// In which numbers a CUDA device takes products: f32, or bf16; weights, moments and gradients are f32 in both
    #[arg(long, value_name = "f32|bf16", default_value_t = Precision::F32)]
    precision: Precision,

    /// Train nothing: report on the checkpoint that is already in the folder
    #[arg(long)]
    report_only: bool,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let experiment = Experiment::read(&arguments.experiment)?;
    let evaluation = match arguments.report_only {
        true => experiment::report(&experiment, &arguments.out)?,
        false => {
            let computing = Computing { device: arguments.device, precision: arguments.precision };
            experiment::run_on(&experiment, computing, &arguments.out, &mut |epoch| eprintln!("{epoch}"))?
        }
    };
    eprintln!("{}\n{}", evaluation.summary_table(), evaluation.class_table());
    println!("{}", arguments.out.display());
    Ok(())
}
