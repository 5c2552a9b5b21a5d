//! Where the path of integrated gradients begins: a picture that stands for "nothing there".

use std::fmt;
use std::sync::Arc;

use image::{Rgb, RgbImage};
use ndarray::{Array3, ArrayView3, Axis, s};
use serde::{Deserialize, Serialize};

use crate::{Batch, Error, Preprocessor, sha256};

/// A picture without evidence. None is neutral: a pixel that equals its baseline gets no relevance, whatever it shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Baseline {
    /// Black before normalisation.
    Black,
    /// White before normalisation.
    White,
    /// Zero after normalisation: the mean colour of the pictures that the model was trained on.
    MeanColour,
    /// The picture itself through a Gaussian, edges repeated: the colour stays, detail goes (Fong and Vedaldi 2017).
    Blurred {
        /// Deviation in pixels of the model's input, above 0 and at most 1000.
        sigma: f32,
    },
    /// Prepared pixels of one's own.
    Given(GivenBaseline),
}

/// Prepared pixels (C, H, W); a recipe holds their SHA-256 alone, so they must be given again to repeat it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GivenBaseline {
    sha256: String,
    #[serde(skip)]
    pixels: Option<Arc<Array3<f32>>>,
}

impl GivenBaseline {
    /// The first image of a batch.
    ///
    /// ```
    /// use xai::{Batch, GivenBaseline};
    /// let grey = Batch::new(ndarray::Array4::zeros((1, 3, 8, 12)))?;
    /// assert_eq!(GivenBaseline::new(&grey), GivenBaseline::new(&grey));
    /// # Ok::<(), xai::Error>(())
    /// ```
    pub fn new(batch: &Batch) -> Self {
        let pixels = batch.pixels().index_axis(Axis(0), 0).to_owned();
        let bytes: Vec<u8> = pixels.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { sha256: sha256(&bytes), pixels: Some(Arc::new(pixels)) }
    }
}

impl PartialEq for GivenBaseline {
    fn eq(&self, other: &Self) -> bool {
        self.sha256 == other.sha256
    }
}

impl fmt::Display for Baseline {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Black => f.write_str("black"),
            Self::White => f.write_str("white"),
            Self::MeanColour => f.write_str("the mean colour"),
            Self::Blurred { sigma } => write!(f, "its blur of {sigma} pixels"),
            Self::Given(given) => write!(f, "a given picture, {}", &given.sha256.get(..8).unwrap_or_default()),
        }
    }
}

impl Baseline {
    /// The baseline of a picture (C, H, W), in the same size.
    pub(super) fn pixels(&self, preprocessor: &Preprocessor, picture: ArrayView3<f32>) -> Result<Array3<f32>, Error> {
        match self {
            Self::Black => even(preprocessor, [0; 3], picture.dim()),
            Self::White => even(preprocessor, [255; 3], picture.dim()),
            Self::MeanColour => Ok(Array3::zeros(picture.dim())),
            Self::Blurred { sigma } if *sigma > 0.0 && *sigma <= 1000.0 => Ok(blurred(picture, f64::from(*sigma))),
            Self::Blurred { sigma } => Err(refusal("a blur above 0 and at most 1000 pixels", sigma.to_string())),
            Self::Given(given) => given.fitting(picture.dim()),
        }
    }
}

impl GivenBaseline {
    fn fitting(&self, shape: (usize, usize, usize)) -> Result<Array3<f32>, Error> {
        match &self.pixels {
            Some(pixels) if pixels.dim() == shape => Ok(pixels.as_ref().clone()),
            Some(pixels) => Err(refusal(&format!("{shape:?}, as the picture"), format!("{:?}", pixels.dim()))),
            None => Err(refusal(&format!("the pixels of SHA-256 {}, which a recipe does not hold", self.sha256), "none; give them".into())),
        }
    }
}

fn refusal(expected: &str, found: String) -> Error {
    Error::Shape { what: "integrated gradients' baseline".into(), expected: expected.into(), found }
}

/// One colour as the preprocessor prepares it.
fn even(preprocessor: &Preprocessor, colour: [u8; 3], shape: (usize, usize, usize)) -> Result<Array3<f32>, Error> {
    let prepared = preprocessor.prepare(&RgbImage::from_pixel(16, 16, Rgb(colour)))?;
    let colour = prepared.pixels().slice(s![0, .., 0, 0]).to_owned();
    Ok(Array3::from_shape_fn(shape, |(channel, ..)| colour[channel % colour.len()]))
}

fn blurred(picture: ArrayView3<f32>, sigma: f64) -> Array3<f32> {
    let reach = (3.0 * sigma).ceil() as usize;
    let weights: Vec<f64> = (0..=2 * reach).map(|tap| (-0.5 * ((tap as f64 - reach as f64) / sigma).powi(2)).exp()).collect();
    let total: f64 = weights.iter().sum();
    let weights: Vec<f64> = weights.iter().map(|weight| weight / total).collect();
    along(&along(&picture.to_owned(), Axis(1), &weights), Axis(2), &weights)
}

/// Every line of an axis through the filter, with the values at its ends repeated.
fn along(picture: &Array3<f32>, axis: Axis, weights: &[f64]) -> Array3<f32> {
    let (mut result, reach) = (picture.clone(), weights.len() / 2);
    for (mut line, source) in result.lanes_mut(axis).into_iter().zip(picture.lanes(axis)) {
        let value = |at: usize, tap: usize| f64::from(source[(at + tap).saturating_sub(reach).min(source.len() - 1)]);
        line.iter_mut().enumerate().for_each(|(at, out)| {
            *out = weights.iter().enumerate().map(|(tap, weight)| weight * value(at, tap)).sum::<f64>() as f32;
        });
    }
    result
}

#[cfg(test)]
mod tests {
    use kernels::check::{Tolerance, assert_close, seeded};

    use super::*;

    fn picture() -> Array3<f32> {
        Array3::from_shape_vec((3, 9, 14), seeded(3, 3 * 9 * 14)).unwrap()
    }

    fn pixels(baseline: &Baseline) -> Array3<f32> {
        baseline.pixels(&Preprocessor::for_size(9, 14), picture().view()).unwrap()
    }

    #[test]
    fn colours_are_those_before_normalisation() {
        assert_eq!(pixels(&Baseline::Black), Array3::<f32>::from_elem((3, 9, 14), -1.0));
        assert_eq!(pixels(&Baseline::White), Array3::<f32>::ones((3, 9, 14)));
        assert_eq!(pixels(&Baseline::MeanColour), Array3::<f32>::zeros((3, 9, 14)));
    }

    #[test]
    fn a_blur_is_the_weighted_sum_of_its_definition() {
        let (picture, sigma) = (picture(), 1.3f64);
        let value = |c: usize, y: i64, x: i64| f64::from(picture[[c, y.clamp(0, 8) as usize, x.clamp(0, 13) as usize]]);
        let weight = |d: i64| (-0.5 * (d as f64 / sigma).powi(2)).exp();
        let around = || (-4i64..=4).flat_map(|dy| (-4i64..=4).map(move |dx| (dy, dx)));
        let total: f64 = around().map(|(dy, dx)| weight(dy) * weight(dx)).sum();
        let defined = |(c, y, x): (usize, usize, usize)| {
            around().map(|(dy, dx)| weight(dy) * weight(dx) * value(c, y as i64 + dy, x as i64 + dx)).sum::<f64>() / total
        };
        let expected: Vec<f64> = picture.indexed_iter().map(|(at, _)| defined(at)).collect();
        let found: Vec<f32> = pixels(&Baseline::Blurred { sigma: 1.3 }).iter().copied().collect();
        assert_close("blur", &found, &expected, Tolerance::absolute(1e-6));
    }

    #[test]
    fn a_baseline_that_cannot_be_is_refused_with_what_could() {
        let refuse = |baseline: Baseline| baseline.pixels(&Preprocessor::for_size(9, 14), picture().view()).unwrap_err().to_string();
        for sigma in [0.0, -1.0, 1e9, f32::NAN] {
            assert!(refuse(Baseline::Blurred { sigma }).contains("at most 1000 pixels"));
        }
        let small = GivenBaseline::new(&Batch::new(ndarray::Array4::zeros((1, 3, 4, 4))).unwrap());
        assert!(refuse(Baseline::Given(small.clone())).contains("(3, 9, 14)"));
        let from_a_recipe: GivenBaseline = serde_json::from_str(&serde_json::to_string(&small).unwrap()).unwrap();
        assert_eq!(from_a_recipe, small);
        assert!(refuse(Baseline::Given(from_a_recipe)).contains(&small.sha256));
    }
}
