//! Where NVIDIA's libraries stand that came with Python packages: nothing is run to find out.

use std::path::{Path, PathBuf};

/// Places of `library`, as `nvidia/nccl/lib/libnccl.so.2`, in the folders of Python packages that an environment leads to, without
/// looking whether it is there.
pub(super) fn in_packages(library: &str, variable: &dyn Fn(&str) -> Option<PathBuf>) -> Vec<PathBuf> {
    let named = ["VIRTUAL_ENV", "CONDA_PREFIX"].into_iter().filter_map(variable).filter(|prefix| prefix.is_absolute());
    let path = variable("PATH").unwrap_or_default();
    let pythons =
        std::env::split_paths(&path).map(|folder| folder.join("python3")).filter(|python| python.is_absolute() && python.exists());
    // A virtual environment's python is a link; its packages stand beside the link, the system's beside what it leads to.
    let beside = pythons.flat_map(|python| [python.canonicalize().ok(), Some(python)].into_iter().rev().flatten());
    let beside = beside.filter_map(|python| python.parent()?.parent().map(Path::to_owned));
    let own = variable("HOME").filter(|home| home.is_absolute()).map(|home| home.join(".local"));
    let mut found: Vec<PathBuf> = Vec::new();
    for prefix in named.chain(beside).chain(own) {
        for folder in packages(&prefix) {
            let place = folder.join(library);
            if !found.contains(&place) {
                found.push(place);
            }
        }
    }
    found
}

/// The folders of packages under a prefix, newer versions of Python first.
fn packages(prefix: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for library in ["lib", "lib64", "local/lib"] {
        let inside = std::fs::read_dir(prefix.join(library)).into_iter().flatten().flatten();
        let is_python = |name: &String| name.starts_with("python3");
        let mut versions: Vec<String> = inside.filter_map(|entry| entry.file_name().into_string().ok()).filter(is_python).collect();
        versions.sort_by_key(|name| (name.len(), name.clone()));
        for version in versions.into_iter().rev() {
            let folders = ["site-packages", "dist-packages"].map(|packages| prefix.join(library).join(&version).join(packages));
            found.extend(folders.into_iter().filter(|folder| folder.is_dir()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_of_an_environment_come_before_the_systems() {
        let home = std::env::temp_dir().join(format!("pellucid-search-{}", std::process::id()));
        let place = |path: &str| home.join(path);
        for folder in ["venv/lib/python3.9/site-packages", "venv/lib/python3.11/site-packages", "usr/lib/python3/dist-packages", "usr/bin"]
        {
            std::fs::create_dir_all(place(folder)).unwrap();
        }
        std::fs::write(place("usr/bin/python3"), "").unwrap();
        let variable = |name: &str| match name {
            "VIRTUAL_ENV" => Some(place("venv")),
            "CONDA_PREFIX" => Some("not/absolute".into()),
            "PATH" => Some(std::env::join_paths([place("nowhere"), place("usr/bin")]).unwrap().into()),
            _ => None,
        };
        let found = in_packages("nvidia/x.so", &variable);
        let expected = ["venv/lib/python3.11/site-packages", "venv/lib/python3.9/site-packages", "usr/lib/python3/dist-packages"];
        assert_eq!(found, expected.map(|folder| place(folder).join("nvidia/x.so")));
        assert!(in_packages("nvidia/x.so", &|_| None).is_empty());
        std::fs::remove_dir_all(home).unwrap();
    }
}
