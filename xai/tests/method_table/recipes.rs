//! Recipes: what was done, and a hash of it.

use std::collections::HashMap;

use xai::{Error, Method, Probe, Recipe, Target, Trace, explain};

use crate::models::{model, noise, trace};
use crate::rows::{Reads, rows};

fn recipe(trace: &Trace, target: Target, method: &Method) -> Recipe {
    explain(trace, target, method).unwrap().remove(0).recipe
}

#[test]
fn recipes_repeat_and_tell_settings_apart() {
    let (one, again) = (trace(&model(1), &noise(1, 1)), trace(&model(1), &noise(2, 1)));
    let mut hashes: HashMap<String, Method> = HashMap::new();
    for row in rows() {
        let recipe_of = recipe(&one, Target::Class(1), &row.method);
        assert_eq!(
            recipe_of.hash(),
            recipe(&again, Target::Class(1), &row.method).hash(),
            "{}: a recipe does not hold the picture",
            row.name
        );
        assert_eq!(recipe_of.hash().len(), 64);
        // Two names may stand for the same settings, as rollout's and Google's do; two settings never share a hash.
        let other = hashes.insert(recipe_of.hash(), row.method.clone());
        assert!(other.is_none_or(|other| other == row.method), "{} shares its hash with other settings", row.name);
    }
}

#[test]
fn a_hash_depends_on_model_target_and_batch() {
    let method = Method::by_name("relevance").unwrap();
    let of = |seed, images, target| recipe(&trace(&model(seed), &noise(1, images)), target, &method).hash();
    let first = of(1, 1, Target::Class(1));
    for other in [of(2, 1, Target::Class(1)), of(1, 2, Target::Class(1)), of(1, 1, Target::Class(2))] {
        assert_ne!(first, other);
    }
}

#[test]
fn class_blind_recipes_name_no_target() {
    let trace = trace(&model(1), &noise(1, 1));
    for row in rows() {
        let target = recipe(&trace, Target::Class(1), &row.method).target;
        assert_eq!(target, (row.reads != Reads::Attention).then_some(Target::Class(1)), "{}", row.name);
    }
}

#[test]
fn methods_and_recipes_survive_json() {
    let trace = trace(&model(1), &noise(1, 1));
    for row in rows() {
        let text = serde_json::to_string(&row.method).unwrap();
        assert_eq!(serde_json::from_str::<Method>(&text).unwrap(), row.method, "{}: {text}", row.name);
        let recipe = recipe(&trace, Target::Contrast { class: 1, against: 0 }, &row.method);
        let again: Recipe = serde_json::from_str(&serde_json::to_string_pretty(&recipe).unwrap()).unwrap();
        assert_eq!((again.hash(), &again), (recipe.hash(), &recipe), "{}", row.name);
    }
}

#[test]
fn a_recipe_can_be_cooked_again() {
    let (vit, batch) = (model(1), noise(1, 2));
    for row in rows() {
        let map = explain(&trace(&vit, &batch), Target::Predicted, &row.method).unwrap().remove(1);
        let again = explain(&trace(&vit, &batch), map.recipe.target.unwrap_or(Target::Predicted), &map.recipe.method).unwrap().remove(1);
        assert_eq!(again, map, "{}", row.name);
    }
}

#[test]
fn the_least_probe_suffices_and_less_is_refused_by_name() {
    let (vit, batch) = (model(1), noise(1, 1));
    for row in rows() {
        assert!(explain(&vit.trace(&batch, row.method.probe()).unwrap(), Target::Class(1), &row.method).is_ok(), "{}", row.name);
        if row.method.probe() == Probe::Logits {
            continue; // There is no less.
        }
        let refused = explain(&vit.trace(&batch, Probe::Logits).unwrap(), Target::Class(1), &row.method).unwrap_err();
        assert!(matches!(refused, Error::NotKept { kept: "Probe::Logits", .. }), "{}: {refused}", row.name);
    }
}
