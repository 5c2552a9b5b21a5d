//! What must hold for any bytes at all; called by the fuzz target in `datasets/fuzz` and by `datasets/tests/fuzz_corpus.rs`.

use super::Limits;

/// Limits small enough for many runs a second.
const LIMITS: Limits =
    Limits { bytes: 1 << 20, smallest_side: 1, side: 512, pixels: 1 << 16, memory: 16 << 20, scans: 16, scan_work: 1 << 20 };
/// Where a PNG's first chunk begins.
const PNG_CHUNKS: usize = 8;

/// Bytes are refused with a code, or become a picture within the limits, the same on every call; a PNG is tried a second time with its checksums put
/// right, which chance never finds.
pub fn decode(bytes: &[u8]) {
    once(bytes);
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        once(&with_checksums(bytes));
    }
}

fn once(bytes: &[u8]) {
    match super::decode(bytes, &LIMITS) {
        // A panic of the pixel decoders is caught where they are called; here it is a finding all the same.
        Err(refusal) => assert!(!refusal.to_string().contains("the decoder gave up"), "{refusal}"),
        Ok(decoded) => {
            let (width, height) = decoded.image.dimensions();
            assert!((1..=LIMITS.side).contains(&width) && (1..=LIMITS.side).contains(&height), "{width} × {height}");
            assert!(super::decode(bytes, &LIMITS).is_ok_and(|again| again == decoded), "two calls differ");
        }
    }
}

/// The same chunks with the checksums that belong to them, as far as the chunks hold together.
fn with_checksums(bytes: &[u8]) -> Vec<u8> {
    let mut repaired = bytes.to_vec();
    let mut at = PNG_CHUNKS;
    while let Some(length) = repaired.get(at..at + 4).and_then(|four| four.try_into().ok()).map(u32::from_be_bytes) {
        let end = at + 8 + length as usize;
        let (Some(chunk), true) = (repaired.get(at + 4..end), repaired.len() >= end + 4) else { break };
        let checksum = crc32fast::hash(chunk).to_be_bytes();
        repaired[end..end + 4].copy_from_slice(&checksum);
        at = end + 4;
    }
    repaired
}
