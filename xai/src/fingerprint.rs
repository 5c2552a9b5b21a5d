//! Fingerprints of weights, pictures and recipes.

use sha2::{Digest, Sha256};

/// SHA-256 in hexadecimal.
///
/// ```
/// assert!(xai::sha256(b"").starts_with("e3b0c44298fc1c14"));
/// ```
pub fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
