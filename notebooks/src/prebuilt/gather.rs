//! Puts what cells need of a build into one folder, whole or not at all.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::cache::UNFINISHED;
use super::compile::Product;
use super::source::Recipe;
use crate::error::{Error, Result};

/// What every crate below the library tells the compiler.
pub const DEPENDENCIES: &str = "dependencies";
const INDEX: &str = "index.json";

/// What a build's folder holds, by names in it.
#[derive(Debug, Deserialize, Serialize)]
pub struct Index {
    pub library: PathBuf,
    pub externs: BTreeMap<String, PathBuf>,
}

impl Index {
    /// Of a folder with a whole build.
    pub fn read(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(folder.join(INDEX)).ok()?).ok()
    }
}

/// Gathers beside and gives the folder its name when nothing is missing.
pub fn gather(recipe: &Recipe, products: &[Product], folder: &Path) -> Result<()> {
    let beside = recipe.cache.join(format!("{UNFINISHED}{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&beside);
    std::fs::create_dir_all(beside.join(DEPENDENCIES)).map_err(Error::file("cannot make", &beside))?;
    let library =
        products.iter().filter(|product| product.kind == "dylib" || product.kind == "lib").filter_map(|p| file(p, dynamic())).next_back();
    let library = library.ok_or_else(|| Error::NoSource { path: recipe.source.join(&recipe.package) })?;
    // Cargo writes this file anew under the same name, so it is copied, not linked.
    let name = PathBuf::from(library.file_name().unwrap_or_default());
    std::fs::copy(library, beside.join(&name)).map_err(Error::file("cannot copy", library))?;
    for product in products {
        let wanted = if product.kind == "proc-macro" { dynamic() } else { OsStr::new("rmeta") };
        // Where rustc wrote no metadata of its own, the archive has it.
        if let Some(file) = file(product, wanted).or_else(|| file(product, OsStr::new("rlib"))) {
            link(file, &beside.join(DEPENDENCIES))?;
        }
    }
    let externs = externs(recipe, products, &beside)?;
    let index = serde_json::to_vec_pretty(&Index { library: name, externs }).unwrap_or_default();
    std::fs::write(beside.join(INDEX), index).map_err(Error::file("cannot write", beside.join(INDEX)))?;
    let _ = std::fs::remove_dir_all(folder);
    std::fs::rename(&beside, folder).map_err(Error::file("cannot name the build", folder))
}

fn dynamic() -> &'static OsStr {
    OsStr::new(std::env::consts::DLL_EXTENSION)
}

fn file<'a>(product: &'a Product, extension: &OsStr) -> Option<&'a PathBuf> {
    product.files.iter().find(|file| file.extension() == Some(extension))
}

/// Links where both are on one file system. A file with a hash in its name is replaced by cargo, never written over.
fn link(file: &Path, folder: &Path) -> Result<PathBuf> {
    let to = folder.join(file.file_name().unwrap_or_default());
    if !to.exists() && std::fs::hard_link(file, &to).is_err() {
        std::fs::copy(file, &to).map_err(Error::file("cannot copy", file))?;
    }
    Ok(to)
}

/// The package's own dependencies with the archives that went into the library.
fn externs(recipe: &Recipe, products: &[Product], folder: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let level = products.iter().rev().find(|product| product.kind == "dylib" || product.kind == "lib").map_or("", |product| &product.level);
    let mut externs = BTreeMap::new();
    for (name, package) in dependencies(recipe)? {
        // A crate that a build script uses as well may have been compiled twice; the library's has the library's level.
        let mut of_package = products.iter().filter(|product| product.package == package && product.kind != "proc-macro");
        let archive = of_package
            .clone()
            .filter(|product| product.level == level)
            .chain(of_package.by_ref())
            .find_map(|p| file(p, OsStr::new("rlib")));
        if let Some(archive) = archive {
            let linked = link(archive, folder)?;
            externs.insert(name, PathBuf::from(linked.file_name().unwrap_or_default()));
        }
    }
    Ok(externs)
}

/// The names under which the package knows its dependencies, with cargo's identities.
fn dependencies(recipe: &Recipe) -> Result<Vec<(String, String)>> {
    let mut cargo = Command::new(&recipe.toolchain.cargo);
    let arguments = ["metadata", "--locked", "--format-version", "1", "--filter-platform", &recipe.toolchain.host];
    let failed =
        |messages: String| Error::Build { package: recipe.package.clone(), command: format!("cargo {}", arguments.join(" ")), messages };
    let answer = cargo.args(arguments).current_dir(&recipe.source).output().map_err(|error| failed(error.to_string()))?;
    let metadata: Value =
        serde_json::from_slice(&answer.stdout).map_err(|_| failed(String::from_utf8_lossy(&answer.stderr).into_owned()))?;
    let all = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let id = all(&metadata["packages"]).iter().find(|package| package["name"] == *recipe.package).map(|package| package["id"].clone());
    let node = all(&metadata["resolve"]["nodes"]).into_iter().find(|node| Some(&node["id"]) == id.as_ref()).unwrap_or_default();
    let normal = |dependency: &&Value| all(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"].is_null());
    let named = |dependency: &Value| Some((dependency["name"].as_str()?.to_owned(), dependency["pkg"].as_str()?.to_owned()));
    Ok(all(&node["deps"]).iter().filter(normal).filter_map(named).collect())
}
