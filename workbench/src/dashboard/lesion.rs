//! One lesion as the dashboard holds it: what is shown, what the model gets, and what is known about it.

use datasets::metadata::Record;
use datasets::synthetic::{DrawnLesion, Finding};
use datasets::{Decoded, Format, Note};
use image::imageops::{self, FilterType};
use image::{GrayImage, RgbImage};
use xai::{Batch, Error, Preprocessor, Window};

/// Shortest and longest side of a picture as it is shown, in pixels: small ones are enlarged so that outlines are fine,
/// large ones are reduced so that a store full of them stays small.
const SHOWN_SIDE: (u32, u32) = (512, 1024);

/// A picture with everything a reading needs; the file it came from is not kept.
#[derive(Debug)]
pub struct Lesion {
    /// In addresses; of an upload the SHA-256 of its bytes, which nobody guesses who does not have them.
    pub id: String,
    /// The picture as it is shown.
    pub picture: RgbImage,
    /// The part of the shown picture that the model sees.
    pub window: Window,
    /// The picture as the model gets it, prepared from the original pixels.
    pub batch: Batch,
    /// Where it is from.
    pub origin: Origin,
}

/// Where a lesion is from, and what that tells.
#[derive(Debug)]
pub enum Origin {
    /// Drawn, with a known mask.
    Drawn {
        /// Its row of the cohort.
        record: Box<Record>,
        /// The lesion's mask, cut to what the model sees.
        mask: GrayImage,
        /// The structures that were drawn.
        findings: Vec<Finding>,
    },
    /// Uploaded.
    Uploaded {
        /// The name it came under, for display only.
        name: String,
        /// What its bytes were.
        format: Format,
        /// Height and width of the original in pixels.
        size: (u32, u32),
        /// What decoding changed.
        notes: Vec<Note>,
    },
}

impl Lesion {
    /// A drawn lesion with its row.
    pub fn drawn(record: &Record, drawing: DrawnLesion, preprocessor: &Preprocessor) -> Result<Self, Error> {
        let image = &drawing.image;
        let mask = preprocessor.field_of_view(image.height(), image.width()).cut(&drawing.mask);
        let origin = Origin::Drawn { record: Box::new(record.clone()), mask, findings: drawing.findings };
        Self::new(record.isic_id.clone(), &drawing.image, origin, preprocessor)
    }

    /// An upload of `bytes` that decoded; `name` is shown and used for nothing else.
    pub fn uploaded(bytes: &[u8], decoded: Decoded, name: String, preprocessor: &Preprocessor) -> Result<Self, Error> {
        let Decoded { image, format, notes } = decoded;
        let origin = Origin::Uploaded { name, format, size: (image.height(), image.width()), notes };
        Self::new(xai::sha256(bytes), &image, origin, preprocessor)
    }

    fn new(id: String, image: &RgbImage, origin: Origin, preprocessor: &Preprocessor) -> Result<Self, Error> {
        let batch = preprocessor.prepare(image)?;
        let picture = as_shown(image);
        let window = preprocessor.field_of_view(image.height(), image.width());
        let (down, across) = (ratio(picture.height(), image.height()), ratio(picture.width(), image.width()));
        let window =
            Window { top: window.top * down, left: window.left * across, height: window.height * down, width: window.width * across };
        Ok(Self { id, picture, window, batch, origin })
    }

    /// What decoding changed, in words.
    pub fn notes(&self) -> Vec<String> {
        match &self.origin {
            Origin::Drawn { .. } => Vec::new(),
            Origin::Uploaded { notes, .. } => notes.iter().map(ToString::to_string).collect(),
        }
    }

    /// The lesion's mask where it is known.
    pub fn mask(&self) -> Option<&GrayImage> {
        match &self.origin {
            Origin::Drawn { mask, .. } => Some(mask),
            Origin::Uploaded { .. } => None,
        }
    }
}

fn as_shown(image: &RgbImage) -> RgbImage {
    let (shortest, longest) = SHOWN_SIDE;
    let (width, height) = image.dimensions();
    let longer = width.max(height);
    if longer > longest {
        let side = |pixels: u32| ((u64::from(pixels) * u64::from(longest)) / u64::from(longer)).max(1) as u32;
        imageops::resize(image, side(width), side(height), FilterType::Triangle)
    } else if width.min(height) < shortest {
        let factor = shortest.div_ceil(width.min(height)).min(longest / longer).max(1);
        imageops::resize(image, width * factor, height * factor, FilterType::CatmullRom)
    } else {
        image.clone()
    }
}

fn ratio(shown: u32, original: u32) -> f32 {
    shown as f32 / original.max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_neither_tiny_nor_huge() {
        let shown = |width, height| as_shown(&RgbImage::new(width, height)).dimensions();
        assert_eq!(shown(224, 224), (672, 672));
        assert_eq!(shown(600, 550), (600, 550));
        assert_eq!(shown(4000, 3000), (1024, 768));
        assert_eq!(shown(12_000, 16), (1024, 1));
        assert_eq!(shown(16, 500), (32, 1000));
    }
}
