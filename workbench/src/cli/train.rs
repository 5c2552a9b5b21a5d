//! `pellucid train`: an experiment's file in, its folder out.

use std::path::PathBuf;

use clap::Args;

use crate::experiment::{self, Experiment};

/// Train a model as an experiment's file says.
#[derive(Debug, Args)]
#[command(
    after_help = "The folder gets the checkpoint, the curve, the test part's predictions and its evaluation.\n\nExample: pellucid train workbench/experiments/vit_drawn.toml --out runs/vit_drawn"
)]
pub struct Arguments {
    /// The experiment's TOML file
    experiment: PathBuf,

    /// Folder of the run
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Train nothing: report on the checkpoint that is already in the folder
    #[arg(long)]
    report_only: bool,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let experiment = Experiment::read(&arguments.experiment)?;
    let evaluation = match arguments.report_only {
        true => experiment::report(&experiment, &arguments.out)?,
        false => experiment::run(&experiment, &arguments.out, &mut |epoch| eprintln!("{epoch}"))?,
    };
    eprintln!("{}\n{}", evaluation.summary_table(), evaluation.class_table());
    println!("{}", arguments.out.display());
    Ok(())
}
