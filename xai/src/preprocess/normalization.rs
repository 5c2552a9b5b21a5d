//! Mean and deviation per channel.

use serde::Serialize;

/// `(value - mean) / std` per channel, in red, green, blue, on values rescaled to [0, 1].
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Normalization {
    /// Subtracted.
    pub mean: [f32; 3],
    /// Divided by; never zero.
    pub std: [f32; 3],
}

impl Normalization {
    /// The original ViT's: 0.5 and 0.5, which maps [0, 1] to [-1, 1].
    pub const STANDARD: Normalization = Normalization { mean: [0.5; 3], std: [0.5; 3] };

    /// Mean and deviation of the `ImageNet` pictures, used by DINOv2 among others.
    pub const IMAGENET: Normalization = Normalization { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

    /// CLIP's own, which `BitImageProcessor` takes where a file names none.
    pub const CLIP: Normalization =
        Normalization { mean: [0.481_454_66, 0.457_827_5, 0.408_210_73], std: [0.268_629_54, 0.261_302_6, 0.275_777_1] };
}
