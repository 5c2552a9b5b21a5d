//! Explanations from pixels to maps: `cargo bench -p xai`. Random weights, which cost the same as trained ones.
//!
//! Beside PyTorch, onnxruntime and candle: `bench/side_by_side.py`.

use criterion::{Criterion, criterion_group, criterion_main};
use kernels::check::seeded;
use ndarray::Array4;
use xai::{Batch, Gradient, HeadKind, Method, Precision, Probe, Relevance, Rollout, Target, Vit, VitConfig, explain};

const MODELS: [&str; 3] = ["vit_large_patch32_384", "vit_base_patch16_224", "dinov2_small"];

fn explanations(criterion: &mut Criterion) {
    for name in MODELS {
        for precision in [Precision::F32, Precision::Bf16] {
            let config = VitConfig::by_name(name).expect("a named architecture");
            let side = if name.starts_with("dinov2") { 224 } else { config.image_size.0 };
            let vit =
                Vit::random(config, HeadKind::Linear(7), 1).expect("it can be built").with_precision(precision).expect("the CPU is there");
            for images in [1, 8] {
                let pixels = Array4::from_shape_vec((images, 3, side, side), seeded(7, images * 3 * side * side));
                let batch = Batch::new(pixels.expect("as many values as pixels")).expect("pixels are finite");
                measure(criterion, &format!("{name}/{precision}/{images}"), &vit, &batch);
            }
        }
    }
}

fn measure(criterion: &mut Criterion, of: &str, vit: &Vit, batch: &Batch) {
    let mut group = criterion.benchmark_group(of);
    group.bench_function("forward", |bencher| bencher.iter(|| vit.trace(batch, Probe::Logits)));
    let methods = [
        ("rollout", Method::Rollout(Rollout::abnar_2020())),
        ("relevance", Method::Relevance(Relevance::chefer_iccv21())),
        ("saliency", Method::Gradient(Gradient::default())),
    ];
    for (name, method) in methods {
        group.bench_function(name, |bencher| {
            bencher.iter(|| explain(&vit.trace(batch, method.probe())?, Target::Class(0), &method));
        });
    }
}

criterion_group! { name = benches; config = Criterion::default().sample_size(10); targets = explanations }
criterion_main!(benches);
