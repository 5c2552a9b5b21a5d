//! Huffman tables and the bits they are read from (ITU-T T.81, annexes C and F).

/// A canonical Huffman table.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// For each length 1 to 16: the code one past the last of that length, left-aligned to 16 bits.
    past: [u32; 17],
    /// For each length: what to add to a code to find its symbol.
    offset: [i32; 17],
    symbols: Vec<u8>,
}

impl Table {
    /// From the sixteen counts and the symbols; `None` when there are more codes than bits allow.
    pub(super) fn new(counts: &[u8], symbols: &[u8]) -> Option<Table> {
        let mut table = Table { past: [0; 17], offset: [0; 17], symbols: symbols.to_vec() };
        let (mut code, mut first) = (0_u32, 0_i32);
        for length in 1..=16 {
            let count = u32::from(counts[length - 1]);
            table.offset[length] = first - code as i32;
            code += count;
            first += count as i32;
            if code > 1 << length {
                return None;
            }
            table.past[length] = code << (16 - length);
            code <<= 1;
        }
        Some(table)
    }
}

/// Bits of one scan; they end where a marker begins.
#[derive(Debug)]
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    /// The next byte to take in.
    pub at: usize,
    held: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Bits<'a> {
        Bits { bytes, at, held: 0, count: 0 }
    }

    /// The next symbol; `None` when the bits end or no code fits.
    pub(super) fn symbol(&mut self, table: &Table) -> Option<u8> {
        self.fill();
        let window =
            if self.count >= 16 { (self.held >> (self.count - 16)) as u32 } else { (self.held << (16 - self.count)) as u32 } & 0xFFFF;
        let length = (1..=16).find(|length| window < table.past[*length])?;
        if length as u32 > self.count {
            return None;
        }
        self.count -= length as u32;
        let index = (window >> (16 - length)) as i32 + table.offset[length];
        table.symbols.get(usize::try_from(index).ok()?).copied()
    }

    /// The next `n` bits, at most 16, as a number; `None` when there are fewer.
    pub(super) fn take(&mut self, n: u32) -> Option<u32> {
        self.fill();
        self.count = self.count.checked_sub(n)?;
        Some((self.held >> self.count) as u32 & ((1 << n) - 1))
    }

    /// Drops the padding and steps over a restart marker; `None` when there is none.
    pub(super) fn restart(&mut self) -> Option<()> {
        self.count = 0;
        while self.bytes.get(self.at..self.at + 2) == Some(&[0xFF, 0xFF]) {
            self.at += 1;
        }
        match self.bytes.get(self.at..self.at + 2)? {
            [0xFF, 0xD0..=0xD7] => self.at += 2,
            _ => return None,
        }
        Some(())
    }

    fn fill(&mut self) {
        while self.count <= 48 {
            let Some(&byte) = self.bytes.get(self.at) else { return };
            if byte == 0xFF {
                if self.bytes.get(self.at + 1) != Some(&0) {
                    return;
                }
                self.at += 1;
            }
            self.at += 1;
            self.held = self.held << 8 | u64::from(byte);
            self.count += 8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_canonical() {
        // Two codes of two bits (00, 01), one of three (100): T.81, annex C.
        let mut counts = [0; 16];
        (counts[1], counts[2]) = (2, 1);
        let table = Table::new(&counts, &[7, 8, 9]).unwrap();
        let mut bits = Bits::new(&[0b0001_1000, 0xFF, 0xD9], 0);
        assert_eq!([bits.symbol(&table), bits.symbol(&table), bits.symbol(&table)], [Some(7), Some(8), Some(9)]);
        assert_eq!((bits.take(1), bits.take(1)), (Some(0), None));
        counts[0] = 3;
        assert!(Table::new(&counts, &[0; 6]).is_none(), "three codes of one bit");
    }

    #[test]
    fn stuffed_bytes_are_data_and_markers_are_not() {
        let mut bits = Bits::new(&[0xFF, 0x00, 0xFF, 0xD0, 0xA5], 0);
        assert_eq!((bits.take(8), bits.take(1)), (Some(0xFF), None));
        assert_eq!(bits.restart(), Some(()));
        assert_eq!((bits.take(8), bits.restart()), (Some(0xA5), None));
    }
}
