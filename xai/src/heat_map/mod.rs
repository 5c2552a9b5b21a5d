//! Relevance as a picture: finite values that remember their absolute scale.

mod mass;
mod rescale;
mod resize;

pub use rescale::Rescale;

use crate::Error;
use ndarray::{Array2, ArrayView2};

/// Normalised entropy from which on a map counts as "no localised evidence".
const FLAT_ENTROPY: f32 = 0.95;

/// Finite relevance on a grid or on pixels, (rows, cols), of one image.
///
/// Values keep the scale they were computed on. Nothing here divides by a maximum in silence:
/// [`rescale`](HeatMap::rescale) is asked for, and [`range`](HeatMap::range) still tells what was there.
///
/// ```
/// use ndarray::array;
/// use xai::{HeatMap, Rescale};
/// let map = HeatMap::new(array![[0.0, 0.1], [0.0, 0.3]])?;
/// assert_eq!(map.range(), (0.0, 0.3));
/// assert_eq!(map.rescale(Rescale::MinMax).values()[[1, 1]], 1.0);
/// assert!(!map.is_flat());
/// assert!(HeatMap::new(array![[0.2, 0.2], [0.2, 0.2]])?.is_flat());
/// assert!(HeatMap::new(array![[f32::NAN]]).is_err());
/// # Ok::<(), xai::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct HeatMap {
    values: Array2<f32>, // (rows, cols)
}

impl HeatMap {
    /// Takes relevance, (rows, cols), rows from the top.
    ///
    /// # Errors
    /// [`Error::Shape`] where there are no values, [`Error::NotFinite`] where one is NaN or infinite.
    pub fn new(values: Array2<f32>) -> Result<HeatMap, Error> {
        if values.is_empty() {
            return Err(Error::Shape {
                what: "heat map".into(),
                expected: "at least one row and one column".into(),
                found: format!("{:?}", values.dim()),
            });
        }
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            return Err(Error::NotFinite { what: "heat map".into(), index });
        }
        Ok(HeatMap { values: values.as_standard_layout().into_owned() })
    }

    /// The values, (rows, cols).
    pub fn values(&self) -> ArrayView2<'_, f32> {
        self.values.view()
    }

    /// Smallest and largest value, on the absolute scale.
    pub fn range(&self) -> (f32, f32) {
        self.values.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &value| (low.min(value), high.max(value)))
    }

    /// Whether any value speaks against the target.
    pub fn is_signed(&self) -> bool {
        self.values.iter().any(|value| *value < 0.0)
    }

    /// Entropy of |values| as shares of their sum, divided by that of a uniform map: 1 is uniform, 0 a single cell.
    ///
    /// `-sum p ln p / ln n` with `p = |v| / sum |v|`. A map of zeros or of one cell has 1: it points nowhere.
    pub fn entropy(&self) -> f32 {
        let total = self.mass();
        let cells = self.values.len() as f64;
        if total == 0.0 || cells == 1.0 {
            return 1.0;
        }
        let shares = self.values.iter().map(|value| f64::from(value.abs()) / total);
        let entropy: f64 = shares.filter(|share| *share > 0.0).map(|share| -share * share.ln()).sum();
        (entropy / cells.ln()) as f32
    }

    /// "No localised evidence": all values equal, or an entropy of at least 0.95.
    pub fn is_flat(&self) -> bool {
        let (low, high) = self.range();
        low == high || self.entropy() >= FLAT_ENTROPY
    }
}
