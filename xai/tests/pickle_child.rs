//! The program that reads a pickle for another is not trusted: it may hang, lie, shout or die.
#![cfg(unix)]

use std::time::{Duration, Instant};

use xai::{ChildProgram, Error, LoadOptions, Pickles, to_safetensors};

/// What comes of a file when a shell's `script` is the reading program.
fn read_by(script: &str) -> Result<Vec<u8>, Error> {
    let file = tempfile::Builder::new().suffix(".pth").tempfile().unwrap();
    std::fs::write(file.path(), b"PK\x03\x04").unwrap();
    let arguments = ["-c", script].map(Into::into).into();
    let child = ChildProgram { program: "/bin/sh".into(), arguments, time_limit: Some(Duration::from_secs(2)) };
    let options = LoadOptions { pickles: Pickles::InChild(child), ..LoadOptions::default() };
    to_safetensors(file.path(), &options).map(|converted| converted.safetensors)
}

#[test]
fn a_reader_that_fails_is_a_typed_refusal() {
    let good = r#"{"Converted":{"sha256":"0","notes":[]}}"#;
    let cases = [
        ("exit 0".to_owned(), "reader-died"),
        ("exit 3".to_owned(), "reader-died"),
        ("kill -9 $$".to_owned(), "reader-died"),
        ("echo panicked at >&2; exit 101".to_owned(), "reader-died"),
        ("while echo yes; do :; done".to_owned(), "reader-died"),
        ("while echo yes >&2; do :; done".to_owned(), "reader-died"),
        (format!("echo '{good}' >&2; exit 1"), "reader-died"),
        (format!("echo '{good}' >&2"), "incomplete"),
        (format!("echo GIF89a.; echo '{good}' >&2"), "header-too-long"),
        (r#"echo '{"Refused":{"code":"hash-mismatch","problem":"as told"}}' >&2; exit 1"#.to_owned(), "hash-mismatch"),
        (r#"echo '{"Refused":{"code":"no-such-code","problem":"as told"}}' >&2; exit 1"#.to_owned(), "reader-died"),
    ];
    for (script, code) in cases {
        let refused = read_by(&script).unwrap_err();
        assert_eq!(refused.code(), code, "{script}: {refused}");
    }
}

#[test]
fn a_reader_that_hangs_is_ended() {
    let started = Instant::now();
    let refused = read_by("exec sleep 600").unwrap_err();
    assert_eq!(refused.code(), "time-limit", "{refused}");
    assert!(started.elapsed() < Duration::from_secs(60), "ended after {:?}", started.elapsed());
}

#[test]
fn a_reader_that_is_not_there_is_named() {
    let file = tempfile::Builder::new().suffix(".pth").tempfile().unwrap();
    let child = ChildProgram { program: "/no/such/program".into(), arguments: Vec::new(), time_limit: None };
    let options = LoadOptions { pickles: Pickles::InChild(child), ..LoadOptions::default() };
    let refused = to_safetensors(file.path(), &options).unwrap_err();
    assert!(refused.code() == "reader-died" && refused.to_string().contains("/no/such/program"), "{refused}");
}

/// What a child writes is checked as any file: here a whole safetensors file that claims an overflowing shape.
#[test]
fn a_reader_that_writes_a_hostile_file_gains_nothing() {
    let header = r#"{"w":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,8]}}"#;
    let script = format!(
        r#"printf '\{:o}\0\0\0\0\0\0\0%s12345678' '{header}'; echo '{{"Converted":{{"sha256":"0","notes":[]}}}}' >&2"#,
        header.len()
    );
    assert_eq!(read_by(&script).unwrap_err().code(), "bad-shape");
}
