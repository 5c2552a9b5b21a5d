//! Discarding and settings by hand-made numbers.

use super::passes::{Passes, Progress};
use super::rollout::discard;
use super::{
    AttentionMap, GradientRollout, HeadChoice, IntegratedGradients, LayerChoice, Method, Protect, Quadrature, Relevance, Residual, Rollout,
    SmoothGrad, explain, explain_watched, explicit, integrated_gradients, smooth_grad,
};
use crate::{Batch, Discard, Error, HeadKind, Probe, Target, Trace, Vit, VitConfig};

/// 3 × 3 entries, all different: ranks 0 to 8 are 0.1 to 0.9, with the first column holding ranks 4, 0 and 2.
const MAP: [f32; 9] = [0.5, 0.9, 0.2, 0.1, 0.8, 0.4, 0.3, 0.7, 0.6];

fn discarded(ratio: f32, protect: Protect) -> Vec<f32> {
    let mut map = MAP.to_vec();
    discard(&mut map, 3, ratio, protect);
    map
}

#[test]
fn the_lowest_entries_become_zero_and_protected_ones_stay() {
    // Four of nine: 0.1, 0.2, 0.3 and 0.4, of which 0.1 and 0.3 stand in the first column.
    assert_eq!(discarded(0.45, Protect::ClsColumn), [0.5, 0.9, 0.0, 0.1, 0.8, 0.0, 0.3, 0.7, 0.6]);
    assert_eq!(discarded(0.45, Protect::ClsToCls), [0.5, 0.9, 0.0, 0.0, 0.8, 0.0, 0.0, 0.7, 0.6]);
    assert_eq!(discarded(0.0, Protect::ClsToCls), MAP);
    assert_eq!(discarded(1.0, Protect::ClsToCls), [0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(discarded(1.0, Protect::ClsColumn), [0.5, 0.0, 0.0, 0.1, 0.0, 0.0, 0.3, 0.0, 0.0]);
}

#[test]
fn nine_tenths_of_a_hundred_are_ninety() {
    let mut map: Vec<f32> = (1..=100).map(|value| value as f32).collect();
    discard(&mut map, 10, 0.9, Protect::ClsToCls);
    // Entry (0, 0) is among the ninety and protected.
    assert_eq!(map.iter().filter(|value| **value == 0.0).count(), 89);
    assert_eq!((map[89], map[90]), (0.0, 91.0));
}

#[test]
fn equal_entries_fall_or_stay_together() {
    let mut even = vec![0.25; 16];
    discard(&mut even, 4, 0.9, Protect::ClsToCls);
    assert_eq!(even, vec![0.25; 16], "an even map stays even");
    let mut map = vec![0.1, 0.2, 0.2, 0.2];
    discard(&mut map, 2, 0.5, Protect::ClsColumn);
    assert_eq!(map, [0.1, 0.2, 0.2, 0.2]);
}

fn trace() -> Trace {
    let vit = Vit::random(VitConfig::tiny_for_tests(), HeadKind::Linear(2), 1).unwrap();
    vit.trace(&Batch::new(ndarray::Array4::ones((1, 3, 8, 12))).unwrap(), Probe::Gradients).unwrap()
}

#[test]
fn settings_that_mean_nothing_are_refused() {
    let rollout = Rollout::abnar_2020();
    let lowest = |ratio| Rollout { discard: Discard::Lowest { ratio, protect: Protect::ClsColumn }, ..rollout };
    let residual = |weight| Rollout { residual: Residual { weight }, ..rollout };
    let refused = [lowest(-0.1), lowest(1.1), lowest(f32::NAN), residual(2.0), residual(f32::NAN), Rollout { start_layer: 2, ..rollout }];
    for settings in refused {
        assert!(matches!(explain(&trace(), Target::Predicted, &Method::Rollout(settings)), Err(Error::Shape { .. })), "{settings:?}");
        assert!(matches!(explicit::rollout(&trace(), &settings), Err(Error::Shape { .. })), "{settings:?}");
    }
    let weighted = GradientRollout { start_layer: 2, ..GradientRollout::vit_explain_fixed() };
    assert!(matches!(explain(&trace(), Target::Predicted, &Method::GradientRollout(weighted)), Err(Error::Shape { .. })));
    assert!(matches!(explicit::gradient_rollout(&trace(), Target::Predicted, &weighted), Err(Error::Shape { .. })));
    let settings = Relevance { start_layer: 2 };
    assert!(matches!(explain(&trace(), Target::Predicted, &Method::Relevance(settings)), Err(Error::Shape { .. })));
    assert!(matches!(explicit::relevance(&trace(), Target::Predicted, &settings), Err(Error::Shape { .. })));
}

#[test]
fn layers_heads_and_classes_that_do_not_exist_are_named_with_those_that_do() {
    let attention = |layer, head| Method::Attention(AttentionMap { layer, head });
    let cases = [
        (attention(LayerChoice::Index(2), HeadChoice::Index(0)), Target::Predicted, "no layer `2`; there are: 0, 1"),
        (attention(LayerChoice::Last, HeadChoice::Index(3)), Target::Predicted, "no head `3`; there are: 0, 1, 2"),
        (Method::Gradient(Default::default()), Target::Class(2), "no class `2`; there are: 0, 1"),
        (Method::Gradient(Default::default()), Target::Contrast { class: 0, against: 9 }, "no class `9`"),
    ];
    for (method, target, words) in cases {
        let message = explain(&trace(), target, &method).unwrap_err().to_string();
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn numbers_of_passes_that_mean_nothing_are_refused() {
    let smooth = |samples, noise| Method::SmoothGrad(SmoothGrad { samples, noise, ..SmoothGrad::smilkov_2017() });
    let integrated = |quadrature| Method::IntegratedGradients(IntegratedGradients { quadrature, ..IntegratedGradients::captum() });
    let adaptive = |tolerance, most| integrated(Quadrature::Adaptive { tolerance, most });
    let gauss = |steps| integrated(Quadrature::GaussLegendre { steps });
    let refused = [
        smooth(0, 0.1),
        smooth(1 << 40, 0.1),
        smooth(2, -0.1),
        smooth(2, f32::NAN),
        smooth(2, 1.5),
        gauss(0),
        gauss(usize::MAX),
        adaptive(0.0, 64),
        adaptive(f32::NAN, 64),
        adaptive(0.1, 2),
        adaptive(0.1, usize::MAX),
    ];
    for method in refused {
        assert!(matches!(explain(&trace(), Target::Predicted, &method), Err(Error::Shape { .. })), "{method:?}");
    }
}

/// A trace of two pictures that do not resemble each other.
fn two_pictures() -> Trace {
    let vit = Vit::random(VitConfig::tiny_for_tests(), HeadKind::Linear(2), 1).unwrap();
    let numbers = kernels::check::seeded(3, 2 * 3 * 8 * 12);
    vit.trace(&Batch::new(ndarray::Array4::from_shape_vec((2, 3, 8, 12), numbers).unwrap()).unwrap(), Probe::Logits).unwrap()
}

#[test]
fn the_size_of_a_batch_does_not_show() {
    let trace = two_pictures();
    let picture = trace.batch().pixels().index_axis_move(ndarray::Axis(0), 1);
    let (smooth, integrated) = (SmoothGrad { samples: 7, ..SmoothGrad::adebayo_2018() }, IntegratedGradients::sundararajan_2017());
    let watch = &mut |_| {};
    let all = explain(&trace, Target::Class(1), &Method::SmoothGrad(smooth)).unwrap();
    let path = explain(&trace, Target::Class(1), &Method::IntegratedGradients(integrated.clone())).unwrap();
    for batch in [1, 2, 3, 7, 100] {
        let mut passes = Passes::new(&trace, 7, watch).with_batch(batch);
        let found = smooth_grad::map(&mut passes, picture, Target::Class(1), &smooth).unwrap();
        assert_eq!(found, all[1].values, "SmoothGrad, {batch} at once");
        let (found, gap) = integrated_gradients::map(&mut passes, trace.vit(), picture, Target::Class(1), &integrated).unwrap();
        assert_eq!((found, Some(gap)), (path[1].values.clone(), path[1].completeness_gap), "integrated gradients, {batch} at once");
    }
}

#[test]
fn progress_rises_to_its_end() {
    let methods = [
        Method::SmoothGrad(SmoothGrad::smilkov_2017()),
        Method::IntegratedGradients(IntegratedGradients::sundararajan_2017()),
        Method::IntegratedGradients(IntegratedGradients::captum()),
    ];
    for method in methods {
        let mut seen: Vec<Progress> = Vec::new();
        explain_watched(&two_pictures(), Target::Predicted, &method, &mut |progress| seen.push(progress)).unwrap();
        let most = 2 * method.most_passes();
        assert!(seen.iter().all(|progress| progress.most == most && progress.passes <= most), "{method}: {seen:?}");
        assert!(seen.is_sorted_by_key(|progress| progress.passes) && seen.last().is_some_and(|last| last.passes == most), "{method}");
    }
}
