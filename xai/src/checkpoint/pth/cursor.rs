//! Reading forward through bytes; whatever lies behind the end is `None`.

/// A place in bytes; numbers are little-endian.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    pub fn at(&self) -> usize {
        self.at
    }

    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(count)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub fn u8(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    pub fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// The bytes before the next line break, which is passed over; `None` where none comes within `most` bytes.
    pub fn line(&mut self, most: usize) -> Option<&'a [u8]> {
        let rest = self.bytes.get(self.at..)?;
        let length = rest.iter().take(most).position(|byte| *byte == b'\n')?;
        self.at += length + 1;
        Some(&rest[..length])
    }
}

#[cfg(test)]
mod tests {
    use super::Cursor;

    #[test]
    fn nothing_is_read_behind_the_end() {
        let mut cursor = Cursor::new(b"\x01\x02ab\ncd", 0);
        assert_eq!((cursor.u16(), cursor.line(9), cursor.at()), (Some(0x0201), Some(&b"ab"[..]), 5));
        assert_eq!((cursor.line(9), cursor.u32(), cursor.take(usize::MAX), cursor.at()), (None, None, None, 5));
        assert_eq!((cursor.take(2), cursor.u8()), (Some(&b"cd"[..]), None));
        assert_eq!(Cursor::new(b"a", 7).u8(), None);
    }
}
