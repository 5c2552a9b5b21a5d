//! The kernel as Jupyter's own clients see it: each check of `tests/jupyter/checks.py` against a small checkout.

mod checkout;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use checkout::Checkout;

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

fn install(checkout: &Checkout, prefix: &Path) {
    let mut program = checkout.program();
    program.args(["install", "--engine", "evcxr", "--prefix"]).arg(prefix);
    succeeds(program);
}

/// Runs one check with the kernel installed in a prefix of its own.
fn check(name: &str, checkout: &Checkout, arguments: &[PathBuf]) {
    let Some(jupyter) = jupyter() else { return };
    let prefix = checkout.cache().with_file_name("prefix");
    install(checkout, &prefix);
    let mut python = Command::new(jupyter.join("bin/python"));
    python.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/jupyter/checks.py")).arg(name).args(arguments);
    python.env("JUPYTER_PATH", prefix.join("share/jupyter")).env("IPYTHONDIR", prefix.join("ipython")).env("PYTHONDONTWRITEBYTECODE", "1");
    python.env("PELLUCID_SOURCE", checkout.source()).env("PELLUCID_NOTEBOOK_CACHE", checkout.cache()).env_remove("CARGO_TARGET_DIR");
    succeeds(python);
}

fn built() -> Checkout {
    let checkout = Checkout::new();
    let mut program = checkout.program();
    program.arg("build");
    succeeds(program);
    checkout
}

#[test]
fn every_request_has_its_reply() {
    check("conversation", &built(), &[]);
}

#[test]
fn a_failed_cell_says_why_and_stops_what_waits() {
    check("failures", &built(), &[]);
}

#[test]
fn an_interrupt_keeps_variables() {
    check("interruption", &built(), &[]);
}

#[test]
fn two_kernels_do_not_disturb_each_other() {
    check("two_kernels", &built(), &[]);
}

#[test]
fn a_stranger_is_not_answered() {
    check("signatures", &built(), &[]);
}

#[test]
fn the_first_cell_shows_the_build_that_it_waits_for() {
    check("first_build", &Checkout::new(), &[]);
}

#[test]
fn nbclient_and_the_runner_agree() {
    let checkout = built();
    let cell = |id: usize, source: &str| serde_json::json!({"cell_type": "code", "id": format!("cell-{id}"), "metadata": {}, "execution_count": null, "outputs": [], "source": source});
    let notebook = |name: &str, sources: &[&str]| {
        let cells: Vec<_> = sources.iter().enumerate().map(|(id, source)| cell(id, source)).collect();
        checkout.write(name, &serde_json::json!({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).to_string());
        checkout.source().join(name)
    };
    let shows = "show(\"display\", \"a\", \"one\"); println!(\"between\"); show(\"update\", \"a\", \"two\"); println!(\"after\");";
    let good = notebook("good.ipynb", &["let n: i32 = 40;", "println!(\"a\\nb\"); n + 2", shows, ""]);
    let bad = notebook("bad.ipynb", &["panic!(\"on purpose\")"]);
    let executed = checkout.source().join("executed.ipynb");
    let mut program = checkout.program();
    program.args(["run", "--engine", "evcxr", "--out"]).arg(&executed).arg(&good);
    succeeds(program);
    check("notebooks", &checkout, &[good, bad, executed]);
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
    install(&checkout, &prefix);
    assert_eq!(listed()["spec"]["display_name"], "Rust (Pellucid)");
    assert_eq!(listed()["spec"]["interrupt_mode"], "message");
    let mut program = checkout.program();
    program.args(["uninstall", "--prefix"]).arg(&prefix);
    succeeds(program);
    assert!(listed().is_null());
}
