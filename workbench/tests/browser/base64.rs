//! Screenshots travel as base64 (RFC 4648, section 4).

/// The bytes of a text with or without padding.
pub fn base64(text: &str) -> Vec<u8> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0);
    for letter in text.bytes().filter(|letter| *letter != b'=') {
        let value = LETTERS.iter().position(|known| *known == letter).expect("base64") as u32;
        (bits, held) = ((bits << 6) | value, held + 6);
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    bytes
}

#[test]
fn base64_reads_what_others_wrote() {
    assert_eq!(base64("UGVsbHVjaWQ="), b"Pellucid");
    assert_eq!(base64("/+8="), [0xFF, 0xEF]);
}
