//! The key of a build: whatever changes it changes the library, and nothing else does.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::source::Recipe;
use crate::error::{Error, Result};

/// Folders of a package that are not compiled into its library.
const NO_SOURCE: [&str; 6] = ["target", "tests", "benches", "examples", "fuzz", "bench"];
/// Flags that reach the compiler without standing in a file.
const FLAGS: [&str; 3] = ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER"];

/// Raised when something else is kept of a build.
const LAYOUT: &[u8] = b"2";

/// Over toolchain, lock file, flags and all sources of the members that the package is made of.
pub fn of(recipe: &Recipe) -> Result<String> {
    let mut hash = Sha256::new();
    let mut add = |name: &str, bytes: &[u8]| {
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name);
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    add("layout", LAYOUT);
    add("toolchain", recipe.toolchain.version.as_bytes());
    for flags in FLAGS {
        add(flags, std::env::var_os(flags).unwrap_or_default().as_encoded_bytes());
    }
    for file in files(recipe)? {
        let bytes = std::fs::read(&file).map_err(Error::file("cannot read the source", &file))?;
        add(&file.strip_prefix(&recipe.source).unwrap_or(&file).to_string_lossy(), &bytes);
    }
    Ok(hash.finalize().iter().take(10).map(|byte| format!("{byte:02x}")).collect())
}

/// In one order on every machine.
fn files(recipe: &Recipe) -> Result<BTreeSet<PathBuf>> {
    let mut files = BTreeSet::new();
    let whole = ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", ".cargo/config.toml"].map(|name| recipe.source.join(name));
    files.extend(whole.into_iter().filter(|file| file.is_file()));
    let members = members(recipe)?;
    for member in &members {
        walk(member, &members, &mut files)?;
    }
    Ok(files)
}

/// The folders of the package and of all members below it.
fn members(recipe: &Recipe) -> Result<Vec<PathBuf>> {
    let metadata = metadata(recipe)?;
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut members: Vec<PathBuf> = Vec::new();
    let mut waiting = vec![recipe.package.clone()];
    while let Some(name) = waiting.pop() {
        let Some(package) = packages.iter().find(|package| package["name"] == *name) else { continue };
        let folder = Path::new(package["manifest_path"].as_str().unwrap_or_default()).parent().unwrap_or(&recipe.source).to_path_buf();
        if members.contains(&folder) {
            continue;
        }
        members.push(folder);
        let dependencies = package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default();
        let inner = dependencies.iter().filter(|dependency| dependency["path"].is_string() && dependency["kind"] != "dev");
        waiting.extend(inner.filter_map(|dependency| dependency["name"].as_str().map(str::to_owned)));
    }
    if members.is_empty() {
        return Err(Error::NoSource { path: recipe.source.join(&recipe.package) });
    }
    Ok(members)
}

fn metadata(recipe: &Recipe) -> Result<Value> {
    let mut cargo = Command::new(&recipe.toolchain.cargo);
    let asked = cargo.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]).current_dir(&recipe.source).output();
    let failed = |messages: String| Error::Build { package: recipe.package.clone(), command: "cargo metadata --no-deps".into(), messages };
    let answer = asked.map_err(|error| failed(error.to_string()))?;
    if !answer.status.success() {
        return Err(failed(String::from_utf8_lossy(&answer.stderr).into_owned()));
    }
    serde_json::from_slice(&answer.stdout).map_err(|error| failed(error.to_string()))
}

/// Every file of a member but tests, build products, what is hidden and what belongs to a member inside it.
fn walk(folder: &Path, members: &[PathBuf], files: &mut BTreeSet<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder).map_err(Error::file("cannot read the source", folder))?.flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let kind = entry.file_type().map_err(Error::file("cannot read the source", &path))?;
        let left_out = NO_SOURCE.iter().any(|left_out| name == *left_out) || name.as_encoded_bytes().starts_with(b".");
        if kind.is_dir() && !left_out && !members.contains(&path) {
            walk(&path, members, files)?;
        } else if kind.is_file() && !left_out {
            files.insert(path);
        }
    }
    Ok(())
}
