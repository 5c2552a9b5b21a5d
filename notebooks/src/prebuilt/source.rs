//! What is built and with what: the checkout, the package, the toolchain, the cache.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, Result};

/// What decides a build.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// The package that becomes a dynamic library; its features are its default ones.
    pub package: String,
    /// The checkout: the folder of the workspace's `Cargo.toml` and `Cargo.lock`.
    pub source: PathBuf,
    /// Where builds are kept.
    pub cache: PathBuf,
    /// Where cargo compiles; without one, where an ordinary build would.
    pub target: Option<PathBuf>,
    /// What compiles it.
    pub toolchain: Toolchain,
}

/// A Rust toolchain.
#[derive(Clone, Debug)]
pub struct Toolchain {
    /// What `rustc -vV` prints: a library is bound to exactly this compiler.
    pub version: String,
    /// The compiler itself.
    pub rustc: PathBuf,
    /// Its cargo.
    pub cargo: PathBuf,
    /// The target triple.
    pub host: String,
    /// Where the standard library is.
    pub target_libdir: PathBuf,
}

impl Recipe {
    /// The workbench from its checkout, under the user's cache.
    ///
    /// | variable | says |
    /// |---|---|
    /// | `PELLUCID_SOURCE` | where the checkout is; else where this program was built |
    /// | `PELLUCID_NOTEBOOK_CACHE` | where builds are kept; else `pellucid/notebooks` under `XDG_CACHE_HOME` or `~/.cache` |
    ///
    /// # Errors
    /// When the checkout is gone, or no toolchain is found.
    pub fn from_env() -> Result<Self> {
        let built_in = Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default();
        let source = variable("PELLUCID_SOURCE").unwrap_or(built_in);
        if !source.join("notebooks/prelude/Cargo.toml").is_file() || !source.join("Cargo.lock").is_file() {
            return Err(Error::NoSource { path: source });
        }
        let toolchain = Toolchain::of(&source)?;
        Ok(Self { package: "pellucid".into(), source, cache: cache_folder()?, target: None, toolchain })
    }
}

/// Where builds are kept.
///
/// # Errors
/// When neither a variable nor a home says where.
pub fn cache_folder() -> Result<PathBuf> {
    let user = || variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")));
    let named = variable("PELLUCID_NOTEBOOK_CACHE").or_else(|| user().map(|cache| cache.join("pellucid/notebooks")));
    named.ok_or_else(|| Error::Toolchain {
        what: "there is no folder for a cache: HOME is not set".into(),
        remedy: "set PELLUCID_NOTEBOOK_CACHE to a folder with 2 GB free".into(),
    })
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

impl Toolchain {
    /// The one that cargo would use in this folder.
    ///
    /// # Errors
    /// When there is none, or when its standard library has no dynamic form.
    pub fn of(folder: &Path) -> Result<Self> {
        let rustc = variable("RUSTC").unwrap_or_else(|| "rustc".into());
        let version = ask(&rustc, &["-vV"], folder)?;
        let printed = ask(&rustc, &["--print", "sysroot", "--print", "target-libdir"], folder)?;
        let mut lines = printed.lines().map(PathBuf::from);
        let (sysroot, target_libdir) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default().to_owned();
        // The tools themselves start faster than rustup's proxies; a distribution may keep them elsewhere.
        let tool = |name: &str, otherwise: PathBuf| Some(sysroot.join("bin").join(name)).filter(|tool| tool.is_file()).unwrap_or(otherwise);
        let found = Self { rustc: tool("rustc", rustc), cargo: tool("cargo", "cargo".into()), version, host, target_libdir };
        found.has_dynamic_std()?;
        Ok(found)
    }

    /// Some distributions leave the dynamic standard library out, and say so only when a cell is linked.
    fn has_dynamic_std(&self) -> Result<()> {
        let files = std::fs::read_dir(&self.target_libdir).into_iter().flatten().flatten();
        let (start, ending) = (format!("{}std-", std::env::consts::DLL_PREFIX), std::env::consts::DLL_SUFFIX);
        let found = files
            .map(|file| file.file_name().to_string_lossy().into_owned())
            .any(|name| name.starts_with(&start) && name.ends_with(ending));
        if found {
            return Ok(());
        }
        Err(Error::Toolchain {
            what: format!(
                "{} has no dynamic standard library ({start}*{ending}), which cells are linked against",
                self.target_libdir.display()
            ),
            remedy: "some distributions (Fedora is one) leave it out: install Rust with rustup, https://rustup.rs".into(),
        })
    }
}

fn ask(rustc: &Path, arguments: &[&str], folder: &Path) -> Result<String> {
    let missing = |why: String| Error::Toolchain {
        what: format!("{} does not answer: {why}", rustc.display()),
        remedy: "cells are compiled by Rust's own compiler: install it from https://rustup.rs, and open a new terminal".into(),
    };
    let answer = Command::new(rustc).args(arguments).current_dir(folder).output().map_err(|error| missing(error.to_string()))?;
    if !answer.status.success() {
        return Err(missing(String::from_utf8_lossy(&answer.stderr).trim().to_owned()));
    }
    Ok(String::from_utf8_lossy(&answer.stdout).into_owned())
}
