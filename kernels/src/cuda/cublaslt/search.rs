//! Where the library is looked for: the newest version first, and of each version first where the loader looks.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::{env, fmt, fs};

use super::python::site_packages;

/// Names a library, or says `off`: none is looked for.
pub const VARIABLE: &str = "PELLUCID_CUBLASLT";

/// The versions that are known, newest first.
#[cfg(not(windows))]
const NAMES: [&str; 3] = ["libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so.11"];
#[cfg(windows)]
const NAMES: [&str; 3] = ["cublasLt64_13.dll", "cublasLt64_12.dll", "cublasLt64_11.dll"];

/// Of a folder no more entries than this are looked at.
const MOST_ENTRIES: usize = 64;

/// Something that may be the library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// By this name, wherever the system's loader looks.
    Loader(&'static str),
    /// A file.
    File(PathBuf),
}

impl Place {
    /// Whether all that a failure tells is that the loader knows no such name, which is no news.
    pub fn is_unknown(&self, why: &str) -> bool {
        matches!(self, Self::Loader(name) if why.contains(&format!("{name}: cannot open")))
    }

    pub(super) fn as_os_str(&self) -> &OsStr {
        match self {
            Self::Loader(name) => OsStr::new(name),
            Self::File(path) => path.as_os_str(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}", self.as_os_str().display())
    }
}

/// What a search goes by; tests make up both parts.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// Environment.
    pub variables: HashMap<String, OsString>,
    /// What stands for `/` in the folders of the system.
    pub root: PathBuf,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Search {
    /// It is not wanted.
    Off,
    /// These in their order; a file that does not load is passed over.
    Places {
        /// What may be it.
        places: Vec<Place>,
        /// Folders that were looked into, and where there was none of its files.
        folders: Vec<PathBuf>,
    },
}

impl Surroundings {
    /// Those of this process.
    pub fn of_process() -> Self {
        let variables = env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value))).collect();
        Self { variables, root: PathBuf::from("/") }
    }

    /// The folders that a variable lists; relative ones depend on where a program was started, and are left out.
    pub(super) fn folders(&self, variable: &str) -> Vec<PathBuf> {
        let listed = self.variables.get(variable).map(|value| env::split_paths(value).collect::<Vec<_>>());
        listed.unwrap_or_default().into_iter().filter(|folder| folder.is_absolute()).collect()
    }

    /// Looks for the library; nothing is loaded or run.
    ///
    /// ```
    /// use kernels::cuda::cublaslt::{Search, Surroundings};
    /// let variables = [("PELLUCID_CUBLASLT".to_owned(), "off".into())].into();
    /// assert_eq!(Surroundings { variables, root: "/".into() }.search(), Search::Off);
    /// ```
    pub fn search(&self) -> Search {
        match self.variables.get(VARIABLE) {
            Some(value) if value == "off" => return Search::Off,
            Some(value) if !value.is_empty() => return named(Path::new(value)),
            _ => {}
        }
        let folders = self.all_folders();
        let mut places = Vec::new();
        let mut seen = Vec::new();
        for name in NAMES {
            places.push(Place::Loader(name));
            for path in folders.iter().map(|folder| folder.join(name)) {
                // One file may be found by several ways.
                let Ok(real) = fs::canonicalize(&path) else { continue };
                if real.is_file() && !seen.contains(&real) {
                    seen.push(real);
                    places.push(Place::File(path));
                }
            }
        }
        Search::Places { places, folders }
    }

    fn all_folders(&self) -> Vec<PathBuf> {
        let mut folders = self.folders("LD_LIBRARY_PATH");
        for home in ["CUDA_PATH", "CUDA_HOME"].iter().flat_map(|name| self.folders(name)) {
            folders.extend(["lib64", "lib", "targets/x86_64-linux/lib", "bin/x64", "bin"].map(|inside| home.join(inside)));
        }
        folders.extend(matching(&self.root.join("usr/local"), "cuda").into_iter().map(|home| home.join("lib64")));
        let of_systems = ["usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu", "usr/lib64", "usr/lib", "opt/cuda/lib64"];
        folders.extend(of_systems.map(|folder| self.root.join(folder)));
        for packages in site_packages(self) {
            let of_nvidia = matching(&packages.join("nvidia"), "");
            folders.extend(of_nvidia.into_iter().flat_map(|package| ["lib", "bin"].map(|inside| package.join(inside))));
            folders.push(packages.join("torch/lib"));
        }
        folders.retain(|folder| folder.is_dir());
        let mut once = Vec::new();
        folders.into_iter().for_each(|folder| {
            if !once.contains(&folder) {
                once.push(folder)
            }
        });
        once
    }
}

/// The file, or what a folder has of it.
fn named(path: &Path) -> Search {
    let files = match path.is_dir() {
        true => NAMES.iter().map(|name| path.join(name)).filter(|file| file.is_file()).collect(),
        false => vec![path.to_owned()],
    };
    Search::Places { places: files.into_iter().map(Place::File).collect(), folders: vec![path.to_owned()] }
}

/// Entries of a folder whose names begin so, the last in the alphabet first: `cuda-12.4` before `cuda-11.8`.
pub(super) fn matching(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let begins = |entry: &fs::DirEntry| entry.file_name().to_str().is_some_and(|name| name.starts_with(prefix));
    let mut found: Vec<_> = entries.filter(begins).take(MOST_ENTRIES).map(|entry| entry.path()).collect();
    found.sort_by(|a, b| b.cmp(a));
    found
}
