//! A run: draw, split, learn, keep the best epoch of the validation part, report on the test part with the weights as they were stored.

use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use datasets::synthetic::Cohort;
use datasets::{LesionClass, Split, split};
use kernels::cross_entropy;
use reports::classification::Evaluation;
use xai::training::Training;
use xai::{Device, HeadKind, Labels, Precision, Probe, Vit, VitConfig};

use super::lessons::Lessons;
use super::record::{self, EpochLine, Record};
use super::{Among, Experiment};

/// What a run computes on while it learns; reports are made on the CPU.
#[derive(Debug, Clone, Copy)]
pub struct Computing {
    /// The device.
    pub device: Device,
    /// In which numbers a CUDA device takes products.
    pub precision: Precision,
}

impl Default for Computing {
    fn default() -> Self {
        Self { device: Device::Cpu, precision: Precision::F32 }
    }
}

/// Runs an experiment on the CPU, writes its folder, and tells `watch` of every epoch as it ends; what comes back is the test part's
/// evaluation.
///
/// # Errors
/// When the cohort or the split cannot be made, training diverges or is cancelled, or the folder cannot be written.
pub fn run(experiment: &Experiment, folder: &Path, watch: &mut dyn FnMut(&EpochLine)) -> anyhow::Result<Evaluation> {
    run_on(experiment, Computing::default(), folder, watch)
}

/// The same on a device.
///
/// # Errors
/// As for [`run`], and when the device is not there or fails.
pub fn run_on(
    experiment: &Experiment,
    computing: Computing,
    folder: &Path,
    watch: &mut dyn FnMut(&EpochLine),
) -> anyhow::Result<Evaluation> {
    run_among(experiment, computing, &Among::alone(1), folder, watch)?.context("a single process reports")
}

/// The same among several processes: all learn, the first one chooses, writes and reports; the others return nothing.
///
/// # Errors
/// As for [`run_on`], and when processes run different experiments, or one is lost.
pub fn run_among(
    experiment: &Experiment,
    computing: Computing,
    among: &Among,
    folder: &Path,
    watch: &mut dyn FnMut(&EpochLine),
) -> anyhow::Result<Option<Evaluation>> {
    among.agree(experiment)?;
    let cohort = Cohort::draw(&experiment.cohort)?;
    let Split { train, validation, .. } = split(cohort.records(), &experiment.split)?;
    let vit = Vit::random(VitConfig::by_name(&experiment.arch)?, HeadKind::Linear(LesionClass::ALL.len()), experiment.seed)?;
    let vit = vit.with_labels(Labels::new(LesionClass::ALL.iter().map(|class| class.name().into()).collect()))?;
    let preprocessor = vit.preprocessor().clone();
    // A device that is not there is told before anything is drawn.
    let mut training = Training::on(vit, computing.device, computing.precision)?;
    let lessons = |part: &[usize], what: &str| Lessons::draw(&cohort, part, &preprocessor, what);
    let learned = lessons(&train, "drawing to learn from")?;
    let mut others = among.begin(&training, experiment, &learned)?;
    let mut choice = match among.is_first() {
        true => Some(Choice {
            checked: lessons(&validation, "drawing to choose by")?,
            record: Record::start(experiment, computing, folder)?,
            lowest: f64::INFINITY,
        }),
        false => None,
    };
    for epoch in 1..=experiment.training.epochs {
        let started = Instant::now();
        let learnt = among.learn(experiment, &learned, (&mut training, &mut others), epoch)?;
        if let Some(choice) = &mut choice {
            watch(&choice.after(epoch, learnt, &training.vit()?, started, folder)?);
        }
    }
    choice.map(|_| report(experiment, folder)).transpose()
}

/// What the first process keeps of epochs.
struct Choice {
    checked: Lessons,
    record: Record,
    lowest: f64,
}

impl Choice {
    /// Writes an epoch's line, and the model where it is the best so far.
    fn after(
        &mut self,
        epoch: usize,
        (training_loss, passes): (f64, usize),
        vit: &Vit,
        started: Instant,
        folder: &Path,
    ) -> anyhow::Result<EpochLine> {
        let (loss, accuracy) = loss_and_accuracy(vit, &self.checked)?;
        let seconds = started.elapsed().as_secs_f64();
        let line = EpochLine { epoch, training_loss, validation_loss: loss, validation_accuracy: accuracy, seconds, passes };
        self.record.epoch(&line)?;
        if loss < self.lowest {
            self.lowest = loss;
            record::save(vit, folder)?;
        }
        Ok(line)
    }
}

/// Reports on the checkpoint in `folder`: its predictions on the experiment's test part, and their evaluation.
///
/// # Errors
/// When the cohort cannot be drawn, the checkpoint cannot be read, or the folder cannot be written.
pub fn report(experiment: &Experiment, folder: &Path) -> anyhow::Result<Evaluation> {
    let cohort = Cohort::draw(&experiment.cohort)?;
    let Split { test, .. } = split(cohort.records(), &experiment.split)?;
    let vit = Vit::load(folder, &Device::Cpu)?;
    let tested = Lessons::draw(&cohort, &test, vit.preprocessor(), "drawing to report on")?;
    let ids: Vec<&str> = test.iter().map(|&index| cohort.records()[index].isic_id.as_str()).collect();
    record::report(&vit, folder, &ids, tested.labels(), &probabilities(&vit, &tested)?)
}

fn loss_and_accuracy(vit: &Vit, lessons: &Lessons) -> anyhow::Result<(f64, f64)> {
    let logits = logits(vit, lessons)?;
    let classes = vit.labels().len();
    let (loss, _) = cross_entropy::loss_and_gradient(&logits, lessons.labels(), &[])?;
    let highest = |row: &[f32]| (0..classes).max_by(|&a, &b| row[a].total_cmp(&row[b]));
    let right = logits.chunks(classes).zip(lessons.labels()).filter(|(row, label)| highest(row) == Some(**label)).count();
    Ok((loss, right as f64 / lessons.len().max(1) as f64))
}

fn probabilities(vit: &Vit, lessons: &Lessons) -> anyhow::Result<Vec<Vec<f32>>> {
    let classes = vit.labels().len();
    let softmax = cross_entropy::softmax(&logits(vit, lessons)?, classes);
    Ok(softmax.chunks(classes).map(<[f32]>::to_vec).collect())
}

/// Logits of every lesson, one row after the other.
fn logits(vit: &Vit, lessons: &Lessons) -> anyhow::Result<Vec<f32>> {
    const TOGETHER: usize = 32;
    let all: Vec<usize> = (0..lessons.len()).collect();
    let mut logits = Vec::with_capacity(all.len() * vit.labels().len());
    for which in all.chunks(TOGETHER) {
        logits.extend(vit.trace(&lessons.batch(which)?, Probe::Logits)?.logits().iter());
    }
    Ok(logits)
}
