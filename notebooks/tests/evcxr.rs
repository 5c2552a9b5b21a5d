//! The compatible engine on the library that users have: its cells show, and a panic fails.

mod workbench;

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// evcxr reads the standard library's source to learn types; a toolchain without it is not its place.
fn has_rust_src() -> bool {
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).output().expect("rustc starts").stdout;
    let there = Path::new(String::from_utf8_lossy(&sysroot).trim()).join("lib/rustlib/src/rust/library").is_dir();
    if !there {
        eprintln!("SKIPPED: evcxr needs the source of the standard library: rustup component add rust-src");
    }
    there
}

fn run(cells: &[&str]) -> (Output, serde_json::Value) {
    let folder = TempDir::new().expect("a folder");
    let (notebook, out) = (folder.path().join("x.ipynb"), folder.path().join("y.ipynb"));
    let cell = |source: &&str| serde_json::json!({"cell_type": "code", "id": "a", "metadata": {}, "execution_count": null, "outputs": [], "source": source});
    let cells: Vec<_> = cells.iter().map(cell).collect();
    std::fs::write(&notebook, serde_json::json!({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).to_string())
        .expect("a notebook");
    let ran = workbench::program().args(["run", "--engine", "evcxr"]).arg(&notebook).arg("--out").arg(&out).output().expect("it starts");
    let executed = serde_json::from_slice(&std::fs::read(&out).unwrap_or_default()).unwrap_or_default();
    (ran, executed)
}

#[test]
fn cells_share_variables_and_show_what_they_explain() {
    if !has_rust_src() {
        return;
    }
    let lesion = "load(\"drawn\")?.explain(&drawn::lesion(7, LesionClass::Melanoma), Method::rollout())?";
    let (ran, executed) = run(&["let n: i32 = 40;", "n + 2", lesion]);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let data = |cell: usize| &executed["cells"][cell]["outputs"][0]["data"];
    assert_eq!(data(1)["text/plain"], serde_json::json!(["42"]));
    assert!(data(2)["image/png"].as_str().is_some_and(|picture| picture.len() > 1000), "{}", data(2));
}

#[test]
fn a_panic_fails() {
    if !has_rust_src() {
        return;
    }
    let (ran, _) = run(&["panic!(\"on purpose\")"]);
    assert_eq!(ran.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&ran.stderr).contains("on purpose"), "{}", String::from_utf8_lossy(&ran.stderr));
}
