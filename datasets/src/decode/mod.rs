//! Uploaded bytes to pixels: what is accepted is decoded in full and upright, everything else is refused by name.
//!
//! The order matters: size of the file, kind by content, header, structure of the whole file, and only then memory for pixels. File name
//! and declared content type play no part.

mod exif;
pub mod fuzz;
mod jpeg;
mod limits;
mod note;
mod png;
mod refusal;
mod sniff;

use image::{DynamicImage, RgbImage, metadata::Orientation};

pub use limits::Limits;
pub use note::Note;
pub use refusal::Refusal;
pub use sniff::Format;

/// A picture, upright, in RGB.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// The pixels with the EXIF orientation applied; transparency stands on white.
    pub image: RgbImage,
    /// What the bytes were.
    pub format: Format,
    /// What was changed or passed over on the way.
    pub notes: Vec<Note>,
}

/// Decodes a JPEG or PNG.
///
/// The pixels of equal bytes are equal on every call. Nothing but pixels survives: metadata, profiles, comments and whatever follows the
/// end of the picture are left behind.
///
/// ```
/// use datasets::{Limits, decode};
/// let picture = image::RgbImage::from_pixel(20, 30, image::Rgb([200, 150, 140]));
/// let mut bytes = std::io::Cursor::new(Vec::new());
/// picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
/// assert_eq!(decode(bytes.get_ref(), &Limits::default()).unwrap().image, picture);
/// assert_eq!(decode(b"GIF89a", &Limits::default()).unwrap_err().code(), "format-not-accepted");
/// ```
///
/// # Errors
/// A [`Refusal`] with a stable code. No input panics.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Decoded, Refusal> {
    if bytes.is_empty() {
        return Err(Refusal::Empty);
    }
    if bytes.len() > limits.bytes {
        return Err(Refusal::TooManyBytes { bytes: bytes.len(), limit: limits.bytes });
    }
    let format = sniff::sniff(bytes)?;
    // The pixel decoders are others' code: should one panic, its input is refused and the caller lives.
    std::panic::catch_unwind(|| match format {
        Format::Jpeg => jpeg::decode(bytes, limits),
        Format::Png => png::decode(bytes, limits),
    })
    .unwrap_or(Err(Refusal::Damaged { format, what: "the decoder gave up on it".to_owned() }))
}

/// Turns a picture upright and notes that it was turned.
fn upright(image: RgbImage, orientation: u8, notes: &mut Vec<Note>) -> RgbImage {
    match Orientation::from_exif(orientation) {
        None | Some(Orientation::NoTransforms) => image,
        Some(turn) => {
            notes.push(Note::Turned { orientation });
            let mut picture = DynamicImage::ImageRgb8(image);
            picture.apply_orientation(turn);
            picture.into_rgb8()
        }
    }
}
