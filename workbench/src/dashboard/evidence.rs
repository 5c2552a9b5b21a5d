//! What a map is worth on a lesion whose place is known: its share inside, beside what needs no model at all.

use image::GrayImage;
use serde::Serialize;
use xai::metric::localisation::{area_share, centre_control, random_control, relevance_mass};
use xai::{Error, HeatMap};

/// Shares of relevance inside the lesion.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Evidence {
    /// Of this map.
    pub inside: f64,
    /// Of a blob in the middle of the picture.
    pub centre: f64,
    /// Of random values.
    pub random: f64,
    /// The lesion's share of the area: what a uniform map has.
    pub area: f64,
    /// What follows, in one sentence.
    pub sentence: &'static str,
}

/// Differences below it are not called differences.
const CLEARLY: f64 = 0.02;

/// Seed of the random control.
const SEED: u64 = 1;

impl Evidence {
    /// Weighs a map against the mask of what the model saw.
    ///
    /// # Errors
    /// [`Error::EmptyMask`] where the model saw nothing of the lesion.
    pub fn of(map: &HeatMap, mask: &GrayImage) -> Result<Self, Error> {
        let (rows, cols) = map.values().dim();
        let inside = relevance_mass(map, mask)?;
        let centre = relevance_mass(&centre_control(rows, cols)?, mask)?;
        let random = relevance_mass(&random_control(rows, cols, SEED)?, mask)?;
        let area = area_share(mask)?;
        Ok(Self { inside, centre, random, area, sentence: sentence(map.is_flat(), inside, centre, area) })
    }
}

fn sentence(flat: bool, inside: f64, centre: f64, area: f64) -> &'static str {
    if flat {
        "The map is nearly uniform: it points nowhere, and its share inside says nothing."
    } else if inside < area - CLEARLY {
        "Less than the lesion's share of the area: the model relies mostly on what surrounds the lesion."
    } else if inside <= area + CLEARLY {
        "About the lesion's share of the area: the map does not set the lesion apart from the skin."
    } else if inside <= centre + CLEARLY {
        "More than the area alone would give, but no more than a blob in the middle of every picture: no evidence that the lesion was found."
    } else {
        "More than the area or a blob in the middle would give: the model relies on the lesion, which does not make its class right."
    }
}

#[cfg(test)]
mod tests {
    use image::Luma;
    use ndarray::Array2;

    use super::*;

    #[test]
    fn a_map_on_a_lesion_at_the_border_beats_the_centre_and_one_beside_it_is_called_out() {
        let mask = GrayImage::from_fn(40, 40, |x, y| Luma([if x < 10 && y < 10 { 255 } else { 0 }]));
        let map = |row: usize| HeatMap::new(Array2::from_shape_fn((8, 8), |at| if at == (row, 0) { 1.0 } else { 0.01 })).unwrap();
        let on = Evidence::of(&map(0), &mask).unwrap();
        assert!(on.inside > on.centre && on.sentence.starts_with("More than the area or"), "{on:?}");
        let beside = Evidence::of(&map(7), &mask).unwrap();
        assert!(beside.inside < beside.area && beside.sentence.starts_with("Less"), "{beside:?}");
        let flat = HeatMap::new(Array2::ones((8, 8))).unwrap();
        assert!(Evidence::of(&flat, &mask).unwrap().sentence.contains("points nowhere"));
    }
}
