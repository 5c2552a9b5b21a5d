//! The library that cells use is built once for a toolchain and a state of the source, whole or not at all.

mod checkout;

use std::fs;

use checkout::Checkout;
use notebooks::Error;
use notebooks::prebuilt::{Prebuilt, Progress, Recipe, find_or_build};

/// The build and whether anything was compiled for it.
fn build(recipe: &Recipe) -> (Prebuilt, bool) {
    let mut compiled = false;
    let built = find_or_build(recipe, &mut |progress| compiled |= matches!(progress, Progress::Compiling { .. }));
    (built.unwrap_or_else(|error| panic!("{error}")), compiled)
}

#[test]
fn it_is_built_once_and_cells_link_against_it() {
    let checkout = Checkout::new();
    let (built, compiled) = build(&checkout.recipe());
    assert!(compiled);
    assert!(!build(&checkout.recipe()).1, "a second kernel finds it");
    assert_eq!(built.externs.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["tiny_leaf", "words"]);
    checkout.write("cell.rs", "#[unsafe(no_mangle)]\npub extern \"C\" fn cell() -> i32 {\n    let leaf: pellucid::prelude::Leaf = tiny_leaf::Leaf(pellucid::seven!());\n    leaf.0\n}\n");
    let mut rustc = std::process::Command::new(&built.rustc);
    rustc.args(["--edition", "2024", "--crate-type", "cdylib", "-Cprefer-dynamic"]).arg(checkout.source().join("cell.rs"));
    rustc.arg("-o").arg(checkout.cache().join("cell.so")).arg(format!("--extern=pellucid={}", built.library.display()));
    rustc.args(built.externs.iter().map(|(name, archive)| format!("--extern={name}={}", archive.display())));
    rustc.args(built.search.iter().map(|folder| format!("-Ldependency={}", folder.display())));
    let output = rustc.output().expect("rustc starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn what_changes_it_builds_it_anew_and_nothing_else_does() {
    let checkout = Checkout::new();
    let first = build(&checkout.recipe()).0.folder;
    checkout.write("notebooks/prelude/tests/new.rs", "");
    checkout.write("README.md", "read me");
    assert!(!build(&checkout.recipe()).1, "tests and texts change no library");
    checkout.write("leaf/src/lib.rs", "#[derive(Debug)]\npub struct Leaf(pub i32);\npub const NEW: i32 = 1;\n");
    let (second, compiled) = build(&checkout.recipe());
    assert!(compiled && second.folder != first, "a source below it changed");
    let mut recipe = checkout.recipe();
    recipe.toolchain.version.push_str("another compiler\n");
    let (third, compiled) = build(&recipe);
    assert!(compiled && third.folder != second.folder, "a library is bound to its compiler");
    assert!(first.is_dir(), "this process uses it, so it is not swept");
}

#[test]
fn builds_that_nobody_uses_are_swept() {
    let checkout = Checkout::new();
    let old = ["aaaa", "bbbb", "cccc"].map(|key| checkout.cache().join(key));
    for (age, folder) in old.iter().rev().enumerate() {
        fs::create_dir_all(folder).unwrap();
        let used = fs::File::create(folder.join("in_use")).unwrap();
        used.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(3600 * (1 + age as u64))).unwrap();
    }
    fs::create_dir_all(checkout.cache().join("unfinished-1")).unwrap();
    let held = fs::File::open(old[0].join("in_use")).unwrap();
    held.lock_shared().unwrap();
    let (built, _) = build(&checkout.recipe());
    assert!(built.folder.is_dir());
    assert_eq!(old.each_ref().map(|folder| folder.is_dir()), [true, false, true], "one is in use, one is the newest but one");
    assert!(!checkout.cache().join("unfinished-1").exists());
}

#[test]
fn two_kernels_that_start_together_build_once() {
    let checkout = Checkout::new();
    let recipe = checkout.recipe();
    let both = [(); 2].map(|()| {
        let recipe = recipe.clone();
        std::thread::spawn(move || build(&recipe))
    });
    let both = both.map(|thread| thread.join().expect("it builds"));
    assert_eq!(both.iter().filter(|(_, compiled)| *compiled).count(), 1);
    assert_eq!(both[0].0.folder, both[1].0.folder);
}

#[test]
fn a_build_that_fails_leaves_nothing_half() {
    let checkout = Checkout::new();
    checkout.write("leaf/src/lib.rs", "pub struct Leaf(pub NoSuchType);\n");
    let recipe = checkout.recipe();
    let Err(Error::Build { messages, .. }) = find_or_build(&recipe, &mut |_| ()) else { panic!("it cannot be built") };
    assert!(messages.contains("NoSuchType"), "{messages}");
    let left: Vec<_> = fs::read_dir(checkout.cache()).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left, ["lock"]);
    // As a build leaves it that was cut before it had its name.
    fs::create_dir_all(checkout.cache().join("unfinished-77/dependencies")).unwrap();
    checkout.write("leaf/src/lib.rs", "#[derive(Debug)]\npub struct Leaf(pub i32);\n");
    assert!(build(&checkout.recipe()).1);
    assert!(!checkout.cache().join("unfinished-77").exists());
}

#[test]
fn a_checkout_that_is_gone_is_said_to_be_gone() {
    let checkout = Checkout::new();
    let output = checkout.program().env("PELLUCID_SOURCE", checkout.cache()).arg("build").output().expect("the program starts");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && error.contains("PELLUCID_SOURCE="), "{error}");
}
