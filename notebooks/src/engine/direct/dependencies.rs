//! `:dep`: crates that are not in the library, built by cargo in a small project of their own.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use toml::{Table, Value as Toml};

use super::Direct;
use super::verdict;
use crate::engine::{CellError, Event};

impl Direct {
    /// Adds what `text` says; the crate is there from the next line on.
    pub(super) fn add_dependency(&mut self, text: &str, output: &mut dyn FnMut(Event)) -> Result<(), CellError> {
        let mut wanted = self.dependencies.clone();
        for (name, value) in read(text)? {
            let as_named = name.replace('-', "_");
            if as_named == "pellucid" || self.settings.prebuilt.externs.iter().any(|(held, _)| *held == as_named) {
                output(Event::Stdout(format!("`{name}` is in the library already: its types are the ones that the workbench uses.\n")));
            } else {
                wanted.insert(name, value);
            }
        }
        if wanted == self.dependencies {
            return Ok(());
        }
        let folder = self.compiler.folder.join("dependencies");
        let built = self.build_dependencies(&folder, &wanted, output)?;
        self.dependencies = wanted;
        self.compiler.externs = built;
        let release = folder.join("target/release");
        self.compiler.search = vec![release.join("deps")];
        Ok(())
    }

    fn build_dependencies(
        &self,
        folder: &Path,
        wanted: &Table,
        output: &mut dyn FnMut(Event),
    ) -> Result<Vec<(String, PathBuf)>, CellError> {
        let failed = |error: &io::Error| verdict::error("DependencyError", format!("the crates could not be built: {error}"));
        write_project(folder, wanted, &self.settings.prebuilt.folder).map_err(|error| failed(&error))?;
        let mut command = Command::new(&self.settings.prebuilt.cargo);
        command.current_dir(folder).env("RUSTC", &self.settings.prebuilt.rustc).env("CARGO_TARGET_DIR", folder.join("target"));
        command.env_remove("RUSTFLAGS").args(["build", "--release", "--message-format=json", "--color=always"]);
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).spawn();
        let mut child = spawned.map_err(|error| failed(&error))?;
        self.interrupts.watch(child.id());
        let artefacts = child.stdout.take().map(|stdout| std::thread::spawn(move || artefacts(BufReader::new(stdout))));
        for line in child.stderr.take().into_iter().flat_map(|stderr| BufReader::new(stderr).lines()).map_while(Result::ok) {
            output(Event::Stderr(format!("{line}\n")));
        }
        self.interrupts.unwatch(child.id());
        let status = child.wait().map_err(|error| failed(&error))?;
        let found = artefacts.and_then(|reader| reader.join().ok()).unwrap_or_default();
        if self.interrupts.cancelled() {
            return Err(verdict::interrupted());
        }
        if !status.success() {
            return Err(verdict::error("DependencyError", "cargo could not build the crates; its words stand above".to_owned()));
        }
        Ok(wanted.iter().filter_map(|(name, value)| extern_of(name, value, &found)).collect())
    }
}

/// `name`, `name = "1"`, `name = { … }`, or `{ a = "1", b = "2" }`.
fn read(text: &str) -> Result<Table, CellError> {
    let text = text.trim();
    let manifest = match text {
        all if all.starts_with('{') => format!("dependencies = {all}"),
        one if one.contains('=') => format!("[dependencies]\n{one}"),
        name => format!("[dependencies]\n{name} = \"*\""),
    };
    let parsed: Result<Table, _> = manifest.parse();
    let wrong =
        |what: String| verdict::error("CommandError", format!("`:dep {text}` is no dependency: {what}; write `:dep name = \"1.2\"`"));
    match parsed.map_err(|error| wrong(error.message().to_owned()))?.remove("dependencies") {
        Some(Toml::Table(table)) if !table.is_empty() => Ok(table),
        _ => Err(wrong("it names no crate".to_owned())),
    }
}

fn write_project(folder: &Path, wanted: &Table, prebuilt: &Path) -> io::Result<()> {
    fs::create_dir_all(folder.join("src"))?;
    fs::write(folder.join("src/lib.rs"), "")?;
    let mut manifest: Table =
        "[workspace]\n[package]\nname = \"cells\"\nedition = \"2024\"\n[profile.release]\ndebug = 0".parse().map_err(io::Error::other)?;
    manifest.insert("dependencies".to_owned(), Toml::Table(wanted.clone()));
    fs::write(folder.join("Cargo.toml"), manifest.to_string())?;
    let (lock, theirs) = (folder.join("Cargo.lock"), prebuilt.join("Cargo.lock"));
    // With the library's versions as a start, most of what a crate needs is downloaded already.
    if !lock.exists() && theirs.exists() {
        fs::copy(theirs, lock)?;
    }
    Ok(())
}

/// The libraries that cargo made, by the name of their package and of their library.
fn artefacts(output: impl BufRead) -> BTreeMap<(String, String), PathBuf> {
    let messages = output.lines().map_while(Result::ok).filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    messages.filter(|message| message["reason"] == "compiler-artifact").filter_map(|message| artefact(&message)).collect()
}

fn artefact(message: &Value) -> Option<((String, String), PathBuf)> {
    let mut files = message["filenames"].as_array()?.iter().filter_map(Value::as_str);
    let library = files.rfind(|file| file.ends_with(".rlib") || file.ends_with(".so"))?;
    let id = message["package_id"].as_str()?;
    // `registry+…#name@1.2.3`, or `path+…/folder#1.2.3` where the folder has the package's name.
    let (place, version) = id.rsplit_once('#')?;
    let package = version.split_once('@').map_or_else(|| place.rsplit('/').next().unwrap_or_default(), |(name, _)| name);
    let name = message["target"]["name"].as_str()?.replace('-', "_");
    Some(((package.to_owned(), name), PathBuf::from(library)))
}

/// What a cell calls a dependency, and where its library is.
fn extern_of(name: &str, value: &Toml, found: &BTreeMap<(String, String), PathBuf>) -> Option<(String, PathBuf)> {
    let package = value.get("package").and_then(Toml::as_str);
    let path = found.iter().find(|((of, _), _)| of == package.unwrap_or(name)).or_else(|| {
        let as_named = name.replace('-', "_");
        found.iter().find(|((_, library), _)| *library == as_named)
    });
    let ((_, library), path) = path?;
    let named = if package.is_some() { name.replace('-', "_") } else { library.clone() };
    Some((named, path.clone()))
}
