//! Every method times every property: one table of methods (`rows`), one test a property.

#[path = "../goldens_reader/mod.rs"]
mod goldens_reader;
#[path = "../lively/mod.rs"]
mod lively;
mod models;
mod recipes;
mod rows;

use goldens_reader::{alone, flat};
use kernels::check::{Tolerance, assert_close};
use models::{
    COLS, ROWS, by_patch, maps, model, moved, noise, one_patch, trace, with_even_attention, with_patches_moved, without_positions,
};
use ndarray::{Array2, Axis};
use rows::{Reads, rows};
use xai::{Batch, HeatMap, Method, SmoothGrad, Support, Target, explain, explicit};

const TARGET: Target = Target::Class(1);

fn largest(map: &Array2<f32>) -> f32 {
    map.iter().fold(0.0, |most, value| f32::max(most, value.abs()))
}

/// Whether two maps differ by more than a hundredth of their scale somewhere.
fn differ(a: &Array2<f32>, b: &Array2<f32>) -> bool {
    largest(&(a - b)) > 0.01 * f32::max(largest(a), largest(b))
}

#[test]
fn an_image_in_a_batch_has_the_bits_it_has_alone() {
    let (vit, batch) = (model(1), noise(1, 4));
    let together = trace(&vit, &batch);
    for row in rows() {
        let all = maps(&together, Target::Predicted, &row.method);
        for (image, map) in all.iter().enumerate() {
            assert_eq!(map, &maps(&trace(&vit, &alone(&batch, image)), Target::Predicted, &row.method)[0], "{}, image {image}", row.name);
        }
        assert!(differ(&all[0], &all[1]), "{}: two pictures share a map", row.name);
    }
}

#[test]
fn another_target_gives_another_map_unless_the_method_is_class_blind() {
    let trace = trace(&model(1), &noise(2, 2));
    for row in rows() {
        let [one, other] = [1, 2].map(|class| maps(&trace, Target::Class(class), &row.method));
        if row.reads == Reads::Attention {
            assert_eq!(one, other, "{}: attention does not know the class", row.name);
        } else {
            assert!(one.iter().zip(&other).all(|(a, b)| differ(a, b)), "{}: two classes share a map", row.name);
        }
        assert_eq!(row.method.is_class_specific(), row.reads != Reads::Attention, "{}", row.name);
    }
}

#[test]
fn a_contrast_turned_round_changes_the_sign_of_signed_methods_alone() {
    let trace = trace(&model(1), &noise(3, 2));
    for row in rows() {
        let contrast = |class, against| maps(&trace, Target::Contrast { class, against }, &row.method);
        let (forth, back) = (contrast(1, 2), contrast(2, 1));
        for (forth, back) in forth.iter().zip(&back) {
            match row.reads {
                Reads::SignedGradient | Reads::SignedIntegral => assert_eq!(forth, &-back, "{}", row.name),
                Reads::Attention | Reads::GradientSize => assert_eq!(forth, back, "{}", row.name),
                // The positive parts of opposite products never overlap.
                Reads::Relevance => assert!(differ(forth, back), "{}", row.name),
            }
        }
        if row.reads == Reads::SignedGradient {
            let apart = [1, 2].map(|class| flat(&maps(&trace, Target::Class(class), &row.method)[0]));
            let difference: Vec<f32> = apart[0].iter().zip(&apart[1]).map(|(a, b)| a - b).collect();
            assert_close(&row.name, &flat(&forth[0]), &difference, Tolerance::both(1e-5));
        }
    }
}

#[test]
fn a_class_against_itself_has_no_relevance() {
    let trace = trace(&model(1), &noise(3, 1));
    for row in rows().iter().filter(|row| row.method.is_class_specific()) {
        let map = &maps(&trace, Target::Contrast { class: 2, against: 2 }, &row.method)[0];
        assert!(map.iter().all(|value| *value == 0.0), "{}", row.name);
    }
}

#[test]
fn maps_have_the_rows_and_columns_of_what_they_stand_on() {
    let trace = trace(&model(1), &noise(4, 1));
    for row in rows() {
        let map = &explain(&trace, TARGET, &row.method).unwrap()[0];
        let (support, shape) = if row.is_on_patches() { (Support::Grid, (ROWS, COLS)) } else { (Support::Pixels, (4 * ROWS, 4 * COLS)) };
        assert_eq!((map.support, map.values.dim()), (support, shape), "{}", row.name);
    }
}

/// A model without positions sees the same patches wherever they stand, so the map moves with them.
#[test]
fn relevance_moves_with_its_patch() {
    let vit = without_positions();
    for (batch, is_noise) in
        [(noise(5, 1), true), (one_patch((0, COLS - 1), 1.0, 0.2), false), (one_patch((ROWS - 1, 0), -0.5, 0.3), false)]
    {
        let (before, after) = (trace(&vit, &batch), trace(&vit, &with_patches_moved(&batch)));
        for row in rows().iter().filter(|row| row.moves_with_patches()) {
            let [before, after] = [&before, &after].map(|trace| by_patch(&maps(trace, TARGET, &row.method)[0]));
            let expected = Array2::from_shape_fn((ROWS, COLS), |place| after[moved(place)]);
            let close = Tolerance { absolute: 2e-6 * f64::from(largest(&before)), relative: 2e-5 };
            assert_close(&row.name, &flat(&expected), &flat(&before), close);
            // Of a picture with one odd patch, discarding may keep nothing of that patch.
            assert!(!is_noise || differ(&before, &after), "{}: the map does not move", row.name);
        }
    }
}

/// Noise that moves with the patches gives a map that moves with them.
#[test]
fn smooth_grad_moves_with_its_patch_and_its_noise() {
    let (vit, batch) = (without_positions(), noise(5, 1));
    let deviates = noise(6, 4);
    let settings = SmoothGrad::smilkov_2017();
    let map = |batch: &Batch, deviates: &Batch| {
        let found = explicit::smooth_grad(&trace(&vit, batch), TARGET, &settings, deviates.pixels()).unwrap();
        by_patch(&found.index_axis(Axis(0), 0).sum_axis(Axis(0)))
    };
    let before = map(&batch, &deviates);
    let after = map(&with_patches_moved(&batch), &with_patches_moved(&deviates));
    let expected = Array2::from_shape_fn((ROWS, COLS), |place| after[moved(place)]);
    let close = Tolerance { absolute: 1e-5 * f64::from(largest(&before)), relative: 0.0 };
    assert_close("SmoothGrad", &flat(&expected), &flat(&before), close);
    assert!(differ(&before, &map(&with_patches_moved(&batch), &deviates)), "noise that stays behind would not be noticed");
}

/// Black is zero: where there is no light, pixel times gradient is nothing.
#[test]
fn input_times_gradient_sits_in_the_lit_corner() {
    for corner in [(0, 0), (0, COLS - 1), (ROWS - 1, 0), (ROWS - 1, COLS - 1)] {
        let trace = trace(&model(1), &one_patch(corner, 1.0, 0.0));
        for row in rows().iter().filter(|row| matches!(row.method, Method::InputXGradient(_))) {
            let map = by_patch(&maps(&trace, TARGET, &row.method)[0]);
            for (place, value) in map.indexed_iter() {
                assert_eq!(place == corner, value.abs() > 0.0, "{}, corner {corner:?}: {value} at {place:?}", row.name);
            }
        }
    }
}

#[test]
fn other_weights_give_another_map() {
    let (one, other) = (trace(&model(1), &noise(6, 1)), trace(&model(2), &noise(6, 1)));
    for row in rows() {
        assert!(differ(&maps(&one, TARGET, &row.method)[0], &maps(&other, TARGET, &row.method)[0]), "{}", row.name);
    }
}

#[test]
fn even_attention_is_a_flat_map() {
    let trace = trace(&with_even_attention(), &noise(7, 1));
    for row in rows().iter().filter(|row| row.reads == Reads::Attention) {
        let map = &maps(&trace, TARGET, &row.method)[0];
        assert!(largest(map) > 1e-4, "{}: nothing reaches the patches", row.name);
        let first = vec![map[[0, 0]]; map.len()];
        assert_close(&row.name, &flat(map), &first, Tolerance { absolute: 0.0, relative: 1e-5 });
        assert!(HeatMap::new(map.clone()).unwrap().is_flat(), "{}", row.name);
    }
}

#[test]
fn a_picture_without_content_is_a_flat_map_where_positions_say_nothing() {
    let trace = trace(&without_positions(), &one_patch((0, 0), 0.4, 0.4));
    for row in rows() {
        let map = by_patch(&maps(&trace, TARGET, &row.method)[0]);
        let first = vec![map[[0, 0]]; map.len()];
        assert_close(&row.name, &flat(&map), &first, Tolerance { absolute: 1e-7, relative: 1e-4 });
        assert!(HeatMap::new(map).unwrap().is_flat(), "{}", row.name);
    }
}

#[test]
fn every_value_is_finite_and_none_is_lost() {
    for seed in 1..6 {
        let trace = trace(&model(seed), &noise(8 + seed, 2));
        for row in rows() {
            for map in maps(&trace, Target::Predicted, &row.method) {
                assert!(map.iter().all(|value| value.is_finite()), "{}", row.name);
                assert!(largest(&map) > 1e-6, "{}: the map is empty", row.name);
                let negative = map.iter().any(|value| *value < 0.0);
                assert_eq!(negative, row.reads.is_signed(), "{}: sign", row.name);
            }
        }
    }
}

#[test]
fn nothing_remains_on_the_model_or_the_trace() {
    let (vit, batch) = (model(1), noise(9, 2));
    let (forth, back) = (trace(&vit, &batch), trace(&vit, &batch));
    let run = |row: &rows::Row, trace| maps(trace, TARGET, &row.method);
    let first: Vec<_> = rows().iter().map(|row| run(row, &forth)).collect();
    let mut last: Vec<_> = rows().iter().rev().map(|row| run(row, &back)).collect();
    last.reverse();
    assert_eq!(first, last, "the order of explanations changes them");
    assert_eq!(first, rows().iter().map(|row| run(row, &forth)).collect::<Vec<_>>(), "explaining twice changes the map");
    assert_eq!(trace(&vit, &batch).logits(), forth.logits());
}
