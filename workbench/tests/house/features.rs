//! Whatever is built, the command, the tests or what cells see, the crates from elsewhere are compiled once: with the same features.
//!
//! Cargo unites features over the packages that are selected. Where two selections differ, polars and candle would be compiled a second
//! time, minutes of it. What the dashboard and the tests take is therefore taken alike where it is not used (`Cargo.toml` of `workbench`
//! and `pellucid`).

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use crate::repository::root;

/// Features of every crate that a selection compiles, by name and version.
type Features = BTreeMap<String, BTreeSet<String>>;

/// What `cargo tree` prints: `name version|feature,feature`, one crate a line.
fn features(selection: &[&str], edges: &str) -> Features {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let arguments = ["tree", "--offline", "--locked", "--prefix", "none", "--format", "{p}|{f}", "--edges", edges];
    let printed = Command::new(cargo).args(arguments).args(selection).current_dir(root()).output().expect("cargo starts");
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    read(&String::from_utf8_lossy(&printed.stdout))
}

fn read(printed: &str) -> Features {
    let mut all = Features::new();
    // A crate that stood above already ends in a star.
    for (package, features) in printed.lines().filter_map(|line| line.trim_end_matches(" (*)").split_once('|')) {
        // Packages of the repository stand with their folder.
        if !package.contains('(') || package.ends_with("(proc-macro)") {
            all.entry(package.to_owned()).or_default().extend(features.split(',').filter(|name| !name.is_empty()).map(str::to_owned));
        }
    }
    all
}

/// Crates that a selection compiles with other features than the whole.
fn differences(part: &Features, whole: &Features) -> Vec<String> {
    let other = part.iter().filter(|(package, features)| whole.get(*package) != Some(features));
    other.map(|(package, features)| format!("{package}: {features:?}, in all {:?}", whole.get(package))).collect()
}

#[test]
fn every_selection_compiles_the_same_crates() {
    let whole = features(&["--workspace", "--exclude", "notebooks"], "normal,build,dev");
    assert!(whole.len() > 200, "only {} crates were read: this rule sees nothing", whole.len());
    for package in ["workbench", "pellucid"] {
        let part = features(&["--package", package], "normal,build");
        assert!(part.len() > 100, "only {} crates of {package} were read", part.len());
        crate::assert_none(&format!("crates that {package} compiles with other features"), &differences(&part, &whole));
    }
}

#[test]
fn another_feature_is_found() {
    let whole = read("polars v1.0|csv,lazy\nxai v0.1.0 (folder)|\nserde v1.0|std (*)\n");
    assert_eq!(whole.len(), 2, "packages of the repository are left out");
    assert!(differences(&read("polars v1.0|lazy,csv\n"), &whole).is_empty());
    assert_eq!(differences(&read("polars v1.0|csv\n"), &whole).len(), 1);
    assert_eq!(differences(&read("polars v2.0|csv,lazy\n"), &whole).len(), 1);
}
