//! What a processor type sets where its file is silent, as in `transformers` 5.23.

use super::{Normalization, Resample, Resize, Size};

/// Class attributes of one image processor of the reference.
pub(super) struct Defaults {
    pub resize: Resize,
    /// How a bare number for `size` is read.
    pub number: BareSize,
    pub resample: Resample,
    pub center_crop: bool,
    pub crop: Option<Size>,
    pub normalization: Normalization,
}

/// `default_to_square` of the reference.
#[derive(Clone, Copy)]
pub(super) enum BareSize {
    Square,
    ShortestEdge,
}

const SIDE_224: Size = Size { height: 224, width: 224 };

/// Finds the defaults by the name in `image_processor_type` or `feature_extractor_type`.
///
/// The endings of the reference's other back ends and of its older releases name the same settings.
pub(super) fn of(name: &str) -> Option<Defaults> {
    let name = name.strip_suffix("Fast").or(name.strip_suffix("Pil")).unwrap_or(name);
    match name.strip_suffix("ImageProcessor").or(name.strip_suffix("FeatureExtractor"))? {
        "ViT" => Some(VIT),
        "DeiT" => Some(DEIT),
        "Bit" | "CLIP" => Some(BIT),
        _ => None,
    }
}

/// `ViTImageProcessor`, also taken where a file names no type.
pub(super) const VIT: Defaults = Defaults {
    resize: Resize::To(SIDE_224),
    number: BareSize::Square,
    resample: Resample::Bilinear,
    center_crop: false,
    crop: None,
    normalization: Normalization::STANDARD,
};

const DEIT: Defaults = Defaults {
    resize: Resize::To(Size { height: 256, width: 256 }),
    number: BareSize::Square,
    resample: Resample::Bicubic,
    center_crop: true,
    crop: Some(SIDE_224),
    normalization: Normalization::STANDARD,
};

/// `BitImageProcessor`, which DINOv2 uses, and `CLIPImageProcessor`.
const BIT: Defaults = Defaults {
    resize: Resize::ShortestEdge(224),
    number: BareSize::ShortestEdge,
    resample: Resample::Bicubic,
    center_crop: true,
    crop: Some(SIDE_224),
    normalization: Normalization::CLIP,
};
