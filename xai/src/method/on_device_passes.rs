//! Methods that make passes of their own, on the device and on the CPU.

use std::cell::Cell;
use std::sync::Arc;

use kernels::cuda::{Fault, Storage};

use crate::vit::cuda::tests::emulator::{Library, Schedule, source};
use crate::vit::cuda::tests::queue::Emulated;
use crate::vit::cuda::tests::{CLASSES, configs, cosine, device, off, on_cpu, on_device, pictures, vit, wide};
use crate::{
    Attribution, Baseline, Batch, ChannelReduction, Error, GivenBaseline, HeadKind, InputXGradient, IntegratedGradients, Method, Probe,
    Quadrature, SmoothGrad, Target, Vit, VitConfig, cancellation, explain, explain_watched,
};

fn smooth(samples: usize) -> SmoothGrad {
    SmoothGrad { samples, ..SmoothGrad::smilkov_2017() }
}

fn integrated(baseline: Baseline, quadrature: Quadrature) -> Method {
    Method::IntegratedGradients(IntegratedGradients { baseline, quadrature, channels: ChannelReduction::Sum })
}

fn explained(vit: &Vit, batch: &Batch, method: &Method) -> Vec<Attribution> {
    explain(&vit.trace(batch, method.probe()).unwrap(), Target::Class(1), method).unwrap()
}

/// A device with so many bytes.
fn small(bytes: usize) -> Arc<Emulated> {
    Arc::new(Emulated::new(Schedule::Forward).expect("there is a compiler").of_bytes(bytes))
}

/// Holds the maps of both to the gates of the storage.
#[track_caller]
fn assert_near(what: &str, storage: Storage, found: &[Attribution], expected: &[Attribution]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        let [here, there] = [found, expected].map(|map| wide(&map.values.iter().copied().collect::<Vec<_>>()));
        let (near, off) = (cosine(&here, &there), off(here, there));
        let close = if storage == Storage::F32 { near >= 0.999_99 && off <= 1e-4 } else { near >= 0.99 };
        assert!(close, "{what}, {storage}: cosine {near}, off by {off:e}");
    }
}

#[test]
fn smooth_grad_is_the_cpus() {
    let Some(queue) = device() else { return };
    let odd = VitConfig { image_size: (10, 15), patch_size: 5, ..vit() };
    let others = configs().into_iter().filter(|(what, ..)| ["vit-pytorch", "distilled"].contains(what));
    let configs: Vec<_> = others.chain([("patches of 75 values", odd, HeadKind::Linear(CLASSES))]).collect();
    for (what, config, head) in configs {
        let (on_cpu, batch) = (on_cpu(&config, head), pictures(&config, 2));
        let method = Method::SmoothGrad(smooth(3));
        let expected = explained(&on_cpu, &batch, &method);
        for storage in Storage::ALL {
            let found = explained(&on_device(&on_cpu, queue.clone(), storage).unwrap(), &batch, &method);
            assert_near(what, storage, &found, &expected);
        }
    }
}

/// The comparison can fail: a kernel that gives all samples the same noise is not the CPU's.
#[test]
fn noise_that_does_not_change_is_caught() {
    let Some(queue) = device() else { return };
    let (file, right, wrong) = ("patchify/cuda_variants.cu", "noise.first_sample + image", "noise.first_sample");
    let text = source(file);
    assert_eq!(text.matches(right).count(), 1, "{right}");
    queue.replace(file, Storage::F32, Library::compile(file, &text.replace(right, wrong), Storage::F32).expect("there is a compiler"));
    let (on_cpu, batch, method) = (on_cpu(&vit(), HeadKind::Linear(CLASSES)), pictures(&vit(), 1), Method::SmoothGrad(smooth(3)));
    let found = explained(&on_device(&on_cpu, queue, Storage::F32).unwrap(), &batch, &method);
    let [here, there] = [found, explained(&on_cpu, &batch, &method)].map(|maps| wide(&maps[0].values.iter().copied().collect::<Vec<_>>()));
    assert!(off(here, there) > 1e-2);
}

#[test]
fn statistics_and_channels_are_the_cpus() {
    let Some(queue) = device() else { return };
    let (on_cpu, batch) = (on_cpu(&vit(), HeadKind::Linear(CLASSES)), pictures(&vit(), 1));
    let models = Storage::ALL.map(|storage| (storage, on_device(&on_cpu, queue.clone(), storage).unwrap()));
    for settings in [SmoothGrad::smilkov_2017(), SmoothGrad::hooker_2019(), SmoothGrad::adebayo_2018()] {
        for channels in [ChannelReduction::MaxAbs, ChannelReduction::Length, ChannelReduction::Sum] {
            let method = Method::SmoothGrad(SmoothGrad { samples: 3, channels, ..settings });
            let expected = explained(&on_cpu, &batch, &method);
            for (storage, vit) in &models {
                assert_near(&format!("{method}, {channels:?}"), *storage, &explained(vit, &batch, &method), &expected);
            }
        }
    }
}

#[test]
fn a_seed_is_a_map() {
    let Some(queue) = device() else { return };
    let vit = on_device(&on_cpu(&vit(), HeadKind::Linear(CLASSES)), queue, Storage::F32).unwrap();
    let batch = pictures(vit.config(), 1);
    let map = |seed| explained(&vit, &batch, &Method::SmoothGrad(SmoothGrad { seed, ..smooth(2) })).remove(0).values;
    assert_eq!(map(7), map(7));
    for other in [8, 7 + (1 << 32)] {
        assert_ne!(map(7), map(other));
    }
}

#[test]
fn integrated_gradients_are_the_cpus() {
    let Some(queue) = device() else { return };
    let (on_cpu, batch) = (on_cpu(&vit(), HeadKind::Linear(CLASSES)), pictures(&vit(), 1));
    let turned = Batch::new(batch.pixels().mapv(|value| -0.5 * value)).unwrap();
    let given = Baseline::Given(GivenBaseline::new(&turned));
    let baselines = [Baseline::Black, Baseline::White, Baseline::MeanColour, Baseline::Blurred { sigma: 1.5 }, given];
    let quadratures = [Quadrature::GaussLegendre { steps: 5 }, Quadrature::Adaptive { tolerance: 0.02, most: 21 }];
    for storage in [Storage::F32, Storage::Bf16] {
        let on_device = on_device(&on_cpu, queue.clone(), storage).unwrap();
        for (index, baseline) in baselines.iter().enumerate().filter(|(index, _)| storage == Storage::F32 || *index == 1) {
            let method = integrated(baseline.clone(), quadratures[index % 2]);
            let (found, expected) = (explained(&on_device, &batch, &method), explained(&on_cpu, &batch, &method));
            assert_near(&format!("{baseline}"), storage, &found, &expected);
            let [here, there] = [&found, &expected].map(|maps| maps[0].completeness_gap.unwrap());
            let (size, allowed) = ((there.score - there.baseline_score).abs(), if storage == Storage::F32 { 1e-4 } else { 5e-2 });
            let apart = (here.absolute - there.absolute).abs();
            assert!(apart <= allowed * size.max(1.0), "{baseline}, {storage}: gaps {here}, {there}");
            assert!(storage != Storage::F32 || (here.steps, here.outcome) == (there.steps, there.outcome), "{here}, {there}");
        }
    }
}

#[test]
fn samples_that_do_not_fit_at_once_are_made_in_parts() {
    let Some(large) = device() else { return };
    let (on_cpu, batch) = (on_cpu(&vit(), HeadKind::Linear(CLASSES)), pictures(&vit(), 1));
    let gauss = |steps| integrated(Baseline::White, Quadrature::GaussLegendre { steps });
    let adaptive = |most| integrated(Baseline::White, Quadrature::Adaptive { tolerance: 0.02, most });
    let smooth = |samples| Method::SmoothGrad(smooth(samples));
    for (method, smaller) in [(smooth(6), smooth(3)), (gauss(6), gauss(3)), (adaptive(13), adaptive(5))] {
        let whole = explained(&on_device(&on_cpu, large.clone(), Storage::F32).unwrap(), &batch, &method);
        assert_eq!(whole[0].recipe.variants_at_once, Some(64));
        let enough_for_fewer = {
            let vit = on_device(&on_cpu, large.clone(), Storage::F32).unwrap();
            explained(&vit, &batch, &smaller);
            large.given_out() + (64 << 10)
        };
        let vit = on_device(&on_cpu, small(enough_for_fewer), Storage::F32).unwrap();
        let (trace, mut seen) = (vit.trace(&batch, method.probe()).unwrap(), Vec::new());
        let split = explain_watched(&trace, Target::Class(1), &method, &mut |progress| seen.push(progress.passes)).unwrap();
        let at_once = split[0].recipe.variants_at_once.expect("a device made them");
        assert!((1..=6).contains(&at_once) && seen[0] == at_once && seen.len() > 1, "{method}: {at_once} at once, {seen:?}");
        assert_near(&format!("{method} in parts"), Storage::F32, &split, &whole);
    }
    let vit = on_device(&on_cpu, small(enough_for_weights(&on_cpu)), Storage::F32).unwrap();
    let refused = vit.trace(&batch, Probe::Logits).unwrap_err();
    assert!(matches!(refused, Error::Kernel(kernels::Error::Device(Fault::OutOfMemory { .. }))), "{refused}");
}

/// Bytes of a device on which a model fits and nothing else.
fn enough_for_weights(on_cpu: &Vit) -> usize {
    let queue = small(1 << 30);
    let _vit = on_device(on_cpu, queue.clone(), Storage::F32).unwrap();
    queue.given_out()
}

#[test]
fn what_comes_again_is_replayed_and_takes_no_memory() {
    let Some(queue) = device() else { return };
    let vit = on_device(&on_cpu(&vit(), HeadKind::Linear(CLASSES)), queue.clone(), Storage::F32).unwrap();
    let batch = pictures(vit.config(), 1);
    let adaptive = integrated(Baseline::White, Quadrature::Adaptive { tolerance: 0.02, most: 9 });
    for method in [Method::SmoothGrad(smooth(3)), integrated(Baseline::White, Quadrature::GaussLegendre { steps: 3 }), adaptive] {
        let trace = vit.trace(&batch, method.probe()).unwrap();
        let explain = || explain(&trace, Target::Class(1), &method).unwrap();
        let first = explain();
        assert_eq!(explain(), first);
        assert_eq!(explain(), first);
        let [given_out, recordings] = [queue.given_out(), queue.recordings()];
        assert_eq!(explain(), first);
        assert_eq!([queue.given_out(), queue.recordings()], [given_out, recordings], "{method}");
    }
}

#[test]
fn a_picture_goes_up_once_and_a_map_comes_back() {
    let Some(queue) = device() else { return };
    let vit = on_device(&on_cpu(&vit(), HeadKind::Linear(CLASSES)), queue.clone(), Storage::F32).unwrap();
    let (batch, picture, map) = (pictures(vit.config(), 1), 4 * 3 * 16 * 16, 4 * 16 * 16);
    let trace = vit.trace(&batch, Probe::Gradients).unwrap();
    let copied = |method: &Method| {
        let before = queue.copied();
        explain(&trace, Target::Class(1), method).unwrap();
        [0, 1].map(|way| queue.copied()[way] - before[way])
    };
    // What is uploaded for every pass: dials, gradients at the logits, the row that relevance starts with. What comes back: the head's.
    let (of_a_pass, of_a_sample) = (2 << 10, 4 * (64 + 4 + 17));
    for samples in [2, 16] {
        let [up, down] = copied(&Method::SmoothGrad(smooth(samples)));
        assert!(up <= picture + of_a_pass + samples * of_a_sample, "{samples} samples: {up} bytes go up");
        assert!(down <= map + samples * of_a_sample, "{samples} samples: {down} bytes come back");
    }
    let [_, down] = copied(&Method::InputXGradient(InputXGradient::default()));
    assert_eq!(down, map);
    let [up, down] = copied(&Method::Gradient(Default::default()));
    assert_eq!([up, down], [0, map], "the backward pass is shared");
}

#[test]
fn passes_end_on_request() {
    thread_local!(static STOP: Cell<bool> = const { Cell::new(false) });
    let Some(queue) = device() else { return };
    cancellation::listen(|| STOP.get());
    let vit = on_device(&on_cpu(&vit(), HeadKind::Linear(CLASSES)), queue, Storage::F32).unwrap();
    let batch = pictures(vit.config(), 3);
    let trace = vit.trace(&batch, Probe::Logits).unwrap();
    let mut passes = 0;
    let stopped = explain_watched(&trace, Target::Class(1), &Method::SmoothGrad(smooth(2)), &mut |progress| {
        passes = progress.passes;
        STOP.set(true);
    });
    STOP.set(false);
    assert!(matches!(stopped, Err(Error::Cancelled)) && passes == 2, "{passes} passes, {stopped:?}");
}

#[test]
fn numbers_beyond_f16_are_no_map() {
    let Some(queue) = device() else { return };
    let vit = on_device(&on_cpu(&vit(), HeadKind::Linear(CLASSES)), queue, Storage::F16).unwrap();
    let batch = pictures(vit.config(), 1);
    let far = Batch::new(batch.pixels().mapv(|value| 1e6 * value)).unwrap();
    let method = integrated(Baseline::Given(GivenBaseline::new(&far)), Quadrature::GaussLegendre { steps: 3 });
    let refused = explain(&vit.trace(&batch, Probe::Logits).unwrap(), Target::Class(1), &method).unwrap_err();
    assert!(matches!(refused, Error::NotFinite { .. }) && refused.to_string().contains("f32"), "{refused}");
}
