//! `pellucid train`: an experiment's file in, its folder out.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use kernels::device::UnknownDevice;
use xai::{Device, Precision};

use crate::experiment::{self, Among, Computing, Experiment};

/// Train a model as an experiment's file says.
#[derive(Debug, Args)]
#[command(
    after_help = "The folder gets the checkpoint, the curve, the test part's predictions and its evaluation.\n\nExample: pellucid train workbench/experiments/vit_drawn.toml --out runs/vit_drawn --device cuda --precision bf16\n\nStarted by torchrun or srun, the processes learn together; workbench/experiments/README.md says how."
)]
pub struct Arguments {
    /// The experiment's TOML file
    experiment: PathBuf,

    /// Folder of the run
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// What learns: cpu, cuda (among several processes, each one's own device), or cuda:N for the device of ordinal N; the kernels for CUDA have met no GPU yet
    #[arg(long, value_name = "cpu|cuda|cuda:N", default_value = "cpu")]
    device: Asked,

    /// In which numbers a CUDA device takes products: f32, or bf16; weights, moments and gradients are f32 in both
    #[arg(long, value_name = "f32|bf16", default_value_t = Precision::F32)]
    precision: Precision,

    /// Take every batch in so many parts whose gradients are added: less memory, and the result of so many processes
    #[arg(long, value_name = "N")]
    parts: Option<usize>,

    /// Train nothing: report on the checkpoint that is already in the folder
    #[arg(long)]
    report_only: bool,
}

/// A device as it is asked for.
#[derive(Debug, Clone, Copy)]
enum Asked {
    /// The process's own on its machine.
    OwnCuda,
    Exactly(Device),
}

impl FromStr for Asked {
    type Err = UnknownDevice;

    fn from_str(text: &str) -> Result<Self, UnknownDevice> {
        if text == "cuda" { Ok(Self::OwnCuda) } else { text.parse().map(Self::Exactly) }
    }
}

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let experiment = Experiment::read(&arguments.experiment)?;
    let evaluation = match arguments.report_only {
        true => Some(experiment::report(&experiment, &arguments.out)?),
        false => {
            let among = Among::of_environment(arguments.parts)?;
            let device = match arguments.device {
                Asked::OwnCuda => among.own_device(),
                Asked::Exactly(device) => device,
            };
            let computing = Computing { device, precision: arguments.precision };
            experiment::run_among(&experiment, computing, &among, &arguments.out, &mut |epoch| eprintln!("{epoch}"))?
        }
    };
    // The first of several processes speaks for all.
    if let Some(evaluation) = evaluation {
        eprintln!("{}\n{}", evaluation.summary_table(), evaluation.class_table());
        println!("{}", arguments.out.display());
    }
    Ok(())
}
