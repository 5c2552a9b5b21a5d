//! The small library, built once for all tests of this run, and kept for the next.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use notebooks::prebuilt::Prebuilt;

const MANIFEST: &str = r#"
[workspace]
[package]
name = "pellucid"
version = "0.1.0"
edition = "2024"
[lib]
path = "LIBRARY/lib.rs"
[dependencies]
libc = "0.2"
ndarray = "0.17"
serde_json = "1"
tokio = { version = "1", features = ["rt", "net", "macros", "time"] }
[profile.release]
debug = 0
"#;

/// The library; the first test that asks waits for its build.
pub fn prebuilt() -> &'static Prebuilt {
    static PREBUILT: OnceLock<Prebuilt> = OnceLock::new();
    PREBUILT.get_or_init(build)
}

fn build() -> Prebuilt {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("small-library");
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::create_dir_all(&folder).expect("a folder for the build");
    let manifest = MANIFEST.replace("LIBRARY", &here.join("tests/library").display().to_string());
    write_if_new(&folder.join("Cargo.toml"), &manifest);
    if !folder.join("Cargo.lock").exists() {
        // The versions of the workspace are there already, and need no network.
        fs::copy(here.join("../Cargo.lock"), folder.join("Cargo.lock")).expect("the lock file");
    }
    let (rustc, cargo) = (tool("rustc"), tool("cargo"));
    let mut command = Command::new(&cargo);
    command.current_dir(&folder).env("RUSTC", &rustc).env("CARGO_TARGET_DIR", folder.join("target")).env_remove("RUSTFLAGS");
    command.args(["rustc", "--release", "--lib", "--crate-type", "dylib", "--offline", "--", "-Cprefer-dynamic"]);
    let built = command.output().expect("cargo starts");
    assert!(built.status.success(), "the small library: {}", String::from_utf8_lossy(&built.stderr));
    let out = folder.join("target/release");
    let host = said(&rustc, &["--print", "host-tuple"]);
    let target_libdir = PathBuf::from(said(&rustc, &["--print", "target-libdir"]));
    let externs = ["ndarray", "serde_json", "tokio"].map(|name| (name.to_owned(), rlib(&out.join("deps"), name))).to_vec();
    Prebuilt {
        folder,
        library: out.join("libpellucid.so"),
        search: vec![out.join("deps")],
        externs,
        rustc,
        cargo,
        host,
        target_libdir,
        target: None,
        api: None,
    }
}

/// A file that is written anew looks changed to cargo.
fn write_if_new(path: &Path, text: &str) {
    if fs::read_to_string(path).ok().as_deref() != Some(text) {
        fs::write(path, text).expect("a file of the build");
    }
}

/// The program itself: the one on the path may be another that first looks for it.
fn tool(name: &str) -> PathBuf {
    let sysroot = PathBuf::from(said(Path::new("rustc"), &["--print", "sysroot"]));
    sysroot.join("bin").join(name)
}

fn said(program: &Path, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().expect("the compiler starts");
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

/// The library of a crate.
pub fn rlib(deps: &Path, name: &str) -> PathBuf {
    let files = fs::read_dir(deps).expect("the build's folder").filter_map(|entry| Some(entry.ok()?.path()));
    let wanted = format!("lib{name}-");
    let is_it = |path: &PathBuf| {
        path.extension().is_some_and(|end| end == "rlib")
            && path.file_name().is_some_and(|file| file.to_string_lossy().starts_with(&wanted))
    };
    files.filter(is_it).max_by_key(|path| fs::metadata(path).and_then(|file| file.modified()).ok()).expect("the crate was built")
}
