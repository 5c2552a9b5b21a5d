//! The model that ships: what is said about it is what its weights do.

use datasets::synthetic::Cohort;
use datasets::{LesionClass, Split, split};
use kernels::check::{Tolerance, assert_close};
use workbench::dashboard::TestRecord;
use workbench::experiment::Experiment;
use workbench::pipeline::{Question, read};
use workbench::{drawn_model, evidence};
use xai::{Method, Target};

fn experiment() -> Experiment {
    toml::from_str(drawn_model::EXPERIMENT).expect("the shipped experiment is read")
}

#[test]
fn it_says_what_it_was_trained_on_and_names_the_seven_classes() {
    let vit = drawn_model::load().expect("it loads");
    assert!(vit.source().name.contains(drawn_model::LABEL));
    assert_eq!(vit.labels().names(), LesionClass::ALL.map(|class| class.name().to_owned()));
    let bytes = include_bytes!("../models/vit_drawn/model.safetensors").len();
    assert!(bytes <= 8 << 20, "{bytes} bytes are more than 8 MiB");
}

#[test]
fn its_predictions_are_those_that_ship() {
    let (vit, experiment) = (drawn_model::load().expect("it loads"), experiment());
    let cohort = Cohort::draw(&experiment.cohort).expect("the cohort is drawn");
    let Split { test, .. } = split(cohort.records(), &experiment.split).expect("the split is made");
    let question = Question { target: Target::Predicted, methods: Vec::new() };
    let shipped: Vec<&str> = drawn_model::PREDICTIONS.lines().skip(1).collect();
    assert_eq!(shipped.len(), test.len());
    for (line, &index) in shipped.iter().zip(&test).step_by(23) {
        let cells: Vec<&str> = line.split(',').collect();
        assert_eq!(cells[0], cohort.records()[index].isic_id);
        let expected: Vec<f64> = cells[2..].iter().map(|cell| cell.parse().expect("a number")).collect();
        let drawn = cohort.sample(index).expect("the image is drawn");
        let found = read(&vit, &drawn.image, &question).expect("it is read").probabilities;
        assert_close(cells[0], &found, &expected, Tolerance::absolute(1e-4));
    }
}

#[test]
fn it_is_better_than_chance_on_lesions_of_other_patients() {
    let accuracy = TestRecord::drawn().expect("the record is read").evaluation.accuracy;
    assert!(accuracy > 0.5, "accuracy {accuracy}; chance is 1/7");
}

#[test]
fn its_relevance_lies_on_lesions_more_than_a_blob_in_the_middle_does() {
    let (vit, experiment) = (drawn_model::load().expect("it loads"), experiment());
    let cohort = Cohort::draw(&experiment.cohort).expect("the cohort is drawn");
    let Split { test, .. } = split(cohort.records(), &experiment.split).expect("the split is made");
    let methods = [("relevance".to_owned(), Method::by_name("relevance").expect("it exists"))];
    let rows = evidence::localisation(&vit, &cohort, &test[..42], &methods).expect("it is measured");
    let inside = |name: &str| rows.iter().find(|row| row.name == name).expect("the row is there").inside.estimate;
    assert!(inside("relevance") > inside("control: centre") + 0.1, "{rows:?}");
    assert!((rows.last().expect("a control").above_area).abs() < 0.05, "a random map scores the area: {rows:?}");
}
