//! What may be left of a picture in what is made from it: pixels, and nothing else.

use crate::makers::PRIVATE;

/// Words of the two-faced and the private files, and others that give a file away.
const PLANTED: [&str; 6] = ["PLANTED-ARCHIVE", "PLANTED-SCRIPT", "__HALT_COMPILER", "Exif\0", "ICC_PROFILE", "xmpmeta"];

/// Fails where `bytes` holds a word that was planted, or is a PNG with chunks beside its picture.
pub fn assert_clean(what: &str, bytes: &[u8]) {
    for word in PRIVATE.iter().chain(&PLANTED) {
        let found = bytes.windows(word.len()).any(|window| window == word.as_bytes());
        assert!(!found, "{what} holds {word}");
    }
    if bytes.starts_with(b"\x89PNG") {
        let chunks = chunks(bytes);
        assert!(chunks.iter().all(|name| ["IHDR", "IDAT", "IEND"].contains(&name.as_str())), "{what} has {chunks:?}");
        assert_eq!(chunks.last().map(String::as_str), Some("IEND"), "{what} ends with its picture");
    }
}

/// Names of all chunks; the last one ends the bytes.
fn chunks(png: &[u8]) -> Vec<String> {
    let (mut at, mut names) = (8, Vec::new());
    while let Some(head) = png.get(at..at + 8) {
        names.push(String::from_utf8_lossy(&head[4..]).into_owned());
        at += 12 + u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
    }
    assert_eq!(at, png.len(), "bytes behind the last chunk, or too few of them");
    names
}

#[test]
#[should_panic(expected = "PLANTED-NAME")]
fn a_planted_word_is_found() {
    assert_clean("a file", &crate::makers::private_jpeg()[..]);
}

#[test]
#[should_panic(expected = "tEXt")]
fn a_chunk_too_many_is_found() {
    let png = crate::pictures::png_of(&crate::pictures::lesion(16, 16));
    assert_clean("a file", &crate::pictures::with_chunk(&png, b"tEXt", b"Title\0x"));
}
