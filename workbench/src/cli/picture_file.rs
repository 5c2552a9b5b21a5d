//! A picture from a file, or why not.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use datasets::{Decoded, Limits};

use super::explanation::Refused;
use crate::Error;
use crate::pipeline;

/// A picture and the SHA-256 of its file, or a refusal with a stable code: the decoder's, or `unreadable`.
pub fn open(file: &Path) -> Result<(Decoded, String), Refused> {
    let refuse = |code: &str, message: String| Refused { file: file.display().to_string(), code: code.into(), message };
    let bytes = read_bounded(file).map_err(|error| refuse("unreadable", format!("the file cannot be read ({error}); check its path")))?;
    match pipeline::picture(&bytes) {
        Ok(decoded) => Ok((decoded, xai::sha256(&bytes))),
        Err(Error::Picture(refusal)) => Err(refuse(refusal.code(), refusal.to_string())),
        Err(other) => Err(refuse("unreadable", other.to_string())),
    }
}

/// A file's bytes, or as many as show that it is too large.
fn read_bounded(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(Limits::default().bytes as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
