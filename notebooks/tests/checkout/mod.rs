//! A checkout as small as one can be: the library that cells use offers little more than its runtime, and is built in a second.

use std::fs;
use std::path::{Path, PathBuf};

use notebooks::prebuilt::{Recipe, Toolchain};
use tempfile::TempDir;

const WORKSPACE: &str = "[workspace]\nresolver = \"3\"\nmembers = [\"notebooks/prelude\", \"leaf\", \"words\"]\n";
const PRELUDE: &str = "[package]\nname = \"pellucid\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\ntiny-leaf = { path = \"../../leaf\" }\nwords = { path = \"../../words\" }\n";
const LEAF: &str = "[package]\nname = \"tiny-leaf\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
const WORDS: &str = "[package]\nname = \"words\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[lib]\nproc-macro = true\n";

/// Such a checkout, with a cache of its own.
pub struct Checkout {
    folder: TempDir,
}

impl Checkout {
    /// Written anew; the lock file is cargo's.
    pub fn new() -> Self {
        let checkout = Self { folder: tempfile::tempdir().expect("a folder for the checkout") };
        checkout.write("Cargo.toml", WORKSPACE);
        checkout.write("notebooks/prelude/Cargo.toml", PRELUDE);
        checkout.write("notebooks/prelude/src/lib.rs", include_str!("prelude.txt"));
        checkout.write("leaf/Cargo.toml", LEAF);
        checkout.write("leaf/src/lib.rs", "/// A value with a type of its own.\n#[derive(Debug)]\npub struct Leaf(pub i32);\n");
        checkout.write("words/Cargo.toml", WORDS);
        checkout.write(
            "words/src/lib.rs",
            "#[proc_macro]\npub fn seven(_: proc_macro::TokenStream) -> proc_macro::TokenStream {\n    \"7\".parse().unwrap()\n}\n",
        );
        let lock = std::process::Command::new("cargo").args(["generate-lockfile", "--offline"]).current_dir(checkout.source()).output();
        assert!(lock.expect("cargo starts").status.success());
        checkout
    }

    /// The folder of its `Cargo.toml`.
    pub fn source(&self) -> PathBuf {
        self.folder.path().join("a checkout")
    }

    /// Where builds are kept.
    pub fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    /// A file of it.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.source().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder in the checkout");
        fs::write(path, text).expect("a file in the checkout");
    }

    /// How it is built: in a folder of its own, since cargo takes two such checkouts in one folder for the same.
    #[allow(dead_code, reason = "not every test builds through the library")]
    pub fn recipe(&self) -> Recipe {
        let toolchain = Toolchain::of(&self.source()).expect("a toolchain");
        Recipe {
            package: "pellucid".into(),
            source: self.source(),
            cache: self.cache(),
            target: Some(self.folder.path().join("target")),
            toolchain,
        }
    }

    /// The program, which finds this checkout and keeps its builds here.
    #[allow(dead_code, reason = "not every test runs the program")]
    pub fn program(&self) -> std::process::Command {
        let mut program = std::process::Command::new(Path::new(env!("CARGO_BIN_EXE_pellucid-notebook")));
        program.env("PELLUCID_SOURCE", self.source()).env("PELLUCID_NOTEBOOK_CACHE", self.cache()).env_remove("CARGO_TARGET_DIR");
        program
    }
}
