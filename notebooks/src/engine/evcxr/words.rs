//! Places in a cell: Jupyter counts characters, evcxr bytes.

/// The byte at which the character with this number begins.
pub fn bytes(code: &str, characters: usize) -> usize {
    code.char_indices().nth(characters).map_or(code.len(), |(at, _)| at)
}

/// How many characters begin before this byte.
pub fn characters(code: &str, bytes: usize) -> usize {
    code.char_indices().take_while(|(at, _)| *at < bytes).count()
}

#[cfg(test)]
mod tests {
    use super::{bytes, characters};

    #[test]
    fn places_agree() {
        let code = "ä = \"€\";";
        assert_eq!((bytes(code, 0), bytes(code, 1), bytes(code, 6), bytes(code, 99)), (0, 2, 9, code.len()));
        for at in 0..=code.chars().count() {
            assert_eq!(characters(code, bytes(code, at)), at);
        }
    }
}
