//! The baseline of integrated gradients by name, or from a picture.

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::anyhow;
use xai::{Baseline, GivenBaseline, Vit};

use super::picture_file;

/// The Gaussian of a baseline that is only called `blurred`, in pixels (Fong and Vedaldi 2017).
const BLUR: f32 = 10.0;

/// A baseline as it was asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum BaselineChoice {
    /// One that needs no file.
    Named(Baseline),
    /// A picture, prepared as the explained one is.
    Picture(PathBuf),
}

impl FromStr for BaselineChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let blurred = |sigma| Self::Named(Baseline::Blurred { sigma });
        Ok(match text {
            "black" => Self::Named(Baseline::Black),
            "white" => Self::Named(Baseline::White),
            "mean" => Self::Named(Baseline::MeanColour),
            "blurred" => blurred(BLUR),
            other => match other.strip_prefix("blurred:") {
                Some(pixels) => blurred(pixels.parse().map_err(|_| format!("`{pixels}` is no number of pixels, as in blurred:10"))?),
                None => Self::Picture(other.into()),
            },
        })
    }
}

impl BaselineChoice {
    /// The baseline for pictures that are prepared for a model.
    pub fn read(&self, vit: &Vit) -> anyhow::Result<Baseline> {
        match self {
            Self::Named(baseline) => Ok(baseline.clone()),
            Self::Picture(file) => {
                let refused = |why| anyhow!("baseline refused: {why}; give a picture, black, white, mean, blurred or blurred:PIXELS");
                let (decoded, _) = picture_file::open(file).map_err(refused)?;
                Ok(Baseline::Given(GivenBaseline::new(&vit.preprocessor().prepare(&decoded.image)?)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_everything_else_is_a_file() {
        let named = |text: &str| text.parse::<BaselineChoice>();
        assert_eq!(named("mean"), Ok(BaselineChoice::Named(Baseline::MeanColour)));
        assert_eq!(named("blurred:2.5"), Ok(BaselineChoice::Named(Baseline::Blurred { sigma: 2.5 })));
        assert_eq!(named("skin.png"), Ok(BaselineChoice::Picture("skin.png".into())));
        for wrong in ["blurred:", "blurred:much"] {
            assert!(named(wrong).unwrap_err().contains("blurred:10"), "{wrong}");
        }
    }
}
