//! Whole passes on a device against the processor's.

use xai::{Device, IntegratedGradients, Method, Precision, Probe, Quadrature, Rollout, SmoothGrad, Target, Vit, explain};

use crate::cli::bench::gates::{Gates, cosine, off};
use crate::cli::bench::models::Model;

const CLASS: usize = 1;

/// What a device is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Against {
    /// Passes in `f64`, of two pictures: for models that are small enough.
    F64,
    /// The processor's engine in f32, of one picture.
    F32,
}

impl Against {
    /// What a model is small enough for.
    pub fn of(model: &Model) -> Self {
        if model.config.hidden_size * model.config.num_hidden_layers <= 384 * 12 { Self::F64 } else { Self::F32 }
    }

    fn images(self) -> usize {
        if self == Self::F64 { 2 } else { 1 }
    }
}

/// Every kind of answer.
struct Answers {
    logits: Vec<f64>,
    rollout: Vec<f64>,
    relevance: Vec<f64>,
    pixels: Vec<f64>,
}

/// How near they must come.
struct Limits {
    logits: f64,
    rollout: f64,
    relevance: f64,
    pixels: f64,
}

fn limits(precision: Precision) -> Limits {
    match precision {
        Precision::F32 => Limits { logits: 1e-5, rollout: 0.999_999, relevance: 0.999_99, pixels: 0.999_99 },
        Precision::Bf16 => Limits { logits: 2e-2, rollout: 0.9995, relevance: 0.995, pixels: 0.99 },
    }
}

/// Holds a model's passes on the device against the processor's; a precision that does not run is a failed gate.
pub fn hold(
    model: &Model,
    device: Device,
    precisions: &[Precision],
    (seed, quick): (u64, bool),
    gates: &mut Gates,
) -> Result<(), xai::Error> {
    let (on_cpu, against) = (model.load()?, Against::of(model));
    let batch = model.pictures(against.images(), seed)?;
    let one = model.pictures(1, seed ^ 2)?;
    let sampled = sampled(&on_cpu, &one, quick)?;
    let expected = match against {
        Against::F64 => exact(model, &on_cpu, &batch)?,
        Against::F32 => answers(&on_cpu, &batch)?,
    };
    for &precision in precisions {
        let held = on(&on_cpu, precision, device).and_then(|vit| {
            compare(model, precision, &answers(&vit, &batch)?, &expected, gates);
            same_bits(model, &vit, &batch, gates)?;
            compare_sampled(&vit, &one, (&sampled, quick), model, gates)?;
            if precision == Precision::F32 && !quick { complete(model, &vit, &one, gates) } else { Ok(()) }
        });
        if let Err(error) = held {
            gates.fault(format!("{}: passes", model.name), precision, error);
        }
    }
    Ok(())
}

/// The same model on the device.
pub fn on(vit: &Vit, precision: Precision, device: Device) -> Result<Vit, xai::Error> {
    vit.clone().with_precision(precision)?.on(device)
}

fn compare(model: &Model, precision: Precision, found: &Answers, expected: &Answers, gates: &mut Gates) {
    let (limits, what) = (limits(precision), |of: &str| format!("{}: {of}", model.name));
    gates.at_most(what("logits"), precision, limits.logits, off(&found.logits, &expected.logits));
    gates.at_least(what("rollout, cosine"), precision, limits.rollout, cosine(&found.rollout, &expected.rollout));
    gates.at_least(what("relevance, cosine"), precision, limits.relevance, cosine(&found.relevance, &expected.relevance));
    gates.at_least(what("gradient at pixels, cosine"), precision, limits.pixels, cosine(&found.pixels, &expected.pixels));
}

/// Methods that make many passes: noisy pictures, and pictures along a path.
fn of_many_passes(quick: bool) -> [(&'static str, Method); 2] {
    let passes = if quick { 2 } else { 8 };
    let quadrature = Quadrature::GaussLegendre { steps: passes };
    let integrated = IntegratedGradients { quadrature, ..IntegratedGradients::captum() };
    [
        ("SmoothGrad, cosine", Method::SmoothGrad(SmoothGrad { samples: passes, ..SmoothGrad::smilkov_2017() })),
        ("integrated gradients, cosine", Method::IntegratedGradients(integrated)),
    ]
}

fn sampled(vit: &Vit, batch: &xai::Batch, quick: bool) -> Result<Vec<Vec<f64>>, xai::Error> {
    let map = |(_, method): &(_, Method)| {
        let maps = explain(&vit.trace(batch, method.probe())?, Target::Class(CLASS), method)?;
        Ok(maps.iter().flat_map(|map| map.values.iter()).map(|&value| value.into()).collect())
    };
    of_many_passes(quick).iter().map(map).collect()
}

fn compare_sampled(
    vit: &Vit,
    batch: &xai::Batch,
    (expected, quick): (&[Vec<f64>], bool),
    model: &Model,
    gates: &mut Gates,
) -> Result<(), xai::Error> {
    for ((what, _), (found, expected)) in of_many_passes(quick).iter().zip(sampled(vit, batch, quick)?.iter().zip(expected)) {
        gates.at_least(format!("{}: {what}", model.name), vit.precision(), limits(vit.precision()).pixels, cosine(found, expected));
    }
    Ok(())
}

/// A second run must give every bit of the first.
fn same_bits(model: &Model, vit: &Vit, batch: &xai::Batch, gates: &mut Gates) -> Result<(), xai::Error> {
    let bits = || -> Result<Vec<u32>, xai::Error> {
        let trace = vit.trace(batch, Probe::Gradients)?;
        let gradients = trace.gradients(Target::Class(CLASS))?;
        Ok(trace.logits().iter().chain(gradients.pixels().iter()).map(|value| value.to_bits()).collect())
    };
    let (first, second) = (bits()?, bits()?);
    let others = first.iter().zip(&second).filter(|(a, b)| a != b).count();
    gates.at_most(format!("{}: values that differ between two runs", model.name), vit.precision(), 0.0, others as f64);
    Ok(())
}

/// Integrated gradients must sum to what the score gained.
fn complete(model: &Model, vit: &Vit, batch: &xai::Batch, gates: &mut Gates) -> Result<(), xai::Error> {
    let method = Method::IntegratedGradients(IntegratedGradients::captum());
    let maps = explain(&vit.trace(batch, method.probe())?, Target::Class(CLASS), &method)?;
    let gap = maps.first().and_then(|map| map.completeness_gap.as_ref()?.relative).map_or(f64::NAN, f64::from);
    gates.at_most(format!("{}: completeness gap of 50 steps", model.name), vit.precision(), 0.01, gap);
    Ok(())
}

fn answers(vit: &Vit, batch: &xai::Batch) -> Result<Answers, xai::Error> {
    let trace = vit.trace(batch, Probe::Gradients)?;
    let gradients = trace.gradients(Target::Class(CLASS))?;
    let rollout = Method::Rollout(Rollout::abnar_2020());
    let maps = explain(&vit.trace(batch, rollout.probe())?, Target::Class(CLASS), &rollout)?;
    let wide = |values: &mut dyn Iterator<Item = &f32>| values.map(|&value| value.into()).collect::<Vec<f64>>();
    Ok(Answers {
        logits: wide(&mut trace.logits().iter()),
        rollout: wide(&mut maps.iter().flat_map(|map| map.values.iter())),
        relevance: wide(&mut gradients.relevance_row(0).into_iter().flatten()),
        pixels: wide(&mut gradients.pixels().iter()),
    })
}

/// The same answers in `f64`.
fn exact(model: &Model, vit: &Vit, batch: &xai::Batch) -> Result<Answers, xai::Error> {
    let xai::Exact { logits, pixels, relevance, pushed } = vit.exact(batch, CLASS)?;
    let special = vit.config().special_tokens.count();
    let rollout = pushed.chunks(model.tokens()).flat_map(|row| &row[special..]).copied().collect();
    Ok(Answers { logits, rollout, relevance, pixels })
}
