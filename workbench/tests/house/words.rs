//! Words that may not stand in the code.

use crate::repository::{File, files};
use crate::{assert_allowed, assert_found, assert_none};

// Written in two pieces, so that this file keeps its own rule.
const UNFINISHED: [&str; 4] = [concat!("to", "do!("), concat!("unimple", "mented!("), concat!("#[ig", "nore"), concat!("db", "g!(")];
const MACHINE: [&str; 5] =
    [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/"), concat!("C:", "\\Users")];
/// What `vit` would have to name to know an explanation method.
const OF_METHODS: [&str; 5] = ["crate::method", "super::method", "Method::", "crate::explain", "Rollout"];

fn unfinished(files: &[File]) -> Vec<String> {
    mentions(files.iter().filter(|file| file.ends_in(&["rs"])), &UNFINISHED, |_| true)
}

/// Absolute paths of somebody's machine; `a/b` inside a longer path or address is none.
fn machine_paths(files: &[File]) -> Vec<String> {
    let absolute = |before: &str| !before.ends_with(|c: char| c.is_alphanumeric() || "._-~}>)*".contains(c));
    mentions(files.iter(), &MACHINE, absolute)
}

fn methods_inside_the_engine(files: &[File]) -> Vec<String> {
    mentions(files.iter().filter(|file| file.path.starts_with("xai/src/vit/")), &OF_METHODS, |_| true)
}

/// Every line that holds one of `words` after a text that `counts`.
fn mentions<'a>(files: impl Iterator<Item = &'a File>, words: &[&str], counts: impl Fn(&str) -> bool) -> Vec<String> {
    let mut breaches = Vec::new();
    for file in files {
        for (number, line) in file.text.lines().enumerate() {
            if words.iter().any(|word| line.match_indices(word).any(|(at, _)| counts(&line[..at]))) {
                breaches.push(format!("{}:{}: {}", file.path, number + 1, line.trim().chars().take(120).collect::<String>()));
            }
        }
    }
    breaches
}

#[test]
fn nothing_is_left_unfinished() {
    assert_none("unfinished or silenced code", &unfinished(&files()));
    for word in UNFINISHED {
        assert_found(unfinished, "xai/src/a.rs", &format!("fn a() {{ {word}) }}"));
    }
}

#[test]
fn no_path_of_a_machine_is_written_down() {
    assert_none("paths of a machine", &machine_paths(&files()));
    for path in MACHINE {
        assert_found(machine_paths, "xai/src/a.rs", &format!("let folder = \"{path}\";"));
    }
    assert_allowed(machine_paths, "README.md", &format!("[pages](docs{}page.md)", MACHINE[2]));
}

#[test]
fn the_engine_knows_no_method() {
    let files = files();
    assert!(files.iter().any(|file| file.path == "xai/src/vit/mod.rs"), "the engine has moved: this rule sees nothing");
    assert_none("methods inside the engine", &methods_inside_the_engine(&files));
    assert_found(methods_inside_the_engine, "xai/src/vit/block.rs", "use crate::method::Rollout;");
}
