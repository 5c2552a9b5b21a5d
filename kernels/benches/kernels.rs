//! Kernels one by one on the shapes of ViT-L/32-384, ViT-B/16-224 and DINOv2-S/14: `cargo bench -p kernels`.
//!
//! Throughput of products and attention counts multiplications and additions, so that `Gelem/s` reads as GFLOP/s; that of the
//! others counts values.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use kernels::Workspace;
use kernels::activation::{self, Activation};
use kernels::attention::{self, Forward, Fused, HeadFusion, ReadOuts, Shape};
use kernels::check::seeded;
use kernels::layer_norm::{self, Affine};
use kernels::linear::{self, Input, Layer, Then, Weight};
use kernels::rollout::{self, Normalise};

const MODELS: [(&str, usize, usize, usize); 3] = [("vit_large", 145, 16, 1024), ("vit_base", 197, 12, 768), ("dinov2_small", 257, 6, 384)];

fn products(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("linear");
    for (model, rows, _, width) in MODELS {
        for (layer, inputs, outputs) in [("qkv", width, 3 * width), ("fc1", width, 4 * width), ("fc2", 4 * width, width)] {
            let (x, dy) = (seeded::<f32>(1, rows * inputs), seeded::<f32>(2, rows * outputs));
            let full = Weight::from_rows(inputs, outputs, &seeded::<f32>(3, inputs * outputs));
            let (mut y, mut dx, mut workspace) = (vec![0.0; dy.len()], vec![0.0; x.len()], Workspace::default());
            group.throughput(Throughput::Elements(2 * (rows * inputs * outputs) as u64));
            for (precision, weight) in [("f32", full.clone()), ("bf16", full.rounded())] {
                let layer_of = Layer { weight: &weight, bias: None };
                group.bench_function(format!("forward/{precision}/{model}/{layer}"), |bencher| {
                    bencher.iter(|| linear::forward(Input::Plain(&x), layer_of, Then::Store(&mut y), &mut workspace))
                });
                group.bench_function(format!("backward/{precision}/{model}/{layer}"), |bencher| {
                    bencher.iter(|| linear::backward(&dy, &weight, Then::Store(&mut dx), &mut workspace))
                });
            }
        }
    }
}

fn of_attention(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("attention");
    for (model, tokens, heads, width) in MODELS {
        let shape = Shape { images: 1, tokens, heads, head_width: width / heads };
        let qkv = seeded::<f32>(1, shape.qkv_len());
        let (mut context, mut log_sum_exp) = (vec![0.0; shape.context_len()], vec![0.0; shape.log_sum_exp_len()]);
        let (mut map, mut workspace) = (vec![0.0; shape.fused_len()], Workspace::default());
        let operations = (4 * tokens * tokens * width) as u64;
        group.throughput(Throughput::Elements(operations));
        group.bench_function(format!("forward/{model}"), |bencher| {
            bencher.iter(|| attention::forward(shape, &qkv, &mut context, &mut log_sum_exp, None, &mut workspace))
        });
        group.bench_function(format!("forward with map/{model}"), |bencher| {
            bencher.iter(|| {
                let fused = Fused { fusion: HeadFusion::Mean, map: &mut map };
                attention::forward(shape, &qkv, &mut context, &mut log_sum_exp, Some(fused), &mut workspace)
            })
        });
        let (dcontext, row) = (seeded::<f32>(2, shape.context_len()), vec![1.0; tokens]);
        let (mut dqkv, mut step) = (vec![0.0; qkv.len()], vec![0.0; tokens]);
        // The map once more, its gradient, and the products for dQ, dK and dV.
        group.throughput(Throughput::Elements(operations / 2 * 5));
        group.bench_function(format!("backward with relevance/{model}"), |bencher| {
            bencher.iter(|| {
                let read_outs = ReadOuts { row: &row, row_step: &mut step, ..ReadOuts::default() };
                let kept = Forward { qkv: &qkv, log_sum_exp: &log_sum_exp, context: &context };
                attention::backward(shape, kept, &dcontext, &mut dqkv, read_outs, &mut workspace)
            })
        });
    }
}

fn rows(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("rows");
    for (model, tokens, _, width) in MODELS {
        let (x, hidden) = (seeded::<f32>(1, tokens * width), seeded::<f32>(2, 4 * tokens * width));
        let (mut y, mut active) = (x.clone(), hidden.clone());
        let (gain, bias) = (seeded::<f32>(3, width), seeded::<f32>(4, width));
        let affine = Affine { gain: &gain, bias: &bias, eps: 1e-6 };
        group.throughput(Throughput::Elements(x.len() as u64));
        group.bench_function(format!("layer_norm/{model}"), |bencher| bencher.iter(|| layer_norm::forward(affine, &x, &mut y)));
        group.throughput(Throughput::Elements(hidden.len() as u64));
        group.bench_function(format!("gelu/{model}"), |bencher| {
            bencher.iter(|| activation::forward(Activation::Gelu, &hidden, &mut active))
        });
        let map: Vec<f32> = seeded::<f32>(5, tokens * tokens).iter().map(|value| value.abs() + 0.01).collect();
        let (layer, mut row) = (rollout::Layer { residual: 0.5, normalise: Normalise::Rows }, vec![1.0 / tokens as f32; tokens]);
        group.throughput(Throughput::Elements(map.len() as u64));
        group.bench_function(format!("rollout row/{model}"), |bencher| bencher.iter(|| rollout::push_row(layer, &map, &mut row, tokens)));
    }
}

criterion_group! { name = benches; config = Criterion::default().sample_size(30); targets = products, of_attention, rows }
criterion_main!(benches);
