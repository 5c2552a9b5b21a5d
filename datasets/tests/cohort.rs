//! Cohorts and splits: what the tables say, and that nothing leaks.

use std::collections::{HashMap, HashSet};

use datasets::metadata::{COLUMNS, Record, read_csv};
use datasets::synthetic::{Cohort, CohortPlan, Shares};
use datasets::{Imbalance, LesionClass, Split, SplitPlan, split};
use proptest::prelude::*;

fn cohort(images: usize, patients: usize) -> Cohort {
    Cohort::draw(&CohortPlan { images, patients, size: 32, ..CohortPlan::default() }).unwrap()
}

#[test]
fn shares_are_the_thesis_s() {
    let counts = Imbalance::of(cohort(4_715, 3_000).classes());
    for (drawn, wanted) in counts.shares().into_iter().zip(Imbalance::thesis().shares()) {
        assert!((drawn - wanted).abs() <= 1.0 / 4_715.0, "{drawn} against {wanted}");
    }
    let balanced = Cohort::draw(&CohortPlan { images: 70, shares: Shares::Balanced, ..CohortPlan::default() }).unwrap();
    assert!(Imbalance::of(balanced.classes()).counts().iter().all(|c| c.count == 10));
}

#[test]
fn rows_survive_csv_and_have_the_archive_s_columns() {
    let cohort = cohort(60, 40);
    let mut bytes = Vec::new();
    cohort.write_csv(&mut bytes).unwrap();
    assert_eq!(read_csv(&bytes).unwrap(), cohort.records());
    let frame = cohort.metadata().unwrap();
    assert_eq!(frame.get_column_names().iter().map(|n| n.as_str()).collect::<Vec<_>>(), COLUMNS);
}

#[test]
fn rows_are_plainly_drawn_and_consistent() {
    let cohort = cohort(200, 90);
    let mut ids = HashSet::new();
    let mut sizes = HashMap::new();
    for (index, row) in cohort.records().iter().enumerate() {
        assert!(row.isic_id.starts_with("DRAWN_") && ids.insert(row.isic_id.clone()), "{}", row.isic_id);
        assert_eq!((row.attribution.as_deref(), row.copyright_license.as_deref()), (Some("Pellucid (drawn)"), Some("CC-0")));
        let class = row.class().unwrap();
        assert_eq!(row.benign_malignant.as_deref() == Some("malignant"), class.is_malignant());
        assert_eq!(row.mel_thick_mm.is_some(), class == LesionClass::Melanoma);
        assert_eq!(row.age_approx.unwrap() % 5, 0);
        let told =
            (row.patient_id.clone(), row.diagnosis.clone(), row.anatom_site_general.clone(), row.clin_size_long_diam_mm.map(f32::to_bits));
        let first = sizes.entry(row.lesion_id.clone()).or_insert_with(|| told.clone());
        assert_eq!(*first, told, "all images of a lesion tell the same (row {index})");
    }
    assert!(sizes.len() < cohort.len(), "some lesions have several images");
    let patients: HashSet<_> = cohort.records().iter().map(|r| r.patient_id.clone()).collect();
    assert_eq!(patients.len(), 90);
}

#[test]
fn pictures_fit_their_rows() {
    let cohort = cohort(30, 12);
    for (index, row) in cohort.records().iter().enumerate() {
        let drawn = cohort.sample(index).unwrap();
        assert_eq!(Some(drawn.class), row.class());
        assert_eq!(Some(drawn.tone.name()), row.fitzpatrick_skin_type.as_deref());
        assert!((drawn.long_diameter_mm - row.clin_size_long_diam_mm.unwrap()).abs() <= 0.051);
        assert_eq!((Some(drawn.image.width()), Some(drawn.image.height())), (row.pixels_x, row.pixels_y));
    }
    assert!(cohort.sample(30).is_none());
    assert_eq!(cohort.sample(4).unwrap().image, cohort.sample(4).unwrap().image);
}

/// Panics when an index is lost or twice, or when a patient or lesion stands in two parts.
fn assert_nothing_crosses(records: &[Record], parts: &Split) {
    let mut all: Vec<usize> = [&parts.train, &parts.validation, &parts.test].into_iter().flatten().copied().collect();
    all.sort_unstable();
    assert_eq!(all, (0..records.len()).collect::<Vec<_>>(), "every row once");
    let mut place = HashMap::new();
    for (part, rows) in [&parts.train, &parts.validation, &parts.test].into_iter().enumerate() {
        for row in rows {
            let keys = [("patient", &records[*row].patient_id), ("lesion", &records[*row].lesion_id)];
            for (kind, id) in keys.into_iter().filter_map(|(kind, id)| Some((kind, id.clone()?))) {
                assert_eq!(*place.entry((kind, id.clone())).or_insert(part), part, "{kind} {id} crosses");
            }
        }
    }
}

#[test]
fn no_patient_and_no_lesion_crosses() {
    let cohort = cohort(900, 300);
    let parts = split(cohort.records(), &SplitPlan::default()).unwrap();
    assert_nothing_crosses(cohort.records(), &parts);
    for (rows, share) in [(&parts.train, 0.7), (&parts.validation, 0.15), (&parts.test, 0.15)] {
        assert!((rows.len() as f64 / 900.0 - share).abs() <= 0.02, "{} rows for {share}", rows.len());
        let classes: HashSet<_> = rows.iter().filter_map(|row| cohort.records()[*row].class()).collect();
        assert_eq!(classes.len(), 7, "each part has every class");
    }
    let other = split(cohort.records(), &SplitPlan { seed: 1, ..SplitPlan::default() }).unwrap();
    assert_ne!(parts, other);
    assert_eq!(parts, split(cohort.records(), &SplitPlan::default()).unwrap());
}

#[test]
#[should_panic(expected = "crosses")]
fn the_check_for_crossing_can_fail() {
    let records = [1, 2].map(|n| Record { isic_id: format!("{n}"), patient_id: Some("same".into()), ..Record::default() });
    assert_nothing_crosses(&records, &Split { train: vec![0], validation: vec![], test: vec![1] });
}

#[test]
fn shares_that_make_no_sense_are_refused() {
    for (train, validation, test) in [(0.5, 0.2, 0.2), (1.2, -0.1, -0.1), (f64::NAN, 0.5, 0.5)] {
        assert!(split(&[], &SplitPlan { train, validation, test, seed: 0 }).is_err());
    }
    let rows = [Record::default(), Record::default()];
    let parts = split(&rows, &SplitPlan { train: 1.0, validation: 0.0, test: 0.0, seed: 0 }).unwrap();
    assert_eq!(parts.train, [0, 1]);
}

proptest! {
    #[test]
    fn chains_of_shared_patients_and_lesions_stay_together(
        rows in prop::collection::vec((prop::option::of(0..12_u8), prop::option::of(0..12_u8), 0..9_usize), 0..60),
        seed: u64,
    ) {
        let records: Vec<Record> = rows.iter().map(|(patient, lesion, class)| Record {
            patient_id: patient.map(|n| n.to_string()),
            lesion_id: lesion.map(|n| n.to_string()),
            diagnosis: LesionClass::from_index(*class).map(|c| c.name().to_owned()),
            ..Record::default()
        }).collect();
        let parts = split(&records, &SplitPlan { seed, ..SplitPlan::default() }).unwrap();
        assert_nothing_crosses(&records, &parts);
    }
}
