//! Why bytes were refused.

use thiserror::Error;

use super::Format;

/// Why an uploaded file is not taken as a picture; [`Refusal::code`] is stable.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// No bytes.
    #[error("the file is empty; choose the picture again")]
    Empty,
    /// More bytes than allowed.
    #[error("the file has {bytes} bytes and at most {limit} are taken; export it smaller")]
    TooManyBytes {
        /// Bytes of the file.
        bytes: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Neither JPEG nor PNG nor anything known.
    #[error("the file is of no known kind (it begins with {start}); export the picture as JPEG or PNG")]
    UnknownFormat {
        /// The first bytes in hexadecimal.
        start: String,
    },
    /// A known kind that is not taken.
    #[error("the file is {found}, not a JPEG or PNG whatever its name says; export the picture as JPEG or PNG")]
    FormatNotAccepted {
        /// What the file is.
        found: &'static str,
    },
    /// A structure that breaks the format's rules.
    #[error("the {format} is malformed at byte {at}: {what}; export the picture again")]
    Malformed {
        /// The format.
        format: Format,
        /// Where.
        at: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// The file ends before the picture does.
    #[error("the {format} is incomplete: {what}; copy or upload it again")]
    Incomplete {
        /// The format.
        format: Format,
        /// What is missing.
        what: &'static str,
    },
    /// Contents that do not decode.
    #[error("the {format} is damaged: {what}; export the picture again")]
    Damaged {
        /// The format.
        format: Format,
        /// What the decoder says.
        what: String,
    },
    /// No height or no width.
    #[error("the {format} says it is {height} pixels high and {width} wide; export the picture again")]
    ZeroSize {
        /// The format.
        format: Format,
        /// Height in pixels.
        height: u32,
        /// Width in pixels.
        width: u32,
    },
    /// Too small to see anything.
    #[error("the picture is {height} pixels high and {width} wide and at least {limit} are needed a side; send the original")]
    TooSmall {
        /// Height in pixels.
        height: u32,
        /// Width in pixels.
        width: u32,
        /// Fewest pixels a side.
        limit: u32,
    },
    /// A side longer than allowed.
    #[error("the picture is {height} pixels high and {width} wide and at most {limit} are taken a side; export it smaller")]
    SideTooLong {
        /// Height in pixels.
        height: u32,
        /// Width in pixels.
        width: u32,
        /// Most pixels a side.
        limit: u32,
    },
    /// More pixels than allowed.
    #[error("the picture is {height} pixels high and {width} wide and at most {limit} pixels are taken in all; export it smaller")]
    TooManyPixels {
        /// Height in pixels.
        height: u32,
        /// Width in pixels.
        width: u32,
        /// Most pixels.
        limit: u64,
    },
    /// More memory than allowed.
    #[error(
        "decoding would take {memory} bytes of memory and at most {limit} are given; export the picture smaller or with 8 bits a channel"
    )]
    TooMuchMemory {
        /// Bytes needed.
        memory: u64,
        /// Bytes given.
        limit: u64,
    },
    /// A JPEG with more scans than any camera writes.
    #[error("the JPEG has more than {limit} scans for its size; export it as a baseline JPEG")]
    TooManyScans {
        /// Most scans for this size.
        limit: usize,
    },
    /// A JPEG process that is not taken.
    #[error("the JPEG is {found}; export it as an 8-bit baseline or progressive JPEG")]
    JpegProcess {
        /// The process.
        found: &'static str,
    },
    /// Colours that are not grey or RGB.
    #[error("the JPEG's colours are {found}; export it in RGB")]
    ColourModel {
        /// The model.
        found: &'static str,
    },
    /// Several pictures in one.
    #[error("the {format} is animated; export the one picture that is meant")]
    Animated {
        /// The format.
        format: Format,
    },
}

impl Refusal {
    /// A word for logs, tests and clients that does not change with the text.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::Empty => "empty",
            Refusal::TooManyBytes { .. } => "too-many-bytes",
            Refusal::UnknownFormat { .. } => "unknown-format",
            Refusal::FormatNotAccepted { .. } => "format-not-accepted",
            Refusal::Malformed { .. } => "malformed",
            Refusal::Incomplete { .. } => "incomplete",
            Refusal::Damaged { .. } => "damaged",
            Refusal::ZeroSize { .. } => "zero-size",
            Refusal::TooSmall { .. } => "too-small",
            Refusal::SideTooLong { .. } => "side-too-long",
            Refusal::TooManyPixels { .. } => "too-many-pixels",
            Refusal::TooMuchMemory { .. } => "too-much-memory",
            Refusal::TooManyScans { .. } => "too-many-scans",
            Refusal::JpegProcess { .. } => "jpeg-process",
            Refusal::ColourModel { .. } => "colour-model",
            Refusal::Animated { .. } => "animated",
        }
    }
}
