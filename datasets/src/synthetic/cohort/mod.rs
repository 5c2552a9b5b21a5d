//! Cohorts of drawn lesions: patients with skin, lesions with a class, images with metadata; pictures are drawn when asked for.

mod history;
mod plan;

use std::io::Write;

use polars::prelude::DataFrame;

pub use plan::{CohortPlan, Shares};

use super::stream::Stream;
use super::{DrawnLesion, Seeds, SkinTone, draw_from, long_diameter_of};
use crate::metadata::{Record, frame_of, write_csv};
use crate::{Error, LesionClass};
use history::Patient;

/// A drawn cohort: one [`Record`] an image, and the seeds to draw it from.
#[derive(Clone, Debug)]
pub struct Cohort {
    records: Vec<Record>,
    samples: Vec<Sample>,
    size: u32,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    class: LesionClass,
    seeds: Seeds,
    tone: SkinTone,
}

struct GrownLesion {
    patient: usize,
    class: LesionClass,
    images: usize,
    seed: u64,
}

impl Cohort {
    /// Draws patients, lesions and rows (no picture yet).
    ///
    /// ```
    /// use datasets::synthetic::{Cohort, CohortPlan};
    /// let cohort = Cohort::draw(&CohortPlan { images: 20, patients: 12, size: 32, ..CohortPlan::default() }).unwrap();
    /// assert_eq!((cohort.len(), cohort.metadata().unwrap().shape()), (20, (20, 24)));
    /// assert_eq!(cohort.sample(3).unwrap().class, cohort.records()[3].class().unwrap());
    /// ```
    ///
    /// # Errors
    /// [`Error::BadPlan`] when the plan has no patients, a size out of bounds or unusable shares.
    pub fn draw(plan: &CohortPlan) -> Result<Cohort, Error> {
        plan.check()?;
        let stream = Stream::new(plan.seed).fork("cohort");
        let patients: Vec<Patient> = (0..plan.patients).map(|n| Patient::draw(&mut stream.fork(&format!("patient {n}")))).collect();
        let lesions = lesions(plan, &patients, &mut stream.fork("lesions"));
        let mut images: Vec<(usize, u64)> =
            lesions.iter().enumerate().flat_map(|(lesion, grown)| (0..grown.images as u64).map(move |view| (lesion, view))).collect();
        stream.fork("order").shuffle(&mut images);

        let mut cohort = Cohort { records: Vec::new(), samples: Vec::new(), size: plan.size };
        for (number, (index, view)) in images.into_iter().enumerate() {
            let lesion = &lesions[index];
            let patient = &patients[lesion.patient];
            let mut shot = stream.fork(&format!("image {index} {view}"));
            let seeds = Seeds { patient: patient.seed, lesion: lesion.seed, view: shot.bits() };
            let mut record =
                patient.record(lesion.class, long_diameter_of(lesion.class, lesion.seed), &stream.fork(&format!("history {index}")));
            record.isic_id = format!("DRAWN_{:07}", number + 1);
            record.lesion_id = Some(format!("DRAWN_L{:07}", index + 1));
            record.patient_id = Some(format!("DRAWN_P{:07}", lesion.patient + 1));
            (record.pixels_x, record.pixels_y) = (Some(plan.size), Some(plan.size));
            cohort.records.push(record);
            cohort.samples.push(Sample { class: lesion.class, seeds, tone: patient.tone });
        }
        Ok(cohort)
    }

    /// How many images.
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// The rows, in the order of the images.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The class of every image.
    pub fn classes(&self) -> impl Iterator<Item = LesionClass> + '_ {
        self.samples.iter().map(|sample| sample.class)
    }

    /// Draws the picture of one image; `None` past the last.
    pub fn sample(&self, index: usize) -> Option<DrawnLesion> {
        let sample = self.samples.get(index)?;
        Some(draw_from(sample.class, sample.seeds, sample.tone, self.size))
    }

    /// The rows as a data frame with the columns of [`crate::metadata::COLUMNS`].
    pub fn metadata(&self) -> Result<DataFrame, Error> {
        frame_of(&self.records)
    }

    /// Writes the rows as CSV.
    pub fn write_csv(&self, to: impl Write) -> Result<(), Error> {
        write_csv(&self.records, to)
    }
}

/// Lesions until every class has its images; most have one image, some two or three.
fn lesions(plan: &CohortPlan, patients: &[Patient], stream: &mut Stream) -> Vec<GrownLesion> {
    let mut lesions = Vec::new();
    for (class, quota) in LesionClass::ALL.into_iter().zip(plan.quotas()) {
        let mut left = quota;
        while left > 0 {
            let images = (1 + stream.weighted(&[0.82, 0.13, 0.05])).min(left);
            left -= images;
            lesions.push(GrownLesion { patient: 0, class, images, seed: stream.bits() });
        }
    }
    stream.shuffle(&mut lesions);
    for (index, lesion) in lesions.iter_mut().enumerate() {
        // Everyone gets a lesion first; further ones go to whoever of three has the fitter age.
        lesion.patient = if index < patients.len() {
            index
        } else {
            let three = [0; 3].map(|_| stream.below(patients.len()));
            let misfit = |n: &usize| patients[*n].age_misfit(lesion.class);
            three.into_iter().min_by_key(misfit).unwrap_or(0)
        };
    }
    lesions
}
