//! The library that cells are linked against: built once for a toolchain and a state of the source, kept under the user's cache.
//!
//! ```text
//! Recipe (package, source, toolchain) ─ key ─▶ cache/KEY there? ── yes ─▶ Prebuilt
//!                                                  └─ no ─ lock ─ cargo rustc --crate-type dylib ─ gather beside, rename ─▶ Prebuilt
//! ```
//!
//! Std stays a library of its own (`-C prefer-dynamic`): inside the dylib, rustc refuses to link cells, because std "only shows up
//! once" neither as an archive nor as a library. Compiled dependencies are those of an ordinary build in the same target folder.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

mod cache;
pub(crate) mod compile;
mod documentation;
pub(crate) mod gather;
mod key;
mod progress;
pub(crate) mod project;
pub(crate) mod resolved;
mod source;

pub use progress::{Progress, Show, shown};
pub use source::{Recipe, Toolchain, cache_folder};

/// What cells are compiled with and linked against.
#[derive(Clone, Debug)]
pub struct Prebuilt {
    /// Everything of this build.
    pub folder: PathBuf,
    /// `libpellucid.so`.
    pub library: PathBuf,
    /// Folders for `-Ldependency`.
    pub search: Vec<PathBuf>,
    /// Crates of the library that cells may name directly, `ndarray` for one, with their `.rlib`.
    pub externs: Vec<(String, PathBuf)>,
    /// The compiler itself, not rustup's proxy.
    pub rustc: PathBuf,
    /// Its cargo.
    pub cargo: PathBuf,
    /// The target triple.
    pub host: String,
    /// Where `libstd-….so` is.
    pub target_libdir: PathBuf,
    /// Where cargo compiled it, for crates that are added later.
    pub target: Option<PathBuf>,
    /// What the library offers, for completion, where that was written.
    pub api: Option<PathBuf>,
}

/// Finds the build for this state of source and toolchain, or makes it and tells how far that is.
///
/// The folder that is returned is not swept while this process lives.
///
/// # Errors
/// When the source, the toolchain or a part of it is missing, when it does not compile, or the cache cannot be written.
pub fn find_or_build(recipe: &Recipe, tell: &mut dyn FnMut(Progress)) -> Result<Prebuilt> {
    let key = key::of(recipe)?;
    let folder = recipe.cache.join(&key);
    if let Some(found) = open(recipe, &folder)? {
        return Ok(found);
    }
    std::fs::create_dir_all(&recipe.cache).map_err(Error::file("the cache cannot be made at", &recipe.cache))?;
    let lock = cache::lock(&recipe.cache, tell)?;
    // Another kernel may have built it while this one waited.
    if let Some(found) = open(recipe, &folder)? {
        return Ok(found);
    }
    let products = compile::compile(recipe, tell)?;
    gather::gather(recipe, &products, &folder)?;
    let built = open(recipe, &folder)?;
    cache::sweep(&recipe.cache, &key);
    drop(lock);
    built.ok_or_else(|| Error::NoSource { path: folder })
}

/// The folder in which the build for this state of source and toolchain is or would be.
///
/// # Errors
/// When the source cannot be read.
pub fn folder(recipe: &Recipe) -> Result<PathBuf> {
    Ok(recipe.cache.join(key::of(recipe)?))
}

fn open(recipe: &Recipe, folder: &Path) -> Result<Option<Prebuilt>> {
    let Some(index) = gather::Index::read(folder) else { return Ok(None) };
    cache::hold(folder)?;
    let api = folder.join(documentation::API);
    Ok(Some(Prebuilt {
        library: folder.join(&index.library),
        search: vec![folder.join(gather::DEPENDENCIES)],
        externs: index.externs.into_iter().map(|(name, file)| (name, folder.join(file))).collect(),
        rustc: recipe.toolchain.rustc.clone(),
        cargo: recipe.toolchain.cargo.clone(),
        host: recipe.toolchain.host.clone(),
        target_libdir: recipe.toolchain.target_libdir.clone(),
        target: index.target,
        api: api.is_file().then_some(api),
        folder: folder.to_owned(),
    }))
}
