//! From records to a data frame and to CSV.

use std::io::Write;

use polars::prelude::{Column, CsvWriter, DataFrame, NamedFrom, PlSmallStr, SerWriter, Series};

use super::Record;
use crate::Error;

/// The records as a data frame with the columns of [`super::COLUMNS`].
pub fn frame_of(records: &[Record]) -> Result<DataFrame, Error> {
    let text = |name: &str, of: fn(&Record) -> &Option<String>| {
        column(Series::new(PlSmallStr::from_str(name), records.iter().map(|r| of(r).as_deref()).collect::<Vec<Option<&str>>>()))
    };
    let flag = |name: &str, of: fn(&Record) -> Option<bool>| {
        column(Series::new(PlSmallStr::from_str(name), records.iter().map(of).collect::<Vec<_>>()))
    };
    let whole = |name: &str, of: fn(&Record) -> Option<u32>| column(Series::new(name.into(), records.iter().map(of).collect::<Vec<_>>()));
    let real = |name: &str, of: fn(&Record) -> Option<f32>| column(Series::new(name.into(), records.iter().map(of).collect::<Vec<_>>()));
    let columns = vec![
        column(Series::new("isic_id".into(), records.iter().map(|r| r.isic_id.as_str()).collect::<Vec<_>>())),
        text("attribution", |r| &r.attribution),
        text("copyright_license", |r| &r.copyright_license),
        whole("age_approx", |r| r.age_approx),
        text("anatom_site_general", |r| &r.anatom_site_general),
        text("anatom_site_special", |r| &r.anatom_site_special),
        text("benign_malignant", |r| &r.benign_malignant),
        real("clin_size_long_diam_mm", |r| r.clin_size_long_diam_mm),
        flag("concomitant_biopsy", |r| r.concomitant_biopsy),
        text("dermoscopic_type", |r| &r.dermoscopic_type),
        text("diagnosis", |r| &r.diagnosis),
        text("diagnosis_confirm_type", |r| &r.diagnosis_confirm_type),
        flag("family_hx_mm", |r| r.family_hx_mm),
        text("fitzpatrick_skin_type", |r| &r.fitzpatrick_skin_type),
        text("image_type", |r| &r.image_type),
        text("lesion_id", |r| &r.lesion_id),
        real("mel_thick_mm", |r| r.mel_thick_mm),
        flag("mel_ulcer", |r| r.mel_ulcer),
        flag("melanocytic", |r| r.melanocytic),
        text("patient_id", |r| &r.patient_id),
        flag("personal_hx_mm", |r| r.personal_hx_mm),
        whole("pixels_x", |r| r.pixels_x),
        whole("pixels_y", |r| r.pixels_y),
        text("sex", |r| &r.sex),
    ];
    DataFrame::new(records.len(), columns).map_err(|source| Error::Table { doing: "building the table", source })
}

/// Writes the records as CSV with a header; what is missing is left empty.
pub fn write_csv(records: &[Record], to: impl Write) -> Result<(), Error> {
    let mut frame = frame_of(records)?;
    CsvWriter::new(to).finish(&mut frame).map_err(|source| Error::Table { doing: "writing CSV", source })
}

fn column(series: Series) -> Column {
    series.into()
}
