//! Asks rustdoc for a crate's documentation as JSON, against libraries that are built already.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// A crate to document.
#[derive(Clone, Debug)]
pub struct Documented {
    /// The name by which it is used.
    pub name: String,
    /// Its `lib.rs`.
    pub source: PathBuf,
    /// Its features that are on.
    pub features: Vec<String>,
    /// The crates that it uses, with their libraries.
    pub externs: Vec<(String, PathBuf)>,
}

/// The documentation of a crate, as rustdoc's JSON has it.
///
/// Cargo would compile every dependency once more to do the same.
///
/// # Errors
///
/// Where rustdoc, which stands beside `rustc`, fails; its words are in the error.
pub fn document(krate: &Documented, rustc: &Path, search: &[PathBuf]) -> io::Result<Value> {
    let folder = tempfile::tempdir()?;
    let mut command = Command::new(rustc.with_file_name("rustdoc"));
    // The JSON output is not stable yet, and the compiler that reads it here is always the one that wrote it.
    command.env("RUSTC_BOOTSTRAP", "1").args(["-Zunstable-options", "--output-format=json", "--edition=2024", "--cap-lints=allow"]);
    command.arg("--crate-name").arg(&krate.name).arg(&krate.source).arg("-o").arg(folder.path()).stdin(Stdio::null());
    for feature in &krate.features {
        command.arg("--cfg").arg(format!("feature=\"{feature}\""));
    }
    for (name, path) in &krate.externs {
        command.arg("--extern").arg(format!("{name}={}", path.display()));
    }
    command.args(search.iter().map(|folder| format!("-Ldependency={}", folder.display())));
    let output = command.output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!("rustdoc of {}: {}", krate.name, String::from_utf8_lossy(&output.stderr))));
    }
    let json = std::fs::read(folder.path().join(format!("{}.json", krate.name)))?;
    serde_json::from_slice(&json).map_err(io::Error::other)
}
