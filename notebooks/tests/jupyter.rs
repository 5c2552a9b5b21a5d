//! The kernel as Jupyter's own clients see it: each check of `tests/jupyter/checks.py` with the library that users have.

mod checkout;
mod workbench;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use checkout::Checkout;
use tempfile::TempDir;

/// The environment with Jupyter, or a loud word that there is none.
fn jupyter() -> Option<PathBuf> {
    let folder = std::env::var_os("PELLUCID_JUPYTER").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("SKIPPED: PELLUCID_JUPYTER names no environment with Jupyter; ./test provides one (notebooks/tests/tools/jupyter.sh)");
    }
    folder
}

fn succeeds(mut command: Command) -> Output {
    let output = command.output().expect("the program starts");
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{stdout}\n{stderr}", output.status);
    output
}

/// Runs one check with the kernel installed in a prefix of its own.
fn check(name: &str, arguments: &[PathBuf]) {
    let Some(jupyter) = jupyter() else { return };
    let prefix = TempDir::new().expect("a folder");
    let mut install = workbench::program();
    install.args(["install", "--prefix"]).arg(prefix.path());
    succeeds(install);
    let mut python = python(&jupyter, prefix.path(), name);
    workbench::at_home(&mut python);
    python.args(arguments);
    print!("{}", String::from_utf8_lossy(&succeeds(python).stdout));
}

fn python(jupyter: &Path, prefix: &Path, check: &str) -> Command {
    let mut python = Command::new(jupyter.join("bin/python"));
    python.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/jupyter/checks.py")).arg(check);
    python.env("JUPYTER_PATH", prefix.join("share/jupyter")).env("IPYTHONDIR", prefix.join("ipython")).env("PYTHONDONTWRITEBYTECODE", "1");
    python
}

#[test]
fn every_request_has_its_reply() {
    check("conversation", &[]);
}

#[test]
fn a_failed_cell_says_why_and_stops_what_waits() {
    check("failures", &[]);
}

#[test]
fn an_interrupt_keeps_variables() {
    check("interruption", &[]);
}

#[test]
fn an_interrupt_ends_every_long_loop_of_ours() {
    check("long_loops", &[]);
}

#[test]
fn two_kernels_do_not_disturb_each_other() {
    check("two_kernels", &[]);
}

#[test]
fn a_stranger_is_not_answered() {
    check("signatures", &[]);
}

/// A source whose library cannot be built says so in the first cell; what is shown before is the build.
#[test]
fn the_first_cell_shows_the_build_that_it_waits_for() {
    let Some(jupyter) = jupyter() else { return };
    let checkout = Checkout::new();
    let prefix = checkout.cache().with_file_name("prefix");
    let mut install = checkout.program();
    install.args(["install", "--prefix"]).arg(&prefix);
    succeeds(install);
    let mut python = python(&jupyter, &prefix, "first_build");
    python.env("PELLUCID_SOURCE", checkout.source()).env("PELLUCID_NOTEBOOK_CACHE", checkout.cache()).env_remove("CARGO_TARGET_DIR");
    succeeds(python);
}

#[test]
fn nbclient_and_the_runner_agree() {
    let folder = TempDir::new().expect("a folder");
    let cell = |id: usize, source: &str| serde_json::json!({"cell_type": "code", "id": format!("cell-{id}"), "metadata": {}, "execution_count": null, "outputs": [], "source": source});
    let notebook = |name: &str, sources: &[&str]| {
        let cells: Vec<_> = sources.iter().enumerate().map(|(id, source)| cell(id, source)).collect();
        let path = folder.path().join(name);
        let text = serde_json::json!({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).to_string();
        std::fs::write(&path, text).expect("a notebook");
        path
    };
    let shows = "let slot = pellucid::display::Slot::new(); display(&\"one\"); println!(\"between\"); println!(\"after\");";
    let lesion = "load(\"drawn\")?.explain(&drawn::lesion(7, LesionClass::Melanoma), Method::rollout())?";
    let good = notebook("good.ipynb", &["let n = 40;", "println!(\"a\\nb\"); n + 2", shows, lesion, ""]);
    let bad = notebook("bad.ipynb", &["panic!(\"on purpose\")"]);
    let executed = folder.path().join("executed.ipynb");
    let mut program = workbench::program();
    program.args(["run", "--out"]).arg(&executed).arg(&good);
    succeeds(program);
    check("notebooks", &[good, bad, executed]);
}

#[test]
fn nbclient_runs_every_lesson() {
    let folder = std::fs::read_dir(workbench::source().join("notebooks")).expect("the lessons");
    let paths = folder.filter_map(|entry| Some(entry.ok()?.path()));
    let mut lessons: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|end| end == "ipynb")).collect();
    lessons.sort();
    assert!(lessons.len() >= 6, "{lessons:?}");
    check("lessons", &lessons);
}

#[test]
fn jupyter_lists_the_kernel_while_it_is_installed() {
    let Some(jupyter) = jupyter() else { return };
    let checkout = Checkout::new();
    let prefix = checkout.cache().with_file_name("prefix");
    let listed = || {
        let mut list = Command::new(jupyter.join("bin/jupyter"));
        list.args(["kernelspec", "list", "--json"]).env("JUPYTER_PATH", prefix.join("share/jupyter"));
        serde_json::from_slice::<serde_json::Value>(&succeeds(list).stdout).expect("JSON")["kernelspecs"]["pellucid"].clone()
    };
    let mut install = checkout.program();
    install.args(["install", "--prefix"]).arg(&prefix);
    succeeds(install);
    assert_eq!(listed()["spec"]["display_name"], "Rust (Pellucid)");
    assert_eq!(listed()["spec"]["interrupt_mode"], "message");
    let resources = listed()["resource_dir"].as_str().map(PathBuf::from).expect("its folder");
    assert!(resources.join("logo-svg.svg").is_file(), "a launcher has something to show");
    let mut program = checkout.program();
    program.args(["uninstall", "--prefix"]).arg(&prefix);
    succeeds(program);
    assert!(listed().is_null());
}
