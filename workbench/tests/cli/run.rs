//! One run of the program in a folder of its own, and a failure text that shows all of it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// An empty folder, gone after the test, and the program about to run in it.
pub fn setup(name: &str) -> (Dir, Pellucid) {
    let folder = tempfile::Builder::new().prefix(name).tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder for the test");
    let dir = Dir(folder);
    let pellucid = dir.pellucid();
    (dir, pellucid)
}

/// A test's folder.
pub struct Dir(TempDir);

impl Dir {
    /// The program about to run in this folder.
    pub fn pellucid(&self) -> Pellucid {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pellucid"));
        command.current_dir(self.0.path()).env("RUST_BACKTRACE", "0");
        Pellucid(command)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a file stands in a folder")).expect("the folder can be made");
        fs::write(path, bytes).expect("the file can be written");
    }

    pub fn exists(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// Names of all files in a folder of this one, sorted.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    pub fn json(&self, name: &str) -> Value {
        parse(&fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}")))
    }
}

/// JSON, or a failure that shows the text.
pub fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in:\n{text}"))
}

/// The program about to run.
pub struct Pellucid(Command);

impl Pellucid {
    pub fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.0.args(arguments);
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    /// Splits at spaces, for arguments without spaces in them.
    pub fn line(self, line: &str) -> Self {
        self.args(line.split_whitespace())
    }

    /// Runs; the status must be 0.
    pub fn succeeds(self) -> Answer {
        self.ends_with(0)
    }

    /// Runs; the status must be 1 and standard error must hold an explanation.
    pub fn fails(self) -> Answer {
        let answer = self.ends_with(1);
        assert!(answer.stderr.contains("error: "), "{}", answer.shown);
        answer
    }

    /// Runs; the status must be `code`. Whatever was asked, nobody sees a panic or an escape code in a pipe.
    pub fn ends_with(mut self, code: i32) -> Answer {
        let output = self.0.output().expect("the program starts");
        let answer = Answer::new(&self.0, &output);
        assert_eq!(output.status.code(), Some(code), "{}", answer.shown);
        assert!(!answer.stderr.contains("panicked"), "{}", answer.shown);
        let escape = '\u{1b}';
        assert!(!answer.stderr.contains(escape) && !answer.stdout.contains(escape), "escape codes in a pipe: {}", answer.shown);
        answer
    }
}

/// What a run said.
pub struct Answer {
    pub stdout: String,
    pub stderr: String,
    shown: String,
}

impl Answer {
    fn new(command: &Command, output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        let folder = command.get_current_dir().unwrap_or(Path::new("."));
        let shown = format!("\n{command:?}\nin {}: {}\n== stdout\n{stdout}\n== stderr\n{stderr}", folder.display(), output.status);
        Self { stdout, stderr, shown }
    }

    /// Fails unless standard output holds every text.
    pub fn says(&self, texts: &[&str]) -> &Self {
        texts.iter().for_each(|text| assert!(self.stdout.contains(text), "`{text}` is not on standard output{}", self.shown));
        self
    }

    /// Fails unless standard error holds every text.
    pub fn warns(&self, texts: &[&str]) -> &Self {
        texts.iter().for_each(|text| assert!(self.stderr.contains(text), "`{text}` is not on standard error{}", self.shown));
        self
    }
}

#[test]
#[should_panic(expected = "is not on standard output")]
fn a_missing_text_fails_a_test() {
    setup("missing_text").1.line("doctor").succeeds().says(&["words that doctor never says"]);
}

#[test]
#[should_panic(expected = "== stderr\nerror: ")]
fn a_wrong_status_fails_a_test_and_shows_everything() {
    setup("wrong_status").1.line("doctor --colour red").succeeds();
}
