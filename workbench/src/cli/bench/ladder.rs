//! The ladder: what each explanation costs above a forward pass, by the device's clock and by the processor's.

use std::time::{Duration, Instant};

use clap::ValueEnum;
use serde::Serialize;
use xai::{Batch, Gradient, IntegratedGradients, Method, Precision, Probe, Quadrature, Relevance, Rollout, SmoothGrad, Target, Vit};

use super::floors::{Ceiling, floor};
use super::models::Model;
use super::rates::no_clock;
use super::samples::Samples;

/// Launches are recorded in the second run of a shape and replayed from then on. An idle device needs longer: [`Runs::warm`].
const WARM_UP: usize = 4;

/// What is asked of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    Forward,
    Rollout,
    Relevance,
    Saliency,
    /// Of so many samples.
    SmoothGrad(usize),
    /// Of so many steps.
    IntegratedGradients(usize),
}

/// A task as it is named on a command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    Forward,
    Rollout,
    Relevance,
    Saliency,
    SmoothGrad,
    IntegratedGradients,
}

impl Task {
    /// Of this kind; one that makes many passes has so many.
    pub fn of(kind: Kind, passes: usize) -> Self {
        match kind {
            Kind::Forward => Self::Forward,
            Kind::Rollout => Self::Rollout,
            Kind::Relevance => Self::Relevance,
            Kind::Saliency => Self::Saliency,
            Kind::SmoothGrad => Self::SmoothGrad(passes),
            Kind::IntegratedGradients => Self::IntegratedGradients(passes),
        }
    }

    /// One picture fills a device where a task makes many passes of it.
    pub fn takes(self, batch: usize) -> bool {
        batch == 1 || !matches!(self, Self::SmoothGrad(_) | Self::IntegratedGradients(_))
    }

    pub fn name(self) -> String {
        match self {
            Self::Forward => "forward".into(),
            Self::Rollout => "rollout".into(),
            Self::Relevance => "relevance".into(),
            Self::Saliency => "saliency".into(),
            Self::SmoothGrad(samples) => format!("smooth_grad_{samples}"),
            Self::IntegratedGradients(steps) => format!("integrated_gradients_{steps}"),
        }
    }

    fn method(self) -> Option<Method> {
        match self {
            Self::Forward => None,
            Self::Rollout => Some(Method::Rollout(Rollout::abnar_2020())),
            Self::Relevance => Some(Method::Relevance(Relevance::chefer_iccv21())),
            Self::Saliency => Some(Method::Gradient(Gradient::default())),
            Self::SmoothGrad(samples) => Some(Method::SmoothGrad(SmoothGrad { samples, ..SmoothGrad::smilkov_2017() })),
            Self::IntegratedGradients(steps) => {
                let quadrature = Quadrature::GaussLegendre { steps };
                Some(Method::IntegratedGradients(IntegratedGradients { quadrature, ..IntegratedGradients::captum() }))
            }
        }
    }

    /// From prepared pixels to the map; gives the parts that the pass was divided into.
    fn run(self, vit: &Vit, batch: &Batch) -> Result<usize, xai::Error> {
        let method = self.method();
        let trace = vit.trace(batch, method.as_ref().map_or(Probe::Logits, Method::probe))?;
        if let Some(method) = method {
            xai::explain(&trace, Target::Class(0), &method)?;
        }
        Ok(trace.parts())
    }
}

/// One line of the ladder.
#[derive(Debug, Serialize)]
pub struct Row {
    pub model: String,
    pub precision: Precision,
    pub batch: usize,
    pub task: String,
    /// Why there are no figures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
    #[serde(flatten)]
    pub figures: Option<Figures>,
}

/// What was measured.
#[derive(Debug, Serialize)]
pub struct Figures {
    /// Milliseconds in which the device computed, copies to and from the processor left out.
    pub computing: Samples,
    /// Milliseconds from the first launch's begin to the last one's end, by the device's clock.
    pub elapsed: Samples,
    /// Milliseconds from pixels to the map in the processor's memory, by the processor's clock.
    pub end_to_end: Samples,
    /// Stretches of computing in a run.
    pub stretches: usize,
    /// Parts that a batch was divided into because the device's memory was too small.
    pub parts: usize,
    pub images_per_second: f64,
    /// The most bytes of the device at once: weights and passes.
    pub peak_bytes: usize,
    /// Milliseconds that it takes at least, on a device whose ceilings are known.
    pub floor: Option<f64>,
    pub share_of_floor: Option<f64>,
}

impl Row {
    /// A row without figures.
    pub fn left_out(model: &Model, precision: Precision, batch: usize, task: Task, why: impl ToString) -> Self {
        Self { model: model.name.clone(), precision, batch, task: task.name(), left_out: Some(why.to_string()), figures: None }
    }

    /// For people.
    pub fn line(&self) -> String {
        let Self { model, precision, batch, task, .. } = self;
        let head = format!("{model:24} {precision:4} batch {batch:3} {task:24}");
        match (&self.figures, &self.left_out) {
            (Some(figures), _) => format!(
                "{head} {:9.3} ms computing, {:9.3} ms elapsed, {:9.3} ms end to end",
                figures.computing.median, figures.elapsed.median, figures.end_to_end.median
            ),
            (None, why) => format!("{head} left out: {}", why.as_deref().unwrap_or("no figures")),
        }
    }
}

/// How often, and how long at most.
#[derive(Debug, Clone, Copy)]
pub struct Runs {
    pub replays: usize,
    /// A row that takes longer ends early, and tells how many runs it has.
    pub most: Duration,
    /// How long a device computes at least before anything is timed, for its clocks to rise.
    pub warm: Duration,
    pub seed: u64,
}

/// Measures one row on random pictures, two batches in turns.
pub fn measure(model: &Model, vit: &Vit, device: &str, task: Task, batch: usize, runs: Runs) -> Row {
    match figures(model, vit, device, task, batch, runs) {
        Ok(figures) => {
            let (precision, task) = (vit.precision(), task.name());
            Row { model: model.name.clone(), precision, batch, task, left_out: None, figures: Some(figures) }
        }
        Err(error) => Row::left_out(model, vit.precision(), batch, task, error),
    }
}

fn figures(model: &Model, vit: &Vit, device: &str, task: Task, batch: usize, runs: Runs) -> Result<Figures, xai::Error> {
    let batches = [model.pictures(batch, runs.seed)?, model.pictures(batch, runs.seed ^ 1)?];
    vit.most_device_bytes();
    let (mut parts, begun) = (1, Instant::now());
    for run in 0.. {
        if run >= WARM_UP && begun.elapsed() >= runs.warm {
            break;
        }
        parts = task.run(vit, &batches[run % 2])?;
    }
    let (mut computing, mut elapsed, mut end_to_end, mut stretches) = (Vec::new(), Vec::new(), Vec::new(), 0);
    let begun = Instant::now();
    while computing.len() < runs.replays && (computing.len() < 3 || begun.elapsed() < runs.most) {
        let (taken, time) = vit.timed(|| {
            let started = Instant::now();
            task.run(vit, &batches[computing.len() % 2])?;
            Ok(started.elapsed())
        })?;
        let time = time.ok_or_else(|| xai::Error::Kernel(no_clock().into()))?;
        computing.push(time.computing);
        elapsed.push(time.elapsed);
        end_to_end.push(1e3 * taken.as_secs_f64());
        stretches = time.stretches;
    }
    let [computing, elapsed, end_to_end] = [computing, elapsed, end_to_end].map(Samples::of);
    let weights = vit.parameters() * if vit.precision() == Precision::F32 { 4 } else { 2 };
    let floor = Ceiling::of(device, vit.precision()).map(|ceiling| floor(model, task, batch, weights, ceiling));
    let share_of_floor = floor.map(|floor| floor / computing.median);
    let (images_per_second, peak_bytes) = (1e3 * batch as f64 / elapsed.median, vit.most_device_bytes().unwrap_or(0));
    Ok(Figures { computing, elapsed, end_to_end, stretches, parts, images_per_second, peak_bytes, floor, share_of_floor })
}
