//! The one thing read from EXIF: the orientation.

/// Most directory entries looked at; real files have a few dozen.
const ENTRIES: usize = 512;
const ORIENTATION: u16 = 0x0112;

/// Orientation 1 to 8 from a TIFF block (what follows `Exif\0\0`); 1 when it is missing or makes no sense.
///
/// Only the first directory is read, in one pass and never further than [`ENTRIES`], so loops and huge counts cost nothing.
pub(super) fn orientation(tiff: &[u8]) -> u8 {
    find(tiff).filter(|value| (1..=8).contains(value)).map_or(1, |value| value as u8)
}

fn find(tiff: &[u8]) -> Option<u16> {
    let little = match tiff.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let short = |at: usize| {
        let pair = tiff.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) })
    };
    let directory = match (short(4)?, short(6)?) {
        (low, high) if little => usize::from(high) << 16 | usize::from(low),
        (high, low) => usize::from(high) << 16 | usize::from(low),
    };
    let count = usize::from(short(directory)?).min(ENTRIES);
    let entry = (0..count).map(|n| directory + 2 + 12 * n).find(|at| short(*at) == Some(ORIENTATION))?;
    // Type 3 is an unsigned short, the only one the standard allows here.
    if short(entry + 2)? == 3 { short(entry + 8) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(little: bool, count: u16, value: u16) -> Vec<u8> {
        let short = |v: u16| if little { v.to_le_bytes() } else { v.to_be_bytes() };
        let long = |v: u32| if little { v.to_le_bytes() } else { v.to_be_bytes() };
        let mut bytes = if little { b"II*\0".to_vec() } else { b"MM\0*".to_vec() };
        bytes.extend(long(8));
        bytes.extend(short(count));
        bytes.extend([short(ORIENTATION), short(3)].concat());
        bytes.extend(long(1));
        bytes.extend([short(value), short(0)].concat());
        bytes.extend(long(8));
        bytes
    }

    #[test]
    fn both_byte_orders_are_read() {
        for value in 1..=8 {
            assert_eq!(orientation(&block(true, 1, value)), value as u8);
            assert_eq!(orientation(&block(false, 1, value)), value as u8);
        }
    }

    #[test]
    fn nonsense_is_upright() {
        assert_eq!(orientation(&block(true, 1, 9)), 1);
        assert_eq!(orientation(&block(true, 1, 0)), 1);
        assert_eq!(orientation(&block(false, u16::MAX, 6)), 6, "a huge count is bounded, the entry is found");
        assert_eq!(orientation(b"II*\0\xFF\xFF\xFF\xFF"), 1);
        for end in 0..block(true, 1, 6).len() {
            let cut = orientation(&block(true, 1, 6)[..end]);
            assert!(cut == 1 || cut == 6, "{cut} from {end} bytes");
        }
    }
}
