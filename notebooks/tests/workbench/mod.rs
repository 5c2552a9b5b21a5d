//! The library that users' cells see, built from this checkout into the target folder of the tests: once, and kept for the next run.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The checkout.
pub fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package stands in the checkout").to_owned()
}

/// Lets a program find this checkout and share its compiled crates.
pub fn at_home(command: &mut Command) {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let cache = std::env::var_os("PELLUCID_NOTEBOOK_CACHE").map_or_else(|| scratch.join("notebook-library"), PathBuf::from);
    command.env("PELLUCID_SOURCE", source()).env("PELLUCID_NOTEBOOK_CACHE", cache);
    command.env("CARGO_TARGET_DIR", scratch.parent().expect("scratch stands in the target folder"));
    command.env_remove("PELLUCID_MODEL").env_remove("PELLUCID_DATA");
}

/// The program, with the library built.
pub fn program() -> Command {
    let program = || {
        let mut program = Command::new(env!("CARGO_BIN_EXE_pellucid-notebook"));
        at_home(&mut program);
        program
    };
    let built = program().arg("build").output().expect("the program starts");
    assert!(built.status.success(), "the library: {}", String::from_utf8_lossy(&built.stderr));
    program()
}
