//! Known defects of much-copied implementations, D1 to D4: each test passes here and fails where the defect is.

mod goldens_reader;

use goldens_reader::{Golden, TARGETS, alone, flat};
use kernels::check::{Tolerance, assert_close, seeded};
use ndarray::{Array2, Array3, Array4, Axis};
use xai::{
    Batch, Discard, Error, GradientRollout, HeadFusion, Method, Normalise, Pairing, Probe, Protect, Relevance, Rollout, Target, explain,
    explicit,
};

/// Relevance (B, N, N) from maps and gradients as they are paired, `R ← R + E_h[(∇A ∘ A)⁺]·R`, in plain loops.
fn relevance(maps: &[Array4<f32>], gradients: &[Array4<f32>]) -> Vec<f32> {
    let (images, _, tokens, _) = maps[0].dim();
    let mut all = Vec::new();
    for image in 0..images {
        let mut product = Array2::<f64>::eye(tokens);
        for (map, gradient) in maps.iter().zip(gradients) {
            let positive = (map * gradient).index_axis(Axis(0), image).mapv(|value| f64::from(value.max(0.0)));
            let mean = positive.mean_axis(Axis(0)).unwrap(); // (N, N)
            product = &product + &mean.dot(&product);
        }
        all.extend(product.iter().map(|&value| value as f32));
    }
    all
}

fn differs(a: &[f32], b: &[f32], by: f32) -> bool {
    a.iter().zip(b).any(|(a, b)| (a - b).abs() > by)
}

/// vit-explain collects gradients from the last layer to the first and pairs them with maps from the first to the last.
#[test]
fn d1_the_gradient_of_a_layer_meets_the_map_of_that_layer() {
    for golden in [Golden::load("hf_vit"), Golden::load("dinov2")] {
        let trace = golden.trace();
        let maps: Vec<_> = (0..trace.layers()).map(|layer| trace.attention(layer).unwrap()).collect();
        for (name, target) in TARGETS {
            let mut gradients = trace.attention_gradients(target).unwrap();
            let found = flat(&explicit::relevance(&trace, target, &Relevance::chefer_iccv21()).unwrap());
            assert_close(name, &found, &relevance(&maps, &gradients), Tolerance::both(1e-6));
            gradients.reverse();
            let reversed = relevance(&maps, &gradients);
            assert!(differs(&found, &reversed, 1e-3), "{}: the layers' order would not be noticed", golden.name);
            assert!(differs(golden.values(&format!("chefer_iccv21.{name}")), &reversed, 1e-3));
        }
    }
}

/// The same in gradient rollout, where it was found: every preset meets its own order, and the orders differ.
#[test]
fn d1_gradient_rollout_pairs_layers_as_its_preset_says() {
    for golden in [Golden::load("hf_vit"), Golden::load("dinov2")] {
        let trace = golden.trace();
        for (name, target) in TARGETS {
            let weighted = trace.weighted_attention(target).unwrap();
            let gradients = trace.attention_gradients(target).unwrap();
            for (layer, (found, gradient)) in weighted.iter().zip(&gradients).enumerate() {
                let product = trace.attention(layer).unwrap() * gradient;
                let (images, heads, tokens, _) = product.dim();
                let mean = |b: usize, i: usize, j: usize| (0..heads).map(|h| f64::from(product[[b, h, i, j]])).sum::<f64>() / heads as f64;
                let expected: Vec<f64> = Array3::from_shape_fn((images, tokens, tokens), |(b, i, j)| mean(b, i, j)).into_iter().collect();
                assert_close(name, &flat(found), &expected, Tolerance::both(1e-6));
            }
            let fixed = GradientRollout::vit_explain_fixed();
            let reversed = GradientRollout { pairing: Pairing::Reversed, ..fixed };
            let [own, other] = [fixed, reversed].map(|s| flat(&explicit::gradient_rollout(&trace, target, &s).unwrap()));
            assert!(differs(&own, &other, 1e-2), "{}: the layers' order would not be noticed", golden.name);
        }
        assert_eq!(GradientRollout::vit_explain_compat().pairing, Pairing::Reversed);
    }
}

/// Every row's sum of a product (B, N, N).
fn row_sums(product: &Array3<f32>) -> Vec<f64> {
    product.lanes(Axis(2)).into_iter().map(|row| row.iter().map(|&value| f64::from(value)).sum()).collect()
}

/// `a / a.sum(dim=-1)` without `keepdim` divides columns by the sums of rows.
#[test]
fn d2_rows_are_divided_by_their_own_sums() {
    let golden = Golden::load("hf_vit");
    let trace = golden.trace();
    let [fixed, compat] = [Rollout::vit_explain_fixed(), Rollout::vit_explain_compat()].map(|s| explicit::rollout(&trace, &s).unwrap());
    let ones = vec![1.0; golden.batch.len() * 15];
    assert_close("row sums", &row_sums(&fixed), &ones, Tolerance::absolute(1e-6));
    let worst = row_sums(&compat).iter().map(|sum| (sum - 1.0).abs()).fold(0.0, f64::max);
    assert!(worst > 0.05, "the defect has gone from the preset that reproduces it: row sums are within {worst} of one");
    assert_close("fixed", &flat(&fixed), golden.values("rollout.fixed.max_discard_0.9"), Tolerance::absolute(1e-6));
    assert_close("compat", &flat(&compat), golden.values("rollout.compat.max_discard_0.9"), Tolerance::absolute(1e-6));
}

/// The same in gradient rollout.
#[test]
fn d2_gradient_rollout_divides_rows_by_their_own_sums() {
    let golden = Golden::load("hf_vit");
    let (trace, target) = (golden.trace(), Target::Class(1));
    let compat = GradientRollout { normalise: Normalise::ColumnsByRowSums, ..GradientRollout::vit_explain_fixed() };
    let [fixed, compat] = [GradientRollout::vit_explain_fixed(), compat].map(|s| explicit::gradient_rollout(&trace, target, &s).unwrap());
    let ones = vec![1.0; golden.batch.len() * 15];
    assert_close("row sums", &row_sums(&fixed), &ones, Tolerance::absolute(1e-6));
    let worst = row_sums(&compat).iter().map(|sum| (sum - 1.0).abs()).fold(0.0, f64::max);
    assert!(worst > 5e-3, "the defect does not show: row sums are within {worst} of one");
}

/// With everything discarded that may be, one layer shows what is protected: `Ã = N((I + F·[column 0])/2)`, so entry (i, 0) of a
/// row i > 0 is `f/(1 + f)` with `f = F[i, 0]`, and rows are the identity where nothing is protected.
#[test]
fn d3_attention_to_the_class_token_is_protected_in_every_image() {
    let golden = Golden::load("hf_vit");
    let (trace, last) = (golden.trace(), golden.vit.config().num_hidden_layers - 1);
    let fused = trace.fused_attention(last, HeadFusion::Max).unwrap();
    let all_but = |protect| Rollout { discard: Discard::Lowest { ratio: 1.0, protect }, start_layer: last, ..Rollout::vit_explain_fixed() };
    let column = explicit::rollout(&trace, &all_but(Protect::ClsColumn)).unwrap();
    let corner = explicit::rollout(&trace, &all_but(Protect::ClsToCls)).unwrap();
    for image in 0..golden.batch.len() {
        assert_close("entry (CLS, CLS)", &[column[[image, 0, 0]], corner[[image, 0, 0]]], &[1.0f64; 2], Tolerance::absolute(1e-6));
        for token in 1..fused.len_of(Axis(1)) {
            let f = f64::from(fused[[image, token, 0]]);
            assert!(f > 1e-4);
            assert_close("protected", &[column[[image, token, 0]]], &[f / (1.0 + f)], Tolerance::absolute(1e-6));
            assert_eq!(corner[[image, token, 0]], 0.0, "vit-explain keeps entry (CLS, CLS) only");
        }
    }
}

/// vit-explain's gradient rollout protects nothing: with everything discarded, no layer but the identity is left.
#[test]
fn d3_gradient_rollout_keeps_attention_to_the_class_token() {
    let golden = Golden::load("hf_vit");
    let trace = golden.trace();
    let all_but = |protect| GradientRollout { discard: Discard::Lowest { ratio: 1.0, protect }, ..GradientRollout::vit_explain_fixed() };
    let of = |protect| explicit::gradient_rollout(&trace, Target::Class(1), &all_but(protect)).unwrap();
    let (column, nothing) = (of(Protect::ClsColumn), of(Protect::Nothing));
    for image in 0..golden.batch.len() {
        for (i, j) in (0..15).flat_map(|i| (0..15).map(move |j| (i, j))) {
            assert_eq!(nothing[[image, i, j]], f32::from(u8::from(i == j)), "row {i}, column {j}");
        }
        let kept = (1..15).map(|token| column[[image, token, 0]]).fold(0.0, f32::max);
        assert!(kept > 1e-4, "image {image}: of attention to the class token only {kept} is left");
    }
    assert_eq!(GradientRollout::vit_explain_compat().discard, Discard::Lowest { ratio: 0.9, protect: Protect::Nothing });
}

/// vit-explain's rollout explains element 0 of a batch and is silent about the others.
#[test]
fn d4_every_image_of_a_batch_is_explained() {
    let golden = Golden::load("hf_vit");
    let (_, channels, height, width) = golden.batch.pixels().dim();
    let third = Array4::from_shape_vec((1, channels, height, width), seeded(4, channels * height * width)).unwrap();
    let batch = Batch::stack(&[golden.batch.clone(), Batch::new(third).unwrap()]).unwrap();
    let trace = golden.vit.trace(&batch, Probe::Gradients).unwrap();
    for (name, method, _) in Method::named() {
        let maps = explain(&trace, Target::Class(1), &method).unwrap();
        assert_eq!(maps.len(), 3, "{name}");
        for (image, map) in maps.iter().enumerate() {
            let single = golden.vit.trace(&alone(&batch, image), Probe::Gradients).unwrap();
            assert_eq!(map.values, explain(&single, Target::Class(1), &method).unwrap()[0].values, "{name}, image {image}");
            let next = &maps[(image + 1) % 3].values;
            assert_ne!(&map.values, next, "{name}: two images share a map");
        }
    }
}

/// Each image of a batch has its own predicted class, and is explained for it.
#[test]
fn d4_every_image_is_explained_for_its_own_class() -> Result<(), Error> {
    let golden = Golden::load("hf_vit");
    let loud = seeded(2, 8 * golden.batch.pixels().len() / 2).into_iter().map(|value: f32| 4.0 * value).collect();
    let trace = golden.vit.trace(&Batch::new(Array4::from_shape_vec((8, 3, 6, 21), loud).unwrap())?, Probe::Gradients)?;
    let targets = trace.resolve(Target::Predicted)?;
    let method = Method::Relevance(Relevance::chefer_iccv21());
    let predicted = explain(&trace, Target::Predicted, &method)?;
    for (image, (target, map)) in targets.iter().zip(&predicted).enumerate() {
        assert_eq!(map.recipe.target, Some(*target));
        assert_eq!(map.values, explain(&trace, *target, &method)?[image].values);
    }
    assert!(targets.iter().any(|target| *target != targets[0]), "the images are of more than one class: {targets:?}");
    Ok(())
}
