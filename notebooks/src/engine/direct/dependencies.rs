//! `:dep`: crates that are not in the library, built by cargo in a small project of their own.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use toml::{Table, Value};

use super::Direct;
use super::verdict;
use crate::engine::{CellError, Event};
use crate::error::Error;
use crate::prebuilt::Prebuilt;
use crate::prebuilt::compile::{self, Product};
use crate::prebuilt::resolved::Resolved;
use crate::prebuilt::{gather, project};

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
        let products = self.build_dependencies(&folder, &wanted, output)?;
        let beside = folder.join("crates");
        self.compiler.externs = gathered(&self.settings.prebuilt, &folder, &products, &beside)
            .map_err(|error| verdict::error("DependencyError", error.to_string()))?;
        self.compiler.search = vec![beside];
        self.dependencies = wanted;
        Ok(())
    }

    fn build_dependencies(&self, folder: &Path, wanted: &Table, output: &mut dyn FnMut(Event)) -> Result<Vec<Product>, CellError> {
        let failed = |error: &io::Error| verdict::error("DependencyError", format!("the crates could not be built: {error}"));
        let prebuilt = &self.settings.prebuilt;
        write_project(folder, wanted, &prebuilt.folder).map_err(|error| failed(&error))?;
        // Where the library was compiled, its crates are found as they went into it.
        let target = prebuilt.target.clone().filter(|target| target.is_dir()).unwrap_or_else(|| folder.join("target"));
        let mut command = compile::cargo(&prebuilt.cargo);
        command.current_dir(folder).env("RUSTC", &prebuilt.rustc).env("CARGO_TARGET_DIR", target);
        command.args(["build", "--release", "--message-format=json", "--color=always"]);
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).spawn();
        let mut child = spawned.map_err(|error| failed(&error))?;
        self.interrupts.watch(child.id());
        let products = child.stdout.take().map(|stdout| std::thread::spawn(move || products(BufReader::new(stdout))));
        for line in child.stderr.take().into_iter().flat_map(|stderr| BufReader::new(stderr).lines()).map_while(Result::ok) {
            output(Event::Stderr(format!("{line}\n")));
        }
        self.interrupts.unwatch(child.id());
        let status = child.wait().map_err(|error| failed(&error))?;
        let found = products.and_then(|reader| reader.join().ok()).unwrap_or_default();
        if self.interrupts.cancelled() {
            return Err(verdict::interrupted());
        }
        if !status.success() {
            return Err(verdict::error("DependencyError", "cargo could not build the crates; its words stand above".to_owned()));
        }
        Ok(found)
    }
}

/// Puts what the library does not have into one folder; gives what was asked for, by name.
fn gathered(prebuilt: &Prebuilt, folder: &Path, products: &[Product], beside: &Path) -> crate::error::Result<Vec<(String, PathBuf)>> {
    fs::create_dir_all(beside).map_err(Error::file("cannot make", beside))?;
    let is_held = |file: &Path| file.file_name().is_some_and(|name| prebuilt.search.iter().any(|folder| folder.join(name).exists()));
    for file in products.iter().flat_map(|product| &product.files).filter(|file| !is_held(file)) {
        gather::link(file, beside)?;
    }
    let resolved = Resolved::of(&prebuilt.cargo, &prebuilt.host, folder)?;
    let asked = resolved.dependencies(&resolved.id("cells")).into_iter().filter(|(name, _)| !project::is_held(name));
    Ok(asked.filter_map(|(name, package)| Some((name, gather::archive(products, &package)?.clone()))).collect())
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
        Some(Value::Table(table)) if !table.is_empty() => Ok(table),
        _ => Err(wrong("it names no crate".to_owned())),
    }
}

fn write_project(folder: &Path, wanted: &Table, prebuilt: &Path) -> io::Result<()> {
    fs::create_dir_all(folder.join("src"))?;
    fs::write(folder.join("src/lib.rs"), "")?;
    let mut manifest = project::read(prebuilt);
    for (name, value) in wanted {
        project::add(&mut manifest, name, value.clone());
    }
    fs::write(folder.join("Cargo.toml"), manifest.to_string())?;
    let (lock, theirs) = (folder.join("Cargo.lock"), prebuilt.join("Cargo.lock"));
    // With the library's versions as a start, most of what a crate needs is downloaded already.
    if !lock.exists() && theirs.exists() {
        fs::copy(theirs, lock)?;
    }
    Ok(())
}

/// What cargo made or found made.
fn products(output: impl BufRead) -> Vec<Product> {
    output.lines().map_while(Result::ok).filter_map(|line| compile::product(&line)).collect()
}
