//! `pellucid notebook`: hands over to `pellucid-notebook`, which is built apart.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};
use clap::Args;

const PROGRAM: &str = "pellucid-notebook";

/// Rust notebooks in Jupyter: install the kernel, start JupyterLab, run notebooks without it.
#[derive(Debug, Args)]
#[command(
    after_help = "Commands, each with a --help of its own; without one, JupyterLab is started:\n  install    make Jupyter know the kernel `Rust (Pellucid)`\n  uninstall  make Jupyter forget it\n  run        run a notebook without Jupyter; a failed cell is a failed run\n  build      build the library that cells use, if it is not built yet\n  info       say which toolchain, library and engine are used\n\nThey stand in a program of their own, `pellucid-notebook`, beside this one or on PATH. Where it is missing and the source is\nthere, it is built first: cargo build --release -p notebooks.\n\nExample: pellucid notebook run lesson.ipynb --out executed.ipynb --param epochs=3"
)]
pub struct Arguments {
    /// What `pellucid-notebook` is given, as it is
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    arguments: Vec<OsString>,
}

/// Only an error comes back where programs can be replaced; elsewhere the other's status.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let program = match found() {
        Some(program) => program,
        None => build()?,
    };
    let mut command = Command::new(&program);
    hand_over(command.args(&arguments.arguments)).with_context(|| format!("{} does not start", program.display()))
}

#[cfg(unix)]
fn hand_over(command: &mut Command) -> std::io::Result<ExitCode> {
    Err(std::os::unix::process::CommandExt::exec(command))
}

#[cfg(not(unix))]
fn hand_over(command: &mut Command) -> std::io::Result<ExitCode> {
    let status = command.status()?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Beside this program, else on PATH.
fn found() -> Option<PathBuf> {
    let beside = std::env::current_exe().ok().and_then(|program| Some(program.parent()?.to_path_buf()));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = beside.into_iter().chain(std::env::split_paths(&path));
    let name = format!("{PROGRAM}{}", std::env::consts::EXE_SUFFIX);
    folders.map(|folder| folder.join(&name)).find(|program| program.is_file())
}

/// Builds it where this program's source is, and shows cargo's progress.
fn build() -> anyhow::Result<PathBuf> {
    let named = std::env::var_os("PELLUCID_SOURCE").map(PathBuf::from);
    let source = named.or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf)).unwrap_or_default();
    if !source.join("notebooks/Cargo.toml").is_file() {
        bail!(
            "{PROGRAM} is neither beside this program nor on PATH, and the source is not at {}; in a checkout: cargo build --release -p notebooks, \
             or say where it is: PELLUCID_SOURCE=path/to/checkout",
            source.display()
        );
    }
    eprintln!("{PROGRAM} is not built yet; once, some minutes: cargo build --release -p notebooks");
    let arguments = ["build", "--release", "--locked", "-p", "notebooks"];
    let status = Command::new("cargo")
        .args(arguments)
        .current_dir(&source)
        .status()
        .context("cargo does not start; get Rust from https://rustup.rs")?;
    if !status.success() {
        bail!("{PROGRAM} was not built; what cargo says stands above");
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| source.join("target"), |target| source.join(target));
    let program = target.join("release").join(format!("{PROGRAM}{}", std::env::consts::EXE_SUFFIX));
    if program.is_file() {
        Ok(program)
    } else {
        bail!("{} is not there after it was built; is another target folder configured?", program.display())
    }
}
