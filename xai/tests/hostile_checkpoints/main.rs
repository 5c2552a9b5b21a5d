//! Hostile checkpoints and how the library ends on each: the listed outcome and code, no panic, little memory, nothing written.
//!
//! `cargo test --release -p xai --test hostile_checkpoints -- --nocapture` prints the table. The same rows go through the
//! program, under a limit of its address space, in `workbench/tests/hostile_checkpoints.rs`.

mod heap;
mod rows;
mod swaps;

use std::path::Path;

use rows::{Outcome, Row};
use xai::{Device, LoadOptions, Pickles, Vit};

/// Whatever a file claims, no more is taken than this and a few times its own size.
const MOST_HEAP: usize = 64 << 20;

#[test]
fn every_row_ends_as_listed() {
    let rows = rows::all();
    let mut wrong = Vec::new();
    println!("| id | input | bytes | expected | seen | heap |\n|:--|:--|--:|:--|:--|--:|");
    for row in &rows {
        let folder = tempfile::tempdir().unwrap();
        row.files.iter().for_each(|(name, bytes)| std::fs::write(folder.path().join(name), bytes).unwrap());
        let bytes: usize = row.files.iter().map(|(_, bytes)| bytes.len()).sum();
        let (seen, heap) = heap::most(|| load(folder.path(), row));
        let seen = seen.map_or_else(|code| format!("refused: {code}"), |()| "loads".into());
        let expected = match row.expected {
            Outcome::Loads => "loads".to_owned(),
            Outcome::Refused(code) => format!("refused: {code}"),
        };
        println!("| {} | {} | {bytes} | {expected} | {seen} | {:.1} MB |", row.id, row.what, heap as f64 / 1e6);
        let kept = std::fs::read_dir(folder.path()).unwrap().count() == row.files.len();
        if seen != expected || heap > MOST_HEAP + 4 * bytes || !kept {
            wrong.push(format!("{} {}: {expected} was expected, {seen}; {heap} bytes of heap; nothing written: {kept}", row.id, row.what));
        }
    }
    println!("{} rows", rows.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let listed = ["K01", "K02", "K03", "K04", "K05", "K06", "K07", "K08", "K09", "K10", "K12"]; // K11 is in `swaps`
    assert!(listed.iter().all(|id| rows.iter().any(|row| row.id == *id)), "a row of the list has no input");
}

/// A panic would end the test; a refusal gives its code.
fn load(folder: &Path, row: &Row) -> Result<(), &'static str> {
    let options = LoadOptions { pickles: Pickles::InProcess, sha256: row.sha256.clone(), ..LoadOptions::default() };
    Vit::load_with(&folder.join(&row.path), &options, &Device::Cpu).map(drop).map_err(|refused| refused.code())
}
