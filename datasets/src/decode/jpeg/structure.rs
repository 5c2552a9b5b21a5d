//! A walk over all segments of a JPEG (ITU-T T.81, annex B): size, process, colours, scans and the true end.

use std::ops::Range;

use super::scan::Coding;
use crate::decode::{Format, Limits, Refusal};

/// What the segments say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Structure {
    pub height: u32,
    pub width: u32,
    /// 1 or 3.
    pub components: u8,
    /// Where the EXIF block's TIFF header begins and ends.
    pub exif: Option<Range<usize>>,
    pub has_profile: bool,
    /// The byte after the end-of-image marker.
    pub end: usize,
}

/// What is known of the file so far.
#[derive(Default)]
struct Walk {
    frame: Option<Frame>,
    scans: usize,
    coding: Coding,
    exif: Option<Range<usize>>,
    has_profile: bool,
}

#[derive(Clone, Copy)]
struct Frame {
    height: u32,
    width: u32,
    components: u8,
    /// Most scans for this size.
    scans: usize,
}

/// Walks from SOI to EOI; the size is checked as soon as it is met, every code of every scan is read.
pub(super) fn walk(bytes: &[u8], limits: &Limits) -> Result<Structure, Refusal> {
    let (mut at, mut state) = (2, Walk::default());
    count_scans(bytes, limits)?;
    loop {
        let marker = marker(bytes, &mut at)?;
        match marker {
            0xD9 => break,
            0x01 | 0xD0..=0xD8 => return Err(malformed(at, "a marker that may not stand here")),
            _ => {}
        }
        let body = segment(bytes, &mut at)?;
        if marker == 0xDA {
            at = state.scan(bytes, &body)?;
        } else {
            state.take(marker, bytes, &body, limits)?;
        }
    }
    let whole = state.frame.filter(|_| state.scans > 0 && state.coding.is_complete());
    let frame = whole.ok_or(Refusal::Incomplete { format: Format::Jpeg, what: "some of its scans are missing" })?;
    let Frame { height, width, components, .. } = frame;
    Ok(Structure { height, width, components, exif: state.exif, has_profile: state.has_profile, end: at })
}

/// A first, quick walk that reads headers only, so that size and number of scans are judged before any code is read.
fn count_scans(bytes: &[u8], limits: &Limits) -> Result<(), Refusal> {
    let (mut at, mut frame, mut scans) = (2, None::<Frame>, 0);
    loop {
        let marker = marker(bytes, &mut at)?;
        match marker {
            0xD9 => return Ok(()),
            0x01 | 0xD0..=0xD8 => return Err(malformed(at, "a marker that may not stand here")),
            _ => {}
        }
        let body = segment(bytes, &mut at)?;
        match marker {
            0xC0..=0xC2 => frame = Some(frame_header(bytes, &body, marker == 0xC2, limits)?),
            0xC3 | 0xC5..=0xC7 | 0xC9..=0xCF | 0xF7 => return Err(refused_process(marker)),
            0xDA => {
                let allowed = frame.ok_or_else(|| malformed(body.start, "a scan before the frame header"))?.scans;
                scans += 1;
                if scans > allowed {
                    return Err(Refusal::TooManyScans { limit: allowed });
                }
                at = after_coded_data(bytes, at)?;
            }
            _ => {}
        }
    }
}

impl Walk {
    fn take(&mut self, marker: u8, bytes: &[u8], body: &Range<usize>, limits: &Limits) -> Result<(), Refusal> {
        let content = &bytes[body.clone()];
        match marker {
            0xC0..=0xC2 if self.frame.is_some() => return Err(malformed(body.start, "two frame headers")),
            0xC0..=0xC2 => {
                let frame = frame_header(bytes, body, marker == 0xC2, limits)?;
                let components: Vec<_> = content[6..].chunks_exact(3).map(|c| (c[0], c[1] & 15, c[1] >> 4)).collect();
                let known = usize::from(frame.components) == components.len();
                let begun = known.then(|| self.coding.begin(marker == 0xC2, (frame.height, frame.width), &components)).flatten();
                begun.ok_or_else(|| malformed(body.start, "components that do not fit the frame header"))?;
                self.frame = Some(frame);
            }
            0xC4 => self.coding.tables(content).ok_or_else(|| malformed(body.start, "Huffman tables that are none"))?,
            0xDD => {
                let &[high, low] = content else { return Err(malformed(body.start, "a restart interval that is none")) };
                self.coding.restart_interval = usize::from(u16::from_be_bytes([high, low]));
            }
            0xE1 if self.exif.is_none() && content.starts_with(b"Exif\0\0") => self.exif = Some(body.start + 6..body.end),
            0xE2 => self.has_profile |= content.starts_with(b"ICC_PROFILE\0"),
            _ => {}
        }
        Ok(())
    }

    /// Reads a scan and returns where the next marker is.
    fn scan(&mut self, bytes: &[u8], header: &Range<usize>) -> Result<usize, Refusal> {
        self.scans += 1;
        let short = Refusal::Incomplete { format: Format::Jpeg, what: "a scan ends before its last block or cannot be read" };
        let end = self.coding.read_scan(&bytes[header.clone()], bytes, header.end).ok_or(short)?;
        after_coded_data(bytes, end)
    }
}

/// The next marker's code; any number of fill bytes may stand before it.
fn marker(bytes: &[u8], at: &mut usize) -> Result<u8, Refusal> {
    if *bytes.get(*at).ok_or_else(ends_early)? != 0xFF {
        return Err(malformed(*at, "a marker was expected"));
    }
    while *bytes.get(*at).ok_or_else(ends_early)? == 0xFF {
        *at += 1;
    }
    *at += 1;
    Ok(bytes[*at - 1])
}

/// The body of a segment with a length; `at` moves behind it.
fn segment(bytes: &[u8], at: &mut usize) -> Result<Range<usize>, Refusal> {
    let length = bytes.get(*at..*at + 2).ok_or_else(ends_early)?;
    let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
    if length < 2 {
        return Err(malformed(*at, "a segment shorter than its own length field"));
    }
    let body = *at + 2..*at + length;
    if body.end > bytes.len() {
        return Err(ends_early());
    }
    *at = body.end;
    Ok(body)
}

fn frame_header(bytes: &[u8], body: &Range<usize>, progressive: bool, limits: &Limits) -> Result<Frame, Refusal> {
    let &[precision, h1, h0, w1, w0, components, ..] = &bytes[body.clone()] else {
        return Err(malformed(body.start, "a frame header that is too short"));
    };
    if precision != 8 {
        return Err(Refusal::JpegProcess { found: "coded with more than 8 bits a sample" });
    }
    match components {
        1 | 3 => {}
        4 => return Err(Refusal::ColourModel { found: "CMYK or YCCK" }),
        _ => return Err(Refusal::ColourModel { found: "neither grey nor of three components" }),
    }
    let (height, width) = (u32::from(u16::from_be_bytes([h1, h0])), u32::from(u16::from_be_bytes([w1, w0])));
    // Progressive files keep all coefficients (two bytes each) until the end; three bytes are the picture itself.
    let bytes_a_pixel = 3 + u64::from(components) * if progressive { 3 } else { 1 };
    limits.check(Format::Jpeg, height, width, bytes_a_pixel)?;
    let scans = limits.scans.min((limits.scan_work / (u64::from(height) * u64::from(width))) as usize).max(4);
    Ok(Frame { height, width, components, scans })
}

fn refused_process(marker: u8) -> Refusal {
    Refusal::JpegProcess {
        found: match marker {
            0xC3 | 0xF7 => "lossless",
            0xC5..=0xC7 => "hierarchical",
            0xCB => "lossless and arithmetic-coded",
            0xCD..=0xCF => "hierarchical and arithmetic-coded",
            _ => "arithmetic-coded",
        },
    }
}

/// Skips entropy-coded data: `FF 00` is a stuffed byte, `FF D0` to `FF D7` are restarts, anything else ends it.
fn after_coded_data(bytes: &[u8], mut at: usize) -> Result<usize, Refusal> {
    loop {
        at += bytes.get(at..).and_then(|rest| rest.iter().position(|b| *b == 0xFF)).ok_or_else(ends_early)?;
        match *bytes.get(at + 1).ok_or_else(ends_early)? {
            0x00 | 0xD0..=0xD7 => at += 2,
            0xFF => at += 1,
            _ => return Ok(at),
        }
    }
}

fn ends_early() -> Refusal {
    Refusal::Incomplete { format: Format::Jpeg, what: "the file ends before the picture's end marker" }
}

fn malformed(at: usize, what: &'static str) -> Refusal {
    Refusal::Malformed { format: Format::Jpeg, at, what }
}
