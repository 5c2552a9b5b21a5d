//! `pellucid trace`: the file of a pass's insides, and the size of a model.

use std::fs;

use safetensors::SafeTensors;
use safetensors::tensor::Dtype;

use crate::pictures::{lesion, png};
use crate::run::setup;

/// Names with shapes, sorted; every tensor is float32 and finite.
fn tensors(bytes: &[u8]) -> Vec<(String, Vec<usize>)> {
    let file = SafeTensors::deserialize(bytes).expect("a safetensors file");
    let mut found = Vec::new();
    for (name, view) in file.tensors() {
        assert_eq!(view.dtype(), Dtype::F32, "{name}");
        let finite = |bytes: &[u8]| f32::from_le_bytes(bytes.try_into().expect("four bytes")).is_finite();
        assert!(view.data().chunks(4).all(finite), "{name} holds a value that is not finite");
        found.push((name, view.shape().to_vec()));
    }
    found.sort();
    found
}

#[test]
fn the_file_holds_the_tensors_that_help_promises() {
    let (dir, pellucid) = setup("trace_all");
    dir.write("lesion.png", &png(&lesion(64, 96)));
    pellucid
        .line("trace lesion.png --attention --gradients --target 3 --model random:tiny_for_tests+linear:7")
        .succeeds()
        .says(&["tensors in trace.safetensors"]);
    // Two layers, three heads, one class token and 2x3 patches of twelve numbers.
    let expected: [(&str, &[usize]); 10] = [
        ("attention.0", &[1, 3, 7, 7]),
        ("attention.1", &[1, 3, 7, 7]),
        ("attention_gradient.0", &[1, 3, 7, 7]),
        ("attention_gradient.1", &[1, 3, 7, 7]),
        ("attention_mean.0", &[1, 7, 7]),
        ("attention_mean.1", &[1, 7, 7]),
        ("features", &[1, 12]),
        ("logits", &[1, 7]),
        ("pixel_gradient", &[1, 3, 8, 12]),
        ("tokens", &[1, 7, 12]),
    ];
    let expected: Vec<_> = expected.iter().map(|(name, shape)| ((*name).to_owned(), shape.to_vec())).collect();
    assert_eq!(tensors(&fs::read(dir.path("trace.safetensors")).unwrap()), expected);
}

#[test]
fn rows_of_attention_sum_to_one() {
    let (dir, pellucid) = setup("trace_rows");
    dir.write("lesion.png", &png(&lesion(64, 96)));
    pellucid.line("trace lesion.png --out pass.safetensors --model drawn").succeeds();
    let bytes = fs::read(dir.path("pass.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let map = file.tensor("attention_mean.5").unwrap();
    let values: Vec<f32> = map.data().chunks(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect();
    let tokens = 1 + 12 * 12;
    assert_eq!(map.shape(), [1, tokens, tokens]);
    for (token, row) in values.chunks(tokens).enumerate() {
        let sum: f32 = row.iter().sum();
        assert!((sum - 1.0).abs() < 1e-4, "row {token} sums to {sum}");
    }
}

#[test]
fn a_model_without_a_head_has_no_logits() {
    let (dir, pellucid) = setup("trace_headless");
    dir.write("lesion.png", &png(&lesion(64, 96)));
    pellucid.line("trace lesion.png --model random:tiny_for_tests").succeeds().says(&["head: none"]);
    let names: Vec<String> = tensors(&fs::read(dir.path("trace.safetensors")).unwrap()).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["attention_mean.0", "attention_mean.1", "features", "tokens"]);
    dir.pellucid().line("trace lesion.png --gradients --model random:tiny_for_tests").fails().warns(&["no head"]);
}

#[test]
fn without_a_picture_only_the_size_is_printed() {
    let (dir, pellucid) = setup("trace_size");
    // Width 12 to 512, 256, 64 and 7: weights, biases, and scale and shift of three normalisations.
    let head = 12 * 512 + 512 * 256 + 256 * 64 + 64 * 7 + 512 + 256 + 64 + 7 + 2 * (512 + 256 + 64);
    assert_eq!(head, 156_551);
    pellucid
        .line("trace --model random:tiny_for_tests+dnn3:7")
        .succeeds()
        .says(&["parameters: 159,627", "DNN-3-hidden, 7 classes, 156,551 parameters"]);
    assert!(!dir.exists("trace.safetensors"));
}

#[test]
fn the_thesis_model_has_its_size() {
    let (_dir, pellucid) = setup("trace_thesis");
    pellucid.line("trace --model random:vit_large_patch32_384+dnn3:7").succeeds().says(&["parameters: 306,282,375", "674,695 parameters"]);
}
