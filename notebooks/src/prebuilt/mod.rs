//! The library that every cell is linked against, built once.

use std::path::PathBuf;

/// Where the built library is, and with what cells are compiled against it.
#[derive(Clone, Debug)]
pub struct Prebuilt {
    /// The folder of this build.
    pub folder: PathBuf,
    /// `libpellucid.so`.
    pub library: PathBuf,
    /// Folders with the metadata of its dependencies: `-Ldependency`.
    pub search: Vec<PathBuf>,
    /// Crates inside the library that cells may name, with what `--extern` takes.
    pub externs: Vec<(String, PathBuf)>,
    /// The compiler that built it, and no other.
    pub rustc: PathBuf,
    /// The cargo beside that compiler.
    pub cargo: PathBuf,
    /// The target triple of this machine.
    pub host: String,
    /// Where the compiler's own shared libraries are.
    pub target_libdir: PathBuf,
    /// The index of what the library offers, for completion; without it only the notebook's own names are known.
    pub api: Option<PathBuf>,
}
