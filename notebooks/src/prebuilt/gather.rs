//! Puts what cells need of a build into one folder, whole or not at all.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::cache::UNFINISHED;
use super::compile::Product;
use super::documentation;
use super::project;
use super::resolved::Resolved;
use super::source::{Recipe, Toolchain};
use crate::error::{Error, Result};

/// What every crate below the library tells the compiler.
pub const DEPENDENCIES: &str = "dependencies";
const INDEX: &str = "index.json";

/// What a build's folder holds, by names in it.
#[derive(Debug, Deserialize, Serialize)]
pub struct Index {
    pub library: PathBuf,
    pub externs: BTreeMap<String, PathBuf>,
    /// Where cargo compiled.
    pub target: Option<PathBuf>,
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
    let Toolchain { cargo, host, .. } = &recipe.toolchain;
    let resolved = Resolved::of(cargo, host, &recipe.source)?;
    let externs = externs(recipe, &resolved, products, &beside)?;
    // What `:dep` adds is resolved to the versions that the library has.
    let lock = recipe.source.join("Cargo.lock");
    std::fs::copy(&lock, beside.join("Cargo.lock")).map_err(Error::file("cannot copy", &lock))?;
    project::write(&recipe.source, products, &beside)?;
    documentation::write(recipe, &resolved, products, &beside);
    let target = target(products);
    let index = serde_json::to_vec_pretty(&Index { library: name, externs, target }).unwrap_or_default();
    std::fs::write(beside.join(INDEX), index).map_err(Error::file("cannot write", beside.join(INDEX)))?;
    let _ = std::fs::remove_dir_all(folder);
    std::fs::rename(&beside, folder).map_err(Error::file("cannot name the build", folder))
}

/// The folder above `release/deps`, where crates below the library are.
fn target(products: &[Product]) -> Option<PathBuf> {
    let deps = products.iter().find(|product| product.kind == "lib")?.files.first()?.parent()?;
    Some(deps.parent()?.parent()?.to_path_buf()).filter(|_| deps.ends_with("release/deps"))
}

fn dynamic() -> &'static OsStr {
    OsStr::new(std::env::consts::DLL_EXTENSION)
}

fn file<'a>(product: &'a Product, extension: &OsStr) -> Option<&'a PathBuf> {
    product.files.iter().find(|file| file.extension() == Some(extension))
}

/// Links where both are on one file system. A file with a hash in its name is replaced by cargo, never written over.
pub fn link(file: &Path, folder: &Path) -> Result<PathBuf> {
    let to = folder.join(file.file_name().unwrap_or_default());
    if !to.exists() && std::fs::hard_link(file, &to).is_err() {
        std::fs::copy(file, &to).map_err(Error::file("cannot copy", file))?;
    }
    Ok(to)
}

/// The package's own dependencies with the archives that went into the library.
fn externs(recipe: &Recipe, resolved: &Resolved, products: &[Product], folder: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let mut externs = BTreeMap::new();
    for (name, package) in resolved.dependencies(&resolved.id(&recipe.package)) {
        if let Some(archive) = archive(products, &package) {
            let linked = link(archive, folder)?;
            externs.insert(name, PathBuf::from(linked.file_name().unwrap_or_default()));
        }
    }
    Ok(externs)
}

/// The archive of a package that went into the library, or the library of a macro.
pub fn archive<'a>(products: &'a [Product], package: &str) -> Option<&'a PathBuf> {
    let level = products.iter().rev().find(|product| product.kind == "dylib" || product.kind == "lib").map_or("", |product| &product.level);
    let of_package = || products.iter().filter(|product| product.package == package);
    if let Some(library) = of_package().filter(|product| product.kind == "proc-macro").find_map(|product| file(product, dynamic())) {
        return Some(library);
    }
    // A crate that a build script uses as well may have been compiled twice; the library's has the library's level.
    of_package().filter(|product| product.level == level).chain(of_package()).find_map(|product| file(product, OsStr::new("rlib")))
}
