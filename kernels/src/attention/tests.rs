//! Attention against its definition in plain loops, and its gradients against finite differences.

use super::*;
use crate::check::{Tolerance, assert_close, assert_gradient, seeded};

const SHAPE: Shape = Shape { images: 2, tokens: 5, heads: 3, head_width: 2 };

/// Maps and context of one head by the formula, in `f64`; `nudge` is added to the map before it meets the values.
fn by_definition(shape: Shape, qkv: &[f64], nudge: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let Shape { images, tokens, heads, head_width } = shape;
    let at = |image: usize, token: usize, part: usize, head: usize, d: usize| {
        qkv[(image * tokens + token) * 3 * shape.width() + part * shape.width() + head * head_width + d]
    };
    let (mut maps, mut context) = (Vec::new(), vec![0.0; shape.context_len()]);
    for (image, head, query) in (0..images).flat_map(|b| (0..heads).flat_map(move |h| (0..tokens).map(move |i| (b, h, i)))) {
        let dot = |key| (0..head_width).map(|d| at(image, query, 0, head, d) * at(image, key, 1, head, d)).sum::<f64>();
        let weights: Vec<f64> = (0..tokens).map(|key| (dot(key) / (head_width as f64).sqrt()).exp()).collect();
        let total: f64 = weights.iter().sum();
        for (key, weight) in weights.iter().enumerate() {
            let probability = weight / total + nudge.get(maps.len()).copied().unwrap_or(0.0);
            maps.push(probability);
            for d in 0..head_width {
                context[(image * tokens + query) * shape.width() + head * head_width + d] += probability * at(image, key, 2, head, d);
            }
        }
    }
    (maps, context)
}

fn run(shape: Shape, qkv: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let (mut context, mut log_sum_exp) = (vec![0.0; shape.context_len()], vec![0.0; shape.log_sum_exp_len()]);
    forward(shape, qkv, &mut context, &mut log_sum_exp, None, &mut Workspace::default()).unwrap();
    (context, log_sum_exp)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn forward_is_the_definition() {
    for shape in [SHAPE, Shape { images: 1, tokens: 1, heads: 1, head_width: 1 }, Shape { images: 1, tokens: 70, heads: 2, head_width: 3 }]
    {
        let qkv = seeded::<f64>(1, shape.qkv_len());
        let (maps, context) = by_definition(shape, &qkv, &[]);
        let (found, log_sum_exp) = run(shape, &qkv);
        assert_close("context", &found, &context, Tolerance::absolute(1e-12));
        let mut again = vec![f64::NAN; shape.maps_len()];
        probabilities(shape, &qkv, &log_sum_exp, &mut again).unwrap();
        assert_close("maps", &again, &maps, Tolerance::absolute(1e-12));
    }
}

#[test]
fn f32_agrees_with_f64() {
    let shape = Shape { images: 1, tokens: 145, heads: 4, head_width: 16 };
    let qkv: Vec<f32> = seeded::<f32>(5, shape.qkv_len()).iter().map(|v| v * 2.0).collect();
    let wide: Vec<f64> = qkv.iter().map(|v| f64::from(*v)).collect();
    let (mut context, mut log_sum_exp) = (vec![0.0; shape.context_len()], vec![0.0; shape.log_sum_exp_len()]);
    let mut map = vec![0.0; shape.fused_len()];
    forward(
        shape,
        &qkv,
        &mut context,
        &mut log_sum_exp,
        Some(Fused { fusion: HeadFusion::Mean, map: &mut map }),
        &mut Workspace::default(),
    )
    .unwrap();
    let (maps, exact) = by_definition(shape, &wide, &[]);
    assert_close("context", &context, &exact, Tolerance::absolute(1e-6));
    let mean: Vec<f64> = (0..shape.fused_len()).map(|i| (0..4).map(|h| maps[h * shape.fused_len() + i]).sum::<f64>() / 4.0).collect();
    assert_close("mean map", &map, &mean, Tolerance::absolute(1e-6));
    for row in map.chunks(shape.tokens) {
        assert_close("row sum", &[row.iter().sum::<f32>()], &[1.0f64], Tolerance::absolute(1e-5));
    }
}

#[test]
fn fusions_agree_with_the_explicit_maps() {
    let qkv = seeded::<f64>(2, SHAPE.qkv_len());
    let (maps, _) = by_definition(SHAPE, &qkv, &[]);
    let square = SHAPE.tokens * SHAPE.tokens;
    let of_heads = |image: usize, i: usize| (0..SHAPE.heads).map(move |h| (image * SHAPE.heads + h) * square + i);
    for fusion in [HeadFusion::Mean, HeadFusion::Max, HeadFusion::Min] {
        let (mut context, mut log_sum_exp) = (vec![0.0; SHAPE.context_len()], vec![0.0; SHAPE.log_sum_exp_len()]);
        let (mut on_the_way, mut later) = (vec![f64::NAN; SHAPE.fused_len()], vec![f64::NAN; SHAPE.fused_len()]);
        forward(SHAPE, &qkv, &mut context, &mut log_sum_exp, Some(Fused { fusion, map: &mut on_the_way }), &mut Workspace::default())
            .unwrap();
        fused_map(SHAPE, &qkv, fusion, &mut later, &mut Workspace::default()).unwrap();
        let expected: Vec<f64> = (0..SHAPE.fused_len())
            .map(|i| {
                let values = of_heads(i / square, i % square).map(|at| maps[at]);
                match fusion {
                    HeadFusion::Mean => values.sum::<f64>() / SHAPE.heads as f64,
                    HeadFusion::Max => values.fold(f64::MIN, f64::max),
                    HeadFusion::Min => values.fold(f64::MAX, f64::min),
                }
            })
            .collect();
        assert_close("on the way", &on_the_way, &expected, Tolerance::absolute(1e-12));
        assert_eq!(later, on_the_way);
    }
}

#[test]
fn gradients_are_the_derivatives() {
    let (qkv, weights) = (seeded::<f64>(1, SHAPE.qkv_len()), seeded::<f64>(2, SHAPE.context_len()));
    let (context, log_sum_exp) = run(SHAPE, &qkv);
    let kept = Forward { qkv: &qkv, log_sum_exp: &log_sum_exp, context: &context };
    let (mut dqkv, mut dmaps) = (vec![0.0; SHAPE.qkv_len()], vec![0.0; SHAPE.maps_len()]);
    let read_outs = ReadOuts { map_gradients: &mut dmaps, ..Default::default() };
    backward(SHAPE, kept, &weights, &mut dqkv, read_outs, &mut Workspace::default()).unwrap();
    assert_gradient("dqkv", &qkv, &dqkv, |qkv| dot(&run(SHAPE, qkv).0, &weights));
    assert_gradient("dmaps", &vec![0.0; SHAPE.maps_len()], &dmaps, |nudge| dot(&by_definition(SHAPE, &qkv, nudge).1, &weights));
}

#[test]
fn rows_are_the_explicit_products() {
    let (qkv, dcontext, row) = (seeded::<f64>(1, SHAPE.qkv_len()), seeded::<f64>(2, SHAPE.context_len()), seeded::<f64>(3, 10));
    let (context, log_sum_exp) = run(SHAPE, &qkv);
    let kept = Forward { qkv: &qkv, log_sum_exp: &log_sum_exp, context: &context };
    let (maps, _) = by_definition(SHAPE, &qkv, &[]);
    let Shape { tokens, heads, .. } = SHAPE;
    let gathered = |rule, a: f64, g: f64| match rule {
        RowRule::Relevance => (a * g).max(0.0),
        RowRule::Attention => a,
        RowRule::PositiveGradient => g.max(0.0),
    };
    for rule in [RowRule::Relevance, RowRule::Attention, RowRule::PositiveGradient] {
        let (mut dqkv, mut dmaps, mut step) = (vec![0.0; SHAPE.qkv_len()], vec![0.0; SHAPE.maps_len()], vec![f64::NAN; 10]);
        let read_outs = ReadOuts { rule, row: &row, row_step: &mut step, map_gradients: &mut dmaps };
        backward(SHAPE, kept, &dcontext, &mut dqkv, read_outs, &mut Workspace::default()).unwrap();
        let mut expected = vec![0.0; 10];
        for (at, (&a, &g)) in maps.iter().zip(&dmaps).enumerate() {
            let (image, i, j) = (at / (tokens * tokens * heads), at / tokens % tokens, at % tokens);
            expected[image * tokens + j] += row[image * tokens + i] * gathered(rule, a, g) / heads as f64;
        }
        assert_close(&format!("{rule:?}"), &step, &expected, Tolerance::absolute(1e-12));
    }
}

#[test]
fn an_image_has_the_same_bits_alone_and_in_a_batch() {
    let many = Shape { images: 3, tokens: 37, heads: 2, head_width: 8 };
    let one = Shape { images: 1, ..many };
    let qkv = seeded::<f32>(9, many.qkv_len());
    let contexts = |shape: Shape, qkv: &[f32]| {
        let (mut context, mut log_sum_exp) = (vec![0.0; shape.context_len()], vec![0.0; shape.log_sum_exp_len()]);
        forward(shape, qkv, &mut context, &mut log_sum_exp, None, &mut Workspace::default()).unwrap();
        context
    };
    let alone: Vec<f32> = qkv.chunks(one.qkv_len()).flat_map(|qkv| contexts(one, qkv)).collect();
    assert_eq!(alone, contexts(many, &qkv));
}

#[test]
fn a_wrong_buffer_is_refused() {
    let refused = forward(SHAPE, &[0.0f32; 3], &mut [], &mut [], None, &mut Workspace::default()).unwrap_err();
    assert_eq!(refused.to_string(), "attention: `qkv` holds 3 values, its shape asks for 180");
}
