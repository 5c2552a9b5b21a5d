//! Who may know whom, over `cargo metadata`.

use std::process::Command;

use serde_json::{Value, json};

use crate::repository::root;

/// Each crate with the crates of this repository that it may know; whoever is missing here has no place in the house.
const MAY_KNOW: [(&str, &[&str]); 7] = [
    ("kernels", &[]),
    ("datasets", &[]),
    ("xai", &["kernels"]),
    ("reports", &["xai", "datasets"]),
    ("workbench", &["kernels", "xai", "datasets", "reports"]),
    ("pellucid", &["kernels", "xai", "datasets", "reports", "workbench"]),
    ("notebooks", &[]),
];

/// Foreign crates with the only crates that may use them outside tests, by the beginning of their names.
const ONLY_IN: [(&str, &[&str]); 10] = [
    ("anyhow", &["workbench", "notebooks", "pellucid"]),
    ("axum", &["workbench"]),
    ("candle-core", &["xai", "workbench", "pellucid"]),
    ("candle-nn", &["workbench"]),
    ("clap", &["workbench", "notebooks", "pellucid"]),
    ("cudarc", &["kernels"]),
    ("evcxr", &["notebooks"]),
    ("image", &["xai", "datasets", "reports", "workbench", "pellucid"]),
    ("ndarray", &["xai", "workbench", "pellucid"]),
    ("polars", &["datasets", "pellucid"]),
];

/// Every breach of the two tables in what `cargo metadata --no-deps` prints; tests keep to the inner order as well.
fn breaches(metadata: &Value) -> Vec<String> {
    let empty = Vec::new();
    let list = |value: &'_ Value| value.as_array().unwrap_or(&empty).clone();
    let mut breaches = Vec::new();
    for package in list(&metadata["packages"]) {
        let name = package["name"].as_str().unwrap_or_default();
        let Some((_, known)) = MAY_KNOW.iter().find(|(known, _)| *known == name) else {
            breaches.push(format!("{name} has no place in the house"));
            continue;
        };
        for dependency in list(&package["dependencies"]) {
            breaches.extend(breach(name, known, &dependency));
        }
    }
    breaches
}

fn breach(name: &str, known: &[&str], dependency: &Value) -> Option<String> {
    let other = dependency["name"].as_str().unwrap_or_default();
    if dependency["path"].is_string() {
        let whole = name == "pellucid" && other == "workbench" && dependency["uses_default_features"] != false;
        return match known.contains(&other) {
            false => Some(format!("{name} may not know {other}")),
            true => whole.then(|| format!("{name} takes {other} with its default features, a command line and a server")),
        };
    }
    let (_, users) = ONLY_IN.iter().find(|(start, _)| other == *start || other.starts_with(&format!("{start}-")))?;
    let in_tests = dependency["kind"] == "dev" && name != "kernels";
    (!in_tests && !users.contains(&name)).then(|| format!("{name} may not use {other}: only {users:?} may"))
}

#[test]
fn crates_know_only_whom_they_may() {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let metadata = Command::new(cargo).args(["metadata", "--no-deps", "--format-version", "1", "--offline"]).current_dir(root()).output();
    let metadata = metadata.expect("cargo starts");
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: Value = serde_json::from_slice(&metadata.stdout).expect("cargo metadata prints JSON");
    assert!(metadata["packages"].as_array().is_some_and(|packages| packages.len() >= 5), "{metadata}");
    crate::assert_none("dependencies against the house's order", &breaches(&metadata));
}

#[test]
fn a_wrong_edge_is_found() {
    let edge = |from: &str, dependency: Value| breaches(&json!({ "packages": [{ "name": from, "dependencies": [dependency] }] }));
    let inner = |to: &str| json!({ "name": to, "path": format!("/house/{to}"), "kind": null, "uses_default_features": true });
    let outer = |to: &str, kind: Value| json!({ "name": to, "kind": kind });
    let wrong = [
        ("xai", "datasets"),
        ("datasets", "xai"),
        ("kernels", "xai"),
        ("reports", "workbench"),
        ("xai", "reports"),
        ("notebooks", "workbench"),
        ("pellucid", "workbench"),
    ];
    for (from, to) in wrong {
        assert_eq!(edge(from, inner(to)).len(), 1, "{from} -> {to}");
    }
    for (from, to) in [("kernels", "image"), ("kernels", "candle-core"), ("xai", "candle-nn"), ("reports", "axum"), ("xai", "polars-core")]
    {
        assert_eq!(edge(from, outer(to, Value::Null)).len(), 1, "{from} -> {to}");
    }
    assert_eq!(edge("kernels", outer("image", json!("dev"))).len(), 1, "kernels know no images, not even in tests");
    assert_eq!(edge("xai", json!({ "name": "datasets", "path": "/house/datasets", "kind": "dev" })).len(), 1, "nor does xai know lesions");
    assert_eq!(edge("toolbox", inner("kernels")).len(), 1, "a crate without a place");
    let right =
        [edge("xai", inner("kernels")), edge("xai", outer("candle-nn", json!("dev"))), edge("workbench", outer("axum", Value::Null))];
    assert_eq!(right.concat(), Vec::<String>::new());
}
