//! Every lesson runs from a clean kernel, and shows what it promises.

mod workbench;

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

fn run(notebook: &Path, out: &Path) -> std::process::Output {
    workbench::program().arg("run").arg(notebook).arg("--out").arg(out).output().expect("the program starts")
}

/// The executed notebook of a lesson.
fn executed(lesson: &str) -> Value {
    let folder = TempDir::new().expect("a folder");
    let (notebook, out) = (workbench::source().join("notebooks").join(lesson), folder.path().join(lesson));
    let ran = run(&notebook, &out);
    assert!(ran.status.success(), "{lesson}: {}", String::from_utf8_lossy(&ran.stderr));
    serde_json::from_slice(&std::fs::read(&out).expect("the executed notebook")).expect("JSON")
}

fn outputs(notebook: &Value) -> Vec<&Value> {
    let cells = notebook["cells"].as_array().expect("cells");
    cells.iter().filter_map(|cell| cell["outputs"].as_array()).flatten().collect()
}

/// How many outputs have this representation.
fn shown(notebook: &Value, mime: &str) -> usize {
    outputs(notebook).iter().filter(|output| output["data"].get(mime).is_some()).count()
}

/// Pictures that stand alone, and those in tables.
fn pictures(notebook: &Value) -> usize {
    let tables = outputs(notebook).into_iter().filter(|output| output["data"].get("image/png").is_none());
    let html = tables.map(|output| output["data"]["text/html"].to_string());
    shown(notebook, "image/png") + html.map(|html| html.matches("data:image/png;base64,").count()).sum::<usize>()
}

fn shows(lesson: &str, least_pictures: usize, least_charts: usize) {
    let notebook = executed(lesson);
    assert!(outputs(&notebook).iter().all(|output| output["output_type"] != "error"));
    assert!(pictures(&notebook) >= least_pictures, "{lesson}: {} pictures", pictures(&notebook));
    let (plotly, drawn) = (shown(&notebook, "application/vnd.plotly.v1+json"), shown(&notebook, "image/svg+xml"));
    assert!(plotly >= least_charts && drawn >= least_charts, "{lesson}: {plotly} charts, {drawn} drawn");
    let rich: Vec<&Value> = outputs(&notebook).into_iter().filter(|output| output.get("data").is_some()).collect();
    assert!(
        rich.iter().all(|output| output["data"].get("text/plain").is_some()),
        "{lesson}: everything has words for where no pictures are"
    );
}

#[test]
fn lesson_01_first_heat_map() {
    shows("01_first_heat_map.ipynb", 3, 1);
}

#[test]
fn lesson_02_a_cohort_and_its_imbalance() {
    shows("02_a_cohort_and_its_imbalance.ipynb", 0, 1);
}

#[test]
fn lesson_03_the_vit_by_hand() {
    shows("03_the_vit_by_hand.ipynb", 1, 0);
}

#[test]
fn lesson_05_methods_side_by_side() {
    shows("05_methods_side_by_side.ipynb", 8, 1);
}

#[test]
fn lesson_08_your_own_method() {
    shows("08_your_own_method.ipynb", 1, 0);
}

#[test]
fn lesson_09_on_a_gpu() {
    shows("09_on_a_gpu.ipynb", 3, 2);
}

#[test]
fn every_lesson_is_among_these_tests() {
    let folder = std::fs::read_dir(workbench::source().join("notebooks")).expect("the lessons");
    let lessons: Vec<PathBuf> =
        folder.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.extension().is_some_and(|end| end == "ipynb")).collect();
    assert!(lessons.len() >= 6, "{lessons:?}");
    for lesson in lessons {
        let name = lesson.file_name().expect("a name").to_string_lossy().into_owned();
        assert!(include_str!("lessons.rs").contains(&format!("\"{name}\"")), "{name} is not executed");
    }
}

#[test]
fn a_panicking_notebook_fails() {
    let folder = TempDir::new().expect("a folder");
    let notebook = folder.path().join("panics.ipynb");
    let cell = |source: &str| serde_json::json!({"cell_type": "code", "id": "a", "metadata": {}, "execution_count": null, "outputs": [], "source": source});
    let cells = [cell("let model = load(\"drawn\")?;"), cell("panic!(\"on purpose\")"), cell("println!(\"never\")")];
    std::fs::write(&notebook, serde_json::json!({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).to_string())
        .expect("a notebook");
    let ran = run(&notebook, &folder.path().join("out.ipynb"));
    assert_eq!(ran.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&ran.stderr).contains("on purpose"), "{}", String::from_utf8_lossy(&ran.stderr));
}
