//! Tables of images in the ISIC Archive's vocabulary.

mod read;
mod record;
mod write;

pub use read::{read_csv, records_of};
pub use record::Record;
pub use write::{frame_of, write_csv};

/// The columns of a drawn cohort's table, in the Archive's order: three fixed ones, then the metadata keys by name.
///
/// The Archive's own exports hold the union of the keys present, so they differ from one to the next; tables are therefore
/// read by name, and only `isic_id` must be there.
///
/// ```
/// assert_eq!(datasets::metadata::COLUMNS.len(), 24);
/// assert!(datasets::metadata::COLUMNS[3..].is_sorted());
/// ```
pub const COLUMNS: [&str; 24] = [
    "isic_id",
    "attribution",
    "copyright_license",
    "age_approx",
    "anatom_site_general",
    "anatom_site_special",
    "benign_malignant",
    "clin_size_long_diam_mm",
    "concomitant_biopsy",
    "dermoscopic_type",
    "diagnosis",
    "diagnosis_confirm_type",
    "family_hx_mm",
    "fitzpatrick_skin_type",
    "image_type",
    "lesion_id",
    "mel_thick_mm",
    "mel_ulcer",
    "melanocytic",
    "patient_id",
    "personal_hx_mm",
    "pixels_x",
    "pixels_y",
    "sex",
];
