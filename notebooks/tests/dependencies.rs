//! `:dep` on the library that users have: a crate that stands on the library's crates shares their types.

mod workbench;

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

const MANIFEST: &str = "[workspace]\n[package]\nname = \"my-sums\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\nndarray = \"0.17\"\nimage = { version = \"0.25\", default-features = false }\n";
const LIBRARY: &str = "/// Of all numbers.\npub fn total(numbers: &ndarray::Array2<f32>) -> f32 { numbers.sum() }\n/// Of the first pixel.\npub fn red(picture: &image::RgbImage) -> u8 { picture.get_pixel(0, 0).0[0] }\n";

#[test]
fn a_crate_that_is_added_takes_the_librarys_arrays_and_pictures() {
    let folder = TempDir::new().expect("a folder");
    fs::create_dir(folder.path().join("src")).expect("a folder");
    fs::write(folder.path().join("Cargo.toml"), MANIFEST).expect("a manifest");
    fs::write(folder.path().join("src/lib.rs"), LIBRARY).expect("a library");
    let cells = [
        format!(":dep my-sums = {{ path = \"{}\" }}", folder.path().display()),
        "let map = load(\"drawn\")?.explain(&drawn::lesion(7, LesionClass::Melanoma), Method::rollout())?.heat_map().values().to_owned();"
            .into(),
        "(my_sums::total(&map) - map.sum()).abs() < 1e-6".into(),
        "let white = image::RgbImage::from_pixel(2, 2, image::Rgb([255; 3]));\nmy_sums::red(&white)".into(),
    ];
    let cell =
        |source: &String| json!({"cell_type": "code", "id": "a", "metadata": {}, "execution_count": null, "outputs": [], "source": source});
    let cells: Vec<Value> = cells.iter().map(cell).collect();
    let (notebook, out) = (folder.path().join("x.ipynb"), folder.path().join("y.ipynb"));
    fs::write(&notebook, json!({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).to_string()).expect("a notebook");
    let ran = workbench::program().env("CARGO_NET_OFFLINE", "true").arg("run").arg(&notebook).arg("--out").arg(&out).output();
    let ran = ran.expect("the program starts");
    let executed: Value = serde_json::from_slice(&fs::read(&out).unwrap_or_default()).unwrap_or_default();
    assert!(ran.status.success(), "{}\n{}", String::from_utf8_lossy(&ran.stderr), executed["cells"][0]["outputs"]);
    let value = |cell: usize| executed["cells"][cell]["outputs"][0]["data"]["text/plain"].clone();
    assert_eq!((value(2), value(3)), (json!(["true"]), json!(["255"])));
    let said = executed["cells"][0]["outputs"].to_string();
    assert!(said.contains("my-sums") && !said.contains("Compiling ndarray"), "what the library has is not compiled again: {said}");
}
