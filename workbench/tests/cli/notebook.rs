//! `pellucid notebook` is `pellucid-notebook`: its arguments, its output, its status.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// A folder with `pellucid` alone in it.
fn alone() -> TempDir {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder for the test");
    let program = folder.path().join("pellucid");
    fs::hard_link(env!("CARGO_BIN_EXE_pellucid"), &program).expect("one file system");
    folder
}

/// A program that says what it was given.
fn put_other(folder: &Path) {
    let path = folder.join("pellucid-notebook");
    fs::create_dir_all(folder).expect("a folder");
    fs::write(&path, "#!/bin/sh\necho \"in $(dirname \"$0\"):\"\nfor word; do echo \"<$word>\"; done\nexit 7\n").expect("a program");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a program can be run");
}

fn run(folder: &Path, path: &Path, arguments: &[&str]) -> Output {
    let mut pellucid = Command::new(folder.join("pellucid"));
    pellucid.arg("notebook").args(arguments).env("PELLUCID_SOURCE", folder.join("gone"));
    let path = std::env::join_paths([path, Path::new("/bin"), Path::new("/usr/bin")]).expect("a PATH");
    pellucid.env("PATH", path).output().expect("pellucid starts")
}

#[test]
fn arguments_and_status_are_handed_over() {
    let folder = alone();
    let elsewhere = folder.path().join("on path");
    put_other(&elsewhere);
    let given = ["run", "a b.ipynb", "--param", "n=1", "--help", "-x"];
    let expected = "<run>\n<a b.ipynb>\n<--param>\n<n=1>\n<--help>\n<-x>\n";
    let found_on_path = run(folder.path(), &elsewhere, &given);
    assert_eq!(found_on_path.status.code(), Some(7));
    assert_eq!(String::from_utf8_lossy(&found_on_path.stdout), format!("in {}:\n{expected}", elsewhere.display()));
    put_other(folder.path());
    let beside = run(folder.path(), &elsewhere, &given);
    assert_eq!(String::from_utf8_lossy(&beside.stdout), format!("in {}:\n{expected}", folder.path().display()), "the one beside is first");
}

#[test]
fn what_is_missing_is_said_with_the_remedy() {
    let folder = alone();
    let output = run(folder.path(), folder.path(), &["info"]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("cargo build --release -p notebooks") && error.contains("PELLUCID_SOURCE="), "{error}");
    let help = run(folder.path(), folder.path(), &["--help"]);
    assert!(help.status.success() && String::from_utf8_lossy(&help.stdout).contains("pellucid notebook run lesson.ipynb"));
}
