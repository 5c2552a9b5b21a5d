//! The hostile checkpoints of `xai/tests/hostile_checkpoints` through the program: a sentence with the listed code, no panic, no
//! file written, nothing run, and all of it, the reading child included, inside 1 GiB of address space.
#![cfg(unix)]

#[path = "../../xai/tests/hostile_checkpoints/rows/mod.rs"]
mod rows;

use std::path::Path;
use std::process::{Command, Output};

use rows::{Outcome, Row};

const KIB_OF_ADDRESS_SPACE: u32 = 1 << 20;

#[test]
fn every_row_ends_as_listed_within_its_limit() {
    let mut wrong = Vec::new();
    let rows = rows::all();
    println!("| id | input | expected | seen |\n|:--|:--|:--|:--|");
    for row in &rows {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        row.files.iter().for_each(|(name, bytes)| std::fs::write(folder.path().join(name), bytes).unwrap());
        let output = run(folder.path(), row);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let expected = match row.expected {
            Outcome::Loads => "loads".to_owned(),
            Outcome::Refused(code) => format!("refused: {code}"),
        };
        let seen = match output.status.code() {
            Some(0) => "loads".to_owned(),
            Some(1) => format!("refused: {}", code(&said)),
            _ => format!("{}", output.status),
        };
        println!("| {} | {} | {expected} | {seen} |", row.id, row.what);
        let kept = std::fs::read_dir(folder.path()).unwrap().count() == row.files.len();
        let clean = !said.contains("panicked") && !said.chars().any(|c| c.is_control() && c != '\n');
        if seen != expected || !kept || !clean {
            wrong.push(format!("{} {}: {expected} was expected, {seen}; nothing written: {kept}\n{said}", row.id, row.what));
        }
    }
    assert!(wrong.is_empty() && rows.len() > 140, "{} rows\n{}", rows.len(), wrong.join("\n"));
}

/// Loads the model and says its size; no picture is asked for, so no file has a reason to appear.
fn run(folder: &Path, row: &Row) -> Output {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &format!("ulimit -v {KIB_OF_ADDRESS_SPACE} && exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_pellucid")]);
    shell.args(["trace", "--model", &row.path]).args(row.sha256.iter().flat_map(|hash| ["--sha256", hash]));
    shell.current_dir(folder).env("RAYON_NUM_THREADS", "2").output().expect("the shell starts")
}

/// The last word in brackets.
fn code(said: &str) -> &str {
    said.trim_end().rsplit_once('[').map_or(said, |(_, code)| code.trim_end_matches(']'))
}
