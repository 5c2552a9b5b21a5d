//! The project in which cargo builds what `:dep` adds.
//!
//! Two builds of one crate are two crates, and their types differ. So the project asks for every crate of the library by its version
//! and its features, and is built where the library was: cargo finds the very files that went into it, and whatever is added
//! stands on them. A crate that needs more features of one of them gets a copy of its own, as it would not share types either way.

use std::path::Path;

use toml::{Table, Value};

use super::compile::Product;
use crate::error::{Error, Result};

/// The manifest's name beside the library.
const PROJECT: &str = "project.toml";
/// What the library's crates are called in it; nobody names them so.
const HELD: &str = "of-the-library-";
/// How build scripts and macros are compiled.
const OF_BUILDS: &str = "0";

/// Writes the manifest beside the library.
pub fn write(source: &Path, products: &[Product], folder: &Path) -> Result<()> {
    let mut manifest = plain();
    let workspace = std::fs::read_to_string(source.join("Cargo.toml")).ok().and_then(|text| text.parse::<Table>().ok());
    if let Some(profile) = workspace.and_then(|mut workspace| workspace.remove("profile")) {
        manifest.insert("profile".to_owned(), profile);
    }
    let compiled = products.iter().filter(|product| ["lib", "rlib", "proc-macro"].contains(&product.kind.as_str()));
    for product in compiled {
        let for_builds = product.level == OF_BUILDS && product.kind != "proc-macro";
        let section = if for_builds { "build-dependencies" } else { "dependencies" };
        if let (Some((name, held)), Some(Value::Table(section))) = (held(product), manifest.get_mut(section)) {
            section.insert(name, Value::Table(held));
        }
    }
    std::fs::write(folder.join(PROJECT), manifest.to_string()).map_err(Error::file("cannot write", folder.join(PROJECT)))
}

/// The manifest beside the library, or one that knows no library.
pub fn read(folder: &Path) -> Table {
    let written = std::fs::read_to_string(folder.join(PROJECT)).ok().and_then(|text| text.parse().ok());
    written.unwrap_or_else(plain)
}

/// Adds a dependency. One that the library has under its hood is taken over with the features that it has there.
pub fn add(manifest: &mut Table, name: &str, wanted: Value) {
    let mut wanted = match wanted {
        Value::Table(table) => table,
        version => Table::from_iter([("version".to_owned(), version)]),
    };
    let package = wanted.get("package").and_then(Value::as_str).unwrap_or(name).to_owned();
    let mut features: Vec<Value> = wanted.get("features").and_then(Value::as_array).cloned().unwrap_or_default();
    for section in ["build-dependencies", "dependencies"] {
        let Some(Value::Table(section)) = manifest.get_mut(section) else { continue };
        let same = |(name, held): (&String, &Value)| {
            (is_held(&name.replace('-', "_")) && held.get("package").and_then(Value::as_str) == Some(&package)).then(|| name.clone())
        };
        for held in section.iter().filter_map(same).collect::<Vec<_>>() {
            let held = section.remove(&held).and_then(|held| held.get("features")?.as_array().cloned());
            features.extend(held.unwrap_or_default().into_iter().filter(|feature| !features.contains(feature)).collect::<Vec<_>>());
        }
    }
    if !features.is_empty() {
        wanted.insert("features".to_owned(), Value::Array(features));
    }
    if let Some(Value::Table(dependencies)) = manifest.get_mut("dependencies") {
        dependencies.insert(name.to_owned(), Value::Table(wanted));
    }
}

/// True for a name that only the manifest gives.
pub fn is_held(name: &str) -> bool {
    name.starts_with(&HELD.replace('-', "_"))
}

fn plain() -> Table {
    let package = [("name", "cells"), ("version", "0.0.0"), ("edition", "2024")].map(|(key, value)| (key.to_owned(), value.into()));
    let empty = || Value::Table(Table::new());
    let sections = [
        ("package", Value::Table(Table::from_iter(package))),
        ("workspace", empty()),
        ("dependencies", empty()),
        ("build-dependencies", empty()),
    ];
    sections.into_iter().map(|(name, section)| (name.to_owned(), section)).collect()
}

/// A crate of a registry, exactly, under one name wherever it is asked for: `registry+…#name@1.2.3`.
fn held(product: &Product) -> Option<(String, Table)> {
    let (place, crate_) = product.package.split_once('#')?;
    let (name, version) = crate_.split_once('@').filter(|_| place.starts_with("registry+") || place.starts_with("sparse+"))?;
    let version = version.split('+').next()?;
    let features = product.features.iter().map(|feature| Value::String(feature.clone())).collect();
    let entries = [
        ("package", Value::String(name.to_owned())),
        ("version", Value::String(format!("={version}"))),
        ("default-features", Value::Boolean(false)),
        ("features", Value::Array(features)),
    ];
    let held = format!("{HELD}{name}-{}", version.replace('.', "-"));
    Some((held, entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_library_has_is_asked_for_as_it_is_there() {
        let crate_ = |kind: &str, level: &str| Product {
            package: "registry+place#leaf@1.2.3+extra".into(),
            kind: kind.into(),
            level: level.into(),
            features: vec!["std".into()],
            files: Vec::new(),
        };
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("Cargo.toml"), "[profile.release]\nopt-level = 2\n").unwrap();
        let own = Product { package: "path+place#own@0.1.0".into(), ..crate_("lib", "3") };
        write(folder.path(), &[crate_("lib", "0"), crate_("lib", "3"), own], folder.path()).unwrap();
        let mut manifest = read(folder.path());
        assert_eq!(manifest["profile"]["release"]["opt-level"].as_integer(), Some(2));
        let held = &manifest["dependencies"]["of-the-library-leaf-1-2-3"];
        assert_eq!((held["version"].as_str(), held["default-features"].as_bool()), (Some("=1.2.3"), Some(false)));
        assert_eq!(manifest["dependencies"].as_table().unwrap().len(), 1, "what is not of a registry is not built again");
        add(&mut manifest, "leaf", Value::String("1".into()));
        assert_eq!(manifest["dependencies"].to_string(), "{ leaf = { features = [\"std\"], version = \"1\" } }");
        assert!(manifest["build-dependencies"].as_table().unwrap().is_empty(), "one package has one name");
        assert!(is_held("of_the_library_leaf_1_2_3") && !is_held("leaf"));
    }
}
