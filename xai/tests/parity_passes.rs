//! Methods that weigh attention, sample or integrate, against PyTorch and captum; see `goldens/export_methods.py`.

mod goldens_reader;

use goldens_reader::{Golden, TARGETS, flat, report};
use kernels::check::{Tolerance, assert_close};
use ndarray::{Array2, ArrayView4, Axis};
use xai::{
    Attribution, Baseline, ChannelReduction, GradientRollout, IntegratedGradients, Method, Outcome, Quadrature, SmoothGrad, Statistic,
    Target, Trace, explain, explicit,
};

fn goldens() -> [Golden; 2] {
    ["hf_vit", "dinov2"].map(Golden::with_methods)
}

fn values(maps: &[Attribution]) -> Vec<f32> {
    maps.iter().flat_map(|map| flat(&map.values)).collect()
}

fn largest(values: &[f32]) -> f64 {
    values.iter().fold(0.0, |most, value| f64::max(most, value.abs().into()))
}

/// A golden (n, C, H, W) in the shape of the pictures.
fn like_pixels<'a>(golden: &'a Golden, key: &str) -> ArrayView4<'a, f32> {
    let (_, channels, height, width) = golden.batch.pixels().dim();
    let values = golden.values(key);
    ArrayView4::from_shape((values.len() / (channels * height * width), channels, height, width), values).unwrap()
}

#[test]
fn gradient_rollout_agrees_as_a_row_and_as_the_full_product() {
    for golden in goldens() {
        let trace = golden.trace();
        let tokens = trace.patches().count() + 1;
        for (name, target) in TARGETS {
            for (kind, settings) in [("fixed", GradientRollout::vit_explain_fixed()), ("compat", GradientRollout::vit_explain_compat())] {
                let expected = golden.values(&format!("gradient_rollout.{kind}.{name}"));
                let full = flat(&explicit::gradient_rollout(&trace, target, &settings).unwrap());
                let worst = assert_close(kind, &full, expected, Tolerance::both(2e-6));
                let rows: Vec<f32> = expected.chunks(tokens * tokens).flat_map(|product| product[1..tokens].to_vec()).collect();
                let found = values(&explain(&trace, target, &Method::GradientRollout(settings)).unwrap());
                let of_row = assert_close(kind, &found, &rows, Tolerance::both(2e-6));
                report(&format!("{}: gradient rollout {kind} of {name}", golden.name), f64::max(worst, of_row));
            }
        }
    }
}

#[test]
fn the_gradient_rollout_row_is_the_explicit_product_for_every_start() {
    for golden in goldens() {
        let trace = golden.trace();
        let tokens = trace.patches().count() + 1;
        for (target, start_layer) in TARGETS.iter().flat_map(|&(_, target)| (0..trace.layers()).map(move |start| (target, start))) {
            for settings in [GradientRollout::vit_explain_fixed(), GradientRollout::vit_explain_compat()] {
                let settings = GradientRollout { start_layer, ..settings };
                let full = flat(&explicit::gradient_rollout(&trace, target, &settings).unwrap());
                let rows: Vec<f32> = full.chunks(tokens * tokens).flat_map(|product| product[1..tokens].to_vec()).collect();
                let found = values(&explain(&trace, target, &Method::GradientRollout(settings)).unwrap());
                assert_close(&format!("{settings:?}"), &found, &rows, Tolerance::both(1e-6));
            }
        }
    }
}

fn statistics() -> [(&'static str, SmoothGrad); 3] {
    [("mean", SmoothGrad::smilkov_2017()), ("mean_square", SmoothGrad::hooker_2019()), ("variance", SmoothGrad::adebayo_2018())]
}

/// The golden's own noise goes in, so that nothing is left to chance.
#[test]
fn smooth_grad_of_given_noise_agrees() {
    for golden in goldens() {
        let (trace, noise) = (golden.trace(), like_pixels(&golden, "noise"));
        for ((name, target), (kind, settings)) in TARGETS.iter().flat_map(|target| statistics().map(|of| (*target, of))) {
            let expected = golden.values(&format!("smooth_grad.{kind}.{name}"));
            let found = flat(&explicit::smooth_grad(&trace, target, &settings, noise).unwrap());
            let close = Tolerance { absolute: 1e-5 * largest(expected), relative: 0.0 };
            report(&format!("{}: SmoothGrad {kind} of {name}", golden.name), assert_close(kind, &found, expected, close));
        }
    }
}

#[test]
fn running_sums_over_drawn_noise_are_the_definition() {
    for golden in goldens() {
        let trace = golden.trace();
        let (_, channels, height, width) = golden.batch.pixels().dim();
        for (_, settings) in statistics() {
            let settings = SmoothGrad { samples: 9, seed: 5, channels: ChannelReduction::Sum, ..settings };
            let drawn: Vec<_> = (0..9).map(|sample| settings.noise_of(sample, (channels, height, width)).insert_axis(Axis(0))).collect();
            let drawn = ndarray::concatenate(Axis(0), &drawn.iter().map(|noise| noise.view()).collect::<Vec<_>>()).unwrap();
            let defined = explicit::smooth_grad(&trace, Target::Predicted, &settings, drawn.view()).unwrap();
            let defined = flat(&defined.sum_axis(Axis(1)));
            let found = values(&explain(&trace, Target::Predicted, &Method::SmoothGrad(settings)).unwrap());
            assert_close("sums", &found, &defined, Tolerance { absolute: 1e-6 * largest(&defined), relative: 0.0 });
        }
    }
}

/// `SmoothGrad`² is what `VarGrad` and the square of `SmoothGrad` make together, and without noise nothing varies.
#[test]
fn the_three_statistics_belong_together() {
    let golden = Golden::load("hf_vit");
    let (trace, noise) = (golden.trace(), ndarray::Array4::from_shape_fn((4, 3, 6, 21), |(n, c, y, x)| ((n + c * y + x) % 5) as f32 - 2.0));
    let of = |statistic| {
        let settings = SmoothGrad { statistic, ..SmoothGrad::smilkov_2017() };
        explicit::smooth_grad(&trace, Target::Class(1), &settings, noise.view()).unwrap()
    };
    let [mean, squares, variance] = [Statistic::Mean, Statistic::MeanSquare, Statistic::Variance].map(of);
    assert_close("squares", &flat(&squares), &flat(&(&mean * &mean + &variance)), Tolerance::both(1e-6));
    let still = SmoothGrad { noise: 0.0, samples: 3, ..SmoothGrad::adebayo_2018() };
    assert!(values(&explain(&trace, Target::Class(1), &Method::SmoothGrad(still)).unwrap()).iter().all(|value| *value == 0.0));
}

fn reduced(golden: &Golden, key: &str, channels: ChannelReduction) -> Vec<f32> {
    let reduce = |image: ndarray::ArrayView3<f32>| -> Array2<f32> {
        match channels {
            ChannelReduction::Sum => image.sum_axis(Axis(0)),
            ChannelReduction::MaxAbs => image.fold_axis(Axis(0), 0.0, |most: &f32, value| most.max(value.abs())),
            ChannelReduction::Length => image.mapv(|value| value * value).sum_axis(Axis(0)).mapv(f32::sqrt),
        }
    };
    like_pixels(golden, key).outer_iter().flat_map(|image| flat(&reduce(image))).collect()
}

fn integrated(trace: &Trace, target: Target, settings: IntegratedGradients) -> Vec<Attribution> {
    explain(trace, target, &Method::IntegratedGradients(settings)).unwrap()
}

const BASELINES: [(&str, Baseline); 2] = [("mean", Baseline::MeanColour), ("black", Baseline::Black)];

/// captum's rule and steps: the maps agree, and so do the gaps that few steps leave.
#[test]
fn integrated_gradients_agree_with_captum() {
    for golden in goldens() {
        let trace = golden.trace();
        for ((name, target), (start, baseline)) in TARGETS.iter().flat_map(|target| BASELINES.map(|of| (*target, of))) {
            for (steps, channels) in
                [(5, ChannelReduction::Sum), (50, ChannelReduction::Sum), (50, ChannelReduction::MaxAbs), (5, ChannelReduction::Length)]
            {
                let settings =
                    IntegratedGradients { baseline: baseline.clone(), quadrature: Quadrature::GaussLegendre { steps }, channels };
                let maps = integrated(&trace, target, settings);
                let expected = reduced(&golden, &format!("integrated_gradients.{start}.{steps}.{name}"), channels);
                let close = Tolerance { absolute: 1e-5 * largest(&expected), relative: 0.0 };
                let worst = assert_close(start, &values(&maps), &expected, close) / largest(&expected);
                report(&format!("{}: integrated gradients of {name} from {start}, {steps} steps, of the largest", golden.name), worst);
                for (map, gap) in maps.iter().zip(golden.values(&format!("gap.{start}.{steps}.{name}"))) {
                    let found = map.completeness_gap.unwrap();
                    assert_close("gap", &[found.absolute], &[*gap], Tolerance::absolute(2e-5));
                    assert_eq!((found.steps, found.outcome), (steps, Outcome::FixedSteps));
                }
            }
        }
    }
}

/// Refined until complete, the map is the integral itself, a reference of 20,000 points: segments whose gaps cancel may miss
/// five times the tolerance together, so that much of the largest value is the most that one pixel may be off.
#[test]
fn adaptive_integration_finds_the_integral() {
    for golden in goldens() {
        let trace = golden.trace();
        for ((name, target), (start, baseline)) in TARGETS.iter().flat_map(|target| BASELINES.map(|of| (*target, of))) {
            for tolerance in [0.01, 1e-3] {
                let quadrature = Quadrature::Adaptive { tolerance, most: 512 };
                let settings = IntegratedGradients { baseline: baseline.clone(), quadrature, channels: ChannelReduction::Sum };
                let maps = integrated(&trace, target, settings);
                let expected = reduced(&golden, &format!("integrated_gradients.{start}.exact.{name}"), ChannelReduction::Sum);
                let close = Tolerance { absolute: 5.0 * f64::from(tolerance) * largest(&expected), relative: 0.0 };
                let worst = assert_close(start, &values(&maps), &expected, close) / largest(&expected);
                let steps: Vec<usize> = maps.iter().map(|map| map.completeness_gap.unwrap().steps).collect();
                report(&format!("{}: adaptive, {name} from {start}, {tolerance} in {steps:?} steps", golden.name), worst);
                assert!(maps.iter().all(|map| map.completeness_gap.unwrap().outcome == Outcome::ToleranceMet));
            }
        }
    }
}

/// Too few steps leave a gap, and it is told as it is: what the map sums to, minus what the score gained.
#[test]
fn a_gap_is_told_when_the_steps_run_out() {
    for golden in goldens() {
        let trace = golden.trace();
        for most in [3, 4, 8, 16] {
            let quadrature = Quadrature::Adaptive { tolerance: 1e-6, most };
            let settings = IntegratedGradients { quadrature, ..IntegratedGradients::sundararajan_2017() };
            for (image, map) in integrated(&trace, Target::Class(1), settings).iter().enumerate() {
                let gap = map.completeness_gap.unwrap();
                assert_eq!((gap.outcome, gap.steps), (Outcome::StepLimit, 2 * ((most - 1) / 2) + 1));
                assert_eq!(gap.score, trace.logits()[[image, 1]], "the score is the trace's own");
                let sum: f64 = map.values.iter().map(|&value| f64::from(value)).sum();
                let missed = sum - f64::from(gap.score - gap.baseline_score);
                assert_close("gap", &[gap.absolute], &[missed], Tolerance::absolute(1e-5));
                assert!(gap.absolute.abs() > 1e-4, "{gap}: so few steps cannot be enough here");
                assert!(gap.to_string().contains("step limit reached"), "{gap}");
            }
        }
    }
}

/// The gap falls as the tolerance does, and the relative one is what was asked.
#[test]
fn the_gap_is_as_small_as_asked() {
    for golden in goldens() {
        let trace = golden.trace();
        for tolerance in [0.1, 0.01, 0.001] {
            let quadrature = Quadrature::Adaptive { tolerance, most: 512 };
            let settings = IntegratedGradients { quadrature, ..IntegratedGradients::sundararajan_2017() };
            for map in integrated(&trace, Target::Predicted, settings) {
                let gap = map.completeness_gap.unwrap();
                assert!(gap.relative.unwrap() <= tolerance, "{gap}");
            }
        }
    }
}
