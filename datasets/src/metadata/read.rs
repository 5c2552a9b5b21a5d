//! From CSV and data frames to records, by column name.

use std::io::Cursor;
use std::str::FromStr;

use polars::prelude::{CsvReadOptions, DataFrame, DataType, SerReader};

use super::Record;
use crate::Error;

/// Reads a table in the Archive's form from the bytes of a CSV file.
///
/// Columns may stand in any order; unknown ones are passed over, missing ones are `None`, only `isic_id` must be there.
///
/// ```
/// let rows = datasets::metadata::read_csv(b"sex,isic_id,age_approx\nmale,ISIC_1,55.0\n,ISIC_2,\n").unwrap();
/// assert_eq!((rows[0].age_approx, rows[0].sex.as_deref()), (Some(55), Some("male")));
/// assert_eq!((rows[1].age_approx, rows[1].sex.as_deref()), (None, None));
/// ```
///
/// # Errors
/// [`Error::Table`] when the bytes are no CSV, [`Error::MissingColumn`] without `isic_id`, [`Error::BadCell`] with row and column of the
/// first cell that does not fit.
pub fn read_csv(bytes: &[u8]) -> Result<Vec<Record>, Error> {
    let frame = CsvReadOptions::default()
        // Every column as text: a guess from the first rows would lose what comes later.
        .with_infer_schema_length(Some(0))
        .into_reader_with_file_handle(Cursor::new(bytes))
        .finish()
        .map_err(|source| Error::Table { doing: "reading CSV", source })?;
    records_of(&frame)
}

/// Reads the records of a data frame; see [`read_csv`].
pub fn records_of(frame: &DataFrame) -> Result<Vec<Record>, Error> {
    let ids = text(frame, "isic_id")?.ok_or_else(|| Error::MissingColumn {
        column: "isic_id",
        found: frame.get_column_names().iter().take(40).map(|name| name.as_str()).collect::<Vec<_>>().join(", "),
    })?;
    let mut records = Vec::with_capacity(ids.len());
    for (row, id) in ids.into_iter().enumerate() {
        let isic_id = id.ok_or(Error::BadCell { column: "isic_id", row: row + 1, found: String::new(), wanted: "an identifier" })?;
        records.push(Record { isic_id, ..Record::default() });
    }
    texts(frame, &mut records)?;
    flags(frame, &mut records)?;
    numbers(frame, &mut records)?;
    Ok(records)
}

/// A column's name and the record's field it fills.
type Column<T> = (&'static str, fn(&mut Record) -> &mut Option<T>);

fn texts(frame: &DataFrame, records: &mut [Record]) -> Result<(), Error> {
    let fields: [Column<String>; 13] = [
        ("attribution", |r| &mut r.attribution),
        ("copyright_license", |r| &mut r.copyright_license),
        ("anatom_site_general", |r| &mut r.anatom_site_general),
        ("anatom_site_special", |r| &mut r.anatom_site_special),
        ("benign_malignant", |r| &mut r.benign_malignant),
        ("dermoscopic_type", |r| &mut r.dermoscopic_type),
        ("diagnosis", |r| &mut r.diagnosis),
        ("diagnosis_confirm_type", |r| &mut r.diagnosis_confirm_type),
        ("fitzpatrick_skin_type", |r| &mut r.fitzpatrick_skin_type),
        ("image_type", |r| &mut r.image_type),
        ("lesion_id", |r| &mut r.lesion_id),
        ("patient_id", |r| &mut r.patient_id),
        ("sex", |r| &mut r.sex),
    ];
    for (column, field) in fields {
        for (record, cell) in records.iter_mut().zip(text(frame, column)?.into_iter().flatten()) {
            *field(record) = cell;
        }
    }
    Ok(())
}

fn flags(frame: &DataFrame, records: &mut [Record]) -> Result<(), Error> {
    let fields: [Column<bool>; 5] = [
        ("concomitant_biopsy", |r| &mut r.concomitant_biopsy),
        ("family_hx_mm", |r| &mut r.family_hx_mm),
        ("mel_ulcer", |r| &mut r.mel_ulcer),
        ("melanocytic", |r| &mut r.melanocytic),
        ("personal_hx_mm", |r| &mut r.personal_hx_mm),
    ];
    for (column, field) in fields {
        parse(frame, records, (column, "true or false"), field, |cell| bool::from_str(&cell.to_lowercase()).ok())?;
    }
    Ok(())
}

fn numbers(frame: &DataFrame, records: &mut [Record]) -> Result<(), Error> {
    let wholes: [Column<u32>; 3] =
        [("age_approx", |r| &mut r.age_approx), ("pixels_x", |r| &mut r.pixels_x), ("pixels_y", |r| &mut r.pixels_y)];
    for (column, field) in wholes {
        parse(frame, records, (column, "a whole number"), field, whole)?;
    }
    let reals: [Column<f32>; 2] =
        [("clin_size_long_diam_mm", |r| &mut r.clin_size_long_diam_mm), ("mel_thick_mm", |r| &mut r.mel_thick_mm)];
    for (column, field) in reals {
        parse(frame, records, (column, "a number of millimetres"), field, |cell| {
            cell.parse::<f32>().ok().filter(|mm| mm.is_finite() && *mm >= 0.0)
        })?;
    }
    Ok(())
}

/// pandas turns whole columns with gaps into floats, so `55.0` is 55; `55.5` is refused.
fn whole(cell: &str) -> Option<u32> {
    let value = cell.parse::<f64>().ok()?;
    (value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&value)).then_some(value as u32)
}

fn parse<T>(
    frame: &DataFrame,
    records: &mut [Record],
    (column, wanted): (&'static str, &'static str),
    field: fn(&mut Record) -> &mut Option<T>,
    read: impl Fn(&str) -> Option<T>,
) -> Result<(), Error> {
    for (row, (record, cell)) in records.iter_mut().zip(text(frame, column)?.into_iter().flatten()).enumerate() {
        if let Some(cell) = cell {
            let value = read(&cell).ok_or(Error::BadCell { column, row: row + 1, found: cell.chars().take(80).collect(), wanted })?;
            *field(record) = Some(value);
        }
    }
    Ok(())
}

/// A column as text, trimmed, empty cells as `None`; `None` when the frame has no such column.
fn text(frame: &DataFrame, name: &str) -> Result<Option<Vec<Option<String>>>, Error> {
    let Ok(column) = frame.column(name) else { return Ok(None) };
    let cast = column.cast(&DataType::String).map_err(|source| Error::Table { doing: "reading a column as text", source })?;
    let cells = cast.str().map_err(|source| Error::Table { doing: "reading a column as text", source })?;
    Ok(Some(cells.iter().map(|cell| cell.map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned)).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::{COLUMNS, frame_of, write_csv};

    fn full() -> Record {
        Record {
            isic_id: "DRAWN_0000001".into(),
            attribution: Some("Pellucid, \"drawn\"".into()),
            age_approx: Some(55),
            clin_size_long_diam_mm: Some(4.3),
            mel_ulcer: Some(true),
            melanocytic: Some(false),
            pixels_x: Some(224),
            sex: Some("female".into()),
            diagnosis: Some("basal cell carcinoma".into()),
            ..Record::default()
        }
    }

    #[test]
    fn csv_and_frame_lead_back_to_the_records() {
        let records = [full(), Record { isic_id: "DRAWN_0000002".into(), ..Record::default() }];
        let mut bytes = Vec::new();
        write_csv(&records, &mut bytes).unwrap();
        assert!(bytes.starts_with(COLUMNS.join(",").as_bytes()));
        assert_eq!(read_csv(&bytes).unwrap(), records);
        assert_eq!(records_of(&frame_of(&records).unwrap()).unwrap(), records);
    }

    #[test]
    fn order_and_unknown_columns_do_not_matter() {
        let rows = read_csv(b"nevus_type,melanocytic,isic_id\nblue,TRUE,ISIC_7\n").unwrap();
        assert_eq!(rows, [Record { isic_id: "ISIC_7".into(), melanocytic: Some(true), ..Record::default() }]);
    }

    #[test]
    fn what_does_not_fit_is_named_with_row_and_column() {
        let message = read_csv(b"isic_id,age_approx\nA,50\nB,old\n").unwrap_err().to_string();
        assert!(message.contains("row 2") && message.contains("age_approx") && message.contains("old"), "{message}");
        let message = read_csv(b"id,age\nA,50\n").unwrap_err().to_string();
        assert!(message.contains("isic_id") && message.contains("id, age"), "{message}");
        for bad in ["isic_id,age_approx\nA,55.5\n", "isic_id,mel_thick_mm\nA,NaN\n", "isic_id,mel_ulcer\nA,maybe\n", "isic_id,sex\n,male\n"]
        {
            assert!(read_csv(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(read_csv(b"").is_err());
    }
}
