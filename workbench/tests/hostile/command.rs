//! The first door: `pellucid explain FILE`, a process for each row.

use std::fs;
use std::path::Path;
use std::time::Instant;

use serde_json::Value;
use tempfile::TempDir;

use crate::measured::{Ended, pellucid};
use crate::rows::{Expected, Row, all};

const MODEL: &str = "random:tiny_for_tests+linear:7";

/// Most memory of a run that refuses, in MiB: the program, the file, and no pixels.
const REFUSING: u64 = 100;

/// Most memory of a run that explains, in MiB: a picture at the limit and its overlay.
const EXPLAINING: u64 = 900;

/// A folder to run in and one for whatever a run would leave elsewhere.
pub struct Room {
    pub folder: TempDir,
    pub elsewhere: TempDir,
}

impl Room {
    pub fn new() -> Self {
        let folder = || tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        Self { folder: folder(), elsewhere: folder() }
    }

    pub fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.folder.path().join(name), bytes).unwrap();
    }

    pub fn explain(&self, files: &[&str]) -> Ended {
        let ended = pellucid(
            self.folder.path(),
            self.elsewhere.path(),
            &[&["explain", "--method", "rollout", "--model", MODEL, "--"], files].concat(),
        );
        assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
        assert!(names(self.elsewhere.path()).is_empty(), "left behind: {:?}", names(self.elsewhere.path()));
        ended
    }

    pub fn explanation(&self) -> Value {
        serde_json::from_slice(&fs::read(self.folder.path().join("maps/explanation.json")).unwrap()).unwrap()
    }

    pub fn map(&self, name: &str) -> Vec<u8> {
        fs::read(self.folder.path().join("maps").join(name)).unwrap()
    }
}

pub fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn every_row_by_command() {
    println!("\n| id | case | expected | seen | peak MiB | ms |\n|:--|:--|:--|:--|--:|--:|");
    let mut wrong = Vec::new();
    for row in all() {
        let (expected, seen, peak, milliseconds) = one(&row);
        println!("| {} | {} | {expected} | {seen} | {peak} | {milliseconds} |", row.id, row.what);
        if seen != expected {
            wrong.push(format!("{} {}: expected {expected}, seen {seen}", row.id, row.what));
        }
    }
    println!("| I27, I28 | words in pixels, no skin | detectors come with the reading room | – | | |");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The expected and the seen outcome, the peak memory and the time.
fn one(row: &Row) -> (String, String, u64, u128) {
    let room = Room::new();
    room.write("lesion.jpg", &row.bytes);
    let started = Instant::now();
    let ended = room.explain(&["lesion.jpg"]);
    let (milliseconds, peak) = (started.elapsed().as_millis(), ended.peak.unwrap_or(0));
    let (expected, most) = match row.expected {
        Expected::Refused(code) => (format!("refused {code}"), REFUSING),
        Expected::Noted(words) => (format!("taken, noted: {words}"), EXPLAINING),
        Expected::Taken => ("taken".to_owned(), EXPLAINING),
    };
    assert!(peak <= most, "{} {}: {peak} MiB at most, {most} are allowed", row.id, row.what);
    (expected, seen(&room, &ended, row.expected), peak, milliseconds)
}

fn seen(room: &Room, ended: &Ended, expected: Expected) -> String {
    let code = ended.stderr.split_once("lesion.jpg [").and_then(|(_, rest)| rest.split(']').next());
    match (ended.code, code) {
        (Some(1), Some(code)) => {
            assert_eq!(names(room.folder.path()), ["lesion.jpg"], "something was written");
            format!("refused {code}")
        }
        (Some(0), None) => {
            let notes = &room.explanation()["images"][0]["notes"];
            let noted = |words: &str| ended.stderr.contains("note lesion.jpg: ") && notes.to_string().contains(words);
            match expected {
                Expected::Noted(words) if noted(words) => format!("taken, noted: {words}"),
                Expected::Noted(_) => format!("taken, with {notes}"),
                _ => "taken".into(),
            }
        }
        (status, _) => format!("status {status:?}: {}", ended.stderr),
    }
}
