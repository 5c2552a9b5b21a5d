//! `pellucid bench gpu`: parity, rates and the ladder on a CUDA device, in one run.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use kernels::cuda::driver::Driver;
use kernels::cuda::{Queue, Storage};
use xai::{Device, Precision};

use super::arrays::Memory;
use super::gates::Gates;
use super::ladder::{Kind, Row, Runs, Task, measure};
use super::machine::{Machine, fresh_seed, now};
use super::models::Model;
use super::parity;
use super::rates::{KINDS, Plan};
use super::report::Report;
use crate::progress;

/// Hold a CUDA device against the processor, then measure it.
#[derive(Debug, Args)]
#[command(
    after_help = "What it does, in this order; FILE.json is written after each part, so that what comes later cannot lose what was seen:\n  parity  every kernel that Rust launches, at ragged sizes, against its definition in f64, and whole passes of every model\n          against the processor's, on numbers that no run had before; NaN fails, and a gate that fails ends the command with 1\n  rates   products and attention of the models' sizes, memory, launches\n  ladder  forward, rollout, relevance, saliency, SmoothGrad and integrated gradients of 50 passes: medians and quartiles of\n          replays by the device's own clock, and the processor's clock beside it; each row with what it takes at least\n\nWeights and pictures are random, by a seed that is told. PELLUCID_PRODUCTS chooses how products are taken. The peers and the\nwhole visit: xai/bench/README.md.\n\nExample: pellucid bench gpu --models vit_large_patch32_384 --precision bf16 --out h200.json"
)]
pub struct Arguments {
    /// Which device
    #[arg(long, value_name = "cuda:N", default_value = "cuda:0")]
    device: Device,

    /// NAME or random:NAME:SEED, of named architectures; `tiny` is for emulators
    #[arg(
        long,
        value_name = "NAME,…",
        value_delimiter = ',',
        default_value = "vit_large_patch32_384,vit_base_patch16_384,vit_huge_patch14_224,vit_base_patch16_224,dinov2_small"
    )]
    models: Vec<String>,

    /// Pictures at once
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "1,64", value_parser = clap::value_parser!(u16).range(1..=1024))]
    batches: Vec<u16>,

    /// In which numbers
    #[arg(long, value_name = "bf16,f32", value_delimiter = ',', default_value = "bf16,f32")]
    precision: Vec<Precision>,

    /// What is done
    #[arg(long, value_name = "PART,…", value_delimiter = ',', default_value = "parity,rates,ladder")]
    parts: Vec<Part>,

    /// What the ladder asks of a model
    #[arg(
        long,
        value_name = "TASK,…",
        value_delimiter = ',',
        default_value = "forward,rollout,relevance,saliency,smooth-grad,integrated-gradients"
    )]
    tasks: Vec<Kind>,

    /// Replays of everything that is timed; a figure to publish has 30 or more
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=400))]
    replays: u16,

    /// Seed of weights, pictures and factors; a fresh one without it
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,

    /// No row is begun after so many minutes; what is missing is told
    #[arg(long, value_name = "N", default_value_t = 20.0)]
    minutes: f64,

    /// Small sizes and few passes: whether it runs, not how fast
    #[arg(long)]
    quick: bool,

    /// Where the results go
    #[arg(long, value_name = "FILE.json", default_value = "gpu.json")]
    out: PathBuf,
}

/// What a run may consist of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Parity,
    Rates,
    Ladder,
}

/// What all parts need.
struct Visit<'a> {
    arguments: &'a Arguments,
    models: Vec<Model>,
    seed: u64,
    end: Instant,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let Device::Cuda(ordinal) = arguments.device else { bail!("`pellucid bench gpu` measures a CUDA device: write --device cuda:N") };
    arguments.device.require()?;
    let seed = arguments.seed.unwrap_or_else(fresh_seed);
    let models = arguments.models.iter().map(|name| Model::named(name, seed)).collect::<Result<Vec<_>, _>>()?;
    let driver = Arc::new(Driver::open(ordinal)?);
    eprintln!("{}: seed {seed}", driver.name());
    let end = Instant::now() + Duration::from_secs_f64(60.0 * arguments.minutes.clamp(0.0, 1e6));
    let visit = Visit { arguments, models, seed, end };
    let mut report = visit.report(Machine::of(&driver)?);
    report.write(&arguments.out)?;
    let storages = visit.storages(driver.capability());
    report.machine.tell_ways(&driver, &storages);
    let memory = Memory::new(driver.clone());
    for part in [Part::Parity, Part::Rates, Part::Ladder].into_iter().filter(|part| arguments.parts.contains(part)) {
        match part {
            Part::Parity => visit.parity(&memory, &mut report),
            Part::Rates => visit.rates(&memory, &mut report),
            Part::Ladder => visit.ladder(&mut report),
        }
        report.write(&arguments.out)?;
    }
    report.machine.look_again(&driver, &storages);
    report.write(&arguments.out)?;
    println!("{}\n{}", report.summary(), arguments.out.display());
    verdict(&report).with_context(|| format!("{} tells all of it", arguments.out.display()))
}

/// An error that names what failed, or why there is nothing.
fn verdict(report: &Report) -> anyhow::Result<()> {
    let failed: Vec<_> = report.gates.iter().filter(|gate| !gate.passed).map(ToString::to_string).collect();
    if let Some(first) = failed.first() {
        bail!("{} of {} gates failed, no figure of this run means anything; the first: {first}", failed.len(), report.gates.len());
    }
    let empty = report.ladder.iter().all(|row| row.figures.is_none());
    match report.ladder.first().filter(|_| empty) {
        Some(row) => bail!("nothing was measured; the first row: {}", row.line()),
        None => Ok(()),
    }
}

impl Visit<'_> {
    fn report(&self, machine: Machine) -> Report {
        let mut notes = Vec::new();
        if machine.emulated {
            notes.push("an emulated device: its times count launches and blocks, they are no times".into());
        }
        Report {
            kind: "pellucid bench gpu",
            made_by: format!("pellucid {}", env!("CARGO_PKG_VERSION")),
            when: now(),
            seed: self.seed,
            quick: self.arguments.quick,
            replays: self.arguments.replays.into(),
            machine,
            gates: Vec::new(),
            rates: Vec::new(),
            ladder: Vec::new(),
            notes,
        }
    }

    /// How numbers are kept on the device, for each precision.
    fn storages(&self, capability: u32) -> Vec<Storage> {
        let of = |precision: &Precision| match precision {
            Precision::F32 => Storage::F32,
            Precision::Bf16 if capability < 80 => Storage::F16,
            Precision::Bf16 => Storage::Bf16,
        };
        self.arguments.precision.iter().map(of).collect()
    }

    fn parity(&self, memory: &Memory, report: &mut Report) {
        let (storages, quick) = (self.storages(report.machine.capability), self.arguments.quick);
        let bar = progress::bar("parity", parity::steps(storages.len(), quick) + self.models.len());
        let mut gates = Gates::default();
        parity::kernels(memory, &storages, (self.seed, quick), &mut gates, &|| bar.add(1));
        for model in &self.models {
            let held = parity::hold(model, self.arguments.device, &self.arguments.precision, (self.seed, quick), &mut gates);
            if let Err(error) = held {
                gates.fault(format!("{}: passes on the processor", model.name), "f64", error);
            }
            bar.add(1);
        }
        report.notes.push(format!("kernels that only whole passes ran, if anything: {}", parity::not_driven().join(", ")));
        gates.failed().for_each(|gate| eprintln!("failed: {gate}"));
        report.gates = gates.all;
    }

    fn rates(&self, memory: &Memory, report: &mut Report) {
        let (storages, batches) = (self.storages(report.machine.capability), self.batches());
        let (replays, seed, quick) = (self.arguments.replays.into(), self.seed, self.arguments.quick);
        let plan = Plan { memory, storages: &storages, models: &self.models, batches: &batches, replays, seed, quick };
        let bar = progress::bar("rates", KINDS.len());
        for (name, kind) in KINDS {
            if Instant::now() > self.end {
                report.notes.push(format!("rates of {name} were left out: no time was left"));
            } else if let Err(fault) = kind(&plan, &mut report.rates) {
                report.notes.push(format!("rates of {name} ended early: {fault}"));
            }
            bar.add(1);
        }
    }

    fn ladder(&self, report: &mut Report) {
        let passes = if self.arguments.quick { 2 } else { 50 };
        let tasks: Vec<_> = self.arguments.tasks.iter().map(|&kind| Task::of(kind, passes)).collect();
        let bar = progress::bar("ladder", self.arguments.precision.len() * self.models.len());
        for &precision in &self.arguments.precision {
            for model in &self.models {
                self.rows(model, precision, &tasks, report);
                bar.add(1);
            }
        }
    }

    /// All rows of one model in one precision, each written as soon as it is measured: a run may be cut off.
    fn rows(&self, model: &Model, precision: Precision, tasks: &[Task], report: &mut Report) {
        let [most, warm] = if self.arguments.quick { [5_000, 0] } else { [30_000, 300] }.map(Duration::from_millis);
        let runs = Runs { replays: self.arguments.replays.into(), most, warm, seed: self.seed };
        let vit = model.load().and_then(|vit| parity::on(&vit, precision, self.arguments.device));
        let rows =
            self.batches().into_iter().flat_map(|batch| tasks.iter().filter(move |task| task.takes(batch)).map(move |&task| (batch, task)));
        for (batch, task) in rows {
            report.ladder.push(match &vit {
                _ if Instant::now() > self.end => Row::left_out(model, precision, batch, task, "no time was left"),
                Err(error) => Row::left_out(model, precision, batch, task, error),
                Ok(vit) => measure(model, vit, &report.machine.name, task, batch, runs),
            });
            if let Err(error) = report.write(&self.arguments.out) {
                eprintln!("{error:#}");
            }
        }
    }

    fn batches(&self) -> Vec<usize> {
        self.arguments.batches.iter().map(|&batch| batch.into()).collect()
    }
}
