//! Rollout and relevance against PyTorch's goldens, and the row identities against the explicit products.

mod goldens_reader;

use goldens_reader::{Golden, TARGETS, alone, flat, report};
use kernels::check::{Tolerance, assert_close};
use xai::{
    Attribution, Discard, HeadFusion, Method, Normalise, Probe, Protect, Relevance, Residual, Rollout, Target, Trace, explain, explicit,
};

fn goldens() -> [Golden; 2] {
    [Golden::load("hf_vit"), Golden::load("dinov2")]
}

/// Every rollout convention of the goldens, by its name there.
fn conventions() -> Vec<(&'static str, Rollout)> {
    let mean = Rollout::abnar_2020();
    vec![
        ("mean", mean),
        ("max", Rollout { head_fusion: HeadFusion::Max, ..mean }),
        ("min", Rollout { head_fusion: HeadFusion::Min, ..mean }),
        ("mean_start_1", Rollout { start_layer: 1, ..mean }),
        ("fixed.mean_discard_0.9", Rollout { head_fusion: HeadFusion::Mean, ..Rollout::vit_explain_fixed() }),
        ("fixed.max_discard_0.9", Rollout::vit_explain_fixed()),
        ("compat.mean_discard_0.9", Rollout { head_fusion: HeadFusion::Mean, ..Rollout::vit_explain_compat() }),
        ("compat.max_discard_0.9", Rollout::vit_explain_compat()),
    ]
}

/// Row 0 without entry 0 of full products (B, N, N): what a map shows.
fn cls_rows(products: &[f32], tokens: usize) -> Vec<f32> {
    products.chunks(tokens * tokens).flat_map(|product| product[1..tokens].to_vec()).collect()
}

fn values(maps: &[Attribution]) -> Vec<f32> {
    maps.iter().flat_map(|map| flat(&map.values)).collect()
}

#[test]
fn rollout_of_every_convention_agrees() {
    for golden in goldens() {
        let (trace, conventions) = (golden.trace(), conventions());
        let tokens = trace.patches().count() + 1;
        for name in golden.keys("rollout.") {
            let (_, settings) = conventions.iter().find(|(known, _)| *known == name).expect("a convention for every golden");
            let expected = golden.values(&format!("rollout.{name}"));
            let full = flat(&explicit::rollout(&trace, settings).unwrap());
            let worst = assert_close(name, &full, expected, Tolerance::absolute(1e-6));
            let maps = explain(&trace, Target::Predicted, &Method::Rollout(*settings)).unwrap();
            assert!(maps.iter().all(|map| map.values.dim() == (trace.patches().rows, trace.patches().cols)));
            let of_row = assert_close(name, &values(&maps), &cls_rows(expected, tokens), Tolerance::absolute(1e-6));
            report(&format!("{}: rollout {name}", golden.name), f64::max(worst, of_row));
        }
    }
}

#[test]
fn every_convention_has_a_golden_that_differs_from_the_others() {
    let golden = Golden::load("hf_vit");
    assert_eq!(golden.keys("rollout.").len(), conventions().len());
    for (name, _) in conventions() {
        for (other, _) in conventions().into_iter().filter(|(other, _)| *other != name) {
            let pairs = golden.values(&format!("rollout.{name}")).iter().zip(golden.values(&format!("rollout.{other}")));
            assert!(pairs.into_iter().any(|(a, b)| (a - b).abs() > 1e-3), "{name} and {other} could be confused");
        }
    }
}

#[test]
fn relevance_agrees_as_a_row_and_as_the_full_product() {
    for golden in goldens() {
        let trace = golden.trace();
        let tokens = trace.patches().count() + 1;
        for (name, target) in TARGETS {
            let (settings, expected) = (Relevance::chefer_iccv21(), golden.values(&format!("chefer_iccv21.{name}")));
            let full = flat(&explicit::relevance(&trace, target, &settings).unwrap());
            let worst = assert_close("R", &full, expected, Tolerance::both(2e-6));
            let found = values(&explain(&trace, target, &Method::Relevance(settings)).unwrap());
            let of_row = assert_close("map", &found, &cls_rows(expected, tokens), Tolerance::both(2e-6));
            report(&format!("{}: relevance of {name}", golden.name), f64::max(worst, of_row));
        }
    }
}

/// Settings that no golden holds, so that the identity does not hang on the presets.
fn unusual() -> [Rollout; 3] {
    let heavy = Rollout { residual: Residual { weight: 0.9 }, head_fusion: HeadFusion::Min, ..Rollout::abnar_2020() };
    let bare = Rollout { residual: Residual { weight: 0.0 }, normalise: Normalise::Nothing, ..heavy };
    let discard = Discard::Lowest { ratio: 0.5, protect: Protect::ClsToCls };
    [heavy, bare, Rollout { discard, normalise: Normalise::ColumnsByRowSums, ..heavy }]
}

#[test]
fn the_rollout_row_is_the_explicit_product_for_every_start() {
    for golden in goldens() {
        let trace = golden.trace();
        let tokens = trace.patches().count() + 1;
        let settings: Vec<Rollout> = conventions().into_iter().map(|(_, settings)| settings).chain(unusual()).collect();
        for (settings, start_layer) in settings.iter().flat_map(|&settings| (0..trace.layers()).map(move |start| (settings, start))) {
            let settings = Rollout { start_layer, ..settings };
            let full = flat(&explicit::rollout(&trace, &settings).unwrap());
            let found = values(&explain(&trace, Target::Predicted, &Method::Rollout(settings)).unwrap());
            assert_close(&format!("{settings:?}"), &found, &cls_rows(&full, tokens), Tolerance::both(1e-6));
        }
    }
}

#[test]
fn the_relevance_row_is_the_explicit_product_for_every_start() {
    for golden in goldens() {
        let trace = golden.trace();
        let tokens = trace.patches().count() + 1;
        for (target, start_layer) in TARGETS.iter().flat_map(|&(_, target)| (0..trace.layers()).map(move |start| (target, start))) {
            let settings = Relevance { start_layer };
            let full = flat(&explicit::relevance(&trace, target, &settings).unwrap());
            let found = values(&explain(&trace, target, &Method::Relevance(settings)).unwrap());
            assert_close(&format!("start {start_layer}"), &found, &cls_rows(&full, tokens), Tolerance::both(2e-6));
        }
    }
}

/// What else was asked of a trace must not change a map: the same bits from every probe.
#[test]
fn a_trace_with_fused_maps_explains_as_one_with_everything() {
    for golden in goldens() {
        for (name, settings) in conventions() {
            let method = Method::Rollout(settings);
            let lean = golden.vit.trace(&golden.batch, method.probe()).unwrap();
            let of = |trace: &Trace| values(&explain(trace, Target::Predicted, &method).unwrap());
            assert_eq!(of(&lean), of(&golden.trace()), "{name}");
            let attention = golden.vit.trace(&golden.batch, Probe::Attention).unwrap();
            assert_eq!(of(&attention), of(&golden.trace()), "{name}");
        }
    }
}

#[test]
fn an_image_has_the_bits_it_has_alone() {
    for golden in goldens() {
        let together = golden.trace();
        for image in 0..golden.batch.len() {
            let single = golden.vit.trace(&alone(&golden.batch, image), Probe::Gradients).unwrap();
            assert_eq!(together.logits().row(image), single.logits().row(0));
            for (_, target) in TARGETS {
                let both = together.gradients(target).unwrap();
                assert_eq!(
                    both.pixels().index_axis(ndarray::Axis(0), image),
                    single.gradients(target).unwrap().pixels().index_axis(ndarray::Axis(0), 0)
                );
                for (all, one) in together.attention_gradients(target).unwrap().iter().zip(single.attention_gradients(target).unwrap()) {
                    assert_eq!(all.index_axis(ndarray::Axis(0), image), one.index_axis(ndarray::Axis(0), 0));
                }
            }
        }
    }
}
