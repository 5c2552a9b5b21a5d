//! Where maps point on lesions whose mask is known, beside controls that look at nothing.
//!
//! A share of relevance inside the lesion says little alone: lesions sit in the middle and fill much of a picture, so a
//! blob at the centre scores well. Every figure stands beside that blob, a random map, and the lesion's share of the area.

use anyhow::Context;
use datasets::synthetic::Cohort;
use image::GrayImage;
use reports::statistics::{Bootstrap, Interval, clustered_bootstrap};
use xai::metric::localisation::{area_share, centre_control, random_control, relevance_mass};
use xai::{HeatMap, Method, Target, Vit};

use crate::pipeline::{Question, read_watched};
use crate::progress::PassBar;

/// One row: a map or a control, and its share of relevance inside the lesion.
#[derive(Debug, Clone, PartialEq)]
pub struct Localisation {
    /// The method or control.
    pub name: String,
    /// Mean share of relevance inside the mask, 0 to 1, with its 95 % interval clustered by lesion.
    pub inside: Interval,
    /// Mean of share minus the lesion's share of the area: 0 for a map that knows nothing.
    pub above_area: f64,
}

/// Measures `methods` on some images of a drawn cohort, for the predicted class, with the controls below.
///
/// # Errors
/// When a picture cannot be explained, or a lesion lies wholly outside what the model sees.
pub fn localisation(vit: &Vit, cohort: &Cohort, images: &[usize], methods: &[(String, Method)]) -> anyhow::Result<Vec<Localisation>> {
    let question = Question { target: Target::Predicted, methods: methods.iter().map(|(_, method)| method.clone()).collect() };
    let mut shares: Vec<Vec<f64>> = vec![Vec::new(); methods.len() + 2];
    let (mut areas, mut lesions) = (Vec::new(), Vec::new());
    let bar = PassBar::new("explaining", images.len(), &question);
    for &index in images {
        let (drawn, record) =
            cohort.sample(index).zip(cohort.records().get(index)).with_context(|| format!("the cohort has no image {index}"))?;
        let reading = read_watched(vit, &drawn.image, &question, &mut |progress| bar.show(progress))?;
        let mask = reading.window.cut(&drawn.mask);
        let patches = reading.trace.patches();
        let maps = reading.maps.iter().map(|map| map.heat_map.clone());
        let controls = [centre_control(patches.rows, patches.cols)?, random_control(patches.rows, patches.cols, index as u64)?];
        for (shares, map) in shares.iter_mut().zip(maps.chain(controls)) {
            shares.push(inside(&map, &mask)?);
        }
        areas.push(area_share(&mask)?);
        lesions.push(record.lesion_id.clone().unwrap_or_else(|| record.isic_id.clone()));
        bar.next_picture();
    }
    drop(bar);
    let names = methods.iter().map(|(name, _)| name.clone()).chain(["control: centre".into(), "control: random".into()]);
    names.zip(&shares).map(|(name, shares)| row(name, shares, &areas, &lesions)).collect()
}

/// The share of a map's relevance inside a mask of another size.
fn inside(map: &HeatMap, mask: &GrayImage) -> anyhow::Result<f64> {
    Ok(relevance_mass(&map.resize(mask.height() as usize, mask.width() as usize), mask)?)
}

fn row(name: String, shares: &[f64], areas: &[f64], lesions: &[String]) -> anyhow::Result<Localisation> {
    let mean = |values: &mut dyn Iterator<Item = f64>, count: usize| values.sum::<f64>() / count.max(1) as f64;
    let above_area = mean(&mut shares.iter().zip(areas).map(|(share, area)| share - area), shares.len());
    let of_some = |indices: &[usize]| Some(mean(&mut indices.iter().map(|&index| shares[index]), indices.len()));
    let inside = clustered_bootstrap(lesions, &Bootstrap::default(), of_some)?.interval;
    Ok(Localisation { name, inside, above_area })
}
