//! Folders of Python packages, found without running Python: `pip` installs NVIDIA's libraries into them.

use std::fs;
use std::path::{Path, PathBuf};

use super::search::{Surroundings, matching};

/// Folders of packages, those of the active environment first.
pub(super) fn site_packages(surroundings: &Surroundings) -> Vec<PathBuf> {
    let active = ["VIRTUAL_ENV", "CONDA_PREFIX"].iter().flat_map(|name| surroundings.folders(name));
    let mut found: Vec<PathBuf> = active.flat_map(|prefix| of_prefix(&prefix)).collect();
    found.extend(surroundings.folders("PYTHONPATH"));
    found.extend(of_program(surroundings).iter().flat_map(|prefix| of_prefix(prefix)));
    found.extend(surroundings.folders("HOME").iter().flat_map(|home| of_prefix(&home.join(".local"))));
    found.extend(of_prefix(&surroundings.root.join("usr")));
    found
}

/// What the first `python3` of the search path was installed under: where it lies, and where a link to it leads.
fn of_program(surroundings: &Surroundings) -> Vec<PathBuf> {
    let folders = surroundings.folders("PATH");
    let Some(folder) = folders.iter().find(|folder| folder.join("python3").is_file()) else { return Vec::new() };
    let above = |path: &Path| path.parent().map(Path::to_owned);
    if folder.ends_with("shims") {
        // A version manager's stand-in: the versions lie beside it.
        return above(folder).map(|home| matching(&home.join("versions"), "")).unwrap_or_default();
    }
    let real = fs::canonicalize(folder.join("python3")).ok();
    [above(folder), real.as_deref().and_then(Path::parent).and_then(above)].into_iter().flatten().collect()
}

/// The folders that an installation under this prefix has: `lib/python3.12/site-packages`, on Debian `dist-packages`.
fn of_prefix(prefix: &Path) -> Vec<PathBuf> {
    let versions = ["lib", "lib64", "local/lib"].iter().flat_map(|lib| matching(&prefix.join(lib), "python3"));
    let folders = versions.flat_map(|version| ["site-packages", "dist-packages"].map(|packages| version.join(packages)));
    folders.filter(|folder| folder.is_dir()).collect()
}
