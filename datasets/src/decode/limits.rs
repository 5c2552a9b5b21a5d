//! How much an uploaded picture may ask for.

use serde::{Deserialize, Serialize};

use super::{Format, Refusal};

/// Bounds that are checked before memory is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Largest file in bytes.
    pub bytes: usize,
    /// Smallest side in pixels: below it there is nothing to see.
    pub smallest_side: u32,
    /// Largest side in pixels.
    pub side: u32,
    /// Most pixels.
    pub pixels: u64,
    /// Most bytes that decoding may hold at once.
    pub memory: u64,
    /// Most scans of a progressive JPEG; cameras and programs write 10 or so.
    pub scans: usize,
    /// Most scans times pixels, because every scan may visit every pixel.
    pub scan_work: u64,
}

impl Default for Limits {
    /// 20 MiB, 16 to 12 000 pixels a side, 50 megapixels, 512 MiB of memory, 64 scans, 10⁹ scans times pixels.
    fn default() -> Limits {
        Limits {
            bytes: 20 << 20,
            smallest_side: 16,
            side: 12_000,
            pixels: 50_000_000,
            memory: 512 << 20,
            scans: 64,
            scan_work: 1_000_000_000,
        }
    }
}

impl Limits {
    /// Checks a header; `bytes_a_pixel` is what decoding will hold for each.
    pub(super) fn check(&self, format: Format, height: u32, width: u32, bytes_a_pixel: u64) -> Result<(), Refusal> {
        if height == 0 || width == 0 {
            return Err(Refusal::ZeroSize { format, height, width });
        }
        if height.max(width) > self.side {
            return Err(Refusal::SideTooLong { height, width, limit: self.side });
        }
        let pixels = u64::from(height) * u64::from(width);
        if pixels > self.pixels {
            return Err(Refusal::TooManyPixels { height, width, limit: self.pixels });
        }
        if height.min(width) < self.smallest_side {
            return Err(Refusal::TooSmall { height, width, limit: self.smallest_side });
        }
        let memory = pixels.saturating_mul(bytes_a_pixel);
        if memory > self.memory {
            return Err(Refusal::TooMuchMemory { memory, limit: self.memory });
        }
        Ok(())
    }
}
