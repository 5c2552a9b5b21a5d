//! What cannot be answered ends in a sentence, a status and nothing written.

use crate::pictures::{jpeg, lesion, png, png_that_claims};
use crate::run::setup;

const TINY: &str = "random:tiny_for_tests+linear:7";

#[test]
fn hostile_pictures_are_refused_by_code() {
    let whole = jpeg(&lesion(96, 96));
    let cases: [(&str, &[u8], &str); 7] = [
        ("empty.jpg", b"", "[empty]"),
        ("truncated.jpg", &whole[..whole.len() / 2], "[incomplete]"),
        ("huge.png", &png_that_claims(i32::MAX as u32, i32::MAX as u32), "[side-too-long]"),
        ("bomb.png", &png_that_claims(11_000, 11_000), "[too-many-pixels]"),
        ("page.jpg", b"<!DOCTYPE html><html><script>alert(1)</script></html>", "[format-not-accepted]"),
        ("moving.gif", b"GIF89a\x01\0\x01\0\0\0\0;", "[format-not-accepted]"),
        ("noise.png", b"\x01\x02\x03\x04", "[unknown-format]"),
    ];
    for (name, bytes, code) in cases {
        let (dir, pellucid) = setup("refused");
        dir.write(name, bytes);
        pellucid.args(["explain", name, "--model", TINY]).fails().warns(&[name, code]);
        assert!(!dir.exists("maps"), "{name}: something was written");
        dir.pellucid().args(["trace", name, "--model", TINY]).fails().warns(&[name, code]);
        assert!(!dir.exists("trace.safetensors"), "{name}: a trace was written");
    }
}

#[test]
fn a_bad_picture_spoils_no_good_one() {
    let (dir, pellucid) = setup("refused_one_of_three");
    dir.write("good.png", &png(&lesion(64, 64)));
    dir.write("bad.png", b"");
    let run = pellucid.line("explain bad.png missing.png good.png --method rollout --model").args([TINY]).fails();
    run.warns(&["[empty]", "missing.png", "[unreadable]", "2 of 3 pictures were refused"]).says(&["good.png"]);
    let found = dir.json("maps/explanation.json");
    let codes = [0, 1].map(|refused| found["refused"][refused]["code"].as_str().unwrap_or_default().to_owned());
    assert_eq!((found["images"].as_array().map(Vec::len), codes), (Some(1), ["empty", "unreadable"].map(String::from)));
}

#[test]
fn a_name_that_does_not_exist_is_answered_with_those_that_do() {
    let cases = [
        ("--method grad-cam", ["grad-cam", "rollout", "relevance", "input-x-gradient"]),
        ("--target mole", ["mole", "melanoma", "nevus", "actinic keratosis"]),
        ("--target melanoma:mole", ["`mole`", "melanoma", "nevus", "squamous cell carcinoma"]),
        ("--target 7", ["`7`", "melanoma", "nevus", "squamous cell carcinoma"]),
        ("--method integrated-gradients --baseline lesions.csv", ["lesions.csv", "black", "blurred", "picture"]),
        ("--model random:resnet50", ["resnet50", "vit_base_patch16_224", "vit_large_patch32_384", "dinov2_small"]),
    ];
    for (arguments, named) in cases {
        let (dir, pellucid) = setup("unknown");
        dir.write("lesion.png", &png(&lesion(64, 64)));
        pellucid.line("explain lesion.png").line(arguments).fails().warns(&named);
        assert!(!dir.exists("maps"), "{arguments}: something was written");
    }
}

#[test]
fn numbers_outside_their_range_are_refused_by_name() {
    let cases = [
        ("--fill 2", "--fill"),
        ("--contour nan", "--contour"),
        ("--percentile 60", "--percentile"),
        ("--discard 1.5 --method rollout", "discard"),
        ("--start-layer 9 --method rollout", "start layer"),
        ("--layer 9 --method attention", "layer"),
        ("--head 9 --method attention", "head"),
        ("--discard 1.5 --method gradient-rollout", "discard"),
        ("--start-layer 9 --method gradient-rollout", "start layer"),
        ("--samples 0 --method smoothgrad", "1 to 4096 samples"),
        ("--noise nan --method vargrad", "share of the range"),
        ("--steps 0 --method integrated-gradients", "1 to 4096 steps"),
        ("--tolerance 0 --method integrated-gradients", "tolerance"),
        ("--most-steps 2 --method integrated-gradients", "3 to 4096 steps"),
        ("--baseline blurred:-1 --method integrated-gradients", "at most 1000 pixels"),
    ];
    for (arguments, named) in cases {
        let (dir, pellucid) = setup("range");
        dir.write("lesion.png", &png(&lesion(64, 64)));
        pellucid.line("explain lesion.png").line(arguments).fails().warns(&[named]);
        assert!(!dir.exists("maps"), "{arguments}: something was written");
    }
}

#[test]
fn wrong_usage_ends_with_two_and_says_how_to_ask() {
    for line in [
        "",
        "paint",
        "explain",
        "explain a.png --colour red",
        "explain a.png --layer one",
        "explain a.png --pixels b.npy",
        "trace a.png b.png",
    ] {
        setup("usage").1.line(line).ends_with(2).warns(&["--help"]);
    }
}

#[test]
fn results_that_cannot_be_written_are_an_error() {
    let (dir, pellucid) = setup("no_folder");
    dir.write("lesion.png", &png(&lesion(64, 64)));
    dir.write("taken", b"a file, no folder");
    pellucid.line("explain lesion.png --out taken --model").args([TINY]).fails().warns(&["folder taken cannot be made"]);
    dir.pellucid()
        .line("trace lesion.png --out nowhere/trace.safetensors --model")
        .args([TINY])
        .fails()
        .warns(&["nowhere/trace.safetensors"]);
}
