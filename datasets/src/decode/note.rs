//! What decoding changed or passed over.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Something the reader of a picture should know about how it was decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Note {
    /// Turned or mirrored as the EXIF orientation (2 to 8) says.
    Turned {
        /// The orientation's number.
        orientation: u8,
    },
    /// Transparent pixels were laid on white.
    TransparencyOnWhite,
    /// 16 bits a channel became 8: `round(v / 257)`.
    SixteenBitsReduced,
    /// Grey became RGB with three equal channels.
    GreyExpanded,
    /// A palette was looked up.
    PaletteExpanded,
    /// An embedded description of the colours (a profile, another gamma, a film's colour space) was not applied; they were taken as sRGB.
    ProfilePassedOver,
    /// Bytes after the end of the picture were left behind.
    TrailingBytes {
        /// How many.
        bytes: usize,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::Turned { orientation } => write!(f, "turned upright (EXIF orientation {orientation})"),
            Note::TransparencyOnWhite => f.write_str("transparent pixels were laid on white"),
            Note::SixteenBitsReduced => f.write_str("16 bits a channel were reduced to 8"),
            Note::GreyExpanded => f.write_str("a grey picture: colour says nothing here"),
            Note::PaletteExpanded => f.write_str("a picture with a palette: colours may be coarse"),
            Note::ProfilePassedOver => f.write_str("the embedded colour profile was not applied; colours were taken as sRGB"),
            Note::TrailingBytes { bytes } => write!(f, "{bytes} bytes after the end of the picture were left behind"),
        }
    }
}
