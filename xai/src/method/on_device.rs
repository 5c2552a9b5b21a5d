//! Every method through the public interface, on the device and on the CPU.

use kernels::cuda::Storage;

use crate::vit::cuda::tests::{CLASSES, cosine, device, off, on_cpu, on_device, pictures, vit, wide};
use crate::{
    AttentionMap, ChannelReduction, Error, Gradient, GradientRollout, HeadFusion, HeadKind, InputXGradient, IntegratedGradients, Method,
    Probe, Quadrature, Relevance, Rollout, SmoothGrad, Target, explain, explicit,
};

fn methods() -> Vec<Method> {
    vec![
        Method::Attention(AttentionMap::default()),
        Method::Rollout(Rollout::abnar_2020()),
        Method::Rollout(Rollout { head_fusion: HeadFusion::Max, start_layer: 1, ..Rollout::abnar_2020() }),
        Method::Rollout(Rollout::vit_explain_compat()),
        Method::GradientRollout(GradientRollout::vit_explain_fixed()),
        Method::GradientRollout(GradientRollout::vit_explain_compat()),
        Method::Relevance(Relevance::chefer_iccv21()),
        Method::Gradient(Gradient { channels: ChannelReduction::Sum }),
        Method::Gradient(Gradient { channels: ChannelReduction::Length }),
        Method::Gradient(Gradient::default()),
        Method::InputXGradient(InputXGradient::default()),
        Method::SmoothGrad(SmoothGrad { samples: 3, ..SmoothGrad::smilkov_2017() }),
        Method::IntegratedGradients(IntegratedGradients {
            quadrature: Quadrature::GaussLegendre { steps: 3 },
            ..IntegratedGradients::captum()
        }),
    ]
}

#[test]
fn every_method_says_the_same() {
    let Some(queue) = device() else { return };
    let on_cpu = on_cpu(&vit(), HeadKind::Linear(CLASSES));
    let on_device = on_device(&on_cpu, queue, Storage::F32).unwrap();
    let batch = pictures(&vit(), 2);
    for method in methods() {
        let maps = |vit: &crate::Vit| explain(&vit.trace(&batch, method.probe()).unwrap(), Target::Class(1), &method).unwrap();
        for (found, expected) in maps(&on_device).into_iter().zip(maps(&on_cpu)) {
            let [here, there] = [&found, &expected].map(|map| wide(&map.values.iter().copied().collect::<Vec<_>>()));
            let near = cosine(&here, &there);
            assert!(near >= 0.999_99, "{method}: cosine {near}");
            assert_eq!((found.recipe.device.as_str(), expected.recipe.device.as_str()), ("cuda:0", "cpu"));
            assert!(found.recipe.kernel_set.ends_with("f32 sm_90"), "{}", found.recipe.kernel_set);
        }
    }
}

#[test]
fn the_explicit_product_has_the_rows_of_rollout() {
    let Some(queue) = device() else { return };
    let on_cpu = on_cpu(&vit(), HeadKind::Linear(CLASSES));
    let on_device = on_device(&on_cpu, queue, Storage::F32).unwrap();
    let batch = pictures(&vit(), 2);
    let wide = |product: ndarray::Array3<f32>| wide(&product.into_raw_vec_and_offset().0);
    let max = Rollout { head_fusion: HeadFusion::Max, start_layer: 1, ..Rollout::abnar_2020() };
    for settings in [Rollout::abnar_2020(), max, Rollout::vit_explain_compat()] {
        // Maps are kept, or made again of queries and keys.
        for probe in [Probe::Fused(settings.head_fusion), Probe::Gradients] {
            let [found, expected] =
                [&on_device, &on_cpu].map(|vit| explicit::rollout(&vit.trace(&batch, probe).unwrap(), &settings).unwrap());
            let distance = off(wide(found), wide(expected));
            assert!(distance <= 1e-5, "{settings:?}, {probe:?}: {distance}");
        }
    }
    let logits = on_device.trace(&batch, Probe::Logits).unwrap();
    assert!(matches!(explicit::rollout(&logits, &max), Err(Error::NotKept { .. })));
}

#[test]
fn a_trace_gives_the_same_maps_and_tokens() {
    let Some(queue) = device() else { return };
    let on_cpu = on_cpu(&vit(), HeadKind::Linear(CLASSES));
    let on_device = on_device(&on_cpu, queue, Storage::F32).unwrap();
    let batch = pictures(&vit(), 2);
    let [found, expected] = [&on_device, &on_cpu].map(|vit| vit.trace(&batch, Probe::Gradients).unwrap());
    let near = |what: &str, found: Vec<f32>, expected: Vec<f32>| {
        let near = cosine(&wide(&found), &wide(&expected));
        assert!(near >= 0.999_999, "{what}: cosine {near}");
    };
    let [here, there] = [&found, &expected].map(|trace| trace.tokens().unwrap().iter().copied().collect());
    near("tokens", here, there);
    for layer in 0..2 {
        for fusion in [HeadFusion::Mean, HeadFusion::Max, HeadFusion::Min] {
            let [here, there] = [&found, &expected].map(|trace| trace.fused_attention(layer, fusion).unwrap().into_raw_vec_and_offset().0);
            near("a fused map", here, there);
        }
        let [here, there] = [&found, &expected].map(|trace| trace.attention(layer).unwrap().into_raw_vec_and_offset().0);
        near("maps of all heads", here, there);
    }
    let other = pictures(&crate::VitConfig { image_size: (12, 20), ..vit() }, 1);
    let [here, there] = [&on_device, &on_cpu].map(|vit| vit.trace(&other, Probe::Logits).unwrap().features().iter().copied().collect());
    near("features on another grid", here, there);
}
