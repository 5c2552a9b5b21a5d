//! Drawn lesions: as many as one likes, each with its exact mask, without a download.

use anyhow::Result;
use datasets::LesionClass;
use datasets::synthetic::{Cohort, CohortPlan, draw};
use rayon::prelude::*;

use crate::Lesion;

/// Side of the pictures in pixels.
const SIZE: u32 = 224;

/// A lesion of a class; the seed decides everything else.
///
/// ```
/// use pellucid::prelude::*;
/// let lesion = drawn::lesion(7, LesionClass::Melanoma);
/// assert_eq!(lesion, drawn::lesion(7, LesionClass::Melanoma));
/// assert!(lesion.mask.is_some());
/// ```
pub fn lesion(seed: u64, class: LesionClass) -> Lesion {
    let mut lesion = Lesion::from(draw(class, seed, SIZE));
    lesion.name = format!("drawn {} {seed}", class.name());
    lesion
}

/// So many lesions, of every class in turn.
pub fn lesions(count: usize) -> Vec<Lesion> {
    (0..count).into_par_iter().map(|index| lesion(index as u64, LesionClass::ALL[index % LesionClass::ALL.len()])).collect()
}

/// A cohort of so many images with metadata, in the shares of the thesis; pictures are drawn when asked for.
///
/// # Errors
/// None for what this makes of a count; see [`Cohort::draw`].
pub fn cohort(images: usize) -> Result<Cohort> {
    let patients = (images * 2 / 3).max(1);
    Ok(Cohort::draw(&CohortPlan { images, patients, ..CohortPlan::default() })?)
}

/// Pictures of a cohort, with their classes and masks, named by their `isic_id`.
///
/// # Errors
/// For an image that the cohort does not have.
pub fn pictures(cohort: &Cohort, images: &[usize]) -> Result<Vec<Lesion>> {
    let one = |&index: &usize| {
        xai::cancellation::check()?;
        let (drawn, record) = cohort
            .sample(index)
            .zip(cohort.records().get(index))
            .ok_or_else(|| anyhow::anyhow!("the cohort has no image {index}; it has {}, from 0 on", cohort.len()))?;
        Ok(Lesion { name: record.isic_id.clone(), ..drawn.into() })
    };
    images.par_iter().map(one).collect()
}
