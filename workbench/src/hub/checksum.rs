//! The two checksums by which the hub names a file's contents.

use std::fmt;

use sha1::Sha1;
use sha2::{Digest, Sha256};

/// What the hub says a file's bytes hash to; its hexadecimal digits are the file's name in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Checksum {
    /// SHA-256 of the bytes: large files, which git keeps elsewhere.
    Sha256(String),
    /// SHA-1 of `blob SIZE\0` and the bytes, as git names an object: small files.
    GitBlob(String),
}

impl Checksum {
    /// Reads an entity tag; `None` where it is neither of the two.
    pub fn parse(tag: &str) -> Option<Self> {
        let digits = tag.trim().trim_start_matches("W/").trim_matches('"').to_ascii_lowercase();
        let hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        match digits.len() {
            64 if hexadecimal => Some(Self::Sha256(digits)),
            40 if hexadecimal => Some(Self::GitBlob(digits)),
            _ => None,
        }
    }

    /// The hexadecimal digits.
    pub fn digits(&self) -> &str {
        match self {
            Self::Sha256(digits) | Self::GitBlob(digits) => digits,
        }
    }

    /// Begins to sum up a file of `size` bytes in the same way.
    pub fn begin(&self, size: u64) -> Sum {
        match self {
            Self::Sha256(_) => Sum::Sha256(Sha256::new()),
            Self::GitBlob(_) => Sum::GitBlob(Sha1::new().chain_update(format!("blob {size}\0"))),
        }
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sha256(digits) => write!(f, "SHA-256 {digits}"),
            Self::GitBlob(digits) => write!(f, "git SHA-1 {digits}"),
        }
    }
}

/// A checksum in the making.
#[derive(Clone)]
pub(super) enum Sum {
    Sha256(Sha256),
    GitBlob(Sha1),
}

impl Sum {
    pub fn add(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(sum) => sum.update(bytes),
            Self::GitBlob(sum) => sum.update(bytes),
        }
    }

    pub fn finish(self) -> Checksum {
        let hexadecimal = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match self {
            Self::Sha256(sum) => Checksum::Sha256(hexadecimal(&sum.finalize())),
            Self::GitBlob(sum) => Checksum::GitBlob(hexadecimal(&sum.finalize())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_are_those_of_git_and_sha256sum() {
        // `printf hello | git hash-object --stdin` and `printf hello | sha256sum`.
        for digits in ["b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"] {
            for tag in [digits.to_owned(), format!("\"{digits}\""), format!("W/\"{digits}\"")] {
                let wanted = Checksum::parse(&tag).unwrap();
                let mut sum = wanted.begin(5);
                sum.add(b"hel");
                sum.add(b"lo");
                assert_eq!(sum.finish(), wanted);
                assert_eq!(wanted.digits(), digits);
            }
        }
    }

    #[test]
    fn other_tags_are_no_checksums() {
        for tag in ["", "\"\"", "abc", "../../../../../../../../../../etc/passwd", &"g".repeat(40), &"0".repeat(41), &"a-".repeat(32)] {
            assert_eq!(Checksum::parse(tag), None, "{tag}");
        }
    }
}
